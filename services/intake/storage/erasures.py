"""Restricting, freeing and erasing citizens in the database. Always under the system's reach."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson

from shared.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """Without a proposal it is one that is done again, in a database from before."""

    citizen_ref: UUID
    proposal_id: UUID | None = None
    reason_code: str


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


def lock_citizens(connection: Connection, citizen_refs: Sequence[UUID]) -> None:
    """Nobody enters a record about the citizens until the transaction ends."""
    connection.execute("SELECT 1 FROM citizen WHERE ref = ANY(%s) ORDER BY ref FOR UPDATE", [list(citizen_refs)])


def list_with_open_case(connection: Connection, citizen_refs: Sequence[UUID]) -> set[UUID]:
    """On the index issue_citizen."""
    rows = connection.execute(
        "SELECT DISTINCT citizen_ref FROM issue WHERE citizen_ref = ANY(%s) AND status <> 'closed'",
        [list(citizen_refs)],
    )
    return {row[0] for row in rows}  # type: ignore[misc] # psycopg types a row as a tuple of objects


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


def set_erased(connection: Connection, wanted: Sequence[Erasure], *, at: datetime) -> list[UUID]:
    """Destroy keys, handles and what was said of the citizens. Return those who were not erased before."""
    rows = connection.execute(
        """
        WITH wanted AS (
            SELECT ref, proposal_id, reason_code
              FROM unnest(%(refs)s::uuid[], %(proposals)s::uuid[], %(reasons)s::text[])
                AS row (ref, proposal_id, reason_code)
        ), gone AS (
            UPDATE citizen
               SET state = 'erased', name = NULL, phone = NULL, id_number = NULL, id_kind = NULL, address = NULL,
                   review_on = NULL, erased_at = %(at)s
              FROM wanted
             WHERE citizen.ref = wanted.ref AND state <> 'erased'
         RETURNING citizen.ref, wanted.proposal_id, wanted.reason_code
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
        SELECT ref, proposal_id, reason_code, %(at)s FROM gone
            ON CONFLICT DO NOTHING
        RETURNING citizen_ref
        """,
        {
            "refs": [one.citizen_ref for one in wanted],
            "proposals": [one.proposal_id for one in wanted],
            "reasons": [one.reason_code for one in wanted],
            "at": at,
        },
    )
    return [row[0] for row in rows]  # type: ignore[misc] # as above


def list_standing(connection: Connection, citizen_refs: Sequence[UUID]) -> list[UUID]:
    """List those of these citizens who are there and not erased: what a restored database still knows."""
    rows = connection.execute(
        "SELECT ref FROM citizen WHERE ref = ANY(%s) AND state <> 'erased' ORDER BY ref", [list(citizen_refs)]
    )
    return [row[0] for row in rows]  # type: ignore[misc] # as above


def _is_true(connection: Connection, query: str, citizen_ref: UUID) -> bool:
    row = connection.execute(query, {"ref": citizen_ref}).fetchone()
    return row is not None and bool(row[0])
