"""Whether indicators still measure: how each moved, what it can tell apart, and whether citizens agree.

An indicator that people are judged by bends toward the target: it fills up, its spread shrinks, and it parts from what
it stood for. These are signs for a person who keeps the scheme; none of them says anything of a single cadre.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

from services.assessment.scoring import groups
from services.assessment.scoring.numbers import root, round_to
from services.assessment.scoring.workspace import Number, Value

Sign = Literal["saturated", "spread_shrinks", "parts_from_citizens", "parts_from_calls"]

CEILING: Final = Fraction(99)  # per cent; from here on it is as good as full
FLOOR: Final = Fraction(1)
MOST_AT_CEILING: Final = Fraction(8, 10)
SHRUNK: Final = Fraction(1, 2)
FEWEST: Final = 10  # subjects, below which a period says nothing of an indicator
DRIFT: Final = Fraction(2)  # points
WITNESS: Final = "satisfaction_rate"  # what citizens say for themselves
PLACES: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One indicator in one period. `agreement` is its correlation with what citizens say.

    What is below is known of the fair scheme alone. `true_spread` is what chance, load and place do not explain of the
    spread, among all cadres of the scheme; of what cadres record themselves `agreement_with_calls` is the correlation
    with what was not denied when others asked; shares are per cent.
    """

    period: str
    subjects: int
    mean: Number
    spread: Number
    at_ceiling: int
    at_floor: int
    agreement: Number
    scheme: str | None = None
    is_provisional: bool = False
    true_spread: Number = None
    agreement_with_calls: Number = None
    limited_share: Number = None
    set_aside_share: Number = None

    @property
    def told_apart(self) -> Number:
        """The spread that counts: what is seen shrinks by itself where each cadre has more records."""
        return self.spread if self.true_spread is None else self.true_spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    indicator: str
    readings: tuple[Reading, ...]
    signs: tuple[Sign, ...]


def monitor(
    indicators: Sequence[str], periods: Sequence[tuple[str, Sequence[Mapping[str, Value]]]]
) -> tuple[Health, ...]:
    """Of each indicator, period by period from the oldest on, and the signs that its latest readings show."""
    witness = {label: groups.mean(_values(rows, WITNESS)) for label, rows in periods}
    found = []
    for indicator in indicators:
        readings = tuple(_read(indicator, label, rows) for label, rows in periods)
        found.append(Health(indicator=indicator, readings=readings, signs=find_signs(readings, witness)))
    return tuple(found)


def _read(indicator: str, label: str, rows: Sequence[Mapping[str, Value]]) -> Reading:
    values = _values(rows, indicator)
    return Reading(
        period=label,
        subjects=len(values),
        mean=_cut(groups.mean(values)),
        spread=_cut(groups.deviation(values)),
        at_ceiling=sum(value >= CEILING for value in values),
        at_floor=sum(value <= FLOOR for value in values),
        agreement=None if indicator == WITNESS else _cut(_correlate(rows, indicator)),
    )


def _values(rows: Sequence[Mapping[str, Value]], indicator: str) -> list[Fraction]:
    return [value for row in rows if isinstance(value := row.get(indicator), Fraction)]


def _correlate(rows: Sequence[Mapping[str, Value]], indicator: str) -> Number:
    pairs = [
        (own, told)
        for row in rows
        if isinstance(own := row.get(indicator), Fraction) and isinstance(told := row.get(WITNESS), Fraction)
    ]
    if len(pairs) < FEWEST:
        return None
    means = [groups.add([pair[at] for pair in pairs]) / len(pairs) for at in (0, 1)]
    squares = [groups.add([(pair[at] - means[at]) ** 2 for pair in pairs]) for at in (0, 1)]
    both = groups.add([(own - means[0]) * (told - means[1]) for own, told in pairs])
    length = root(squares[0] * squares[1])
    return both / length if length else None


def list_compared(readings: Sequence[Reading]) -> list[Reading]:
    """What is closed, by the settings of the latest of these, and tells of enough subjects."""
    closed = [one for one in readings if not one.is_provisional]
    return [one for one in closed if one.scheme == closed[-1].scheme and one.subjects >= FEWEST]


def find_signs(readings: Sequence[Reading], witness: Mapping[str, Number]) -> tuple[Sign, ...]:
    """The latest that is compared, against the first such. `witness`: the mean of what citizens say, by period."""
    compared = list_compared(readings)
    if not compared:
        return ()
    first, last = compared[0], compared[-1]
    signs: list[Sign] = []
    if last.at_ceiling >= MOST_AT_CEILING * last.subjects:
        signs.append("saturated")
    if first.told_apart and last.told_apart is not None and last.told_apart <= SHRUNK * first.told_apart:
        signs.append("spread_shrinks")
    if _parts(first, last, witness):
        signs.append("parts_from_citizens")
    # How many are denied is no measure here: the more a place is suspected, the more of its citizens are called.
    if _turns(first.agreement_with_calls, last.agreement_with_calls):
        signs.append("parts_from_calls")
    return tuple(signs)


def _parts(first: Reading, last: Reading, witness: Mapping[str, Number]) -> bool:
    """It rises while what citizens say falls, or those who do well in it are those whom citizens like least."""
    risen = _subtract(last.mean, first.mean)
    fallen = _subtract(witness[first.period], witness[last.period])
    if risen is not None and fallen is not None and min(risen, fallen) >= DRIFT:
        return True
    return _turns(first.agreement, last.agreement)


def _turns(first: Number, last: Number) -> bool:
    return first is not None and first > 0 and last is not None and last < 0


def _subtract(one: Number, other: Number) -> Number:
    return None if one is None or other is None else one - other


def _cut(value: Number) -> Number:
    return None if value is None else round_to(value, PLACES)
