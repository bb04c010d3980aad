"""Measures that are counted when somebody asks: what does not add up over months, and what is of few facts.

Whose they are is a cadre's, or those of organisations; each query lives on the index that its comment names.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.assessment.domain.periods import Period
from shared.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A period of somebody's: a cadre's, or an organisation's with all below it."""

    period: Period
    time_zone: str
    as_of: datetime
    cadre_id: UUID | None = None
    organisation_ids: Sequence[UUID] = ()

    def parameters(self) -> dict[str, object]:
        return {
            "start": self.period.start,
            "next_start": self.period.next_start,
            "time_zone": self.time_zone,
            "as_of": self.as_of,
            "cadre": self.cadre_id,
            "organisations": list(self.organisation_ids),
        }


def count_recurring(connection: Connection, span: Span) -> dict[str, int]:
    """On issue_fact_cadre or issue_fact_cell, then issue_fact_citizen."""
    return _count(
        connection,
        """
        SELECT count(*) AS recurring
          FROM issue_fact AS issue
         WHERE (issue.cadre_id = %(cadre)s OR issue.organisation_id = ANY(%(organisations)s::uuid[]))
           AND issue.received_at >= %(start)s::timestamp AT TIME ZONE %(time_zone)s::text
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
                      AND earlier.received_at >= issue.received_at - interval '90 days')
        """,
        span,
    )


def count_invitations(connection: Connection, span: Span) -> dict[str, int]:
    """By what one was invited to rate, once each; on invitation_fact_issue, invitation_fact_contact."""
    return _count(
        connection,
        """
        WITH invited AS (
            SELECT DISTINCT coalesce(invitation.issue_id, invitation.contact_id) AS id
              FROM invitation_fact AS invitation
              LEFT JOIN issue_fact AS issue ON issue.issue_id = invitation.issue_id
              LEFT JOIN contact_fact AS contact ON contact.contact_id = invitation.contact_id
             WHERE invited_at >= %(start)s::timestamp AT TIME ZONE %(time_zone)s::text
               AND invited_at < %(next_start)s::timestamp AT TIME ZONE %(time_zone)s::text
               AND (coalesce(issue.cadre_id, contact.cadre_id) = %(cadre)s
                    OR coalesce(issue.organisation_id, contact.organisation_id) = ANY(%(organisations)s::uuid[]))
        )
        SELECT count(*) AS invitations,
               count(*) FILTER (
                   WHERE EXISTS (SELECT FROM rating_fact
                                  WHERE (issue_id = invited.id OR contact_id = invited.id)
                                    AND rated_at IS NOT NULL)) AS invitations_rated
          FROM invited
        """,
        span,
    )


def count_breadth(connection: Connection, span: Span) -> dict[str, int]:
    """Who lives below the posts held, by the last count up to the period's end; and who and where of them was met."""
    return _count(
        connection,
        """
        WITH RECURSIVE place AS (
            SELECT organisation_id
              FROM post
             WHERE cadre_id = %(cadre)s AND from_on < %(next_start)s AND coalesce(until_on, 'infinity') >= %(start)s
             UNION
            SELECT unnest(%(organisations)s::uuid[])
             UNION
            SELECT child.organisation_id
              FROM place
              JOIN organisation AS child ON child.parent_id = place.organisation_id
        ), living AS (
            SELECT DISTINCT ON (organisation_id, place_code, population_group)
                   place_code, population_group, people_count, household_count
              FROM place_population
              JOIN place USING (organisation_id)
             WHERE counted_on < %(next_start)s
             ORDER BY organisation_id, place_code, population_group, counted_on DESC, place_population_id
        ), met AS (
            SELECT place_code, population_groups
              FROM contact_fact
             WHERE counts
               AND (cadre_id = %(cadre)s OR organisation_id = ANY(%(organisations)s::uuid[]))
               AND occurred_at >= %(start)s::timestamp AT TIME ZONE %(time_zone)s::text
               AND occurred_at < %(next_start)s::timestamp AT TIME ZONE %(time_zone)s::text
        ), groups AS (
            SELECT DISTINCT population_group AS code FROM living
             WHERE population_group IS NOT NULL AND people_count > 0
        ), villages AS (
            SELECT DISTINCT place_code AS code FROM living WHERE people_count > 0
        )
        SELECT (SELECT count(*) FROM groups) AS groups_living,
               (SELECT count(*) FROM groups
                 WHERE code IN (SELECT unnest(population_groups) FROM met)) AS groups_reached,
               (SELECT count(*) FROM villages) AS villages_living,
               (SELECT count(*) FROM villages WHERE code IN (SELECT place_code FROM met)) AS villages_reached,
               (SELECT coalesce(sum(household_count), 0)::bigint FROM living
                 WHERE population_group IS NULL) AS households_living
        """,
        span,
    )


