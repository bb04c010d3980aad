"""What intake does: one function a use case, which owns its transaction."""
