"""The events that intake publishes, by opaque ids: one file a topic."""
