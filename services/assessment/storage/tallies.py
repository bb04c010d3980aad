"""Tallies: what a cadre did for an organisation in a month, counted from the facts.

The columns are those of domain/measures.py: a measure is added there, in a migration and in the counts below.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from operator import attrgetter
from typing import Final
from uuid import UUID

from psycopg import sql
from psycopg.rows import dict_row

from services.assessment.domain.duties import UNITS_OWED, DutyTally
from services.assessment.domain.measures import COUNTED, HOUSEHOLD_KINDS, SATISFIED_LEVEL
from services.assessment.domain.periods import Period
from services.assessment.storage.arrays import to_array
from shared.database import Connection

SCORING_LOCK = 0x53636F72
DUTIES: Final = tuple(f"duties_{what}_{per}" for per in UNITS_OWED for what in ("owed", "met"))
COLUMNS: Final = (*DUTIES, *COUNTED)

Cell = tuple[UUID, UUID, date]


def list_columns(pattern: str, names: Iterable[str]) -> sql.Composable:
    """The pattern once for each column, with commas between."""
    return sql.SQL(", ").join(sql.SQL(pattern).format(name=sql.Identifier(name)) for name in names)


# What one cadre did for one organisation from a window's first day up to the day after its last, on issue_fact_cell,
# contact_fact_cadre and rating_fact_cell. domain/measures.py says the same for a single fact.
_COUNTS: Final = """
         CROSS JOIN LATERAL (
                   SELECT first_on::timestamp AT TIME ZONE %(time_zone)s::text AS begins_at,
                          next_on::timestamp AT TIME ZONE %(time_zone)s::text AS ends_at) AS instants
         CROSS JOIN LATERAL (
                   SELECT count(*) FILTER (WHERE is_counted) AS issues_received,
                          count(*) FILTER (WHERE (closed_at IS NOT NULL OR responded_at IS NOT NULL)
                                             AND is_counted) AS responded,
                          count(*) FILTER (WHERE closed_at IS NULL AND responded_at IS NULL
                                             AND coalesce(respond_by, due_at) < %(as_of)s) AS response_overdue,
                          count(*) FILTER (WHERE closed_at IS NOT NULL AND is_counted) AS closed,
                          count(*) FILTER (WHERE closed_at <= due_at AND is_counted) AS closed_on_time,
                          count(*) FILTER (WHERE closed_at > due_at AND is_counted) AS closed_late,
                          count(*) FILTER (WHERE closed_at IS NULL AND due_at < %(as_of)s) AS open_overdue,
                          count(*) FILTER (WHERE outcome = 'resolved' AND NOT denied) AS resolved,
                          count(*) FILTER (WHERE outcome = 'resolved' AND denied) AS denied,
                          count(*) FILTER (WHERE outcome = 'explained_policy') AS explained_policy,
                          count(*) FILTER (WHERE outcome = 'not_accepted') AS not_accepted,
                          count(*) FILTER (WHERE outcome = 'withdrawn') AS withdrawn,
                          count(*) FILTER (WHERE outcome = 'merged') AS merged,
                          count(*) FILTER (WHERE least(responded_at, closed_at) <= respond_by
                                             AND is_counted) AS contacted_on_time,
                          count(*) FILTER (WHERE least(responded_at, closed_at) > respond_by
                                             AND is_counted) AS contacted_late,
                          count(*) FILTER (WHERE responded_at IS NULL AND closed_at IS NULL
                                             AND respond_by < %(as_of)s) AS contact_overdue,
                          count(*) FILTER (WHERE closed_at IS NOT NULL AND replied_at IS NOT NULL
                                             AND is_counted) AS replied,
                          count(*) FILTER (WHERE (closed_at IS NOT NULL OR is_reopened OR is_redone)
                                             AND is_counted) AS ended,
                          count(*) FILTER (WHERE is_reopened AND is_counted) AS reopened,
                          count(*) FILTER (WHERE is_redone AND is_counted) AS redone,
                          count(*) FILTER (WHERE closed_at IS NOT NULL AND NOT is_reopened AND NOT is_redone
                                             AND is_counted) AS closed_first_time,
                          count(*) FILTER (WHERE is_returned AND is_counted) AS returned,
                          count(*) FILTER (WHERE issue_type = 'suggestion' AND is_counted) AS suggestions,
                          count(*) FILTER (WHERE issue_type = 'suggestion' AND suggestion_answered_at IS NOT NULL
                                             AND is_counted) AS suggestions_answered
                     FROM issue_fact AS issue
                    CROSS JOIN LATERAL (
                              SELECT merged_into IS NULL OR outcome IS DISTINCT FROM 'merged' AS is_counted) AS whole
                    WHERE issue.organisation_id = cell.organisation_id
                      AND issue.cadre_id = cell.cadre_id
                      AND issue.excluded IS DISTINCT FROM 'all'
                      AND received_at >= begins_at AND received_at < ends_at) AS issues
         CROSS JOIN LATERAL (
                   SELECT count(*) AS contacts,
                          count(*) FILTER (WHERE kind = ANY(%(household_kinds)s)) AS household_visits,
                          coalesce(sum(coalesce(last_on - first_on + 1,
                                                greatest(ceil(duration_minutes / 1440.0), 1)::integer))
                                       FILTER (WHERE kind = 'field_stay'), 0) AS field_stay_days
                     FROM contact_fact AS contact
                    WHERE contact.organisation_id = cell.organisation_id
                      AND contact.cadre_id = cell.cadre_id
                      AND contact.counts
                      AND occurred_at >= begins_at AND occurred_at < ends_at) AS contacts
         CROSS JOIN LATERAL (
                   SELECT count(*) AS ratings,
                          count(*) FILTER (WHERE level >= %(satisfied_level)s) AS satisfied,
                          coalesce(sum(level), 0) AS rating_level_sum,
                          count(attitude) AS attitude_answers,
                          count(*) FILTER (WHERE attitude >= %(satisfied_level)s) AS attitude_satisfied,
                          count(speed) AS speed_answers,
                          count(*) FILTER (WHERE speed >= %(satisfied_level)s) AS speed_satisfied
                     FROM rating_fact AS rating
                    WHERE rating.organisation_id = cell.organisation_id
                      AND rating.cadre_id = cell.cadre_id
                      AND NOT rating.is_set_aside
                      AND NOT rating.is_excluded
                      AND rated_at >= begins_at AND rated_at < ends_at) AS ratings
