"""From points to a total: weights, sections with their limits, missing data, rounding; the parts always add up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from services.assessment.domain.rules.faults import BadTable
from services.assessment.domain.rules.schemes import TOTAL, Item, Mode, RuleScheme, Section
from services.assessment.scoring.numbers import SHOWN, places_of, round_to, settle
from services.assessment.scoring.results import Contribution, ItemResult, Totalled
from services.assessment.scoring.workspace import Number, Numbers

ZERO: Final = Fraction(0)
HUNDRED: Final = Fraction(100)
MOST_PLACES: Final = 12


class Formulas:
    """The formulas of sections and of the total, by place, as they come out on one row."""

    def __init__(self, columns: Mapping[str, Numbers], at: int) -> None:
        self._columns = columns
        self._at = at

    def get(self, place: str) -> Number:
        """None too where there is no such formula."""
        column = self._columns.get(place)
        return None if column is None else column[self._at]


@dataclass(slots=True)
class Sum:
    """Parts so far, and how much of the full marks is at hand."""

    parts: list[Contribution] = field(default_factory=list)
    whole: Fraction = ZERO
    present: Fraction = ZERO
    is_missing: bool = False
    because: str | None = None  # an item without which there is no score


class Adder:
    """Adds up one row."""

    def __init__(self, scheme: RuleScheme, items: Mapping[str, ItemResult], at: int, worked: Formulas) -> None:
        self._scheme = scheme
        self._items = items
        self._at = at
        self._worked = worked

    def add_section(self, key: str | None) -> Sum:
        """What is in a section, or in the total itself, before the limits of that."""
        found = Sum()
        rescaled: list[tuple[int, Fraction]] = []  # which parts have a full mark, and so stand in for what is missing
        for item in self._scheme.items.values():
            if item.section == key:
                self._add_item(found, item, rescaled)
        for section in self._scheme.sections.values():
            if section.section == key:
                self._add_inner(found, section, rescaled)
        if found.whole != found.present:
            if found.present == 0:
                found.is_missing = True
                return found
            factor = found.whole / found.present
            for at, amount in rescaled:
                part = found.parts[at]
                found.parts[at] = Contribution(part=part.part, key=part.key, amount=amount * factor)
        return found

    def _add_item(self, found: Sum, item: Item, rescaled: list[tuple[int, Fraction]]) -> None:
        result = self._items[item.key]
        points, weight, full = result.points[self._at], result.weight[self._at], result.full[self._at]
        if weight is None:
            raise BadTable(f"items.{item.key}.weight: cannot be told for one of the subjects")
        is_plain = weight == 1
        marks = ZERO if full is None else full if is_plain else full * weight
        if points is None:
            if item.missing == "skip":
                return
            if item.missing == "rescale":
                found.whole += marks
                return
            found.because = found.because or item.key
            return
        places = self._worked.get(f"{item.key}.weighted")
        amount = points if is_plain else points * weight
        if places is not None:
            amount = round_to(amount, whole_places(places), item.mode)
        found.whole += marks
        found.present += marks
        if full is not None:
            rescaled.append((len(found.parts), amount))
        found.parts.append(Contribution(part="item", key=item.key, amount=amount))

    def _add_inner(self, found: Sum, section: Section, rescaled: list[tuple[int, Fraction]]) -> None:
        inner = self.add_section(section.key)
        found.because = found.because or inner.because
        weight = self._worked.get(f"{section.key}.weight")
        if weight is None:
            raise BadTable(f"sections.{section.key}.weight: cannot be told for one of the subjects")
        full = self._worked.get(f"{section.key}.full")
        whole = (inner.whole if full is None else full) * weight
        found.whole += whole
        if inner.is_missing:
            return
        found.present += whole  # what it lacks it has made up for within itself
        parts, _ = limit(inner.parts, section.key, self._worked, section.mode)
        for part in parts:
            if whole:
                rescaled.append((len(found.parts), part.amount * weight))
            found.parts.append(Contribution(part=part.part, key=part.key, amount=part.amount * weight))


def limit(parts: list[Contribution], key: str, worked: Formulas, mode: Mode) -> tuple[list[Contribution], Fraction]:
    """Keep a sum within its floor and ceiling, and round it, with its parts adding up; return both."""
    amount = sum((part.amount for part in parts), ZERO)
    kept = clamp(amount, worked.get(f"{key}.floor"), worked.get(f"{key}.ceiling"))
    if kept != amount:
        parts = [*parts, Contribution(part="limit", key=key, amount=kept - amount)]
    places = worked.get(f"{key}.places")
    if places is None or not parts:
        return parts, kept
    rounded = round_to(kept, whole_places(places), mode)
    return settle_parts(parts, rounded, whole_places(places)), rounded


def clamp(amount: Fraction, floor: Number, ceiling: Number) -> Fraction:
    if ceiling is not None:
        amount = min(amount, ceiling)
    return amount if floor is None else max(amount, floor)


def whole_places(places: Fraction) -> int:
    if places.denominator != 1 or not 0 <= places <= MOST_PLACES:
        raise BadTable(f"round: a number is rounded to 0 to {MOST_PLACES} places")
    return int(places)


def settle_parts(parts: list[Contribution], rounded: Fraction, places: int) -> list[Contribution]:
    settled = settle([part.amount for part in parts], rounded, places)
    return [Contribution(part=part.part, key=part.key, amount=one) for part, one in zip(parts, settled, strict=True)]


def add_total(scheme: RuleScheme, items: Mapping[str, ItemResult], at: int, worked: Formulas) -> Totalled:
    """The total of one row before its gates."""
    found = Adder(scheme, items, at, worked).add_section(None)
    if found.because is not None:
        return Totalled(total=None, places=0, contributions=(), because=found.because)
    needed = worked.get(f"{TOTAL}.minimum_present")
    share = found.present / found.whole * HUNDRED if found.whole else HUNDRED
    if found.is_missing or (needed is not None and share < needed):
        return Totalled(total=None, places=0, contributions=(), because="present")
    base, scale = worked.get(f"{TOTAL}.base"), worked.get(f"{TOTAL}.scale")
    if base is None or scale is None:
        return Totalled(total=None, places=0, contributions=(), because=TOTAL)
    parts = [Contribution(part="base", key=TOTAL, amount=base)] if base else []
    parts += found.parts
    if scale != 1:
        parts = [Contribution(part=part.part, key=part.key, amount=part.amount * scale) for part in parts]
    return finish(*limit(parts, TOTAL, worked, scheme.total.mode), worked)


def finish(parts: list[Contribution], total: Fraction, worked: Formulas) -> Totalled:
    """Give a total that nobody rounded as many places as it takes, and cut it at SHOWN where it never ends."""
    stated = worked.get(f"{TOTAL}.places")
    if stated is not None:
        return Totalled(total=total, places=whole_places(stated), contributions=tuple(parts))
    needed = [places for part in parts if (places := places_of(part.amount)) is not None]
    if len(needed) == len(parts):
        return Totalled(total=total, places=max(needed, default=0), contributions=tuple(parts))
    cut = round_to(total, SHOWN)
    return Totalled(total=cut, places=SHOWN, contributions=tuple(settle_parts(parts, cut, SHOWN)))
