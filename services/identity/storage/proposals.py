"""What one person asks for and another one decides, and what came of it, in SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from shared.database import Connection

ProposalKind = Literal[
    "client.register",
    "account.enable",
    "identity.link",
    "password.reset",
    "person.set",
    "role.grant",
    "second_factor.remove",
]
ProposalStatus = Literal["open", "approved", "refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """`object_id` is a client's id as it signs in by, or an account's. `document` says what is asked for."""

    id: UUID
    kind: ProposalKind
    object_id: str
    document: dict[str, Any]
    status: ProposalStatus
    proposed_by: str
    proposer_person_id: str
    proposed_at: datetime
    decided_by: str | None
    decider_person_id: str | None
    decided_at: datetime | None
    reason: str | None
    used_at: datetime | None = None


def insert_proposal(connection: Connection, proposal: Proposal) -> None:
    connection.execute(
        """
        INSERT INTO proposal
               (id, kind, object_id, document, proposed_by, proposer_person_id, proposed_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s)
        """,
        [
            proposal.id,
            proposal.kind,
            proposal.object_id,
            Jsonb(proposal.document),
            proposal.proposed_by,
            proposal.proposer_person_id,
            proposal.proposed_at,
        ],
    )


def lock_proposal(connection: Connection, proposal_id: UUID) -> Proposal | None:
    """Two who decide at once do so one after the other."""
    with connection.cursor(row_factory=class_row(Proposal)) as cursor:
        return cursor.execute(
            """
            SELECT id, kind, object_id, document, status, proposed_by, proposer_person_id, proposed_at, decided_by,
                   decider_person_id, decided_at, reason, used_at
              FROM proposal
             WHERE id = %s
               FOR UPDATE
            """,
            [proposal_id],
        ).fetchone()


def list_proposals(
    connection: Connection,
    kinds: Sequence[ProposalKind],
    *,
    status: ProposalStatus | None,
    before: UUID | None,
    limit: int,
) -> list[Proposal]:
    """The newest first."""
    with connection.cursor(row_factory=class_row(Proposal)) as cursor:
        return cursor.execute(
            """
            SELECT id, kind, object_id, document, status, proposed_by, proposer_person_id, proposed_at, decided_by,
                   decider_person_id, decided_at, reason, used_at
              FROM proposal
             WHERE kind = ANY (%(kinds)s)
               AND (%(status)s::text IS NULL OR status = %(status)s)
               AND (%(before)s::uuid IS NULL OR id < %(before)s)
             ORDER BY id DESC
             LIMIT %(limit)s
            """,
            {"kinds": list(kinds), "status": status, "before": before, "limit": limit},
        ).fetchall()


def set_decided(connection: Connection, proposal: Proposal) -> None:
    connection.execute(
        """
        UPDATE proposal
           SET status = %s, decided_by = %s, decider_person_id = %s, decided_at = %s, reason = %s
         WHERE id = %s
           AND status = 'open'
        """,
        [
            proposal.status,
            proposal.decided_by,
            proposal.decider_person_id,
            proposal.decided_at,
            proposal.reason,
            proposal.id,
        ],
    )


def find_live(connection: Connection, proposal: Proposal, *, decided_since: datetime) -> Proposal | None:
    """Find what the same person asked for before: open, or agreed to since then and not done yet. Locked."""
    with connection.cursor(row_factory=class_row(Proposal)) as cursor:
        return cursor.execute(
            """
            SELECT id, kind, object_id, document, status, proposed_by, proposer_person_id, proposed_at, decided_by,
                   decider_person_id, decided_at, reason, used_at
              FROM proposal
             WHERE object_id = %s
               AND kind = %s
               AND document = %s
               AND proposer_person_id = %s
               AND used_at IS NULL
               AND (status = 'open' OR (status = 'approved' AND decided_at > %s))
             ORDER BY status, id
             LIMIT 1
               FOR UPDATE
            """,
            [proposal.object_id, proposal.kind, Jsonb(proposal.document), proposal.proposer_person_id, decided_since],
        ).fetchone()


def set_used(connection: Connection, proposal_id: UUID, *, at: datetime) -> None:
    connection.execute("UPDATE proposal SET used_at = %s WHERE id = %s", [at, proposal_id])


def is_second_person_there(connection: Connection) -> bool:
    """Whether there is somebody, or ever was, who could agree."""
    return connection.execute("SELECT 1 FROM two_persons").fetchone() is not None


def note_second_person(connection: Connection, *, at: datetime) -> None:
    """From now on there are two."""
    connection.execute("INSERT INTO two_persons (since) VALUES (%s) ON CONFLICT DO NOTHING", [at])
