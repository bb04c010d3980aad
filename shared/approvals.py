"""The rule of two persons: what one proposes another decides, and two accounts of one person are one person."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

import orjson
from psycopg.rows import class_row

from shared.database import Connection
from shared.errors import Conflict, NotFound

Status = Literal["proposed", "approved", "refused"]
OPEN_FOR: Final = timedelta(days=14)  # what nobody decided by then must be proposed anew


class ProposalNotFound(NotFound):
    code = "proposal-not-found"


class OwnProposal(Conflict):
    """Who proposes does not decide, under whatever account."""

    code = "own-proposal"


class AlreadyProposed(Conflict):
    code = "already-proposed"


class AlreadyDecided(Conflict):
    """It was decided, or nobody decided it in time."""

    code = "already-decided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who proposes or decides. All accounts of one person have the same `person_id`."""

    account_id: UUID
    name: str
    person_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProposal:
    """`kind` and `subject` say what is to be done to what; the organisation says who may see the proposal."""

    id: UUID
    kind: str
    subject: str
    reason: str
    details: dict[str, Any]
    organisation_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    id: UUID
    kind: str
    subject: str
    reason: str
    details: dict[str, Any]
    organisation_code: str | None
    status: Status
    proposed_by: str
    proposer_person: str
    proposed_at: datetime
    open_until: datetime
    decided_by: str | None
    decider_person: str | None
    decided_at: datetime | None
    decision_reason: str | None


def propose(connection: Connection, proposal: NewProposal, *, by: Person, now: datetime) -> None:
    """Enter a proposal. A repeat by the same person changes nothing. Raises AlreadyProposed."""
    inserted = connection.execute(
        """
        INSERT INTO proposal (id, kind, subject, reason, details, organisation_code, status, proposed_by,
                              proposer_account, proposer_person, proposed_at, open_until)
        SELECT %s, %s, %s, %s, %s::jsonb, %s, 'proposed', %s, %s, %s, %s, %s
         WHERE NOT EXISTS (SELECT 1
                             FROM proposal
                            WHERE kind = %s
                              AND subject = %s
                              AND status = 'proposed'
                              AND open_until > %s)
            ON CONFLICT (id) DO NOTHING
        """,
        [
            proposal.id,
            proposal.kind,
            proposal.subject,
            proposal.reason,
            orjson.dumps(proposal.details).decode(),
            proposal.organisation_code,
            by.name,
            by.account_id,
            by.person_id,
            now,
            now + OPEN_FOR,
            proposal.kind,
            proposal.subject,
            now,
        ],
    ).rowcount
    if inserted:
        return
    standing = connection.execute(
        "SELECT 1 FROM proposal WHERE id = %s AND kind = %s AND subject = %s AND proposer_person = %s",
        [proposal.id, proposal.kind, proposal.subject, by.person_id],
    ).fetchone()
    if standing is None:
        raise AlreadyProposed("the same has been proposed already and waits to be decided")


def approve(
    connection: Connection, proposal_id: UUID, *, kind: str, by: Person, reason: str, now: datetime
) -> Proposal:
    """Approve, and return what was proposed: the caller does it in the same transaction.

    Raises ProposalNotFound, OwnProposal, AlreadyDecided; of two who decide at once one comes too late.
    """
    if _lock_open(connection, proposal_id, kind=kind, now=now) == by.person_id:
        raise OwnProposal("who proposes something does not approve it")
    return _settle(connection, proposal_id, "approved", by=by, reason=reason, now=now)


def refuse(connection: Connection, proposal_id: UUID, *, kind: str, by: Person, reason: str, now: datetime) -> Proposal:
    """Raises ProposalNotFound, AlreadyDecided. One's own proposal may be taken back."""
    _lock_open(connection, proposal_id, kind=kind, now=now)
    return _settle(connection, proposal_id, "refused", by=by, reason=reason, now=now)


def list_open(connection: Connection, *, kinds: list[str], now: datetime, limit: int) -> list[Proposal]:
    """List what waits to be decided, the oldest first."""
    with connection.cursor(row_factory=class_row(Proposal)) as cursor:
        return cursor.execute(
            """
            SELECT id, kind, subject, reason, details, organisation_code, status, proposed_by, proposer_person,
                   proposed_at, open_until, decided_by, decider_person, decided_at, decision_reason
              FROM proposal
             WHERE kind = ANY(%s)
               AND status = 'proposed'
               AND open_until > %s
             ORDER BY proposed_at, id
             LIMIT %s
            """,
            [kinds, now, limit],
        ).fetchall()


def _lock_open(connection: Connection, proposal_id: UUID, *, kind: str, now: datetime) -> str:
    """Hold a proposal that may still be decided, and return whose it is. Raises ProposalNotFound, AlreadyDecided."""
    row = connection.execute(
        """
        SELECT proposer_person, status = 'proposed' AND open_until > %s
          FROM proposal
         WHERE id = %s
           AND kind = %s
           FOR UPDATE
        """,
        [now, proposal_id, kind],
    ).fetchone()
    if row is None:
        raise ProposalNotFound("there is no such proposal")
    if not row[1]:
        raise AlreadyDecided("it was decided already, or not in time")
    return str(row[0])


def _settle(
    connection: Connection, proposal_id: UUID, status: Status, *, by: Person, reason: str, now: datetime
) -> Proposal:
    with connection.cursor(row_factory=class_row(Proposal)) as cursor:
        [decided] = cursor.execute(
            """
               UPDATE proposal
                  SET status = %s, decided_by = %s, decider_person = %s, decided_at = %s, decision_reason = %s
                WHERE id = %s
            RETURNING id, kind, subject, reason, details, organisation_code, status, proposed_by, proposer_person,
                      proposed_at, open_until, decided_by, decider_person, decided_at, decision_reason
            """,
            [status, by.name, by.person_id, now, reason, proposal_id],
        )
    return decided
