"""The facts behind an indicator, page by page, and the events behind the facts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from services.assessment.domain.measures import ContactFact, IssueFact, RatingFact
from services.assessment.domain.periods import Period
from shared.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whose facts, and of which period: a cadre's, or those of an organisation with everything below it."""

    period: Period
    time_zone: str
    cadre_id: UUID | None = None
    organisation_ids: tuple[UUID, ...] | None = None
    after_at: datetime | None = None
    after_id: UUID | None = None
    limit: int = 50

    def parameters(self) -> dict[str, object]:
        return {
            "start": self.period.start,
            "first_month": self.period.months_touched[0].start,
            "next_start": self.period.next_start,
            "time_zone": self.time_zone,
            "cadre_id": self.cadre_id,
            "organisation_ids": None if self.organisation_ids is None else list(self.organisation_ids),
            "after_at": self.after_at,
            "after_id": self.after_id,
            "limit": self.limit,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedEvent:
    event_id: UUID
    event_type: str
    aggregate_id: UUID
    sequence: int
    occurred_at: datetime | None
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenFact:
    """What a reader knows a fact by: what it is, of which kind, and when it was."""

    fact_id: UUID
    fact: str
    kind: str | None
    at: datetime


def list_issue_facts(connection: Connection, scope: Scope) -> list[IssueFact]:
    """By way of the tallied cells (tally_cadre or the key, then issue_fact_cell): what was counted is shown."""
    with connection.cursor(row_factory=class_row(IssueFact)) as cursor:
        return cursor.execute(
            """
            SELECT issue_id, fact.organisation_id, fact.cadre_id, category, received_at, respond_by, due_at,
                   responded_at, closed_at, outcome, fact.denied, fact.merged_into, issue_type, replied_at, is_reopened,
                   is_redone, is_returned, suggestion_answered_at
              FROM tally
              JOIN issue_fact AS fact
                ON fact.organisation_id = tally.organisation_id
               AND fact.cadre_id = tally.cadre_id
               AND received_at >= greatest(month, %(start)s)::timestamp AT TIME ZONE %(time_zone)s::text
               AND received_at < least(month + interval '1 month', %(next_start)s) AT TIME ZONE %(time_zone)s::text
               AND excluded IS DISTINCT FROM 'all'
             WHERE month >= %(first_month)s AND month < %(next_start)s
               AND (%(cadre_id)s::uuid IS NULL OR tally.cadre_id = %(cadre_id)s)
               AND (%(organisation_ids)s::uuid[] IS NULL OR tally.organisation_id = ANY(%(organisation_ids)s))
               AND (%(after_at)s::timestamptz IS NULL OR (received_at, issue_id) > (%(after_at)s, %(after_id)s))
             ORDER BY received_at, issue_id
             LIMIT %(limit)s
            """,
            scope.parameters(),
            prepare=False,
        ).fetchall()


def list_rating_facts(connection: Connection, scope: Scope) -> list[RatingFact]:
    with connection.cursor(row_factory=class_row(RatingFact)) as cursor:
        return cursor.execute(
            """
            SELECT rating_id, issue_id, contact_id, fact.organisation_id, fact.cadre_id, level, solved, rated_at,
                   attitude, speed
              FROM tally
              JOIN rating_fact AS fact
                ON fact.organisation_id = tally.organisation_id
               AND fact.cadre_id = tally.cadre_id
               AND NOT fact.is_set_aside
               AND NOT fact.is_excluded
               AND rated_at >= greatest(month, %(start)s)::timestamp AT TIME ZONE %(time_zone)s::text
               AND rated_at < least(month + interval '1 month', %(next_start)s) AT TIME ZONE %(time_zone)s::text
             WHERE month >= %(first_month)s AND month < %(next_start)s
               AND (%(cadre_id)s::uuid IS NULL OR tally.cadre_id = %(cadre_id)s)
               AND (%(organisation_ids)s::uuid[] IS NULL OR tally.organisation_id = ANY(%(organisation_ids)s))
               AND (%(after_at)s::timestamptz IS NULL OR (rated_at, rating_id) > (%(after_at)s, %(after_id)s))
             ORDER BY rated_at, rating_id
             LIMIT %(limit)s
            """,
            scope.parameters(),
            prepare=False,
        ).fetchall()


def list_contact_facts(connection: Connection, scope: Scope) -> list[ContactFact]:
    """For an organisation, the contacts of the cadres who owed contact for it as well as those recorded for it."""
    with connection.cursor(row_factory=class_row(ContactFact)) as cursor:
        return cursor.execute(
            """
            SELECT contact_id, fact.organisation_id, fact.cadre_id, kind, occurred_at, counts
              FROM (SELECT DISTINCT cadre_id, month
                      FROM tally
                     WHERE month >= %(first_month)s AND month < %(next_start)s
                       AND (%(cadre_id)s::uuid IS NULL OR cadre_id = %(cadre_id)s)
                       AND (%(organisation_ids)s::uuid[] IS NULL OR organisation_id = ANY(%(organisation_ids)s))
                   ) AS tally
              JOIN contact_fact AS fact
                ON fact.cadre_id = tally.cadre_id
               AND occurred_at >= greatest(month, %(start)s)::timestamp AT TIME ZONE %(time_zone)s::text
               AND occurred_at < least(month + interval '1 month', %(next_start)s) AT TIME ZONE %(time_zone)s::text
             WHERE (%(after_at)s::timestamptz IS NULL OR (occurred_at, contact_id) > (%(after_at)s, %(after_id)s))
             ORDER BY occurred_at, contact_id
             LIMIT %(limit)s
            """,
            scope.parameters(),
            prepare=False,
        ).fetchall()


def count_earlier_contacts(connection: Connection, asked: Sequence[tuple[ContactFact, datetime]]) -> list[int]:
    """For each contact, how many of the same cadre and kind came before it since an instant, on contact_fact_cadre."""
    rows = connection.execute(
        """
        SELECT count(earlier.contact_id)
          FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::timestamptz[], %s::timestamptz[]) WITH ORDINALITY
            AS asked (contact_id, cadre_id, kind, occurred_at, since, place)
          LEFT JOIN contact_fact AS earlier
            ON earlier.cadre_id = asked.cadre_id
           AND earlier.kind = asked.kind
           AND earlier.counts
           AND earlier.occurred_at >= since
           AND (earlier.occurred_at, earlier.contact_id) < (asked.occurred_at, asked.contact_id)
         GROUP BY place
         ORDER BY place
        """,
        [
            [contact.contact_id for contact, _ in asked],
            [contact.cadre_id for contact, _ in asked],
            [contact.kind for contact, _ in asked],
            [contact.occurred_at for contact, _ in asked],
            [since for _, since in asked],
        ],
        prepare=False,
    ).fetchall()
    return [int(str(row[0])) for row in rows]


def list_denials(connection: Connection, issue_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """The issue by rating, for ratings that say an issue is not solved."""
    rows = connection.execute(
        """
        SELECT rating_id, issue_id
          FROM rating_fact
         WHERE issue_id = ANY(%s)
           AND NOT solved
           AND NOT is_set_aside
           AND NOT is_excluded
        """,
        [list(issue_ids)],
    ).fetchall()
    return {UUID(str(row[0])): UUID(str(row[1])) for row in rows}


def list_calls(connection: Connection, fact_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """The issue or contact by call or other invitation to rate it; on invitation_fact_issue and _contact.

    Whoever reads with a reach knows of none: this is for who has made sure that the facts are within it.
    """
    rows = connection.execute(
        """
        SELECT invitation_id, issue_id FROM invitation_fact WHERE issue_id = ANY(%(ids)s)
         UNION ALL
        SELECT invitation_id, contact_id FROM invitation_fact WHERE contact_id = ANY(%(ids)s)
        """,
        {"ids": list(fact_ids)},
        prepare=False,
    ).fetchall()
    return {UUID(str(row[0])): UUID(str(row[1])) for row in rows}


def list_events(connection: Connection, aggregate_ids: Sequence[UUID]) -> list[LoggedEvent]:
    """On event_aggregate_order."""
    with connection.cursor(row_factory=class_row(LoggedEvent)) as cursor:
        return cursor.execute(
            """
            SELECT event_id, event_type, aggregate_id, sequence, occurred_at, recorded_at
              FROM event
             WHERE aggregate_id = ANY(%s)
             ORDER BY aggregate_id, sequence
            """,
            [list(aggregate_ids)],
        ).fetchall()


def list_codes(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, str]:
    """Codes of organisations and staff numbers of cadres."""
    rows = connection.execute(
        """
        SELECT organisation_id, code FROM organisation WHERE organisation_id = ANY(%(ids)s)
         UNION ALL
        SELECT cadre_id, staff_number FROM cadre WHERE cadre_id = ANY(%(ids)s)
        """,
        {"ids": list(ids)},
    ).fetchall()
    return {UUID(str(row[0])): str(row[1]) for row in rows}


def list_seen(connection: Connection, ids: Sequence[UUID]) -> list[SeenFact]:
    """By the keys of the three tables."""
    with connection.cursor(row_factory=class_row(SeenFact)) as cursor:
        return cursor.execute(
            """
            SELECT issue_id AS fact_id, 'issue' AS fact, category AS kind, received_at AS at
              FROM issue_fact
             WHERE issue_id = ANY(%(ids)s)
             UNION ALL
            SELECT contact_id, 'contact', kind, occurred_at
              FROM contact_fact
             WHERE contact_id = ANY(%(ids)s)
             UNION ALL
            SELECT rating_id, 'rating', NULL, rated_at
              FROM rating_fact
             WHERE rating_id = ANY(%(ids)s)
            """,
            {"ids": list(ids)},
        ).fetchall()
