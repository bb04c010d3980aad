"""Measures that are counted when somebody asks: what does not add up over months, and what is of few facts.

Of many subjects at once: cadres, or organisations with all below them. Whoever has no case is absent. Each query lives
on the index that its comment names.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, LiteralString
from uuid import UUID

from psycopg import sql

from services.assessment.domain.periods import Period
from services.assessment.domain.scores import SubjectKind
from shared.database import Connection

Counts = dict[UUID, dict[str, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A period of some subjects. What each of `owners` did counts for the subject that stands in its place.

    A cadre owns what is the cadre's own; what is an organisation's is owned by it and by all that is below it.
    """

    kind: SubjectKind
    subjects: Sequence[UUID]
    owners: Sequence[UUID]
    period: Period
    time_zone: str
    as_of: datetime

    def pairs(self) -> Iterator[tuple[UUID, UUID]]:
        return zip(self.subjects, self.owners, strict=True)

    def parameters(self) -> dict[str, object]:
        return {
            "subjects": list(self.subjects),
            "owners": list(self.owners),
            "start": self.period.start,
            "next_start": self.period.next_start,
            "time_zone": self.time_zone,
            "as_of": self.as_of,
        }


_OWNERS: Final[dict[SubjectKind, LiteralString]] = {"cadre": "cadre_id", "organisation": "organisation_id"}
_ASKED: Final = sql.SQL("unnest(%(subjects)s::uuid[], %(owners)s::uuid[]) AS asked (subject_id, owner_id)")
# Where people live of whom a subject is asked: below the posts held, or below the organisation.
_PLACES: Final[dict[SubjectKind, sql.SQL]] = {
    "cadre": sql.SQL(
        """
            SELECT subject_id, organisation_id
              FROM {asked}
              JOIN post ON cadre_id = owner_id
             WHERE from_on < %(next_start)s AND coalesce(until_on, 'infinity') >= %(start)s
        """
    ),
    "organisation": sql.SQL(
        """
            SELECT subject_id, owner_id AS organisation_id
              FROM {asked}
        """
    ),
}


def wait_longer(connection: Connection) -> None:
    """Have the statements of this transaction take up to a minute: what lies below a large organisation is much."""
    connection.execute("SELECT set_config('statement_timeout', '60s', true)")


def count_recurring(connection: Connection, span: Span) -> Counts:
    """On issue_fact_cadre or issue_fact_cell, then issue_fact_citizen: issue by issue, which OFFSET sees to."""
    return _count(
        connection,
        """
        SELECT subject_id, count(*) AS recurring
          FROM {asked}
          JOIN issue_fact AS issue ON issue.{owner} = owner_id
         WHERE issue.received_at >= %(start)s::timestamp AT TIME ZONE %(time_zone)s::text
           AND issue.received_at < %(next_start)s::timestamp AT TIME ZONE %(time_zone)s::text
           AND issue.excluded IS DISTINCT FROM 'all'
           AND (issue.merged_into IS NULL OR issue.outcome IS DISTINCT FROM 'merged')
           AND issue.citizen_ref IS NOT NULL
           AND EXISTS (
                   SELECT FROM issue_fact AS earlier
                    WHERE earlier.citizen_ref = issue.citizen_ref
                      AND earlier.category = issue.category
                      AND earlier.issue_id <> issue.issue_id
                      AND earlier.received_at < issue.received_at
                      AND earlier.received_at >= issue.received_at - interval '90 days'
                   OFFSET 0)
         GROUP BY subject_id
        """,
        span,
    )


