"""Rows that are read column by column: each asks for one new contact, and there is nothing to remark on any of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from services.intake.domain.commands.contacts import RecordContact


@dataclass(slots=True)
class PlainRows:
    """The numbers of the lines, and by field the values of all of them; a field that the file lacks is not there."""

    source: str
    correlation_id: str
    lines: list[int] = field(default_factory=list)
    columns: dict[str, list[Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.lines)

    def column(self, name: str) -> Sequence[Any]:
        return self.columns.get(name) or [None] * len(self.lines)

    def add(self, other: "PlainRows") -> None:
        """Of the same file, and so with the same fields."""
        self.lines += other.lines
        for name, values in other.columns.items():
            self.columns.setdefault(name, []).extend(values)

    def take(self, positions: Sequence[int]) -> "PlainRows":
        return PlainRows(
            self.source,
            self.correlation_id,
            [self.lines[position] for position in positions],
            {name: [values[position] for position in positions] for name, values in self.columns.items()},
        )

    def command(self, position: int, contact_id: UUID) -> RecordContact:
        """What the row asks for, as rows are told that are not plain."""
        told = {name: values[position] for name, values in self.columns.items()}
        return RecordContact(id=contact_id, correlation_id=self.correlation_id, source=self.source, **told)
