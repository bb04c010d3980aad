"""Who answers for how much of an issue that changed hands: by the time of holding, in millionths that sum to one."""

from dataclasses import dataclass

from services.assessment.fair.records import MICRO, Issue

LAST_PART = 4  # what changes hands in the last quarter of an issue's time changes nobody's share


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    cadre: str
    from_at: int


def share_by_time(issue: Issue, holds: list[Hold]) -> dict[str, int]:
    """`holds` in the order of time, the first from the receipt; they last until the closing, or until it falls due."""
    due_at = issue.closed_at if issue.close_allowed is None else issue.received_at + issue.close_allowed
    ends_at = due_at if issue.closed_at is None else issue.closed_at
    if due_at is None or ends_at is None or min(due_at, ends_at) <= issue.received_at:
        return {holds[-1].cadre: MICRO}
    still = due_at - (due_at - issue.received_at) // LAST_PART
    counted = [hold for hold in holds if hold.from_at <= still]
    starts = [min(hold.from_at, ends_at) for hold in counted] + [ends_at]
    times: dict[str, int] = {}
    for place, hold in enumerate(counted):
        times[hold.cadre] = times.get(hold.cadre, 0) + starts[place + 1] - starts[place]
    return _in_millionths(times)


def _in_millionths(times: dict[str, int]) -> dict[str, int]:
    """Floors, and what is left to the largest remainders."""
    total = sum(times.values())
    shares = {cadre: time * MICRO // total for cadre, time in times.items()}
    by_remainder = sorted(times, key=lambda cadre: (-(times[cadre] * MICRO % total), cadre))
    for cadre in by_remainder[: MICRO - sum(shares.values())]:
        shares[cadre] += 1
    return shares
