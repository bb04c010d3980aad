"""Scores that are no longer what the tallies, the registers and the scheme say: found where they stand, many at once.

What still holds never leaves the database. `counts` of a score are the numerator and the denominator of each indicator,
in the order of the scheme; domain/measures.py and storage/tallies.py say what the columns mean.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Final
from uuid import UUID

import orjson
from psycopg import sql
from psycopg.rows import class_row

from services.assessment.domain.duties import UNITS_OWED
from services.assessment.domain.periods import CalendarKind
from services.assessment.domain.schemes import Scheme
from services.assessment.domain.scores import SubjectKind
from shared.database import Connection

Weighed = tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]  # the measures of numerators and denominators


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """Of whom something was counted in a month, and by what: all periods around it may have another score."""

    subject_id: UUID
    month: date
    correlation_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outdated:
    """What should stand in place of a score, or where there is none."""

    subject_id: UUID
    period_kind: CalendarKind
    period_start: date
    counts: list[int]
    subject_code: str | None
    organisation_id: UUID | None
    peer_group: str | None
    correlation_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a score says, and of what."""

    counts: list[int]
    composite: Decimal | None
    present_weight: Decimal


# Periods in which a month lies, the larger the higher: what is owed by a unit counts in periods that are no smaller.
_PERIODS: Final = """
    CROSS JOIN LATERAL (
              VALUES ('month', 1, month, (month + interval '1 month')::date),
                     ('quarter', 2, date_trunc('quarter', month::timestamp)::date,
                      (date_trunc('quarter', month::timestamp) + interval '3 months')::date),
                     ('half_year', 3,
                      (date_trunc('year', month::timestamp)
                       + CASE WHEN extract(month FROM month) > 6 THEN 6 ELSE 0 END * interval '1 month')::date,
                      (date_trunc('year', month::timestamp)
                       + CASE WHEN extract(month FROM month) > 6 THEN 12 ELSE 6 END * interval '1 month')::date),
                     ('year', 4, date_trunc('year', month::timestamp)::date,
                      (date_trunc('year', month::timestamp) + interval '1 year')::date)
              ) AS period (period_kind, rank, period_start, next_start)
"""
_SUMMED_AROUND: Final = sql.SQL(
    """
    asked AS MATERIALIZED (
        SELECT subject_id, period_kind, rank, period_start, next_start, max(correlation_id) AS correlation_id
          FROM unnest(%(subjects)s::uuid[], %(months)s::date[], %(correlations)s::text[])
            AS touched (subject_id, month, correlation_id) {periods}
         GROUP BY subject_id, period_kind, rank, period_start, next_start
    ), summed AS (
        SELECT subject_id, period_kind, period_start, next_start, counts
          FROM asked
         CROSS JOIN LATERAL (
                   SELECT ARRAY[{counts}] AS counts
                     FROM {table} AS tally
                    WHERE tally.{subject} = asked.subject_id
                      AND tally.month >= period_start
                      AND tally.month < next_start
                   HAVING count(*) > 0) AS sums
    )"""
)
# Each subject's rows are read once, and each period is summed from the smaller ones in it.
_SUMMED_WHOLE: Final = sql.SQL(
    """
    marked AS (
        SELECT subject_id, correlation_id
          FROM unnest(%(subjects)s::uuid[], %(correlations)s::text[]) AS row (subject_id, correlation_id)
    ), by_month AS MATERIALIZED (
        SELECT subject_id, month AS period_start, {months}
          FROM marked
         CROSS JOIN LATERAL (
                   SELECT month, {columns}
                     FROM {table} AS tally
                    WHERE tally.{subject} = marked.subject_id
                   OFFSET 0) AS tally
         GROUP BY subject_id, month
    ), by_quarter AS MATERIALIZED (
        SELECT subject_id, date_trunc('quarter', period_start::timestamp)::date AS period_start, {quarters}
          FROM by_month
         GROUP BY subject_id, 2
    ), by_half_year AS MATERIALIZED (
        SELECT subject_id,
               (date_trunc('year', period_start::timestamp)
                + CASE WHEN extract(month FROM period_start) > 6 THEN 6 ELSE 0 END * interval '1 month')::date
               AS period_start, {half_years}
          FROM by_quarter
         GROUP BY subject_id, 2
    ), by_year AS MATERIALIZED (
        SELECT subject_id, date_trunc('year', period_start::timestamp)::date AS period_start, {years}
          FROM by_half_year
         GROUP BY subject_id, 2
    ), summed AS (
        SELECT subject_id, 'month' AS period_kind, period_start,
               (period_start + interval '1 month')::date AS next_start,
               ARRAY[{counts}] AS counts
          FROM by_month
         UNION ALL
        SELECT subject_id, 'quarter', period_start, (period_start + interval '3 months')::date, ARRAY[{counts}]
          FROM by_quarter
         UNION ALL
        SELECT subject_id, 'half_year', period_start, (period_start + interval '6 months')::date, ARRAY[{counts}]
          FROM by_half_year
         UNION ALL
        SELECT subject_id, 'year', period_start, (period_start + interval '1 year')::date, ARRAY[{counts}]
          FROM by_year
    )"""
)
# Where a cadre stood: storage/scores.py says the same for periods of any days. Most have one post and no other.
_PLACED: Final = {
    "cadre": """
    who AS MATERIALIZED (
        SELECT subject_id, staff_number AS subject_code, posts, post.organisation_id, post.peer_group, from_on, until_on
          FROM (SELECT DISTINCT subject_id FROM summed) AS one
          LEFT JOIN cadre ON cadre_id = subject_id
         CROSS JOIN LATERAL (
                   SELECT count(*) AS posts, (array_agg(organisation_id))[1] AS organisation_id,
                          min(left(post_level || '.' || post_kind, 64)) AS peer_group, min(from_on) AS from_on,
                          min(until_on) AS until_on
                     FROM post
                    WHERE post.cadre_id = subject_id) AS post
    ), seen AS (
        SELECT summed.*, subject_code, posts, organisation_id, peer_group,
               posts = 1
               AND from_on <= least(next_start - 1, greatest(%(today)s, period_start))
               AND (until_on IS NULL OR until_on >= period_start) AS is_plain
          FROM summed
          JOIN who USING (subject_id)
    ), placed AS (
        SELECT subject_id, period_kind, period_start, counts, subject_code, organisation_id, peer_group
          FROM seen
         WHERE is_plain
         UNION ALL
        SELECT subject_id, period_kind, period_start, counts, subject_code,
               coalesce(held.organisation_id, busiest.organisation_id), held.peer_group
          FROM seen
          LEFT JOIN LATERAL (
                   SELECT organisation_id, left(post_level || '.' || post_kind, 64) AS peer_group
                     FROM post
                    WHERE seen.posts > 1
                      AND post.cadre_id = seen.subject_id
                      AND from_on <= least(next_start - 1, greatest(%(today)s, period_start))
                      AND (until_on IS NULL OR until_on >= period_start)
                    ORDER BY least(until_on, next_start - 1) DESC, from_on DESC, post_id
                    LIMIT 1) AS held
            ON true
          LEFT JOIN LATERAL (
                   SELECT organisation_id
                     FROM tally
                    WHERE held.organisation_id IS NULL
                      AND tally.cadre_id = seen.subject_id
                      AND month >= period_start
                      AND month < next_start
                      AND organisation_id <> '00000000-0000-0000-0000-000000000000'
                    GROUP BY organisation_id
                    ORDER BY sum(issues_received + contacts) DESC, organisation_id
                    LIMIT 1) AS busiest
            ON true
         WHERE NOT is_plain
    )""",
    "organisation": """
    placed AS (
        SELECT summed.subject_id, summed.period_kind, summed.period_start, counts,
               organisation.code AS subject_code, summed.subject_id AS organisation_id, NULL::text AS peer_group
          FROM summed
          LEFT JOIN organisation ON organisation.organisation_id = summed.subject_id
    )""",
}
# On the key of subject and period: one by one around some months, all of a subject together in every period.
_STANDING: Final = {
    False: "score",
    True: """
           (SELECT score.*
              FROM marked
             CROSS JOIN LATERAL (
                       SELECT score_id, subject_kind, subject_id, period_kind, period_start, counts, scheme_name,
                              scheme_version, subject_code, organisation_id, peer_group
                         FROM score
                        WHERE subject_kind = %(kind)s
                          AND subject_id = marked.subject_id
                       OFFSET 0) AS score) AS score""",
}
_COMPARED: Final = """
    SELECT placed.subject_id, placed.period_kind, placed.period_start, placed.counts, placed.subject_code,
           placed.organisation_id, placed.peer_group, {causes}.correlation_id
      FROM placed
      JOIN {causes} USING ({by})
      LEFT JOIN {standing}
        ON score.subject_kind = %(kind)s
       AND score.subject_id = placed.subject_id
       AND score.period_kind = placed.period_kind
       AND score.period_start = placed.period_start
     WHERE score.score_id IS NULL
        OR score.counts <> placed.counts
        OR score.scheme_version <> %(scheme_version)s
        OR score.scheme_name <> %(scheme_name)s
        OR (score.subject_code, score.organisation_id, score.peer_group)
           IS DISTINCT FROM (placed.subject_code, placed.organisation_id, placed.peer_group)
"""
_TABLES: Final[dict[SubjectKind, tuple[str, str]]] = {
    "cadre": ("tally", "cadre_id"),
    "organisation": ("organisation_tally", "organisation_id"),
}


