"""What the watch says of the fair scheme's indicators, out of sums over cadres; its signs are those of `monitoring`.

The values of cadres never come here: the sums of a hundred thousand are as short as those of ten.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from services.assessment.scoring.monitoring import FEWEST, PLACES, Health, Reading, find_signs
from services.assessment.scoring.numbers import root, round_to
from services.assessment.scoring.workspace import Number

WITNESS: Final = "satisfaction"  # what citizens say for themselves
HUNDREDTHS: Final = 100  # of a per cent: what sums are of
FULL: Final = 100  # per cent


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Of one indicator over cadres, from 1 on in the order of the settings. Values are hundredths of a per cent.

    `with_ratings` and `with_calls` have six sums over those who have both: their number, own values, own squares,
    the other's values, the other's squares, products. The other is satisfaction, or what was not denied when citizens
    were called.
    """

    place: int
    subjects: int
    total: int
    squares: int
    at_ceiling: int
    at_floor: int
    true_spread: int | None
    points: int
    limited: int
    records: int
    set_aside: int
    with_ratings: Sequence[int]
    with_calls: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Days that were scored. `scheme` names the settings; what was scored by others is not compared with it."""

    label: str
    scheme: str
    is_provisional: bool
    sums: Sequence[Sums]


def monitor_sums(indicators: Sequence[str], stretches: Sequence[Stretch]) -> tuple[Health, ...]:
    """Of each indicator, from the oldest on, and the signs that its readings show."""
    readings = {name: _read_all(name, place, stretches) for place, name in enumerate(indicators, start=1)}
    witness = {one.period: one.mean for one in readings[WITNESS] if not one.is_provisional}
    return tuple(
        Health(indicator=name, readings=tuple(own), signs=find_signs(own, witness)) for name, own in readings.items()
    )


def _read_all(name: str, place: int, stretches: Sequence[Stretch]) -> list[Reading]:
    return [
        _read(name, stretch, next((one for one in stretch.sums if one.place == place), None)) for stretch in stretches
    ]


def _read(name: str, stretch: Stretch, sums: Sums | None) -> Reading:
    if sums is None:
        sums = EMPTY
    return Reading(
        period=stretch.label,
        subjects=sums.subjects,
        mean=_cut(Fraction(sums.total, sums.subjects * HUNDREDTHS)) if sums.subjects else None,
        spread=_spread(sums),
        at_ceiling=sums.at_ceiling,
        at_floor=sums.at_floor,
        agreement=None if name == WITNESS else _correlate(sums.with_ratings),
        scheme=stretch.scheme,
        is_provisional=stretch.is_provisional,
        true_spread=None if sums.true_spread is None else Fraction(sums.true_spread, HUNDREDTHS),
        agreement_with_calls=_correlate(sums.with_calls),
        limited_share=_share(sums.limited, sums.points + sums.limited),
        set_aside_share=_share(sums.set_aside, sums.records),
    )


EMPTY: Final = Sums(
    place=0,
    subjects=0,
    total=0,
    squares=0,
    at_ceiling=0,
    at_floor=0,
    true_spread=None,
    points=0,
    limited=0,
    records=0,
    set_aside=0,
    with_ratings=(),
    with_calls=(),
)


def _spread(sums: Sums) -> Number:
    """The standard deviation of all of them."""
    count = sums.subjects
    length = root(Fraction(count * sums.squares - sums.total**2)) if count else None
    return None if length is None else _cut(length / (count * HUNDREDTHS))


def _correlate(sums: Sequence[int]) -> Number:
    if not sums or sums[0] < FEWEST:
        return None
    count, own, own_squares, other, other_squares, both = sums
    length = root(Fraction((count * own_squares - own**2) * (count * other_squares - other**2)))
    return _cut((count * both - own * other) / length) if length else None


def _share(part: int, whole: int) -> Number:
    """In per cent."""
    return _cut(Fraction(part * FULL, whole)) if whole else None


def _cut(value: Fraction) -> Fraction:
    return round_to(value, PLACES)
