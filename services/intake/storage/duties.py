"""Duties in the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import orjson
from psycopg.rows import class_row

from services.intake.domain.commands.contacts import ContactKind
from services.intake.domain.commands.duties import DutyPeriod, DutyUnit
from shared.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    id: UUID
    organisation_id: UUID | None
    post_kind: str
    post_level: str | None
    contact_kind: ContactKind
    required_count: int
    unit: DutyUnit
    per: DutyPeriod
    valid_from: date
    valid_until: date | None
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedDuty:
    id: UUID
    organisation_code: str | None
    post_kind: str
    post_level: str | None
    contact_kind: ContactKind
    required_count: int
    unit: DutyUnit
    per: DutyPeriod
    valid_from: date
    valid_until: date | None


def insert_duties(connection: Connection, rows: Sequence[Duty], *, recorded_at: datetime) -> list[Duty]:
    """Insert duties; those whose id or natural key is taken are left out."""
    with connection.cursor(row_factory=class_row(Duty)) as cursor:
        return cursor.execute(
            """
            INSERT INTO duty (id, organisation_id, post_kind, post_level, contact_kind, required_count, unit, per,
                              valid_from, valid_until, sequence, recorded_at)
            SELECT id, organisation_id, post_kind, post_level, contact_kind, required_count, unit, per, valid_from,
                   valid_until, 1, %s
              FROM ROWS FROM (json_to_recordset(%s::json)
                  AS (id uuid, organisation_id uuid, post_kind text, post_level text, contact_kind text,
                      required_count integer, unit text, per text, valid_from date, valid_until date))
                  WITH ORDINALITY AS item
             ORDER BY post_kind, contact_kind, per, valid_from, ordinality
                ON CONFLICT DO NOTHING
            RETURNING id, organisation_id, post_kind, post_level, contact_kind, required_count, unit, per, valid_from,
                      valid_until, sequence
            """,
            [recorded_at, orjson.dumps(rows).decode()],
        ).fetchall()


def lock_duties(connection: Connection, rows: Sequence[Duty]) -> list[Duty]:
    """List and lock the duties that have the id or the natural key of one of these rows."""
    with connection.cursor(row_factory=class_row(Duty)) as cursor:
        return cursor.execute(
            """
            SELECT duty.id, duty.organisation_id, duty.post_kind, duty.post_level, duty.contact_kind,
                   duty.required_count, duty.unit, duty.per, duty.valid_from, duty.valid_until, duty.sequence
              FROM duty
             WHERE EXISTS (SELECT 1
                             FROM json_to_recordset(%s::json)
                               AS item (id uuid, organisation_id uuid, post_kind text, post_level text,
                                        contact_kind text, unit text, per text, valid_from date)
                            WHERE item.id = duty.id
                               OR (item.post_kind = duty.post_kind
                                   AND item.contact_kind = duty.contact_kind
                                   AND item.unit = duty.unit
                                   AND item.per = duty.per
                                   AND item.valid_from = duty.valid_from
                                   AND item.organisation_id IS NOT DISTINCT FROM duty.organisation_id
                                   AND item.post_level IS NOT DISTINCT FROM duty.post_level))
             ORDER BY duty.id
               FOR UPDATE
            """,
            [orjson.dumps(rows).decode()],
        ).fetchall()


def end_duties(connection: Connection, rows: Sequence[Duty]) -> None:
    if not rows:
        return
    connection.execute(
        """
        UPDATE duty
           SET valid_until = item.valid_until, sequence = item.sequence
          FROM json_to_recordset(%s::json) AS item (id uuid, valid_until date, sequence integer)
         WHERE duty.id = item.id
        """,
        [orjson.dumps(rows).decode()],
    )


def list_duties_on(connection: Connection, on: date | None, *, after: UUID, limit: int) -> list[ListedDuty]:
    """List what is owed that day, or ever was."""
    with connection.cursor(row_factory=class_row(ListedDuty)) as cursor:
        return cursor.execute(
            """
            SELECT id, code_of(organisation_id) AS organisation_code, post_kind, post_level, contact_kind,
                   required_count, unit, per, valid_from, valid_until
              FROM duty
             WHERE id > %(after)s
               AND (%(on)s::date IS NULL OR (valid_from <= %(on)s AND (valid_until IS NULL OR valid_until >= %(on)s)))
             ORDER BY id
             LIMIT %(limit)s
            """,
            {"after": after, "on": on, "limit": limit},
        ).fetchall()
