"""Signed checkpoints over the audit chain: whoever holds one notices any later change to what it covers."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol, cast

import orjson
from psycopg.rows import class_row

from shared.audit.canonical import canonical
from shared.audit.merkle import root_of
from shared.audit.records import GENESIS, Record, checked, instant, list_records
from shared.crypto import Signature
from shared.database import Connection, Pool, transaction

PURPOSE: Final = "audit"
MOST_RECORDS: Final = 20_000  # under one checkpoint; a busy hour makes several
LOCK: Final = 0x41756469  # one maker of checkpoints at a time in a database


class Signer(Protocol):
    def sign(self, purpose: str, data: bytes) -> Signature: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    number: int
    first_seq: int
    last_seq: int
    document: str
    key_id: int
    signature: bytes

    @property
    def head(self) -> bytes:
        return bytes.fromhex(orjson.loads(self.document)["head"])

    def as_file(self) -> bytes:
        return canonical({"document": self.document, "key_id": self.key_id, "signature": self.signature.hex()}) + b"\n"


def make_checkpoints(pool: Pool, signer: Signer, *, chain: str, now: datetime) -> int:
    """Sign over all records that no checkpoint covers yet; return how many checkpoints that took.

    Raises ChainBroken instead of signing what has been tampered with. Two at a time do no harm.
    """
    made = 0
    while _make_one(pool, signer, chain=chain, now=now):
        made += 1
    return made


def _make_one(pool: Pool, signer: Signer, *, chain: str, now: datetime) -> bool:
    with transaction(pool) as connection:
        if connection.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK]).fetchone() != (True,):
            return False
        last = find_last(connection)
        after_seq, after_hash = (last.last_seq, last.head) if last else (0, GENESIS)
        records = list_records(connection, first=after_seq + 1, last=after_seq + MOST_RECORDS)
        if not records:
            return False
        covered = list(checked(records, after_seq=after_seq, after_hash=after_hash))
        _insert(connection, _sign(signer, covered, last=last, chain=chain, now=now), made_at=now)
    return True


def _sign(signer: Signer, records: list[Record], *, last: Checkpoint | None, chain: str, now: datetime) -> Checkpoint:
    number = last.number + 1 if last else 1
    first_seq, last_seq = records[0].seq, records[-1].seq
    document = canonical(
        {
            "version": 1,
            "chain": chain,
            "number": number,
            "at": instant(now),
            "first_seq": first_seq,
            "last_seq": last_seq,
            "head": records[-1].hash.hex(),
            "root": root_of(record.hash for record in records).hex(),
            "previous": hashlib.sha256(last.document.encode() if last else b"").hexdigest(),
        }
    )
    signature = signer.sign(PURPOSE, document)
    return Checkpoint(
        number=number,
        first_seq=first_seq,
        last_seq=last_seq,
        document=document.decode(),
        key_id=signature.kid,
        signature=signature.value,
    )


def find_last(connection: Connection) -> Checkpoint | None:
    with connection.cursor(row_factory=class_row(Checkpoint)) as cursor:
        return cursor.execute(
            """
            SELECT number, first_seq, last_seq, document, key_id, signature
              FROM audit_checkpoint
             ORDER BY number DESC
             LIMIT 1
            """
        ).fetchone()


def find_last_made_at(connection: Connection) -> datetime | None:
    row = connection.execute("SELECT max(made_at) FROM audit_checkpoint").fetchone()
    return cast("datetime | None", row[0]) if row else None


def find_unexported(connection: Connection) -> Checkpoint | None:
    """The oldest that does not lie in the files yet, on the partial index audit_checkpoint_unexported."""
    with connection.cursor(row_factory=class_row(Checkpoint)) as cursor:
        return cursor.execute(
            """
            SELECT number, first_seq, last_seq, document, key_id, signature
              FROM audit_checkpoint
             WHERE exported_at IS NULL
             ORDER BY number
             LIMIT 1
            """
        ).fetchone()


def set_exported(connection: Connection, number: int, *, exported_at: datetime) -> None:
    connection.execute(
        "UPDATE audit_checkpoint SET exported_at = %s WHERE number = %s AND exported_at IS NULL", [exported_at, number]
    )


def _insert(connection: Connection, checkpoint: Checkpoint, *, made_at: datetime) -> None:
    connection.execute(
        """
        INSERT INTO audit_checkpoint (number, first_seq, last_seq, document, key_id, signature, made_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s)
        """,
        [
            checkpoint.number,
            checkpoint.first_seq,
            checkpoint.last_seq,
            checkpoint.document,
            checkpoint.key_id,
            checkpoint.signature,
            made_at,
        ],
    )
