"""Fair scores as they stand, what they are measured by, and reading them: the list, one of them, sums over places."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from psycopg.rows import class_row, dict_row

from shared.database import Connection

FOLLOWING_LOCK = 0x466F6C77


@dataclass(frozen=True, slots=True, kw_only=True)
class FairScore:
    staff_number: str
    name: str | None
    organisation_code: str | None
    organisation_name: str | None
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
    points: dict[str, str]
    flags: list[str]
    scheme_name: str
    scheme_version: int
    content_hash: bytes
    computed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FairFilter:
    organisation_ids: Sequence[UUID] | None = None
    staff_number: str | None = None
    peer_group: str | None = None
    post_kind: str | None = None
    band: str | None = None
    flag: str | None = None  # `any`, `none`, or the name of a check


@dataclass(frozen=True, slots=True, kw_only=True)
class FairFrame:
    starts_on: date
    ends_on: date
    scheme_hash: bytes
    yardstick: str
    set_aside: list[str]
    position: int
    computed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FairSpread:
    """How the scores of one peer group below an organisation lie. The mean is of whole hundredths, half up."""

    peer_group: str | None
    cadres: int
    total: Decimal
    mean: Decimal
    lowest: Decimal
    median: Decimal
    highest: Decimal
    above: int
    middle: int
    below: int
    not_enough_evidence: int
    flagged: int


def try_lock_following(connection: Connection) -> bool:
    row = connection.execute("SELECT pg_try_advisory_xact_lock(%s)", [FOLLOWING_LOCK]).fetchone()
    return row is not None and row[0] is True


def lock_following(connection: Connection) -> None:
    """A pass over many events may take longer than anything else is waited for."""
    connection.execute("SELECT set_config('lock_timeout', '60s', true)")
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [FOLLOWING_LOCK])


def put_fair_scores(connection: Connection, rows: bytes) -> None:
    """Rows as JSON. A score that comes out the same keeps the time that it was computed at."""
    connection.execute(
        """
        INSERT INTO fair_score AS known (cadre_id, staff_number, organisation_id, peer_group, starts_on, ends_on, score,
                                         lower, upper, reliability, band, rank_best, rank_worst, award_zone,
                                         explanation, own, points, flags, figures, scheme_name, scheme_version,
                                         content_hash, computed_at)
        SELECT cadre_id, staff_number, organisation_id, peer_group, starts_on, ends_on, score, lower, upper,
               reliability, band, rank_best, rank_worst, award_zone, explanation, own, points, flags, figures,
               scheme_name, scheme_version, decode(content_hash, 'hex'), computed_at
          FROM jsonb_to_recordset(%s::jsonb)
            AS row (cadre_id uuid, staff_number text, organisation_id uuid, peer_group text, starts_on date,
                    ends_on date, score numeric, lower numeric, upper numeric, reliability numeric, band text,
                    rank_best integer, rank_worst integer, award_zone text, explanation jsonb, own jsonb,
                    points jsonb, flags text[], figures integer[], scheme_name text, scheme_version integer,
                    content_hash text, computed_at timestamptz)
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
               own = excluded.own,
               points = excluded.points,
               flags = excluded.flags,
               figures = excluded.figures,
               scheme_name = excluded.scheme_name,
               scheme_version = excluded.scheme_version,
               content_hash = excluded.content_hash,
               computed_at = CASE WHEN known.explanation = excluded.explanation THEN known.computed_at
                                  ELSE excluded.computed_at END
        """,
        [rows.decode()],
    )


def remove_fair_scores(connection: Connection, *, but: Sequence[UUID]) -> int:
    """Those of cadres who have no records any more; return how many."""
    return connection.execute("DELETE FROM fair_score WHERE cadre_id <> ALL(%s)", [list(but)]).rowcount


def put_frame(connection: Connection, row: Mapping[str, Any]) -> None:
    connection.execute(
        """
        INSERT INTO fair_frame (starts_on, ends_on, scheme_hash, yardstick, set_aside, position, computed_at)
        VALUES (%(starts_on)s, %(ends_on)s, %(scheme_hash)s, %(yardstick)s, %(set_aside)s, %(position)s,
                %(computed_at)s)
            ON CONFLICT (is_only) DO UPDATE
           SET starts_on = excluded.starts_on,
               ends_on = excluded.ends_on,
               scheme_hash = excluded.scheme_hash,
               yardstick = excluded.yardstick,
               set_aside = excluded.set_aside,
               position = excluded.position,
               computed_at = excluded.computed_at
        """,
        row,
    )


def find_frame(connection: Connection) -> FairFrame | None:
    with connection.cursor(row_factory=class_row(FairFrame)) as cursor:
        return cursor.execute(
            "SELECT starts_on, ends_on, scheme_hash, yardstick, set_aside, position, computed_at FROM fair_frame"
        ).fetchone()


def set_frame_position(connection: Connection, position: int) -> None:
    connection.execute("UPDATE fair_frame SET position = %s", [position])


def list_own(connection: Connection, cadre_ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """What of the yardstick is each of these cadres', with the flags of their scores."""
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            "SELECT cadre_id, own, flags FROM fair_score WHERE cadre_id = ANY(%s)", [list(cadre_ids)]
        ).fetchall()
    return {row["cadre_id"]: row for row in rows}


