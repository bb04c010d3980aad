"""Sketches of issues in the database: which are still to be made, and which are like one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import class_row

from services.intake.domain.issues.life import State
from shared.database import Connection

MOST_CANDIDATES = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedWords:
    """What an issue says, sealed; its citizen's key is absent where nobody may read it."""

    id: UUID
    received_at: datetime
    title: str | None = field(repr=False)
    title_sealed: bytes | None = field(repr=False)
    description: str | None = field(repr=False)
    description_sealed: bytes | None = field(repr=False)
    citizen_ref: UUID | None
    citizen_key: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    id: UUID
    sketch: bytes
    status: State
    received_at: datetime
    organisation_code: str | None
    is_same_category: bool
    is_same_unit: bool
    is_near: bool


def lock_unsketched(connection: Connection, *, limit: int) -> list[SealedWords]:
    """Hold the oldest of them, on issue_unsketched."""
    with connection.cursor(row_factory=class_row(SealedWords)) as cursor:
        return cursor.execute(
            """
            SELECT issue.id, issue.received_at, issue.title, issue.title_sealed, issue.description,
                   issue.description_sealed, issue.citizen_ref,
                   CASE WHEN coalesce(citizen.state, 'active') = 'active' THEN citizen_key.wrapped END AS citizen_key
              FROM issue
              LEFT JOIN citizen ON citizen.ref = issue.citizen_ref
              LEFT JOIN citizen_key ON citizen_key.citizen_ref = issue.citizen_ref
             WHERE NOT issue.is_sketched
             ORDER BY issue.received_at
             LIMIT %s
               FOR UPDATE OF issue SKIP LOCKED
            """,
            [limit],
        ).fetchall()


def insert_sketches(connection: Connection, rows: Sequence[Mapping[str, Any]], *, looked_at: Sequence[UUID]) -> None:
    connection.execute(
        """
        INSERT INTO issue_likeness (issue_id, received_at, bands, sketch)
        SELECT issue_id, received_at, bands, sketch
          FROM json_to_recordset(%s::json)
            AS item (issue_id uuid, received_at timestamptz, bands bigint[], sketch bytea)
            ON CONFLICT DO NOTHING
        """,
        [orjson.dumps(rows).decode()],
    )
    connection.execute("UPDATE issue SET is_sketched = true WHERE id = ANY(%s)", [list(looked_at)])


def remove_before(connection: Connection, instant: datetime, *, limit: int) -> int:
    return connection.execute(
        """
        DELETE FROM issue_likeness
         WHERE issue_id IN (SELECT issue_id FROM issue_likeness WHERE received_at < %s LIMIT %s)
        """,
        [instant, limit],
    ).rowcount


def list_candidates(connection: Connection, issue_id: UUID, bands: Sequence[int]) -> list[Candidate]:
    """List the issues within reach that share a band with this one, the newest first, on issue_likeness_bands."""
    with connection.cursor(row_factory=class_row(Candidate)) as cursor:
        return cursor.execute(
            """
            SELECT other.id, alike.sketch, other.status, other.received_at,
                   code_of(other.organisation_id) AS organisation_code,
                   other.category = asked.category AS is_same_category,
                   coalesce(other.organisation_id = asked.organisation_id, false) AS is_same_unit,
                   coalesce((there.latitude, there.longitude) = (here.latitude, here.longitude), false) AS is_near
              FROM issue AS asked
              JOIN issue_likeness AS alike ON alike.bands && %s::bigint[]
              JOIN issue AS other ON other.id = alike.issue_id
              LEFT JOIN filing AS here ON here.issue_id = asked.id
              LEFT JOIN filing AS there ON there.issue_id = other.id
             WHERE asked.id = %s
               AND other.id <> asked.id
               AND other.merged_into IS NULL
               AND other.subject_id IS NOT DISTINCT FROM asked.subject_id
             ORDER BY other.received_at DESC
             LIMIT %s
            """,
            [list(bands), issue_id, MOST_CANDIDATES],
        ).fetchall()
