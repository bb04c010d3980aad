"""Programs for people outside: each is one file that needs nothing of the suite."""
