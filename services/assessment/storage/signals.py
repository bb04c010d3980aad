"""Signals that wait for a person, and what was decided; and the fair scores that they stand beside."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import class_row

from shared.database import Connection

LOOKING_LOCK = 0x4C6F6F6B


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSignal:
    signal_id: UUID
    staff_number: str
    cadre_name: str | None
    organisation_code: str | None
    organisation_name: str | None
    check_name: str
    starts_on: date
    ends_on: date
    odds: int
    evidence: dict[str, int]
    record_ids: list[str]
    found_at: datetime
    state: str
    decided_at: datetime | None
    decided_by: str | None
    grounds: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalFilter:
    """`found_before` is itself not included."""

    state: str
    check_name: str | None = None
    organisation_ids: Sequence[UUID] | None = None
    staff_number: str | None = None
    found_from: datetime | None = None
    found_before: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalCount:
    check_name: str
    signal_count: int


def lock_looking(connection: Connection) -> None:
    """One writes at a time."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOOKING_LOCK])


def put_signals(connection: Connection, rows: Sequence[dict[str, Any]]) -> int:
    """New ones, and those still open with what is found now. Return how many are new."""
    return len(
        [
            True
            for (is_new,) in connection.execute(
                """
                INSERT INTO signal AS known (signal_id, cadre_id, staff_number, organisation_id, check_name, starts_on,
                                             ends_on, odds, evidence, record_ids, found_at, state)
                SELECT signal_id, cadre_id, staff_number, organisation_id, check_name, starts_on, ends_on, odds,
                       evidence, record_ids, found_at, 'open'
                  FROM jsonb_to_recordset(%s::jsonb)
                    AS row (signal_id uuid, cadre_id uuid, staff_number text, organisation_id uuid, check_name text,
                            starts_on date, ends_on date, odds integer, evidence jsonb, record_ids text[],
                            found_at timestamptz)
                    ON CONFLICT (cadre_id, check_name, starts_on) DO UPDATE
                   SET odds = excluded.odds,
                       evidence = excluded.evidence,
                       record_ids = excluded.record_ids,
                       organisation_id = excluded.organisation_id,
                       ends_on = excluded.ends_on,
                       state = 'open'
                 WHERE known.state IN ('open', 'lapsed')
                RETURNING xmax = 0
                """,
                [orjson.dumps(list(rows)).decode()],
            ).fetchall()
            if is_new
        ]
    )


def lapse_signals(connection: Connection, found: Sequence[UUID], *, starts_on: date) -> int:
    """Open ones that are not found any more; return how many."""
    return connection.execute(
        """
        UPDATE signal
           SET state = 'lapsed'
         WHERE state = 'open'
           AND (starts_on <> %s OR signal_id <> ALL (%s))
        """,
        [starts_on, list(found)],
    ).rowcount


def list_cleared_within(connection: Connection, *, starts_on: date, ends_on: date) -> list[tuple[str, str]]:
    """Cadre and check, of what was found in days of these and cleared."""
    rows = connection.execute(
        """
        SELECT DISTINCT cadre_id::text, check_name
          FROM signal
         WHERE state = 'cleared'
           AND starts_on <= %(ends_on)s
           AND ends_on >= %(starts_on)s
         ORDER BY 1, 2
        """,
        {"starts_on": starts_on, "ends_on": ends_on},
    ).fetchall()
    return [(str(row[0]), str(row[1])) for row in rows]


def list_cleared(connection: Connection, *, starts_on: date) -> list[tuple[str, str]]:
    """Staff number and check."""
    rows = connection.execute(
        "SELECT cadre_id::text, check_name FROM signal WHERE state = 'cleared' AND starts_on = %s", [starts_on]
    ).fetchall()
    return [(str(row[0]), str(row[1])) for row in rows]


