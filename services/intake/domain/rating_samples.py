"""Drawing which closed issues are called back: the same list, seed and share give the same sample, whoever draws it.

docs/callback-sample.md states the algorithm for those who draw again.
"""

import hashlib
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from uuid import UUID

from services.intake.domain.rating_rules import ZONE
from shared.errors import Rejected

ALGORITHM = "sha256-lowest-2"
_PERIOD = re.compile(r"(20\d\d)(?:-(0[1-9]|1[0-2])|Q([1-4])|H([12]))?", re.ASCII)


class BadPeriod(Rejected):
    code = "bad-period"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """`is_self_attested`: nobody but those who handled it says that there was such an issue."""

    unit_id: UUID
    issue_id: UUID
    is_self_attested: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitCounts:
    """How many were drawn of how many, at random of all and besides of what is self-attested."""

    members: int
    drawn: int
    self_attested: int
    targeted: int

    def chance(self, *, is_self_attested: bool) -> Fraction:
        """How likely such an issue was to be drawn in the one way or the other: neither knows of the other."""
        missed = 1 - Fraction(self.drawn, self.members)
        if is_self_attested:
            missed *= 1 - Fraction(self.targeted, self.self_attested)
        return 1 - missed


def read_period(text: str) -> tuple[datetime, datetime]:
    """The instants at which a month, quarter, half-year or year of China begins and has ended. Raises BadPeriod."""
    found = _PERIOD.fullmatch(text)
    if found is None:
        raise BadPeriod("a period is written 2026-03, 2026Q1, 2026H1 or 2026")
    year, month, quarter, half = (int(part) if part else None for part in found.groups())
    if year is None:
        raise BadPeriod("a period has a year")
    first, months = 1, 12
    if month is not None:
        first, months = month, 1
    elif quarter is not None:
        first, months = quarter * 3 - 2, 3
    elif half is not None:
        first, months = half * 6 - 5, 6
    last = first + months - 1
    begins_at = datetime(year, first, 1, tzinfo=ZONE)
    ends_at = datetime(year + (last == 12), last % 12 + 1, 1, tzinfo=ZONE)
    return begins_at, ends_at


def draw(members: Iterable[Member], key: str, share: float) -> set[UUID]:
    """Of each unit's issues the share, rounded up, whose digest with the key is lowest."""
    by_unit: dict[UUID, list[UUID]] = {}
    for member in members:
        by_unit.setdefault(member.unit_id, []).append(member.issue_id)
    drawn: set[UUID] = set()
    for issue_ids in by_unit.values():
        wanted = math.ceil(round(len(issue_ids) * share, 9))
        drawn.update(sorted(issue_ids, key=lambda issue_id: (_rank(key, issue_id), issue_id))[:wanted])
    return drawn


def draw_targeted(members: Iterable[Member], key: str, share: float | None) -> set[UUID]:
    """The same of what is self-attested, by digests of its own; nothing without a share."""
    if share is None:
        return set()
    return draw((member for member in members if member.is_self_attested), f"{key}\nself-attested", share)


def digest_list(members: Sequence[Member]) -> bytes:
    """What proves which list was drawn from: one line a member, in the order of these texts."""
    lines = sorted(f"{member.unit_id} {member.issue_id} {member.is_self_attested:d}\n" for member in members)
    return hashlib.sha256("".join(lines).encode()).digest()


def digest_secret(secret: str) -> str:
    """What is told of a secret before it is: that it was there, and which."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _rank(key: str, issue_id: UUID) -> bytes:
    return hashlib.sha256(f"{key}\n{issue_id}".encode()).digest()