def list_scores_of_peers(connection: Connection, peer_group: str | None) -> list[tuple[UUID, Decimal]]:
    """On fair_score_peers."""
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            "SELECT cadre_id, score FROM fair_score WHERE peer_group IS NOT DISTINCT FROM %s ORDER BY score, cadre_id",
            [peer_group],
        ).fetchall()
    return [(row["cadre_id"], row["score"]) for row in rows]


def list_fair_scores(connection: Connection, wanted: FairFilter, *, after: str | None, limit: int) -> list[FairScore]:
    """By staff number, on fair_score_staff_number."""
    with connection.cursor(row_factory=class_row(FairScore)) as cursor:
        return cursor.execute(
            """
            SELECT fair_score.staff_number, cadre.name, unit.code AS organisation_code, unit.name AS organisation_name,
                   peer_group, starts_on, ends_on, score, lower, upper, reliability, band, rank_best, rank_worst,
                   award_zone, points, flags, scheme_name, scheme_version, content_hash, computed_at
              FROM fair_score
              LEFT JOIN organisation AS unit USING (organisation_id)
              LEFT JOIN cadre USING (cadre_id)
             WHERE (%(organisation_ids)s::uuid[] IS NULL OR organisation_id = ANY(%(organisation_ids)s))
               AND (%(peer_group)s::text IS NULL OR peer_group = %(peer_group)s)
               AND (%(post_kind)s::text IS NULL
                    OR right(peer_group, length(%(post_kind)s) + 1) = '.' || %(post_kind)s)
               AND (%(band)s::text IS NULL OR band = %(band)s)
               AND CASE WHEN %(flag)s::text IS NULL THEN true
                        WHEN %(flag)s = 'any' THEN flags <> '{}'
                        WHEN %(flag)s = 'none' THEN flags = '{}'
                        ELSE %(flag)s = ANY(flags) END
               AND (%(staff_number)s::text IS NULL OR fair_score.staff_number COLLATE "C" = %(staff_number)s)
               AND (%(after)s::text IS NULL OR fair_score.staff_number COLLATE "C" > %(after)s)
             ORDER BY fair_score.staff_number COLLATE "C"
             LIMIT %(limit)s
            """,
            {
                "organisation_ids": None if wanted.organisation_ids is None else list(wanted.organisation_ids),
                "staff_number": wanted.staff_number,
                "peer_group": wanted.peer_group,
                "post_kind": wanted.post_kind,
                "band": wanted.band,
                "flag": wanted.flag,
                "after": after,
                "limit": limit,
            },
            prepare=False,
        ).fetchall()


def list_spreads(connection: Connection, organisation_ids: Sequence[UUID]) -> list[FairSpread]:
    """Of the cadres of these organisations by peer group, on fair_score_organisation."""
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
              FROM fair_score
             WHERE organisation_id = ANY(%s)
             GROUP BY peer_group
             ORDER BY peer_group COLLATE "C" NULLS LAST
            """,
            [list(organisation_ids)],
            prepare=False,
        ).fetchall()


def find_explanation(connection: Connection, staff_number: str) -> dict[str, Any] | None:
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(
            """
            SELECT explanation FROM fair_score WHERE staff_number COLLATE "C" = %s
            """,
            [staff_number],
        ).fetchone()
    return row["explanation"] if row else None
