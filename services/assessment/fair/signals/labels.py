"""Labels that the others of the office seldom give, of somebody whose matters go better than such labels let expect."""

from array import array
from collections import Counter
from collections.abc import Iterator
from typing import Final

from services.assessment.fair.marks import CellNumbers, Counted, label_of
from services.assessment.fair.records import MICRO, Issue
from services.assessment.fair.reference import Table
from services.assessment.fair.settings import FairSettings
from services.assessment.fair.signals.odds import (
    SMOOTH,
    Count,
    Everybody,
    Signal,
    deviate,
    first_few,
    hundredths,
    per_cent,
    spread_of,
)

KINDS: Final = ("category", "complexity")
LEAST_LABELLED = 6


class LabelsApart:
    """Whoever calls matters harder than they are is measured by what is usual for hard ones. How many of a kind come to
    a cadre differs; that they come to one of an office alone, and are not hard, is odd.
    """

    def __init__(self, settings: FairSettings) -> None:
        self._rules = settings.signals
        odds = (settings.signals.labels_odds, settings.signals.complexity_odds)
        self._kinds = [_Kind(name, least) for name, least in zip(KINDS, odds, strict=True) if least]

    def note(self, one: Counted) -> None:
        for kind in self._kinds:
            kind.note(one)

    def find(self, everybody: Everybody) -> Iterator[Signal]:
        table = everybody.tables.get("resolution")
        if table is None:
            return
        found: dict[str, tuple[int, str, Signal]] = {}
        for kind in self._kinds:
            for cadre, label, usual, odds in kind.list_odd(self._rules.labels_share):
                one = everybody.counted[cadre]
                if not kind.pays(one, label, table, self._rules.labels_harder):
                    continue
                if cadre not in found or found[cadre][:2] < (odds, label):  # of equal odds in whatever order they came
                    found[cadre] = odds, label, kind.describe(one, label, usual, odds)
        yield from (signal for _, _, signal in found.values())


class _Kind:
    """One of the two things that an issue is labelled with."""

    def __init__(self, name: str, least: int) -> None:
        self._least_odds = least
        self._axis = KINDS.index(name)  # of the cells of issues
        self._name = name
        self._labels = CellNumbers()
        self._units: dict[str, str] = {}
        self._counts: dict[str, tuple[array[int], array[int]]] = {}  # by cadre: numbers of labels, and how many

    def note(self, one: Counted) -> None:
        counts = Counter(self._labels.of((getattr(issue, self._name),)) for issue in one.dossier.issues)
        self._counts[one.cadre] = array("I", counts), array("I", counts.values())
        self._units[one.cadre] = one.dossier.cadre.unit

    def list_odd(self, share: int) -> Iterator[tuple[str, str, float, int]]:
        """Cadre, label, the share of it that is usual in the office, and the odds in hundredths.

        Counted twice, since there are many times as many counts as cadres: too many to keep.
        """
        spread = spread_of(deviate(count) for _, _, count in self._iterate_counts())
        for cadre, label, count in self._iterate_counts():
            size, odds = sum(self._counts[cadre][1]), deviate(count) / spread
            usual = count.expected / size
            enough = count.found >= LEAST_LABELLED and 100 * (count.found / size - usual) >= share
            if enough and odds * 100 >= self._least_odds:
                yield cadre, self._labels.cells[label][0], usual, hundredths(odds)

    def _iterate_counts(self) -> Iterator[tuple[str, int, Count]]:
        """By cadre and label, beside the others of the office; their share is drawn to everybody's."""
        everywhere, offices = self._sum_up()
        total = sum(everywhere.values())
        for cadre, (labels, numbers) in self._counts.items():
            office = offices[self._units[cadre]]
            size = sum(numbers)
            others = sum(office.values()) - size
            for label, number in zip(labels, numbers, strict=True):
                rate = (office[label] - number + SMOOTH * everywhere[label] / total) / (others + SMOOTH)
                variance = size * rate * (1 - rate) * (1 + size / (others + SMOOTH))
                yield cadre, label, Count(found=number, expected=size * rate, variance=variance)

    def _sum_up(self) -> tuple[Counter[int], dict[str, Counter[int]]]:
        everywhere: Counter[int] = Counter()
        offices: dict[str, Counter[int]] = {}
        for cadre, (labels, counts) in self._counts.items():
            office = offices.setdefault(self._units[cadre], Counter())
            for label, count in zip(labels, counts, strict=True):
                everywhere[label] += count
                office[label] += count
        return everywhere, offices

    def pays(self, one: Counted, label: str, table: Table, harder: int) -> bool:
        """Whether matters with this label are less often solved, by so many per cent of all, and these are not."""
        marks = [mark for mark in one.marks if mark.indicator == "resolution" and mark.cell[self._axis] == label]
        weight = sum(mark.weight for mark in marks)
        usual = sum(mark.weight * table.expect(mark.cell) for mark in marks)
        own = sum(mark.weight * mark.value for mark in marks)
        return own >= usual and 100 * usual <= (100 * table.mean - harder * MICRO) * weight

    def describe(self, one: Counted, label: str, usual: float, odds: int) -> Signal:
        """Only the labels wait, of as many as are more than usual in the office: the latest."""
        issues = one.dossier.issues
        labelled = [issue for issue in issues if getattr(issue, self._name) == label]
        excess = round(len(labelled) - usual * len(issues))
        doubted = sorted(labelled, key=_latest_first)[:excess]
        return Signal(
            cadre=one.cadre,
            check="labels_apart",
            evidence={
                "issues": len(issues),
                "labelled": len(labelled),
                "share": per_cent(len(labelled), len(issues)),
                "usual": round(usual * 100),
            },
            odds=odds,
            records=frozenset(label_of(issue.issue) for issue in doubted),
            examples=first_few(issue.issue for issue in doubted),
        )


def _latest_first(issue: Issue) -> tuple[int, str]:
    return -issue.received_at, issue.issue
