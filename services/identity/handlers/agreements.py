"""What nobody does alone to an account by which somebody decides: it is asked for, agreed to, and asked for again.

Else whoever keeps the accounts could become the second person of every rule of two, by a role or by a password.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Literal, TypeVar, get_args
from uuid import UUID

from services.identity.domain.accounts import Account, OwnAccount
from services.identity.handlers.administration import lock_other
from services.identity.handlers.desk import Desk
from services.identity.storage import accounts, two_persons
from shared import proposals
from shared.access.principal import Principal
from shared.audit.chain import Line, note
from shared.database import Connection, joined, transaction
from shared.policy import StepUpNeeded, has_stepped_up
from shared.proposals import Decision, Proposal
from shared.reach import SYSTEM, acting
from shared.versions import Expected, check_version

WishKind = Literal[
    "account.enable", "identity.link", "password.reset", "person.set", "role.grant", "second_factor.remove"
]
KINDS: Final[tuple[str, ...]] = get_args(WishKind)
# Who decides, or sees what decides: about these accounts nobody acts alone.
DECIDING_ROLES: Final = frozenset({"approver", "auditor", "department_officer", "security_administrator"})
AGREEING_ROLES: Final = frozenset({"approver", "security_administrator"})  # everywhere: the policy's account.decide
AGREED_FOR: Final = timedelta(days=7)

Done = TypeVar("Done")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be done to an account: two wishes are the same if all of this is."""

    kind: WishKind
    account_id: UUID
    document: Mapping[str, str | None] = field(default_factory=dict)


def with_agreement(
    desk: Desk, by: Principal, wish: Wish, do: Callable[[Desk], Done], *, now: datetime, expected: Expected = None
) -> Done | Proposal:
    """Do it, where it needs no second person or that person has agreed; else return what waits for one.

    What `do` changes and that the agreement is used up are one commit. Raises what `do` raises, StepUpNeeded,
    UnknownAccount, OwnAccount, Outdated for another version of the account than those expected.
    """
    with transaction(desk.pool) as connection:
        account = lock_other(connection, by, wish.account_id)
        check_version(account.version, expected)
        if _needs_another(connection, wish, account):
            if not has_stepped_up(by, now):
                raise StepUpNeeded("this needs the second factor again, given in the last minutes")
            asked = _proposal(desk, by, wish, now)
            standing = proposals.find_live(connection, asked, decided_since=now - AGREED_FOR)
            if standing is None:
                proposals.insert_proposal(connection, asked)
                _note(connection, "account.propose", asked)
            if standing is None or standing.status == "open":
                return standing or asked
            proposals.set_used(connection, standing.id, at=now)
        _end_of_beginning(connection, by, wish, account, now)
        return do(replace(desk, pool=joined(connection)))


def decide(desk: Desk, proposal_id: UUID, decision: Decision) -> Proposal:
    """Raises UnknownProposal, OwnProposal, AlreadyDecided, ProposalExpired, OwnAccount for whom it is about."""
    with transaction(desk.pool) as connection:
        decided = proposals.decide(connection, proposal_id, KINDS, decision)
        account = accounts.find_account(connection, UUID(decided.object_id))
        if account is not None and account.person_id == decision.by.person_id:
            raise OwnAccount("nobody agrees to what is done to an account of their own")
        _note(connection, "account.agree" if decision.status == "approved" else "account.refuse", decided)
    return decided


def agree_as_installation(desk: Desk, proposal_id: UUID, *, now: datetime) -> Proposal:
    """Raises UnknownProposal, AlreadyDecided, ProposalExpired."""
    nobody = Principal(account_id=UUID(int=0), name="installation", person_id="installation")
    with acting(replace(SYSTEM, actor="installation", role="installation")):
        return decide(desk, proposal_id, Decision(status="approved", by=nobody, at=now))


def _needs_another(connection: Connection, wish: Wish, account: Account) -> bool:
    if not two_persons.is_second_person_there(connection):
        return False
    if wish.kind == "role.grant":
        held = accounts.list_grants(connection, [account.id])
        asked = (wish.document["role"], wish.document["organisation_code"])
        return asked[0] in DECIDING_ROLES and asked not in {(grant.role, grant.organisation_code) for grant in held}
    if wish.kind == "person.set":
        stated = (wish.document["person_id"], wish.document["staff_number"])
        return stated != (account.person_id, account.staff_number)
    return accounts.holds_one_of(connection, account.person_id, DECIDING_ROLES)


def _end_of_beginning(connection: Connection, by: Principal, wish: Wish, account: Account, now: datetime) -> None:
    """The first who can agree beside whoever begins an installation is made by that one alone, and nobody after."""
    if (
        wish.kind == "role.grant"
        and wish.document["role"] in AGREEING_ROLES
        and wish.document["organisation_code"] is None
        and account.person_id != by.person_id
    ):
        two_persons.note_second_person(connection, at=now)


def _proposal(desk: Desk, by: Principal, wish: Wish, now: datetime) -> Proposal:
    return Proposal(
        id=desk.new_id(),
        kind=wish.kind,
        object_id=str(wish.account_id),
        document=dict(wish.document),
        proposed_by=by.name,
        proposer_person_id=by.person_id,
        proposed_at=now,
    )


def _note(connection: Connection, action: str, proposal: Proposal) -> None:
    details = {"proposal": str(proposal.id), "kind": proposal.kind, **proposal.document}
    note(
        connection,
        Line(
            action=action,
            object_type="account",
            object_id=proposal.object_id,
            reason=proposal.reason,
            details=details,
        ),
    )
