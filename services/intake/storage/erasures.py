"""Restricting, freeing and erasing citizens in the database. Always under the system's reach."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson

from shared.database import Connection


def is_citizen_within_reach(connection: Connection, citizen_ref: UUID) -> bool:
    """Whether the acting person may see a record of the citizen, whatever state the citizen is in."""
    return _is_true(
        connection,
        """
        SELECT EXISTS (SELECT 1 FROM issue WHERE citizen_ref = %(ref)s)
            OR EXISTS (SELECT 1 FROM contact WHERE citizen_ref = %(ref)s)
            OR EXISTS (SELECT 1 FROM contact_household WHERE citizen_ref = %(ref)s)
        """,
        citizen_ref,
    )


def has_open_case(connection: Connection, citizen_ref: UUID) -> bool:
    return _is_true(
        connection,
        "SELECT EXISTS (SELECT 1 FROM issue WHERE citizen_ref = %(ref)s AND status <> 'closed')",
        citizen_ref,
    )


def count_issues_within_reach(connection: Connection, issue_ids: Sequence[UUID]) -> int:
    row = connection.execute("SELECT count(*) FROM issue WHERE id = ANY(%s)", [list(issue_ids)]).fetchone()
    return int(str(row[0])) if row else 0


def lock_citizen(connection: Connection, citizen_ref: UUID) -> None:
    """Nobody enters a record about the citizen until the transaction ends."""
    connection.execute("SELECT 1 FROM citizen WHERE ref = %s FOR UPDATE", [citizen_ref])


def set_restricted(connection: Connection, citizen_ref: UUID, *, at: datetime, review_on: date) -> bool:
    """Store and protect, nothing else: who is restricted cannot be found either. Whether the citizen was active."""
    changed = connection.execute(
        """
        UPDATE citizen
           SET state = 'restricted', restricted_at = %s, review_on = %s
         WHERE ref = %s AND state = 'active'
        """,
        [at, review_on, citizen_ref],
    )
    connection.execute("DELETE FROM citizen_handle WHERE citizen_ref = %s", [citizen_ref])
    return changed.rowcount == 1


def set_active(connection: Connection, citizen_ref: UUID, handles: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the citizen was restricted. A document that meanwhile leads to somebody else stays theirs."""
    changed = connection.execute(
        """
        UPDATE citizen
           SET state = 'active', restricted_at = NULL, review_on = NULL
         WHERE ref = %s AND state = 'restricted'
        """,
        [citizen_ref],
    )
    if changed.rowcount == 1:
        connection.execute(
            """
            INSERT INTO citizen_handle (kind, digest, citizen_ref)
            SELECT kind, digest, citizen_ref
              FROM json_to_recordset(%s::json) AS row (kind text, digest bytea, citizen_ref uuid)
                ON CONFLICT DO NOTHING
            """,
            [orjson.dumps(handles).decode()],
        )
    return changed.rowcount == 1


def set_erased(
    connection: Connection, citizen_ref: UUID, *, at: datetime, proposal_id: UUID | None, reason_code: str
) -> bool:
    """Destroy the key, the handles and what was said of the citizen. Whether the citizen was not erased before."""
    erased = connection.execute(
        """
        WITH gone AS (
            UPDATE citizen
               SET state = 'erased', name = NULL, phone = NULL, id_number = NULL, id_kind = NULL, address = NULL,
                   review_on = NULL, erased_at = %(at)s
             WHERE ref = %(ref)s AND state <> 'erased'
         RETURNING ref
        ), keyless AS (
            DELETE FROM citizen_key USING gone WHERE citizen_key.citizen_ref = gone.ref
        ), unfindable AS (
            DELETE FROM citizen_handle USING gone WHERE citizen_handle.citizen_ref = gone.ref
        ), unbooked AS (
            UPDATE reception_booking
               SET name_sealed = NULL, phone_sealed = NULL, topic_sealed = NULL, phone_handle = NULL,
                   person_handle = NULL, forgotten_at = %(at)s
              FROM gone
              JOIN citizen_handle ON citizen_handle.citizen_ref = gone.ref
             WHERE reception_booking.person_handle = citizen_handle.digest
        ), untold AS (
            UPDATE issue SET told_name = NULL, told_phone = NULL
              FROM gone
             WHERE issue.citizen_ref = gone.ref AND is_told_apart
        ), unmet AS (
            UPDATE contact SET told_name = NULL, told_phone = NULL
              FROM gone
             WHERE contact.citizen_ref = gone.ref AND is_told_apart
        ), unopined AS (
            UPDATE opinion
               SET text_sealed = NULL, name_sealed = NULL, phone_sealed = NULL, phone_handle = NULL,
                   person_handle = NULL, forgotten_at = %(at)s
              FROM gone
              JOIN citizen_handle ON citizen_handle.citizen_ref = gone.ref
             WHERE opinion.person_handle = citizen_handle.digest
        ), unlike AS (
            DELETE FROM issue_likeness
             USING gone, issue
             WHERE issue.citizen_ref = gone.ref AND issue_likeness.issue_id = issue.id
        ), unsaid AS (
            UPDATE reveal SET reason = NULL FROM gone WHERE reveal.citizen_ref = gone.ref
        )
        INSERT INTO erasure (citizen_ref, proposal_id, reason_code, erased_at)
        SELECT ref, %(proposal)s, %(reason)s, %(at)s FROM gone
            ON CONFLICT DO NOTHING
        RETURNING citizen_ref
        """,
        {"ref": citizen_ref, "at": at, "proposal": proposal_id, "reason": reason_code},
    ).fetchone()
    return erased is not None


def list_standing(connection: Connection, citizen_refs: Sequence[UUID]) -> list[UUID]:
    """List those of these citizens who are there and not erased: what a restored database still knows."""
    rows = connection.execute(
        "SELECT ref FROM citizen WHERE ref = ANY(%s) AND state <> 'erased' ORDER BY ref", [list(citizen_refs)]
    )
    return [row[0] for row in rows]  # type: ignore[misc] # psycopg types a row as a tuple of objects


def _is_true(connection: Connection, query: str, citizen_ref: UUID) -> bool:
    row = connection.execute(query, {"ref": citizen_ref}).fetchone()
    return row is not None and bool(row[0])