"""
_GIVEN_DUTIES: Final = sql.SQL(", ").join(sql.SQL("{}::bigint[]").format(sql.Placeholder(name)) for name in DUTIES)
_TALLY_CELLS: Final = (
    sql.SQL(
        """
        WITH cell AS (
            SELECT organisation_id, cadre_id, month AS first_on, (month + interval '1 month')::date AS next_on, {duties}
              FROM unnest(%(organisations)s::uuid[], %(cadres)s::uuid[], %(months)s::date[], {given})
                AS row (organisation_id, cadre_id, month, {duties})
        )
        INSERT INTO tally AS known (organisation_id, cadre_id, month, {columns})
        SELECT cell.organisation_id, cell.cadre_id, first_on, {columns}
          FROM cell {counts}
            ON CONFLICT (organisation_id, month, cadre_id) DO UPDATE
           SET ({columns}) = ROW({excluded})
         WHERE ({known}) <> ({excluded})
     RETURNING organisation_id, cadre_id, month
    """
    )
    .format(
        duties=list_columns("{name}", DUTIES),
        given=_GIVEN_DUTIES,
        columns=list_columns("{name}", COLUMNS),
        counts=sql.SQL(_COUNTS),
        excluded=list_columns("excluded.{name}", COLUMNS),
        known=list_columns("known.{name}", COLUMNS),
    )
    .as_bytes()
)
_PUT_DUTIES: Final = (
    sql.SQL(
        """
        INSERT INTO tally AS known (organisation_id, cadre_id, month, {columns})
        SELECT organisation_id, cadre_id, month, {duties}, {nothing}
          FROM unnest(%(organisations)s::uuid[], %(cadres)s::uuid[], %(months)s::date[], {given})
            AS row (organisation_id, cadre_id, month, {duties})
            ON CONFLICT (organisation_id, month, cadre_id) DO UPDATE
           SET ({duties}) = ROW({excluded})
         WHERE ({known}) <> ({excluded})
     RETURNING organisation_id, cadre_id, month
    """
    )
    .format(
        columns=list_columns("{name}", COLUMNS),
        duties=list_columns("{name}", DUTIES),
        nothing=sql.SQL(", ").join(sql.SQL("0") for _ in COUNTED),
        given=_GIVEN_DUTIES,
        excluded=list_columns("excluded.{name}", DUTIES),
        known=list_columns("known.{name}", DUTIES),
    )
    .as_bytes()
)
_COUNT_WINDOWS: Final = (
    sql.SQL(
        """
        SELECT cell.organisation_id, cell.cadre_id, first_on, {counted}
          FROM unnest(%(organisations)s::uuid[], %(cadres)s::uuid[], %(firsts)s::date[], %(nexts)s::date[])
            AS cell (organisation_id, cadre_id, first_on, next_on) {counts}
    """
    )
    .format(counted=list_columns("{name}", COUNTED), counts=sql.SQL(_COUNTS))
    .as_bytes()
)
# A duty stands in the row of its unit's first month, and counts where the unit lies whole in the period.
_SUM_MEASURES: Final = sql.SQL(
    """
        SELECT asked.place, {owed} AS duties_owed, {met} AS duties_met, {counted}
          FROM unnest(%(subjects)s::uuid[], %(starts)s::date[], %(nexts)s::date[]) WITH ORDINALITY
            AS asked (subject_id, period_start, next_start, place)
          JOIN {table} AS tally
            ON tally.{subject} = asked.subject_id
           AND tally.month >= asked.period_start
           AND tally.month + interval '1 month' <= asked.next_start
         GROUP BY asked.place
    """
)
_MONTHS: Final = {"month": "1 month", "quarter": "3 months", "half_year": "6 months", "year": "12 months"}


def _within(what: str) -> sql.Composable:
    parts = [
        sql.SQL("whole_sum({}) FILTER (WHERE tally.month + interval {} <= next_start)").format(
            sql.Identifier(f"duties_{what}_{per}"), sql.Literal(_MONTHS[per])
        )
        for per in UNITS_OWED
    ]
    return sql.SQL("({})").format(sql.SQL(" + ").join(parts))


_SUMS: Final = {
    kind: _SUM_MEASURES.format(
        owed=_within("owed"),
        met=_within("met"),
        counted=list_columns("whole_sum({name}) AS {name}", COUNTED),
        table=sql.Identifier(table),
        subject=sql.Identifier(subject),
    ).as_bytes()
    for kind, table, subject in (
        ("cadre", "tally", "cadre_id"),
        ("organisation", "organisation_tally", "organisation_id"),
    )
}


def try_lock_scoring(connection: Connection) -> bool:
    """Whether this transaction is the only scoring pass."""
    row = connection.execute("SELECT pg_try_advisory_xact_lock(%s)", [SCORING_LOCK]).fetchone()
    return row is not None and row[0] is True


def find_backend(connection: Connection) -> int:
    """Of the server's processes the one that has this transaction."""
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    return int(str(row[0])) if row else 0


