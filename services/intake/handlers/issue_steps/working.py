"""Work on an issue."""

from services.intake.domain.commands.issue_steps import (
    DecideExtension,
    PauseIssue,
    RequestExtension,
    RespondToIssue,
    ResumeIssue,
    SetUrgency,
    StartIssue,
)
from services.intake.domain.issues import working as domain
from services.intake.domain.issues.life import Issue
from services.intake.handlers.issue_steps.taking import Decide, Steps, Turn


def respond(turn: Turn, issue: Issue, command: RespondToIssue) -> Steps:
    """Note when the citizen was first contacted. The same time again, or none, changes nothing."""
    if command.responded_at is None and issue.responded_at is not None:
        return ()
    responded_at = turn.at(command, "responded", command.responded_at)
    return domain.respond(issue, responded_at=responded_at, actor=command.actor)


def start(turn: Turn, issue: Issue, command: StartIssue) -> Steps:
    return domain.start(issue, at=turn.at(command, "started"), actor=command.actor)


def pause(turn: Turn, issue: Issue, command: PauseIssue) -> Steps:
    return domain.pause(
        issue,
        reason_code=command.reason_code,
        at=turn.at(command, "paused"),
        note=command.note,
        actor=command.actor,
    )


def resume(turn: Turn, issue: Issue, command: ResumeIssue) -> Steps:
    return domain.resume(issue, at=turn.at(command, "resumed"), actor=command.actor)


def set_urgency(turn: Turn, issue: Issue, command: SetUrgency) -> Steps:
    return domain.set_urgency(
        issue, urgency=command.urgency, reason_code=command.reason_code, at=turn.now, actor=command.actor
    )


def request_extension(turn: Turn, issue: Issue, command: RequestExtension) -> Steps:
    return domain.request_extension(
        issue,
        due_at=command.due_at,
        reason_code=command.reason_code,
        at=turn.now,
        rules=turn.rules,
        note=command.note,
        actor=command.actor,
    )


def decide_extension(turn: Turn, issue: Issue, command: DecideExtension) -> Steps:
    return domain.decide_extension(issue, granted=command.granted, at=turn.now, note=command.note, actor=command.actor)


STEPS: dict[type, Decide] = {
    RespondToIssue: respond,
    StartIssue: start,
    PauseIssue: pause,
    ResumeIssue: resume,
    SetUrgency: set_urgency,
    RequestExtension: request_extension,
    DecideExtension: decide_extension,
}
