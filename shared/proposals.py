"""What one person asks for and another one decides: the same table and the same rules in each service that has them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from shared.access.principal import Principal
from shared.database import Connection
from shared.errors import Conflict, NotFound

ProposalStatus = Literal["open", "approved", "refused", "expired"]
OPEN_FOR: Final = timedelta(days=30)


class UnknownProposal(NotFound):
    code = "unknown-proposal"


class OwnProposal(Conflict):
    """The second person must be another one, whichever account they act by."""

    code = "own-proposal"


class AlreadyDecided(Conflict):
    code = "already-decided"


class ProposalExpired(Conflict):
    """Nobody has decided for a month: what was asked for may not be what is wanted now."""

    code = "proposal-expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """`object_id` is what it is about, `document` what is asked for. Without an organisation it concerns all of them.

    What was open for too long reads as expired. `used_at` is when what was agreed to was done, where that is later.
    """

    id: UUID
    kind: str
    object_id: str
    organisation_code: str | None = None
    document: Mapping[str, Any]
    status: ProposalStatus = "open"
    proposed_by: str
    proposer_person_id: str
    proposed_at: datetime
    decided_by: str | None = None
    decider_person_id: str | None = None
    decided_at: datetime | None = None
    reason: str | None = None
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The second person's word."""

    status: Literal["approved", "refused"]
    by: Principal
    at: datetime
    reason: str | None = None


def decide(connection: Connection, proposal_id: UUID, kinds: Sequence[str], decision: Decision) -> Proposal:
    """Raises UnknownProposal, OwnProposal, AlreadyDecided, ProposalExpired."""
    proposal = get_proposal(connection, proposal_id, kinds, now=decision.at)
    if proposal.proposer_person_id == decision.by.person_id and proposal.status == "open":
        raise OwnProposal("whoever proposed it cannot decide it too")
    if proposal.status == "expired":
        raise ProposalExpired(f"nobody has decided for {OPEN_FOR.days} days: propose it anew")
    if proposal.status != "open":
        raise AlreadyDecided(f"it was {proposal.status} before")
    decided = replace(
        proposal,
        status=decision.status,
        decided_by=decision.by.name,
        decider_person_id=decision.by.person_id,
        decided_at=decision.at,
        reason=decision.reason,
    )
    _set_decided(connection, decided)
    return decided


def insert_proposal(connection: Connection, proposal: Proposal) -> None:
    connection.execute(
        """
        INSERT INTO proposal
               (id, kind, object_id, organisation_code, document, proposed_by, proposer_person_id, proposed_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
        """,
        [
            proposal.id,
            proposal.kind,
            proposal.object_id,
            proposal.organisation_code,
            Jsonb(dict(proposal.document)),
            proposal.proposed_by,
            proposal.proposer_person_id,
            proposal.proposed_at,
        ],
    )


def get_proposal(connection: Connection, proposal_id: UUID, kinds: Sequence[str], *, now: datetime) -> Proposal:
    """Locked: two who decide at once, or use it at once, do so one after the other. Raises UnknownProposal."""
    with connection.cursor(row_factory=class_row(Proposal)) as cursor:
        found = cursor.execute(
            """
            SELECT id, kind, object_id, organisation_code, document, proposed_by, proposer_person_id, proposed_at,
                   CASE WHEN status = 'open' AND proposed_at <= %s THEN 'expired' ELSE status END AS status,
                   decided_by, decider_person_id, decided_at, reason, used_at
              FROM proposal
             WHERE id = %s
               AND kind = ANY (%s)
               FOR UPDATE
            """,
            [now - OPEN_FOR, proposal_id, list(kinds)],
        ).fetchone()
    if found is None:
        raise UnknownProposal("there is no such proposal")
    return found


def list_proposals(
    connection: Connection,
    kinds: Sequence[str],
    *,
    status: ProposalStatus | None,
    before: UUID | None,
    limit: int,
    now: datetime,
) -> list[Proposal]:
    """The newest first."""
    with connection.cursor(row_factory=class_row(Proposal)) as cursor:
        return cursor.execute(
            """
            WITH told AS (
                SELECT id, kind, object_id, organisation_code, document, proposed_by, proposer_person_id, proposed_at,
                       CASE WHEN status = 'open' AND proposed_at <= %(open_since)s THEN 'expired'
                            ELSE status END AS status,
                       decided_by, decider_person_id, decided_at, reason, used_at
                  FROM proposal)
            SELECT id, kind, object_id, organisation_code, document, proposed_by, proposer_person_id, proposed_at,
                   status, decided_by, decider_person_id, decided_at, reason, used_at
              FROM told
             WHERE kind = ANY (%(kinds)s)
               AND (%(status)s::text IS NULL OR status = %(status)s)
               AND (%(before)s::uuid IS NULL OR id < %(before)s)
             ORDER BY id DESC
             LIMIT %(limit)s
            """,
            {"kinds": list(kinds), "status": status, "before": before, "limit": limit, "open_since": now - OPEN_FOR},
        ).fetchall()


def find_live(connection: Connection, proposal: Proposal, *, decided_since: datetime) -> Proposal | None:
    """Find what the same person asked for before: open, or agreed to since then and not done yet. Locked."""
    with connection.cursor(row_factory=class_row(Proposal)) as cursor:
        return cursor.execute(
            """
            SELECT id, kind, object_id, organisation_code, document, status, proposed_by, proposer_person_id,
                   proposed_at, decided_by, decider_person_id, decided_at, reason, used_at
              FROM proposal
             WHERE object_id = %(object)s
               AND kind = %(kind)s
               AND document = %(document)s
               AND proposer_person_id = %(person)s
               AND used_at IS NULL
               AND ((status = 'open' AND proposed_at > %(open_since)s)
                    OR (status = 'approved' AND decided_at > %(decided_since)s))
             ORDER BY status, id
             LIMIT 1
               FOR UPDATE
            """,
            {
                "object": proposal.object_id,
                "kind": proposal.kind,
                "document": Jsonb(dict(proposal.document)),
                "person": proposal.proposer_person_id,
                "open_since": proposal.proposed_at - OPEN_FOR,
                "decided_since": decided_since,
            },
        ).fetchone()


def set_used(connection: Connection, proposal_id: UUID, *, at: datetime) -> None:
    connection.execute("UPDATE proposal SET used_at = %s WHERE id = %s", [at, proposal_id])


def _set_decided(connection: Connection, proposal: Proposal) -> None:
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
