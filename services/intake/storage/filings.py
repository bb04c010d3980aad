"""What came in over Open311, what the public sees of it, and the keys it is filed with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import class_row

from services.intake.domain.filings import PublicState, RequestQuery
from shared.database import Connection
from shared.errors import NotFound


class FilingNotFound(NotFound):
    code = "filing-not-found"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicRequest:
    """A row of the view `public_request`. The notes are what an officer released, still sealed."""

    id: UUID
    service_code: str
    requested_at: datetime
    expected_at: datetime | None
    responded_at: datetime | None
    closed_at: datetime | None
    outcome: str | None
    updated_at: datetime
    agency: str | None
    latitude: Decimal | None
    longitude: Decimal | None
    notes_sealed: bytes | None

    @property
    def state(self) -> PublicState:
        return "open" if self.closed_at is None else "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedFiling:
    issue_id: UUID
    service_code: str
    is_public: bool
    changed_at: datetime
    details_sealed: bytes | None = field(repr=False)
    notes_sealed: bytes | None = field(repr=False)
    version: int
    citizen_ref: UUID | None
    citizen_key: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedUpdate:
    id: UUID
    status: PublicState
    told_at: datetime
    text_sealed: bytes = field(repr=False)


def insert_filings(connection: Connection, rows: Sequence[Mapping[str, Any]], *, changed_at: datetime) -> None:
    connection.execute(
        """
        INSERT INTO filing (issue_id, account_id, service_code, latitude, longitude, is_public, details_sealed,
                            changed_at)
        SELECT issue_id, account_id, service_code, round(latitude, 2), round(longitude, 2), is_public, details_sealed,
               %s
          FROM json_to_recordset(%s::json)
            AS item (issue_id uuid, account_id uuid, service_code text, latitude numeric, longitude numeric,
                     is_public boolean, details_sealed bytea)
        """,
        [changed_at, orjson.dumps(rows).decode()],
    )


def list_public(connection: Connection, query: RequestQuery) -> list[PublicRequest]:
    """List what is public, the newest first. On the primary key, or on issue_received."""
    with connection.cursor(row_factory=class_row(PublicRequest)) as cursor:
        return cursor.execute(
            """
            SELECT id, service_code, requested_at, expected_at, responded_at, closed_at, outcome, updated_at, agency,
                   latitude, longitude, notes_sealed
              FROM public_request
             WHERE (%(ids)s::uuid[] IS NULL OR id = ANY(%(ids)s))
               AND requested_at BETWEEN %(start)s AND %(end)s
               AND (%(codes)s::text[] = '{}' OR service_code = ANY(%(codes)s))
               AND (%(states)s::text[] = '{}'
                    OR CASE WHEN closed_at IS NULL THEN 'open' ELSE 'closed' END = ANY(%(states)s))
             ORDER BY requested_at DESC, id
            OFFSET %(offset)s
             LIMIT %(limit)s
            """,
            {
                "ids": list(query.ids) if query.ids is not None else None,
                "start": query.start,
                "end": query.end,
                "codes": list(query.service_codes),
                "states": list(query.states),
                "offset": query.offset,
                "limit": query.limit,
            },
        ).fetchall()


def list_publicly_changed(
    connection: Connection, *, start: datetime, end: datetime, offset: int, limit: int
) -> list[PublicRequest]:
    """List what is public and changed then, in the order of the changes."""
    with connection.cursor(row_factory=class_row(PublicRequest)) as cursor:
        return cursor.execute(
            """
            SELECT id, service_code, requested_at, expected_at, responded_at, closed_at, outcome, updated_at, agency,
                   latitude, longitude, notes_sealed
              FROM public_request
             WHERE updated_at BETWEEN %s AND %s
             ORDER BY updated_at, id
            OFFSET %s
             LIMIT %s
            """,
            [start, end, offset, limit],
        ).fetchall()


def get_filing(connection: Connection, issue_id: UUID) -> SealedFiling:
    """Raises FilingNotFound."""
    with connection.cursor(row_factory=class_row(SealedFiling)) as cursor:
        found = cursor.execute(
            """
            SELECT filing.issue_id, filing.service_code, filing.is_public, filing.changed_at, filing.details_sealed,
                   filing.notes_sealed, filing.version, issue.citizen_ref, citizen_key.wrapped AS citizen_key
              FROM filing
              JOIN issue ON issue.id = filing.issue_id
              LEFT JOIN citizen_key ON citizen_key.citizen_ref = issue.citizen_ref
             WHERE filing.issue_id = %s
            """,
            [issue_id],
        ).fetchone()
    if found is None:
        raise FilingNotFound("there is no such issue, or it did not come in over Open311")
    return found


def is_filed_by(connection: Connection, issue_id: UUID, account_id: UUID) -> bool:
    row = connection.execute(
        "SELECT 1 FROM filing WHERE issue_id = %s AND account_id = %s", [issue_id, account_id]
    ).fetchone()
    return row is not None


def lock_version(connection: Connection, issue_id: UUID) -> int | None:
    row = connection.execute("SELECT version FROM filing WHERE issue_id = %s FOR UPDATE", [issue_id]).fetchone()
    return None if row is None else int(str(row[0]))


def set_publication(
    connection: Connection, issue_id: UUID, *, is_public: bool, notes_sealed: bytes | None, at: datetime
) -> bool:
    """Publish or withdraw an issue within reach that nobody is accused in. Whether there is one.

    One that did not come in over Open311 gets a filing of its own, under the account that publishes it.
    """
    changed = connection.execute(
        """
        INSERT INTO filing (issue_id, account_id, service_code, is_public, notes_sealed, changed_at)
        SELECT id, acting_account()::uuid, category, %(is_public)s, %(notes)s, %(at)s
          FROM issue
         WHERE id = %(id)s
           AND subject_id IS NULL
           AND type NOT IN ('complaint', 'report')
            ON CONFLICT (issue_id) DO UPDATE
           SET is_public = %(is_public)s, notes_sealed = %(notes)s, changed_at = %(at)s, version = filing.version + 1
        """,
        {"id": issue_id, "is_public": is_public, "notes": notes_sealed, "at": at},
    )
    return changed.rowcount == 1


def insert_update(connection: Connection, issue_id: UUID, update: SealedUpdate, *, recorded_at: datetime) -> None:
    """A repeat of the same id changes nothing."""
    connection.execute(
        """
        INSERT INTO filing_update (id, issue_id, status, text_sealed, told_at, recorded_at)
        VALUES (%s, %s, %s, %s, %s, %s)
            ON CONFLICT DO NOTHING
        """,
        [update.id, issue_id, update.status, update.text_sealed, update.told_at, recorded_at],
    )


def list_updates(connection: Connection, issue_id: UUID) -> list[SealedUpdate]:
    with connection.cursor(row_factory=class_row(SealedUpdate)) as cursor:
        return cursor.execute(
            """
            SELECT id, status, told_at, text_sealed
              FROM filing_update
             WHERE issue_id = %s
             ORDER BY told_at, id
             LIMIT 200
            """,
            [issue_id],
        ).fetchall()


def list_category_names(connection: Connection) -> dict[str, str | None]:
    """The categories that hold everywhere by code, with their names; None for one that is retired."""
    rows = connection.execute(
        "SELECT code, CASE WHEN is_retired THEN NULL ELSE name END FROM category WHERE organisation_id IS NULL"
    ).fetchall()
    return {str(code): None if name is None else str(name) for code, name in rows}


def put_key(connection: Connection, *, digest: bytes, account_id: UUID, client_id: str, made_at: datetime) -> None:
    """The client's key from now on; the one before ends."""
    connection.execute(
        """
        INSERT INTO filing_key (digest, account_id, client_id, made_at)
        VALUES (%(digest)s, %(account)s, %(client)s, %(at)s)
            ON CONFLICT (account_id) DO UPDATE
           SET digest = %(digest)s, client_id = %(client)s, made_at = %(at)s
        """,
        {"digest": digest, "account": account_id, "client": client_id, "at": made_at},
    )


def find_client_of(connection: Connection, digest: bytes) -> str | None:
    row = connection.execute("SELECT client_id FROM filing_key WHERE digest = %s", [digest]).fetchone()
    return None if row is None else str(row[0])
