"""What the fair scheme made of closed periods: inputs and results, written once, and the periods that they serve."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import class_row, dict_row

from services.assessment.domain.periods import Period, PeriodKind
from services.assessment.storage.fair_scores import FairFilter, FairSpread
from shared.database import Connection

CLOSING_LOCK = 0x46616972


@dataclass(frozen=True, slots=True, kw_only=True)
class ToClose:
    period: Period
    closed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FairWindow:
    starts_on: date
    ends_on: date
    as_of: datetime
    scheme_name: str
    scheme_version: int
    scheme_hash: bytes
    settings: str
    yardstick: str
    result_count: int
    content_hash: bytes
    log_position: int
    weighed_position: int
    computed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FairResult:
    """One closed score as it is listed."""

    cadre_id: UUID
    staff_number: str
    name: str | None
    organisation_code: str | None
    organisation_name: str | None
    peer_group: str | None
    document: str
    content_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenResult:
    cadre_id: UUID
    staff_number: str
    organisation_id: UUID | None
    inputs: str
    inputs_hash: bytes
    own: dict[str, Any]
    document: str
    content_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Untold:
    """Of whom no scheme of a place says anything in the period, with the publication that does."""

    cadre_id: UUID
    subject_code: str
    organisation_id: UUID | None
    publication: str
    inputs: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Days:
    period_kind: PeriodKind
    period_start: date
    period_end: date
    closed_at: datetime


def try_lock_closing(connection: Connection) -> bool:
    row = connection.execute("SELECT pg_try_advisory_xact_lock(%s)", [CLOSING_LOCK]).fetchone()
    return row is not None and row[0] is True


def find_period_to_score(connection: Connection) -> ToClose | None:
    """The oldest closed period that the schemes of places were put to and the fair one was not."""
    with connection.cursor(row_factory=class_row(_Days)) as cursor:
        row = cursor.execute(
            """
            SELECT period_kind, period_start, period_end, closed_at
              FROM closed_period
              JOIN place_pass USING (period_kind, period_start, period_end)
             WHERE NOT EXISTS (SELECT
                                 FROM fair_pass
                                WHERE fair_pass.period_kind = closed_period.period_kind
                                  AND fair_pass.period_start = closed_period.period_start
                                  AND fair_pass.period_end = closed_period.period_end)
             ORDER BY period_end, period_start, period_kind
             LIMIT 1
            """
        ).fetchone()
    if row is None:
        return None
    last = row.period_end if row.period_kind == "custom" else None
    return ToClose(period=Period(kind=row.period_kind, start=row.period_start, last=last), closed_at=row.closed_at)


def find_window(connection: Connection, starts_on: date, ends_on: date) -> FairWindow | None:
    with connection.cursor(row_factory=class_row(FairWindow)) as cursor:
        return cursor.execute(
            """
            SELECT starts_on, ends_on, as_of, scheme_name, scheme_version, scheme_hash, settings, yardstick,
                   result_count, content_hash, log_position, weighed_position, computed_at
              FROM fair_window
             WHERE ends_on = %s AND starts_on = %s
            """,
            [ends_on, starts_on],
        ).fetchone()


def list_windows_to_weigh(connection: Connection, through: int) -> list[tuple[date, date]]:
    """Those for which the log was not looked through so far, the newest first."""
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            """
            SELECT starts_on, ends_on
              FROM fair_window
             WHERE weighed_position < %s
             ORDER BY ends_on DESC, starts_on DESC
            """,
            [through],
        ).fetchall()
    return [(row["starts_on"], row["ends_on"]) for row in rows]


def insert_window(connection: Connection, row: Mapping[str, Any]) -> None:
    connection.execute(
        """
        INSERT INTO fair_window (starts_on, ends_on, as_of, scheme_name, scheme_version, scheme_hash, settings,
                                 yardstick, result_count, content_hash, log_position, weighed_position, computed_at)
        VALUES (%(starts_on)s, %(ends_on)s, %(as_of)s, %(scheme_name)s, %(scheme_version)s, %(scheme_hash)s,
                %(settings)s, %(yardstick)s, %(result_count)s, %(content_hash)s, %(log_position)s, %(log_position)s,
                %(computed_at)s)
        """,
        row,
    )


def set_weighed_position(connection: Connection, window: FairWindow, position: int) -> None:
    connection.execute(
        "UPDATE fair_window SET weighed_position = %s WHERE ends_on = %s AND starts_on = %s",
        [position, window.ends_on, window.starts_on],
    )


def insert_results(connection: Connection, rows: bytes) -> None:
    """Rows as JSON; what the watch over the indicators sums up goes beside the results."""
    connection.execute(
        """
        WITH row AS (SELECT *
                       FROM json_to_recordset(%s::json)
                         AS row (starts_on date, ends_on date, cadre_id uuid, staff_number text, organisation_id uuid,
                                 peer_group text, score numeric, band text, flags text[], inputs text,
                                 inputs_hash text, own jsonb, document text, content_hash text, figures integer[])),
             kept AS (INSERT INTO fair_result (starts_on, ends_on, cadre_id, staff_number, organisation_id, peer_group,
                                               score, band, flags, inputs, inputs_hash, own, document, content_hash)
                      SELECT starts_on, ends_on, cadre_id, staff_number, organisation_id, peer_group, score, band,
                             flags, inputs, decode(inputs_hash, 'hex'), own, document, decode(content_hash, 'hex')
                        FROM row)
        INSERT INTO fair_watch (starts_on, ends_on, cadre_id, staff_number, organisation_id, figures)
        SELECT starts_on, ends_on, cadre_id, staff_number, organisation_id, figures
          FROM row
        """,
        [rows.decode()],
    )


def insert_pass(
    connection: Connection, period: Period, days: tuple[date, date], *, told_count: int, done_at: datetime
) -> None:
    connection.execute(
        """
        INSERT INTO fair_pass (period_kind, period_start, period_end, starts_on, ends_on, told_count, done_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s)
        """,
        [period.kind, period.start, period.end, *days, told_count, done_at],
    )


def list_untold(connection: Connection, period: Period, *, after: UUID | None, limit: int) -> list[Untold]:
    with connection.cursor(row_factory=class_row(Untold)) as cursor:
        return cursor.execute(
            """
            SELECT subject_id AS cadre_id, subject_code, organisation_id, document AS publication, inputs
              FROM publication
             WHERE subject_kind = 'cadre'
               AND period_kind = %(kind)s
               AND period_start = %(start)s
               AND period_end = %(end)s
               AND (%(after)s::uuid IS NULL OR subject_id > %(after)s)
               AND NOT EXISTS (SELECT
                                 FROM place_score AS told
                                WHERE told.subject_kind = 'cadre'
                                  AND told.subject_id = publication.subject_id
                                  AND told.period_kind = publication.period_kind
                                  AND told.period_start = publication.period_start
                                  AND told.period_end = publication.period_end)
             ORDER BY subject_id
             LIMIT %(limit)s
            """,
            {"kind": period.kind, "start": period.start, "end": period.end, "after": after, "limit": limit},
            prepare=False,
        ).fetchall()


def list_frozen(
    connection: Connection, days: tuple[date, date], *, after: UUID | None, limit: int
) -> list[FrozenResult]:
    """A page of a window in the order of the ids, on the key."""
    with connection.cursor(row_factory=class_row(FrozenResult)) as cursor:
        return cursor.execute(
            """
            SELECT cadre_id, staff_number, organisation_id, inputs, inputs_hash, own, document, content_hash
              FROM fair_result
             WHERE starts_on = %(starts_on)s
               AND ends_on = %(ends_on)s
               AND (%(after)s::uuid IS NULL OR cadre_id > %(after)s)
             ORDER BY cadre_id
             LIMIT %(limit)s
            """,
            {"starts_on": days[0], "ends_on": days[1], "after": after, "limit": limit},
            prepare=False,
        ).fetchall()


def list_frozen_of(connection: Connection, days: tuple[date, date], cadre_ids: Sequence[UUID]) -> list[FrozenResult]:
    with connection.cursor(row_factory=class_row(FrozenResult)) as cursor:
        return cursor.execute(
            """
            SELECT cadre_id, staff_number, organisation_id, inputs, inputs_hash, own, document, content_hash
              FROM fair_result
             WHERE starts_on = %s AND ends_on = %s AND cadre_id = ANY(%s)
             ORDER BY cadre_id
            """,
            [*days, list(cadre_ids)],
            prepare=False,
        ).fetchall()


def stream_hashes(connection: Connection, days: tuple[date, date]) -> Iterator[tuple[UUID, bytes, bytes]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        for row in cursor.execute(
            """
            SELECT cadre_id, inputs_hash, content_hash
              FROM fair_result
             WHERE starts_on = %s AND ends_on = %s
             ORDER BY cadre_id
            """,
            list(days),
        ):
            yield row["cadre_id"], row["inputs_hash"], row["content_hash"]


def list_results(
    connection: Connection,
    days: tuple[date, date],
    wanted: FairFilter,
    *,
    after: str | None,
    limit: int,
) -> list[FairResult]:
    """By staff number, on fair_result_staff_number."""
    with connection.cursor(row_factory=class_row(FairResult)) as cursor:
        return cursor.execute(
            """
            SELECT result.cadre_id, result.staff_number, cadre.name, unit.code AS organisation_code,
                   unit.name AS organisation_name, peer_group, document, content_hash
              FROM fair_result AS result
              LEFT JOIN organisation AS unit USING (organisation_id)
              LEFT JOIN cadre USING (cadre_id)
             WHERE starts_on = %(starts_on)s
               AND ends_on = %(ends_on)s
               AND (%(organisation_ids)s::uuid[] IS NULL OR result.organisation_id = ANY(%(organisation_ids)s))
               AND (%(peer_group)s::text IS NULL OR peer_group = %(peer_group)s)
               AND (%(post_kind)s::text IS NULL
                    OR right(peer_group, length(%(post_kind)s) + 1) = '.' || %(post_kind)s)
               AND (%(band)s::text IS NULL OR band = %(band)s)
               AND CASE WHEN %(flag)s::text IS NULL THEN true
                        WHEN %(flag)s = 'any' THEN flags <> '{}'
                        WHEN %(flag)s = 'none' THEN flags = '{}'
                        ELSE %(flag)s = ANY(flags) END
               AND (%(staff_number)s::text IS NULL OR result.staff_number COLLATE "C" = %(staff_number)s)
               AND (%(after)s::text IS NULL OR result.staff_number COLLATE "C" > %(after)s)
             ORDER BY result.staff_number COLLATE "C"
             LIMIT %(limit)s
            """,
            {
                "starts_on": days[0],
                "ends_on": days[1],
                "organisation_ids": None if wanted.organisation_ids is None else list(wanted.organisation_ids),
                "peer_group": wanted.peer_group,
                "post_kind": wanted.post_kind,
                "band": wanted.band,
                "flag": wanted.flag,
                "staff_number": wanted.staff_number,
                "after": after,
                "limit": limit,
            },
            prepare=False,
        ).fetchall()


def list_spreads(connection: Connection, days: tuple[date, date], organisation_ids: Sequence[UUID]) -> list[FairSpread]:
    """As `fair_scores.list_spreads` tells of scores as they stand."""
    with connection.cursor(row_factory=class_row(FairSpread)) as cursor:
        return cursor.execute(
            """
            SELECT peer_group, count(*) AS cadres, sum(score) AS total, round(avg(score), 2) AS mean,
                   min(score) AS lowest,
                   percentile_disc(0.5) WITHIN GROUP (ORDER BY score) AS median, max(score) AS highest,
                   count(*) FILTER (WHERE band = 'above') AS above,
                   count(*) FILTER (WHERE band = 'middle') AS middle,
                   count(*) FILTER (WHERE band = 'below') AS below,
                   count(*) FILTER (WHERE band = 'not_enough_evidence') AS not_enough_evidence,
                   count(*) FILTER (WHERE flags <> '{}') AS flagged
              FROM fair_result
             WHERE starts_on = %s AND ends_on = %s AND organisation_id = ANY(%s)
             GROUP BY peer_group
             ORDER BY peer_group COLLATE "C" NULLS LAST
            """,
            [*days, list(organisation_ids)],
            prepare=False,
        ).fetchall()


def find_days(connection: Connection, period: Period) -> tuple[date, date] | None:
    """The days that a closed period is scored over. None where it is not, or was before there were such scores."""
    row = connection.execute(
        """
        SELECT starts_on, ends_on
          FROM fair_pass
         WHERE period_kind = %s AND period_start = %s AND period_end = %s AND starts_on IS NOT NULL
        """,
        [period.kind, period.start, period.end],
    ).fetchone()
    if row is None or not isinstance(row[0], date) or not isinstance(row[1], date):
        return None
    return row[0], row[1]


def list_last_corrections(
    connection: Connection, days: tuple[date, date], cadre_ids: Sequence[UUID]
) -> dict[UUID, tuple[int, bytes]]:
    """Number and hash of the inputs of the last correction by cadre."""
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            """
            SELECT DISTINCT ON (cadre_id) cadre_id, number, inputs_hash
              FROM fair_correction
             WHERE starts_on = %s AND ends_on = %s AND cadre_id = ANY(%s)
             ORDER BY cadre_id, number DESC
            """,
            [*days, list(cadre_ids)],
        ).fetchall()
    return {row["cadre_id"]: (row["number"], row["inputs_hash"]) for row in rows}


def insert_correction(connection: Connection, row: Mapping[str, Any]) -> None:
    connection.execute(
        """
        INSERT INTO fair_correction (starts_on, ends_on, cadre_id, staff_number, organisation_id, number, known_at,
                                     cause, score_was, score_would_be, changes, inputs, inputs_hash, document,
                                     content_hash)
        VALUES (%(starts_on)s, %(ends_on)s, %(cadre_id)s, %(staff_number)s, %(organisation_id)s, %(number)s,
                %(known_at)s, %(cause)s::jsonb, %(score_was)s, %(score_would_be)s, %(changes)s::jsonb, %(inputs)s,
                %(inputs_hash)s, %(document)s, %(content_hash)s)
        """,
        {**row, "cause": orjson.dumps(row["cause"]).decode(), "changes": orjson.dumps(row["changes"]).decode()},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FairCorrection:
    place: int
    staff_number: str
    number: int
    known_at: datetime
    cause: dict[str, Any]
    score_was: Decimal
    score_would_be: Decimal
    changes: dict[str, str]
    content_hash: bytes


def list_corrections(
    connection: Connection, days: tuple[date, date], *, staff_number: str | None, before: int | None, limit: int
) -> list[FairCorrection]:
    """The newest first."""
    with connection.cursor(row_factory=class_row(FairCorrection)) as cursor:
        return cursor.execute(
            """
            SELECT place, staff_number, number, known_at, cause, score_was, score_would_be, changes, content_hash
              FROM fair_correction
             WHERE starts_on = %(starts_on)s
               AND ends_on = %(ends_on)s
               AND (%(staff_number)s::text IS NULL OR staff_number = %(staff_number)s)
               AND (%(before)s::bigint IS NULL OR place < %(before)s)
             ORDER BY place DESC
             LIMIT %(limit)s
            """,
            {
                "starts_on": days[0],
                "ends_on": days[1],
                "staff_number": staff_number,
                "before": before,
                "limit": limit,
            },
            prepare=False,
        ).fetchall()
