"""Posts in the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import orjson
from psycopg.rows import class_row

from shared.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    id: UUID
    cadre_id: UUID
    organisation_id: UUID
    post_kind: str
    post_level: str
    from_on: date
    until_on: date | None
    sequence: int


def insert_posts(connection: Connection, rows: Sequence[Post], *, recorded_at: datetime) -> list[Post]:
    """Insert posts; those whose id or natural key is taken are left out."""
    with connection.cursor(row_factory=class_row(Post)) as cursor:
        return cursor.execute(
            """
            INSERT INTO post (id, cadre_id, organisation_id, post_kind, post_level, from_on, until_on, sequence,
                              recorded_at)
            SELECT id, cadre_id, organisation_id, post_kind, post_level, from_on, until_on, 1, %s
              FROM ROWS FROM (json_to_recordset(%s::json)
                  AS (id uuid, cadre_id uuid, organisation_id uuid, post_kind text, post_level text,
                      from_on date, until_on date)) WITH ORDINALITY AS item
             ORDER BY cadre_id, organisation_id, post_kind, from_on, ordinality
                ON CONFLICT DO NOTHING
            RETURNING id, cadre_id, organisation_id, post_kind, post_level, from_on, until_on, sequence
            """,
            [recorded_at, orjson.dumps(rows).decode()],
        ).fetchall()


def lock_posts(connection: Connection, rows: Sequence[Post]) -> list[Post]:
    """List and lock the posts that have the id or the natural key of one of these rows."""
    with connection.cursor(row_factory=class_row(Post)) as cursor:
        return cursor.execute(
            """
            SELECT id, cadre_id, organisation_id, post_kind, post_level, from_on, until_on, sequence
              FROM post
             WHERE id IN (SELECT id FROM json_to_recordset(%(rows)s::json) AS item (id uuid))
                OR (cadre_id, organisation_id, post_kind, from_on) IN (
                   SELECT cadre_id, organisation_id, post_kind, from_on
                     FROM json_to_recordset(%(rows)s::json)
                       AS item (cadre_id uuid, organisation_id uuid, post_kind text, from_on date))
             ORDER BY id
               FOR UPDATE
            """,
            {"rows": orjson.dumps(rows).decode()},
        ).fetchall()


def lock_posts_by_id(connection: Connection, ids: Sequence[UUID]) -> list[Post]:
    with connection.cursor(row_factory=class_row(Post)) as cursor:
        return cursor.execute(
            """
            SELECT id, cadre_id, organisation_id, post_kind, post_level, from_on, until_on, sequence
              FROM post
             WHERE id = ANY(%s)
             ORDER BY id
               FOR UPDATE
            """,
            [list(ids)],
        ).fetchall()


def lock_open_posts(connection: Connection, cadre_id: UUID, *, held_on: date) -> list[Post]:
    """List and lock the posts that a cadre holds on that day and that have no last day."""
    with connection.cursor(row_factory=class_row(Post)) as cursor:
        return cursor.execute(
            """
            SELECT id, cadre_id, organisation_id, post_kind, post_level, from_on, until_on, sequence
              FROM post
             WHERE cadre_id = %s
               AND from_on <= %s
               AND until_on IS NULL
             ORDER BY id
               FOR UPDATE
            """,
            [cadre_id, held_on],
        ).fetchall()


def end_posts(connection: Connection, rows: Sequence[Post]) -> None:
    if not rows:
        return
    connection.execute(
        """
        UPDATE post
           SET until_on = item.until_on, sequence = item.sequence
          FROM json_to_recordset(%s::json) AS item (id uuid, until_on date, sequence integer)
         WHERE post.id = item.id
        """,
        [orjson.dumps(rows).decode()],
    )


def list_posts_of(connection: Connection, cadre_id: UUID) -> list[tuple[Post, str]]:
    """List a cadre's posts in time, each with its organisation's code."""
    rows = connection.execute(
        """
        SELECT post.id, post.cadre_id, post.organisation_id, post.post_kind, post.post_level, post.from_on,
               post.until_on, post.sequence, organisation.code
          FROM post
          JOIN organisation ON organisation.id = post.organisation_id
         WHERE post.cadre_id = %s
         ORDER BY post.from_on, post.id
        """,
        [cadre_id],
    )
    return [(Post(**dict(zip(Post.__slots__, row[:-1], strict=True))), str(row[-1])) for row in rows]  # type: ignore[arg-type] # columns in the order of the fields
