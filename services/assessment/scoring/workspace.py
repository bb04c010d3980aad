"""The columns that a scheme is worked out in: one value for each row of the table, under each name."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from services.assessment.domain.rules.faults import BadTable
from services.assessment.domain.rules.formulas import Formula, Operation

Number = Fraction | None
Value = Fraction | str | tuple[Fraction | str | None, ...] | None
Column = list[Value]
Numbers = list[Number]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What is scored: a subject and a period on each row, and the measures as columns."""

    subjects: tuple[str, ...]
    periods: tuple[str, ...]
    columns: Mapping[str, Sequence[Value]]

    def __len__(self) -> int:
        return len(self.subjects)


@dataclass(slots=True)
class Workspace:
    """`groups` numbers the scheme's own group of each row, `everybody` its period; both are known once asked for."""

    table: Table
    columns: dict[str, Column]
    group_keys: tuple[str, ...] = ()
    member_rule: Formula | None = None
    facts: dict[str, dict[str, Column]] = field(default_factory=dict)
    seen: dict[Operation, Column] = field(default_factory=dict)
    _partitions: dict[tuple[str, ...], list[int]] = field(default_factory=dict)
    _members: list[bool] | None = None

    @property
    def size(self) -> int:
        return len(self.table)

    def partition(self, within: tuple[str, ...] | None) -> list[int]:
        """The number of each row's group: by period always, and by these columns, or by the scheme's own."""
        keys = self.group_keys if within is None else within
        if keys not in self._partitions:
            numbers: dict[tuple[Value, ...], int] = {}
            columns = [self.columns[key] for key in keys]
            self._partitions[keys] = [
                numbers.setdefault((self.table.periods[at], *(column[at] for column in columns)), len(numbers))
                for at in range(self.size)
            ]
        return self._partitions[keys]

    def members(self, work_out: Callable[[Formula, "Workspace"], Column]) -> list[bool]:
        """Who counts in groups: everybody, unless the scheme says who."""
        if self._members is None:
            rule = self.member_rule
            self._members = (
                [True] * self.size
                if rule is None
                else [is_met(self.number("groups.members", value, at)) for at, value in enumerate(work_out(rule, self))]
            )
        return self._members

    def number(self, place: str, value: Value, at: int) -> Number:
        """Raises BadTable for a text or a list where a number is needed."""
        if value is None or isinstance(value, Fraction):
            return value
        kind = "a text" if isinstance(value, str) else "a list"
        raise BadTable(f"{place}: {self.whose(at)}: needs a number and finds {kind}")

    def numbers(self, place: str, column: Column) -> Numbers:
        return [self.number(place, value, at) for at, value in enumerate(column)]

    def whose(self, at: int) -> str:
        period = self.table.periods[at]
        return f"{self.table.subjects[at]} {period}".rstrip()


def is_met(value: Number) -> bool:
    """A condition that cannot be told is not met."""
    return value is not None and value != 0
