"""The words on the pages, a file a language."""
