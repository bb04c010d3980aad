"""Identity: handlers and doors against real servers."""
