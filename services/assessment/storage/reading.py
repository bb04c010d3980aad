"""Scores as they are asked for: lists by cursor, single scores, and the register entries that questions name.

A list narrowed to a small part of the tree lives on score_by_organisation, whichever way it is sorted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from math import ceil
from typing import Final, cast
from uuid import UUID

from psycopg import sql
from psycopg.rows import class_row

from services.assessment.domain.periods import Period
from services.assessment.domain.scores import Score, Subject, SubjectKind
from shared.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreFilter:
    subject_kind: SubjectKind
    period: Period
    organisation_ids: tuple[UUID, ...] | None = None
    peer_group: str | None = None
    post_kind: str | None = None
    composite_from: Decimal | None = None  # the lower end of a band, included
    composite_below: Decimal | None = None
    flag: str | None = None  # `any`, `none`, or the check that has a signal about the cadre

    def parameters(self) -> dict[str, object]:
        return {
            "subject_kind": self.subject_kind,
            "period_kind": self.period.kind,
            "period_start": self.period.start,
            "organisation_ids": None if self.organisation_ids is None else list(self.organisation_ids),
            "peer_group": self.peer_group,
            "post_kind": self.post_kind,
            "composite_from": self.composite_from,
            "composite_below": self.composite_below,
            "flag": self.flag,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class After:
    """The last score of the page before. Those without a composite come last, whichever way the others are sorted."""

    composite: Decimal | None
    subject_code: str


# The page is found first, in the order of one index; what else is told of it is joined to its few rows.
_PAGE: Final = sql.SQL(
    """
        SELECT score_id, subject_kind, subject_id, subject_code,
               coalesce(cadre.name, own.name, subject_code) AS subject_name, unit.code AS organisation_code,
               unit.name AS organisation_name, peer_group, period_kind, period_start, scheme_name, scheme_version,
               composite, present_weight, counts, scheme.content_hash AS scheme_hash, as_of, computed_at, revision,
               correlation_id
          FROM (SELECT *
                  FROM score
                 WHERE subject_kind = %(subject_kind)s
                   AND period_kind = %(period_kind)s
                   AND period_start = %(period_start)s
                   AND subject_code IS NOT NULL
                   AND (%(organisation_ids)s::uuid[] IS NULL OR organisation_id = ANY(%(organisation_ids)s))
                   AND (%(peer_group)s::text IS NULL OR peer_group = %(peer_group)s)
                   AND (%(post_kind)s::text IS NULL
                        OR right(peer_group, length(%(post_kind)s) + 1) = '.' || %(post_kind)s)
                   AND (%(composite_from)s::numeric IS NULL OR composite >= %(composite_from)s)
                   AND (%(composite_below)s::numeric IS NULL OR composite < %(composite_below)s)
                   AND (%(flag)s::text IS NULL
                        OR (%(flag)s <> 'none')
                         = EXISTS (SELECT
                                     FROM signal
                                    WHERE signal.cadre_id = score.subject_id
                                      AND state IN ('open', 'confirmed')
                                      AND period_start BETWEEN starts_on AND ends_on
                                      AND (%(flag)s IN ('any', 'none') OR check_name = %(flag)s)))
                   {within}
                 ORDER BY {order}
                 LIMIT %(limit)s) AS score
          JOIN scheme ON scheme.name = scheme_name AND scheme.version = scheme_version
          LEFT JOIN cadre ON subject_kind = 'cadre' AND cadre_id = subject_id
          LEFT JOIN organisation AS own ON subject_kind = 'organisation' AND own.organisation_id = subject_id
          LEFT JOIN organisation AS unit ON unit.organisation_id = score.organisation_id
         ORDER BY {order}
    """
)
# A cursor or an end of a band is a place in the order: what it leaves out is not read. One row comparison finds it.
_PLACED: Final = """
                   AND (%(first_code)s::text IS NULL
                        OR ({order}) > (%(first_amount)s::integer, %(first_code)s))
                   AND (%(last_amount)s::integer IS NULL OR ({order}) < (%(last_amount)s::integer, ''))
