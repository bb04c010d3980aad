"""What is held about one citizen, for that citizen: their own words and what became of them, no staff's notes."""

from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from psycopg.rows import class_row

from shared.database import Connection

MOST = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosedIssue:
    id: UUID
    type: str
    category: str
    channel: str
    title: bytes | None = field(repr=False)
    description: bytes | None = field(repr=False)
    reply: bytes | None = field(repr=False)
    received_at: datetime
    status: str
    closed_at: datetime | None
    outcome: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosedContact:
    id: UUID
    kind: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosedRating:
    id: UUID
    issue_id: UUID | None
    contact_id: UUID | None
    level: int
    solved: bool | None
    method: str
    rated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosedHousehold:
    """The contact household that the citizen heads, or headed."""

    id: UUID
    number: str
    place_code: str
    population_group: str
    from_on: date
    until_on: date | None


def list_issues(connection: Connection, citizen_ref: UUID) -> list[DisclosedIssue]:
    with connection.cursor(row_factory=class_row(DisclosedIssue)) as cursor:
        return cursor.execute(
            """
            SELECT id, type, category, channel, title_sealed AS title, description_sealed AS description,
                   reply_sealed AS reply, received_at, status, closed_at, outcome
              FROM issue
             WHERE citizen_ref = %s
             ORDER BY received_at, id
             LIMIT %s
            """,
            [citizen_ref, MOST],
        ).fetchall()


def list_contacts(connection: Connection, citizen_ref: UUID) -> list[DisclosedContact]:
    with connection.cursor(row_factory=class_row(DisclosedContact)) as cursor:
        return cursor.execute(
            """
            SELECT id, kind, occurred_at
              FROM contact
             WHERE citizen_ref = %s
             ORDER BY occurred_at, id
             LIMIT %s
            """,
            [citizen_ref, MOST],
        ).fetchall()


def list_ratings(connection: Connection, citizen_ref: UUID) -> list[DisclosedRating]:
    with connection.cursor(row_factory=class_row(DisclosedRating)) as cursor:
        return cursor.execute(
            """
            SELECT id, issue_id, contact_id, level, solved, method, rated_at
              FROM rating
             WHERE rater_ref = %s
             ORDER BY rated_at, id
             LIMIT %s
            """,
            [citizen_ref, MOST],
        ).fetchall()


def list_households(connection: Connection, citizen_ref: UUID) -> list[DisclosedHousehold]:
    with connection.cursor(row_factory=class_row(DisclosedHousehold)) as cursor:
        return cursor.execute(
            """
            SELECT id, number, place_code, population_group, from_on, until_on
              FROM contact_household
             WHERE citizen_ref = %s
             ORDER BY from_on, id
             LIMIT %s
            """,
            [citizen_ref, MOST],
        ).fetchall()
