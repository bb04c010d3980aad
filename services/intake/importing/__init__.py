"""Someone else's export file in, this service's commands out: reading, mapping and judging, without a database."""
