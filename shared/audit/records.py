"""Audit records as they lie in the table: read, checked and written as lines of a file."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg.rows import class_row

from shared.audit.canonical import canonical
from shared.database import Connection

GENESIS: Final = bytes(32)


class ChainBroken(Exception):
    """A record does not follow from the one before it; the message names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    seq: int
    prev_hash: bytes
    hash: bytes
    at: datetime
    account_id: UUID | None
    actor: str
    role: str
    organisation: str | None
    action: str
    object_type: str | None
    object_id: str | None
    decision: str
    reason: str | None
    correlation_id: str
    details: dict[str, Any]

    def as_document(self) -> dict[str, Any]:
        """What the hash covers: everything but the two hashes."""
        document = asdict(self)
        del document["prev_hash"], document["hash"]
        document["at"] = instant(self.at)
        document["account_id"] = str(self.account_id) if self.account_id else None
        return document

    def as_line(self) -> bytes:
        hashes = {"prev_hash": self.prev_hash.hex(), "hash": self.hash.hex()}
        return canonical({**self.as_document(), **hashes}) + b"\n"


def instant(at: datetime) -> str:
    """In UTC, always with six digits behind the second. The sessions' time zone is UTC."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def list_records(connection: Connection, *, first: int, last: int) -> list[Record]:
    with connection.cursor(row_factory=class_row(Record)) as cursor:
        return cursor.execute(
            """
            SELECT seq, prev_hash, hash, at, account_id, actor, role, organisation, action, object_type, object_id,
                   decision, reason, correlation_id, details
              FROM audit_record
             WHERE seq BETWEEN %s AND %s
             ORDER BY seq
            """,
            [first, last],
        ).fetchall()


def checked(records: Iterable[Record], *, after_seq: int, after_hash: bytes) -> Iterator[Record]:
    """The same records, each found to follow from the one before it. Raises ChainBroken."""
    for record in records:
        after_seq += 1
        if record.seq != after_seq:
            raise ChainBroken(f"audit record {after_seq} is missing")
        if record.prev_hash != after_hash:
            raise ChainBroken(f"audit record {record.seq} does not follow from the one before it")
        if hashlib.sha256(after_hash + canonical(record.as_document())).digest() != record.hash:
            raise ChainBroken(f"audit record {record.seq} was altered")
        after_hash = record.hash
        yield record


def lines_of(records: Sequence[Record]) -> bytes:
    return b"".join(record.as_line() for record in records)
