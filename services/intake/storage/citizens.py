"""Citizens, their keys and their handles in the database. Everything in here is sealed or keyed by who calls."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, ClassVar, Literal, Protocol, TypeVar
from uuid import UUID

import orjson
from psycopg import sql
from psycopg.rows import class_row

from services.intake.domain.citizens import CitizenState, HandleKind, IdKind
from shared.database import Connection
from shared.errors import NotFound

ReachKind = Literal["system", "scoped"]
LOCK_CLASS = 0x6369  # advisory locks of handles: 256 of them, so that a batch of thousands holds no more


class CitizenNotFound(NotFound):
    code = "citizen-not-found"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundHandle:
    kind: HandleKind
    digest: bytes
    citizen_ref: UUID
    wrapped: bytes
    has_id_number: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedCitizen:
    ref: UUID
    state: CitizenState
    name: bytes | None
    phone: bytes | None
    id_number: bytes | None
    id_kind: IdKind | None
    address: bytes | None
    recorded_at: datetime
    restricted_at: datetime | None
    review_on: date | None
    erased_at: datetime | None
    wrapped: bytes | None


class Record(Protocol):
    """What is kept of a citizen with an issue or a contact; name and phone are at first those that it told itself."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def citizen_ref(self) -> UUID | None: ...
    @property
    def is_told_apart(self) -> bool: ...


AnyRecord = TypeVar("AnyRecord", bound=Record)


@contextmanager
def elevated(connection: Connection) -> Iterator[None]:
    """Let some statements see every row: to find the citizen whom another organisation has met before.

    What they return must not leave intake's own code. An exception ends the transaction, and the reach with it.
    """
    with reaching(connection, "system"):
        yield


@contextmanager
def reaching(connection: Connection, kind: ReachKind) -> Iterator[None]:
    """Let some statements see what this kind of reach sees; within `elevated`, what the sender's own does."""
    row = connection.execute("SELECT coalesce(current_setting('lianxin.reach', true), '')").fetchone()
    connection.execute("SELECT set_config('lianxin.reach', %s, true)", [kind])
    yield
    connection.execute("SELECT set_config('lianxin.reach', %s, true)", [row[0] if row else ""])


def lock_handles(connection: Connection, buckets: Sequence[int]) -> None:
    """Wait for transactions that settle the same handles; in order, so that two batches cannot deadlock."""
    connection.execute(
        "SELECT pg_advisory_xact_lock(%s, bucket) FROM unnest(%s::integer[]) AS bucket",
        [LOCK_CLASS, sorted(set(buckets))],
    )


def list_by_handles(connection: Connection, digests: Sequence[bytes]) -> list[FoundHandle]:
    """List who can be found so, on the primary key of citizen_handle; the longest known first."""
    with connection.cursor(row_factory=class_row(FoundHandle)) as cursor:
        return cursor.execute(
            """
            SELECT handle.kind, handle.digest, handle.citizen_ref, citizen_key.wrapped,
                   citizen.id_number IS NOT NULL AS has_id_number
              FROM citizen_handle AS handle
              JOIN citizen ON citizen.ref = handle.citizen_ref AND citizen.state = 'active'
              JOIN citizen_key ON citizen_key.citizen_ref = handle.citizen_ref
             WHERE handle.digest = ANY(%s)
             ORDER BY citizen.recorded_at, citizen.ref
            """,
            [list(digests)],
        ).fetchall()


def list_known_elsewhere(connection: Connection, refs: Sequence[UUID]) -> set[UUID]:
    """List those with an issue or a contact that is not seen here, on the indexes issue_citizen and contact_citizen."""
    rows = connection.execute(
        """
        SELECT ref
          FROM unnest(%s::uuid[]) AS ref
         WHERE has_records_beyond(ref, (SELECT count(*) FROM issue WHERE issue.citizen_ref = ref)
                                     + (SELECT count(*) FROM contact WHERE contact.citizen_ref = ref))
        """,
        [list(refs)],
    )
    return {row[0] for row in rows}  # type: ignore[misc] # psycopg types a row as a tuple of objects


def insert_citizens(
    connection: Connection,
    rows: Sequence[Mapping[str, Any]],
    handles: Sequence[Mapping[str, Any]],
    *,
    recorded_at: datetime,
) -> None:
    """Enter citizens with their keys, and handles of these or of others, in one statement."""
    connection.execute(
        """
        WITH item AS (
            SELECT ref, name, phone, id_number, id_kind, address, wrapped, epoch
              FROM json_to_recordset(%s::json)
                AS row (ref uuid, name bytea, phone bytea, id_number bytea, id_kind text, address bytea,
                        wrapped bytea, epoch integer)
        ), made AS (
            INSERT INTO citizen (ref, state, name, phone, id_number, id_kind, address, recorded_at)
            SELECT ref, 'active', name, phone, id_number, id_kind, address, %s FROM item
        ), keyed AS (
            INSERT INTO citizen_key (citizen_ref, epoch, wrapped) SELECT ref, epoch, wrapped FROM item
        )
        INSERT INTO citizen_handle (kind, digest, citizen_ref)
        SELECT kind, digest, citizen_ref
          FROM json_to_recordset(%s::json) AS row (kind text, digest bytea, citizen_ref uuid)
            ON CONFLICT DO NOTHING
        """,
        [orjson.dumps(rows).decode(), recorded_at, orjson.dumps(handles).decode()],
    )


