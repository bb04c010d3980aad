"""Measures that are counted when somebody asks: what does not add up over months, and what is of few facts.

Of many subjects at once: cadres, or organisations with all below them. Whoever has no case is absent. Each query lives
on the index that its comment names.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from types import MappingProxyType
from typing import Final, LiteralString
from uuid import UUID
from zoneinfo import ZoneInfo

from psycopg import errors, sql

from services.assessment.domain.periods import Period, list_thirds
from services.assessment.domain.scores import SubjectKind
from shared.database import Connection
from shared.errors import Transient

Counts = dict[UUID, dict[str, int]]
FEW_ORGANISATIONS: Final = 100


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

    @property
    def is_large(self) -> bool:
        """Whether there may be more behind it than is counted in passing."""
        return self.kind == "organisation" and len(self.owners) > FEW_ORGANISATIONS

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


OWNERS: Final[dict[SubjectKind, LiteralString]] = {"cadre": "cadre_id", "organisation": "organisation_id"}
ASKED: Final = sql.SQL("unnest(%(subjects)s::uuid[], %(owners)s::uuid[]) AS asked (subject_id, owner_id)")
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

# Of how many organisations it is asked issue by issue who was invited, however many there are elsewhere; of more, all
# invitations of the period are gone through. There is no index by which the contacts of an organisation are found.
_INVITED: Final = {
    True: sql.SQL(
        """
            SELECT subject_id, {fact}_id
              FROM {asked}
             CROSS JOIN LATERAL (
                   SELECT {fact}_id
                     FROM {fact}_fact AS fact
                    WHERE fact.{owner} = owner_id
                      AND EXISTS (
                              SELECT FROM invitation_fact AS invitation
                               WHERE invitation.{fact}_id = fact.{fact}_id
                                 AND invited_at >= %(start)s::timestamp AT TIME ZONE %(time_zone)s::text
                                 AND invited_at < %(next_start)s::timestamp AT TIME ZONE %(time_zone)s::text
                              OFFSET 0)
                   OFFSET 0) AS own
        """
    ),
    False: sql.SQL(
        """
            SELECT DISTINCT subject_id, {fact}_id
              FROM {asked}
              JOIN {fact}_fact AS fact ON fact.{owner} = owner_id
              JOIN invitation_fact USING ({fact}_id)
             WHERE invited_at >= %(start)s::timestamp AT TIME ZONE %(time_zone)s::text
               AND invited_at < %(next_start)s::timestamp AT TIME ZONE %(time_zone)s::text
        """
    ),
}
# Contacts of the period that count: of cadres on contact_fact_cadre, which OFFSET sees to.
_CONTACTS: Final[dict[SubjectKind, sql.SQL]] = {
    "cadre": sql.SQL(
        """
            SELECT subject_id, place_code, population_groups
              FROM {asked}
             CROSS JOIN LATERAL (
                   SELECT place_code, population_groups
                     FROM contact_fact
                    WHERE cadre_id = owner_id
                      AND counts
                      AND occurred_at >= %(start)s::timestamp AT TIME ZONE %(time_zone)s::text
                      AND occurred_at < %(next_start)s::timestamp AT TIME ZONE %(time_zone)s::text
                   OFFSET 0) AS contact
        """
    ),
    "organisation": sql.SQL(
        """
            SELECT subject_id, place_code, population_groups
              FROM {asked}
              JOIN contact_fact ON organisation_id = owner_id
             WHERE counts
               AND occurred_at >= %(start)s::timestamp AT TIME ZONE %(time_zone)s::text
               AND occurred_at < %(next_start)s::timestamp AT TIME ZONE %(time_zone)s::text
        """
    ),
}


class CountingTooLong(Transient):
    """It was given up after its time; nothing is changed by that, and of less it may be told."""

    code = "counting-too-long"


@contextmanager
def limiting(connection: Connection, *, seconds: float) -> Iterator[Callable[[], None]]:
    """Let what is counted here take so long in all: call before each part what is given. Raises CountingTooLong."""
    ends_at = time.monotonic() + seconds

    def limit() -> None:
        left = ends_at - time.monotonic()
        if left <= 0:
            raise _too_long(seconds)
        connection.execute("SELECT set_config('statement_timeout', %s, true)", [f"{ceil(left * 1000)}ms"])

    try:
        limit()
        yield limit
    except errors.QueryCanceled:
        raise _too_long(seconds) from None


def _too_long(seconds: float) -> CountingTooLong:
    return CountingTooLong(f"counting did not end within {seconds:g} seconds; ask for a shorter period or for a part")


@contextmanager
def hashing(connection: Connection) -> Iterator[None]:
    """Have statements join by hashes: of how many rows a step before has made the planner knows nothing, and goes
    through them again and again. Where an index is to find it, OFFSET 0 leaves no other way.
    """
    connection.execute(
        "SET LOCAL work_mem = '64MB'; SET LOCAL enable_sort = off; SET LOCAL enable_mergejoin = off;"
        " SET LOCAL enable_nestloop = off"
    )
    yield
    connection.execute(
        "SET LOCAL work_mem TO DEFAULT; SET LOCAL enable_sort TO DEFAULT; SET LOCAL enable_mergejoin TO DEFAULT;"
        " SET LOCAL enable_nestloop TO DEFAULT"
    )


def count_recurring(connection: Connection, span: Span) -> Counts:
    """On issue_fact_cadre or issue_fact_cell, then issue_fact_citizen: issue by issue, which OFFSET sees to.

    Where most issues are asked about all are put side by side instead.
    """
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
                   {one_by_one})
         GROUP BY subject_id
        """,
        span,
        parts={"one_by_one": sql.SQL("" if span.is_large else "OFFSET 0")},
    )


