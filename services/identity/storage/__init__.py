"""Every SQL statement of identity, one function each."""
