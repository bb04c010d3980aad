"""What a subscription is told: which news are newer than its position, and the digests made of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from services.notify.domain.digests import Movement, PeriodCount
from services.notify.domain.messages import Language, Rendering
from shared.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """A subscription's place among the news: what it has seen, and which organisation it follows."""

    subscription_id: UUID
    organisation_id: UUID | None
    seen_through: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDigest:
    """Of scores for a subscription, or of notices for a recipient."""

    id: UUID
    composed_at: datetime
    language: Language
    rendering: Rendering
    correlation_id: str
    subscription_id: UUID | None = None
    seen_through: int | None = None
    score_count: int | None = None
    recipient_id: UUID | None = None
    notice_count: int | None = None


def find_new_position(connection: Connection, audience: Audience, *, limit: int) -> int:
    """How far one digest of at most `limit` scores reaches: to the newest news of all, or to the last that fits."""
    row = connection.execute(
        """
          WITH page AS (
               SELECT change
                 FROM score_news
                WHERE change > %s
                  AND (%s::uuid IS NULL OR organisation_path @> ARRAY[%s::uuid])
                ORDER BY change
                LIMIT %s)
        SELECT CASE WHEN count(*) = %s THEN max(change) ELSE (SELECT max(change) FROM score_news) END
          FROM page
        """,
        [audience.seen_through, audience.organisation_id, audience.organisation_id, limit, limit],
    ).fetchone()
    return int(str(row[0])) if row and row[0] is not None else audience.seen_through


def tell_scores(connection: Connection, audience: Audience, digest_id: UUID, *, through: int) -> int:
    """Enter the scores up to a position as told by a digest; return how many of them say something new."""
    return connection.execute(
        """
        INSERT INTO told_score AS told (subscription_id, score_id, digest_id, sequence, composite, before, is_new)
        SELECT %s, score_id, %s, sequence, composite, NULL, true
          FROM score_news
         WHERE change > %s
           AND change <= %s
           AND (%s::uuid IS NULL OR organisation_path @> ARRAY[%s::uuid])
         ORDER BY score_id
            ON CONFLICT (subscription_id, score_id) DO UPDATE
           SET digest_id = excluded.digest_id,
               sequence = excluded.sequence,
               composite = excluded.composite,
               before = told.composite,
               is_new = false
         WHERE told.sequence < excluded.sequence
           AND told.composite IS DISTINCT FROM excluded.composite
        """,
        [
            audience.subscription_id,
            digest_id,
            audience.seen_through,
            through,
            audience.organisation_id,
            audience.organisation_id,
        ],
    ).rowcount


def list_period_counts(connection: Connection, digest_id: UUID) -> list[PeriodCount]:
    with connection.cursor(row_factory=class_row(PeriodCount)) as cursor:
        return cursor.execute(
            """
            SELECT news.period_kind, news.period_start, news.subject_kind,
                   count(*) FILTER (WHERE told.is_new) AS new_count,
                   count(*) FILTER (WHERE NOT told.is_new) AS changed_count
              FROM told_score AS told
              JOIN score_news AS news USING (score_id)
             WHERE told.digest_id = %s
             GROUP BY news.period_kind, news.period_start, news.subject_kind
             ORDER BY array_position(ARRAY['year', 'quarter', 'month'], news.period_kind),
                      news.period_start DESC, news.subject_kind
            """,
            [digest_id],
        ).fetchall()


def list_movements(connection: Connection, digest_id: UUID, *, limit: int) -> list[Movement]:
    """List the largest movements between two known values, up and down alike."""
    with connection.cursor(row_factory=class_row(Movement)) as cursor:
        return cursor.execute(
            """
            SELECT news.subject_kind, news.subject_code, news.subject_name, news.period_kind, news.period_start,
                   told.before, told.composite
              FROM told_score AS told
              JOIN score_news AS news USING (score_id)
             WHERE told.digest_id = %s
               AND told.before IS NOT NULL
               AND told.composite IS NOT NULL
             ORDER BY abs(told.composite - told.before) DESC, news.subject_code, news.score_id
             LIMIT %s
            """,
            [digest_id, limit],
        ).fetchall()


def insert_digest(connection: Connection, digest: NewDigest) -> None:
    insert_digests(connection, [digest])


def insert_digests(connection: Connection, made: Sequence[NewDigest]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO digest (id, subscription_id, composed_at, seen_through, score_count, language,
                                subject, text_body, html_body, correlation_id, recipient_id, notice_count)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            """,
            [
                (
                    digest.id,
                    digest.subscription_id,
                    digest.composed_at,
                    digest.seen_through,
                    digest.score_count,
                    digest.language,
                    digest.rendering.subject,
                    digest.rendering.text_body,
                    digest.rendering.html_body,
                    digest.correlation_id,
                    digest.recipient_id,
                    digest.notice_count,
                )
                for digest in made
            ],
        )
