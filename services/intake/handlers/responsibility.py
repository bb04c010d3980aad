"""The ledger of responsibility: kept with the steps that change it, and worked out anew for whoever asks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.intake.domain.issues.life import Issue
from services.intake.domain.issues.table import StepKind
from services.intake.domain.issues.turns import SHAPING, list_turns
from services.intake.domain.responsibility import RULE, Holder, Role, Share, share_out, sum_up
from services.intake.handlers.batches import Events
from services.intake.storage import citizens, issue_steps, issues
from services.intake.storage import responsibility as storage
from shared.contracts.intake.responsibility import ResponsibilityShared
from shared.database import Connection, Pool, transaction
from shared.identifiers import new_id
from shared.outbox import OutgoingEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownShare:
    organisation_code: str
    staff_number: str | None
    role: Role
    from_at: datetime
    until_at: datetime
    millionths: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownLedger:
    """Who answers for an issue: until its closing, or until now where it is open. The shares sum to a million."""

    issue_id: UUID
    until_at: datetime
    is_final: bool
    rule_version: int
    late_part: int
    assisting_part: int
    shares: list[ShownShare]


def keep_ledgers(
    connection: Connection,
    steps: Sequence[tuple[UUID, StepKind, str]],
    issues_now: Mapping[UUID, Issue],
    events: Events,
    *,
    now: datetime,
) -> None:
    """Share anew those issues of which a step changed who held them, or ended it: each an issue, a kind, a request.

    An issue that is all its lead's, and always was, has no ledger.
    """
    wanted = {
        issue_id: correlation_id
        for issue_id, kind, correlation_id in steps
        if kind in SHAPING and _may_be_shared(issues_now[issue_id])
    }
    if not wanted:
        return
    with citizens.elevated(connection):
        standing = storage.list_ledgers(connection, list(wanted))
        logs = storage.list_shaping_steps(connection, list(wanted))
        ledgers: list[storage.Ledger] = []
        shares: dict[UUID, Sequence[Share]] = {}
        for issue_id in wanted:
            issue = issues_now[issue_id]
            until_at = _until(issue, now)
            shared = share_out(list_turns(logs.get(issue_id, []), due_at=issue.due_at), until=until_at)
            if not shared or (_is_all_its_leads(issue, shared) and issue_id not in standing):
                continue
            before = standing.get(issue_id)
            ledgers.append(
                storage.Ledger(
                    id=before.id if before else new_id(),
                    issue_id=issue_id,
                    until_at=until_at,
                    rule_version=RULE.version,
                    sequence=before.sequence + 1 if before else 1,
                )
            )
            shares[issue_id] = shared
        storage.put_ledgers(connection, ledgers, shares, recorded_at=now)
    for ledger in ledgers:
        is_final = issues_now[ledger.issue_id].closed_at is not None
        event = _tell(ledger, shares[ledger.issue_id], is_final=is_final, now=now)
        events.append(OutgoingEvent(event=event, sequence=ledger.sequence, correlation_id=wanted[ledger.issue_id]))


def _may_be_shared(issue: Issue) -> bool:
    """Cheaper than reading the log: something beside the first assignment is known of it."""
    held_on = (issue.organisation_id, issue.cadre_id) == (issue.first_organisation_id, issue.first_cadre_id)
    return not held_on or issue.handed_over_by is not None or bool(issue.assisting) or bool(issue.objectors)


def _is_all_its_leads(issue: Issue, shares: Sequence[Share]) -> bool:
    """Not so where it was handed on too late: then it is all somebody else's, and has to be told."""
    lead = Holder(organisation_id=issue.organisation_id, cadre_id=issue.cadre_id) if issue.organisation_id else None
    return set(sum_up(shares)) == {(lead, "lead")}


def _until(issue: Issue, now: datetime) -> datetime:
    """Until the closing; of an open one as it would stand when it falls due, or stands now if that has passed."""
    if issue.closed_at is not None:
        return issue.closed_at
    return max(now, issue.due_at) if issue.due_at is not None else now


def _tell(ledger: storage.Ledger, shares: Sequence[Share], *, is_final: bool, now: datetime) -> ResponsibilityShared:
    totals = sum_up(shares)
    places = {holder: place for place, holder in enumerate(totals)}
    return ResponsibilityShared(
        ledger_id=ledger.id,
        issue_id=ledger.issue_id,
        shared_at=now,
        until_at=ledger.until_at,
        is_final=is_final,
        rule_version=ledger.rule_version,
        organisation_ids=[holder.organisation_id for holder, _ in totals],
        cadre_ids=[holder.cadre_id for holder, _ in totals],
        roles=[role for _, role in totals],
        millionths=list(totals.values()),
        slice_places=[places[share.holder, share.role] for share in shares],
        slice_from_ats=[share.from_at for share in shares],
        slice_until_ats=[share.until_at for share in shares],
        slice_millionths=[share.millionths for share in shares],
    )


def get_responsibility(pool: Pool, issue_id: UUID, *, now: datetime) -> ShownLedger:
    """Worked out from the log, whether it is all its lead's or shared. Raises IssueNotFound."""
    with transaction(pool) as connection:
        issues.get_issue(connection, issue_id)
        with citizens.elevated(connection):
            issue = issue_steps.lock_issues(connection, [issue_id])[issue_id].issue
            log = storage.list_shaping_steps(connection, [issue_id]).get(issue_id, [])
            until_at = issue.closed_at or now
            shares = share_out(list_turns(log, due_at=issue.due_at), until=until_at)
            holders = {share.holder for share in shares}
            codes, numbers = storage.list_names(
                connection,
                [holder.organisation_id for holder in holders],
                [holder.cadre_id for holder in holders if holder.cadre_id is not None],
            )
    return ShownLedger(
        issue_id=issue_id,
        until_at=until_at,
        is_final=issue.closed_at is not None,
        rule_version=RULE.version,
        late_part=RULE.late_part,
        assisting_part=RULE.assisting_part,
        shares=[
            ShownShare(
                organisation_code=codes[share.holder.organisation_id],
                staff_number=None if share.holder.cadre_id is None else numbers[share.holder.cadre_id],
                role=share.role,
                from_at=share.from_at,
                until_at=share.until_at,
                millionths=share.millionths,
            )
            for share in shares
        ],
    )
