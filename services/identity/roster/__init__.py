"""SCIM 2.0: what a roster says of people and groups, read, searched and shown."""
