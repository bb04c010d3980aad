"""Tools of the system tests and fault experiments: the whole suite, a load, a journal, and oracles to judge by."""
