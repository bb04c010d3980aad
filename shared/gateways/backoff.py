"""When to try again what has failed for now."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """When to try again: twice as long after every attempt, up to a longest pause, and a random part of that.

    So deliveries that failed together do not come back together.
    """

    shortest: timedelta = timedelta(seconds=20)
    longest: timedelta = timedelta(minutes=30)

    def pause(self, attempts: int, *, draw: float) -> timedelta:
        doubled = self.shortest * 2.0 ** min(attempts - 1, 20)
        return min(doubled, self.longest) * (0.5 + draw / 2)
