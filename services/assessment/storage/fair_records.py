"""The records of a window as the fair scheme reads them: facts with their shares, in plain rows."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg.rows import dict_row

from shared.database import Connection

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Whole days, and the instants at which they begin and are over."""

    starts_on: date
    ends_on: date
    starts_at: datetime
    ends_at: datetime


def list_owed(connection: Connection, window: Window) -> list[Row]:
    """Cadres with anything to their name, and the contacts that their posts owed."""
    return _rows(
        connection,
        """
        SELECT cadre_id, sum(duties_owed_month + duties_owed_quarter + duties_owed_year) AS target
          FROM tally
         WHERE month >= %(starts_on)s
           AND month <= %(ends_on)s
           AND cadre_id <> '00000000-0000-0000-0000-000000000000'
         GROUP BY cadre_id
         ORDER BY cadre_id
        """,
        window,
    )


def list_issues(connection: Connection, window: Window) -> list[Row]:
    """Each issue once for each cadre who answers for a part of it. What was opened again is told by the log."""
    return _rows(
        connection,
        """
        SELECT part.cadre_id, sum(millionths) AS share, issue_id, category, issue_type, channel, citizen_ref,
               received_at, responded_at, closed_at, respond_by, due_at, outcome, denied, merged_into, fact.contact_id,
               EXISTS (SELECT
                         FROM event
                        WHERE aggregate_id = issue_id
                          AND event_type = 'cn.lianxin.issue.reopened.v1') AS is_reopened
          FROM issue_fact AS fact
          JOIN issue_responsibility AS part USING (issue_id)
         WHERE fact.received_at >= %(starts_at)s
           AND fact.received_at < %(ends_at)s
           AND excluded IS DISTINCT FROM 'all'
           AND part.cadre_id <> '00000000-0000-0000-0000-000000000000'
         GROUP BY part.cadre_id, issue_id
        HAVING sum(millionths) > 0
         ORDER BY part.cadre_id, issue_id
        """,
        window,
    )


def list_ratings(connection: Connection, window: Window) -> list[Row]:
    return _rows(
        connection,
        """
        SELECT rating_id, rating.issue_id, rating.contact_id, method, level, rated_at, rater_ref
          FROM rating_fact AS rating
         WHERE rated_at >= %(starts_at)s
           AND NOT is_set_aside
           AND NOT is_excluded
         ORDER BY rating_id
        """,
        window,
    )


def list_contacts(connection: Connection, window: Window) -> list[Row]:
    return _rows(
        connection,
        """
        SELECT contact_id, cadre_id, kind, occurred_at, recorded_at, duration_minutes
          FROM contact_fact
         WHERE occurred_at >= %(starts_at)s
           AND occurred_at < %(ends_at)s
           AND counts
           AND cadre_id <> '00000000-0000-0000-0000-000000000000'
         ORDER BY contact_id
        """,
        window,
    )


def list_organisations(connection: Connection) -> list[Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute("SELECT organisation_id, code, level, parent_id FROM organisation").fetchall()


def _rows(connection: Connection, statement: Any, window: Window) -> list[Row]:  # noqa: ANN401 - a literal of ours
    parameters = {
        "starts_on": window.starts_on,
        "ends_on": window.ends_on,
        "starts_at": window.starts_at,
        "ends_at": window.ends_at,
    }
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement, parameters, prepare=False).fetchall()
