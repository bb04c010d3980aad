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
    """A publication with the scheme that holds for it, or that it was scored by."""

    subject_kind: SubjectKind
    subject_id: UUID
    subject_code: str
    organisation_id: UUID | None
    document: str
    content_hash: bytes
    name: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceScore:
    subject_code: str
    document: str
    content_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacePass:
    """`failed` schemes could not be put to what is published. No hash where it is of before there was one."""

    score_count: int
    failed: list[str]
    content_hash: bytes | None
    done_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedScheme:
    name: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredPublication:
    """A score beside the publication that it was made of."""

    subject_kind: SubjectKind
    subject_id: UUID
    scheme_name: str
    scheme_version: int
    publication: str
    publication_hash: bytes
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
                SELECT subject_kind, subject_id, subject_code, organisation_id, document, content_hash,
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
            SELECT subject_kind, subject_id, subject_code, published.organisation_id, document, content_hash, name,
                   version
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


def insert_place_pass(connection: Connection, period: Period, done: PlacePass) -> None:
    connection.execute(
        """
        INSERT INTO place_pass (period_kind, period_start, period_end, score_count, failed, content_hash, done_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s)
        """,
        [period.kind, period.start, period.end, done.score_count, done.failed, done.content_hash, done.done_at],
    )


def find_place_pass(connection: Connection, period: Period) -> PlacePass | None:
    with connection.cursor(row_factory=class_row(PlacePass)) as cursor:
        return cursor.execute(
            """
            SELECT score_count, failed, content_hash, done_at
              FROM place_pass
             WHERE period_kind = %s
               AND period_start = %s
               AND period_end = %s
            """,
            [period.kind, period.start, period.end],
        ).fetchone()


def list_scored_by(connection: Connection, period: Period, name: str, version: int) -> list[PublishedSubject]:
    """All who were scored by one scheme, with their publications, in the order in which they were one table."""
    with connection.cursor(row_factory=class_row(PublishedSubject)) as cursor:
        return cursor.execute(
            """
            SELECT subject_kind, subject_id, publication.subject_code, publication.organisation_id,
                   publication.document, publication.content_hash, place_score.scheme_name AS name,
                   place_score.scheme_version AS version
              FROM place_score
              JOIN publication USING (subject_kind, subject_id, period_kind, period_start, period_end)
             WHERE period_kind = %(kind)s
               AND period_start = %(start)s
               AND period_end = %(end)s
               AND place_score.scheme_name = %(name)s
               AND place_score.scheme_version = %(version)s
             ORDER BY publication.subject_code COLLATE "C", subject_id
            """,
            {"kind": period.kind, "start": period.start, "end": period.end, "name": name, "version": version},
            prepare=False,
        ).fetchall()


def list_schemes_used(connection: Connection, period: Period) -> list[UsedScheme]:
    """Each scheme of a place that scored anybody in the period, in the order of name and version."""
    with connection.cursor(row_factory=class_row(UsedScheme)) as cursor:
        return cursor.execute(
            """
            SELECT DISTINCT scheme_name::text COLLATE "C" AS name, scheme_version AS version
              FROM place_score
              JOIN rule_scheme ON name = scheme_name AND version = scheme_version
             WHERE period_kind = %s
               AND period_start = %s
               AND period_end = %s
             ORDER BY 1, 2
            """,
            [period.kind, period.start, period.end],
        ).fetchall()


def list_scored_publications(
    connection: Connection, period: Period, *, after: tuple[str, UUID] | None, limit: int
) -> list[ScoredPublication]:
    """A page of what schemes of places scored, and not of what the fair one is told as, in the order of the keys."""
    with connection.cursor(row_factory=class_row(ScoredPublication)) as cursor:
        return cursor.execute(
            """
            SELECT subject_kind, subject_id, place_score.scheme_name, place_score.scheme_version,
                   publication.document AS publication, publication.content_hash AS publication_hash,
                   place_score.document, place_score.content_hash
              FROM place_score
              JOIN publication USING (subject_kind, subject_id, period_kind, period_start, period_end)
              JOIN rule_scheme ON name = place_score.scheme_name AND version = place_score.scheme_version
             WHERE period_kind = %(kind)s
               AND period_start = %(start)s
               AND period_end = %(end)s
               AND (%(after_kind)s::text IS NULL
                    OR (subject_kind COLLATE "C", subject_id) > (%(after_kind)s, %(after_id)s::uuid))
             ORDER BY subject_kind COLLATE "C", subject_id
             LIMIT %(limit)s
            """,
            {
                "kind": period.kind,
                "start": period.start,
                "end": period.end,
                "after_kind": after[0] if after else None,
                "after_id": after[1] if after else None,
                "limit": limit,
            },
            prepare=False,
        ).fetchall()


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