def has_scoring_locked(connection: Connection, backend: int) -> bool:
    """Whether the transaction of this process of the server is still the scoring pass."""
    row = connection.execute(
        """
        SELECT EXISTS (SELECT FROM pg_locks
                        WHERE locktype = 'advisory'
                          AND (classid, objid, objsubid) = (0, %s, 1)
                          AND pid = %s
                          AND mode = 'ExclusiveLock'
                          AND granted)
        """,
        [SCORING_LOCK, backend],
    ).fetchone()
    return row is not None and row[0] is True


def share_scoring(connection: Connection) -> None:
    """Wait for the pass under way to end, and let no pass begin; others that share it go on beside this one."""
    connection.execute("SELECT set_config('lock_timeout', '60s', true)")
    connection.execute("SELECT pg_advisory_xact_lock_shared(%s)", [SCORING_LOCK])


def lock_scoring(connection: Connection) -> None:
    """Wait for the pass under way to end, for longer than for any row, and let none begin."""
    connection.execute("SELECT set_config('lock_timeout', '60s', true)")
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [SCORING_LOCK])


def tally_cells(
    connection: Connection, cells: Sequence[Cell], duties: Sequence[DutyTally], *, as_of: datetime, time_zone: str
) -> list[Cell]:
    """Count these cells anew, with what is owed in them; return those that came out otherwise than they stood.

    Planned at each call (prepare=False): a plan made while the tables were small would scan them whole for ever.
    """
    rows = connection.execute(
        _TALLY_CELLS, {**_giving(cells, duties), **_counting(as_of, time_zone)}, prepare=False
    ).fetchall()
    return _read_cells(rows)


