"""The fair scheme: records in; scores, intervals, ranks and signals out. Pure, and the same digits everywhere."""