"""
_BY_CODE: Final = 'subject_code COLLATE "C"'
_UP: Final = 'rising, subject_code COLLATE "C"'
_DOWN: Final = 'falling, subject_code COLLATE "C"'
_AFTER_CODE: Final = """AND (%(first_code)s::text IS NULL OR {order} > %(first_code)s)"""
_PAGES: Final = {
    order: _PAGE.format(order=sql.SQL(order), within=sql.SQL(within).format(order=sql.SQL(order))).as_bytes()
    for order, within in ((_BY_CODE, _AFTER_CODE), (_UP, _PLACED), (_DOWN, _PLACED))
}
# Where those stand that have no composite: behind the others, whichever way these are sorted.
_BEYOND: Final = 10_100
# Told twice, as a place in the order and as a condition, a band looks so narrow that all is sorted for it.
_NO_BAND: Final[dict[str, object]] = {"composite_from": None, "composite_below": None}


def list_scores_by_code(connection: Connection, wanted: ScoreFilter, *, after: After | None, limit: int) -> list[Score]:
    """On score_by_code."""
    first = {"first_code": after.subject_code if after else None}
    return _list_page(connection, _BY_CODE, wanted.parameters() | first, limit)


def list_scores_ascending(
    connection: Connection, wanted: ScoreFilter, *, after: After | None, limit: int
) -> list[Score]:
    """On score_rising."""
    lowest, below = _hundredths(wanted.composite_from), _hundredths(wanted.composite_below)
    last = _BEYOND if below is None and lowest is not None else below
    known = None if after is None else (_hundredths(after.composite), after.subject_code)
    return _list_page(
        connection, _UP, wanted.parameters() | _NO_BAND | _first(known, lowest) | {"last_amount": last}, limit
    )


def list_scores_descending(
    connection: Connection, wanted: ScoreFilter, *, after: After | None, limit: int
) -> list[Score]:
    """On score_falling; the sign is turned so that one row comparison finds the next page."""
    lowest, below = _hundredths(wanted.composite_from), _hundredths(wanted.composite_below)
    known = None if after is None else (_turn(_hundredths(after.composite)), after.subject_code)
    first = _first(known, None if below is None else 1 - below)
    last = None if lowest is None else 1 - lowest
    last = _BEYOND if last is None and below is not None else last
    return _list_page(connection, _DOWN, wanted.parameters() | _NO_BAND | first | {"last_amount": last}, limit)


def _hundredths(composite: Decimal | None) -> int | None:
    """Of a bound between two composites the upper one: what is not below it is not below that."""
    return None if composite is None else ceil(composite * 100)


def _turn(amount: int | None) -> int | None:
    return None if amount is None else -amount


def _first(known: tuple[int | None, str] | None, amount: int | None) -> dict[str, object]:
    """The place behind which the page begins: the cursor or the lower end of the band, whichever lies further on."""
    places = [] if amount is None else [(amount, "")]
    if known is not None:
        places.append((_BEYOND if known[0] is None else known[0], known[1]))
    first_amount, first_code = max(places, default=(None, None))
    return {"first_amount": first_amount, "first_code": first_code}


def _list_page(connection: Connection, order: str, parameters: dict[str, object], limit: int) -> list[Score]:
    with connection.cursor(row_factory=class_row(Score)) as cursor:
        return cursor.execute(_PAGES[order], {**parameters, "limit": limit}, prepare=False).fetchall()


def find_score(connection: Connection, kind: SubjectKind, subject_id: UUID, period: Period) -> Score | None:
    """On the key, in the part of the period's year."""
    with connection.cursor(row_factory=class_row(Score)) as cursor:
        return cursor.execute(
            """
            SELECT score_id, subject_kind, subject_id, subject_code,
                   coalesce(cadre.name, own.name, subject_code) AS subject_name, unit.code AS organisation_code,
                   unit.name AS organisation_name, peer_group, period_kind, period_start, scheme_name, scheme_version,
                   composite, present_weight, counts, scheme.content_hash AS scheme_hash, as_of, computed_at, revision,
                   correlation_id
              FROM score
              JOIN scheme ON scheme.name = scheme_name AND scheme.version = scheme_version
              LEFT JOIN cadre ON subject_kind = 'cadre' AND cadre_id = subject_id
              LEFT JOIN organisation AS own ON subject_kind = 'organisation' AND own.organisation_id = subject_id
              LEFT JOIN organisation AS unit ON unit.organisation_id = score.organisation_id
             WHERE subject_kind = %s
               AND subject_id = %s
               AND period_kind = %s
               AND period_start = %s
               AND subject_code IS NOT NULL
            """,
            [kind, subject_id, period.kind, period.start],
            prepare=False,
        ).fetchone()


def find_cadre(connection: Connection, staff_number: str) -> Subject | None:
    """Nobody finds himself here: live figures move with every rating."""
    with connection.cursor(row_factory=class_row(Subject)) as cursor:
        return cursor.execute(
            """
            SELECT 'cadre' AS subject_kind, cadre_id AS subject_id, staff_number AS code, name
              FROM cadre
             WHERE staff_number = %s
               AND staff_number IS DISTINCT FROM acting_as()
             ORDER BY cadre_id
             LIMIT 1
            """,
            [staff_number],
        ).fetchone()


def find_organisation(connection: Connection, code: str) -> Subject | None:
    """Find it within reach. The register itself can be read by everybody."""
    with connection.cursor(row_factory=class_row(Subject)) as cursor:
        return cursor.execute(
            """
            SELECT 'organisation' AS subject_kind, organisation_id AS subject_id, code, name, organisation_id
              FROM organisation
             WHERE code = %s
               AND (acting_reach() <> 'scoped' OR organisation_id IN (SELECT acting_subtree()))
             ORDER BY organisation_id
             LIMIT 1
            """,
            [code],
        ).fetchone()


