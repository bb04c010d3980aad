"""The demo county: an invented county with a year of contacts, issues and ratings, and the way to load it."""
