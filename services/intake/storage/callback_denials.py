"""What citizens who were called did not know of, in the database, and the further calls that follow from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from psycopg.rows import class_row

from services.intake.storage.rating_links import Rated
from shared.database import Connection

Denial = Literal["no_such_matter", "did_not_ask"]
VAIN_NUMBERS = ("wrong_number", "no_such_number", "no_number")


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingDenial:
    """That there was no such matter, and nobody has overruled it."""

    attempt_id: UUID
    invitation_id: UUID
    caller_person: str


def find_standing_denial(connection: Connection, rated: Rated) -> StandingDenial | None:
    with connection.cursor(row_factory=class_row(StandingDenial)) as cursor:
        return cursor.execute(
            """
            SELECT attempt_id, invitation_id, caller_person
              FROM callback_denial AS denial
              JOIN callback_attempt AS attempt ON attempt.id = attempt_id
             WHERE (denial.issue_id = %s OR denial.contact_id = %s)
               AND denial = 'no_such_matter'
               AND overruled_by IS NULL
            """,
            [rated.issue_id, rated.contact_id],
        ).fetchone()


def insert_denial(connection: Connection, denial: Mapping[str, Any]) -> None:
    connection.execute(
        """
        INSERT INTO callback_denial (attempt_id, issue_id, contact_id, invitation_id, denial, denied_at)
        VALUES (%(attempt_id)s, %(issue_id)s, %(contact_id)s, %(invitation_id)s, %(denial)s, %(denied_at)s)
        """,
        denial,
    )


def set_overruled(connection: Connection, attempt_id: UUID, *, by: UUID) -> None:
    connection.execute("UPDATE callback_denial SET overruled_by = %s WHERE attempt_id = %s", [by, attempt_id])


def is_closed_as_resolved(connection: Connection, issue_id: UUID) -> bool:
    row = connection.execute("SELECT outcome = 'resolved' FROM issue WHERE id = %s", [issue_id]).fetchone()
    return row is not None and bool(row[0])


def count_vain(connection: Connection, rated: Rated, *, since: datetime) -> int:
    """About how many matters of the same cadre nobody could be asked, for want of a number that holds."""
    row = connection.execute(
        """
        SELECT count(*)
          FROM (SELECT matter.id
                  FROM issue AS found
                  JOIN issue AS matter USING (cadre_id)
                  JOIN callback_attempt AS attempt ON attempt.issue_id = matter.id
                 WHERE found.id = %(issue)s AND result = ANY(%(vain)s) AND attempted_at > %(since)s
                 UNION
                SELECT matter.id
                  FROM contact AS found
                  JOIN contact AS matter USING (cadre_id)
                  JOIN callback_attempt AS attempt ON attempt.contact_id = matter.id
                 WHERE found.id = %(contact)s AND result = ANY(%(vain)s) AND attempted_at > %(since)s) AS matter
        """,
        {"issue": rated.issue_id, "contact": rated.contact_id, "vain": list(VAIN_NUMBERS), "since": since},
        prepare=False,
    ).fetchone()
    return int(str(row[0])) if row else 0


def insert_follow_ups(
    connection: Connection, rated: Rated, attempt_id: UUID, *, since: datetime, most_attempts: int, at: datetime
) -> int:
    """A call about everything of that kind that the same cadre closed since then, on issue_cadre or contact_cadre.

    Not where nobody can be asked, or whoever could be was asked or called often enough. Return how many are new.
    """
    made = connection.execute(
        """
        WITH matter AS (
            SELECT issue.id AS issue_id, NULL::uuid AS contact_id, issue.citizen_ref
              FROM issue AS found
              JOIN issue ON issue.cadre_id = found.cadre_id
             WHERE found.id = %(issue)s
               AND issue.id <> found.id
               AND issue.status = 'closed'
               AND issue.outcome <> 'merged'
               AND issue.closed_at > %(since)s
             UNION ALL
            SELECT NULL, contact.id, contact.citizen_ref
              FROM contact AS found
              JOIN contact ON contact.cadre_id = found.cadre_id
             WHERE found.id = %(contact)s
               AND contact.id <> found.id
               AND contact.voided_at IS NULL
               AND contact.occurred_at > %(since)s
        )
        INSERT INTO callback_task (id, issue_id, contact_id, origin, led_by, state, created_at)
        SELECT gen_random_uuid(), issue_id, contact_id, 'follow_up', %(attempt)s, 'open', %(at)s
          FROM matter
          JOIN citizen ON citizen.ref = citizen_ref AND citizen.state = 'active'
         WHERE NOT EXISTS (SELECT
                             FROM callback_attempt AS known
                            WHERE (known.issue_id = matter.issue_id OR known.contact_id = matter.contact_id)
                              AND known.result <> 'not_reached')
           AND (SELECT count(*)
                  FROM callback_attempt AS known
                 WHERE known.issue_id = matter.issue_id OR known.contact_id = matter.contact_id) < %(most)s
         ORDER BY issue_id, contact_id
            ON CONFLICT DO NOTHING
        """,
        {
            "issue": rated.issue_id,
            "contact": rated.contact_id,
            "attempt": attempt_id,
            "since": since,
            "most": most_attempts,
            "at": at,
        },
        prepare=False,
    )
    return made.rowcount


def count_follow_ups(connection: Connection, attempt_id: UUID) -> int:
    row = connection.execute("SELECT count(*) FROM callback_task WHERE led_by = %s", [attempt_id]).fetchone()
    return int(str(row[0])) if row else 0
