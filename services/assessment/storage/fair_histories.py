"""What the fair scheme made of one cadre: period after period, and as it stood by a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from psycopg.rows import class_row

from services.assessment.domain.periods import Period, PeriodKind
from services.assessment.storage.fair_closings import FairCorrection
from shared.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class PastFairScore:
    """`period_end` is the last day of the period, `ends_on` of the records, which go back further than it does."""

    period_kind: PeriodKind
    period_start: date
    period_end: date
    starts_on: date
    ends_on: date
    peer_group: str | None
    document: str
    scheme_name: str
    scheme_version: int
    content_hash: bytes
    done_at: datetime


def list_history(
    connection: Connection, staff_number: str, kinds: Sequence[PeriodKind], *, limit: int
) -> list[PastFairScore]:
    """The newest first, on fair_result_staff_number for each period that was closed."""
    with connection.cursor(row_factory=class_row(PastFairScore)) as cursor:
        return cursor.execute(
            """
            SELECT closed.period_kind, closed.period_start, closed.period_end, starts_on, ends_on, result.peer_group,
                   result.document, fair_window.scheme_name, fair_window.scheme_version, result.content_hash,
                   closed.done_at
              FROM fair_pass AS closed
              JOIN fair_window USING (starts_on, ends_on)
              JOIN fair_result AS result USING (starts_on, ends_on)
             WHERE closed.period_kind = ANY(%(kinds)s)
               AND result.staff_number COLLATE "C" = %(staff_number)s
             ORDER BY closed.period_end DESC, closed.period_start DESC
             LIMIT %(limit)s
            """,
            {"kinds": list(kinds), "staff_number": staff_number, "limit": limit},
        ).fetchall()


def find_done_at(connection: Connection, period: Period) -> datetime | None:
    """Since when the scores of a closed period stand."""
    row = connection.execute(
        "SELECT done_at FROM fair_pass WHERE period_kind = %s AND period_start = %s AND period_end = %s",
        [period.kind, period.start, period.end],
    ).fetchone()
    return row[0] if row and isinstance(row[0], datetime) else None


def find_correction_by(
    connection: Connection, days: tuple[date, date], staff_number: str, *, by: datetime
) -> FairCorrection | None:
    """The last one that was known by then."""
    with connection.cursor(row_factory=class_row(FairCorrection)) as cursor:
        return cursor.execute(
            """
            SELECT place, staff_number, number, known_at, cause, score_was, score_would_be, changes, content_hash
              FROM fair_correction
             WHERE starts_on = %s AND ends_on = %s AND staff_number COLLATE "C" = %s AND known_at < %s
             ORDER BY number DESC
             LIMIT 1
            """,
            [*days, staff_number, by],
        ).fetchone()
