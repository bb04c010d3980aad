"""Ranks and lines of CVs that cadre files told of, where their posts are in the register, and results."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import class_row

from services.intake.domain.appraisals import AppraisalGrade
from services.intake.domain.commands.rosters import Ladder
from services.intake.storage.posts import Post
from shared.database import Connection

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rank:
    id: UUID
    cadre_id: UUID
    ladder: Ladder
    rank_code: str
    from_on: date
    until_on: date | None

    @property
    def key(self) -> tuple[object, ...]:
        return (self.cadre_id, self.ladder, self.rank_code, self.from_on)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    id: UUID
    cadre_id: UUID
    from_on: date
    until_on: date | None
    line: bytes
    text_sealed: bytes = field(repr=False)

    @property
    def key(self) -> tuple[object, ...]:
        return (self.cadre_id, self.from_on, self.line)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    year: int
    grade: AppraisalGrade


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """An organisation as a file may call it."""

    code: str
    name: str
    credit_code: str | None
    is_ended: bool


def list_named(connection: Connection, codes: Sequence[str], names: Sequence[str]) -> list[Named]:
    """List the organisations that have one of these codes, of our own or the credit code, or one of these names."""
    with connection.cursor(row_factory=class_row(Named)) as cursor:
        return cursor.execute(
            """
            SELECT code, name, credit_code, ended_on IS NOT NULL AS is_ended
              FROM organisation
             WHERE code = ANY(%(codes)s)
                OR credit_code = ANY(%(codes)s)
                OR name = ANY(%(names)s)
             ORDER BY code
            """,
            {"codes": list(codes), "names": list(names)},
        ).fetchall()


def list_posts_begun(connection: Connection, rows: Rows) -> list[Post]:
    """List the posts of these cadres, in these organisations, that began on these days: of whatever kind and level."""
    with connection.cursor(row_factory=class_row(Post)) as cursor:
        return cursor.execute(
            """
            SELECT post.id, post.cadre_id, post.organisation_id, post.post_kind, post.post_level, post.from_on,
                   post.until_on, post.sequence
              FROM json_to_recordset(%s::json) AS asked (cadre_id uuid, organisation_code text, from_on date)
              JOIN organisation ON organisation.code = organisation_code
              JOIN post ON post.cadre_id = asked.cadre_id
                       AND post.organisation_id = organisation.id
                       AND post.from_on = asked.from_on
            """,
            [orjson.dumps(rows).decode()],
        ).fetchall()


def insert_ranks(connection: Connection, ranks: Sequence[Rank], *, recorded_at: datetime) -> set[UUID]:
    """Insert those that do not stand yet; return their ids."""
    rows = connection.execute(
        """
        INSERT INTO cadre_rank (id, cadre_id, ladder, rank_code, from_on, until_on, recorded_at)
        SELECT id, cadre_id, ladder, rank_code, from_on, until_on, %s
          FROM json_to_recordset(%s::json)
            AS item (id uuid, cadre_id uuid, ladder text, rank_code text, from_on date, until_on date)
            ON CONFLICT DO NOTHING
        RETURNING id
        """,
        [recorded_at, orjson.dumps(ranks).decode()],
    )
    return {row[0] for row in rows}  # type: ignore[misc] # psycopg types a row as a tuple of objects


def lock_ranks(connection: Connection, cadre_ids: Sequence[UUID]) -> list[Rank]:
    with connection.cursor(row_factory=class_row(Rank)) as cursor:
        return cursor.execute(
            """
            SELECT id, cadre_id, ladder, rank_code, from_on, until_on
              FROM cadre_rank
             WHERE cadre_id = ANY(%s)
             ORDER BY cadre_id, from_on, ladder, id
               FOR UPDATE
            """,
            [list(set(cadre_ids))],
        ).fetchall()


def insert_lines(connection: Connection, lines: Sequence[Line], *, recorded_at: datetime) -> set[UUID]:
    """Insert those that do not stand yet; return their ids."""
    told = [
        {
            "id": one.id,
            "cadre_id": one.cadre_id,
            "from_on": one.from_on,
            "until_on": one.until_on,
            "line": "\\x" + one.line.hex(),
            "text_sealed": "\\x" + one.text_sealed.hex(),
        }
        for one in lines
    ]
    rows = connection.execute(
        """
        INSERT INTO career_line (id, cadre_id, from_on, until_on, line, text_sealed, recorded_at)
        SELECT id, cadre_id, from_on, until_on, line, text_sealed, %s
          FROM json_to_recordset(%s::json)
            AS item (id uuid, cadre_id uuid, from_on date, until_on date, line bytea, text_sealed bytea)
            ON CONFLICT DO NOTHING
        RETURNING id
        """,
        [recorded_at, orjson.dumps(told).decode()],
    )
    return {row[0] for row in rows}  # type: ignore[misc] # as above


def lock_lines(connection: Connection, cadre_ids: Sequence[UUID]) -> list[Line]:
    with connection.cursor(row_factory=class_row(Line)) as cursor:
        return cursor.execute(
            """
            SELECT id, cadre_id, from_on, until_on, line, text_sealed
              FROM career_line
             WHERE cadre_id = ANY(%s)
             ORDER BY cadre_id, from_on, id
               FOR UPDATE
            """,
            [list(set(cadre_ids))],
        ).fetchall()


def end_ranks(connection: Connection, ends: Mapping[UUID, date]) -> None:
    connection.execute(
        """
        UPDATE cadre_rank
           SET until_on = item.until_on
          FROM unnest(%s::uuid[], %s::date[]) AS item (id, until_on)
         WHERE cadre_rank.id = item.id
        """,
        [list(ends), list(ends.values())],
    )


def end_lines(connection: Connection, ends: Mapping[UUID, date]) -> None:
    connection.execute(
        """
        UPDATE career_line
           SET until_on = item.until_on
          FROM unnest(%s::uuid[], %s::date[]) AS item (id, until_on)
         WHERE career_line.id = item.id
        """,
        [list(ends), list(ends.values())],
    )


def list_ranks(connection: Connection, cadre_id: UUID) -> list[Rank]:
    with connection.cursor(row_factory=class_row(Rank)) as cursor:
        return cursor.execute(
            """
            SELECT id, cadre_id, ladder, rank_code, from_on, until_on
              FROM cadre_rank
             WHERE cadre_id = %s
             ORDER BY from_on, ladder, id
            """,
            [cadre_id],
        ).fetchall()


def list_lines(connection: Connection, cadre_id: UUID) -> list[Line]:
    with connection.cursor(row_factory=class_row(Line)) as cursor:
        return cursor.execute(
            """
            SELECT id, cadre_id, from_on, until_on, line, text_sealed
              FROM career_line
             WHERE cadre_id = %s
             ORDER BY from_on, id
            """,
            [cadre_id],
        ).fetchall()


def list_results(connection: Connection, cadre_id: UUID) -> list[Result]:
    with connection.cursor(row_factory=class_row(Result)) as cursor:
        return cursor.execute(
            "SELECT year, grade FROM appraisal_result WHERE cadre_id = %s ORDER BY year", [cadre_id]
        ).fetchall()
