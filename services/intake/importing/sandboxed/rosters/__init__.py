"""Cadre files of other systems as persons: parsers of three formats, without a database and without a disk."""
