"""Uploaded files while they wait for their import: under generated names, in a directory nobody else reads."""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from shared.errors import Rejected

STORED_NAME = re.compile(r"[0-9a-f]{32}", re.ASCII)
UNFINISHED = ".part"
LONGEST_NAME = 200


class UploadTooLarge(Rejected):
    code = "upload-too-large"


class Upload:
    """One file being received. Nothing of it can be found under its final name before all of it is on the disk."""

    def __init__(self, directory: Path, name: str, most_bytes: int) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.name = name
        self.byte_count = 0
        self._directory = directory
        self._most_bytes = most_bytes
        self._digest = hashlib.sha256()
        self._unfinished = directory / (name + UNFINISHED)
        descriptor = os.open(self._unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file = os.fdopen(descriptor, "wb")

    @property
    def sha256(self) -> bytes:
        return self._digest.digest()

    def write(self, block: bytes) -> None:
        """Raises UploadTooLarge."""
        self.byte_count += len(block)
        if self.byte_count > self._most_bytes:
            raise UploadTooLarge(f"the upload is larger than {self._most_bytes} bytes")
        self._digest.update(block)
        self._file.write(block)

    def finish(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._unfinished.rename(self._directory / self.name)
        descriptor = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)  # the name too must survive a power cut, for the row in the database will point to it
        finally:
            os.close(descriptor)

    def abandon(self) -> None:
        with suppress(OSError):
            self._file.close()
        self._unfinished.unlink(missing_ok=True)


def stored_name(run_id: UUID) -> str:
    return run_id.hex


def stored_file(directory: Path, name: str) -> Path:
    """Raises ValueError for a name that this module did not make."""
    if not STORED_NAME.fullmatch(name):
        raise ValueError("not the name of a stored file")
    return directory / name


def remove_stored(directory: Path, name: str) -> None:
    stored_file(directory, name).unlink(missing_ok=True)


def list_older_than(directory: Path, moment: float) -> Iterator[str]:
    """List the names of files that were last written before the moment, unfinished ones included."""
    if not directory.is_dir():
        return
    for file in directory.iterdir():
        name = file.name.removesuffix(UNFINISHED)
        with suppress(FileNotFoundError):
            if STORED_NAME.fullmatch(name) and file.stat().st_mtime < moment:
                yield file.name


def digest_file(file: Path) -> tuple[bytes, int]:
    """Return the SHA-256 and the size of a file of any length."""
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").digest()
        return digest, stream.tell()


def display_name(name: str) -> str:
    """What may be shown of a name that somebody else chose: its last part, printable characters only, cut."""
    last = re.split(r"[/\\]", name)[-1]
    plain = "".join(character for character in last if character.isprintable()).strip()
    return plain[:LONGEST_NAME] or "unnamed"
