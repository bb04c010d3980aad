"""How an issue ends: with a reply to the citizen, or merged into another one; and what takes an ending back."""

from datetime import datetime
from typing import Final, Literal

from services.intake.domain.commands.base import NOBODY, Actor
from services.intake.domain.commands.issues import IssueOutcome, ReplyMeans
from services.intake.domain.issues.life import AlreadyClosed, Issue
from services.intake.domain.issues.rules import LifeRules, UnknownReason, check_order, check_window
from services.intake.domain.issues.steps import Details, Step
from services.intake.domain.issues.table import check_allowed
from shared.errors import Conflict, Rejected

ClosureReason = Literal[
    "no_legal_basis",
    "policy_limits",
    "legal_channel",
    "handled_before",
    "secret_or_private",
    "outside_duties",
    "against_law_or_custom",
    "emergency_line",
    "citizen_uncooperative",
    "other",
]
# How a citizen rated is no reason here: whoever handles the issue may read it.
RedoReason = Literal["not_solved", "partly_solved", "failed_audit", "citizen_not_contacted", "untrue_reply", "other"]
ReopeningReason = Literal["not_solved", "came_back", "new_facts", "wrongly_merged", "wrongly_closed", "other"]
NEEDS_REASON: Final = frozenset[IssueOutcome]({"explained_policy", "not_accepted"})
CAN_BE_REDONE: Final = frozenset[IssueOutcome]({"resolved", "explained_policy", "not_accepted"})


class ReplyMissing(Rejected):
    """Nobody is left without an answer."""

    code = "reply-missing"


class ReasonMissing(Rejected):
    code = "reason-missing"


class MergeTargetMissing(Rejected):
    """What is merged names the issue that goes on for both: that is a step of its own."""

    code = "merge-target-missing"


class MergeRefused(Conflict):
    """The other issue is this one, is closed, or was merged itself, or others were merged into this one."""

    code = "merge-refused"


class CannotBeRedone(Conflict):
    code = "cannot-be-redone"


def reply(issue: Issue, *, text: str, means: ReplyMeans, at: datetime, actor: Actor) -> tuple[Step, ...]:
    """Tell the citizen what came of it; before the closure or after it. The same words again change nothing."""
    check_allowed(issue, "replied")
    if issue.replied_at is not None and (issue.reply, issue.reply_means) == (text, means):
        return ()
    check_order(issue, at)
    return (Step(kind="replied", happened_at=at, details=Details(means=means), actor=actor, reply=text),)


def close(  # noqa: PLR0913 - what a closure says
    issue: Issue,
    *,
    outcome: IssueOutcome,
    reply: str | None,
    closed_at: datetime,
    means: ReplyMeans | None = None,
    reason_code: str | None = None,
    actor: Actor = NOBODY,
) -> tuple[Step, ...]:
    """Close with an outcome and the reply to the citizen. Closing again with the same outcome changes nothing."""
    if issue.closed_at is not None:
        if issue.outcome == outcome:
            return ()
        raise AlreadyClosed("the issue was closed with another outcome")
    check_allowed(issue, "closed")
    if outcome == "merged":
        raise MergeTargetMissing("merging names the other issue")
    if outcome in NEEDS_REASON and reason_code is None:
        raise ReasonMissing("this outcome needs a reason")
    if reply is None and issue.replied_at is None:
        raise ReplyMissing("an issue is not closed without a reply to the citizen")
    check_order(issue, closed_at)
    details = Details(outcome=outcome, means=means if reply is not None else None)
    return (
        Step(kind="closed", happened_at=closed_at, reason_code=reason_code, details=details, actor=actor, reply=reply),
    )


def merge(  # noqa: PLR0913 - as above
    issue: Issue,
    into: Issue,
    *,
    has_merged: bool,
    reply: str,
    means: ReplyMeans | None = None,
    at: datetime,
    actor: Actor,
) -> tuple[Step, ...]:
    """Close an issue as the same as another, which goes on for both. Its citizen is told so: hence the reply.

    `has_merged`: others were merged into this one already.
    """
    if issue.merged_into == into.id:
        return ()
    check_allowed(issue, "merged")
    if into.id == issue.id or into.closed_at is not None or into.merged_into is not None or has_merged:
        raise MergeRefused("issues are merged into one that is open, another, and not merged itself")
    check_order(issue, at)
    return (
        Step(kind="merged", happened_at=at, details=Details(merged_into=into.id), actor=actor),
        Step(kind="closed", happened_at=at, details=Details(outcome="merged", means=means), actor=actor, reply=reply),
    )


def order_redo(issue: Issue, *, reason_code: str, at: datetime, note: str | None, actor: Actor) -> tuple[Step, ...]:
    """Take the closure back: the work is to be done again, and that is counted."""
    check_allowed(issue, "redo_ordered")
    if issue.outcome not in CAN_BE_REDONE:
        raise CannotBeRedone("nothing was done that could be done again")
    check_order(issue, at, issue.closed_at)
    details = Details(count=issue.redo_count + 1)
    return (
        Step(kind="redo_ordered", happened_at=at, reason_code=reason_code, details=details, actor=actor, note=note),
    )


def reopen(  # noqa: PLR0913 - as above
    issue: Issue,
    *,
    reason_code: str,
    asked_by: Literal["citizen", "clerk"],
    at: datetime,
    rules: LifeRules,
    note: str | None,
    actor: Actor,
) -> tuple[Step, ...]:
    """Open a closed issue again, within the window. Whether that gives it other deadlines, its rules say."""
    check_allowed(issue, "reopened")
    check_order(issue, at, issue.closed_at)
    check_window(at, issue.closed_at, rules.reopen_within)
    if (reason_code == "wrongly_merged") != (issue.outcome == "merged"):
        raise UnknownReason("wrongly merged is the reason to open what was merged, and nothing else is")
    details = Details(asked_by=asked_by)
    return (Step(kind="reopened", happened_at=at, reason_code=reason_code, details=details, actor=actor, note=note),)
