"""Calls back in the database: what there is to call, and what came of each call."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast
from uuid import UUID

from psycopg import sql
from psycopg.rows import class_row

from services.intake.domain.commands.ratings import CallOrigin
from services.intake.storage.by_unit import Listed, Place, find_page
from services.intake.storage.rating_links import Rated
from shared.database import Connection

Result = Literal[
    "reached_rated",
    "reached_declined",
    "reached_no_such_matter",
    "reached_did_not_ask",
    "not_reached",
    "wrong_number",
    "no_such_number",
    "no_number",
]
Kind = Literal["issue", "contact"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    id: UUID
    issue_id: UUID | None
    contact_id: UUID | None
    result: Result
    attempted_at: datetime
    rating_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    id: UUID
    issue_id: UUID | None
    contact_id: UUID | None
    origin: CallOrigin
    created_at: datetime
    attempts: int


_WAITING = Listed(
    table="callback_task",
    columns=("id", "issue_id", "contact_id", "origin", "created_at"),
    where="state = 'open'",
    order=("created_at", "id"),
    is_own_seen=True,
    may_lack_unit=True,
)


def is_visible(connection: Connection, kind: Kind, record_id: UUID) -> bool:
    """Whether the acting person may see it."""
    issue_id, contact_id = (record_id, None) if kind == "issue" else (None, record_id)
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM issue WHERE id = %s) OR EXISTS (SELECT FROM contact WHERE id = %s)",
        [issue_id, contact_id],
    ).fetchone()
    return row is not None and bool(row[0])


def is_own_work(connection: Connection, rated: Rated) -> bool:
    row = connection.execute("SELECT is_own_work(%s, %s)", [rated.issue_id, rated.contact_id]).fetchone()
    return row is None or bool(row[0])


def is_citizen_active(connection: Connection, rated: Rated) -> bool:
    """Whether the citizen may be called: not one who is restricted or erased. Under the system's reach."""
    row = connection.execute(
        """
        SELECT coalesce(bool_and(citizen.state = 'active'), true)
          FROM citizen
         WHERE ref IN (SELECT citizen_ref FROM issue WHERE id = %s
                        UNION ALL
                       SELECT citizen_ref FROM contact WHERE id = %s)
        """,
        [rated.issue_id, rated.contact_id],
    ).fetchone()
    return row is not None and bool(row[0])


def find_attempt(connection: Connection, attempt_id: UUID) -> Attempt | None:
    with connection.cursor(row_factory=class_row(Attempt)) as cursor:
        return cursor.execute(
            """
            SELECT id, issue_id, contact_id, result, attempted_at, rating_id
              FROM callback_attempt
             WHERE id = %s
            """,
            [attempt_id],
        ).fetchone()


def find_origin(connection: Connection, rated: Rated) -> CallOrigin | None:
    """Why the citizen is to be called, if anybody asked for it."""
    row = connection.execute(
        "SELECT origin FROM callback_task WHERE state = 'open' AND (issue_id = %s OR contact_id = %s)",
        [rated.issue_id, rated.contact_id],
    ).fetchone()
    return cast("CallOrigin", row[0]) if row else None


def has_callback_rating(connection: Connection, rated: Rated) -> bool:
    row = connection.execute(
        """
        SELECT EXISTS (SELECT 1
                         FROM callback_attempt
                        WHERE (issue_id = %s OR contact_id = %s) AND result = 'reached_rated')
        """,
        [rated.issue_id, rated.contact_id],
    ).fetchone()
    return row is not None and bool(row[0])


def insert_attempt(connection: Connection, attempt: Mapping[str, Any]) -> None:
    """It belongs to the open task about the same matter, if there is one."""
    connection.execute(
        """
        INSERT INTO callback_attempt (id, issue_id, contact_id, task_id, result, rating_id, attempted_at, recorded_at,
                                      caller_id, caller_person)
        VALUES (%(id)s, %(issue_id)s, %(contact_id)s,
                (SELECT id
                   FROM callback_task
                  WHERE state = 'open' AND (issue_id = %(issue_id)s OR contact_id = %(contact_id)s)),
                %(result)s, %(rating_id)s, %(attempted_at)s, %(recorded_at)s, %(caller_id)s, %(caller_person)s)
        """,
        attempt,
    )


def end_task(connection: Connection, rated: Rated, result: Result, *, most_attempts: int, at: datetime) -> None:
    """Who was reached was asked; a number that leads to nobody, or the last vain call, ends it without."""
    connection.execute(
        """
        UPDATE callback_task AS task
           SET state = CASE WHEN %(result)s LIKE 'reached%%' THEN 'done' ELSE 'given_up' END,
               ended_at = %(at)s
         WHERE state = 'open'
           AND (issue_id = %(issue)s OR contact_id = %(contact)s)
           AND (%(result)s <> 'not_reached'
                OR (SELECT count(*) FROM callback_attempt WHERE task_id = task.id) >= %(most)s)
        """,
        {
            "result": result,
            "at": at,
            "issue": rated.issue_id,
            "contact": rated.contact_id,
            "most": most_attempts,
        },
    )


def list_tasks(connection: Connection, *, after: Place | None, limit: int) -> list[Task]:
    """The open ones, the oldest first, on callback_task_owner; for whoever reaches more than units on
    callback_task_queue.
    """
    page = find_page(connection, _WAITING, after=after, limit=limit)
    with connection.cursor(row_factory=class_row(Task)) as cursor:
        return cursor.execute(
            sql.SQL(
                """
                SELECT id, issue_id, contact_id, origin, created_at,
                       (SELECT count(*) FROM callback_attempt WHERE callback_attempt.task_id = task.id) AS attempts
                  FROM ({}) AS task
                 ORDER BY created_at, id
                """
            ).format(page.query),
            page.parameters,
        ).fetchall()
