"""Every SQL statement of notify, one function each."""
