"""What a benchmark found: a table that a person can read and a JSON that a program can."""

import json
import os
import platform
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured figure. `ratio` compares it with the yardstick of the same run, pair by pair, median first."""

    name: str
    unit: str
    values: list[float]
    yardstick: list[float] = field(default_factory=list)
    bar: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def ratios(self) -> list[float]:
        pairs = zip(self.values, self.yardstick, strict=True) if self.yardstick else ()
        return [own / other if other else float("nan") for own, other in pairs]  # processor time comes in ticks


def print_table(figures: Sequence[Figure]) -> None:
    rows = [("figure", "median", "min", "max", "yardstick", "ratio", "bar")]
    for figure in figures:
        ratios = figure.ratios
        rows.append(
            (
                f"{figure.name} ({figure.unit})",
                _short(figure.median),
                _short(min(figure.values)),
                _short(max(figure.values)),
                _short(statistics.median(figure.yardstick)) if figure.yardstick else "-",
                f"{statistics.median(ratios):.2f} ({min(ratios):.2f}..{max(ratios):.2f})" if ratios else "-",
                figure.bar or "-",
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def write_json(figures: Sequence[Figure], file: Path) -> None:
    document = {
        "machine": {"cores": os.cpu_count(), "python": sys.version.split()[0], "kernel": platform.release()},
        "figures": [asdict(figure) | {"median": figure.median, "ratios": figure.ratios} for figure in figures],
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(document, indent=2) + "\n", "utf-8")


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
