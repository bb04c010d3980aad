"""Matters without a fault, where the same cadre's others have faults as usual: those of one kind or channel, of people
who come again, or that were answered soon. Whoever is good is good at the others, too.
"""

import math
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.assessment.fair.marks import CellNumbers, Counted
from services.assessment.fair.records import Dossier, Issue
from services.assessment.fair.settings import SignalRules
from services.assessment.fair.signals.odds import SMOOTH, Everybody, Signal, first_few, hundredths
from services.assessment.fair.values import is_past

HOWEVER_LATE: Final = 0
ANSWERED: Final = (2, 4)  # in a half, or in a quarter, of the time
SOON: Final = (4, 8)
LEAST_GROUP: Final = 4
LEAST_REST: Final = 2
LEAST_SHARE: Final = 70  # per cent of the group
PRIOR: Final = 2.0  # a cadre's own level is drawn to that of the peers by so many that are expected
HIGHEST: Final = 0.95
MOST_OF_ONE: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Some of a cadre's issues with something in common, of which more are without a fault than not: numbers only."""

    name: str
    part: int
    found: int
    cells: "array[int]"
    rest: "array[int]"
    rest_found: int


_Odd = tuple[float, Group, list[float]]  # the chance of so many, and that of each


class Faultless:
    """Of everybody two whole numbers are needed for each category and complexity; of few a group with its numbers."""

    def __init__(self, rules: SignalRules) -> None:
        self._rules = rules
        self._numbers = CellNumbers()
        self._usual = {part: (Counter[int](), Counter[int]()) for part in (HOWEVER_LATE, *ANSWERED)}
        self._groups: dict[str, list[Group]] = {}

    def note(self, one: Counted) -> None:
        if not self._rules.rarest_kind:
            return
        dossier = one.dossier
        self._note_usual(dossier)
        groups = [
            group
            for name, own in list_groups(dossier)
            for part in ((HOWEVER_LATE,) if name.startswith("soon") else ANSWERED)
            if (group := self._make_group(dossier, name, own, part)) is not None
        ]
        if groups:
            self._groups[one.cadre] = groups

    def _note_usual(self, dossier: Dossier) -> None:
        """Of each cadre the first few of a kind, so that those who make them up do not say what is usual."""
        own = Counter[int]()
        for issue in sorted(dossier.issues, key=lambda issue: (issue.received_at, issue.issue)):
            cell = self._number_of(issue)
            own[cell] += 1
            if own[cell] <= MOST_OF_ONE:
                for part, (hits, sizes) in self._usual.items():
                    hits[cell] += is_faultless(issue, part)
                    sizes[cell] += 1

    def _make_group(self, dossier: Dossier, name: str, own: Sequence[Issue], part: int) -> Group | None:
        found = sum(is_faultless(issue, part) for issue in own)
        if found < LEAST_GROUP or 100 * found < LEAST_SHARE * len(own):
            return None
        ids = {issue.issue for issue in own}
        rest = [issue for issue in dossier.issues if issue.issue not in ids]
        if len(rest) < max(LEAST_REST, len(own) // 3):
            return None
        return Group(
            name=name,
            part=part,
            found=found,
            cells=array("I", map(self._number_of, own)),
            rest=array("I", map(self._number_of, rest)),
            rest_found=sum(is_faultless(issue, part) for issue in rest),
        )

    def _number_of(self, issue: Issue) -> int:
        return self._numbers.of((issue.category, issue.complexity))

    def find(self, everybody: Everybody) -> Iterator[Signal]:
        shares = {part: _shares(hits, sizes) for part, (hits, sizes) in self._usual.items()}
        for cadre, groups in self._groups.items():
            looked = [(one, *_look(one, shares[one.part])) for one in groups]
            odd = [(chance, one, chances) for one, chances, chance in looked if self._is_rare(one.name, chance)]
            if not odd:
                continue
            _, best, chances = min(odd, key=lambda each: (each[0], each[1].name, each[1].part))
            dossier = everybody.counted[cadre].dossier
            issues = dict(list_groups(dossier))
            doubted = self._list_doubted(dossier, issues, odd)
            expected = math.fsum(chances)
            spread = math.sqrt(max(0.25, math.fsum(chance * (1 - chance) for chance in chances)))
            yield Signal(
                cadre=cadre,
                check="faultless_apart",
                evidence={"issues": len(best.cells), "faultless": best.found, "usual": round(expected)},
                odds=hundredths((best.found - expected) / spread),
                records=frozenset(issue.issue for issue in doubted if not issue.is_checked),
                examples=first_few(issue.issue for issue in issues[best.name]),
            )

    def _list_doubted(
        self, dossier: Dossier, issues: Mapping[str, Sequence[Issue]], odd: Sequence[_Odd]
    ) -> Sequence[Issue]:
        """Where people come again all that is not contradicted: other friends may have come once."""
        if any(one.name == "again" for _, one, _ in odd):
            return [issue for issue in dossier.issues if not issue.is_contradicted]
        if not self._rules.apart_excess:
            return [issue for _, one, _ in odd for issue in issues[one.name] if not issue.is_contradicted]
        return [issue for _, one, chances in odd for issue in _list_excess(issues[one.name], one, chances)]

    def _is_rare(self, name: str, chance: float) -> bool:
        rules = self._rules
        rarest = {"again": rules.rarest_again, "soon": rules.rarest_soon}.get(name.partition(" ")[0], rules.rarest_kind)
        return chance * 100_000 < rarest


def _list_excess(issues: Sequence[Issue], group: Group, chances: Sequence[float]) -> list[Issue]:
    """Of those without a fault as many as are more than expected, the latest."""
    faultless = [issue for issue in issues if is_faultless(issue, group.part)]
    order = sorted(faultless, key=lambda issue: (-issue.received_at, issue.issue))
    return order[: group.found - round(math.fsum(chances))]


def list_groups(dossier: Dossier) -> Iterator[tuple[str, list[Issue]]]:
    """Those that are large enough, by name."""
    groups: dict[str, list[Issue]] = {}
    times = Counter(issue.complainant for issue in dossier.issues if issue.complainant)
    for issue in dossier.issues:
        names = [f"kind {issue.category} {issue.complexity}", f"channel {issue.channel}"]
        if times[issue.complainant] > 1:
            names.append("again")
        names += [f"soon {part}" for part in SOON if _is_answered_within(issue, part)]
        for name in names:
            groups.setdefault(name, []).append(issue)
    return ((name, own) for name, own in groups.items() if len(own) >= LEAST_GROUP)


def is_faultless(issue: Issue, part: int) -> bool:
    """Answered in such a part of the time, with a reply, solved in time and not denied; and nobody else asked."""
    if issue.outcome != "solved" or issue.is_contradicted or issue.is_checked or issue.has_reply is False:
        return False
    in_time = issue.closed_at is None or not is_past(issue.received_at, issue.close_allowed, issue.closed_at)
    return in_time and (part == HOWEVER_LATE or _is_answered_within(issue, part))


def _is_answered_within(issue: Issue, part: int) -> bool:
    answered_at = issue.closed_at if issue.answered_at is None else issue.answered_at
    if answered_at is None or issue.answer_allowed is None:
        return False
    return (answered_at - issue.received_at) * part <= issue.answer_allowed


def _shares(hits: Mapping[int, int], sizes: Mapping[int, int]) -> dict[int, float]:
    """Without a fault, by number of the kind; drawn to the mean."""
    mean = sum(hits.values()) / max(1, sum(sizes.values()))
    return {cell: (hits[cell] + SMOOTH * mean) / (size + SMOOTH) for cell, size in sizes.items()}


def _look(group: Group, shares: Mapping[int, float]) -> tuple[list[float], float]:
    """What one would expect of each by the cadre's other issues, half a deviation more since there may be few of them,
    and the chance of so many or more. Of somebody who has hardly a fault anywhere, no less than the share among these.
    """
    drawn = group.rest_found + PRIOR
    usual = math.fsum(shares[cell] for cell in group.rest) + PRIOR
    level = (drawn + math.sqrt(drawn) / 2) / usual
    least = group.rest_found / (len(group.rest) + 1)
    chances = sorted(min(HIGHEST, max(least, level * shares[cell])) for cell in group.cells)
    return chances, _chance_of(group.found, chances) if group.found > math.fsum(chances) else 1.0


def _chance_of(found: int, chances: Sequence[float]) -> float:
    """That so many happen, or more: by adding one after another, so that every machine finds the same."""
    exactly = [1.0] + [0.0] * len(chances)
    for place, chance in enumerate(chances, 1):
        for number in range(place, 0, -1):
            exactly[number] = exactly[number] * (1 - chance) + exactly[number - 1] * chance
        exactly[0] *= 1 - chance
    return math.fsum(exactly[found:])
