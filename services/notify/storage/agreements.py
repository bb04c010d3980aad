"""Agreements with other systems: proposed, decided, ended."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from psycopg.errors import UniqueViolation
from psycopg.rows import class_row

from services.notify.domain.agreements import Agreement, AgreementStatus, NumberTaken, Terms
from shared.database import Connection


def insert_agreement(
    connection: Connection, agreement_id: UUID, terms: Terms, *, by: Sequence[str], now: datetime
) -> None:
    """`by` is the proposer's name and person. Raises NumberTaken."""
    try:
        connection.execute(
            """
            INSERT INTO agreement (id, number, partner, client_id, event_types, organisation_id, content, valid_from,
                                   valid_until, proposed_by, proposer_person_id, proposed_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            """,
            [
                agreement_id,
                terms.number,
                terms.partner,
                terms.client_id,
                list(terms.event_types),
                terms.organisation_id,
                terms.content,
                terms.valid_from,
                terms.valid_until,
                *by,
                now,
            ],
        )
    except UniqueViolation:
        raise NumberTaken("there is an agreement of that number") from None


def find_agreement(connection: Connection, agreement_id: UUID) -> Agreement | None:
    with connection.cursor(row_factory=class_row(Agreement)) as cursor:
        return cursor.execute(
            """
            SELECT id, number, partner, client_id, event_types, organisation_id, content, valid_from, valid_until,
                   status, proposed_by, proposed_at, decided_by, decided_at, reason, ended_at
              FROM agreement
             WHERE id = %s
            """,
            [agreement_id],
        ).fetchone()


def lock_agreement(connection: Connection, agreement_id: UUID) -> tuple[AgreementStatus, str] | None:
    """Return the status and who proposed it, as a person. Two who decide at once do so one after the other."""
    row = connection.execute(
        "SELECT status, proposer_person_id FROM agreement WHERE id = %s FOR UPDATE", [agreement_id]
    ).fetchone()
    return None if row is None else (row[0], str(row[1]))  # type: ignore[return-value] # the column's CHECK says so


def set_decided(
    connection: Connection,
    agreement_id: UUID,
    status: AgreementStatus,
    *,
    by: Sequence[str],
    reason: str | None,
    now: datetime,
) -> None:
    connection.execute(
        """
        UPDATE agreement
           SET status = %s,
               decided_by = %s,
               decider_person_id = %s,
               decided_at = %s,
               reason = %s
         WHERE id = %s
           AND status = 'proposed'
        """,
        [status, *by, now, reason, agreement_id],
    )


def set_ended(connection: Connection, agreement_id: UUID, *, now: datetime) -> bool:
    return (
        connection.execute(
            "UPDATE agreement SET status = 'ended', ended_at = %s WHERE id = %s AND status IN ('proposed', 'agreed')",
            [now, agreement_id],
        ).rowcount
        == 1
    )


def list_agreements(
    connection: Connection, *, status: AgreementStatus | None, before: UUID | None, limit: int
) -> list[Agreement]:
    """The newest first; ids are ordered by time."""
    with connection.cursor(row_factory=class_row(Agreement)) as cursor:
        return cursor.execute(
            """
            SELECT id, number, partner, client_id, event_types, organisation_id, content, valid_from, valid_until,
                   status, proposed_by, proposed_at, decided_by, decided_at, reason, ended_at
              FROM agreement
             WHERE (%(status)s::text IS NULL OR status = %(status)s)
               AND (%(before)s::uuid IS NULL OR id < %(before)s)
             ORDER BY id DESC
             LIMIT %(limit)s
            """,
            {"status": status, "before": before, "limit": limit},
        ).fetchall()


def list_in_force(connection: Connection, client_id: str, *, now: datetime) -> list[Agreement]:
    """On the index agreement_client."""
    with connection.cursor(row_factory=class_row(Agreement)) as cursor:
        return cursor.execute(
            """
            SELECT id, number, partner, client_id, event_types, organisation_id, content, valid_from, valid_until,
                   status, proposed_by, proposed_at, decided_by, decided_at, reason, ended_at
              FROM agreement
             WHERE client_id = %(client_id)s
               AND status = 'agreed'
               AND valid_from <= %(now)s
               AND valid_until > %(now)s
             ORDER BY number
            """,
            {"client_id": client_id, "now": now},
        ).fetchall()


def is_within_reach(connection: Connection, organisation_id: UUID | None) -> bool:
    """Whether this organisation is known and may be named; without one, everything."""
    row = connection.execute(
        """
        SELECT CASE WHEN %(id)s::uuid IS NULL THEN reaches_everything()
                    ELSE is_within_reach(%(id)s) AND EXISTS (SELECT 1 FROM organisation WHERE id = %(id)s) END
        """,
        {"id": organisation_id},
    ).fetchone()
    return row is not None and row[0] is True


def is_below(connection: Connection, organisation_id: UUID, above: UUID) -> bool:
    """Whether the organisation is this one or below it."""
    row = connection.execute(
        "SELECT 1 FROM organisation WHERE id = %s AND path @> ARRAY[%s::uuid]", [organisation_id, above]
    ).fetchone()
    return row is not None
