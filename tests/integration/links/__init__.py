"""Every link of the suite over TLS, against real servers."""
