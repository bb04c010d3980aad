"""What raters said in own words, in the database: sealed, apart from the rating, and the queue of accusations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg import sql
from psycopg.rows import class_row

from services.intake.storage.by_unit import Listed, Place, find_page
from shared.database import Connection
from shared.errors import NotFound


class CommentNotFound(NotFound):
    code = "comment-not-found"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedComment:
    rating_id: UUID
    text: bytes | None = field(repr=False)
    paraphrase: bytes | None = field(repr=False)
    is_accusation: bool
    recorded_at: datetime
    version: int
    citizen_ref: UUID | None
    citizen_key: bytes | None = field(repr=False)


# What is shown of a comment, told apart from which comments these are.
_COMMENT = """
    SELECT comment.rating_id, comment.text, comment.paraphrase, comment.is_accusation, comment.recorded_at,
           comment.version, citizen.ref AS citizen_ref, citizen_key.wrapped AS citizen_key
      FROM {} AS comment
      JOIN rating ON rating.id = comment.rating_id
      LEFT JOIN citizen ON citizen.ref = rating.rater_ref AND citizen.state = 'active'
      LEFT JOIN citizen_key ON citizen_key.citizen_ref = citizen.ref
"""
_LISTED = Listed(
    table="rating_comment",
    columns=("rating_id", "text", "paraphrase", "is_accusation", "recorded_at", "version"),
    where="is_accusation = %(accusing)s",
    order=("recorded_at", "rating_id"),
)


def upsert_comments(connection: Connection, rows: Sequence[Mapping[str, Any]], *, recorded_at: datetime) -> None:
    """The newest words stand; what once was an accusation stays one, until a person says otherwise."""
    connection.execute(
        """
        INSERT INTO rating_comment AS known (rating_id, text, is_accusation, recorded_at)
        SELECT rating_id, text, is_accusation, %s
          FROM json_to_recordset(%s::json) AS row (rating_id uuid, text bytea, is_accusation boolean)
            ON CONFLICT (rating_id) DO UPDATE
           SET text = excluded.text,
               is_accusation = known.is_accusation OR excluded.is_accusation,
               paraphrase = NULL,
               paraphrased_by = NULL,
               version = known.version + 1
        """,
        [recorded_at, orjson.dumps(rows).decode()],
    )


def delete_harmless(connection: Connection, rating_id: UUID) -> None:
    """The rater took it back. An accusation is kept for whoever has to look at it."""
    connection.execute("DELETE FROM rating_comment WHERE rating_id = %s AND NOT is_accusation", [rating_id])


def lock_version(connection: Connection, rating_id: UUID) -> int | None:
    row = connection.execute(
        "SELECT version FROM rating_comment WHERE rating_id = %s FOR UPDATE", [rating_id]
    ).fetchone()
    return None if row is None else int(str(row[0]))


def get_comment(connection: Connection, rating_id: UUID, *, is_accusation: bool | None = None) -> SealedComment:
    """Raises CommentNotFound, also for the other kind where one is asked for."""
    with connection.cursor(row_factory=class_row(SealedComment)) as cursor:
        comment = cursor.execute(
            sql.SQL(
                _COMMENT
                + """
                 WHERE comment.rating_id = %(rating)s
                   AND (%(accusing)s::boolean IS NULL OR comment.is_accusation = %(accusing)s)
                """
            ).format(sql.Identifier("rating_comment")),
            {"rating": rating_id, "accusing": is_accusation},
        ).fetchone()
    if comment is None:
        raise CommentNotFound("there is no such comment")
    return comment


def list_comments(
    connection: Connection, *, is_accusation: bool, after: Place | None, limit: int
) -> list[SealedComment]:
    """The oldest first, on rating_comment_owner; for whoever reaches everything on rating_comment_plain or _queue."""
    page = find_page(connection, _LISTED, after=after, limit=limit)
    with connection.cursor(row_factory=class_row(SealedComment)) as cursor:
        return cursor.execute(
            sql.SQL(_COMMENT + "ORDER BY comment.recorded_at, comment.rating_id").format(
                sql.SQL("({})").format(page.query)
            ),
            page.parameters | {"accusing": is_accusation},
        ).fetchall()


def set_accusation(connection: Connection, rating_id: UUID, *, is_accusation: bool, by: UUID) -> bool:
    """Whether it was the other before."""
    changed = connection.execute(
        """
        UPDATE rating_comment
           SET is_accusation = %s, flagged_by = %s
         WHERE rating_id = %s AND is_accusation <> %s
        """,
        [is_accusation, by, rating_id, is_accusation],
    )
    return changed.rowcount == 1


def set_paraphrase(connection: Connection, rating_id: UUID, sealed: bytes, *, by: UUID) -> None:
    connection.execute(
        """
        UPDATE rating_comment
           SET paraphrase = %s,
               paraphrased_by = %s,
               version = version + 1
         WHERE rating_id = %s
        """,
        [sealed, by, rating_id],
    )
