"""Which issues count and how much: near-duplicates once, no complainant for more than the root of their number."""

import math
from collections import Counter
from collections.abc import Callable

from services.assessment.fair.records import MICRO, Issue

HOUR = 3_600
Key = tuple[str, ...]


def find_duplicates(issues: list[Issue], hours: int) -> set[str]:
    """Those that follow another of the same complainant, category and place within so many hours."""
    return _find_repeats(issues, hours, _by_complainant)


def find_same_matters(issues: list[Issue], hours: int) -> set[str]:
    """Those that follow another of the same category and place within so many hours, whoever complains.

    What several neighbours complain about is one matter; where nobody told the place nobody knows.
    """
    return _find_repeats(issues, hours, _by_matter)


def _by_complainant(issue: Issue) -> Key | None:
    return (issue.complainant, issue.category, issue.place) if issue.complainant else None


def _by_matter(issue: Issue) -> Key | None:
    return (issue.category, issue.place) if issue.place else None


def _find_repeats(issues: list[Issue], hours: int, key_of: Callable[[Issue], Key | None]) -> set[str]:
    last: dict[Key, int] = {}
    repeats = set()
    for issue in sorted(issues, key=lambda one: (one.received_at, one.issue)):
        key = key_of(issue)
        if key is None:
            continue
        if key in last and issue.received_at - last[key] <= hours * HOUR:
            repeats.add(issue.issue)
        last[key] = issue.received_at
    return repeats


def weigh_issues(counted: list[Issue]) -> dict[str, int]:
    """Millionths by issue: the share, divided by the root of how many of the complainant's count."""
    numbers = Counter(issue.complainant for issue in counted if issue.complainant)
    return {issue.issue: issue.share * root_weight(numbers[issue.complainant] or 1) // MICRO for issue in counted}


def root_weight(count: int) -> int:
    """1 / sqrt(count) in millionths, rounded down."""
    return math.isqrt(MICRO * MICRO // count)
