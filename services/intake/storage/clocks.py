"""Deadlines of issues in the database: what they are counted from, what came of it, and what was said of it already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import class_row

from services.intake.domain.clocks.alarms import AlarmKind
from services.intake.domain.clocks.categories import CategoryVersion
from services.intake.domain.clocks.log import LoggedStep
from services.intake.domain.clocks.rules import Clock
from shared.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedIssue:
    """What decides the clocks of an issue beside its log, and what they were last counted to be."""

    id: UUID
    type: str
    category: str
    channel: str
    urgency: str
    sign_by: datetime | None
    respond_by: datetime | None
    due_at: datetime | None
    reply_by: datetime | None
    told_respond_by: datetime | None
    told_due_at: datetime | None
    clock_rules: Mapping[str, str | None]
    calendar: str | None
    alarm_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RaisedAlarm:
    issue_id: UUID
    clock: Clock
    turn: int
    kind: AlarmKind
    level: int


def list_counted_issues(connection: Connection, ids: Sequence[UUID]) -> list[CountedIssue]:
    with connection.cursor(row_factory=class_row(CountedIssue)) as cursor:
        return cursor.execute(
            """
            SELECT id, type, category, channel, urgency, sign_by, respond_by, due_at, reply_by, told_respond_by,
                   told_due_at, clock_rules, calendar, alarm_at
              FROM issue
             WHERE id = ANY(%s)
             ORDER BY id
            """,
            [list(ids)],
        ).fetchall()


def list_logged_steps(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, list[LoggedStep]]:
    """List the steps of issues, each log in its order."""
    logs: dict[UUID, list[LoggedStep]] = {}
    with connection.cursor(row_factory=class_row(LoggedStep)) as cursor:
        rows = cursor.execute(
            """
            SELECT issue_id, kind, happened_at, reason_code, details, reply_sealed IS NOT NULL AS has_reply
              FROM issue_step
             WHERE issue_id = ANY(%s)
             ORDER BY issue_id, sequence
            """,
            [list(ids)],
        )
        for row in rows:
            logs.setdefault(row.issue_id, []).append(row)
    return logs


def list_lines(connection: Connection, organisation_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """By organisation its code and those of all above it, the nearest first."""
    rows = connection.execute(
        """
        SELECT organisation_id::text, array_agg(ancestor_code::text ORDER BY distance)
          FROM organisation_line
         WHERE organisation_id = ANY(%s::uuid[])
         GROUP BY organisation_id
        """,
        [list(organisation_ids)],
    )
    return {str(row[0]): tuple(row[1]) for row in rows}  # type: ignore[arg-type] # psycopg types a row as objects


def list_category_versions(connection: Connection, codes: Sequence[str]) -> list[CategoryVersion]:
    """List every version of these categories and of all that ever stood above them, by their days."""
    with connection.cursor(row_factory=class_row(CategoryVersion)) as cursor:
        return cursor.execute(
            """
            WITH RECURSIVE wanted AS (
                SELECT id
                  FROM category
                 WHERE code = ANY(%s)
                 UNION
                SELECT version.parent_id
                  FROM wanted
                  JOIN category_version AS version ON version.category_id = wanted.id
                 WHERE version.parent_id IS NOT NULL
            )
            SELECT category_id, category.code, code_of(category.organisation_id) AS organisation_code,
                   version.from_on, version.parent_id
              FROM wanted
              JOIN category USING (id)
              JOIN category_version AS version ON version.category_id = category.id
             ORDER BY version.from_on, version.sequence
            """,
            [list(codes)],
        ).fetchall()


def set_deadlines(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    connection.execute(
        """
        UPDATE issue
           SET sign_by = item.sign_by, respond_by = item.respond_by, due_at = item.due_at, reply_by = item.reply_by,
               clock_rules = item.clock_rules, calendar = item.calendar, alarm_at = item.alarm_at
          FROM json_to_recordset(%s::json)
            AS item (id uuid, sign_by timestamptz, respond_by timestamptz, due_at timestamptz, reply_by timestamptz,
                     clock_rules jsonb, calendar text, alarm_at timestamptz)
         WHERE issue.id = item.id
        """,
        [orjson.dumps(rows).decode()],
    )


def number_on(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, int]:
    """Count one more event of each of these issues, and hold them; return its number."""
    rows = connection.execute(
        """
          WITH held AS (SELECT id FROM issue WHERE id = ANY(%s) ORDER BY id FOR UPDATE)
        UPDATE issue
           SET sequence = sequence + 1
          FROM held
         WHERE issue.id = held.id
        RETURNING issue.id, sequence
        """,
        [list(ids)],
    )
    return dict(rows.fetchall())  # type: ignore[arg-type] # psycopg types a row as a tuple of objects


def list_open_ids(connection: Connection, *, after: UUID, limit: int) -> list[UUID]:
    """List issues that were counted, or are open, after this one."""
    rows = connection.execute(
        """
        SELECT id
          FROM issue
         WHERE id > %s
           AND (calendar IS NOT NULL OR closed_at IS NULL)
         ORDER BY id
         LIMIT %s
        """,
        [after, limit],
    )
    return [row[0] for row in rows]  # type: ignore[misc] # psycopg types a row as a tuple of objects


def claim_alarmed_ids(connection: Connection, *, now: datetime, limit: int) -> list[UUID]:
    """Hold issues that have to be looked at, the longest waiting first, on issue_alarm. Those held elsewhere wait."""
    rows = connection.execute(
        """
        SELECT id
          FROM issue
         WHERE alarm_at <= %s
         ORDER BY alarm_at
         LIMIT %s
           FOR UPDATE SKIP LOCKED
        """,
        [now, limit],
    )
    return [row[0] for row in rows]  # type: ignore[misc] # same


def measure_alarms_due(connection: Connection) -> tuple[int, float]:
    """Return how many issues have to be looked at, and for how many seconds the longest has waited."""
    row = connection.execute(
        """
        SELECT count(*), coalesce(extract(epoch FROM now() - min(alarm_at)), 0)::float8
          FROM issue
         WHERE alarm_at <= now()
        """
    ).fetchone()
    return (int(str(row[0])), max(0.0, float(str(row[1])))) if row else (0, 0.0)


def insert_alarms(
    connection: Connection, rows: Sequence[Mapping[str, Any]], *, raised_at: datetime
) -> set[RaisedAlarm]:
    """Note what is said now; return what had not been said before."""
    with connection.cursor(row_factory=class_row(RaisedAlarm)) as cursor:
        return set(
            cursor.execute(
                """
                INSERT INTO clock_alarm (issue_id, clock, turn, kind, level, due_at, raised_at)
                SELECT issue_id, clock, turn, kind, level, due_at, %s
                  FROM json_to_recordset(%s::json)
                    AS item (issue_id uuid, clock text, turn integer, kind text, level integer, due_at timestamptz)
                    ON CONFLICT DO NOTHING
                RETURNING issue_id, clock, turn, kind, level
                """,
                [raised_at, orjson.dumps(rows).decode()],
            ).fetchall()
        )


def list_raised(connection: Connection, ids: Sequence[UUID]) -> set[RaisedAlarm]:
    with connection.cursor(row_factory=class_row(RaisedAlarm)) as cursor:
        return set(
            cursor.execute(
                "SELECT issue_id, clock, turn, kind, level FROM clock_alarm WHERE issue_id = ANY(%s)", [list(ids)]
            ).fetchall()
        )


def find_superiors(
    connection: Connection, rows: Sequence[Mapping[str, Any]], *, on: datetime
) -> dict[int, tuple[UUID | None, UUID | None]]:
    """By number of the row: the organisation so many levels up from the unit, and its head on that day.

    The unit itself is level 1. Beyond the root it is the root, and so it is where no unit is known. Whoever is
    complained about, and where they serve, is passed over. The head holds the highest post level, for the longest.
    """
    found = connection.execute(
        """
        SELECT item.number, target.id, head.cadre_id
          FROM json_to_recordset(%(rows)s::json) AS item (number integer, issue_id uuid, level integer)
          JOIN issue ON issue.id = item.issue_id
          LEFT JOIN LATERAL (
               SELECT above.id, row_number() OVER (ORDER BY line.distance) AS step
                 FROM organisation_line AS line
                 JOIN organisation AS above ON above.code = line.ancestor_code
                WHERE line.organisation_id = coalesce(
                          issue.organisation_id, issue.owner_organisation_id,
                          (SELECT id FROM organisation WHERE parent_id IS NULL ORDER BY code LIMIT 1))
                  AND (issue.subject_id IS NULL
                       OR NOT is_in_line_of(issue.subject_id, issue.received_at, above.id))) AS target
            ON true
          LEFT JOIN LATERAL (
               SELECT post.cadre_id
                 FROM post
                WHERE post.organisation_id = target.id
                  AND post.from_on <= (%(on)s::timestamptz AT TIME ZONE 'Asia/Shanghai')::date
                  AND (post.until_on IS NULL
                       OR post.until_on >= (%(on)s::timestamptz AT TIME ZONE 'Asia/Shanghai')::date)
                  AND post.cadre_id IS DISTINCT FROM issue.subject_id
                ORDER BY post.post_level, post.from_on, post.id
                LIMIT 1) AS head
            ON true
         WHERE target.step IS NULL OR target.step <= item.level
         ORDER BY item.number, target.step
        """,
        {"rows": orjson.dumps(rows).decode(), "on": on},
    )
    return {int(str(row[0])): (row[1], row[2]) for row in found}  # type: ignore[misc] # same; the last row is the highest


def set_alarmed(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Note how many events an issue has now, and how high it was put."""
    connection.execute(
        """
        UPDATE issue
           SET sequence = item.sequence, escalation_level = greatest(issue.escalation_level, item.level)
          FROM json_to_recordset(%s::json) AS item (id uuid, sequence integer, level integer)
         WHERE issue.id = item.id
        """,
        [orjson.dumps(rows).decode()],
    )