def count_invitations(connection: Connection, span: Span) -> Counts:
    """By what one was invited to rate, once each; on invitation_fact_issue and invitation_fact_contact."""
    return _count(
        connection,
        """
        WITH invited AS (
            SELECT subject_id, issue_id, NULL::uuid AS contact_id
              FROM {asked}
              JOIN issue_fact AS issue ON issue.{owner} = owner_id
              JOIN invitation_fact USING (issue_id)
             WHERE invited_at >= %(start)s::timestamp AT TIME ZONE %(time_zone)s::text
               AND invited_at < %(next_start)s::timestamp AT TIME ZONE %(time_zone)s::text
             UNION
            SELECT subject_id, NULL, contact_id
              FROM {asked}
              JOIN contact_fact AS contact ON contact.{owner} = owner_id
              JOIN invitation_fact USING (contact_id)
             WHERE invited_at >= %(start)s::timestamp AT TIME ZONE %(time_zone)s::text
               AND invited_at < %(next_start)s::timestamp AT TIME ZONE %(time_zone)s::text
        )
        SELECT subject_id, count(*) AS invitations,
               count(*) FILTER (
                   WHERE EXISTS (SELECT FROM rating_fact AS rating
                                  WHERE rating.issue_id = invited.issue_id AND rated_at IS NOT NULL)
                      OR EXISTS (SELECT FROM rating_fact AS rating
                                  WHERE rating.contact_id = invited.contact_id AND rated_at IS NOT NULL)
               ) AS invitations_rated
          FROM invited
         GROUP BY subject_id
        """,
        span,
    )


def count_breadth(connection: Connection, span: Span) -> Counts:
    """Who lives in their places, by the last count up to the period's end; and who and where of them was met.

    On place_population_organisation, and on contact_fact_cadre where it is of cadres.
    """
    return _count(
        connection,
        """
        WITH RECURSIVE place AS (
            {places}
             UNION
            SELECT subject_id, child.organisation_id
              FROM place
              JOIN organisation AS child ON child.parent_id = place.organisation_id
        ), counted AS (
            SELECT DISTINCT ON (organisation_id, place_code, population_group)
                   organisation_id, place_code, population_group, people_count, household_count
              FROM place_population
             WHERE organisation_id IN (SELECT organisation_id FROM place)
               AND counted_on < %(next_start)s
             ORDER BY organisation_id, place_code, population_group, counted_on DESC, place_population_id
        ), met AS (
            SELECT subject_id, place_code, population_groups
              FROM {asked}
              JOIN contact_fact AS contact ON contact.{owner} = owner_id
             WHERE counts
               AND occurred_at >= %(start)s::timestamp AT TIME ZONE %(time_zone)s::text
               AND occurred_at < %(next_start)s::timestamp AT TIME ZONE %(time_zone)s::text
        ), group_met AS (
            SELECT DISTINCT subject_id, unnest(population_groups) AS population_group, true AS is_group_met
              FROM met
        ), village_met AS (
            SELECT DISTINCT subject_id, place_code, true AS is_village_met
              FROM met
        )
        SELECT subject_id,
               count(DISTINCT population_group) FILTER (WHERE people_count > 0) AS groups_living,
               count(DISTINCT population_group) FILTER (WHERE people_count > 0 AND is_group_met) AS groups_reached,
               count(DISTINCT place_code) FILTER (WHERE people_count > 0) AS villages_living,
               count(DISTINCT place_code) FILTER (WHERE people_count > 0 AND is_village_met) AS villages_reached,
               coalesce(sum(household_count) FILTER (WHERE population_group IS NULL), 0)::bigint AS households_living
          FROM place
          JOIN counted USING (organisation_id)
          LEFT JOIN group_met USING (subject_id, population_group)
          LEFT JOIN village_met USING (subject_id, place_code)
         GROUP BY subject_id
        """,
        span,
    )


