"""How what is told reads, in each language."""
