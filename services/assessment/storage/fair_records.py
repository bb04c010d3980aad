"""The records of a window as the fair scheme reads them: facts with their shares, in plain rows, some cadres at a time.

What happened after `as_of` is left out, so that the same moment gives the same rows however late it is asked.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg.rows import dict_row, namedtuple_row

from shared.database import Connection

Row = dict[str, Any]
Record = Any  # a named tuple of the columns: of what there are millions. Ids are text, times whole seconds since 1970.


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Whole days, the instants at which they begin and are over, and until when is known what happened."""

    starts_on: date
    ends_on: date
    starts_at: datetime
    ends_at: datetime
    as_of: datetime


def list_owed(connection: Connection, window: Window) -> list[Row]:
    """Cadres with anything to their name, and the contacts that their posts owed."""
    return _rows(
        connection,
        """
        SELECT cadre_id, sum(duties_owed_month + duties_owed_quarter + duties_owed_year) AS target
          FROM tally
         WHERE month >= date_trunc('month', %(starts_on)s::timestamp)::date
           AND month <= %(ends_on)s
           AND cadre_id <> '00000000-0000-0000-0000-000000000000'
         GROUP BY cadre_id
         ORDER BY cadre_id
        """,
        window,
        (),
    )


def list_owed_by(connection: Connection, window: Window, cadre_ids: Sequence[UUID]) -> list[Row]:
    """The same of these cadres, on tally_cadre."""
    return _rows(
        connection,
        """
        SELECT cadre_id, sum(duties_owed_month + duties_owed_quarter + duties_owed_year) AS target
          FROM tally
         WHERE cadre_id = ANY(%(cadre_ids)s)
           AND month >= date_trunc('month', %(starts_on)s::timestamp)::date
           AND month <= %(ends_on)s
         GROUP BY cadre_id
         ORDER BY cadre_id
        """,
        window,
        cadre_ids,
    )


def list_issues(connection: Connection, window: Window, cadre_ids: Sequence[UUID]) -> list[Record]:
    """Each issue once for each cadre who answers for a part of it; on issue_fact_cadre and issue_share_cadre.
    `went_on`: what is told of it here may be of after that moment.

    Only a citizen's coming again says that it was not solved: a clerk opens again what was entered wrongly. `is_denied`
    is by a rating; what is `denied` may be so by a call, which `list_disowned` knows of.
    """
    return _records(
        connection,
        """
        SELECT part.cadre_id::text, sum(millionths)::integer AS share, issue_id::text, category, issue_type, channel,
               citizen_ref::text,
               floor(date_part('epoch', received_at))::bigint AS received_at,
               floor(date_part('epoch', responded_at))::bigint AS responded_at,
               floor(date_part('epoch', closed_at))::bigint AS closed_at,
               floor(date_part('epoch', responded_known_at))::bigint AS responded_known_at,
               floor(date_part('epoch', closed_known_at))::bigint AS closed_known_at,
               floor(date_part('epoch', respond_by))::bigint AS respond_by,
               floor(date_part('epoch', due_at))::bigint AS due_at,
               outcome, merged_into IS NOT NULL AS is_merged, fact.contact_id::text, reply_characters,
               fact.is_reopened
               OR coalesce(greatest(responded_at, closed_at, replied_at) > %(as_of)s, false) AS went_on,
               fact.is_reopened
               AND EXISTS (SELECT
                             FROM event
                            WHERE aggregate_id = issue_id
                              AND event_type = 'cn.lianxin.issue.reopened.v1'
                              AND coalesce(payload ->> 'asked_by', 'citizen') = 'citizen'
                              AND occurred_at <= %(as_of)s) AS is_reopened,
               fact.denied
               AND EXISTS (SELECT
                             FROM rating_fact AS rating
                            WHERE rating.issue_id = fact.issue_id
                              AND NOT solved
                              AND NOT is_set_aside
                              AND NOT is_excluded
                              AND rated_at <= %(as_of)s) AS is_denied,
               fact.denied
          FROM issue_fact AS fact
          JOIN issue_responsibility AS part USING (issue_id)
         WHERE fact.received_at >= %(starts_at)s
           AND fact.received_at < %(ends_at)s
           AND fact.received_at <= %(as_of)s
           AND excluded IS DISTINCT FROM 'all'
           AND part.cadre_id = ANY(%(cadre_ids)s)
         GROUP BY part.cadre_id, issue_id
        HAVING sum(millionths) > 0
         ORDER BY part.cadre_id, issue_id
        """,
        window,
        cadre_ids,
    )


