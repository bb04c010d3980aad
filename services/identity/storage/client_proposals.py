"""What is proposed of machine clients, and what came of it, in SQL."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from shared.database import Connection

ProposalStatus = Literal["open", "approved", "refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientProposal:
    id: UUID
    client_id: str
    registration: dict[str, Any]
    status: ProposalStatus
    proposed_by: str
    proposer_person_id: str
    proposed_at: datetime
    decided_by: str | None
    decider_person_id: str | None
    decided_at: datetime | None
    reason: str | None


def insert_proposal(connection: Connection, proposal: ClientProposal) -> None:
    connection.execute(
        """
        INSERT INTO client_proposal
               (id, client_id, registration, proposed_by, proposer_person_id, proposed_at)
        VALUES (%s, %s, %s, %s, %s, %s)
        """,
        [
            proposal.id,
            proposal.client_id,
            Jsonb(proposal.registration),
            proposal.proposed_by,
            proposal.proposer_person_id,
            proposal.proposed_at,
        ],
    )


def lock_proposal(connection: Connection, proposal_id: UUID) -> ClientProposal | None:
    """Two who decide at once do so one after the other."""
    with connection.cursor(row_factory=class_row(ClientProposal)) as cursor:
        return cursor.execute(
            """
            SELECT id, client_id, registration, status, proposed_by, proposer_person_id, proposed_at, decided_by,
                   decider_person_id, decided_at, reason
              FROM client_proposal
             WHERE id = %s
               FOR UPDATE
            """,
            [proposal_id],
        ).fetchone()


def list_proposals(
    connection: Connection, *, status: ProposalStatus | None, before: UUID | None, limit: int
) -> list[ClientProposal]:
    """The newest first."""
    with connection.cursor(row_factory=class_row(ClientProposal)) as cursor:
        return cursor.execute(
            """
            SELECT id, client_id, registration, status, proposed_by, proposer_person_id, proposed_at, decided_by,
                   decider_person_id, decided_at, reason
              FROM client_proposal
             WHERE (%(status)s::text IS NULL OR status = %(status)s)
               AND (%(before)s::uuid IS NULL OR id < %(before)s)
             ORDER BY id DESC
             LIMIT %(limit)s
            """,
            {"status": status, "before": before, "limit": limit},
        ).fetchall()


def set_decided(connection: Connection, proposal: ClientProposal) -> None:
    connection.execute(
        """
        UPDATE client_proposal
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
