"""The root of a Merkle tree as in RFC 6962: leaves and inner nodes are hashed with different first bytes."""

import hashlib
from collections.abc import Iterable


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The hash of nothing for no leaves. A node without a neighbour moves up as it is."""
    level = [hashlib.sha256(b"\x00" + leaf).digest() for leaf in leaves]
    if not level:
        return hashlib.sha256(b"").digest()
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        last = level[-1:] if len(level) % 2 else []
        level = [hashlib.sha256(b"\x01" + left + right).digest() for left, right in pairs] + last
    return level[0]
