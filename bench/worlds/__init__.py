"""Invented worlds in which the truth is known: how good each cadre is, how hard the cases are, and who cheats."""
