"""Scores as they are computed and announced."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import class_row

from services.assessment.domain.periods import Period
from services.assessment.domain.schemes import Scheme
from services.assessment.domain.scores import Placement, SubjectKind
from shared.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class UnannouncedScore:
    score_id: UUID
    subject_kind: str
    subject_id: UUID
    subject_code: str
    subject_name: str
    organisation_id: UUID | None
    peer_group: str | None
    period_kind: str
    period_start: date
    composite: Decimal | None  # None: told before, and the evidence is no longer enough
    announced_composite: Decimal | None
    announced_sequence: int
    scheme_name: str
    scheme_version: int
    computed_at: datetime
    correlation_id: str


def list_placements_of_cadres(
    connection: Connection, subjects: Sequence[tuple[UUID, Period]], *, today: date
) -> dict[tuple[UUID, Period], Placement]:
    """Code, organisation and peer group by the post held at the period's end, or latest in it, on post_cadre.

    Without any post the organisation that gave the cadre most to do stands in. Ratings have no say in it: whoever is
    shown where a cadre stood must not learn from it that somebody rated.
    """
    rows = connection.execute(
        """
        SELECT cadre.staff_number,
               coalesce(held.organisation_id, busiest.organisation_id),
               left(held.post_level || '.' || held.post_kind, 64)
          FROM unnest(%(cadres)s::uuid[], %(starts)s::date[], %(ends)s::date[]) WITH ORDINALITY
            AS asked (cadre_id, period_start, period_end, place)
          LEFT JOIN cadre USING (cadre_id)
          LEFT JOIN LATERAL (
                   SELECT organisation_id, post_level, post_kind
                     FROM post
                    WHERE post.cadre_id = asked.cadre_id
                      AND from_on <= least(period_end, greatest(%(today)s, period_start))
                      AND (until_on IS NULL OR until_on >= period_start)
                    ORDER BY least(until_on, period_end) DESC, from_on DESC, post_id
                    LIMIT 1) AS held
            ON true
          LEFT JOIN LATERAL (
                   SELECT organisation_id
                     FROM tally
                    WHERE held.organisation_id IS NULL
                      AND tally.cadre_id = asked.cadre_id
                      AND month BETWEEN date_trunc('month', period_start::timestamp) AND period_end
                      AND organisation_id <> '00000000-0000-0000-0000-000000000000'
                    GROUP BY organisation_id
                   HAVING sum(issues_received + contacts) > 0
                    ORDER BY sum(issues_received + contacts) DESC, organisation_id
                    LIMIT 1) AS busiest
            ON true
         ORDER BY place
        """,
        {
            "cadres": [cadre_id for cadre_id, _ in subjects],
            "starts": [period.start for _, period in subjects],
            "ends": [period.end for _, period in subjects],
            "today": today,
        },
        prepare=False,
    ).fetchall()
    return {
        subject: Placement(
            subject_code=None if row[0] is None else str(row[0]),
            organisation_id=row[1] if isinstance(row[1], UUID) else None,
            peer_group=None if row[2] is None else str(row[2]),
        )
        for subject, row in zip(subjects, rows, strict=True)
    }


def upsert_scores(
    connection: Connection, kind: SubjectKind, scheme: Scheme, rows: Sequence[dict[str, Any]], *, at: datetime
) -> None:
    """Write scores by this scheme that are new, or stand otherwise than before."""
    connection.execute(
        """
        INSERT INTO score AS known (score_id, subject_kind, subject_id, subject_code, organisation_id, peer_group,
                                    period_kind, period_start, scheme_name, scheme_version, composite,
                                    present_weight, counts, as_of, computed_at, revision, correlation_id)
        SELECT score_id, %(kind)s, subject_id, subject_code, organisation_id, peer_group, period_kind,
               period_start, %(scheme_name)s, %(scheme_version)s, composite, present_weight, counts,
               %(at)s, %(at)s, 1, correlation_id
          FROM json_to_recordset(%(rows)s::json)
            AS row (score_id uuid, subject_id uuid, subject_code text, organisation_id uuid, peer_group text,
                    period_kind text, period_start date, composite numeric, present_weight numeric, counts bigint[],
                    correlation_id text)
            ON CONFLICT (subject_kind, subject_id, period_kind, period_start) DO UPDATE
           SET subject_code = excluded.subject_code,
               organisation_id = excluded.organisation_id,
               peer_group = excluded.peer_group,
               scheme_name = excluded.scheme_name,
               scheme_version = excluded.scheme_version,
               composite = excluded.composite,
               present_weight = excluded.present_weight,
               counts = excluded.counts,
               as_of = excluded.as_of,
               computed_at = excluded.computed_at,
               revision = known.revision + 1,
               correlation_id = excluded.correlation_id
        """,
        {
            "kind": kind,
            "scheme_name": scheme.name,
            "scheme_version": scheme.version,
            "at": at,
            "rows": orjson.dumps(rows, default=str).decode(),
        },
    )


def claim_unannounced(connection: Connection, *, limit: int) -> list[UnannouncedScore]:
    """Lock scores whose composite was never told, or told otherwise, on score_unannounced. None is nothing to tell
    before anything was told, and news after that. Half-years are read, and not announced.
    """
    with connection.cursor(row_factory=class_row(UnannouncedScore)) as cursor:
        return cursor.execute(
            """
            SELECT score_id, subject_kind, subject_id, subject_code,
                   coalesce(cadre.name, organisation.name, subject_code) AS subject_name,
                   score.organisation_id, peer_group, period_kind, period_start, composite, announced_composite,
                   announced_sequence, scheme_name, scheme_version, computed_at, correlation_id
              FROM score
              LEFT JOIN cadre ON subject_kind = 'cadre' AND cadre_id = subject_id
              LEFT JOIN organisation ON subject_kind = 'organisation' AND organisation.organisation_id = subject_id
             WHERE subject_code IS NOT NULL
               AND composite IS DISTINCT FROM announced_composite
               AND period_kind <> 'half_year'
             ORDER BY computed_at, score_id
             LIMIT %s
               FOR UPDATE OF score SKIP LOCKED
            """,
            [limit],
        ).fetchall()


def set_announced(connection: Connection, told: Sequence[UnannouncedScore]) -> None:
    connection.execute(
        """
        UPDATE score
           SET announced_composite = score.composite,
               announced_sequence = announced_sequence + 1
          FROM unnest(%s::text[], %s::uuid[], %s::text[], %s::date[])
            AS told (subject_kind, subject_id, period_kind, period_start)
         WHERE score.subject_kind = told.subject_kind
           AND score.subject_id = told.subject_id
           AND score.period_kind = told.period_kind
           AND score.period_start = told.period_start
        """,
        [
            [one.subject_kind for one in told],
            [one.subject_id for one in told],
            [one.period_kind for one in told],
            [one.period_start for one in told],
        ],
        prepare=False,
    )