def set_details(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write what a citizen told anew; what was not told this time stays."""
    if not rows:
        return
    connection.execute(
        """
        UPDATE citizen
           SET name = coalesce(item.name, citizen.name), phone = coalesce(item.phone, citizen.phone),
               id_number = coalesce(item.id_number, citizen.id_number),
               id_kind = coalesce(item.id_kind, citizen.id_kind), address = coalesce(item.address, citizen.address)
          FROM json_to_recordset(%s::json)
            AS item (ref uuid, name bytea, phone bytea, id_number bytea, id_kind text, address bytea)
         WHERE citizen.ref = item.ref
        """,
        [orjson.dumps(rows).decode()],
    )


def set_told(connection: Connection, kind: Literal["issue", "contact"], rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep with some records what they told and nobody took over."""
    if not rows:
        return
    query = sql.SQL(
        """
        UPDATE {record}
           SET is_told_apart = true, told_name = item.name, told_phone = item.phone
          FROM json_to_recordset(%s::json) AS item (id uuid, name bytea, phone bytea)
         WHERE {record}.id = item.id
        """
    )
    connection.execute(query.format(record=sql.Identifier(kind)), [orjson.dumps(rows).decode()])


def get_told(connection: Connection, citizen_ref: UUID) -> tuple[bytes | None, bytes | None]:
    """Return name and phone as the records within reach tell them: the citizen's own, unless all told others."""
    row = connection.execute(
        """
        SELECT CASE WHEN record.is_told_apart THEN record.told_name ELSE citizen.name END,
               CASE WHEN record.is_told_apart THEN record.told_phone ELSE citizen.phone END
          FROM citizen
          JOIN (SELECT citizen_ref, is_told_apart, told_name, told_phone, recorded_at
                  FROM issue
                 UNION ALL
                SELECT citizen_ref, is_told_apart, told_name, told_phone, recorded_at
                  FROM contact) AS record ON record.citizen_ref = citizen.ref
         WHERE citizen.ref = %s
         ORDER BY record.is_told_apart, record.recorded_at DESC
         LIMIT 1
        """,
        [citizen_ref],
    ).fetchone()
    return (row[0], row[1]) if row else (None, None)  # type: ignore[return-value] # psycopg types a row as objects


def with_citizen(connection: Connection, record: AnyRecord) -> AnyRecord:
    """Return the record with name, phone and key of its citizen, where there is one who may be shown.

    A statement of its own: what the policies ask about a citizen is prepared with every statement that names the
    table. In one with the record it took three quarters of the time, also where the record names nobody.
    """
    if record.citizen_ref is None:
        return record
    row = connection.execute(
        """
        SELECT citizen.name, citizen.phone, citizen_key.wrapped
          FROM citizen
          LEFT JOIN citizen_key ON citizen_key.citizen_ref = citizen.ref
         WHERE citizen.ref = %s AND citizen.state = 'active'
        """,
        [record.citizen_ref],
    ).fetchone()
    name, phone, key = row or (None, None, None)
    told = {} if record.is_told_apart and row is not None else {"citizen_name": name, "citizen_phone": phone}
    return replace(record, citizen_key=key, **told)


def delete_citizens(connection: Connection, refs: Sequence[UUID]) -> None:
    """Take back citizens whom no record that was accepted names."""
    if refs:
        connection.execute("DELETE FROM citizen WHERE ref = ANY(%s)", [list(refs)])


def get_citizen(connection: Connection, citizen_ref: UUID) -> SealedCitizen:
    """Raises CitizenNotFound; for whoever is not within reach as well, and for restricted ones outside `elevated`."""
    with connection.cursor(row_factory=class_row(SealedCitizen)) as cursor:
        citizen = cursor.execute(
            """
            SELECT citizen.ref, citizen.state, citizen.name, citizen.phone, citizen.id_number, citizen.id_kind,
                   citizen.address, citizen.recorded_at, citizen.restricted_at, citizen.review_on, citizen.erased_at,
                   citizen_key.wrapped
              FROM citizen
              LEFT JOIN citizen_key ON citizen_key.citizen_ref = citizen.ref
             WHERE citizen.ref = %s
            """,
            [citizen_ref],
        ).fetchone()
    if citizen is None:
        raise CitizenNotFound("there is no such citizen")
    return citizen
