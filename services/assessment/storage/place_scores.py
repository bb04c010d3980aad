"""What the schemes of places make of closed periods: which are to be scored, by which scheme, and the results."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import class_row

from services.assessment.domain.periods import Period, PeriodKind
from services.assessment.domain.scores import SubjectKind
from shared.database import Connection

PLACES_LOCK = 0x506C6163


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedSubject:
    """A publication with the scheme that holds for it."""

    subject_kind: SubjectKind
    subject_id: UUID
    subject_code: str
    organisation_id: UUID | None
    document: str
    name: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceScore:
    subject_code: str
    document: str
    content_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _ClosedDays:
    period_kind: PeriodKind
    period_start: date
    period_end: date


def try_lock_places(connection: Connection) -> bool:
    row = connection.execute("SELECT pg_try_advisory_xact_lock(%s)", [PLACES_LOCK]).fetchone()
    return row is not None and row[0] is True


def find_period_to_score(connection: Connection) -> Period | None:
    """The oldest closed period that the schemes of places have not been put to."""
    with connection.cursor(row_factory=class_row(_ClosedDays)) as cursor:
        row = cursor.execute(
            """
            SELECT period_kind, period_start, period_end
              FROM closed_period
             WHERE NOT EXISTS (SELECT
                                 FROM place_pass
                                WHERE place_pass.period_start = closed_period.period_start
                                  AND place_pass.period_end = closed_period.period_end
                                  AND place_pass.period_kind = closed_period.period_kind)
             ORDER BY period_end, period_start DESC, period_kind
             LIMIT 1
            """
        ).fetchone()
    if row is None:
        return None
    last = row.period_end if row.period_kind == "custom" else None
    return Period(kind=row.period_kind, start=row.period_start, last=last)


def list_published_under_schemes(connection: Connection, period: Period) -> list[PublishedSubject]:
    """The publications of the period for which a scheme holds on its first day, each with it.

    Of several the one of the nearest place goes first, then one that names the peer group.
    """
    with connection.cursor(row_factory=class_row(PublishedSubject)) as cursor:
        return cursor.execute(
            """
            WITH RECURSIVE held AS (
                SELECT subject_kind, name, version, place, peer_group
                  FROM scheme_validity
                 WHERE from_on <= %(start)s
                   AND coalesce(until_on >= %(start)s, true)
            ), published AS (
                SELECT subject_kind, subject_id, subject_code, organisation_id, document,
                       coalesce(document::json->>'peer_group', '') AS peer_group
                  FROM publication
                 WHERE EXISTS (SELECT FROM held)
                   AND period_kind = %(kind)s
                   AND period_start = %(start)s
                   AND period_end = %(end)s
            ), above AS (
                SELECT DISTINCT organisation_id AS home_id, organisation_id, organisation.code::text AS code, parent_id,
                       0 AS distance
                  FROM published
                  JOIN organisation USING (organisation_id)
                 UNION ALL
                SELECT home_id, parent.organisation_id, parent.code::text, parent.parent_id, distance + 1
                  FROM above
                  JOIN organisation AS parent ON parent.organisation_id = above.parent_id
                 WHERE distance < 20
            )
            SELECT subject_kind, subject_id, subject_code, published.organisation_id, document, name, version
              FROM published
             CROSS JOIN LATERAL (
                   SELECT name, version
                     FROM held
                     LEFT JOIN above ON home_id = published.organisation_id AND code = place
                    WHERE held.subject_kind = published.subject_kind
                      AND (place = '' OR code IS NOT NULL)
                      AND held.peer_group IN (published.peer_group, '')
                    ORDER BY place = '', distance, held.peer_group = '', name, version
                    LIMIT 1) AS chosen
             ORDER BY name, version, subject_code COLLATE "C", subject_id
            """,
            {"kind": period.kind, "start": period.start, "end": period.end},
            prepare=False,
        ).fetchall()


def insert_place_scores(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    connection.execute(
        """
        INSERT INTO place_score (subject_kind, subject_id, subject_code, organisation_id, period_kind, period_start,
                                 period_end, scheme_name, scheme_version, document, content_hash)
        SELECT subject_kind, subject_id, subject_code, organisation_id, period_kind, period_start, period_end,
               scheme_name, scheme_version, document, decode(content_hash, 'hex')
          FROM json_to_recordset(%s::json)
            AS row (subject_kind text, subject_id uuid, subject_code text, organisation_id uuid, period_kind text,
                    period_start date, period_end date, scheme_name text, scheme_version integer, document text,
                    content_hash text)
        """,
        [orjson.dumps(rows).decode()],
    )


def insert_place_pass(
    connection: Connection, period: Period, *, score_count: int, failed: Sequence[str], done_at: datetime
) -> None:
    connection.execute(
        """
        INSERT INTO place_pass (period_kind, period_start, period_end, score_count, failed, done_at)
        VALUES (%s, %s, %s, %s, %s, %s)
        """,
        [period.kind, period.start, period.end, score_count, list(failed), done_at],
    )


def list_place_scores(
    connection: Connection, kind: SubjectKind, period: Period, *, code: str | None, after: str | None, limit: int
) -> list[PlaceScore]:
    """By code, on place_score_by_code; of one code where it is named."""
    with connection.cursor(row_factory=class_row(PlaceScore)) as cursor:
        return cursor.execute(
            """
            SELECT subject_code, document, content_hash
              FROM place_score
             WHERE subject_kind = %(kind)s
               AND period_kind = %(period_kind)s
               AND period_start = %(start)s
               AND period_end = %(end)s
               AND (%(code)s::text IS NULL OR subject_code COLLATE "C" = %(code)s)
               AND (%(after)s::text IS NULL OR subject_code COLLATE "C" > %(after)s)
             ORDER BY subject_code COLLATE "C", subject_id
             LIMIT %(limit)s
            """,
            {
                "kind": kind,
                "period_kind": period.kind,
                "start": period.start,
                "end": period.end,
                "code": code,
                "after": after,
                "limit": limit,
            },
        ).fetchall()
