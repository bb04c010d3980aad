"""What an issue is worth to timeliness, reply, resolution and speed."""

from collections.abc import Iterator

from services.assessment.fair.credit import credit_time
from services.assessment.fair.marks import Mark, Note, cell_of
from services.assessment.fair.records import MICRO, Issue, amend
from services.assessment.fair.settings import FairSettings

# No indicators: how often a kind is explained, and how often left out, which says how much of it is usual.
EXPLAINING = "explaining"
LEAVING = "leaving"
Valued = tuple[str, int, Note]


def value_issue(issue: Issue, as_of: int, settings: FairSettings) -> Iterator[Valued]:
    """Indicator, value in millionths and note. Where the note says that it is not counted, the value is 0.

    An issue that is left out of assessment does not come here. Of one that the citizen knows nothing of nothing counts
    but that.
    """
    believed = believe_times(issue, settings)
    if believed is issue:
        yield from _value(issue, as_of, settings)
        return
    told = {indicator: value for indicator, value, _ in _value(issue, as_of, settings)}
    for indicator, value, note in _value(believed, as_of, settings):
        yield indicator, value, note or ("" if value == told[indicator] else "told_afterwards")


def believe_times(issue: Issue, settings: FairSettings) -> Issue:
    """What a person told afterwards counts as a share of the time sooner than it was recorded, and no more."""
    share = settings.values.told_sooner
    if not share or (issue.answer_recorded_at is None and issue.closing_recorded_at is None):
        return issue
    answered_at = _believe(issue, issue.answered_at, issue.answer_recorded_at, share)
    closed_at = _believe(issue, issue.closed_at, issue.closing_recorded_at, share)
    if (answered_at, closed_at) == (issue.answered_at, issue.closed_at):
        return issue
    return amend(issue, answered_at=answered_at, closed_at=closed_at)


def _believe(issue: Issue, told_at: int | None, recorded_at: int | None, share: int) -> int | None:
    if told_at is None or recorded_at is None:
        return told_at
    return max(told_at, recorded_at - max(0, recorded_at - issue.received_at) * share // MICRO)


def _value(issue: Issue, as_of: int, settings: FairSettings) -> Iterator[Valued]:
    if issue.is_disowned and settings.values.disowned:
        yield "timeliness", 0, "disowned"
        yield "reply", 0, "disowned"
        yield "resolution", settings.values.disowned, ""
        return
    yield ("timeliness", *_value_answer(issue, as_of, settings))
    yield ("reply", *_value_reply(issue, as_of))
    yield ("resolution", *_value_resolution(issue, as_of, settings))
    if issue.outcome:
        yield (EXPLAINING, MICRO if issue.outcome == "explained" else 0, "")
        if settings.values.left_out_margin:
            yield (LEAVING, 0, "")
    if issue.outcome == "solved" and not issue.is_contradicted and issue.close_allowed and issue.closed_at is not None:
        yield ("speed", credit_time(issue.closed_at - issue.received_at, issue.close_allowed), "")


UNCOUNTED = frozenset({"not_due", "no_allowance", "explained", "unknown", "disowned"})


def mark_issue(issue: Issue, weight: int, as_of: int, settings: FairSettings) -> Iterator[Mark]:
    cell = cell_of(issue.category, issue.complexity, issue.channel)
    for indicator, value, note in value_issue(issue, as_of, settings):
        yield Mark(issue.issue, indicator, cell, value, 0 if note in UNCOUNTED else weight, note)


def mark_left_out(issue: Issue, weight: int) -> Mark:
    cell = cell_of(issue.category, issue.complexity, issue.channel)
    return Mark(issue.issue, LEAVING, cell, MICRO, weight, "unassessed")


def _value_answer(issue: Issue, as_of: int, settings: FairSettings) -> tuple[int, Note]:
    """What nobody has answered is settled by closing it."""
    if issue.answer_allowed is None:
        return 0, "no_allowance"
    answered_at = issue.closed_at if issue.answered_at is None else issue.answered_at
    if answered_at is None:
        return 0, "" if is_past(issue.received_at, issue.answer_allowed, as_of) else "not_due"
    taken = answered_at - issue.received_at
    if taken < settings.values.instant_seconds and issue.has_reply is False:
        return 0, "empty_instant"
    return credit_time(taken, issue.answer_allowed), ""


def _value_reply(issue: Issue, as_of: int) -> tuple[int, Note]:
    if issue.has_reply is None:
        return 0, "unknown"
    if issue.has_reply:
        return MICRO, ""
    if issue.closed_at is None and not is_past(issue.received_at, issue.close_allowed, as_of):
        return 0, "not_due"
    return 0, ""


def _value_resolution(issue: Issue, as_of: int, settings: FairSettings) -> tuple[int, Note]:
    if issue.outcome == "explained":
        return 0, "explained"
    if issue.outcome == "":
        return 0, "" if is_past(issue.received_at, issue.close_allowed, as_of) else "not_due"
    if issue.outcome == "unsolved":
        return 0, ""
    if issue.is_contradicted:
        return settings.values.contradicted, ""
    late = issue.closed_at is not None and is_past(issue.received_at, issue.close_allowed, issue.closed_at)
    return settings.values.solved_late if late else MICRO, ""


def is_past(received_at: int, allowed: int | None, instant: int) -> bool:
    return allowed is not None and instant - received_at > allowed
