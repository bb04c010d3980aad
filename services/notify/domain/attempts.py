"""What becomes of one attempt at a delivery, and when the next one is: the schedule, the answers, an endpoint's health.

Pure: the schedule is that of Standard Webhooks 1.0, ten attempts within 75 hours and 35 minutes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final, Literal

Outcome = Literal["delivered", "failed", "throttled", "gone", "unused"]
# Why no answer came that could be judged by its status. A closed set: it labels metrics and stands in the log.
Fault = Literal["timeout", "connection", "tls", "address", "too-large", "protocol"]

# Before each attempt, from the one before it.
PAUSES: Final[Sequence[timedelta]] = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
JITTER: Final = 0.1  # of a pause, and always later: what failed together does not come back together
LONGEST_HOLD: Final = timedelta(hours=24)
SHORTEST_HOLD: Final = timedelta(seconds=5)
BREAKS_AFTER: Final = 5  # failures in a row
FIRST_PROBE: Final = timedelta(seconds=5)
LONGEST_PROBE: Final = timedelta(minutes=5)
GONE: Final = 410
TOO_MANY: Final = 429
BUSY: Final = frozenset({502, 503, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back: a status with what it says of later, or the fault for which there is none."""

    status: int | None = None
    retry_after: str | None = None
    fault: Fault | None = None

    @property
    def reason(self) -> str | None:
        """For the log; None where it was taken."""
        if self.fault is not None:
            return self.fault
        return None if is_taken(self) else f"status {self.status}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`tries` counts the steps of the schedule that are used up. `hold_until` is for the whole endpoint."""

    outcome: Outcome
    tries: int
    next_attempt_at: datetime | None = None
    hold_until: datetime | None = None

    @property
    def is_exhausted(self) -> bool:
        return self.outcome == "failed" and self.next_attempt_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How an endpoint has been doing. While it fails, one delivery at a time finds out whether it is back."""

    failures: int = 0  # in a row
    failing_since: datetime | None = None
    probe_at: datetime | None = None  # no attempt before then
    hold_until: datetime | None = None  # it asked to be left alone until then

    @property
    def is_broken(self) -> bool:
        return self.failures >= BREAKS_AFTER

    def room(self, *, now: datetime, in_flight: int, most: int) -> int:
        """How many more deliveries may be under way to it."""
        if self.hold_until is not None and now < self.hold_until:
            return 0
        if not self.is_broken:
            return max(0, most - in_flight)
        is_due = self.probe_at is None or now >= self.probe_at
        return 1 if is_due and in_flight == 0 else 0

    def after(self, verdict: Verdict, *, now: datetime, draw: float) -> "Health":
        """An answer that asks us to slow down says that somebody is there."""
        if verdict.outcome == "delivered":
            return Health(hold_until=self.hold_until)
        hold_until = max(filter(None, (self.hold_until, verdict.hold_until)), default=None)
        if verdict.outcome != "failed":
            return replace(self, hold_until=hold_until)
        failures = min(self.failures + 1, 1_000_000)
        pause = min(FIRST_PROBE * 2.0 ** min(max(failures - BREAKS_AFTER, 0), 20), LONGEST_PROBE)
        return Health(
            failures=failures,
            failing_since=self.failing_since or now,
            probe_at=now + pause * (0.5 + draw / 2) if failures >= BREAKS_AFTER else None,
            hold_until=hold_until,
        )


def is_taken(answer: Answer) -> bool:
    return answer.fault is None and answer.status is not None and 200 <= answer.status < 300


def judge(answer: Answer, *, tries: int, now: datetime, draw: float) -> Verdict:
    """`tries` is how many attempts of the schedule had failed before this one."""
    if is_taken(answer):
        return Verdict(outcome="delivered", tries=tries)
    if answer.status == GONE:
        return Verdict(outcome="gone", tries=tries)
    asked = read_retry_after(answer.retry_after, now=now) if answer.status in {TOO_MANY, *BUSY} else None
    hold_until = now + asked if asked is not None else None
    if answer.status == TOO_MANY:
        pause = asked if asked is not None else max(SHORTEST_HOLD, _pause_after(tries + 1) or LONGEST_HOLD)
        later = now + pause * (1 + JITTER * draw)
        return Verdict(outcome="throttled", tries=tries, next_attempt_at=later, hold_until=now + pause)
    pause_ = _pause_after(tries + 1)
    if pause_ is None:
        return Verdict(outcome="failed", tries=tries + 1, hold_until=hold_until)
    later = now + pause_ * (1 + JITTER * draw)
    return Verdict(
        outcome="failed",
        tries=tries + 1,
        next_attempt_at=max(later, hold_until) if hold_until is not None else later,
        hold_until=hold_until,
    )


def read_retry_after(text: str | None, *, now: datetime) -> timedelta | None:
    """The pause that a receiver asks for, within bounds; None where it asks for none that can be read."""
    if text is None or len(text) > 64:
        return None
    asked = text.strip()
    if asked.isascii() and asked.isdigit():
        pause = timedelta(seconds=min(int(asked), int(LONGEST_HOLD.total_seconds())))
    else:
        try:
            named = parsedate_to_datetime(asked)
        except (TypeError, ValueError, OverflowError):
            return None
        pause = (named if named.tzinfo else named.replace(tzinfo=UTC)) - now
    return min(max(pause, SHORTEST_HOLD), LONGEST_HOLD)


def _pause_after(tries: int) -> timedelta | None:
    return PAUSES[tries] if tries < len(PAUSES) else None
