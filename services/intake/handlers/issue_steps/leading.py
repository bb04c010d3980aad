"""Who leads an issue."""

from uuid import UUID

from services.intake.domain.commands.issue_steps import (
    AssignIssue,
    DecideObjection,
    RaiseObjection,
    ReturnIssue,
    SetAssistingUnits,
    SignIssue,
)
from services.intake.domain.issues import leading as domain
from services.intake.domain.issues.life import Issue
from services.intake.handlers.issue_steps.taking import Decide, Steps, Turn
from services.intake.storage import recusal


def assign(turn: Turn, issue: Issue, command: AssignIssue) -> Steps:
    """Dispatch an issue, or pass it on. To who leads already changes nothing."""
    organisation_id = turn.organisation_id(command.organisation_code)
    cadre_id = turn.cadre_id(command.staff_number)
    _refuse_misdirected(turn, issue, organisation_id, cadre_id)
    return domain.assign(
        issue,
        organisation_id=organisation_id,
        cadre_id=cadre_id,
        at=turn.at(command, "assigned"),
        kind=command.kind,
        reason_code=command.reason_code,
        note=command.note,
        actor=command.actor,
    )


def hand_back(turn: Turn, issue: Issue, command: ReturnIssue) -> Steps:
    return domain.hand_back(
        issue,
        reason_code=command.reason_code,
        at=turn.now,
        rules=turn.rules,
        note=command.note,
        actor=command.actor,
    )


def sign(turn: Turn, issue: Issue, command: SignIssue) -> Steps:
    return domain.sign(issue, at=turn.at(command, "signed"), actor=command.actor)


def raise_objection(turn: Turn, issue: Issue, command: RaiseObjection) -> Steps:
    return domain.raise_objection(
        issue,
        reason_code=command.reason_code,
        at=turn.now,
        rules=turn.rules,
        note=command.note,
        actor=command.actor,
    )


def decide_objection(turn: Turn, issue: Issue, command: DecideObjection) -> Steps:
    return domain.decide_objection(issue, upheld=command.upheld, at=turn.now, note=command.note, actor=command.actor)


def set_assisting(turn: Turn, issue: Issue, command: SetAssistingUnits) -> Steps:
    organisation_ids = tuple(turn.organisation_id(code) for code in command.assisting_codes)
    for organisation_id in organisation_ids:
        _refuse_misdirected(turn, issue, organisation_id, None)
    return domain.set_assisting(issue, organisation_ids=organisation_ids, at=turn.now, actor=command.actor)


def _refuse_misdirected(turn: Turn, issue: Issue, organisation_id: UUID, cadre_id: UUID | None) -> None:
    if issue.subject_id is not None and recusal.is_misdirected(
        turn.connection,
        subject_id=issue.subject_id,
        received_at=issue.received_at,
        organisation_id=organisation_id,
        cadre_id=cadre_id,
    ):
        raise domain.HandledBySubject("a complaint does not go to whom it is about, nor to the unit")


STEPS: dict[type, Decide] = {
    AssignIssue: assign,
    ReturnIssue: hand_back,
    SignIssue: sign,
    RaiseObjection: raise_objection,
    DecideObjection: decide_objection,
    SetAssistingUnits: set_assisting,
}
