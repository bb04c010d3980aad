"""How what may be told of ratings is told: rounded, and as a band where it would say what everybody answered."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

from services.assessment.domain.measures import ANSWERS_BEHIND
from services.assessment.domain.releases import Question, Told

Reading = Literal["lowest", "middle", "highest"]

EDGE: Final = Fraction(1, 10)  # up to here, and from as far below the whole, only the band is told
STEP: Final = Fraction(1, 20)
COUNT_STEP: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounded:
    """`answers` is at least this many. The share lies between lowest and highest, and counts as the middle."""

    answers: int
    lowest: Fraction
    middle: Fraction
    highest: Fraction

    @property
    def is_band(self) -> bool:
        return self.lowest != self.highest

    def share(self, reading: Reading) -> Fraction:
        return {"lowest": self.lowest, "middle": self.middle, "highest": self.highest}[reading]


def round_told(told: Told) -> Rounded:
    """Counts down to multiples of five, shares to the nearest twentieth, the outer tenths to one band each."""
    answers = told.answers // COUNT_STEP * COUNT_STEP
    share = Fraction(told.positive, told.answers)
    if share <= EDGE:
        return Rounded(answers=answers, lowest=Fraction(0), middle=EDGE / 2, highest=EDGE)
    if share >= 1 - EDGE:
        return Rounded(answers=answers, lowest=1 - EDGE, middle=1 - EDGE / 2, highest=Fraction(1))
    nearest = math.floor(share / STEP + Fraction(1, 2)) * STEP
    return Rounded(answers=answers, lowest=nearest, middle=nearest, highest=nearest)


def measure_told(
    process: Mapping[str, int], told: Mapping[Question, Rounded], reading: Reading
) -> dict[str, int | Fraction]:
    """The measures that a published figure is computed from: what the office did, as it is, and ratings as told.

    `resolved` and `denied` together are what the office closed as resolved, which no rating changes. A measure that
    needs an answer that is not told is absent.
    """
    measures: dict[str, int | Fraction] = {
        name: amount for name, amount in process.items() if name not in ANSWERS_BEHIND
    }
    if level := told.get("level"):
        measures |= {"ratings": level.answers, "satisfied": level.share(reading) * level.answers}
    if solved := told.get("solved"):
        claimed = process["resolved"] + process["denied"]
        denied = min(Fraction(claimed), (1 - solved.share(reading)) * solved.answers)
        measures |= {"denied": denied, "resolved": claimed - denied}
    return measures
