"""Telling notes that are nearly alike from a few keyed numbers of each, from which nobody can read a note."""

import hashlib
import struct
import unicodedata
from typing import Final

LANES: Final = 8
ALIKE_LANES: Final = 6  # of eight: some nine in ten of the parts of two notes are the same
SHORTEST: Final = 20  # letters and digits: shorter notes are alike by nature
PART: Final = 4


def sketch(note: str | None, key: bytes) -> list[int] | None:
    """Eight numbers, each the smallest of a keyed digest of every part of the note; None of a note too short to tell.

    Case, width, spaces and punctuation do not matter, nor do figures, 5 or 五: a copy with another count is a copy.
    """
    text = _plain(note or "")
    if len(text) < SHORTEST:
        return None
    smallest = [1 << 63] * LANES
    for part in {text[start : start + PART] for start in range(len(text) - PART + 1)}:
        digest = hashlib.blake2b(part.encode(), digest_size=8 * LANES, key=key).digest()
        smallest = [
            min(known, value >> 1) for known, value in zip(smallest, struct.unpack(f">{LANES}Q", digest), strict=True)
        ]
    return smallest


def are_alike(one: list[int], other: list[int]) -> bool:
    return sum(a == b for a, b in zip(one, other, strict=True)) >= ALIKE_LANES


def _plain(note: str) -> str:
    folded = unicodedata.normalize("NFKC", note).casefold()
    return "".join(character for character in folded if character.isalpha() and not _is_figure(character))


def _is_figure(character: str) -> bool:
    return character == "两" or unicodedata.numeric(character, None) is not None
