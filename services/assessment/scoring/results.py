"""What a scheme makes of a table: points, contributions that add up, totals, grades and places."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from services.assessment.domain.rules.schemes import RuleScheme
from services.assessment.scoring.numbers import to_decimal
from services.assessment.scoring.workspace import Column, Numbers, Table

Part = Literal["base", "item", "limit", "gate", "rounding"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """A part of a total. `key` names the item, the section or total that was limited, or the gate by its number."""

    part: Part
    key: str
    amount: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Totalled:
    """`total` is None without a score; `because` then says what was lacking. Contributions add up to the total."""

    total: Fraction | None
    places: int
    contributions: tuple[Contribution, ...]
    because: str | None = None
    unranked: bool = False
    grade: str | None = None
    gates: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemResult:
    """`points` as they count, after rounding and the rule for missing data; `missing` where that rule was used."""

    points: Numbers
    missing: Sequence[bool]
    full: Numbers
    weight: Numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class OverallResult:
    """`row` is of the subject's last period."""

    subject: str
    row: int
    total: Fraction | None
    places: int
    periods: int
    place: Fraction | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """By row of the table. `facts` holds, by step, the columns that its points were worked out from."""

    scheme: RuleScheme
    table: Table
    columns: Mapping[str, Column]
    items: Mapping[str, ItemResult]
    totals: Sequence[Totalled]
    ranks: Mapping[str, Numbers]
    flags: Sequence[tuple[int, ...]]
    facts: Mapping[str, Mapping[str, Column]]
    overall: Sequence[OverallResult]

    def find_row(self, subject: str, period: str | None = None) -> int | None:
        return next(
            (
                at
                for at, name in enumerate(self.table.subjects)
                if name == subject and (period is None or self.table.periods[at] == period)
            ),
            None,
        )

    def total_of(self, at: int) -> Decimal | None:
        one = self.totals[at]
        return None if one.total is None else to_decimal(one.total, one.places)
