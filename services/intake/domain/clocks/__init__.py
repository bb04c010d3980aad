"""The clocks of an issue: until when it must be signed, the citizen contacted, the issue closed and answered. Pure."""
