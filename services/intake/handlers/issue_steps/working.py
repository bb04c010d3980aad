"""Work on an issue."""

from services.intake.domain.commands.issue_steps import RespondToIssue
from services.intake.domain.issues import working as domain
from services.intake.domain.issues.life import Issue
from services.intake.handlers.issue_steps.taking import Decide, Steps, Turn


def respond(turn: Turn, issue: Issue, command: RespondToIssue) -> Steps:
    """Note when the citizen was first contacted. The same time again, or none, changes nothing."""
    if command.responded_at is None and issue.responded_at is not None:
        return ()
    responded_at = turn.at(command, "responded", command.responded_at)
    return domain.respond(issue, responded_at=responded_at, actor=command.actor)


STEPS: dict[type, Decide] = {RespondToIssue: respond}
