"""Deductions and bonuses per event: tiers, growth, free ones, doubled ones, caps."""

from fractions import Fraction
from typing import Final

from services.assessment.domain.rules.faults import BadTable
from services.assessment.domain.rules.kinds import MOST_EVENTS, EventLine, Events
from services.assessment.scoring.numbers import LARGEST, round_to
from services.assessment.scoring.working import work_out, work_out_numbers
from services.assessment.scoring.workspace import Column, Number, Value, Workspace, is_met

ZERO: Final = Fraction(0)


def charge_events(rule: Events, space: Workspace) -> tuple[Column, dict[str, Column]]:
    """Points, and what each line came to."""
    start = work_out_numbers(rule.start, space)
    charges = [_charge_line(line, space) for line in rule.lines]
    most = work_out_numbers(rule.at_most, space) if rule.at_most else [None] * space.size
    points: Column = []
    for at, begun in enumerate(start):
        line_sums = [charge[at] for charge in charges]
        if begun is None or any(one is None for one in line_sums):
            points.append(None)
            continue
        together = sum((one for one in line_sums if one is not None), ZERO)
        limit = most[at]
        points.append(begun + rule.sign * (together if limit is None else min(together, limit)))
    facts: dict[str, Column] = {"start": list(start)}
    for number, (line, charge) in enumerate(zip(rule.lines, charges, strict=True)):
        facts[f"count.{number}"] = work_out(line.count, space)
        facts[f"charge.{number}"] = list(charge)
    return points, facts


def _charge_line(line: EventLine, space: Workspace) -> list[Number]:
    counts = work_out(line.count, space)
    names = ("each", "per", "free", "times")
    columns = {name: work_out_numbers(getattr(line, name), space) for name in names}
    tiers = [work_out_numbers(tier.each, space) for tier in line.tiers]
    growth = work_out_numbers(line.growth, space) if line.growth else None
    limits = work_out_numbers(line.at_most, space) if line.at_most else [None] * space.size
    holds = [is_met(one) for one in work_out_numbers(line.when, space)] if line.when else [True] * space.size
    charges: list[Number] = []
    for at, count in enumerate(counts):
        row = [columns[name][at] for name in names]
        costs = [tier[at] for tier in tiers]
        if not holds[at]:
            charges.append(ZERO)
        elif count is None or None in (*row, *costs) or (growth is not None and growth[at] is None):
            charges.append(None)
        else:
            each, per, free, times = (Fraction(one or 0) for one in row)
            prices = _Prices(line, each, [Fraction(cost or 0) for cost in costs], growth[at] if growth else None)
            charge = times * _charge(prices, _units(line, count, per, space.whose(at)), free)
            limit = limits[at]
            charge = charge if limit is None else min(charge, limit)
            if abs(charge) > LARGEST:
                raise BadTable(f"{line.count.text}: a result is too large")
            charges.append(charge)
    return charges


class _Prices:
    """What the n-th event costs."""

    def __init__(self, line: EventLine, each: Fraction, tiers: list[Fraction], growth: Number) -> None:
        self.line = line
        self.each = each
        self.tiers = [(tier.first, cost) for tier, cost in zip(line.tiers, tiers, strict=True)]
        self.growth = growth

    def of_all(self, count: Fraction) -> Fraction:
        """The price that holds once there are so many."""
        price = self.each
        for first, cost in self.tiers:
            if count >= first:
                price = cost
        return price

    def of(self, number: int, free: Fraction) -> Fraction:
        if self.growth is not None:
            return self.each * self.growth ** (number - int(free) - 1)
        return self.of_all(Fraction(number))


def _units(line: EventLine, count: Value, per: Fraction, whose: str) -> Fraction | list[Fraction]:
    """How many events there were, or the weight of each."""
    if isinstance(count, tuple):
        weights = [one for one in count if isinstance(one, Fraction) and one != 0]
        if any(isinstance(one, str) for one in count):
            raise BadTable(f"{line.count.text}: {whose}: events are counted by numbers")
        if any(one < 0 for one in weights):
            raise BadTable(f"{line.count.text}: {whose}: an event counts 0 times or more")
        if len(weights) > MOST_EVENTS:
            raise BadTable(f"{line.count.text}: {whose}: more than {MOST_EVENTS} events in one cell")
        return weights
    if isinstance(count, str) or count is None or count < 0:
        raise BadTable(f"{line.count.text}: {whose}: a count of events is a number, 0 or more")
    if per <= 0:
        raise BadTable(f"{line.count.text}: per must be above 0")
    units = count / per
    return units if line.steps == "exact" else round_to(units, 0, "up" if line.steps == "started" else "down")


def _charge(prices: _Prices, units: Fraction | list[Fraction], free: Fraction) -> Fraction:
    free = max(ZERO, free)
    if isinstance(units, list):
        total = Fraction(len(units))
        all_at = prices.of_all(total) if prices.line.escalation == "all" and prices.growth is None else None
        return sum(
            (
                weight * (prices.of(number, free) if all_at is None else all_at)
                for number, weight in enumerate(units, start=1)
                if number > free
            ),
            ZERO,
        )
    if units <= free:
        return ZERO
    if prices.growth is not None:
        return _grow(prices, units, free)
    if prices.line.escalation == "all":
        return (units - free) * prices.of_all(units)
    return _climb(prices, units, free)


def _grow(prices: _Prices, units: Fraction, free: Fraction) -> Fraction:
    if units.denominator != 1 or free.denominator != 1 or units > MOST_EVENTS:
        raise BadTable(f"{prices.line.count.text}: events that grow dearer are whole, at most {MOST_EVENTS}")
    return sum((prices.of(number, free) for number in range(int(free) + 1, int(units) + 1)), ZERO)


def _climb(prices: _Prices, units: Fraction, free: Fraction) -> Fraction:
    """Each stretch of events at its own price; a part of an event at the price of the stretch it lies in."""
    starts = [ZERO, *(first - 1 for first, _ in prices.tiers)]
    costs = [prices.each, *(cost for _, cost in prices.tiers)]
    ends = [*starts[1:], None]
    charge = ZERO
    for start, end, cost in zip(starts, ends, costs, strict=True):
        upper = units if end is None else min(units, end)
        charge += max(ZERO, upper - max(start, free)) * cost
    return charge
