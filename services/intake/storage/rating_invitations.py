"""Invitations to rate in the database: who was asked by what means and when, and who has yet to be asked."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from psycopg.rows import class_row, dict_row

from services.intake.storage.by_unit import Listed, Place, find_page
from services.intake.storage.rating_links import Rated
from shared.database import Connection

Method = Literal["link", "callback", "kiosk"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DueInvitation:
    id: UUID
    issue_id: UUID | None
    contact_id: UUID | None
    due_at: datetime


_DUE = Listed(
    table="rating_invitation",
    columns=("id", "issue_id", "contact_id", "due_at"),
    where="state = 'due'",
    order=("due_at", "id"),
    is_own_seen=True,
    may_lack_unit=True,
)


def make_invitation(
    connection: Connection, rated: Rated, method: Method, *, invitation_id: UUID, by: UUID | None, at: datetime
) -> UUID:
    """The one that is due becomes the one that is made, else there is one more; return which.

    One that fell due while its issue was handed over may have no unit yet.
    """
    values = {
        "id": invitation_id,
        "issue": rated.issue_id,
        "contact": rated.contact_id,
        "method": method,
        "by": by,
        "at": at,
    }
    taken_up = connection.execute(
        """
        UPDATE rating_invitation
           SET state = 'made', method = %(method)s, invited_at = %(at)s, invited_by = %(by)s,
               owner_organisation_id = coalesce(owner_organisation_id,
                                                (SELECT owner_organisation_id FROM issue WHERE id = %(issue)s))
         WHERE state = 'due' AND issue_id = %(issue)s
        RETURNING id
        """,
        values,
    ).fetchone()
    if taken_up is not None:
        return UUID(str(taken_up[0]))
    connection.execute(
        """
        INSERT INTO rating_invitation (id, issue_id, contact_id, owner_organisation_id, state, method, invited_at,
                                       invited_by)
        VALUES (%(id)s, %(issue)s, %(contact)s,
                coalesce((SELECT owner_organisation_id FROM issue WHERE id = %(issue)s),
                         (SELECT owner_organisation_id FROM contact WHERE id = %(contact)s)),
                'made', %(method)s, %(at)s, %(by)s)
        """,
        values,
    )
    return invitation_id


def insert_due_invitations(
    connection: Connection, *, closed_before: datetime, closed_after: datetime, limit: int
) -> int:
    """For what was closed then, was not rated and whose citizen nobody has asked, on issue_closed; return how many."""
    made = connection.execute(
        """
        INSERT INTO rating_invitation (id, issue_id, owner_organisation_id, state, due_at)
        SELECT gen_random_uuid(), issue.id, issue.owner_organisation_id, 'due', %(before)s
          FROM issue
          LEFT JOIN citizen ON citizen.ref = issue.citizen_ref
         WHERE issue.closed_at > %(after)s
           AND issue.closed_at <= %(before)s
           AND issue.status = 'closed'
           AND issue.outcome NOT IN ('merged', 'withdrawn')
           AND issue.source = 'lianxin'
           AND citizen.state = 'active'
           AND NOT EXISTS (SELECT FROM rating WHERE rating.issue_id = issue.id)
           AND NOT EXISTS (SELECT FROM rating_invitation AS known WHERE known.issue_id = issue.id)
         ORDER BY issue.closed_at, issue.id
         LIMIT %(limit)s
            ON CONFLICT DO NOTHING
        """,
        {"before": closed_before, "after": closed_after, "limit": limit},
        prepare=False,
    )
    return made.rowcount


def list_due_invitations(connection: Connection, *, after: Place | None, limit: int) -> list[DueInvitation]:
    """The oldest first, on rating_invitation_owner; for whoever reaches more than units on rating_invitation_queue."""
    page = find_page(connection, _DUE, after=after, limit=limit)
    with connection.cursor(row_factory=class_row(DueInvitation)) as cursor:
        return cursor.execute(page.query, page.parameters).fetchall()


def count_participation(
    connection: Connection, organisation_id: UUID, begins_at: datetime, ends_at: datetime
) -> dict[str, dict[str, int]]:
    """By method and in all (''): of how many matters citizens were asked in that time, and how many are rated."""
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            """
            WITH invited AS (
                SELECT DISTINCT invitation.method, invitation.issue_id, invitation.contact_id
                  FROM rating_invitation AS invitation
                  JOIN organisation_line AS line ON line.organisation_id = invitation.owner_organisation_id
                  JOIN organisation AS root ON root.code = line.ancestor_code
                 WHERE root.id = %s
                   AND invitation.state = 'made'
                   AND invitation.invited_at >= %s
                   AND invitation.invited_at < %s
            ), answered AS (
                SELECT method, issue_id, contact_id,
                       EXISTS (SELECT
                                 FROM rating
                                WHERE (rating.issue_id = invited.issue_id OR rating.contact_id = invited.contact_id)
                                  AND rating.state <> 'removed') AS is_rated
                  FROM invited
            )
            SELECT coalesce(method, '') AS method, count(DISTINCT (issue_id, contact_id)) AS invited,
                   count(DISTINCT (issue_id, contact_id)) FILTER (WHERE is_rated) AS rated
              FROM answered
             GROUP BY GROUPING SETS ((method), ())
            """,
            [organisation_id, begins_at, ends_at],
            prepare=False,
        ).fetchall()
    return {row["method"]: {"invited": row["invited"], "rated": row["rated"]} for row in rows}
