"""What score-records writes: one line a cadre, whose points add up to the score to the last digit."""

import csv
import io
from collections.abc import Iterable

from services.assessment.fair.results import Result
from services.assessment.fair.settings import INDICATORS

COLUMNS = (
    "cadre",
    "peer_group",
    "score",
    "lower",
    "upper",
    "reliability",
    "band",
    "rank",
    "rank_best",
    "rank_worst",
    "award_zone",
    "flagged",
    "reasons",
    "base",
    *(f"points_{name}" for name in INDICATORS),
)


def write_results(results: Iterable[Result]) -> str:
    """The same bytes for the same results: no locale, no line endings of the machine."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for result in results:
        writer.writerow(
            [
                guard(result.cadre),
                guard(result.peer_group),
                result.score,
                result.lower,
                result.upper,
                result.reliability,
                result.band,
                result.rank,
                result.rank_best,
                result.rank_worst,
                result.award_zone,
                "yes" if result.reasons else "no",
                guard("; ".join(result.reasons)),
                result.base,
                *(result.points[name] for name in INDICATORS),
            ]
        )
    return text.getvalue()


def guard(text: str) -> str:
    """A spreadsheet would compute a text that begins like a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
