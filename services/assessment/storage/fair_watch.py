"""What the watch over the indicators sums up of scores by the fair scheme: of closed periods, and as things stand.

The sums are whole numbers and made by the database: what a reader waits for and what is held in memory do not grow with
the cadres. Row policies say whose rows they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, LiteralString
from uuid import UUID

import orjson
from psycopg import sql
from psycopg.rows import class_row

from services.assessment.domain.periods import CalendarKind
from services.assessment.scoring.fair_monitoring import HUNDREDTHS, Sums
from services.assessment.scoring.monitoring import CEILING, FLOOR
from shared.database import Connection

# Figures are those of services.assessment.fair.watching, in its order; the fifth line is satisfaction. OFFSET 0
# has each taken out of its array once, and not for every sum anew: that is two thirds of the time.
_SUMS: Final[LiteralString] = """
        SELECT place,
               count(own) AS subjects,
               whole_sum(own) AS total,
               whole_sum(own * own) AS squares,
               count(*) FILTER (WHERE own >= %(ceiling)s) AS at_ceiling,
               count(*) FILTER (WHERE own <= %(floor)s) AS at_floor,
               max(true_spread) AS true_spread,
               whole_sum(points) AS points,
               whole_sum(limited) AS limited,
               whole_sum(records) AS records,
               whole_sum(set_aside) AS set_aside,
               ARRAY[count(own * told), whole_sum(own) FILTER (WHERE told IS NOT NULL),
                     whole_sum(own * own) FILTER (WHERE told IS NOT NULL),
                     whole_sum(told) FILTER (WHERE own IS NOT NULL),
                     whole_sum(told * told) FILTER (WHERE own IS NOT NULL), whole_sum(own * told)] AS with_ratings,
               ARRAY[count(own * upheld), whole_sum(own) FILTER (WHERE upheld IS NOT NULL),
                     whole_sum(own * own) FILTER (WHERE upheld IS NOT NULL),
                     whole_sum(upheld) FILTER (WHERE own IS NOT NULL),
                     whole_sum(upheld * upheld) FILTER (WHERE own IS NOT NULL), whole_sum(own * upheld)] AS with_calls
          FROM (SELECT place, figures[place][1]::bigint AS own, figures[5][1]::bigint AS told,
                       figures[place][2]::bigint AS upheld, figures[place][3] AS points, figures[place][4] AS limited,
                       figures[place][5] AS records, figures[place][6] AS set_aside, figures[place][7] AS true_spread
                  FROM {watched} AS watched
                 CROSS JOIN generate_series(1, 6) AS place
                OFFSET 0) AS line
         GROUP BY place
         ORDER BY place
"""


Days = tuple[date, date]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """Days that were scored, and by which settings. `period_start`: of the closed period; None as things stand."""

    period_start: date | None
    starts_on: date
    ends_on: date
    scheme_name: str
    scheme_version: int
    scheme_hash: bytes


def list_closed(connection: Connection, kind: CalendarKind, *, limit: int) -> list[Watched]:
    """The latest closed periods of a kind that the scheme was put to, from the newest on."""
    with connection.cursor(row_factory=class_row(Watched)) as cursor:
        return cursor.execute(
            """
            SELECT period_start, starts_on, ends_on, scheme_name, scheme_version, scheme_hash
              FROM fair_pass
              JOIN fair_window USING (starts_on, ends_on)
             WHERE period_kind = %s
             ORDER BY period_start DESC
             LIMIT %s
            """,
            [kind, limit],
        ).fetchall()


def find_present(connection: Connection) -> Watched | None:
    """Over which days scores stand. None where the reader sees none, or no look has come since there is a watch."""
    with connection.cursor(row_factory=class_row(Watched)) as cursor:
        return cursor.execute(
            """
            SELECT NULL::date AS period_start, starts_on, ends_on, scheme_name, scheme_version,
                   content_hash AS scheme_hash
              FROM fair_score
             WHERE figures IS NOT NULL
             ORDER BY ends_on DESC, starts_on DESC, scheme_version DESC
             LIMIT 1
            """
        ).fetchone()


def sum_closed(connection: Connection, watched: Watched) -> list[Sums]:
    """Of those within reach, by indicator, on the key."""
    return _sum(
        connection,
        "(SELECT figures FROM fair_watch WHERE ends_on = %(ends_on)s AND starts_on = %(starts_on)s)",
        watched,
    )


def sum_present(connection: Connection, watched: Watched) -> list[Sums]:
    return _sum(
        connection,
        """
        (SELECT figures
           FROM fair_score
          WHERE figures IS NOT NULL
            AND ends_on = %(ends_on)s
            AND starts_on = %(starts_on)s
            AND content_hash = %(scheme_hash)s)
        """,
        watched,
    )


def _sum(connection: Connection, rows: LiteralString, watched: Watched) -> list[Sums]:
    with connection.cursor(row_factory=class_row(Sums)) as cursor:
        return cursor.execute(
            sql.SQL(_SUMS).format(watched=sql.SQL(rows)),
            {
                "starts_on": watched.starts_on,
                "ends_on": watched.ends_on,
                "scheme_hash": watched.scheme_hash,
                "ceiling": int(CEILING * HUNDREDTHS),
                "floor": int(FLOOR * HUNDREDTHS),
            },
            prepare=False,
        ).fetchall()


def find_unwatched(connection: Connection) -> Days | None:
    """The newest days of which results were kept and no figures: closed before there was such a watch."""
    row = connection.execute(
        """
        SELECT starts_on, ends_on
          FROM fair_window
         WHERE result_count > 0
           AND NOT EXISTS (SELECT
                             FROM fair_watch
                            WHERE fair_watch.ends_on = fair_window.ends_on
                              AND fair_watch.starts_on = fair_window.starts_on)
         ORDER BY ends_on DESC, starts_on DESC
         LIMIT 1
        """
    ).fetchone()
    if row is None or not isinstance(row[0], date) or not isinstance(row[1], date):
        return None
    return row[0], row[1]


def insert_figures(connection: Connection, days: Days, figures: Sequence[tuple[UUID, list[list[int | None]]]]) -> None:
    """Of results that are there."""
    connection.execute(
        """
        INSERT INTO fair_watch (starts_on, ends_on, cadre_id, staff_number, organisation_id, figures)
        SELECT starts_on, ends_on, cadre_id, staff_number, organisation_id, row.figures
          FROM json_to_recordset(%s::json) AS row (cadre_id uuid, figures integer[])
          JOIN fair_result USING (cadre_id)
         WHERE starts_on = %s AND ends_on = %s
        """,
        [orjson.dumps([{"cadre_id": cadre_id, "figures": lines} for cadre_id, lines in figures]).decode(), *days],
    )
