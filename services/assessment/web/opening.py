"""With which period a page opens for whoever names none."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from services.assessment.domain.periods import Period

SETTLED: Final = timedelta(days=90)


def choose_usual(periods: Sequence[Period], *, today: date) -> str:
    """Of these, newest first, the first that has gone on for a while: of a year of two days there is little to see."""
    settled = (period.label for period in periods if today - period.start >= SETTLED)
    return next(settled, periods[0].label if periods else "")
