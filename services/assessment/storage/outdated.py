"""Scores that are no longer what the tallies, the registers and the scheme say: found where they stand, many at once.

What still holds never leaves the database. `counts` of a score are the numerator and the denominator of each indicator,
in the order of the scheme; domain/measures.py and storage/tallies.py say what the columns mean.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple
from uuid import UUID

from psycopg import sql
from psycopg.rows import class_row

from services.assessment.domain.duties import UNITS_OWED
from services.assessment.domain.periods import CalendarKind
from services.assessment.domain.schemes import Scheme
from services.assessment.domain.scores import SubjectKind
from services.assessment.storage.arrays import to_array
from shared.database import Connection

Weighed = tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]  # the measures of numerators and denominators


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """Of whom something was counted in a month, and by what: all periods around it may have another score."""

    subject_id: UUID
    month: date
    correlation_id: str


class Outdated(NamedTuple):
    """What should stand in place of a score, or where there is none."""

    subject_id: UUID
    period_kind: CalendarKind
    period_start: date
    counts: list[int]
    subject_code: str | None
    organisation_id: UUID | None
    peer_group: str | None
    correlation_id: str
    score_id: UUID | None  # of what stands


# Whose years are looked at, and for what: of whole subjects all there are, of touched ones those of their months.
_WHOSE: Final = {
    True: """
    cause AS MATERIALIZED (
        SELECT subject_id, correlation_id
          FROM unnest(%(subjects)s::uuid[], %(correlations)s::text[]) AS row (subject_id, correlation_id)
    ), whose AS MATERIALIZED (
        SELECT subject_id, '-infinity'::date AS first_month, 'infinity'::date AS last_month
          FROM cause
    )""",
    False: """
    cause AS MATERIALIZED (
        SELECT subject_id, period_kind, period_start, max(correlation_id) AS correlation_id
          FROM unnest(%(subjects)s::uuid[], %(months)s::date[], %(correlations)s::text[])
            AS touched (subject_id, month, correlation_id)
         CROSS JOIN LATERAL (
                   VALUES ('month', month),
                          ('quarter', date_trunc('quarter', month::timestamp)::date),
                          ('half_year', make_date(date_part('year', month)::integer,
                                                  CASE WHEN date_part('month', month) > 6 THEN 7 ELSE 1 END, 1)),
                          ('year', date_trunc('year', month::timestamp)::date)
                   ) AS period (period_kind, period_start)
         GROUP BY subject_id, period_kind, period_start
    ), whose AS MATERIALIZED (
        SELECT subject_id, period_start AS first_month, (period_start + interval '11 months')::date AS last_month
          FROM cause
         WHERE period_kind = 'year'
    )""",
}
# Each row of a subject is read once, and each period is summed from the smaller ones in it. OFFSET 0: by the index,
# whatever the planner takes the tables for, which knows nothing of them while they are filled for the first time.
_SUMMED: Final = sql.SQL(
    """
    by_month AS MATERIALIZED (
        SELECT subject_id, month AS period_start, {months}
          FROM whose
         CROSS JOIN LATERAL (
                   SELECT month, {columns}
                     FROM {table} AS tally
                    WHERE tally.{subject} = whose.subject_id
                      AND month BETWEEN first_month AND last_month
                   OFFSET 0) AS tally
         GROUP BY subject_id, month
    ), by_quarter AS MATERIALIZED (
        SELECT subject_id, date_trunc('quarter', period_start::timestamp)::date AS period_start, {quarters}
          FROM by_month
         GROUP BY subject_id, 2
    ), by_half_year AS MATERIALIZED (
        SELECT subject_id,
               make_date(date_part('year', period_start)::integer,
                         CASE WHEN date_part('month', period_start) > 6 THEN 7 ELSE 1 END, 1) AS period_start,
               {half_years}
          FROM by_quarter
         GROUP BY subject_id, 2
    ), by_year AS MATERIALIZED (
        SELECT subject_id, date_trunc('year', period_start::timestamp)::date AS period_start, {years}
          FROM by_half_year
         GROUP BY subject_id, 2
    ), summed AS NOT MATERIALIZED (
        SELECT subject_id, period_kind, period_start, next_start, correlation_id, ARRAY[{counts}] AS counts
          FROM (SELECT subject_id, 'month' AS period_kind, period_start,
                       (period_start + interval '1 month')::date AS next_start, {counts}
                  FROM by_month
                 UNION ALL
                SELECT subject_id, 'quarter', period_start, (period_start + interval '3 months')::date, {counts}
                  FROM by_quarter
                 UNION ALL
                SELECT subject_id, 'half_year', period_start, (period_start + interval '6 months')::date, {counts}
                  FROM by_half_year
                 UNION ALL
                SELECT subject_id, 'year', period_start, (period_start + interval '1 year')::date, {counts}
                  FROM by_year) AS every
          JOIN cause USING ({by})
    )"""
)
# Where a cadre stood: storage/scores.py says the same for periods of any days. Most have one post all the time.
_PLACED: Final = {
    "cadre": """
    who AS MATERIALIZED (
        SELECT subject_id, staff_number AS subject_code, post.organisation_id, post.peer_group,
               posts = 1 AND from_on <= first_on AND until_on IS NULL AS is_fixed
          FROM (SELECT subject_id, min(period_start) AS first_on FROM by_year GROUP BY subject_id) AS one
          LEFT JOIN LATERAL (SELECT staff_number FROM cadre WHERE cadre_id = subject_id OFFSET 0) AS cadre
            ON true
         CROSS JOIN LATERAL (
                   SELECT count(*) AS posts, (array_agg(organisation_id))[1] AS organisation_id,
                          min(left(post_level || '.' || post_kind, 64)) AS peer_group, min(from_on) AS from_on,
                          min(until_on) AS until_on
                     FROM post
                    WHERE post.cadre_id = subject_id) AS post
    ), placed AS (
        SELECT subject_id, period_kind, period_start, counts, correlation_id, subject_code, organisation_id, peer_group
          FROM summed
          JOIN who USING (subject_id)
         WHERE is_fixed
         UNION ALL
        SELECT subject_id, period_kind, period_start, counts, correlation_id, subject_code,
               coalesce(held.organisation_id, busiest.organisation_id), held.peer_group
          FROM summed
          JOIN who USING (subject_id)
          LEFT JOIN LATERAL (
                   SELECT organisation_id, left(post_level || '.' || post_kind, 64) AS peer_group
                     FROM post
                    WHERE post.cadre_id = subject_id
                      AND from_on <= least(next_start - 1, greatest(%(today)s, period_start))
                      AND (until_on IS NULL OR until_on >= period_start)
                    ORDER BY least(until_on, next_start - 1) DESC, from_on DESC, post_id
                    LIMIT 1) AS held
            ON true
          LEFT JOIN LATERAL (
                   SELECT organisation_id
                     FROM tally
                    WHERE held.organisation_id IS NULL
                      AND tally.cadre_id = subject_id
                      AND month >= period_start
                      AND month < next_start
                      AND organisation_id <> '00000000-0000-0000-0000-000000000000'
                    GROUP BY organisation_id
                   HAVING sum(issues_received + contacts) > 0
                    ORDER BY sum(issues_received + contacts) DESC, organisation_id
                    LIMIT 1) AS busiest
            ON true
         WHERE NOT is_fixed
    )""",
    "organisation": """
    placed AS (
        SELECT summed.subject_id, summed.period_kind, summed.period_start, counts, correlation_id,
               organisation.code AS subject_code, summed.subject_id AS organisation_id, NULL::text AS peer_group
          FROM summed
          LEFT JOIN organisation ON organisation.organisation_id = summed.subject_id
    )""",
}
# What stands is read by the key: of whole subjects all years together, of touched ones each period that is looked at.
_STANDING: Final = {
    True: """
    standing AS MATERIALIZED (
        SELECT score.*
          FROM cause
         CROSS JOIN LATERAL (
                   SELECT score_id, subject_id, period_kind, period_start, counts, composite, present_weight,
                          scheme_name, scheme_version, subject_code, organisation_id, peer_group
                     FROM score
                    WHERE subject_kind = %(kind)s
                      AND subject_id = cause.subject_id
                   OFFSET 0) AS score
    )""",
    False: """
    standing AS NOT MATERIALIZED (
        SELECT score.*
          FROM cause
         CROSS JOIN LATERAL (
                   SELECT score_id, subject_id, period_kind, period_start, counts, scheme_name, scheme_version,
                          subject_code, organisation_id, peer_group
                     FROM score
                    WHERE subject_kind = %(kind)s
                      AND subject_id = cause.subject_id
                      AND period_kind = cause.period_kind
                      AND period_start = cause.period_start
                   OFFSET 0) AS score
    )""",
}
_COMPARED: Final = """
    SELECT placed.subject_id, placed.period_kind, placed.period_start, placed.counts, placed.subject_code,
           placed.organisation_id, placed.peer_group, correlation_id, score_id, NULL AS told
      FROM placed
      LEFT JOIN standing
        ON standing.subject_id = placed.subject_id
       AND standing.period_kind = placed.period_kind
       AND standing.period_start = placed.period_start
     WHERE score_id IS NULL
        OR standing.counts <> placed.counts
        OR standing.scheme_version <> %(scheme_version)s
        OR standing.scheme_name <> %(scheme_name)s
        OR (standing.subject_code, standing.organisation_id, standing.peer_group)
           IS DISTINCT FROM (placed.subject_code, placed.organisation_id, placed.peer_group)