def count_spans(connection: Connection, span: Span) -> Counts:
    """The thirds of months that began in the period, are over, and in which a post was held; on contact_fact_cadre."""
    return _count(
        connection,
        """
        WITH third AS (
            SELECT (month + at * interval '10 days')::date AS first_on,
                   CASE at WHEN 2 THEN (month + interval '1 month')::date
                           ELSE (month + (at + 1) * interval '10 days')::date END AS next_on
              FROM generate_series(date_trunc('month', %(start)s::timestamp), %(next_start)s::timestamp,
                                   interval '1 month') AS month
             CROSS JOIN generate_series(0, 2) AS at
        ), held AS (
            SELECT DISTINCT subject_id, cadre_id, third.first_on, third.next_on
              FROM {asked}
              JOIN post ON post.{owner} = owner_id
              JOIN third ON post.from_on < third.next_on AND coalesce(post.until_on, 'infinity') >= third.first_on
             WHERE third.first_on >= %(start)s AND third.first_on < %(next_start)s
               AND third.next_on::timestamp AT TIME ZONE %(time_zone)s::text <= %(as_of)s
        )
        SELECT subject_id, count(*) AS spans_held,
               count(*) FILTER (
                   WHERE EXISTS (
                       SELECT FROM contact_fact AS contact
                        WHERE contact.cadre_id = held.cadre_id
                          AND contact.counts
                          AND occurred_at >= held.first_on::timestamp AT TIME ZONE %(time_zone)s::text
                          AND occurred_at < held.next_on::timestamp AT TIME ZONE %(time_zone)s::text)) AS spans_active
          FROM held
         GROUP BY subject_id
        """,
        span,
    )


def count_receptions(connection: Connection, span: Span) -> Counts:
    """On reception_fact_day. Who received the visitors counts, whoever was announced."""
    return _count(
        connection,
        """
        SELECT subject_id, count(*) AS reception_days_due,
               count(*) FILTER (WHERE held_from_at IS NOT NULL) AS reception_days_held
          FROM {asked}
          JOIN reception_fact ON coalesce(held_{owner}, {owner}) = owner_id
         WHERE NOT is_cancelled
           AND coalesce(from_at, held_from_at) >= %(start)s::timestamp AT TIME ZONE %(time_zone)s::text
           AND coalesce(from_at, held_from_at) < %(next_start)s::timestamp AT TIME ZONE %(time_zone)s::text
           AND (held_from_at IS NOT NULL OR from_at < %(as_of)s)
         GROUP BY subject_id
        """,
        span,
    )


def count_channels(connection: Connection, span: Span) -> Counts:
    """Of organisations alone, on channel_check_fact_organisation."""
    if span.kind != "organisation":
        return {}
    return _count(
        connection,
        """
        SELECT subject_id, count(*) AS channels_checked, count(*) FILTER (WHERE is_reached) AS channels_reached
          FROM {asked}
          JOIN channel_check_fact ON organisation_id = owner_id
         WHERE checked_at >= %(start)s::timestamp AT TIME ZONE %(time_zone)s::text
           AND checked_at < %(next_start)s::timestamp AT TIME ZONE %(time_zone)s::text
         GROUP BY subject_id
        """,
        span,
    )


def list_cadres_owing(connection: Connection, span: Span) -> list[UUID]:
    """Who held a post in the period: the cadres themselves, or those in these organisations."""
    rows = connection.execute(
        sql.SQL(
            """
            SELECT DISTINCT cadre_id
              FROM post
             WHERE {owner} = ANY(%(owners)s::uuid[])
               AND from_on < %(next_start)s
               AND coalesce(until_on, 'infinity') >= %(start)s
             ORDER BY cadre_id
            """
        ).format(owner=sql.Identifier(_OWNERS[span.kind])),
        span.parameters(),
        prepare=False,
    ).fetchall()
    return [UUID(str(row[0])) for row in rows]


def _count(connection: Connection, query: LiteralString, span: Span) -> Counts:
    """The subject stands first in each row."""
    statement = sql.SQL(query).format(
        asked=_ASKED, owner=sql.SQL(_OWNERS[span.kind]), places=_PLACES[span.kind].format(asked=_ASKED)
    )
    cursor = connection.execute(statement, span.parameters(), prepare=False)
    columns = [column.name for column in cursor.description or ()][1:]
    return {
        UUID(str(subject_id)): {name: int(str(value)) for name, value in zip(columns, values, strict=True)}
        for subject_id, *values in cursor
    }
