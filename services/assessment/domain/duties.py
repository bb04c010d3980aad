"""What contact a post owes: whole contacts, for the days held and gone by."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.assessment.domain.periods import Period, PeriodKind


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyUnit:
    """One duty of one post in one month, quarter or year, with the contacts of its kind made in the days held."""

    organisation_id: UUID
    cadre_id: UUID
    post_id: UUID
    duty_id: UUID
    contact_kind: str
    required_count: int
    per: PeriodKind
    unit_start: date
    held_from: date
    held_until: date  # the last day, included
    done: int

    def owed(self, today: date) -> int:
        """Days up to yesterday count: what is owed for a day is owed once that day is over."""
        elapsed = min(self.held_until.toordinal() + 1, today.toordinal()) - self.held_from.toordinal()
        return owed_so_far(self.required_count, max(0, elapsed), Period(kind=self.per, start=self.unit_start).days)

    def met(self, today: date) -> int:
        return min(self.done, self.owed(today))


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyTally:
    """Owed and met by the month, by the quarter and by the year, in the cell of the unit's first month."""

    owed_month: int = 0
    met_month: int = 0
    owed_quarter: int = 0
    met_quarter: int = 0
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
        for name, amount in (("owed", unit.owed(today)), ("met", unit.met(today))):
            key = f"{name}_{unit.per}"
            cell[key] = cell.get(key, 0) + amount
    return {cell: DutyTally(**amounts) for cell, amounts in sums.items()}
