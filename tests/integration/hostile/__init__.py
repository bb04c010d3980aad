"""Hostile requests against every route of every service."""
