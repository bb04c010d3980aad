"""ZIP archives that somebody made: counted while they are unpacked, and never written to a disk."""

import re
import stat
import zipfile
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Final

from services.intake.importing.sandboxed.refusals import Refused

MOST_MEMBERS: Final = 200
MOST_BYTES: Final = 50 * 1024 * 1024  # unpacked and counted; what a header says is believed nowhere
MOST_RATIO: Final = 100
RATIO_FREE_BYTES: Final = 1024 * 1024  # small parts of equal rows compress very well without being an attack
BLOCK: Final = 64 * 1024
IS_ENCRYPTED: Final = 0x1
METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
UNSAFE_NAME: Final = re.compile(r"^[/\\]|(?:^|[/\\])\.\.(?:[/\\]|$)|^[A-Za-z]:|[\x00-\x1f]")


def unpack(
    data: bytes, *, most_members: int = MOST_MEMBERS, is_wanted: Callable[[str], bool] = lambda _: True
) -> dict[str, bytes]:
    """Return the wanted members by name; those that nobody wants are judged and never unpacked. Raises Refused."""
    try:
        archive = zipfile.ZipFile(BytesIO(data))
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise Refused("archive-broken") from None
    members = archive.infolist()
    if len(members) > most_members:
        raise Refused("archive-members")
    for member in members:
        _judge(member)
    files = [member for member in members if not member.is_dir() and is_wanted(member.filename)]
    if len({member.filename.casefold() for member in files}) < len(files):
        raise Refused("archive-twice")
    unpacked: dict[str, bytes] = {}
    room = _Room(packed_bytes=len(data))
    for member in files:
        unpacked[member.filename] = _unpack_one(archive, member, room)
    return unpacked


class _Room:
    """How much may still come out of the archive."""

    def __init__(self, *, packed_bytes: int) -> None:
        self._most_by_ratio = max(RATIO_FREE_BYTES, packed_bytes * MOST_RATIO)
        self._taken = 0

    def take(self, count: int) -> None:
        self._taken += count
        if self._taken > MOST_BYTES:
            raise Refused("archive-too-large")
        if self._taken > self._most_by_ratio:
            raise Refused("archive-ratio")


def _judge(member: zipfile.ZipInfo) -> None:
    if UNSAFE_NAME.search(member.orig_filename) or UNSAFE_NAME.search(member.filename):
        raise Refused("archive-names")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise Refused("archive-links")
    if member.flag_bits & IS_ENCRYPTED:
        raise Refused("password-protected")
    if member.compress_type not in METHODS:
        raise Refused("archive-broken")


def _unpack_one(archive: zipfile.ZipFile, member: zipfile.ZipInfo, room: _Room) -> bytes:
    pieces = []
    try:
        with archive.open(member) as stream:
            while piece := stream.read(BLOCK):
                room.take(len(piece))
                pieces.append(piece)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError):
        raise Refused("archive-broken") from None
    return b"".join(pieces)
