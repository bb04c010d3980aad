"""What looks odd about contacts: finding it, and what a person said of it. Finding acts as the system."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import orjson
from psycopg import sql
from psycopg.rows import class_row

from services.intake.domain.sketches import ALIKE_LANES
from services.intake.storage.by_unit import Listed, Place, find_page
from shared.database import Connection

Signal = Literal["same_citizen_day", "staff_phone", "similar_note"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unexamined:
    id: UUID
    cadre_id: UUID
    occurred_at: datetime
    note_sealed: bytes | None = field(repr=False)
    citizen_ref: UUID | None
    citizen_key: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    contact_id: UUID
    signal: Signal
    other_contact_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What looks odd about a contact, with the contacts that it resembles, and what was decided."""

    contact_id: UUID
    signals: list[Signal]
    other_contact_ids: list[UUID]
    staff_number: str
    organisation_code: str | None
    kind: str
    occurred_at: datetime
    noted_at: datetime
    counts: bool
    decision: str | None
    decided_at: datetime | None
    decided_by: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Who would decide about themselves: who recorded a contact, and whose it is."""

    contact_id: UUID
    recorded_by: UUID | None
    staff_number: str


def lock_unexamined(connection: Connection, *, limit: int) -> list[Unexamined]:
    """On contact_unexamined."""
    with connection.cursor(row_factory=class_row(Unexamined)) as cursor:
        return cursor.execute(
            """
            SELECT contact.id, cadre_id, occurred_at, note_sealed, contact.citizen_ref,
                   citizen_key.wrapped AS citizen_key
              FROM contact
              LEFT JOIN citizen_key ON citizen_key.citizen_ref = contact.citizen_ref
             WHERE NOT is_examined
               AND source = 'lianxin'
             ORDER BY contact.id
             LIMIT %s
               FOR UPDATE OF contact SKIP LOCKED
            """,
            [limit],
        ).fetchall()


def insert_sketches(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    connection.execute(
        """
        INSERT INTO contact_sketch (contact_id, cadre_id, occurred_at, lanes)
        SELECT contact_id, cadre_id, occurred_at, lanes
          FROM json_to_recordset(%s::json)
            AS row (contact_id uuid, cadre_id uuid, occurred_at timestamptz, lanes bigint[])
            ON CONFLICT DO NOTHING
        """,
        [orjson.dumps(rows).decode()],
    )


def list_signs(connection: Connection, ids: Sequence[UUID]) -> list[Sign]:
    """What is odd about these: the same cadre met the same citizen on the same day, the citizen is reached by a phone
    of the staff, or the note is nearly that of another contact of the cadre within three months.

    Of two that resemble one another the later one is noted. What is void resembles nothing.
    """
    with connection.cursor(row_factory=class_row(Sign)) as cursor:
        return cursor.execute(
            """
            SELECT contact.id AS contact_id, 'same_citizen_day' AS signal, other.id AS other_contact_id
              FROM contact
              JOIN contact AS other
                ON other.citizen_ref = contact.citizen_ref
               AND other.cadre_id = contact.cadre_id
               AND (other.occurred_at AT TIME ZONE 'Asia/Shanghai')::date
                   = (contact.occurred_at AT TIME ZONE 'Asia/Shanghai')::date
               AND (other.recorded_at, other.id) < (contact.recorded_at, contact.id)
               AND other.voided_at IS NULL
             WHERE contact.id = ANY(%(ids)s)
             UNION ALL
            SELECT DISTINCT contact.id, 'staff_phone', NULL::uuid
              FROM contact
              JOIN citizen_handle ON citizen_handle.citizen_ref = contact.citizen_ref AND citizen_handle.kind = 'phone'
              JOIN staff_phone ON staff_phone.digest = citizen_handle.digest
             WHERE contact.id = ANY(%(ids)s)
             UNION ALL
            SELECT sketch.contact_id, 'similar_note', near.contact_id
              FROM contact_sketch AS sketch
              JOIN contact ON contact.id = sketch.contact_id
              JOIN contact_sketch AS near
                ON near.cadre_id = sketch.cadre_id
               AND near.occurred_at BETWEEN sketch.occurred_at - interval '92 days'
                                        AND sketch.occurred_at + interval '92 days'
              JOIN contact AS other ON other.id = near.contact_id
             WHERE sketch.contact_id = ANY(%(ids)s)
               AND (other.recorded_at, other.id) < (contact.recorded_at, contact.id)
               AND other.voided_at IS NULL
               AND (SELECT count(*) FROM unnest(sketch.lanes, near.lanes) AS lane (a, b) WHERE a = b) >= %(alike)s
             ORDER BY contact_id, signal, other_contact_id
            """,
            {"ids": list(ids), "alike": ALIKE_LANES},
        ).fetchall()


def insert_reviews(connection: Connection, rows: Sequence[Mapping[str, Any]], *, noted_at: datetime) -> int:
    return connection.execute(
        """
        INSERT INTO contact_review (contact_id, signals, other_contact_ids, noted_at)
        SELECT contact_id, signals, other_contact_ids, %s
          FROM json_to_recordset(%s::json) AS row (contact_id uuid, signals text[], other_contact_ids uuid[])
            ON CONFLICT DO NOTHING
        """,
        [noted_at, orjson.dumps(rows).decode()],
    ).rowcount


def set_examined(connection: Connection, ids: Sequence[UUID]) -> None:
    connection.execute("UPDATE contact SET is_examined = true WHERE id = ANY(%s)", [list(ids)])


def list_reviews(connection: Connection, *, is_open: bool, after: Place | None, limit: int) -> list[Review]:
    """List what waits for a decision, or what was decided, the oldest first, on contact_review_open or _decided; for
    whoever reaches some units alone on contact_review_owner_open or _owner_decided.
    """
    listed = Listed(
        table="contact_review",
        columns=("contact_id", "signals", "other_contact_ids", "noted_at", "decision", "decided_at", "decided_by"),
        where="decision IS NULL" if is_open else "decision IS NOT NULL",
        order=("noted_at", "contact_id"),
        is_own_seen=True,
    )
    page = find_page(connection, listed, after=after, limit=limit)
    with connection.cursor(row_factory=class_row(Review)) as cursor:
        return cursor.execute(
            sql.SQL(
                """
                SELECT contact_id, signals, other_contact_ids, staff_number_of(contact.cadre_id) AS staff_number,
                       code_of(contact.owner_organisation_id) AS organisation_code, contact.kind, contact.occurred_at,
                       noted_at, contact.counts, decision, decided_at, decided_by
                  FROM ({}) AS review
                  JOIN contact ON contact.id = contact_id
                 ORDER BY noted_at, contact_id
                """
            ).format(page.query),
            page.parameters,
        ).fetchall()


def list_origins(connection: Connection, contact_ids: Sequence[UUID]) -> dict[UUID, Origin]:
    """Of those of these contacts that there is a review of."""
    with connection.cursor(row_factory=class_row(Origin)) as cursor:
        rows = cursor.execute(
            """
            SELECT contact_id, recorded_by, staff_number_of(cadre_id) AS staff_number
              FROM contact_review
              JOIN contact ON contact.id = contact_id
             WHERE contact_id = ANY(%s)
            """,
            [list(contact_ids)],
        ).fetchall()
    return {row.contact_id: row for row in rows}


def set_decisions(connection: Connection, rows: Sequence[Mapping[str, Any]], *, decided_at: datetime) -> None:
    connection.execute(
        """
        UPDATE contact_review
           SET decision = item.decision, decided_at = %s, decided_by = acting_account()::uuid
          FROM json_to_recordset(%s::json) AS item (contact_id uuid, decision text)
         WHERE contact_review.contact_id = item.contact_id
           AND contact_review.decision IS DISTINCT FROM item.decision
        """,
        [decided_at, orjson.dumps(rows).decode()],
    )


def measure_open(connection: Connection, now: datetime) -> tuple[int, float]:
    """How many reviews wait, and how many seconds the oldest has waited."""
    row = connection.execute(
        """
        SELECT count(*), coalesce(extract(epoch FROM %s - min(noted_at)), 0)::float8
          FROM contact_review
         WHERE decision IS NULL
        """,
        [now],
    ).fetchone()
    return (int(str(row[0])), max(0.0, float(str(row[1])))) if row else (0, 0.0)
