"""Which instants are impossible, absurd or merely odd; and the digests that tell a repeat from a change."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from services.intake.domain.commands.base import Outcome

EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)  # the same bounds as the domain `instant` in the migrations
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
CLOCK_TOLERANCE = timedelta(minutes=5)  # how far a client's clock may run ahead of ours


@dataclass(slots=True, kw_only=True)
class TimeCheck:
    """Collects what is wrong with one command's instants: the first refusal, or the flags of what is merely odd."""

    now: datetime
    allow_odd: bool
    refusal: Outcome | None = None
    flags: list[str] = field(default_factory=list)

    def bounded(self, *instants: datetime | None) -> bool:
        """Return whether all lie in the years that can be stored; otherwise refuse, however lenient the caller is."""
        for instant in instants:
            if instant is not None and not EARLIEST <= instant <= LATEST:
                self.refusal = Outcome(status="rejected", code="time-out-of-range", detail="a time lies out of range")
                return False
        return True

    def odd(self, flag: str, *, when: bool) -> None:
        if not when:
            return
        if self.allow_odd:
            self.flags.append(flag)
        elif self.refusal is None:
            detail = f"the times contradict one another or the clock: {flag.replace('_', ' ')}"
            self.refusal = Outcome(status="rejected", code=flag.replace("_", "-"), detail=detail)

    def not_in_future(self, flag: str, instant: datetime | None) -> None:
        self.odd(flag, when=instant is not None and instant > self.now + CLOCK_TOLERANCE)

    def in_order(self, flag: str, earlier: datetime | None, later: datetime | None) -> None:
        self.odd(flag, when=earlier is not None and later is not None and later < earlier)


def digest(values: Iterable[object]) -> bytes:
    """Digest a record's content. The same instant written with another offset is the same content.

    Never stored as it is: short texts could be guessed from it. What is stored has gone through a key.
    """
    return digest_plain(
        [value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value for value in values]
    )


def digest_plain(values: list[object]) -> bytes:
    """The same where every instant is a text in UTC already."""
    return hashlib.blake2b(repr(values).encode(), digest_size=16).digest()
