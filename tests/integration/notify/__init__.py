"""Notify: handlers and doors against real servers."""