def list_signals(
    connection: Connection, wanted: SignalFilter, *, after: tuple[datetime, UUID] | None, limit: int
) -> list[StoredSignal]:
    """The longest waiting first, on signal_queue, signal_check, signal_organisation or signal_staff_number.

    Names are looked up for the page alone: what row security asks of a cadre it is not asked of all that are sorted.
    """
    with connection.cursor(row_factory=class_row(StoredSignal)) as cursor:
        return cursor.execute(
            """
              WITH page AS MATERIALIZED (
                   SELECT signal_id, cadre_id, staff_number, organisation_id, check_name, starts_on, ends_on, odds,
                          evidence, record_ids, found_at, state, decided_at, decided_by, grounds
                     FROM signal
                    WHERE state = %(state)s
                      AND (%(check_name)s::text IS NULL OR check_name = %(check_name)s)
                      AND (%(organisation_ids)s::uuid[] IS NULL OR organisation_id = ANY (%(organisation_ids)s))
                      AND (%(staff_number)s::text IS NULL OR staff_number = %(staff_number)s)
                      AND (%(found_from)s::timestamptz IS NULL OR found_at >= %(found_from)s)
                      AND (%(found_before)s::timestamptz IS NULL OR found_at < %(found_before)s)
                      AND (%(at)s::timestamptz IS NULL OR (found_at, signal_id) > (%(at)s, %(id)s))
                    ORDER BY found_at, signal_id
                    LIMIT %(limit)s)
            SELECT signal_id, page.staff_number, cadre.name AS cadre_name, unit.code AS organisation_code,
                   unit.name AS organisation_name, check_name, starts_on, ends_on, odds, evidence, record_ids, found_at,
                   state, decided_at, decided_by, grounds
              FROM page
              LEFT JOIN cadre USING (cadre_id)
              LEFT JOIN organisation AS unit ON unit.organisation_id = page.organisation_id
             ORDER BY found_at, signal_id
            """,
            {**_bind(wanted), "at": after and after[0], "id": after and after[1], "limit": limit},
            prepare=False,
        ).fetchall()


def count_signals(connection: Connection, wanted: SignalFilter) -> list[SignalCount]:
    """By check, the most first, whichever check was asked for; all of them on signal_check alone."""
    with connection.cursor(row_factory=class_row(SignalCount)) as cursor:
        return cursor.execute(
            """
            SELECT check_name, count(*) AS signal_count
              FROM signal
             WHERE state = %(state)s
               AND (%(organisation_ids)s::uuid[] IS NULL OR organisation_id = ANY (%(organisation_ids)s))
               AND (%(staff_number)s::text IS NULL OR staff_number = %(staff_number)s)
               AND (%(found_from)s::timestamptz IS NULL OR found_at >= %(found_from)s)
               AND (%(found_before)s::timestamptz IS NULL OR found_at < %(found_before)s)
             GROUP BY check_name
             ORDER BY signal_count DESC, check_name COLLATE "C"
            """,
            _bind(wanted),
            prepare=False,
        ).fetchall()


def find_signal(connection: Connection, signal_id: UUID) -> StoredSignal | None:
    with connection.cursor(row_factory=class_row(StoredSignal)) as cursor:
        return cursor.execute(
            """
            SELECT signal_id, signal.staff_number, cadre.name AS cadre_name, unit.code AS organisation_code,
                   unit.name AS organisation_name, check_name, starts_on, ends_on, odds, evidence, record_ids, found_at,
                   state, decided_at, decided_by, grounds
              FROM signal
              LEFT JOIN cadre USING (cadre_id)
              LEFT JOIN organisation AS unit ON unit.organisation_id = signal.organisation_id
             WHERE signal_id = %s
            """,
            [signal_id],
        ).fetchone()


def set_decided(connection: Connection, signal_id: UUID, *, state: str, by: str, grounds: str, at: datetime) -> bool:
    """Return whether it was still open."""
    return (
        connection.execute(
            """
            UPDATE signal
               SET state = %s, decided_by = %s, grounds = %s, decided_at = %s
             WHERE signal_id = %s
               AND state = 'open'
            """,
            [state, by, grounds, at, signal_id],
        ).rowcount
        == 1
    )


def measure_open(connection: Connection, now: datetime) -> tuple[int, float]:
    row = connection.execute(
        """
        SELECT count(*), coalesce(extract(epoch FROM %s - min(found_at)), 0)
          FROM signal
         WHERE state = 'open'
        """,
        [now],
    ).fetchone()
    return (int(str(row[0])), float(str(row[1]))) if row else (0, 0.0)


def _bind(wanted: SignalFilter) -> dict[str, Any]:
    return {
        "state": wanted.state,
        "check_name": wanted.check_name,
        "organisation_ids": None if wanted.organisation_ids is None else list(wanted.organisation_ids),
        "staff_number": wanted.staff_number,
        "found_from": wanted.found_from,
        "found_before": wanted.found_before,
    }
