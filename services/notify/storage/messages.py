"""The in-app inbox: one message a digest, with its read state."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from services.notify.domain.notices import Key, OwnMessage
from shared.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    id: UUID
    composed_at: datetime
    language: str
    score_count: int
    subject: str
    text_body: str
    read_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOwnMessage:
    id: UUID
    recipient_id: UUID
    digest_id: UUID


def insert_message(connection: Connection, message_id: UUID, *, subscription_id: UUID, digest_id: UUID) -> None:
    connection.execute(
        "INSERT INTO message (id, subscription_id, digest_id) VALUES (%s, %s, %s)",
        [message_id, subscription_id, digest_id],
    )


def insert_own_messages(connection: Connection, made: Sequence[NewOwnMessage]) -> None:
    """Each gets the next number in the inbox of its recipient, in the order in which they stand.

    The recipients' rows are locked, so that numbers appear in the order of the commits.
    """
    connection.execute(
        """
          WITH made AS (
                  SELECT *
                    FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[])
                         WITH ORDINALITY AS row (id, recipient_id, digest_id, place)),
               taken AS (
                  UPDATE recipient
                     SET last_number = last_number + counted.count
                    FROM (SELECT recipient_id, count(*) FROM made GROUP BY recipient_id) AS counted
                   WHERE recipient.id = counted.recipient_id
               RETURNING recipient.id, last_number - counted.count AS before)
        INSERT INTO message (id, recipient_id, digest_id, number)
        SELECT made.id, made.recipient_id, made.digest_id,
               taken.before + row_number() OVER (PARTITION BY made.recipient_id ORDER BY made.place)
          FROM made
          JOIN taken ON taken.id = made.recipient_id
        """,
        [[one.id for one in made], [one.recipient_id for one in made], [one.digest_id for one in made]],
    )


def list_messages(
    connection: Connection, subscription_id: UUID, *, unread_only: bool, before: UUID | None, limit: int
) -> list[Message]:
    """List the newest first; ids are ordered by time. On the index message_subscription or message_unread."""
    with connection.cursor(row_factory=class_row(Message)) as cursor:
        return cursor.execute(
            """
            SELECT message.id, digest.composed_at, digest.language, digest.score_count, digest.subject,
                   digest.text_body, message.read_at
              FROM message
              JOIN digest ON digest.id = message.digest_id
             WHERE message.subscription_id = %s
               AND (NOT %s OR message.read_at IS NULL)
               AND (%s::uuid IS NULL OR message.id < %s)
             ORDER BY message.id DESC
             LIMIT %s
            """,
            [subscription_id, unread_only, before, before, limit],
        ).fetchall()


def set_read(connection: Connection, subscription_id: UUID, message_id: UUID, *, at: datetime) -> datetime | None:
    """Mark a message read and return since when it is; the first time counts. None where there is no such message."""
    row = connection.execute(
        """
           UPDATE message
              SET read_at = coalesce(read_at, %s)
            WHERE id = %s
              AND subscription_id = %s
        RETURNING read_at
        """,
        [at, message_id, subscription_id],
    ).fetchone()
    return row[0] if row and isinstance(row[0], datetime) else None


_OWN = b"""
    SELECT message.id, message.number, digest.composed_at, digest.language, digest.notice_count, digest.subject,
           digest.text_body AS text, message.read_at
      FROM recipient
      JOIN message ON message.recipient_id = recipient.id
      JOIN digest ON digest.id = message.digest_id
     WHERE (recipient.staff_number = %s OR recipient.account_id = %s)
"""


def list_own(connection: Connection, key: Key, *, unread_only: bool, before: int, limit: int) -> list[OwnMessage]:
    with connection.cursor(row_factory=class_row(OwnMessage)) as cursor:
        return cursor.execute(
            _OWN + b" AND message.number < %s AND (NOT %s OR message.read_at IS NULL) ORDER BY number DESC LIMIT %s",
            [key.staff_number, key.account_id, before, unread_only, limit],
        ).fetchall()


def list_own_after(connection: Connection, key: Key, *, after: int, limit: int) -> list[OwnMessage]:
    with connection.cursor(row_factory=class_row(OwnMessage)) as cursor:
        return cursor.execute(
            _OWN + b" AND message.number > %s ORDER BY number LIMIT %s",
            [key.staff_number, key.account_id, after, limit],
        ).fetchall()


def find_last_number(connection: Connection, key: Key) -> int:
    row = connection.execute(
        "SELECT last_number FROM recipient WHERE staff_number = %s OR account_id = %s",
        [key.staff_number, key.account_id],
    ).fetchone()
    return int(str(row[0])) if row else 0


def set_own_read(connection: Connection, key: Key, message_id: UUID, *, at: datetime) -> datetime | None:
    row = connection.execute(
        """
           UPDATE message
              SET read_at = coalesce(read_at, %s)
             FROM recipient
            WHERE recipient.id = message.recipient_id
              AND (recipient.staff_number = %s OR recipient.account_id = %s)
              AND message.id = %s
        RETURNING read_at
        """,
        [at, key.staff_number, key.account_id, message_id],
    ).fetchone()
    return row[0] if row and isinstance(row[0], datetime) else None


def set_own_read_through(connection: Connection, key: Key, *, through: int, at: datetime) -> int:
    return connection.execute(
        """
        UPDATE message
           SET read_at = %s
          FROM recipient
         WHERE recipient.id = message.recipient_id
           AND (recipient.staff_number = %s OR recipient.account_id = %s)
           AND message.number <= %s
           AND message.read_at IS NULL
        """,
        [at, key.staff_number, key.account_id, through],
    ).rowcount
