"""Drawing which closed issues are called back: the same list, seed and share give the same sample, whoever draws it.

docs/callback-sample.md states the algorithm for those who draw again.
"""

import hashlib
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.intake.domain.rating_rules import ZONE
from shared.errors import Rejected

ALGORITHM = "sha256-lowest-1"
_PERIOD = re.compile(r"(20\d\d)(?:-(0[1-9]|1[0-2])|Q([1-4])|H([12]))?", re.ASCII)


class BadPeriod(Rejected):
    code = "bad-period"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    unit_id: UUID
    issue_id: UUID


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


def draw(members: Iterable[Member], seed: str, share: float) -> set[UUID]:
    """Of each unit's issues the share, rounded up, whose digest with the seed is lowest."""
    by_unit: dict[UUID, list[UUID]] = {}
    for member in members:
        by_unit.setdefault(member.unit_id, []).append(member.issue_id)
    drawn: set[UUID] = set()
    for issue_ids in by_unit.values():
        wanted = math.ceil(round(len(issue_ids) * share, 9))
        drawn.update(sorted(issue_ids, key=lambda issue_id: (_rank(seed, issue_id), issue_id))[:wanted])
    return drawn


def digest_list(members: Sequence[Member]) -> bytes:
    """What proves which list was drawn from: one line a member, unit and issue, in the order of these texts."""
    lines = sorted(f"{member.unit_id} {member.issue_id}\n" for member in members)
    return hashlib.sha256("".join(lines).encode()).digest()


def _rank(seed: str, issue_id: UUID) -> bytes:
    return hashlib.sha256(f"{seed}\n{issue_id}".encode()).digest()
