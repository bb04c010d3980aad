"""What was asked and answered, by phase: the hooks count in the process of Schemathesis, and a table is made of it."""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

COLUMNS: Final = ("service", "role", "asked for", "phase", "operations", "requests", "taken", "failures")

# Phase, operations, requests, those of them that were answered by 2xx, failures.
PhaseCount = tuple[str, int, int, int, int]
Row = tuple[str, str, str, *PhaseCount]


class Counts:
    """A check of an operation fails once in a phase, however often."""

    def __init__(self) -> None:
        self._operations: dict[str, set[str]] = {}
        self._failed: dict[str, set[tuple[str, str]]] = {}
        self._requests: Counter[str] = Counter()
        self._taken: Counter[str] = Counter()
        self._ever_taken: set[str] = set()

    def note_answer(self, phase: str, operation: str, status: int) -> None:
        self._begin(phase)
        self._operations[phase].add(operation)
        self._requests[phase] += 1
        if 200 <= status < 300:
            self._taken[phase] += 1
            self._ever_taken.add(operation)

    def note_failure(self, phase: str, operation: str, title: str) -> None:
        self._begin(phase)
        self._failed[phase].add((operation, title))

    def _begin(self, phase: str) -> None:
        self._operations.setdefault(phase, set())
        self._failed.setdefault(phase, set())

    def by_phase(self) -> list[PhaseCount]:
        return [
            (phase, len(operations), self._requests[phase], self._taken[phase], len(self._failed[phase]))
            for phase, operations in self._operations.items()
        ]

    def write(self, file: Path) -> None:
        file.write_text(json.dumps({"phases": self.by_phase(), "taken": sorted(self._ever_taken)}), "utf-8")


@dataclass(frozen=True, slots=True)
class Found:
    """`never_taken` are by service the operations that nobody was answered by 2xx: there the document is less tried."""

    rows: list[Row] = field(default_factory=list)
    never_taken: dict[str, set[str]] = field(default_factory=dict)

    @property
    def failures(self) -> int:
        return sum(row[-1] for row in self.rows)

    def show(self) -> str:
        never = (
            f"{service}: {len(operations)} never answered by 2xx: {', '.join(sorted(operations))}\n"
            for service, operations in self.never_taken.items()
        )
        return _show_table(self.rows) + "".join(never)


def _show_table(rows: list[Row]) -> str:
    sums = [sum(int(row[column]) for row in rows) for column in (5, 6, 7)]
    lines = [[str(cell) for cell in row] for row in (COLUMNS, *rows, ("all", "", "", "", "", *sums))]
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    return "".join("  ".join(map(str.ljust, line, widths)).rstrip() + "\n" for line in lines)
