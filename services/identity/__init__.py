"""Identity: who people and machines are, how they prove it, and which roles they hold."""
