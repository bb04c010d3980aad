"""Routes of the steps of an issue's life, one file a family of steps."""
