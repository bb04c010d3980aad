"""Waiting for a condition, never for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")
POLL_SECONDS = 0.1


def wait_for(look: Callable[[], Found | None], what: str, *, timeout_seconds: float = 30) -> Found:
    """Look again and again until something true is found, and give it. Raises TimeoutError with what was missed."""
    deadline = time.monotonic() + timeout_seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not after {timeout_seconds:.0f} seconds")
        time.sleep(POLL_SECONDS)
    return found
