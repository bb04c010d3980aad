"""What things are in notify, and what may happen to them: pure, one file a topic."""