def list_disowned(
    connection: Connection, window: Window, *, issue_ids: Collection[str], contact_ids: Collection[str]
) -> set[str]:
    """Of which of these a citizen who was called back knew nothing. On invitation_fact_issue, invitation_fact_contact
    and event_aggregate_order.
    """
    rows = connection.execute(
        """
        SELECT coalesce(call.issue_id, call.contact_id)::text
          FROM (SELECT * FROM invitation_fact WHERE issue_id = ANY(%(issue_ids)s::uuid[])
                 UNION ALL
                SELECT * FROM invitation_fact WHERE contact_id = ANY(%(contact_ids)s::uuid[])) AS call
         CROSS JOIN LATERAL (
               SELECT bool_or(event_type = 'cn.lianxin.rating_invitation.denied.v1'
                              AND payload ->> 'denial' = 'no_such_matter')
                      AND NOT bool_or(event_type = 'cn.lianxin.rating_invitation.denial_overruled.v1') AS is_denied
                 FROM event
                WHERE aggregate_id = call.invitation_id
                  AND occurred_at <= %(as_of)s) AS answer
         WHERE answer.is_denied
        """,
        {"issue_ids": list(issue_ids), "contact_ids": list(contact_ids), "as_of": window.as_of},
        prepare=False,
    ).fetchall()
    return {str(row[0]) for row in rows}


def list_sought(connection: Connection, rating_ids: Collection[str]) -> set[str]:
    """Which of these ratings are of citizens who were called on account of a sign, and not as some of a sample."""
    rows = connection.execute(
        """
        SELECT aggregate_id::text
          FROM event
         WHERE aggregate_id = ANY(%s::uuid[])
           AND event_type = 'cn.lianxin.rating.submitted.v1'
           AND payload ->> 'call_origin' IN ('targeted', 'follow_up')
        """,
        [list(rating_ids)],
        prepare=False,
    ).fetchall()
    return {str(row[0]) for row in rows}


def list_ratings_of(
    connection: Connection, window: Window, *, issue_ids: Collection[str], contact_ids: Collection[str]
) -> list[Record]:
    """On rating_fact_issue and rating_fact_contact."""
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(
            """
            SELECT rating_id::text, issue_id::text, contact_id::text, method, level,
                   floor(date_part('epoch', rated_at))::bigint AS rated_at, rater_ref::text
              FROM rating_fact
             WHERE (issue_id = ANY(%(issue_ids)s::uuid[]) OR contact_id = ANY(%(contact_ids)s::uuid[]))
               AND rated_at >= %(starts_at)s
               AND rated_at <= %(as_of)s
               AND level IS NOT NULL
               AND NOT is_set_aside
               AND NOT is_excluded
             ORDER BY rating_id
            """,
            {
                "issue_ids": list(issue_ids),
                "contact_ids": list(contact_ids),
                "starts_at": window.starts_at,
                "as_of": window.as_of,
            },
            prepare=False,
        ).fetchall()


def list_contacts(connection: Connection, window: Window, cadre_ids: Sequence[UUID]) -> list[Record]:
    """On contact_fact_cadre."""
    return _records(
        connection,
        """
        SELECT contact_id::text, cadre_id::text, kind, floor(date_part('epoch', occurred_at))::bigint AS occurred_at,
               floor(date_part('epoch', recorded_at))::bigint AS recorded_at, duration_minutes, citizen_ref::text
          FROM contact_fact
         WHERE cadre_id = ANY(%(cadre_ids)s)
           AND occurred_at >= %(starts_at)s
           AND occurred_at < %(ends_at)s
           AND occurred_at <= %(as_of)s
           AND counts
         ORDER BY contact_id
        """,
        window,
        cadre_ids,
    )


