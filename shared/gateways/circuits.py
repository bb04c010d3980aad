"""A circuit breaker for one endpoint, and the pace at which it may be called. Pure, and of no channel in particular."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.gateways.backoff import Backoff


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitRules:
    """After so many failures in a row nobody calls for a while; then one does, and after each success twice as many."""

    failures_max: int = 5
    pause: Backoff = field(
        default_factory=lambda: Backoff(shortest=timedelta(seconds=30), longest=timedelta(minutes=10))
    )
    full: int = 64  # once so many may be under way it is as if nothing had happened


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """What is remembered of an endpoint. `room` is how many calls may be under way; None: as many as anybody likes."""

    failures: int = 0  # in a row
    openings: int = 0  # since calls last succeeded for good
    open_until: datetime | None = None
    room: int | None = None

    def room_at(self, now: datetime) -> int | None:
        """Nothing while it is open; afterwards one call that tries, and more with every success."""
        if self.open_until is not None and now < self.open_until:
            return 0
        return self.room

    def succeed(self, rules: CircuitRules, *, now: datetime) -> "Circuit":
        """What was under way when the circuit opened is heard, but opens no door before the time."""
        if self.room is None or self.room_at(now) == 0:
            return replace(self, failures=0)
        widened = self.room * 2
        return Circuit() if widened >= rules.full else replace(self, failures=0, open_until=None, room=widened)

    def fail(self, rules: CircuitRules, *, now: datetime, draw: float) -> "Circuit":
        failures = self.failures + 1
        if self.room_at(now) == 0 or (self.room is None and failures < rules.failures_max):
            return replace(self, failures=failures)
        openings = self.openings + 1
        return Circuit(
            failures=failures,
            openings=openings,
            open_until=now + rules.pause.pause(openings, draw=draw),
            room=1,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """So many calls a minute, evenly: at most `burst` at once. `paced_until` is all that has to be remembered."""

    per_minute: int
    burst: int = 1

    def allowance(self, paced_until: datetime | None, *, now: datetime) -> int:
        ahead = max(paced_until - now, timedelta()) if paced_until is not None else timedelta()
        return max(0, int((self._interval * self.burst - ahead) / self._interval))

    def pause(self, paced_until: datetime | None, *, now: datetime) -> timedelta:
        """Until a quarter of a burst may go out, so that calls do not have to be claimed one by one."""
        if paced_until is None:
            return timedelta()
        return max(timedelta(), paced_until - now - self._interval * (self.burst - max(1, self.burst // 4)))

    def take(self, count: int, paced_until: datetime | None, *, now: datetime) -> datetime:
        begin = max(paced_until, now) if paced_until is not None else now
        return begin + self._interval * count

    def give_back(self, count: int, paced_until: datetime) -> datetime:
        """Of what was taken so many calls were not made."""
        return paced_until - self._interval * count

    @property
    def _interval(self) -> timedelta:
        return timedelta(minutes=1) / self.per_minute


def room_for(circuit: Circuit, *, under_way: int, most: int, now: datetime) -> int:
    """How many further calls may begin: what the bulkhead leaves, and what the circuit does."""
    allowed = circuit.room_at(now)
    return max(0, min(most, most if allowed is None else allowed) - under_way)
