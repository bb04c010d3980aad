"""Scores side by side: over periods, of several, in sum over an organisation, and as they were published by a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from psycopg.rows import class_row

from services.assessment.domain.periods import Period, PeriodKind
from services.assessment.domain.scores import SubjectKind
from shared.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class PastScore:
    score_id: UUID
    period_kind: PeriodKind
    period_start: date
    composite: Decimal | None
    present_weight: Decimal
    peer_group: str | None
    scheme_name: str
    scheme_version: int
    as_of: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How the composites of one peer group lie."""

    peer_group: str | None
    cadres: int
    scored: int
    lowest: Decimal | None
    lower_quartile: Decimal | None
    median: Decimal | None
    upper_quartile: Decimal | None
    highest: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedThen:
    document: str
    content_hash: bytes
    closed_at: datetime
    correction_number: int | None
    correction_known_at: datetime | None
    corrected_document: str | None
    corrected_hash: bytes | None


def list_history(
    connection: Connection, kind: SubjectKind, subject_id: UUID, per: PeriodKind, *, limit: int
) -> list[PastScore]:
    """The newest first, on the key of subject and period."""
    with connection.cursor(row_factory=class_row(PastScore)) as cursor:
        return cursor.execute(
            """
            SELECT score_id, period_kind, period_start, composite, present_weight, peer_group, scheme_name,
                   scheme_version, as_of
              FROM score
             WHERE subject_kind = %s
               AND subject_id = %s
               AND period_kind = %s
             ORDER BY period_start DESC
             LIMIT %s
            """,
            [kind, subject_id, per, limit],
        ).fetchall()


def list_spreads(connection: Connection, organisation_ids: Sequence[UUID], period: Period) -> list[Spread]:
    """Of the cadres of these organisations by peer group, on score_by_organisation. Each figure is somebody's score."""
    with connection.cursor(row_factory=class_row(Spread)) as cursor:
        return cursor.execute(
            """
            SELECT peer_group, count(*) AS cadres, count(composite) AS scored, min(composite) AS lowest,
                   percentile_disc(0.25) WITHIN GROUP (ORDER BY composite) AS lower_quartile,
                   percentile_disc(0.5) WITHIN GROUP (ORDER BY composite) AS median,
                   percentile_disc(0.75) WITHIN GROUP (ORDER BY composite) AS upper_quartile,
                   max(composite) AS highest
              FROM score
             WHERE organisation_id = ANY(%s)
               AND period_kind = %s
               AND period_start = %s
               AND subject_kind = 'cadre'
               AND subject_code IS NOT NULL
             GROUP BY peer_group
             ORDER BY peer_group COLLATE "C" NULLS LAST
            """,
            [list(organisation_ids), period.kind, period.start],
            prepare=False,
        ).fetchall()


def find_published_then(
    connection: Connection, kind: SubjectKind, code: str, period: Period, *, by: datetime
) -> PublishedThen | None:
    """What was published of the period by then, with the last correction that was known; on publication_by_code."""
    with connection.cursor(row_factory=class_row(PublishedThen)) as cursor:
        return cursor.execute(
            """
            SELECT publication.document, publication.content_hash, closed.closed_at, last.number AS correction_number,
                   last.known_at AS correction_known_at, last.document AS corrected_document,
                   last.content_hash AS corrected_hash
              FROM publication
              JOIN closed_period AS closed USING (period_kind, period_start, period_end)
              LEFT JOIN LATERAL (
                       SELECT number, known_at, document, content_hash
                         FROM correction
                        WHERE correction.subject_kind = publication.subject_kind
                          AND correction.subject_id = publication.subject_id
                          AND correction.period_kind = publication.period_kind
                          AND correction.period_start = publication.period_start
                          AND correction.period_end = publication.period_end
                          AND known_at < %(by)s
                        ORDER BY number DESC
                        LIMIT 1) AS last
                ON true
             WHERE publication.subject_kind = %(kind)s
               AND period_kind = %(period_kind)s
               AND period_start = %(period_start)s
               AND period_end = %(period_end)s
               AND publication.subject_code COLLATE "C" = %(code)s
               AND closed.closed_at < %(by)s
             ORDER BY publication.subject_id
             LIMIT 1
            """,
            {
                "by": by,
                "kind": kind,
                "code": code,
                "period_kind": period.kind,
                "period_start": period.start,
                "period_end": period.end,
            },
            prepare=False,
        ).fetchone()
