"""Encrypting, keyed hashing and signing with keys from a directory; what each key is for is its purpose."""

import hmac
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shared.ciphers import HEADER, MAC_BYTES, Algorithm, SymmetricKey, Undecipherable, header_of
from shared.keyfiles import BadKeyFile, Key, read_keys
from shared.observability import get_logger
from shared.settings import UnsafeSetting

LOOK_EVERY_SECONDS: Final = 2.0
DATA_KEY_ID: Final = 0  # a wrapped data key has no number of its own: the row that it lies in says whose it is

log = get_logger()


class UnknownKey(Undecipherable):
    """Nothing of this purpose and number lies in the keys directory: never there, or destroyed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    kid: int
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Keys:
    symmetric: dict[str, dict[int, SymmetricKey]] = field(default_factory=dict)
    signing: dict[str, dict[int, Ed25519PrivateKey]] = field(default_factory=dict)


class CryptoProvider(Protocol):
    """What the suite asks of whoever keeps its keys. The seam for a key service or a hardware module."""

    def encrypt(self, purpose: str, *, aad: bytes, data: bytes) -> bytes: ...
    def encrypt_all(self, purpose: str, items: Sequence[tuple[bytes, bytes]]) -> list[bytes]: ...
    def decrypt(self, purpose: str, *, aad: bytes, data: bytes) -> bytes: ...
    def wrap(self, purpose: str, key: bytes, *, aad: bytes, kid: int | None = None) -> bytes: ...
    def unwrap(self, purpose: str, wrapped: bytes, *, aad: bytes) -> bytes: ...
    def mac(self, purpose: str, data: bytes) -> bytes: ...
    def all_macs(self, purpose: str, data: bytes) -> list[bytes]: ...
    def is_mac(self, purpose: str, data: bytes, mac: bytes) -> bool: ...
    def sign(self, purpose: str, data: bytes) -> Signature: ...
    def verify(self, purpose: str, data: bytes, signature: Signature) -> bool: ...


class KeyRing:
    """The keys of a directory, which it looks at again when it has changed: rotation needs no restart."""

    def __init__(
        self,
        directory: Path,
        *,
        cipher: Algorithm = "aes256gcm",
        private: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises UnsafeSetting for a directory that holds a bad key; `private` also minds who may open the files."""
        self.cipher: Algorithm = cipher
        self.directory = directory
        self._private = private
        self._monotonic = monotonic
        self._lock = Lock()
        self._looked_at = monotonic()
        self._seen = _listing(directory)
        try:
            self._keys = _load(directory, private=private)
        except BadKeyFile as error:
            raise UnsafeSetting(f"refusing to start: keys_directory: {error}") from None

    def require(self, *, symmetric: Iterable[str] = (), signing: Iterable[str] = ()) -> None:
        """Raises UnsafeSetting naming the purposes for which there is no key."""
        missing = [f"{purpose}-1.key" for purpose in symmetric if purpose not in self._keys.symmetric]
        missing += [f"{purpose}-1.ed25519" for purpose in signing if purpose not in self._keys.signing]
        if missing:
            raise UnsafeSetting(f"refusing to start: keys_directory: has no {', '.join(missing)}")

    def encrypt(self, purpose: str, *, aad: bytes, data: bytes) -> bytes:
        return self.current(purpose).encrypt(aad=aad, data=data, algorithm=self.cipher)

    def encrypt_all(self, purpose: str, items: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
        return self.current(purpose).encrypt_all(items, algorithm=self.cipher)

    def decrypt(self, purpose: str, *, aad: bytes, data: bytes) -> bytes:
        """Raises Undecipherable for anything altered, moved, or sealed with a key that is not here any more."""
        return self.key(purpose, header_of(data)[1]).decrypt(aad=aad, data=data)

    def new_data_key(self) -> bytes:
        return os.urandom(32)

    def wrap(self, purpose: str, key: bytes, *, aad: bytes, kid: int | None = None) -> bytes:
        """Seal a data key, under the current key or the one named."""
        under = self.current(purpose) if kid is None else self.key(purpose, kid)
        return under.encrypt(aad=b"wrapped|" + aad, data=key, algorithm=self.cipher)

    def unwrap(self, purpose: str, wrapped: bytes, *, aad: bytes) -> bytes:
        return self.key(purpose, header_of(wrapped)[1]).decrypt(aad=b"wrapped|" + aad, data=wrapped)

    def mac(self, purpose: str, data: bytes) -> bytes:
        return self.current(purpose).mac(data, algorithm=self.cipher)

    def all_macs(self, purpose: str, data: bytes) -> list[bytes]:
        """What `mac` gives or ever gave for these bytes under the keys that are left: to look a value up by."""
        keys = self._of(purpose).values()
        return [key.mac(data, algorithm=algorithm) for key in keys for algorithm in ("aes256gcm", "sm4gcm")]

    def is_mac(self, purpose: str, data: bytes, mac: bytes) -> bool:
        """In constant time for any mac of a key that we have; false, not an error, for all others."""
        try:
            algorithm, kid = header_of(mac)
            expected = self.key(purpose, kid).mac(data, algorithm=algorithm)
        except Undecipherable:
            return False
        return len(mac) == HEADER.size + MAC_BYTES and hmac.compare_digest(expected, mac)

    def sign(self, purpose: str, data: bytes) -> Signature:
        keys = self._signing(purpose)
        kid = max(keys)
        return Signature(kid=kid, value=keys[kid].sign(data))

    def verify(self, purpose: str, data: bytes, signature: Signature) -> bool:
        try:
            public = self.signing_key(purpose, signature.kid).public_key()
        except UnknownKey:
            return False
        return verify_with(public.public_bytes_raw(), data, signature.value)

    def public_keys(self, purpose: str) -> dict[int, bytes]:
        """The raw public keys by number, for whoever verifies elsewhere."""
        return {kid: key.public_key().public_bytes_raw() for kid, key in self._signing(purpose).items()}

    def signing_key(self, purpose: str, kid: int | None = None) -> Ed25519PrivateKey:
        keys = self._signing(purpose)
        try:
            return keys[max(keys) if kid is None else kid]
        except KeyError:
            raise UnknownKey(f"there is no key {purpose}-{kid}.ed25519") from None

    def current(self, purpose: str) -> SymmetricKey:
        keys = self._of(purpose)
        return keys[max(keys)]

    def first(self, purpose: str) -> SymmetricKey:
        """The oldest: of what is never renewed, the one that there is."""
        keys = self._of(purpose)
        return keys[min(keys)]

    def key(self, purpose: str, kid: int) -> SymmetricKey:
        found = self._of(purpose).get(kid)
        if found is None:
            self._look_again()
            found = self._of(purpose).get(kid)
        if found is None:
            raise UnknownKey(f"there is no key {purpose}-{kid}.key")
        return found

    def key_ids(self, purpose: str) -> list[int]:
        return sorted(self._of(purpose))

    def refresh(self) -> None:
        """Look into the directory now."""
        self._look_again()

    def _of(self, purpose: str) -> dict[int, SymmetricKey]:
        self._look_if_due()
        keys = self._keys.symmetric.get(purpose)
        if not keys:
            raise UnknownKey(f"there is no key for {purpose}")
        return keys

    def _signing(self, purpose: str) -> dict[int, Ed25519PrivateKey]:
        self._look_if_due()
        keys = self._keys.signing.get(purpose)
        if not keys:
            raise UnknownKey(f"there is no signing key for {purpose}")
        return keys

    def _look_if_due(self) -> None:
        if self._monotonic() - self._looked_at >= LOOK_EVERY_SECONDS:
            self._look_again()

    def _look_again(self) -> None:
        """A directory that has turned bad meanwhile changes nothing: we go on with the keys that we have."""
        with self._lock:
            self._looked_at = self._monotonic()
            seen = _listing(self.directory)
            if seen == self._seen:
                return
            try:
                self._keys = _load(self.directory, private=self._private)
                self._seen = seen
            except BadKeyFile as error:
                log.error("keys_unreadable", reason=str(error))  # noqa: TRY400 - the reason says it all


def data_key(material: bytes, *, kid: int = DATA_KEY_ID) -> SymmetricKey:
    """A data key in use. The wrapped form lies beside the data, so its number only tells kinds of data keys apart."""
    return SymmetricKey(material, kid=kid, context="data")


def verify_with(public_key: bytes, data: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def _load(directory: Path, *, private: bool) -> _Keys:
    keys = _Keys()
    for key in read_keys(directory, private=private):
        _add(keys, key)
    return keys


def _add(keys: _Keys, key: Key) -> None:
    purpose, kid = key.name.purpose, key.name.kid
    if key.name.kind == "ed25519":
        keys.signing.setdefault(purpose, {})[kid] = Ed25519PrivateKey.from_private_bytes(key.material)
    else:
        keys.symmetric.setdefault(purpose, {})[kid] = SymmetricKey(key.material, kid=kid, context=purpose)


def _listing(directory: Path) -> frozenset[tuple[str, int]]:
    try:
        return frozenset((entry.name, entry.inode()) for entry in os.scandir(directory))
    except OSError:
        return frozenset()
