"""Proposing what needs a second person, and that second person's word."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from uuid import UUID

from services.intake.handlers.erasures import OPEN_CASE
from services.intake.handlers.reveals import Reason
from services.intake.sealing import vault
from services.intake.storage import citizens, erasures
from services.intake.storage import proposals as storage
from services.intake.storage.issues import IssueNotFound
from shared.access.principal import Principal
from shared.audit import chain
from shared.database import Connection, Pool, transaction
from shared.errors import Conflict, Rejected

MOST_ISSUES = 500


class OwnProposal(Conflict):
    """Also through another account of the same person."""

    code = "own-proposal"


class AlreadyDecided(Conflict):
    code = "already-decided"


class OpenCase(Conflict):
    """Nobody is erased out of a case that is being handled; restricting until a day is what can be proposed.

    Only of cases that the proposer sees: whoever may not know of one must not be told by a refusal.
    """

    code = OPEN_CASE


class WrongState(Conflict):
    code = "wrong-state"


class ReviewMissing(Rejected):
    code = "review-missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    id: UUID
    kind: storage.ProposalKind
    reason: Reason
    citizen_ref: UUID | None = None
    issue_ids: Sequence[UUID] = field(default=())
    review_on: date | None = None


def propose(pool: Pool, wanted: Wanted, principal: Principal, *, now: datetime) -> None:
    """Raises NotFound for whatever is not within reach, and Conflict for what the citizen's state does not allow."""
    with transaction(pool) as connection:
        if wanted.citizen_ref is None:
            _check_issues(connection, wanted.issue_ids)
        else:
            _check_citizen(connection, wanted, wanted.citizen_ref, now)
        proposal = storage.Proposal(
            id=wanted.id,
            kind=wanted.kind,
            citizen_ref=wanted.citizen_ref,
            issue_ids=list(dict.fromkeys(wanted.issue_ids)),
            reason_code=wanted.reason.code,
            reason=vault().seal("bulk_reveal", "reason", wanted.id, wanted.reason.text),
            review_on=wanted.review_on,
            proposed_by=principal.account_id,
            proposer_person=principal.person_id,
            proposed_at=now,
            state="open",
        )
        storage.insert_proposal(connection, proposal)
        _note(connection, "citizen.propose", proposal, wanted.kind)


def decide_proposal(pool: Pool, proposal_id: UUID, principal: Principal, *, approve: bool, now: datetime) -> None:
    """Raises ProposalNotFound, AlreadyDecided, OwnProposal. What is approved is carried out by a worker."""
    with transaction(pool) as connection:
        proposal = storage.lock_proposal(connection, proposal_id)
        if principal.person_id == proposal.proposer_person or principal.account_id == proposal.proposed_by:
            raise OwnProposal("another person has to decide")
        if proposal.state != "open":
            raise AlreadyDecided("somebody has decided already")
        state: storage.ProposalState = "approved" if approve else "refused"
        storage.set_decision(
            connection, proposal_id, state, by=principal.account_id, person=principal.person_id, at=now
        )
        _note(connection, "citizen.decide", proposal, state)


def get_proposal(pool: Pool, proposal_id: UUID) -> tuple[storage.Proposal, str | None]:
    """Return it with the reason opened. Raises ProposalNotFound.

    What became of an agreed erasure is told by the audit alone. It may wait for a complaint that the reader must not
    know of: "done" in most cases and "agreed" in some would tell of it. An open case that the reader sees is named.
    """
    with transaction(pool) as connection:
        proposal = storage.lock_proposal(connection, proposal_id)
        if proposal.kind == "erase" and proposal.citizen_ref is not None and proposal.state not in {"open", "refused"}:
            waits = erasures.has_open_case(connection, proposal.citizen_ref)
            code = OPEN_CASE if waits else None
            proposal = replace(proposal, state="approved", finished_at=None, outcome_code=code)
    return proposal, vault().open("bulk_reveal", "reason", proposal.id, proposal.reason, None)


def _check_issues(connection: Connection, issue_ids: Sequence[UUID]) -> None:
    wanted = set(issue_ids)
    if erasures.count_issues_within_reach(connection, list(wanted)) != len(wanted):
        raise IssueNotFound("there is no such issue")


def _check_citizen(connection: Connection, wanted: Wanted, citizen_ref: UUID, now: datetime) -> None:
    if not erasures.is_citizen_within_reach(connection, citizen_ref):
        raise citizens.CitizenNotFound("there is no such citizen")
    if wanted.kind == "restrict" and (wanted.review_on is None or wanted.review_on <= now.date()):
        raise ReviewMissing("a restriction names a day to come on which it is looked at again")
    is_open = wanted.kind == "erase" and erasures.has_open_case(connection, citizen_ref)
    with citizens.elevated(connection):
        citizen = citizens.get_citizen(connection, citizen_ref)
        is_agreed = storage.is_erasure_agreed(connection, citizen_ref)
    if citizen.state == "erased" or is_agreed:  # both look the same: whether it waits is not told
        raise citizens.CitizenNotFound("there is no such citizen")
    if is_open:
        raise OpenCase("a case of this citizen is open: propose to restrict until it is closed")
    if (wanted.kind == "restrict" and citizen.state != "active") or (
        wanted.kind == "lift" and citizen.state != "restricted"
    ):
        raise WrongState("the citizen is not in the state that this would change")


def _note(connection: Connection, action: str, proposal: storage.Proposal, reason: str) -> None:
    chain.note(
        connection,
        chain.Line(
            action=action,
            object_type="citizen_proposal",
            object_id=proposal.id,
            reason=reason,
            details={"reason_code": proposal.reason_code, "count": len(proposal.issue_ids) or 1},
        ),
    )