def count_spans(connection: Connection, span: Span) -> dict[str, int]:
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
            SELECT DISTINCT cadre_id, third.first_on, third.next_on
              FROM third
              JOIN post ON post.from_on < third.next_on AND coalesce(post.until_on, 'infinity') >= third.first_on
             WHERE third.first_on >= %(start)s AND third.first_on < %(next_start)s
               AND third.next_on::timestamp AT TIME ZONE %(time_zone)s::text <= %(as_of)s
               AND (post.cadre_id = %(cadre)s OR post.organisation_id = ANY(%(organisations)s::uuid[]))
        )
        SELECT count(*) AS spans_held,
               count(*) FILTER (
                   WHERE EXISTS (
                       SELECT FROM contact_fact AS contact
                        WHERE contact.cadre_id = held.cadre_id
                          AND contact.counts
                          AND occurred_at >= held.first_on::timestamp AT TIME ZONE %(time_zone)s::text
                          AND occurred_at < held.next_on::timestamp AT TIME ZONE %(time_zone)s::text)) AS spans_active
          FROM held
        """,
        span,
    )


def count_receptions(connection: Connection, span: Span) -> dict[str, int]:
    """On reception_fact_day. Who received the visitors counts, whoever was announced."""
    return _count(
        connection,
        """
        SELECT count(*) AS reception_days_due, count(*) FILTER (WHERE held_from_at IS NOT NULL) AS reception_days_held
          FROM reception_fact
         WHERE NOT is_cancelled
           AND coalesce(from_at, held_from_at) >= %(start)s::timestamp AT TIME ZONE %(time_zone)s::text
           AND coalesce(from_at, held_from_at) < %(next_start)s::timestamp AT TIME ZONE %(time_zone)s::text
           AND (held_from_at IS NOT NULL OR from_at < %(as_of)s)
           AND (coalesce(held_cadre_id, cadre_id) = %(cadre)s
                OR coalesce(held_organisation_id, organisation_id) = ANY(%(organisations)s::uuid[]))
        """,
        span,
    )


def count_channels(connection: Connection, span: Span) -> dict[str, int]:
    """Of organisations alone, on channel_check_fact_organisation."""
    return _count(
        connection,
        """
        SELECT count(*) AS channels_checked, count(*) FILTER (WHERE is_reached) AS channels_reached
          FROM channel_check_fact
         WHERE organisation_id = ANY(%(organisations)s::uuid[])
           AND checked_at >= %(start)s::timestamp AT TIME ZONE %(time_zone)s::text
           AND checked_at < %(next_start)s::timestamp AT TIME ZONE %(time_zone)s::text
        """,
        span,
    )


def list_cadres_owing(connection: Connection, organisation_ids: Sequence[UUID], period: Period) -> list[UUID]:
    """Who held a post in these organisations in the period."""
    rows = connection.execute(
        """
        SELECT DISTINCT cadre_id
          FROM post
         WHERE organisation_id = ANY(%s) AND from_on < %s AND coalesce(until_on, 'infinity') >= %s
         ORDER BY cadre_id
        """,
        [list(organisation_ids), period.next_start, period.start],
    ).fetchall()
    return [UUID(str(row[0])) for row in rows]


def _count(connection: Connection, query: str, span: Span) -> dict[str, int]:
    cursor = connection.execute(query.encode(), span.parameters(), prepare=False)
    row = cursor.fetchone()
    if row is None or cursor.description is None:
        raise TypeError("an aggregate has one row")
    return {column.name: int(str(value)) for column, value in zip(cursor.description, row, strict=True)}
