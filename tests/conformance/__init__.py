"""Schemathesis against the running services: what the OpenAPI documents say, and what the servers do."""
