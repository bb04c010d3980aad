"""Files that hold keys: what they are called, how one is made, and which contents are refused.

The standard library only: keys are also made before the virtual environment exists.
"""

import base64
import binascii
import os
import re
import secrets
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Final, Literal

Kind = Literal["key", "ed25519"]
KEY_BYTES: Final = 32
LARGEST_KEY_ID: Final = 2**31 - 1
# Fewer different bytes than this among 32 random ones happens once in 10^16 draws: somebody made the key by hand.
FEWEST_DISTINCT_BYTES: Final = 16
OWNER_ONLY: Final = 0o600
LONGEST_FILE: Final = 128

_NAME = re.compile(r"([a-z][a-z0-9_-]{0,60})-([1-9][0-9]{0,9})\.(key|ed25519)", re.ASCII)
_PRINTABLE = frozenset(range(0x20, 0x7F))


class BadKeyFile(ValueError):
    """A key file cannot be used; the message names the file and never its content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyName:
    """`purpose` says what a key is for; among several keys of one purpose the highest `kid` writes, all read."""

    purpose: str
    kid: int
    kind: Kind = "key"

    @property
    def file_name(self) -> str:
        return f"{self.purpose}-{self.kid}.{self.kind}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    name: KeyName
    material: bytes = field(repr=False)


def name_of(file_name: str) -> KeyName | None:
    match = _NAME.fullmatch(file_name)
    if match is None or int(match[2]) > LARGEST_KEY_ID:
        return None
    return KeyName(purpose=match[1], kid=int(match[2]), kind="ed25519" if match[3] == "ed25519" else "key")


def create_key(directory: Path, name: KeyName, *, mode: int = OWNER_ONLY) -> bool:
    """Leave a whole, new key file, or the one that was there: then false. Two at once are safe."""
    if name_of(name.file_name) != name:
        raise BadKeyFile(f"{name.file_name}: a key's name is <purpose>-<number>.key or .ed25519")
    return _place(directory, name, _random_material(), mode=mode)


def copy_key(source: Path, target: Path, name: KeyName, *, mode: int = OWNER_ONLY) -> bool:
    """Give the same key to another directory; false where it has one of that name. Raises BadKeyFile."""
    return _place(target, name, _read(source / name.file_name, private=False).material, mode=mode)


def _place(directory: Path, name: KeyName, material: bytes, *, mode: int) -> bool:
    target, beside = directory / name.file_name, directory / f".{name.file_name}.{secrets.token_hex(8)}"
    text = base64.b64encode(material).decode("ascii") + "\n"
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="ascii") as file:
        os.fchmod(file.fileno(), mode)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(beside, target)  # unlike a rename, never over a key that is in use
    except FileExistsError:
        return False
    finally:
        beside.unlink()
    _sync(directory)
    return True


def destroy_key(directory: Path, name: KeyName) -> bool:
    """Whether there was one. What it has encrypted is gone with it, in every copy of the database."""
    hidden = directory / f".{name.file_name}.{secrets.token_hex(8)}"
    try:
        (directory / name.file_name).rename(hidden)
    except FileNotFoundError:
        return False
    with hidden.open("r+b", buffering=0) as file:
        file.write(secrets.token_bytes(os.fstat(file.fileno()).st_size))
        os.fsync(file.fileno())
    hidden.unlink()
    _sync(directory)
    return True


def read_keys(directory: Path, *, private: bool) -> tuple[Key, ...]:
    """Every key of a directory. Raises BadKeyFile; with `private`, also for a file that everybody may read."""
    try:
        entries = sorted(entry for entry in directory.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise BadKeyFile(f"the keys directory cannot be read: {error.strerror}") from None
    keys = tuple(_read(entry, private=private) for entry in entries if entry.suffix in {".key", ".ed25519"})
    _refuse_equals(keys)
    return keys


def _read(path: Path, *, private: bool) -> Key:
    name = name_of(path.name)
    if name is None:
        raise BadKeyFile(f"{path.name}: a key's name is <purpose>-<number>.key or .ed25519")
    try:
        with path.open("rb") as file:
            mode, text = os.fstat(file.fileno()).st_mode, file.read(LONGEST_FILE + 1)
    except OSError as error:
        raise BadKeyFile(f"{path.name}: cannot be read: {error.strerror}") from None
    if private and mode & 0o007:
        raise BadKeyFile(f"{path.name}: everybody on this machine may open it; take the rights of others away")
    try:
        material = base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        raise BadKeyFile(f"{path.name}: is not base64") from None
    if len(material) != KEY_BYTES:
        raise BadKeyFile(f"{path.name}: must hold {KEY_BYTES} bytes in base64")
    if _looks_made(material):
        raise BadKeyFile(f"{path.name}: is not random")
    return Key(name=name, material=material)


def _random_material() -> bytes:
    while _looks_made(material := secrets.token_bytes(KEY_BYTES)):
        pass
    return material


def _looks_made(material: bytes) -> bool:
    """Whether somebody typed, repeated or counted instead of drawing: text, few bytes, even steps."""
    steps = {(after - before) % 256 for before, after in pairwise(material)}
    few = min(len(set(material)), len(steps)) < FEWEST_DISTINCT_BYTES
    return few or _PRINTABLE.issuperset(material)


def _refuse_equals(keys: tuple[Key, ...]) -> None:
    seen: dict[bytes, str] = {}
    for key in keys:
        twin = seen.setdefault(key.material, key.name.file_name)
        if twin != key.name.file_name:
            raise BadKeyFile(f"{key.name.file_name}: equals {twin}; every key must be its own")


def _sync(directory: Path) -> None:
    """Let the directory's change survive a crash of the machine."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
