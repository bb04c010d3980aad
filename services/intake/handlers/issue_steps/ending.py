"""How an issue ends."""

from datetime import datetime

from services.intake.domain.commands.issue_steps import CloseIssue, MergeIssue, OrderRedo, ReopenIssue, ReplyToIssue
from services.intake.domain.issues import ending as domain
from services.intake.domain.issues.life import Issue
from services.intake.handlers.issue_steps.taking import Decide, Steps, Turn
from shared.errors import Rejected


class MergedReplyMissing(Rejected):
    """The citizens of the issues that were merged into this one are answered too."""

    code = "merged-reply-missing"


class OtherIssueUnknown(Rejected):
    code = "other-issue-unknown"


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


def reply(turn: Turn, issue: Issue, command: ReplyToIssue) -> Steps:
    return domain.reply(
        issue, text=command.text, means=command.means, at=turn.at(command, "replied"), actor=command.actor
    )


def merge(turn: Turn, issue: Issue, command: MergeIssue) -> Steps:
    """Merge an issue into another within the sender's reach; whoever is complained of sees neither."""
    into = turn.issues.get(command.into_id) if command.into_id in turn.reached else None
    if into is None:
        raise OtherIssueUnknown("there is no such issue to merge into")
    if into.subject_id != issue.subject_id:
        raise domain.MergeRefused("a complaint about an official is merged with none that is not about the same one")
    steps = domain.merge(
        issue,
        into,
        has_merged=bool(turn.merged.get(issue.id)),
        reply=command.reply,
        means=command.means,
        at=turn.now,
        actor=command.actor,
    )
    if steps:
        turn.merged.setdefault(into.id, []).append(issue.id)
    return steps


def order_redo(turn: Turn, issue: Issue, command: OrderRedo) -> Steps:
    return domain.order_redo(
        issue, reason_code=command.reason_code, at=turn.now, note=command.note, actor=command.actor
    )


def reopen(turn: Turn, issue: Issue, command: ReopenIssue) -> Steps:
    return domain.reopen(
        issue,
        reason_code=command.reason_code,
        asked_by=command.asked_by,
        at=turn.now,
        rules=turn.rules,
        note=command.note,
        actor=command.actor,
    )


STEPS: dict[type, Decide] = {
    CloseIssue: close,
    ReplyToIssue: reply,
    MergeIssue: merge,
    OrderRedo: order_redo,
    ReopenIssue: reopen,
}