def list_outdated_around(
    connection: Connection, kind: SubjectKind, touched: Sequence[Touched], scheme: Scheme, *, today: date
) -> list[Outdated]:
    """In the periods around the months in which something was counted."""
    return _list_outdated(
        connection,
        _query(kind, _weighed(scheme), is_whole=False),
        {
            "kind": kind,
            "subjects": [one.subject_id for one in touched],
            "months": [one.month for one in touched],
            "correlations": [one.correlation_id for one in touched],
            "scheme_name": scheme.name,
            "scheme_version": scheme.version,
            "today": today,
        },
    )


def list_outdated_whole(
    connection: Connection, kind: SubjectKind, marked: Sequence[tuple[UUID, str]], scheme: Scheme, *, today: date
) -> list[Outdated]:
    """In every period of which anything of these subjects is known; each with the correlation id of its mark."""
    return _list_outdated(
        connection,
        _query(kind, _weighed(scheme), is_whole=True),
        {
            "kind": kind,
            "subjects": [subject_id for subject_id, _ in marked],
            "correlations": [correlation_id for _, correlation_id in marked],
            "scheme_name": scheme.name,
            "scheme_version": scheme.version,
            "today": today,
        },
    )


def list_wrong(
    connection: Connection,
    kind: SubjectKind,
    subject_ids: Sequence[UUID],
    scheme: Scheme,
    *,
    is_right: Callable[[Standing], bool],
) -> list[Outdated]:
    """Scores of these subjects that are not what comes of their own counts: each different one is asked about once."""
    with connection.cursor(row_factory=class_row(Standing)) as cursor:
        told = cursor.execute(
            """
            SELECT DISTINCT counts, composite, present_weight
              FROM unnest(%s::uuid[]) AS marked (subject_id)
             CROSS JOIN LATERAL (
                       SELECT counts, composite, present_weight
                         FROM score
                        WHERE subject_kind = %s
                          AND subject_id = marked.subject_id
                          AND scheme_name = %s
                          AND scheme_version = %s
                       OFFSET 0) AS standing
            """,
            [list(subject_ids), kind, scheme.name, scheme.version],
            prepare=False,
        ).fetchall()
    wrong = [one for one in told if not is_right(one)]
    return _list_as_they_stand(connection, kind, subject_ids, wrong) if wrong else []


