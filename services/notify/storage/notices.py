"""Notices as they are made, and as they are told; and how far the log of events has been gone through for them."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

import orjson
from psycopg.rows import class_row

from services.notify.domain.notices import Dropped, Notice
from shared.database import Connection

READER = "notices"


def lock_position(connection: Connection) -> int | None:
    """None where somebody else is at it."""
    row = connection.execute("SELECT position FROM reader WHERE name = %s FOR UPDATE SKIP LOCKED", [READER]).fetchone()
    return int(str(row[0])) if row else None


def set_position(connection: Connection, position: int) -> None:
    connection.execute("UPDATE reader SET position = %s WHERE name = %s", [position, READER])


def measure_unread(connection: Connection) -> tuple[int, float]:
    """How many events have not been gone through, and for how many seconds the oldest has waited."""
    row = connection.execute(
        """
        SELECT count(*), coalesce(extract(epoch FROM now() - min(heard_at)), 0)::float8
          FROM event
         WHERE position > (SELECT position FROM reader WHERE name = %s)
        """,
        [READER],
    ).fetchone()
    return (int(str(row[0])), max(0.0, float(str(row[1])))) if row else (0, 0.0)


def insert_notices(connection: Connection, notices: Sequence[Notice]) -> int:
    """Return how many are new: of one event and rule a recipient is told once."""
    if not notices:
        return 0
    rows = [asdict(notice) for notice in notices]
    return connection.execute(
        """
        INSERT INTO notice (id, recipient_id, rule, topic, event_id, issue_id, facts, mode, is_compulsory, made_at,
                            due_at, valid_until)
        SELECT id, recipient_id, rule, topic, event_id, issue_id, facts, mode, is_compulsory, made_at, due_at,
               valid_until
          FROM json_to_recordset(%s::json)
            AS row (id uuid, recipient_id uuid, rule text, topic text, event_id uuid, issue_id uuid, facts jsonb,
                    mode text, is_compulsory boolean, made_at timestamptz, due_at timestamptz, valid_until timestamptz)
            ON CONFLICT (event_id, rule, recipient_id) DO NOTHING
        """,
        [orjson.dumps(rows).decode()],
    ).rowcount


def find_noted(connection: Connection, event_ids: Sequence[UUID]) -> set[UUID]:
    """Of which of these anybody was or is to be told."""
    rows = connection.execute("SELECT event_id FROM notice WHERE event_id = ANY (%s)", [list(event_ids)]).fetchall()
    return {UUID(str(row[0])) for row in rows}


def list_due(connection: Connection, recipient_ids: Sequence[UUID], *, now: datetime, limit: int) -> list[Notice]:
    """At most so many of each recipient. On the index notice_waiting."""
    with connection.cursor(row_factory=class_row(Notice)) as cursor:
        return cursor.execute(
            """
            SELECT due.id, recipient_id, rule, topic, event_id, issue_id, facts, mode, is_compulsory, made_at, due_at,
                   valid_until
              FROM unnest(%s::uuid[]) AS recipient (id)
             CROSS JOIN LATERAL (SELECT id, recipient_id, rule, topic, event_id, issue_id, facts, mode, is_compulsory,
                                        made_at, due_at, valid_until
                                   FROM notice
                                  WHERE recipient_id = recipient.id
                                    AND settled_at IS NULL
                                    AND due_at <= %s
                                  ORDER BY made_at, id
                                  LIMIT %s) AS due
             ORDER BY due.made_at, due.id
            """,
            [list(recipient_ids), now, limit],
        ).fetchall()


def find_closed(connection: Connection, issue_ids: Sequence[UUID]) -> set[UUID]:
    """Which of these issues are closed."""
    rows = connection.execute("SELECT id FROM issue WHERE id = ANY (%s) AND is_closed", [list(issue_ids)]).fetchall()
    return {UUID(str(row[0])) for row in rows}


def set_told(connection: Connection, told: Sequence[tuple[UUID, UUID]], *, at: datetime) -> None:
    """Of each notice the digest that tells of it."""
    connection.execute(
        """
        UPDATE notice
           SET settled_at = %s, digest_id = told.digest_id
          FROM unnest(%s::uuid[], %s::uuid[]) AS told (id, digest_id)
         WHERE notice.id = told.id
        """,
        [at, [notice_id for notice_id, _ in told], [digest_id for _, digest_id in told]],
    )


def set_dropped(connection: Connection, notice_ids: Sequence[UUID], why: Dropped, *, at: datetime) -> None:
    connection.execute(
        "UPDATE notice SET settled_at = %s, dropped = %s WHERE id = ANY (%s)", [at, why, list(notice_ids)]
    )


def put_off(connection: Connection, notice_ids: Sequence[UUID], *, until: datetime) -> None:
    """Have them join the digest of that time."""
    connection.execute("UPDATE notice SET due_at = %s, mode = 'digest' WHERE id = ANY (%s)", [until, list(notice_ids)])


def count_told(connection: Connection, recipient_ids: Sequence[UUID], *, since: datetime) -> dict[UUID, int]:
    """How often each has been told something since then; whoever has not is left out. On the index digest_recipient."""
    rows = connection.execute(
        """
        SELECT recipient_id, count(*)
          FROM digest
         WHERE recipient_id = ANY (%s)
           AND composed_at >= %s
         GROUP BY recipient_id
        """,
        [list(recipient_ids), since],
    ).fetchall()
    return {UUID(str(row[0])): int(str(row[1])) for row in rows}


def get_position(connection: Connection) -> int:
    row = connection.execute("SELECT position FROM reader WHERE name = %s", [READER]).fetchone()
    if row is None:
        raise RuntimeError("the reader of the events is missing: the migrations have not run")
    return int(str(row[0]))
