"""Every SQL statement of assessment, one function each, one file per topic."""
