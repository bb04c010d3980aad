"""How alike two texts are, told from keyed sketches of them that give no word away. Pure.

Each pair of neighbouring characters has a keyed digest. One bin of 32 keeps the smallest digest that falls into it, and
an empty bin borrows from the next one that is not; the share of bins that agree estimates how many pairs two texts have
in common (one-permutation MinHash with densification: Li, Owen, Zhang 2012; Shrivastava, Li 2014). Two neighbouring
bins make a band: texts that agree in no band are not compared at all.
"""

import hashlib
import unicodedata
from dataclasses import dataclass
from typing import Final

BINS: Final = 32
BAND_BINS: Final = 2
WORD: Final = 4  # bytes of a digest that a bin keeps
ALIKE: Final = 40  # of a hundred: below it nobody is asked to look
LONGEST: Final = 4_000  # characters of a text that count


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """`words` are the 32 bins, `bands` what an index finds likely matches by."""

    words: bytes
    bands: tuple[int, ...]


def sketch(text: str, *, key: bytes) -> Sketch | None:
    """None for a text too short to be like another."""
    plain = "".join(character for character in unicodedata.normalize("NFKC", text).casefold() if character.isalnum())
    pairs = {plain[place : place + 2] for place in range(min(len(plain), LONGEST) - 1)}
    if len(pairs) < BAND_BINS * 2:
        return None
    bins: list[int | None] = [None] * BINS
    for pair in pairs:
        digest = int.from_bytes(hashlib.blake2b(pair.encode(), key=key, digest_size=WORD + 1).digest())
        place, word = digest % BINS, digest >> 8
        held = bins[place]
        bins[place] = word if held is None else min(held, word)
    words = b"".join(_borrowed(bins, place).to_bytes(WORD) for place in range(BINS))
    return Sketch(words=words, bands=_bands(words, key))


def _borrowed(bins: list[int | None], place: int) -> int:
    """The bin's own word, or that of the next one that has any, told apart by how far it was fetched from."""
    for distance in range(BINS):
        word = bins[(place + distance) % BINS]
        if word is not None:
            return (word + distance * 0x9E3779B1) & 0xFFFFFFFF
    raise ValueError("no bin holds anything")


def _bands(words: bytes, key: bytes) -> tuple[int, ...]:
    width = WORD * BAND_BINS
    pieces = (words[place : place + width] for place in range(0, len(words), width))
    return tuple(
        int.from_bytes(hashlib.blake2b(bytes([number]) + piece, key=key, digest_size=8).digest(), signed=True)
        for number, piece in enumerate(pieces)
    )


def likeness(one: bytes, other: bytes) -> int:
    """How alike, of a hundred."""
    same = sum(one[place : place + WORD] == other[place : place + WORD] for place in range(0, len(one), WORD))
    return same * 100 // BINS
