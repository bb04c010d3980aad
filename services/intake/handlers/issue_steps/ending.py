"""How an issue ends."""

from datetime import datetime

from services.intake.domain.commands.issue_steps import CloseIssue
from services.intake.domain.issues import ending as domain
from services.intake.domain.issues.life import Issue
from services.intake.handlers.issue_steps.taking import Decide, Steps, Turn
from shared.errors import Rejected


class MergedReplyMissing(Rejected):
    """The citizens of the issues that were merged into this one are answered too."""

    code = "merged-reply-missing"


def close(turn: Turn, issue: Issue, command: CloseIssue) -> Steps:
    """Close with an outcome and a reply. The same outcome again changes nothing."""
    closed_at = turn.at(command, "closed", command.closed_at)
    steps = domain.close(
        issue,
        outcome=command.outcome,
        reply=command.reply,
        means=command.means,
        reason_code=command.reason_code,
        closed_at=closed_at,
        actor=command.actor,
    )
    if steps and turn.merged.get(issue.id):
        _answer_merged(turn, issue, command, closed_at)
    return steps


def _answer_merged(turn: Turn, issue: Issue, command: CloseIssue, at: datetime) -> None:
    """In words of their own: what one citizen is told may say who that is."""
    if command.reply_to_merged is None:
        raise MergedReplyMissing("issues were merged into this one: their citizens need a reply, too")
    means = command.means or issue.reply_means or "phone"
    for merged_id in turn.merged[issue.id]:
        merged = turn.issues[merged_id]
        steps = domain.reply(merged, text=command.reply_to_merged, means=means, at=at, actor=command.actor)
        turn.take(merged, steps, command.correlation_id)


STEPS: dict[type, Decide] = {CloseIssue: close}
