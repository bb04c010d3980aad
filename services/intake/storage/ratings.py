"""Ratings in the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import class_row

from services.intake.domain.ratings import Answers
from services.intake.domain.repeats import Named
from services.intake.storage.names import list_names
from shared.database import Connection
from shared.errors import NotFound


class RatingNotFound(NotFound):
    code = "rating-not-found"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRating:
    id: UUID
    source: str
    source_number: str | None
    issue_id: UUID | None
    contact_id: UUID | None
    rated_at: datetime
    content_hash: bytes
    rater_ref: UUID | None = None


def insert_ratings(
    connection: Connection, rows: Sequence[Mapping[str, Any]], *, recorded_at: datetime
) -> list[StoredRating]:
    """Insert ratings; those whose id or number is taken, or that rate nothing known, are left out."""
    with connection.cursor(row_factory=class_row(StoredRating)) as cursor:
        return cursor.execute(
            """
            INSERT INTO rating (id, source, source_number, issue_id, contact_id, level, solved, attitude, speed, method,
                                rated_at, recorded_at, flags, content_hash, owner_organisation_id, rater_ref)
            SELECT item.id, item.source, item.source_number, coalesce(issue.id, numbered_issue.id),
                   coalesce(contact.id, numbered_contact.id), item.level, item.solved, item.attitude, item.speed,
                   item.method, item.rated_at, %s, item.flags, item.content_hash,
                   coalesce(issue.owner_organisation_id, contact.owner_organisation_id,
                            numbered_issue.owner_organisation_id, numbered_contact.owner_organisation_id),
                   coalesce(issue.citizen_ref, contact.citizen_ref, numbered_issue.citizen_ref,
                            numbered_contact.citizen_ref)
              FROM ROWS FROM (json_to_recordset(%s::json)
                  AS (id uuid, source text, source_number text, issue_id uuid, contact_id uuid,
                      issue_source_number text, contact_source_number text, level smallint, solved boolean,
                      attitude smallint, speed smallint, method text, rated_at timestamptz, flags text[],
                      content_hash bytea)) WITH ORDINALITY AS item
              LEFT JOIN issue ON issue.id = item.issue_id
              LEFT JOIN contact ON contact.id = item.contact_id
              LEFT JOIN issue AS numbered_issue
                ON numbered_issue.source = item.source
               AND numbered_issue.source_number = item.issue_source_number
               AND numbered_issue.source_number IS NOT NULL
              LEFT JOIN contact AS numbered_contact
                ON numbered_contact.source = item.source
               AND numbered_contact.source_number = item.contact_source_number
               AND numbered_contact.source_number IS NOT NULL
             WHERE num_nonnulls(issue.id, contact.id, numbered_issue.id, numbered_contact.id) = 1
               AND ((SELECT reaches_everything())
                    OR is_within_reach(coalesce(issue.owner_organisation_id, contact.owner_organisation_id,
                                                numbered_issue.owner_organisation_id,
                                                numbered_contact.owner_organisation_id)))
             ORDER BY item.source_number, CASE WHEN item.source_number IS NULL THEN item.id END, item.ordinality
                ON CONFLICT DO NOTHING
            RETURNING id, source, source_number, issue_id, contact_id, rated_at, content_hash, rater_ref
            """,
            [recorded_at, orjson.dumps(rows).decode()],
        ).fetchall()


def list_standing_ratings(connection: Connection, wanted: Sequence[Named]) -> list[StoredRating]:
    """List the ratings that have the id of one of these commands, or its number of the source."""
    with connection.cursor(row_factory=class_row(StoredRating)) as cursor:
        return cursor.execute(
            """
            SELECT id, source, source_number, issue_id, contact_id, rated_at, content_hash, rater_ref
              FROM rating
             WHERE id = ANY(%s)
             UNION
            SELECT rating.id, rating.source, rating.source_number, rating.issue_id, rating.contact_id,
                   rating.rated_at, rating.content_hash, rating.rater_ref
              FROM unnest(%s::text[], %s::text[]) AS wanted (source, source_number)
              JOIN rating
                ON rating.source = wanted.source
               AND rating.source_number = wanted.source_number
               AND rating.source_number IS NOT NULL
            """,
            list_names(wanted),
        ).fetchall()


def insert_traces(connection: Connection, rows: Sequence[Mapping[str, Any]], *, recorded_at: datetime) -> None:
    connection.execute(
        """
        INSERT INTO rating_trace (rating_id, network, device, fill_seconds, recorded_at)
        SELECT rating_id, network, device, fill_seconds, %s
          FROM json_to_recordset(%s::json)
            AS row (rating_id uuid, network bytea, device bytea, fill_seconds integer)
        """,
        [recorded_at, orjson.dumps(rows).decode()],
    )


def set_answers(connection: Connection, rating_id: UUID, answers: Answers) -> int:
    """Put these answers in the place of the ones before; return the sequence of the change."""
    row = connection.execute(
        """
        UPDATE rating
           SET level = %s, solved = %s, attitude = %s, speed = %s, sequence = sequence + 1
         WHERE id = %s
        RETURNING sequence
        """,
        [answers.level, answers.solved, answers.attitude, answers.speed, rating_id],
    ).fetchone()
    if row is None:
        raise RatingNotFound("there is no such rating")
    return int(str(row[0]))


def list_ratings(connection: Connection, rating_ids: Sequence[UUID]) -> list[StoredRating]:
    with connection.cursor(row_factory=class_row(StoredRating)) as cursor:
        return cursor.execute(
            """
            SELECT id, source, source_number, issue_id, contact_id, rated_at, content_hash, rater_ref
              FROM rating
             WHERE id = ANY(%s)
            """,
            [list(rating_ids)],
        ).fetchall()


def list_rater_keys(connection: Connection, refs: Sequence[UUID]) -> dict[UUID, bytes]:
    """The wrapped keys of raters who are known and not restricted."""
    rows = connection.execute(
        """
        SELECT citizen_key.citizen_ref, citizen_key.wrapped
          FROM citizen_key
          JOIN citizen ON citizen.ref = citizen_key.citizen_ref AND citizen.state = 'active'
         WHERE citizen.ref = ANY(%s)
        """,
        [list(refs)],
    ).fetchall()
    return {UUID(str(ref)): wrapped for ref, wrapped in rows}  # type: ignore[misc] # psycopg types a row as objects
