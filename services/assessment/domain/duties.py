"""What contact a post owes: whole contacts, for the days held and gone by."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal
from uuid import UUID

from services.assessment.domain.periods import CalendarKind, Period

Unit = Literal["count", "days", "households"]
UNITS_OWED: Final[tuple[CalendarKind, ...]] = ("month", "quarter", "half_year", "year")


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyUnit:
    """One duty of one post in one month, quarter, half-year or year, with what was done of it in the days held.

    The days from each of `held_froms` to its partner in `held_untils`, included: a nearer duty may hold in between.
    """

    organisation_id: UUID
    cadre_id: UUID
    post_id: UUID
    duty_id: UUID
    contact_kind: str
    required_count: int
    unit: Unit
    per: CalendarKind
    unit_start: date
    held_froms: list[date]
    held_untils: list[date]
    done: int

    @property
    def held_from(self) -> date:
        return self.held_froms[0]

    @property
    def held_until(self) -> date:
        return self.held_untils[-1]

    def is_held_on(self, day: date) -> bool:
        return any(first <= day <= last for first, last in self._held())

    def owed(self, today: date) -> int:
        """Days up to yesterday count: what is owed for a day is owed once that day is over."""
        elapsed = sum(
            max(0, min(last.toordinal() + 1, today.toordinal()) - first.toordinal()) for first, last in self._held()
        )
        return owed_so_far(self.required_count, elapsed, Period(kind=self.per, start=self.unit_start).days)

    def met(self, today: date) -> int:
        return self.owed_and_met(today)[1]

    def owed_and_met(self, today: date) -> tuple[int, int]:
        owed = self.owed(today)
        return owed, min(self.done, owed)

    def _held(self) -> Iterable[tuple[date, date]]:
        return zip(self.held_froms, self.held_untils, strict=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyTally:
    """Owed and met by the month, quarter, half-year and year, in the cell of the unit's first month."""

    owed_month: int = 0
    met_month: int = 0
    owed_quarter: int = 0
    met_quarter: int = 0
    owed_half_year: int = 0
    met_half_year: int = 0
    owed_year: int = 0
    met_year: int = 0


def owed_so_far(required: int, held_days: int, unit_days: int) -> int:
    """Rounded down: nobody owes a part of a contact."""
    return required * held_days // unit_days


def tally_duties(units: Iterable[DutyUnit], today: date) -> dict[tuple[UUID, UUID, date], DutyTally]:
    """Sum the units by organisation, cadre and first month."""
    sums: dict[tuple[UUID, UUID, date], dict[str, int]] = {}
    for unit in units:
        cell = sums.setdefault((unit.organisation_id, unit.cadre_id, unit.unit_start), {})
        owed, met = unit.owed_and_met(today)
        for key, amount in ((f"owed_{unit.per}", owed), (f"met_{unit.per}", met)):
            cell[key] = cell.get(key, 0) + amount
    return {cell: DutyTally(**amounts) for cell, amounts in sums.items()}
