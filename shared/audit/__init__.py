"""Who did, saw or was refused what: a chain of records that can be added to and never changed."""
