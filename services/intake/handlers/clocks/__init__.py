"""The clocks of issues: counted with every step, read with their reasons, watched, and counted again."""
