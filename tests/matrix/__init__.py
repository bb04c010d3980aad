"""The authorisation matrix: every role, every route, every place that an object can lie in."""
