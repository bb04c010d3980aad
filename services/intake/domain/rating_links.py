"""What a rating link is: how long it lives, and what of its token may be kept."""

import hashlib
from datetime import timedelta

LIVES_FOR = timedelta(days=14)
COUNTER_LIVES_FOR = timedelta(minutes=10)


def digest_token(token: str) -> bytes:
    """Any text has a digest, so that what was never a token takes the same way as one that is over."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
