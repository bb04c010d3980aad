"""What a folder leaves untold, seen from all of its lines: hours of the day, closings, who is the same person."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.assessment.fair.records import DAY, UNASSESSED

MANY: Final = 10  # lines that show a custom; in fewer it may be chance
WITHIN_A_DAY: Final = DAY // 3  # between two instants of one day, on average
SOME_WHILE: Final = 7 * DAY  # the same for all, so that nobody is quick or late
TIMES: Final = ("received_at", "answered_at", "closed_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Customs:
    tells_hours: bool
    tells_closings: bool

    def tell_end(self, row: dict[str, Any]) -> None:
        """Complete a line of issues.csv. Where no closing is told, what ended did so in time."""
        received_at = row["received_at"]
        if not self.tells_closings and row["outcome"] not in ("", *UNASSESSED):
            row.update(closed_at=received_at + SOME_WHILE, due_at=None, allowed_hours=None)
        if not self.tells_hours:
            for name in ("answered_at", "closed_at"):
                if row[name] == received_at:
                    row[name] = received_at + WITHIN_A_DAY


def find_customs(issues: Sequence[Mapping[str, Any]]) -> Customs:
    """`issues`: the lines of issues.csv."""
    return Customs(
        tells_hours=len(issues) < MANY
        or any(row[name] is not None and row[name] % DAY for row in issues for name in TIMES),
        tells_closings=any(row["closed_at"] is not None for row in issues),
    )


def knows_persons(pairs: Iterable[tuple[str, str]]) -> bool:
    """Of raters and complainants, where both are told. Where names are comparable, some of many are the same."""
    alike = [rater == complainant for rater, complainant in pairs if rater and complainant]
    return len(alike) < MANY or any(alike)