def _list_as_they_stand(
    connection: Connection, kind: SubjectKind, subject_ids: Sequence[UUID], wrong: Sequence[Standing]
) -> list[Outdated]:
    with connection.cursor(row_factory=class_row(Outdated)) as cursor:
        return cursor.execute(
            """
            SELECT subject_id, period_kind, period_start, score.counts, subject_code, organisation_id, peer_group,
                   correlation_id
              FROM score
              JOIN json_to_recordset(%s::json)
                AS wrong (counts bigint[], composite numeric, present_weight numeric)
                ON (wrong.counts, wrong.composite, wrong.present_weight)
                   IS NOT DISTINCT FROM (score.counts, score.composite::numeric, score.present_weight::numeric)
             WHERE subject_kind = %s
               AND subject_id = ANY(%s)
             ORDER BY subject_id, period_kind, period_start
            """,
            [
                orjson.dumps([asdict(one) for one in wrong], default=str).decode(),
                kind,
                list(subject_ids),
            ],
            prepare=False,
        ).fetchall()


def _list_outdated(connection: Connection, query: bytes, parameters: dict[str, object]) -> list[Outdated]:
    """Planned at each call: a plan made while the tables were small would scan them whole for ever."""
    # Of how many rows a step before has made the planner knows nothing, and sorts what a hash would find.
    connection.execute("SET LOCAL work_mem = '64MB'; SET LOCAL enable_mergejoin = off")
    with connection.cursor(row_factory=class_row(Outdated)) as cursor:
        return cursor.execute(query, parameters, prepare=False).fetchall()


