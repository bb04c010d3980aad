"""Who leads an issue."""

from services.intake.domain.commands.issue_steps import AssignIssue
from services.intake.domain.issues import leading as domain
from services.intake.domain.issues.life import Issue
from services.intake.handlers.issue_steps.taking import Decide, Steps, Turn
from services.intake.storage import recusal


def assign(turn: Turn, issue: Issue, command: AssignIssue) -> Steps:
    """Dispatch an issue, or pass it on. To who leads already changes nothing."""
    organisation_id = turn.organisation_id(command.organisation_code)
    cadre_id = turn.cadre_id(command.staff_number)
    if issue.subject_id is not None and recusal.is_misdirected(
        turn.connection,
        subject_id=issue.subject_id,
        received_at=issue.received_at,
        organisation_id=organisation_id,
        cadre_id=cadre_id,
    ):
        raise domain.HandledBySubject("a complaint does not go to whom it is about, nor to the unit")
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


STEPS: dict[type, Decide] = {AssignIssue: assign}