def list_handovers(connection: Connection, window: Window, cadre_ids: Sequence[UUID]) -> list[Record]:
    """What these handed on to somebody else. What was sent on by order, or back to where it came from, is not."""
    return _records(
        connection,
        """
        SELECT held.cadre_id::text, issue_id::text, fact.category, issue_type, channel,
               next.cadre_id::text AS to_cadre_id, floor(date_part('epoch', next.from_at))::bigint AS handed_at,
               floor(date_part('epoch', fact.received_at))::bigint AS received_at,
               floor(date_part('epoch', fact.due_at))::bigint AS due_at
          FROM issue_share AS held
          JOIN issue_fact AS fact USING (issue_id)
          JOIN LATERAL (
                   SELECT cadre_id, from_at
                     FROM issue_share AS later
                    WHERE later.issue_id = held.issue_id
                      AND later.role = 'lead'
                      AND later.place > held.place
                    ORDER BY later.place
                    LIMIT 1) AS next
            ON next.cadre_id NOT IN (held.cadre_id, '00000000-0000-0000-0000-000000000000')
         WHERE held.cadre_id = ANY(%(cadre_ids)s)
           AND held.role = 'lead'
           AND next.from_at <= %(as_of)s
           AND fact.received_at >= %(starts_at)s
           AND fact.received_at < %(ends_at)s
           AND excluded IS DISTINCT FROM 'all'
           AND EXISTS (SELECT
                         FROM event
                        WHERE aggregate_id = issue_id
                          AND event_type = 'cn.lianxin.issue.assigned.v1'
                          AND coalesce(payload ->> 'kind', 'transfer') = 'transfer'
                          AND (payload ->> 'cadre_id')::uuid = next.cadre_id)
         ORDER BY issue_id, held.place
        """,
        window,
        cadre_ids,
    )


def list_excluded(connection: Connection, issue_ids: Sequence[UUID]) -> set[UUID]:
    """Which of these issues were left out of assessment."""
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            "SELECT issue_id FROM issue_fact WHERE issue_id = ANY(%s) AND excluded = 'all'", [list(issue_ids)]
        ).fetchall()
    return {row["issue_id"] for row in rows}


def list_organisations(connection: Connection) -> list[Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute("SELECT organisation_id, code, level, parent_id FROM organisation").fetchall()


def list_holders_since(connection: Connection, position: int, *, limit: int) -> tuple[int, list[UUID]]:
    """Up to which place of the log this looks, and whose records the events after `position` are about.

    What somebody held before counts, too: hence by the log, and not by the facts alone.
    """
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            """
            WITH new AS (SELECT position, aggregate_id, event_type, payload
                           FROM event
                          WHERE position > %(position)s
                          ORDER BY position
                          LIMIT %(limit)s),
                 about AS (SELECT aggregate_id AS id FROM new
                            UNION
                           SELECT (payload ->> 'issue_id')::uuid FROM new WHERE payload ? 'issue_id'
                            UNION
                           SELECT (payload ->> 'contact_id')::uuid FROM new WHERE payload ? 'contact_id'
                            UNION
                           SELECT coalesce(issue_id, contact_id)
                             FROM rating_fact
                             JOIN new ON rating_id = aggregate_id)
            SELECT (SELECT max(position) FROM new) AS position, array_agg(DISTINCT cadre_id) AS cadre_ids
              FROM (SELECT (payload ->> 'cadre_id')::uuid AS cadre_id
                      FROM event
                      JOIN about ON aggregate_id = id
                     WHERE payload ? 'cadre_id'
                     UNION
                    SELECT cadre_id FROM issue_share JOIN about ON issue_id = id
                     UNION
                    SELECT cadre_id FROM issue_fact JOIN about ON issue_id = id) AS holder
            """,
            {"position": position, "limit": limit},
            prepare=False,
        ).fetchone()
    if rows is None or rows["position"] is None:
        return position, []
    nobody = UUID(int=0)
    return rows["position"], sorted(one for one in rows["cadre_ids"] or [] if one is not None and one != nobody)


def iterate_batches(ids: Sequence[UUID], size: int) -> Iterator[Sequence[UUID]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]


def _rows(connection: Connection, statement: LiteralString, window: Window, cadre_ids: Sequence[UUID]) -> list[Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement, _parameters(window, cadre_ids), prepare=False).fetchall()


def _records(
    connection: Connection, statement: LiteralString, window: Window, cadre_ids: Sequence[UUID]
) -> list[Record]:
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(statement, _parameters(window, cadre_ids), prepare=False).fetchall()


def _parameters(window: Window, cadre_ids: Sequence[UUID]) -> dict[str, Any]:
    return {
        "starts_on": window.starts_on,
        "ends_on": window.ends_on,
        "starts_at": window.starts_at,
        "ends_at": window.ends_at,
        "as_of": window.as_of,
        "cadre_ids": list(cadre_ids),
    }
