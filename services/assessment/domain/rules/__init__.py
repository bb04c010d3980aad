"""Schemes that are written as data: what such a file says, read strictly."""
