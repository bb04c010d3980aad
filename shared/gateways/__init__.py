"""Gateways of other people: how they are called, what of it is remembered, and how an installation describes one."""
