"""What identity signs and whose signatures it checks."""
