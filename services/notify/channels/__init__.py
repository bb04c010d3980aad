"""How a message leaves us: one module a channel. The in-app inbox needs none, it is a table of our own."""
