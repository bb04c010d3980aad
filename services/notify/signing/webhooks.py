"""Signatures of Standard Webhooks 1.0: `v1` with a shared secret, `v1a` with a key whose public half partners have.

What is signed is `id.timestamp.body` over the very bytes that are sent.
"""

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KeyKind = Literal["v1", "v1a"]
SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - what receivers' libraries look for
PRIVATE_PREFIX: Final = "whsk_"
PUBLIC_PREFIX: Final = "whpk_"
SECRET_BYTES: Final = 32


class BadKey(ValueError):
    """Not the bytes of a key; the message never repeats them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """The raw bytes of a secret, or of a private key's seed."""

    kind: KeyKind
    material: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if self.kind == "v1" and not 24 <= len(self.material) <= 64:
            raise BadKey("a secret has 24 to 64 bytes")
        if self.kind == "v1a" and len(self.material) != 32:
            raise BadKey("a private key has 32 bytes")

    def sign(self, content: bytes) -> str:
        if self.kind == "v1":
            return "v1," + _text(hmac.digest(self.material, content, hashlib.sha256))
        return "v1a," + _text(Ed25519PrivateKey.from_private_bytes(self.material).sign(content))

    @property
    def shown(self) -> str:
        """What the receiver is given: the secret itself, once, or the public key, at any time."""
        if self.kind == "v1":
            return SECRET_PREFIX + _text(self.material)
        public = Ed25519PrivateKey.from_private_bytes(self.material).public_key()
        return PUBLIC_PREFIX + _text(public.public_bytes_raw())


def make_key(kind: KeyKind) -> SigningKey:
    return SigningKey(kind=kind, material=os.urandom(SECRET_BYTES))


def read_key(text: str) -> SigningKey:
    """A key as it is written for people: `whsec_...` or `whsk_...`. Raises BadKey."""
    for prefix, kind in ((SECRET_PREFIX, "v1"), (PRIVATE_PREFIX, "v1a")):
        if text.startswith(prefix):
            try:
                material = base64.b64decode(text.removeprefix(prefix), validate=True)
            except binascii.Error:
                break
            return SigningKey(kind="v1" if kind == "v1" else "v1a", material=material)
    raise BadKey(f"a key begins with {SECRET_PREFIX} or {PRIVATE_PREFIX} and goes on in base64")


def make_headers(webhook_id: str, body: bytes, *, at: datetime, keys: Sequence[SigningKey]) -> dict[str, str]:
    """The three headers of one attempt: every key signs, so that old and new ones hold while they are changed."""
    if not keys or "." in webhook_id:
        raise ValueError("a delivery has an id without dots, and at least one key that signs it")
    timestamp = str(int(at.timestamp()))
    content = f"{webhook_id}.{timestamp}.".encode() + body
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(key.sign(content) for key in keys),
    }


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
