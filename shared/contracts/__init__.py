"""Every event that crosses a service boundary: one class an event, one envelope for all."""
