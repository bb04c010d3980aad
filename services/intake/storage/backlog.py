"""Records that an older release wrote in clear text, until they are sealed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import class_row

from shared.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearIssue:
    id: UUID
    title: str | None = field(repr=False)
    description: str | None = field(repr=False)
    reply: str | None = field(repr=False)
    content_hash: bytes
    progress_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearContact:
    id: UUID
    note: str | None = field(repr=False)
    content_hash: bytes


def lock_clear_issues(connection: Connection, *, limit: int) -> list[ClearIssue]:
    """Hold some issues with clear text, on the partial index issue_in_clear."""
    with connection.cursor(row_factory=class_row(ClearIssue)) as cursor:
        return cursor.execute(
            """
            SELECT id, title, description, reply, content_hash, progress_hash
              FROM issue
             WHERE title IS NOT NULL OR description IS NOT NULL OR reply IS NOT NULL
             ORDER BY id
             LIMIT %s
               FOR UPDATE
            """,
            [limit],
        ).fetchall()


def set_sealed_issues(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    connection.execute(
        """
        UPDATE issue
           SET title = NULL, description = NULL, reply = NULL,
               title_sealed = coalesce(item.title_sealed, issue.title_sealed),
               description_sealed = coalesce(item.description_sealed, issue.description_sealed),
               reply_sealed = coalesce(item.reply_sealed, issue.reply_sealed),
               content_hash = item.content_hash, progress_hash = item.progress_hash
          FROM json_to_recordset(%s::json)
            AS item (id uuid, title_sealed bytea, description_sealed bytea, reply_sealed bytea, content_hash bytea,
                     progress_hash bytea)
         WHERE issue.id = item.id
        """,
        [orjson.dumps(rows).decode()],
    )


def lock_clear_contacts(connection: Connection, *, limit: int) -> list[ClearContact]:
    """Hold some contacts with a clear note or an old digest, on the partial index contact_in_clear."""
    with connection.cursor(row_factory=class_row(ClearContact)) as cursor:
        return cursor.execute(
            """
            SELECT id, note, content_hash
              FROM contact
             WHERE note IS NOT NULL OR NOT is_keyed
             ORDER BY id
             LIMIT %s
               FOR UPDATE
            """,
            [limit],
        ).fetchall()


def set_sealed_contacts(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    connection.execute(
        """
        UPDATE contact
           SET note = NULL, note_sealed = coalesce(item.note_sealed, contact.note_sealed),
               content_hash = item.content_hash, is_keyed = true
          FROM json_to_recordset(%s::json) AS item (id uuid, note_sealed bytea, content_hash bytea)
         WHERE contact.id = item.id
        """,
        [orjson.dumps(rows).decode()],
    )