"""
# What is said of counts, once each: counts, composite and present weight, "-" where there is no composite.
_TOLD: Final = """
     UNION ALL
    SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
           concat_ws(' ', counts, coalesce(composite::text, '-'), present_weight)
      FROM (SELECT DISTINCT counts, composite, present_weight
              FROM standing
             WHERE scheme_name = %(scheme_name)s
               AND scheme_version = %(scheme_version)s) AS different
"""
# So that what is written of a subject lies together, where it is read and changed together.
_ORDER: Final = "ORDER BY 1"
_TABLES: Final[dict[SubjectKind, tuple[str, str]]] = {
    "cadre": ("tally", "cadre_id"),
    "organisation": ("organisation_tally", "organisation_id"),
}


def list_outdated_around(
    connection: Connection, kind: SubjectKind, touched: Sequence[Touched], scheme: Scheme, *, today: date
) -> list[Outdated]:
    """In the periods around the months in which something was counted."""
    asked = {
        "subjects": to_array(one.subject_id for one in touched),
        "months": to_array(one.month for one in touched),
        "correlations": [one.correlation_id for one in touched],
    }
    return _list_outdated(connection, kind, scheme, asked, today=today, is_whole=False)[0]


def list_outdated_whole(
    connection: Connection, kind: SubjectKind, marked: Sequence[tuple[UUID, str]], scheme: Scheme, *, today: date
) -> tuple[list[Outdated], list[str]]:
    """In every period of which anything of these subjects is known; each with the correlation id of its mark.

    And what their scores say of counts by this scheme, once each: `list_saying` finds which do.
    """
    asked: dict[str, object] = {
        "subjects": to_array(subject_id for subject_id, _ in marked),
        "correlations": [correlation_id for _, correlation_id in marked],
    }
    return _list_outdated(connection, kind, scheme, asked, today=today, is_whole=True)


def list_saying(
    connection: Connection, kind: SubjectKind, subject_ids: Sequence[UUID], told: Sequence[str]
) -> list[Outdated]:
    """The scores of these subjects that say this of their counts, as they stand."""
    with connection.cursor(row_factory=class_row(Outdated)) as cursor:
        return cursor.execute(
            """
            SELECT subject_id, period_kind, period_start, counts, subject_code, organisation_id, peer_group,
                   correlation_id, score_id
              FROM score
             WHERE subject_kind = %s
               AND subject_id = ANY(%s::uuid[])
               AND concat_ws(' ', counts, coalesce(composite::text, '-'), present_weight) = ANY(%s)
             ORDER BY subject_id, period_kind, period_start
            """,
            [kind, to_array(subject_ids), list(told)],
            prepare=False,
        ).fetchall()


def _list_outdated(
    connection: Connection,
    kind: SubjectKind,
    scheme: Scheme,
    asked: Mapping[str, object],
    *,
    today: date,
    is_whole: bool,
) -> tuple[list[Outdated], list[str]]:
    """Planned at each call: a plan made while the tables were small would scan them whole for ever."""
    # Of how many rows a step before has made the planner knows nothing, and sorts or goes through again and again what
    # a hash would find. Where an index is to find it, OFFSET 0 leaves no other way.
    connection.execute(
        "SET LOCAL work_mem = '64MB'; SET LOCAL enable_sort = off; SET LOCAL enable_mergejoin = off;"
        " SET LOCAL enable_nestloop = off"
    )
    terms = {"kind": kind, "scheme_name": scheme.name, "scheme_version": scheme.version, "today": today}
    with connection.cursor() as cursor:
        rows = cursor.execute(
            _query(kind, _weighed(scheme), is_whole=is_whole), {**asked, **terms}, prepare=False
        ).fetchall()
    connection.execute(
        "SET LOCAL work_mem TO DEFAULT; SET LOCAL enable_sort TO DEFAULT; SET LOCAL enable_mergejoin TO DEFAULT;"
        " SET LOCAL enable_nestloop TO DEFAULT"
    )
    found = [Outdated._make(row[:-1]) for row in rows if row[-1] is None]
    return found, [str(row[-1]) for row in rows if row[-1] is not None]


def _weighed(scheme: Scheme) -> Weighed:
    return tuple((indicator.numerator, indicator.denominator) for indicator in scheme.indicators)


@lru_cache(maxsize=64)
def _query(kind: SubjectKind, weighed: Weighed, *, is_whole: bool) -> bytes:
    table, subject = _TABLES[kind]
    halves = [half for pair in weighed for half in pair]
    columns = dict.fromkeys(column for half in halves for one in half for column in _columns(one))
    summed = _SUMMED.format(
        columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
        counts=sql.SQL(", ").join(sql.Identifier(f"count_{at}") for at in range(len(halves))),
        table=sql.Identifier(table),
        subject=sql.Identifier(subject),
        by=sql.SQL("subject_id" if is_whole else "subject_id, period_kind, period_start"),
        **{f"{per}s": _level(halves, rank) for rank, per in enumerate(UNITS_OWED, start=1)},
    )
    return (
        sql.SQL("WITH {}, {}, {}, {} {}")
        .format(
            sql.SQL(_WHOSE[is_whole]),
            summed,
            sql.SQL(_PLACED[kind]),
            sql.SQL(_STANDING[is_whole]),
            sql.SQL(_COMPARED + (_TOLD if is_whole else "") + _ORDER),
        )
        .as_bytes()
    )


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