def count_invitations(connection: Connection, span: Span) -> Counts:
    """By what one was invited to rate, once each, on invitation_fact_issue and invitation_fact_contact."""
    parts = {
        "issues": _INVITED[not span.is_large].format(
            asked=ASKED, owner=sql.SQL(OWNERS[span.kind]), fact=sql.SQL("issue")
        ),
        "contacts": _INVITED[span.kind == "cadre"].format(
            asked=ASKED, owner=sql.SQL(OWNERS[span.kind]), fact=sql.SQL("contact")
        ),
    }
    return _count(
        connection,
        """
        WITH invited_issue AS (
            {issues}
        ), invited_contact AS (
            {contacts}
        ), invited AS (
            SELECT subject_id,
                   EXISTS (SELECT FROM rating_fact AS rating
                            WHERE rating.issue_id = invited.issue_id AND rated_at IS NOT NULL) AS is_rated
              FROM invited_issue AS invited
             UNION ALL
            SELECT subject_id,
                   EXISTS (SELECT FROM rating_fact AS rating
                            WHERE rating.contact_id = invited.contact_id AND rated_at IS NOT NULL)
              FROM invited_contact AS invited
        )
        SELECT subject_id, count(*) AS invitations, count(*) FILTER (WHERE is_rated) AS invitations_rated
          FROM invited
         GROUP BY subject_id
        """,
        span,
        parts=parts,
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
            {contacts}
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
        parts={"places": _PLACES[span.kind].format(asked=ASKED), "contacts": _CONTACTS[span.kind].format(asked=ASKED)},
    )


def count_spans(connection: Connection, span: Span) -> Counts:
    """The thirds of months that began in the period, are over, and in which a post was held; on contact_fact_cadre.

    A third is known by its number, which is what width_bucket finds of a day.
    """
    bounds = [day for day in list_thirds(span.period) if day <= span.as_of.astimezone(ZoneInfo(span.time_zone)).date()]
    if len(bounds) < 2:  # none of them is over
        return {}
    return _count(
        connection,
        """
        SELECT subject_id, sum(held_count) AS spans_held, sum(active_count) AS spans_active
          FROM (SELECT subject_id, cadre_id, range_agg(int4range(first, greatest(first, last + 1))) AS thirds
                  FROM {asked}
                  JOIN post ON post.{owner} = owner_id
                 CROSS JOIN LATERAL (
                       SELECT greatest(width_bucket(from_on::date, %(bounds)s::date[]), 1) AS first,
                              least(width_bucket(coalesce(until_on, 'infinity')::date, %(bounds)s::date[]),
                                    cardinality(%(bounds)s::date[]) - 1) AS last) AS third
                 WHERE from_on < %(over_on)s
                   AND coalesce(until_on, 'infinity') >= %(begun_on)s
                 GROUP BY subject_id, cadre_id) AS held
         CROSS JOIN LATERAL (
               SELECT coalesce(sum(upper(third) - lower(third)), 0) AS held_count
                 FROM unnest(thirds) AS third) AS counted
         CROSS JOIN LATERAL (
               SELECT count(DISTINCT third) FILTER (WHERE third <@ thirds) AS active_count
                 FROM contact_fact AS contact
                CROSS JOIN LATERAL (
                      SELECT width_bucket((occurred_at AT TIME ZONE %(time_zone)s::text)::date, %(bounds)s::date[])
                        AS third) AS met
                WHERE contact.cadre_id = held.cadre_id
                  AND contact.counts
                  AND occurred_at >= %(begun_on)s::timestamp AT TIME ZONE %(time_zone)s::text
                  AND occurred_at < %(over_on)s::timestamp AT TIME ZONE %(time_zone)s::text) AS active
         GROUP BY subject_id
        """,
        span,
        {"bounds": bounds, "begun_on": bounds[0], "over_on": bounds[-1]},
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


def _count(
    connection: Connection,
    query: LiteralString,
    span: Span,
    more: Mapping[str, object] = MappingProxyType({}),
    *,
    parts: Mapping[str, sql.Composable] = MappingProxyType({}),
) -> Counts:
    """The subject stands first in each row."""
    statement = sql.SQL(query).format(asked=ASKED, owner=sql.SQL(OWNERS[span.kind]), **parts)
    with hashing(connection) if span.is_large else nullcontext():
        cursor = connection.execute(statement, {**span.parameters(), **more}, prepare=False)
    columns = [column.name for column in cursor.description or ()][1:]
    return {
        UUID(str(subject_id)): {name: int(str(value)) for name, value in zip(columns, values, strict=True)}
        for subject_id, *values in cursor
    }
