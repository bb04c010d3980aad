"""What `make` calls: sets Lianxin up on one bare machine and runs it, with nothing but Python's standard library."""