def find_organisation_by_id(connection: Connection, organisation_id: UUID | None) -> Subject | None:
    with connection.cursor(row_factory=class_row(Subject)) as cursor:
        return cursor.execute(
            """
            SELECT 'organisation' AS subject_kind, organisation_id AS subject_id, code, name, organisation_id
              FROM organisation
             WHERE organisation_id = %s
            """,
            [organisation_id],
        ).fetchone()


def list_organisations_of_level(connection: Connection, level: str, *, limit: int) -> list[Subject]:
    with connection.cursor(row_factory=class_row(Subject)) as cursor:
        return cursor.execute(
            """
            SELECT 'organisation' AS subject_kind, organisation_id AS subject_id, code, name, organisation_id
              FROM organisation
             WHERE level = %s
             ORDER BY code COLLATE "C", organisation_id
             LIMIT %s
            """,
            [level, limit],
        ).fetchall()


def list_subtree(connection: Connection, organisation_id: UUID, *, on: date | None = None) -> list[UUID]:
    """The organisation and everything below it, now or on a day, on organisation_parent and parentage_child."""
    if on is not None:
        return [below for _, below in list_subtrees(connection, [organisation_id], on=on)]
    rows = connection.execute(
        """
        WITH RECURSIVE subtree AS (
            SELECT %s::uuid AS organisation_id
             UNION
            SELECT child.organisation_id
              FROM subtree
              JOIN organisation AS child ON child.parent_id = subtree.organisation_id
        )
        SELECT organisation_id
          FROM subtree
        """,
        [organisation_id],
    ).fetchall()
    return [UUID(str(row[0])) for row in rows]


def list_subtrees(connection: Connection, organisation_ids: Sequence[UUID], *, on: date) -> list[tuple[UUID, UUID]]:
    """Each of these organisations with itself, and with everything that stood below it on the day."""
    rows = connection.execute(
        """
        WITH RECURSIVE standing AS (
            SELECT top_id AS organisation_id, NULL::uuid AS parent_id
              FROM unnest(%(organisations)s::uuid[]) AS top_id
             UNION
            SELECT child.organisation_id, child.parent_id
              FROM standing
              JOIN parentage AS child ON child.parent_id = standing.organisation_id
             WHERE parent_on(child.organisation_id, %(on)s) = child.parent_id
        ), subtree AS (
            SELECT top_id, top_id AS organisation_id
              FROM unnest(%(organisations)s::uuid[]) AS top_id
             UNION
            SELECT top_id, standing.organisation_id
              FROM subtree
              JOIN standing ON standing.parent_id = subtree.organisation_id
        )
        SELECT top_id, organisation_id
          FROM subtree
        """,
        {"organisations": list(organisation_ids), "on": on},
    ).fetchall()
    return [(UUID(str(top_id)), UUID(str(organisation_id))) for top_id, organisation_id in rows]


def list_reach(connection: Connection) -> list[UUID] | None:
    """The organisations that the acting person is confined to. None without a bound."""
    row = connection.execute("SELECT ARRAY(SELECT acting_subtree()) WHERE acting_reach() = 'scoped'").fetchone()
    return None if row is None else [UUID(str(identifier)) for identifier in cast("list[object]", row[0])]


def list_post_kinds(connection: Connection) -> list[str]:
    """Of the posts within reach: a loose scan of post_kind, one probe a kind where all are."""
    rows = connection.execute(
        """
        WITH RECURSIVE kind AS (
            SELECT (SELECT min(post_kind) FROM post) AS code
             UNION ALL
            SELECT (SELECT min(post_kind) FROM post WHERE post_kind > kind.code)
              FROM kind
             WHERE kind.code IS NOT NULL
        )
        SELECT code
          FROM kind
         WHERE code IS NOT NULL
        """
    ).fetchall()
    return [str(row[0]) for row in rows]


def stood_elsewhere(connection: Connection, cadre_id: UUID, period: Period) -> bool:
    """Whether the reader is confined to organisations in which the cadre held no post in the period, on post_cadre."""
    row = connection.execute(
        """
        SELECT acting_reach() = 'scoped'
           AND NOT EXISTS (
                   SELECT FROM post
                    WHERE cadre_id = %s
                      AND from_on <= %s
                      AND (until_on IS NULL OR until_on >= %s)
                      AND organisation_id IN (SELECT acting_subtree()))
        """,
        [cadre_id, period.end, period.start],
    ).fetchone()
    return row is not None and row[0] is True


def list_months(connection: Connection) -> list[date]:
    """The months for which anything is known: a loose scan of score_by_code, one probe a month however many rows."""
    rows = connection.execute(
        """
        WITH RECURSIVE month AS (
            SELECT (SELECT min(period_start) FROM score
                     WHERE subject_kind = 'organisation' AND period_kind = 'month') AS start
             UNION ALL
            SELECT (SELECT min(period_start) FROM score
                     WHERE subject_kind = 'organisation' AND period_kind = 'month' AND period_start > month.start)
              FROM month
             WHERE month.start IS NOT NULL
        )
        SELECT start
          FROM month
         WHERE start IS NOT NULL
        """
    ).fetchall()
    return [row[0] for row in rows if isinstance(row[0], date)]
