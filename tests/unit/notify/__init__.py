"""Notify: domain, rendering and channels with plain values."""