def put_duties(connection: Connection, cells: Sequence[Cell], duties: Sequence[DutyTally]) -> list[Cell]:
    """Have this owed and met in cells whose facts are not counted now; return those in which it stood otherwise."""
    return _read_cells(connection.execute(_PUT_DUTIES, _giving(cells, duties), prepare=False).fetchall())


def _giving(cells: Sequence[Cell], duties: Sequence[DutyTally]) -> dict[str, object]:
    return {
        "organisations": to_array(organisation_id for organisation_id, _, _ in cells),
        "cadres": to_array(cadre_id for _, cadre_id, _ in cells),
        "months": to_array(month for _, _, month in cells),
        **{name: to_array(map(attrgetter(name.removeprefix("duties_")), duties)) for name in DUTIES},
    }


def _read_cells(rows: Sequence[tuple[object, ...]]) -> list[Cell]:
    return [(row[0], row[1], row[2]) for row in rows]  # type: ignore[misc] # the driver reads uuid and date as such


def count_windows(
    connection: Connection, windows: Sequence[tuple[UUID, UUID, date, date]], *, as_of: datetime, time_zone: str
) -> list[dict[str, int]]:
    """What cadres did for organisations from a day up to another, which is not included. Of duties it says nothing."""
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            _COUNT_WINDOWS,
            {
                "organisations": [window[0] for window in windows],
                "cadres": [window[1] for window in windows],
                "firsts": [window[2] for window in windows],
                "nexts": [window[3] for window in windows],
                **_counting(as_of, time_zone),
            },
            prepare=False,
        ).fetchall()
    return [{name: int(row[name]) for name in COUNTED} for row in rows]


def _counting(as_of: datetime, time_zone: str) -> dict[str, object]:
    return {
        "satisfied_level": SATISFIED_LEVEL,
        "household_kinds": list(HOUSEHOLD_KINDS),
        "as_of": as_of,
        "time_zone": time_zone,
    }


def list_cells_within(
    connection: Connection, month: date, *, cadre_ids: Sequence[UUID] = (), organisation_ids: Sequence[UUID] = ()
) -> list[Cell]:
    """The cells of a month that are these cadres' or these organisations' own, on tally_cadre and the key."""
    rows = connection.execute(
        """
        SELECT organisation_id, cadre_id, month
          FROM tally
         WHERE month = %(month)s
           AND (cadre_id = ANY(%(cadres)s::uuid[]) OR organisation_id = ANY(%(organisations)s::uuid[]))
        """,
        {"month": month, "cadres": list(cadre_ids), "organisations": list(organisation_ids)},
        prepare=False,
    ).fetchall()
    return [(UUID(str(row[0])), UUID(str(row[1])), row[2]) for row in rows if isinstance(row[2], date)]


def sum_measures(
    connection: Connection, subject_kind: str, subjects: Sequence[tuple[UUID, Period]]
) -> dict[tuple[UUID, Period], dict[str, int]]:
    """The measures of subjects in the whole months of periods. Who has no row there is absent."""
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            _SUMS[subject_kind],
            {
                "subjects": [subject_id for subject_id, _ in subjects],
                "starts": [period.start for _, period in subjects],
                "nexts": [period.next_start for _, period in subjects],
            },
            prepare=False,
        ).fetchall()
    return {subjects[row.pop("place") - 1]: row for row in rows}