def _weighed(scheme: Scheme) -> Weighed:
    return tuple((indicator.numerator, indicator.denominator) for indicator in scheme.indicators)


@lru_cache(maxsize=64)
def _query(kind: SubjectKind, weighed: Weighed, *, is_whole: bool) -> bytes:
    table, subject = _TABLES[kind]
    halves = [half for pair in weighed for half in pair]
    names = {"table": sql.Identifier(table), "subject": sql.Identifier(subject)}
    if is_whole:
        columns = dict.fromkeys(column for half in halves for one in half for column in _columns(one))
        levels = {f"{per}s": _level(halves, rank) for rank, per in enumerate(UNITS_OWED, start=1)}
        summed = _SUMMED_WHOLE.format(
            columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
            counts=sql.SQL(", ").join(sql.Identifier(f"count_{at}") for at in range(len(halves))),
            **levels,
            **names,
        )
    else:
        summed = _SUMMED_AROUND.format(
            periods=sql.SQL(_PERIODS), counts=sql.SQL(", ").join(_sum(half) for half in halves), **names
        )
    causes, by = ("marked", "subject_id") if is_whole else ("asked", "subject_id, period_kind, period_start")
    compared = sql.SQL(_COMPARED).format(standing=sql.SQL(_STANDING[is_whole]), causes=sql.SQL(causes), by=sql.SQL(by))
    return sql.SQL("WITH {}, {} {}").format(summed, sql.SQL(_PLACED[kind]), compared).as_bytes()


def _sum(measures: Sequence[str]) -> sql.Composable:
    return sql.SQL("whole_sum({})").format(sql.SQL(" + ").join(_amount(name) for name in measures))


def _level(halves: Sequence[tuple[str, ...]], rank: int) -> sql.Composable:
    """The counts of one kind of period, and what is owed by larger units, which waits for the periods of these."""
    parts = []
    for at, half in enumerate(halves):
        count = sql.Identifier(f"count_{at}")
        owed = [one for one in half if one.startswith("duties_")]
        if rank == 1:
            plain = [one for one in half if one not in owed]
            amounts = [sql.Identifier(one) for one in (*plain, *(f"{one}_month" for one in owed))]
        else:
            amounts = [count, *([sql.Identifier(f"count_{at}_{rank}")] if owed else [])]
        parts.append(sql.SQL("whole_sum({}) AS {}").format(sql.SQL(" + ").join(amounts), count))
        for larger, per in list(enumerate(UNITS_OWED, start=1))[rank:] if owed else ():
            waiting = sql.Identifier(f"count_{at}_{larger}")
            amounts = [sql.Identifier(f"{one}_{per}") for one in owed] if rank == 1 else [waiting]
            parts.append(sql.SQL("whole_sum({}) AS {}").format(sql.SQL(" + ").join(amounts), waiting))
    return sql.SQL(", ").join(parts)


def _columns(measure: str) -> list[str]:
    return [f"{measure}_{per}" for per in UNITS_OWED] if measure.startswith("duties_") else [measure]


def _amount(measure: str) -> sql.Composable:
    """A duty stands in the row of its unit's first month, and counts where the unit lies whole in the period."""
    if not measure.startswith("duties_"):
        return sql.SQL("tally.{}").format(sql.Identifier(measure))
    per_unit = [
        sql.SQL("CASE WHEN rank >= {} THEN tally.{} ELSE 0 END").format(
            sql.Literal(rank), sql.Identifier(f"{measure}_{per}")
        )
        for rank, per in enumerate(UNITS_OWED, start=1)
    ]
    return sql.SQL("({})").format(sql.SQL(" + ").join(per_unit))
