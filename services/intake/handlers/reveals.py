"""Showing who a citizen is: one at a time with a reason, many only with a second person, and every time on record."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from services.intake import metrics
from services.intake.domain.citizens import IdKind
from services.intake.handlers.citizens import list_known_elsewhere
from services.intake.sealing import vault
from services.intake.storage import issues as issue_storage
from services.intake.storage import proposals as storage
from services.intake.storage.citizens import CitizenNotFound, SealedCitizen, get_citizen
from shared.access.principal import Principal, Role
from shared.audit import chain
from shared.database import Connection, Pool, transaction
from shared.errors import Conflict, Forbidden, TooMany
from shared.identifiers import new_id
from shared.policy import STEP_UP_FOR, StepUpNeeded
from shared.reach import current

ReasonCode = Literal["call_back", "clarify_facts", "duplicate_check", "legal_request", "own_request", "emergency"]
MOST_A_DAY = 20
DAY = timedelta(days=1)
CLERKS_WINDOW = timedelta(days=7)


class WindowClosed(Forbidden):
    """A clerk sees the citizens of open cases of the last days; after that an officer decides."""

    code = "reveal-window-closed"


class NotToBeFetched(Conflict):
    code = "not-to-be-fetched"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    code: ReasonCode
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RevealedCitizen:
    issue_id: UUID
    citizen_ref: UUID
    name: str | None = field(repr=False)
    phone: str | None = field(repr=False)
    id_number: str | None = field(repr=False)
    id_kind: IdKind | None
    address: str | None = field(repr=False)
    withheld: bool = False  # the document and the address were told where the reader does not see


def reveal_citizen(
    pool: Pool, issue_id: UUID, reason: Reason, principal: Principal, *, now: datetime, is_repeat: bool = False
) -> RevealedCitizen:
    """A repeat of the same request is shown again and counted no second time.

    Raises IssueNotFound, CitizenNotFound, WindowClosed, StepUpNeeded, TooMany.
    """
    with transaction(pool) as connection:
        issue = issue_storage.get_issue(connection, issue_id)
        _require_right(issue, principal, now)
        if issue.citizen_ref is None:
            raise CitizenNotFound("no citizen is known of this issue")
        citizen = get_citizen(connection, issue.citizen_ref)
        shown = as_told(citizen, issue)
        # A clerk who types a document's number finds nobody by it: there is nothing but what this case told.
        is_found = shown is not citizen and not _acts_as("department_officer")
        withheld = is_found or citizen.ref in list_known_elsewhere(connection, [citizen.ref])
        if is_repeat:
            return open_citizen(issue_id, shown if withheld else citizen, withheld=withheld)
        _take_one_of_today(connection, principal, now)
        reveal_id = new_id()
        row = {
            "id": reveal_id,
            "account_id": principal.account_id,
            "issue_id": issue_id,
            "citizen_ref": citizen.ref,
            "proposal_id": None,
            "reason_code": reason.code,
            "reason": vault().seal_if("reveal", "reason", reveal_id, reason.text),
        }
        storage.insert_reveals(connection, [row], revealed_at=now)
        chain.note(
            connection,
            chain.Line(
                action="citizen.reveal",
                object_type="issue",
                object_id=issue_id,
                reason=reason.code,
                details={"reveal_id": reveal_id},
            ),
        )
    metrics.reveals_total.labels("shown").inc()
    return open_citizen(issue_id, shown if withheld else citizen, withheld=withheld)


def as_told(citizen: SealedCitizen, issue: issue_storage.SealedIssue) -> SealedCitizen:
    """The citizen with name and phone as the case told them; the same object where it told nothing else."""
    if (issue.citizen_name, issue.citizen_phone) == (citizen.name, citizen.phone):
        return citizen
    return replace(citizen, name=issue.citizen_name, phone=issue.citizen_phone)


def fetch_revealed(pool: Pool, proposal_id: UUID, principal: Principal, *, now: datetime) -> list[RevealedCitizen]:
    """Give an approved list to who proposed it, once. Raises ProposalNotFound, NotToBeFetched."""
    with transaction(pool) as connection:
        proposal = storage.lock_proposal(connection, proposal_id)
        if proposal.kind != "reveal" or proposal.proposed_by != principal.account_id:
            raise storage.ProposalNotFound("there is no such proposal")
        if not storage.set_finished(connection, [proposal_id], at=now):
            raise NotToBeFetched("the list is not approved, or was fetched before")
        shown = _open_all(connection, proposal.issue_ids)
        rows = [
            {
                "id": new_id(),
                "account_id": principal.account_id,
                "issue_id": citizen.issue_id,
                "citizen_ref": citizen.citizen_ref,
                "proposal_id": proposal_id,
                "reason_code": proposal.reason_code,
                "reason": None,
            }
            for citizen in shown
        ]
        storage.insert_reveals(connection, rows, revealed_at=now)
        chain.note(
            connection,
            chain.Line(
                action="citizen.reveal_many",
                object_type="citizen_proposal",
                object_id=proposal_id,
                reason=proposal.reason_code,
                details={"count": len(shown)},
            ),
        )
    metrics.reveals_total.labels("shown_in_bulk").inc(len(shown))
    return shown


def open_citizen(issue_id: UUID, citizen: SealedCitizen, *, withheld: bool) -> RevealedCitizen:
    """Whom to call, and unless that is withheld all else. Raises CitizenNotFound for one who was erased meanwhile."""
    key = vault().open_key(citizen.ref, citizen.wrapped)
    if key is None:
        raise CitizenNotFound("nothing is known of this citizen any more")
    return RevealedCitizen(
        issue_id=issue_id,
        citizen_ref=citizen.ref,
        name=vault().open("citizen", "name", citizen.ref, citizen.name, key),
        phone=vault().open("citizen", "phone", citizen.ref, citizen.phone, key),
        id_number=None if withheld else vault().open("citizen", "id_number", citizen.ref, citizen.id_number, key),
        id_kind=None if withheld else citizen.id_kind,
        address=None if withheld else vault().open("citizen", "address", citizen.ref, citizen.address, key),
        withheld=withheld,
    )


def _require_right(issue: issue_storage.SealedIssue, principal: Principal, now: datetime) -> None:
    """A clerk within the window; else an officer who has just given the second factor."""
    if _acts_as("clerk") and issue.status != "closed" and now - issue.received_at <= CLERKS_WINDOW:
        return
    if not _acts_as("department_officer"):
        raise WindowClosed("the case is closed, or older than seven days")
    if principal.stepped_up_at is None or now - principal.stepped_up_at > STEP_UP_FOR:
        raise StepUpNeeded("this needs the second factor again, given in the last minutes")


def _acts_as(role: Role) -> bool:
    acting = current()
    return acting is not None and role in acting.role.split(",")


def _take_one_of_today(connection: Connection, principal: Principal, now: datetime) -> None:
    storage.lock_account(connection, principal.account_id)
    count, first_at = storage.count_reveals(connection, principal.account_id, since=now - DAY)
    if count >= MOST_A_DAY and first_at is not None:
        metrics.reveals_total.labels("refused").inc()
        wait = (first_at + DAY - now).total_seconds()
        raise TooMany("too many citizens were shown to this account today", retry_after_seconds=max(1.0, wait))


def _open_all(connection: Connection, issue_ids: Sequence[UUID]) -> list[RevealedCitizen]:
    """Those that are still within reach and still there: the list was approved, not its later content."""
    found = []
    for issue_id in issue_ids:
        try:
            issue = issue_storage.get_issue(connection, issue_id)
            if issue.citizen_ref is not None:
                citizen = get_citizen(connection, issue.citizen_ref)
                found.append((issue_id, citizen, as_told(citizen, issue)))
        except (issue_storage.IssueNotFound, CitizenNotFound):
            continue
    elsewhere = list_known_elsewhere(connection, {citizen.ref for _, citizen, _ in found})
    shown = []
    for issue_id, citizen, told in found:
        with suppress(CitizenNotFound):
            withheld = citizen.ref in elsewhere
            shown.append(open_citizen(issue_id, told if withheld else citizen, withheld=withheld))
    return shown
