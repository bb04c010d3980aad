"""One-time rating links in the database, found by the digest of their token and by nothing else."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from psycopg.rows import class_row

from services.intake.storage.contacts import ContactNotFound
from services.intake.storage.issues import IssueNotFound
from shared.database import Connection

Purpose = Literal["rating", "kiosk"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """What is rated: an issue or a contact."""

    issue_id: UUID | None = None
    contact_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLink:
    id: UUID
    digest: bytes
    rated: Rated
    issued_at: datetime
    expires_at: datetime
    purpose: Purpose = "rating"
    device: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsableLink:
    usable_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedLink:
    issue_id: UUID | None
    contact_id: UUID | None
    purpose: Purpose
    device: bytes | None
    rating_id: UUID


def lock_issue(connection: Connection, issue_id: UUID) -> datetime | None:
    """Hold the issue until the transaction ends, and return when it was closed. Raises IssueNotFound.

    Not against whoever refers to it: a rating by the link of before must be able to end first.
    """
    row = connection.execute("SELECT closed_at FROM issue WHERE id = %s FOR NO KEY UPDATE", [issue_id]).fetchone()
    if row is None:
        raise IssueNotFound("there is no such issue")
    return row[0] if isinstance(row[0], datetime) else None


def lock_contact(connection: Connection, contact_id: UUID) -> datetime:
    """The same for a contact, which is over once it is recorded. Raises ContactNotFound, also for a void one."""
    row = connection.execute(
        "SELECT occurred_at FROM contact WHERE id = %s AND voided_at IS NULL FOR NO KEY UPDATE", [contact_id]
    ).fetchone()
    if row is None or not isinstance(row[0], datetime):
        raise ContactNotFound("there is no such contact")
    return row[0]


def set_replaced(connection: Connection, rated: Rated, purpose: Purpose, *, at: datetime) -> None:
    connection.execute(
        """
        UPDATE citizen_link
           SET replaced_at = %(at)s
         WHERE (issue_id = %(issue)s OR contact_id = %(contact)s)
           AND purpose = %(purpose)s
           AND used_at IS NULL
           AND replaced_at IS NULL
        """,
        {"at": at, "issue": rated.issue_id, "contact": rated.contact_id, "purpose": purpose},
    )


def set_revoked(connection: Connection, rated: Rated, *, at: datetime) -> int:
    """End every link, also one that could still amend; return how many."""
    revoked = connection.execute(
        """
        UPDATE citizen_link
           SET revoked_at = %(at)s
         WHERE (issue_id = %(issue)s OR contact_id = %(contact)s)
           AND revoked_at IS NULL
           AND replaced_at IS NULL
           AND coalesce(amend_until, expires_at) > %(at)s
        """,
        {"at": at, "issue": rated.issue_id, "contact": rated.contact_id},
    )
    return revoked.rowcount


def is_rated(connection: Connection, rated: Rated, purpose: Purpose) -> bool:
    """Whether its citizen has rated it that way, whoever may see that rating."""
    method = "kiosk" if purpose == "kiosk" else "link"
    row = connection.execute("SELECT is_rated_by(%s, %s, %s)", [method, rated.issue_id, rated.contact_id]).fetchone()
    return row is not None and bool(row[0])


def insert_link(connection: Connection, link: NewLink) -> None:
    connection.execute(
        """
        INSERT INTO citizen_link (id, digest, purpose, issue_id, contact_id, device, issued_at, expires_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
        """,
        [
            link.id,
            link.digest,
            link.purpose,
            link.rated.issue_id,
            link.rated.contact_id,
            link.device,
            link.issued_at,
            link.expires_at,
        ],
    )


_CITIZEN = """
    FROM citizen_link AS link
    LEFT JOIN issue ON issue.id = link.issue_id
    LEFT JOIN contact ON contact.id = link.contact_id
    LEFT JOIN citizen ON citizen.ref = coalesce(issue.citizen_ref, contact.citizen_ref)
   WHERE link.digest = %(digest)s
     AND link.replaced_at IS NULL
     AND link.revoked_at IS NULL
     AND coalesce(citizen.state, 'active') = 'active'
"""


def find_usable_link(connection: Connection, digest: bytes, *, now: datetime) -> UsableLink | None:
    """One that has not been used yet, or has been so lately that its rating may be amended."""
    with connection.cursor(row_factory=class_row(UsableLink)) as cursor:
        return cursor.execute(
            f"""
            SELECT coalesce(link.amend_until, link.expires_at) AS usable_until
            {_CITIZEN}
               AND CASE WHEN link.used_at IS NULL THEN link.expires_at ELSE link.amend_until END > %(now)s
            """,
            {"digest": digest, "now": now},
        ).fetchone()


def find_used_link(connection: Connection, digest: bytes, *, rating_id: UUID, now: datetime) -> UsedLink | None:
    """One that was used just now, for this rating, or so lately that the rating that it gave may be amended."""
    with connection.cursor(row_factory=class_row(UsedLink)) as cursor:
        return cursor.execute(
            f"""
            SELECT link.issue_id, link.contact_id, link.purpose, link.device, link.rating_id
            {_CITIZEN}
               AND link.used_at IS NOT NULL
               AND (link.rating_id = %(rating)s OR link.amend_until > %(now)s)
            """,
            {"digest": digest, "rating": rating_id, "now": now},
        ).fetchone()


def set_used(connection: Connection, digest: bytes, *, rating_id: UUID, now: datetime, amend_for: timedelta) -> bool:
    """Whether it was this call that used the link: of any number at once, one does. A counter's is used for good."""
    used = connection.execute(
        """
        UPDATE citizen_link
           SET used_at = %(now)s,
               rating_id = %(rating)s,
               amend_until = CASE WHEN purpose = 'rating' AND %(amend)s > interval '0' THEN %(now)s + %(amend)s END
         WHERE digest = %(digest)s
           AND used_at IS NULL
           AND replaced_at IS NULL
           AND revoked_at IS NULL
           AND expires_at > %(now)s
        """,
        {"now": now, "rating": rating_id, "amend": amend_for, "digest": digest},
    )
    return used.rowcount == 1
