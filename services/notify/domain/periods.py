"""What months, quarters, half-years and years are called in a sentence."""

from datetime import date
from typing import Literal

Per = Literal["month", "quarter", "half_year", "year"]


def name_period(per: Per, start: date) -> str:
    """2025-03, 2025Q1, 2025H1 or 2025, as everywhere in the suite."""
    if per == "year":
        return f"{start.year}"
    if per == "half_year":
        return f"{start.year}H{(start.month + 5) // 6}"
    if per == "quarter":
        return f"{start.year}Q{(start.month + 2) // 3}"
    return f"{start.year}-{start.month:02}"
