"""Codes of ours made from names that other systems use as keys: the same name always gives the same code."""

import hashlib
import re
import unicodedata

LONGEST_CODE = 64
DIGEST_LENGTH = 8
SAFE = re.compile(r"[^0-9A-Za-z_.一-鿿-]+")


def make_code(text: str, prefix: str = "") -> str:
    """Keep a name that is a code already; otherwise keep what is readable and add a digest, so that none collide."""
    plain = unicodedata.normalize("NFC", text)
    readable = SAFE.sub("-", plain).strip("-.")
    if readable == plain and len(prefix) + len(plain) <= LONGEST_CODE:
        return prefix + plain
    digest = hashlib.sha256(plain.encode()).hexdigest()[:DIGEST_LENGTH]
    room = LONGEST_CODE - len(prefix) - DIGEST_LENGTH - 1
    return f"{prefix}{readable[:room].strip('-.')}-{digest}"
