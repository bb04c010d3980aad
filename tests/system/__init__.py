"""The whole suite through its doors: what it does, and what it survives."""
