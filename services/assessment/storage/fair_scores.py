"""Fair scores as they stand: replaced whole at every look, read by the department."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson
from psycopg.rows import class_row, dict_row

from shared.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class FairScore:
    staff_number: str
    organisation_code: str | None
    peer_group: str | None
    starts_on: date
    ends_on: date
    score: Decimal
    lower: Decimal
    upper: Decimal
    reliability: Decimal
    band: str
    rank_best: int
    rank_worst: int
    award_zone: str
    scheme_name: str
    scheme_version: int
    content_hash: bytes
    computed_at: datetime


def replace_fair_scores(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Those of cadres who have no records any more go."""
    connection.execute(
        """
          WITH row AS (SELECT *
                         FROM jsonb_to_recordset(%s::jsonb)
                           AS row (cadre_id uuid, staff_number text, organisation_id uuid, peer_group text,
                                   starts_on date, ends_on date, score numeric, lower numeric, upper numeric,
                                   reliability numeric, band text, rank_best integer, rank_worst integer,
                                   award_zone text, explanation jsonb, scheme_name text, scheme_version integer,
                                   content_hash text, computed_at timestamptz)),
               gone AS (DELETE FROM fair_score WHERE cadre_id NOT IN (SELECT cadre_id FROM row))
        INSERT INTO fair_score (cadre_id, staff_number, organisation_id, peer_group, starts_on, ends_on, score, lower,
                                upper, reliability, band, rank_best, rank_worst, award_zone, explanation, scheme_name,
                                scheme_version, content_hash, computed_at)
        SELECT cadre_id, staff_number, organisation_id, peer_group, starts_on, ends_on, score, lower, upper,
               reliability, band, rank_best, rank_worst, award_zone, explanation, scheme_name, scheme_version,
               decode(content_hash, 'hex'), computed_at
          FROM row
            ON CONFLICT (cadre_id) DO UPDATE
           SET staff_number = excluded.staff_number,
               organisation_id = excluded.organisation_id,
               peer_group = excluded.peer_group,
               starts_on = excluded.starts_on,
               ends_on = excluded.ends_on,
               score = excluded.score,
               lower = excluded.lower,
               upper = excluded.upper,
               reliability = excluded.reliability,
               band = excluded.band,
               rank_best = excluded.rank_best,
               rank_worst = excluded.rank_worst,
               award_zone = excluded.award_zone,
               explanation = excluded.explanation,
               scheme_name = excluded.scheme_name,
               scheme_version = excluded.scheme_version,
               content_hash = excluded.content_hash,
               computed_at = excluded.computed_at
        """,
        [orjson.dumps(list(rows)).decode()],
    )


def list_fair_scores(
    connection: Connection, *, peer_group: str | None, after: str | None, limit: int
) -> list[FairScore]:
    """By staff number, on fair_score_staff_number."""
    with connection.cursor(row_factory=class_row(FairScore)) as cursor:
        return cursor.execute(
            """
            SELECT staff_number, unit.code AS organisation_code, peer_group, starts_on, ends_on, score, lower, upper,
                   reliability, band, rank_best, rank_worst, award_zone, scheme_name, scheme_version, content_hash,
                   computed_at
              FROM fair_score
              LEFT JOIN organisation AS unit USING (organisation_id)
             WHERE (%(peer_group)s::text IS NULL OR peer_group = %(peer_group)s)
               AND (%(after)s::text IS NULL OR staff_number COLLATE "C" > %(after)s)
             ORDER BY staff_number COLLATE "C"
             LIMIT %(limit)s
            """,
            {"peer_group": peer_group, "after": after, "limit": limit},
        ).fetchall()


def find_explanation(connection: Connection, staff_number: str) -> dict[str, Any] | None:
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute("SELECT explanation FROM fair_score WHERE staff_number = %s", [staff_number]).fetchone()
    return row["explanation"] if row else None
