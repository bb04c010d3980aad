"""What the pages of all services have in common: one look, one frame, and forms that only our own pages can send."""
