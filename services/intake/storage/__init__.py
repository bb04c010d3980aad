"""Every SQL statement of intake, one function each."""
