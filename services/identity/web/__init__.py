"""The HTTP door for people: pages without script, rendered from the templates beside it."""
