"""What intake encrypts, under which key and bound to which place; and its keyed digests."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from services.intake import metrics
from shared.ciphers import MAC_BYTES, SymmetricKey, Undecipherable, header_of
from shared.crypto import DATA_KEY_ID, KeyRing, data_key

Table = Literal[
    "bulk_reveal",
    "career_line",
    "citizen",
    "citizen_message",
    "contact",
    "contact_version",
    "filing",
    "filing_update",
    "idempotency_key",
    "issue",
    "issue_step",
    "opinion",
    "proposal",
    "suggestion_decision",
    "rating_case",
    "rating_comment",
    "reception_booking",
    "roster_candidate",
    "reveal",
]

EPOCH: Final = "epoch"  # wraps the citizens' keys, one a month
TEXT: Final = "text"  # seals the texts that belong to no known citizen, one a month
INDEX: Final = "index"  # finds citizens again
REPEATS: Final = "repeats"  # tells repeats from changes; never renewed, or everything would look changed
PURPOSES: Final = (EPOCH, TEXT, INDEX, REPEATS)
DIGEST_BYTES: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key made for one citizen, and how it is stored."""

    key: SymmetricKey
    wrapped: bytes
    epoch: int


class Vault:
    """Everything that intake does with keys. One a process."""

    def __init__(self, ring: KeyRing) -> None:
        ring.require(symmetric=PURPOSES)
        self.ring = ring

    def seal(self, table: Table, column: str, row_id: UUID, text: str, key: SymmetricKey | None = None) -> bytes:
        """Seal for one column of one row: under the citizen's key, or the month's where no citizen is known."""
        if key is None:
            return self.ring.encrypt(TEXT, aad=_place(table, column, row_id), data=text.encode())
        return key.encrypt(aad=_place(table, column, row_id), data=text.encode(), algorithm=self.ring.cipher)

    def seal_all(
        self, table: Table, column: str, row_ids: Sequence[str], texts: Sequence[str | None]
    ) -> list[bytes | None]:
        """Seal for one column of many rows, told by their ids' 32 digits; of no text there is nothing to seal."""
        begin, end = f"{table}|{column}|".encode(), b"|text"  # as _place has it of every table but one
        told = [place for place, text in enumerate(texts) if text is not None]
        items = [(begin + row_ids[place].encode() + end, (texts[place] or "").encode()) for place in told]
        sealed: list[bytes | None] = [None] * len(texts)
        for place, data in zip(told, self.ring.encrypt_all(TEXT, items), strict=True):
            sealed[place] = data
        return sealed

    def seal_if(
        self, table: Table, column: str, row_id: UUID, text: str | None, key: SymmetricKey | None = None
    ) -> str | None:
        """The text that PostgreSQL reads as bytea; of no text there is nothing to seal."""
        return None if text is None else "\\x" + self.seal(table, column, row_id, text, key).hex()

    def open(
        self, table: Table, column: str, row_id: UUID, sealed: bytes | None, key: SymmetricKey | None
    ) -> str | None:
        """None where nothing was sealed, or the citizen's key is out of reach or destroyed. Raises Undecipherable."""
        if sealed is None:
            return None
        with _counted():
            if header_of(sealed)[1] != DATA_KEY_ID:
                return self.ring.decrypt(TEXT, aad=_place(table, column, row_id), data=sealed).decode()
            return None if key is None else key.decrypt(aad=_place(table, column, row_id), data=sealed).decode()

    def new_key(self, citizen_ref: UUID) -> NewKey:
        material = self.ring.new_data_key()
        epoch = self.ring.current(EPOCH).kid
        wrapped = self.ring.wrap(EPOCH, material, aad=_key_place(citizen_ref), kid=epoch)
        return NewKey(key=data_key(material), wrapped=wrapped, epoch=epoch)

    def open_key(self, citizen_ref: UUID, wrapped: bytes | None) -> SymmetricKey | None:
        return None if wrapped is None else data_key(self._unwrap(citizen_ref, wrapped))

    def rewrap(self, citizen_ref: UUID, wrapped: bytes, epoch: int) -> bytes:
        return self.ring.wrap(EPOCH, self._unwrap(citizen_ref, wrapped), aad=_key_place(citizen_ref), kid=epoch)

    def _unwrap(self, citizen_ref: UUID, wrapped: bytes) -> bytes:
        with _counted():
            return self.ring.unwrap(EPOCH, wrapped, aad=_key_place(citizen_ref))

    def handle(self, kind: str, value: str) -> bytes:
        return self.ring.mac(INDEX, f"{kind}|{value}".encode())

    def handles(self, kind: str, value: str) -> list[bytes]:
        """The handle as it is or ever was written; the first is always the same, whatever is written today."""
        return self.ring.all_macs(INDEX, f"{kind}|{value}".encode())

    def keyed(self, digest: bytes) -> bytes:
        """A digest of content that nobody can guess contents for who lacks the key."""
        return self.keyed_all([digest])[0]

    def keyed_all(self, digests: Sequence[bytes]) -> list[bytes]:
        mac = self.ring.first(REPEATS).mac
        return [mac(digest, algorithm="aes256gcm")[-MAC_BYTES:][:DIGEST_BYTES] for digest in digests]


@contextmanager
def _counted() -> Iterator[None]:
    """Somebody changed the database below us, or a key is missing: that must be seen."""
    try:
        yield
    except Undecipherable:
        metrics.undecipherable_total.inc()
        raise


def _place(table: Table, column: str, row_id: UUID) -> bytes:
    return f"{table}|{column}|{row_id.hex}|{'identity' if table == 'citizen' else 'text'}".encode()


def _key_place(citizen_ref: UUID) -> bytes:
    return f"citizen_key|wrapped|{citizen_ref.hex}|key".encode()


def month_of(now: datetime) -> int:
    """The number of the keys that are written with from this instant on."""
    return now.year * 100 + now.month


@dataclass(slots=True)
class _Wiring:
    """The vault of this process. It is there once the process has opened it: nothing happens at import."""

    vault: Vault | None = None


_wiring = _Wiring()


def use(vault: Vault | None) -> None:
    _wiring.vault = vault


def vault() -> Vault:
    if _wiring.vault is None:
        raise RuntimeError("use() must run before anything is sealed or opened")
    return _wiring.vault
