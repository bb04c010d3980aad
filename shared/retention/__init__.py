"""What comes to an end: by which schedule, and how it is removed."""
