"""The one kind of failure a person at the terminal is meant to read."""


class EmbeddedError(Exception):
    """Its text says what is wrong and, where we know, what to do about it."""
