"""A few citizens who bring what is solved and praised, again and again: to one cadre, or to the same two."""

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from itertools import groupby
from typing import Final

from services.assessment.fair.marks import Counted
from services.assessment.fair.records import Dossier, Issue
from services.assessment.fair.settings import FairSettings
from services.assessment.fair.signals.odds import Everybody, Signal, first_few

SHARED: Final = 2
TIMES: Final = 3
LEAST_RATINGS: Final = 6
BEST: Final = 5
PARTS: Final = 64  # so many parts of the citizens are sorted, one after another
# Of a citizen's records with a cadre: issues, those solved, ratings of them, the best of these, in one number; above
# them there is room to count citizens.
BITS: Final = 16
FULL: Final = (1 << BITS) - 1
ISSUE, SOLVED, RATING, PRAISE, CITIZEN = (1 << BITS * place for place in range(5))
MOST: Final = 10_000  # records of a cadre, so that no sum of two overflows


class Circles:
    """Of each cadre's citizens only numbers are kept, under a hash; who looks odd by these is looked up."""

    def __init__(self, settings: FairSettings) -> None:
        self._settings = settings
        self._alone: dict[str, set[str]] = {}
        self._cadres: list[str] = []
        self._citizens: list[array[int]] = []  # by cadre, hashes
        self._numbers: list[array[int]] = []  # in the same order
        self._is_beyond = bytearray()  # by cadre: whether the numbers do not tell all

    def note(self, one: Counted) -> None:
        dossier = one.dossier
        times = Counter(issue.complainant for issue in dossier.issues if issue.complainant)
        if not times:
            return
        regulars = {citizen for citizen, count in times.items() if count >= TIMES}
        if len(regulars) >= SHARED and _is_circle((dossier,), regulars, self._settings):
            self._alone[one.cadre] = regulars
        numbers = dict.fromkeys(times, 0)
        holders = {}
        for issue in dossier.issues:
            holders[issue.issue] = issue.complainant
            if issue.complainant:
                numbers[issue.complainant] += ISSUE + SOLVED * _is_solved(issue)
        is_beyond = len(dossier.issues) + len(dossier.ratings) > MOST
        for rating in dossier.ratings:
            if rating.subject_kind == "issue":
                citizen = holders.get(rating.subject)
                is_beyond = is_beyond or citizen is None
                if citizen:
                    numbers[citizen] += RATING + PRAISE * (rating.level == BEST)
        self._cadres.append(one.cadre)
        self._citizens.append(array("Q", map(_hash, numbers)))
        self._numbers.append(array("Q", [0] * len(numbers) if is_beyond else numbers.values()))
        self._is_beyond.append(is_beyond)

    def find(self, everybody: Everybody) -> Iterator[Signal]:
        found = {cadre: set(citizens) for cadre, citizens in self._alone.items()}
        for first, seconds in self._list_odd():
            own = everybody.counted[first].dossier
            for second in seconds:
                other = everybody.counted[second].dossier
                citizens = _complainants(own) & _complainants(other)
                if len(citizens) >= SHARED and _is_circle((own, other), citizens, self._settings):
                    found.setdefault(first, set()).update(citizens)
                    found.setdefault(second, set()).update(citizens)
        for cadre, citizens in found.items():
            issues = [one.issue for one in everybody.counted[cadre].dossier.issues if one.complainant in citizens]
            yield Signal(
                cadre=cadre,
                check="shared_circle",
                evidence={"citizens": len(citizens), "issues": len(issues)},
                odds=0,
                records=frozenset(issues),
                examples=first_few(issues),
            )

    def _list_odd(self) -> Iterator[tuple[str, list[str]]]:
        """Cadres, each with later ones with whom there may be a circle by the numbers."""
        shared = self._join()
        for first, cadre in enumerate(self._cadres):
            together: dict[int, int] = {}
            for place, holders in shared.of(first):
                own = self._numbers[first][place]
                for second, there in holders:
                    if second > first:
                        sums = own + self._numbers[second][there] + CITIZEN
                        together[second] = together.get(second, 0) + sums
            odd = [self._cadres[second] for second, sums in together.items() if self._is_odd(first, second, sums)]
            if odd:
                yield cadre, odd

    def _is_odd(self, first: int, second: int, sums: int) -> bool:
        if sums < SHARED * CITIZEN:
            return False
        if self._is_beyond[first] or self._is_beyond[second]:
            return True
        issues, solved, ratings, praise = (sums >> BITS * place & FULL for place in range(4))
        return _is_alike(issues, solved, (ratings, praise), self._settings)

    def _join(self) -> "_Shared":
        """Citizens who complained to several."""
        parts = [(array("Q"), array("I"), array("I")) for _ in range(PARTS)]
        for cadre, citizens in enumerate(self._citizens):
            for place, citizen in enumerate(citizens):
                hashes, cadres, places = parts[citizen % PARTS]
                hashes.append(citizen)
                cadres.append(cadre)
                places.append(place)
        shared = _Shared(len(self._cadres))
        for part in parts:
            for _, same in groupby(sorted(zip(*part, strict=True)), key=lambda entry: entry[0]):
                shared.add([(cadre, place) for _, cadre, place in same])
        return shared


class _Shared:
    """Who shares a citizen with whom: cadres by number, and the citizen's place in each one's list."""

    def __init__(self, cadres: int) -> None:
        self._own: list[array[int] | None] = [None] * cadres
        self._starts = array("Q", [0])
        self._cadres = array("I")
        self._places = array("I")

    def add(self, holders: Sequence[tuple[int, int]]) -> None:
        if len(holders) < SHARED:
            return
        number = len(self._starts) - 1
        for cadre, place in holders:
            self._cadres.append(cadre)
            self._places.append(place)
            own = self._own[cadre]
            if own is None:
                own = self._own[cadre] = array("Q")
            own.extend((place, number))
        self._starts.append(len(self._cadres))

    def of(self, cadre: int) -> Iterator[tuple[int, Iterator[tuple[int, int]]]]:
        own = self._own[cadre] or array("Q")
        for place, number in zip(own[::2], own[1::2], strict=True):
            start, end = self._starts[number], self._starts[number + 1]
            yield place, zip(self._cadres[start:end], self._places[start:end], strict=True)


def _hash(citizen: str) -> int:
    return int.from_bytes(blake2b(citizen.encode(), digest_size=8).digest())


def _complainants(dossier: Dossier) -> set[str]:
    return {issue.complainant for issue in dossier.issues if issue.complainant}


def _is_circle(holders: Sequence[Dossier], citizens: set[str], settings: FairSettings) -> bool:
    issues = [issue for one in holders for issue in one.issues if issue.complainant in citizens]
    ids = {issue.issue for issue in issues}
    ratings = [
        rating for one in holders for rating in one.ratings if rating.subject_kind == "issue" and rating.subject in ids
    ]
    praise = sum(rating.level == BEST for rating in ratings)
    return _is_alike(len(issues), sum(map(_is_solved, issues)), (len(ratings), praise), settings)


def _is_solved(issue: Issue) -> bool:
    return issue.outcome == "solved" and not issue.is_contradicted


def _is_alike(issues: int, solved: int, ratings: tuple[int, int], settings: FairSettings) -> bool:
    """So many of these are rated, with praise, and solved. `ratings`: all, and the best."""
    rules = settings.signals
    count, praise = ratings
    if count < LEAST_RATINGS or 100 * count < rules.circle_rated * issues:
        return False
    return 100 * praise >= rules.circle_alike * count and 100 * solved >= rules.circle_alike * issues
