"""Making facts anew from the log: which aggregates there are, what was made of them, and how far it has come."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg import sql
from psycopg.rows import class_row

from services.assessment.storage.corrections import TakenEvent
from shared.database import Connection

# What is made of the events of one aggregate, by the column that has its id. Parts first.
MADE_OF: Final = (
    ("contact_fact", "contact_id"),
    ("issue_fact", "issue_id"),
    ("rating_fact", "rating_id"),
    ("invitation_fact", "invitation_id"),
    ("reception_fact", "reception_day_id"),
    ("channel_check_fact", "reachability_check_id"),
    ("place_population", "place_population_id"),
    ("category_version", "category_id"),
    ("parentage", "organisation_id"),
    ("organisation", "organisation_id"),
    ("cadre", "cadre_id"),
    ("post", "post_id"),
    ("duty", "duty_id"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    started_at: datetime
    after_id: UUID | None
    done_count: int
    finished_at: datetime | None


def find_progress(connection: Connection) -> Progress | None:
    with connection.cursor(row_factory=class_row(Progress)) as cursor:
        return cursor.execute("SELECT started_at, after_id, done_count, finished_at FROM rebuild").fetchone()


def start_rebuild(connection: Connection, *, now: datetime) -> None:
    connection.execute(
        """
        INSERT INTO rebuild (started_at)
        VALUES (%s)
            ON CONFLICT (is_only) DO UPDATE
           SET started_at = excluded.started_at,
               after_id = NULL,
               done_count = 0,
               finished_at = NULL
        """,
        [now],
    )


def set_progress(connection: Connection, *, after_id: UUID, done: int) -> None:
    connection.execute("UPDATE rebuild SET after_id = %s, done_count = done_count + %s", [after_id, done])


def set_finished(connection: Connection, *, now: datetime) -> None:
    connection.execute("UPDATE rebuild SET finished_at = %s", [now])


def list_aggregates(connection: Connection, *, after: UUID | None, limit: int) -> list[UUID]:
    """The next ones by id, on event_aggregate_order."""
    rows = connection.execute(
        """
        SELECT DISTINCT aggregate_id
          FROM event
         WHERE %(after)s::uuid IS NULL OR aggregate_id > %(after)s
         ORDER BY aggregate_id
         LIMIT %(limit)s
        """,
        {"after": after, "limit": limit},
        prepare=False,
    ).fetchall()
    return [UUID(str(row[0])) for row in rows]


def count_aggregates_left(connection: Connection) -> int:
    """How many a rebuild under way has still to do; 0 where none is."""
    row = connection.execute(
        """
        SELECT count(DISTINCT aggregate_id)
          FROM event
         WHERE aggregate_id > coalesce((SELECT after_id FROM rebuild), '00000000-0000-0000-0000-000000000000')
           AND EXISTS (SELECT FROM rebuild WHERE finished_at IS NULL)
        """
    ).fetchone()
    return int(str(row[0])) if row is not None else 0


def list_lives(connection: Connection, aggregate_ids: Sequence[UUID]) -> list[TakenEvent]:
    """All events of these, and what was decided of the suggestions among them, on event_of_suggestion."""
    with connection.cursor(row_factory=class_row(TakenEvent)) as cursor:
        return cursor.execute(
            """
            SELECT position, event_id, event_type, aggregate_id, sequence, occurred_at, recorded_at, correlation_id,
                   payload
              FROM event
             WHERE aggregate_id = ANY(%(ids)s)
             UNION
            SELECT position, event_id, event_type, aggregate_id, sequence, occurred_at, recorded_at, correlation_id,
                   payload
              FROM event
             WHERE event_type = 'cn.lianxin.suggestion.decided.v1'
               AND payload ->> 'issue_id' = ANY(%(texts)s)
             ORDER BY position
            """,
            {"ids": list(aggregate_ids), "texts": [str(one) for one in aggregate_ids]},
            prepare=False,
        ).fetchall()


def remove_made(connection: Connection, aggregate_ids: Sequence[UUID], *, ledger_issue_ids: Sequence[UUID]) -> None:
    """Remove what was made of these, in the transaction in which it is made anew."""
    for table, column in MADE_OF:
        connection.execute(
            sql.SQL("DELETE FROM {} WHERE {} = ANY(%s)").format(sql.Identifier(table), sql.Identifier(column)),
            [list(aggregate_ids)],
        )
    connection.execute("DELETE FROM issue_share WHERE issue_id = ANY(%s)", [list(ledger_issue_ids)])
    connection.execute("DELETE FROM issue_ledger WHERE issue_id = ANY(%s)", [list(ledger_issue_ids)])


def remove_strays(connection: Connection) -> int:
    """Remove facts that no event tells of; return how many."""
    removed = 0
    for table, column in MADE_OF:
        removed += connection.execute(
            sql.SQL(
                """
                DELETE FROM {table}
                 WHERE NOT EXISTS (SELECT FROM event WHERE event.aggregate_id = {table}.{column}) {more}
                """
            ).format(
                table=sql.Identifier(table),
                column=sql.Identifier(column),
                more=sql.SQL(
                    """
                    AND NOT EXISTS (SELECT FROM event
                                     WHERE event_type = 'cn.lianxin.suggestion.decided.v1'
                                       AND payload ->> 'issue_id' = issue_fact.issue_id::text)
                    """
                    if table == "issue_fact"
                    else ""
                ),
            )
        ).rowcount
    return removed


def mark_all_cells(connection: Connection, *, marked_at: datetime, correlation_id: str) -> int:
    """Have every cell counted anew that has a row; return how many."""
    return connection.execute(
        """
        INSERT INTO tally_due AS due (organisation_id, cadre_id, month, marked_at, revision, correlation_id)
        SELECT organisation_id, cadre_id, month, %s, 1, %s
          FROM tally
            ON CONFLICT (organisation_id, cadre_id, month) DO UPDATE
           SET revision = due.revision + 1
        """,
        [marked_at, correlation_id],
    ).rowcount
