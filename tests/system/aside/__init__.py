"""What needs the whole suite and would be in an experiment's way: one installation, gone before the next begins."""
