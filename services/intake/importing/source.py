"""The bytes of an uploaded text, in bounded blocks: plain or gzipped, which the content decides and not the name."""

import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from io import SEEK_CUR
from typing import BinaryIO

from services.intake.importing.findings import FileRefused
from services.intake.importing.sheets import SheetLimits

BLOCK = 128 * 1024
SALVAGE_STEP = 16
GZIP = b"\x1f\x8b"
RATIO_LIMIT = 100
RATIO_FREE_BYTES = 10 * 1024 * 1024  # short files of equal rows compress very well without being an attack
NOT_TEXT = {
    b"%PDF": "this is a PDF document, not a CSV file",
    b"BZh": "this is compressed with bzip2; only gzip is read",
    b"\xfd7zX": "this is compressed with xz; only gzip is read",
    b"(\xb5/\xfd": "this is compressed with zstd; only gzip is read",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    most_bytes: int  # uncompressed, counted while reading and never believed from a header
    sheets: SheetLimits = field(default_factory=SheetLimits)


def begins_with(file: BinaryIO) -> bytes:
    """Return the beginning of a file, which says what it is, and leave the file where it was."""
    start = file.read(BLOCK)
    file.seek(-len(start), SEEK_CUR)
    return start


def read_blocks(file: BinaryIO, limits: Limits) -> Iterator[bytes]:
    """Yield the file's text as bytes. Raises FileRefused where it is no text, too much or broken."""
    start = file.read(BLOCK)
    for magic, reason in NOT_TEXT.items():
        if start.startswith(magic):
            raise FileRefused("not-csv", reason)
    blocks = _inflate(file, start) if start.startswith(GZIP) else _plain(file, start)
    total = 0
    for block in blocks:
        total += len(block)
        if total > limits.most_bytes:
            raise FileRefused("file-too-large", f"more than {limits.most_bytes} bytes of text; split the file")
        yield block


def _plain(file: BinaryIO, block: bytes) -> Iterator[bytes]:
    while block:
        yield block
        block = file.read(BLOCK)


def _inflate(file: BinaryIO, data: bytes) -> Iterator[bytes]:
    """Inflate one or more gzip members. No step makes more than a block, whatever the input claims."""
    taken = len(data)
    made = 0
    inflater = zlib.decompressobj(wbits=31)
    while True:
        before = inflater.copy()
        try:
            block = inflater.decompress(data, BLOCK)
        except zlib.error:
            yield from _salvage(before, data)
            raise FileRefused("gzip-corrupt", "the gzip data are damaged from here on") from None
        made += len(block)
        if made > max(RATIO_FREE_BYTES, taken * RATIO_LIMIT):
            raise FileRefused("gzip-ratio", f"the gzip data grow more than {RATIO_LIMIT} times; send the file plain")
        yield block
        data = inflater.unused_data or inflater.unconsumed_tail
        if not data and (inflater.eof or not block):
            data = _read_on(file, is_member_complete=inflater.eof)
            taken += len(data)
        if _is_the_end(data, is_member_complete=inflater.eof):
            return
        if inflater.eof:
            inflater = zlib.decompressobj(wbits=31)


def _salvage(inflater: "zlib._Decompress", data: bytes) -> Iterator[bytes]:
    """Give what comes before the damage, in steps so small that hardly anything shares one with it."""
    with suppress(zlib.error):
        while piece := inflater.decompress(data, SALVAGE_STEP):
            yield piece
            data = inflater.unconsumed_tail


def _read_on(file: BinaryIO, *, is_member_complete: bool) -> bytes:
    data = file.read(BLOCK)
    if not data and not is_member_complete:
        raise FileRefused("gzip-truncated", "the gzip data end too early; the upload or export was cut short")
    return data


def _is_the_end(data: bytes, *, is_member_complete: bool) -> bool:
    """Zeros after a member are padding, as tapes and some tools leave it. Raises FileRefused for anything else."""
    if not is_member_complete:
        return False
    if data.strip(b"\0") and not data.startswith(GZIP[: len(data)]):
        raise FileRefused("gzip-corrupt", "something that is no gzip data follows the gzip data")
    return not data.strip(b"\0")
