"""Issues that look split or moved for the count."""

import math
from collections.abc import Iterator, Sequence

from services.assessment.fair.counting import find_duplicates
from services.assessment.fair.marks import Counted
from services.assessment.fair.records import DAY, Dossier, Handover
from services.assessment.fair.settings import FairSettings
from services.assessment.fair.signals.odds import (
    Everybody,
    Signal,
    count_shares,
    deviations,
    first_few,
    hundredths,
)

LEAST_SPLIT = 3
SPLIT_DAYS = 2
LEAST_HANDED = 3
LATE_PART = 4  # of the time


def find_splits(one: Dossier, settings: FairSettings) -> Iterator[Signal]:
    repeats = find_duplicates(one.issues, settings.values.duplicate_hours)
    split = [issue for issue in one.issues if issue.issue in repeats]
    quick = [
        issue
        for issue in split
        if issue.outcome == "solved" and (issue.closed_at or 0) - issue.received_at <= SPLIT_DAYS * DAY
    ]
    enough = len(split) >= LEAST_SPLIT and 100 * len(split) >= settings.signals.split_share * len(one.issues)
    if enough and 100 * len(quick) >= settings.signals.split_quick * len(split):
        yield Signal(
            cadre=one.cadre.cadre,
            check="split_issues",
            evidence={"issues": len(one.issues), "repeats": len(split), "quick": len(quick)},
            odds=0,
            examples=first_few(issue.issue for issue in split),
        )


class HandingOn:
    """More than others hand on, and those that would have been the hardest to solve; or long after they came."""

    def __init__(self, settings: FairSettings) -> None:
        self._rules = settings.signals
        self._shares: dict[str, tuple[int, int]] = {}
        self._late: dict[str, tuple[int, int]] = {}
        self._regions: dict[str, str] = {}

    def note(self, one: Counted) -> None:
        dossier = one.dossier
        if dossier.issues or dossier.handovers:
            size = len(dossier.handovers) + len(dossier.issues)
            self._shares[one.cadre] = (len(dossier.handovers), size)
            if self._rules.late_share:
                self._late[one.cadre] = (sum(map(_is_late, dossier.handovers)), size)
            self._regions[one.cadre] = dossier.cadre.region

    def find(self, everybody: Everybody) -> Iterator[Signal]:
        table = everybody.tables.get("resolution")
        if table is None:
            return
        odds = deviations(count_shares(self._shares, self._regions.__getitem__))
        late_odds = deviations(count_shares(self._late, self._regions.__getitem__))
        rules = self._rules
        for cadre, (found, size) in self._shares.items():
            many = self._is_much(found, size, odds[cadre], rules.handing_share)
            late = cadre in late_odds and self._is_much(*self._late[cadre], late_odds[cadre], rules.late_share)
            if not many and not late:
                continue
            dossier = everybody.counted[cadre].dossier
            kept = [table.expect((one.category, one.complexity, one.channel)) for one in dossier.issues]
            gone = [table.expect((one.category, one.complexity, one.channel)) for one in dossier.handovers]
            gap = math.fsum(kept) / len(kept) - math.fsum(gone) / len(gone) if kept else 0.0
            is_harder = gap / 1e4 >= rules.handing_gap and _is_sure(gap, kept, len(gone), rules.harder_odds)
            if is_harder or (late and gap > 0):
                yield Signal(
                    cadre=cadre,
                    check="handing_on",
                    evidence={"handed_on": found, "issues": size, "harder_by": round(gap / 1e4)},
                    odds=hundredths(max(odds[cadre], late_odds.get(cadre, 0.0))),
                    examples=first_few(one.issue for one in dossier.handovers),
                )

    def _is_much(self, found: int, size: int, odds: float, share: int) -> bool:
        return found >= LEAST_HANDED and 100 * found >= share * size and odds * 100 >= self._rules.handing_odds


def _is_late(handover: Handover) -> bool:
    """What somebody else is competent for is handed on soon."""
    if handover.received_at is None or handover.close_allowed is None:
        return False
    return (handover.handed_at - handover.received_at) * LATE_PART >= handover.close_allowed


def _is_sure(gap: float, kept: Sequence[float], gone: int, odds: int) -> bool:
    """Whether so many, taken blindly from these, would seldom be as hard."""
    mean = math.fsum(kept) / len(kept)
    spread = math.sqrt(math.fsum((value - mean) ** 2 for value in kept) / len(kept))
    return 100 * gap >= odds * spread / math.sqrt(gone)
