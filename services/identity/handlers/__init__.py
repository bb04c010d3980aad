"""What identity does: one function a use case, which owns its transaction."""
