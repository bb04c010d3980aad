"""One-time rating links in the database, found by the digest of their token and by nothing else."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from services.intake.storage.issues import IssueNotFound
from shared.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLink:
    id: UUID
    digest: bytes
    issue_id: UUID
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveLink:
    issue_id: UUID
    expires_at: datetime


def lock_closed(connection: Connection, issue_id: UUID) -> bool:
    """Hold the issue until the transaction ends, and return whether it is closed. Raises IssueNotFound.

    Not against whoever refers to it: a rating by the link of before must be able to end first.
    """
    row = connection.execute(
        "SELECT status = 'closed' FROM issue WHERE id = %s FOR NO KEY UPDATE", [issue_id]
    ).fetchone()
    if row is None:
        raise IssueNotFound("there is no such issue")
    return bool(row[0])


def set_replaced(connection: Connection, issue_id: UUID, *, at: datetime) -> None:
    connection.execute(
        "UPDATE citizen_link SET replaced_at = %s WHERE issue_id = %s AND used_at IS NULL AND replaced_at IS NULL",
        [at, issue_id],
    )


def is_rated(connection: Connection, issue_id: UUID) -> bool:
    """Whether its citizen has rated the issue by a link, whoever may see that rating."""
    row = connection.execute("SELECT is_rated_by_link(%s)", [issue_id]).fetchone()
    return row is not None and bool(row[0])


def insert_link(connection: Connection, link: NewLink) -> None:
    connection.execute(
        """
        INSERT INTO citizen_link (id, digest, purpose, issue_id, issued_at, expires_at)
        VALUES (%s, %s, 'rating', %s, %s, %s)
        """,
        [link.id, link.digest, link.issue_id, link.issued_at, link.expires_at],
    )


def find_live_link(connection: Connection, digest: bytes, *, now: datetime) -> LiveLink | None:
    with connection.cursor(row_factory=class_row(LiveLink)) as cursor:
        return cursor.execute(
            """
            SELECT link.issue_id, link.expires_at
              FROM citizen_link AS link
              JOIN issue ON issue.id = link.issue_id
              LEFT JOIN citizen ON citizen.ref = issue.citizen_ref
             WHERE link.digest = %s
               AND link.used_at IS NULL
               AND link.replaced_at IS NULL
               AND link.expires_at > %s
               AND coalesce(citizen.state, 'active') = 'active'
            """,
            [digest, now],
        ).fetchone()


def set_used(connection: Connection, digest: bytes, *, rating_id: UUID, now: datetime) -> bool:
    """Whether it was this call that used the link: of any number at once, one does."""
    used = connection.execute(
        """
        UPDATE citizen_link
           SET used_at = %s, rating_id = %s
         WHERE digest = %s
           AND used_at IS NULL
           AND replaced_at IS NULL
           AND expires_at > %s
        """,
        [now, rating_id, digest, now],
    )
    return used.rowcount == 1
