"""Opinions that citizens gave in consultations, in the database."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from psycopg.errors import UniqueViolation
from psycopg.rows import class_row

from services.intake.domain.consultations import Stance
from shared.database import Connection
from shared.errors import Conflict


class AlreadyGiven(Conflict):
    """One phone gives one opinion in a consultation."""

    code = "opinion-already-given"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedOpinion:
    id: UUID
    stance: Stance | None
    channel: Literal["web", "staff"]
    text_sealed: bytes | None
    name_sealed: bytes | None
    phone_sealed: bytes | None
    given_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOpinion:
    opinion: SealedOpinion
    consultation_id: UUID
    phone_handle: bytes | None
    person_handle: bytes | None


def insert_opinion(connection: Connection, new: NewOpinion) -> None:
    """The same opinion sent again changes nothing. Raises AlreadyGiven."""
    opinion = new.opinion
    try:
        connection.execute(
            """
            INSERT INTO opinion (id, consultation_id, stance, channel, text_sealed, name_sealed, phone_sealed,
                                 phone_handle, person_handle, given_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
                ON CONFLICT (id) DO NOTHING
            """,
            [
                opinion.id,
                new.consultation_id,
                opinion.stance,
                opinion.channel,
                opinion.text_sealed,
                opinion.name_sealed,
                opinion.phone_sealed,
                new.phone_handle,
                new.person_handle,
                opinion.given_at,
            ],
        )
    except UniqueViolation as error:
        if error.diag.constraint_name != "opinion_phone":
            raise
        raise AlreadyGiven("an opinion was given under this phone already") from None


def list_opinions(
    connection: Connection, consultation_id: UUID, *, after: tuple[datetime, UUID], limit: int
) -> list[SealedOpinion]:
    with connection.cursor(row_factory=class_row(SealedOpinion)) as cursor:
        return cursor.execute(
            """
            SELECT id, stance, channel, text_sealed, name_sealed, phone_sealed, given_at
              FROM opinion
             WHERE consultation_id = %s
               AND (given_at, id) > (%s, %s)
             ORDER BY given_at, id
             LIMIT %s
            """,
            [consultation_id, *after, limit],
        ).fetchall()


def count_opinions(connection: Connection, consultation_id: UUID) -> int:
    row = connection.execute("SELECT count(*) FROM opinion WHERE consultation_id = %s", [consultation_id]).fetchone()
    return int(str(row[0])) if row else 0


def measure_known(connection: Connection, before: datetime) -> tuple[int, datetime | None]:
    """How many opinions of consultations that ended before then still say something, and when the oldest ended."""
    row = connection.execute(
        """
        SELECT count(*), min(coalesce(asked.answered_at, asked.closes_at))
          FROM opinion
          JOIN consultation AS asked ON asked.id = opinion.consultation_id
         WHERE opinion.forgotten_at IS NULL
           AND coalesce(asked.answered_at, asked.closes_at) < %s
           AND NOT is_held('consultation', asked.id::text)
        """,
        [before],
    ).fetchone()
    return (int(str(row[0])), row[1]) if row else (0, None)  # type: ignore[return-value] # a row is a tuple of objects


def forget_known(connection: Connection, before: datetime, batch: int) -> int:
    """Empty at most so many of these opinions; return how many. That they were given, and how, stays."""
    return connection.execute(
        """
        UPDATE opinion
           SET text_sealed = NULL, name_sealed = NULL, phone_sealed = NULL, phone_handle = NULL, person_handle = NULL,
               forgotten_at = now()
         WHERE id IN (SELECT opinion.id
                        FROM opinion
                        JOIN consultation AS asked ON asked.id = opinion.consultation_id
                       WHERE opinion.forgotten_at IS NULL
                         AND coalesce(asked.answered_at, asked.closes_at) < %s
                         AND NOT is_held('consultation', asked.id::text)
                       LIMIT %s
                         FOR UPDATE OF opinion SKIP LOCKED)
        """,
        [before, batch],
    ).rowcount
