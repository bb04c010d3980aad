"""Which issues count and how much: near-duplicates once, no complainant for more than the root of their number."""

import math
from collections import Counter

from services.assessment.fair.records import MICRO, Issue

HOUR = 3_600


def find_duplicates(issues: list[Issue], hours: int) -> set[str]:
    """Those that follow another of the same complainant, category and place within so many hours."""
    last: dict[tuple[str, str, str], int] = {}
    duplicates = set()
    for issue in sorted(issues, key=lambda one: (one.received_at, one.issue)):
        if not issue.complainant:
            continue
        key = (issue.complainant, issue.category, issue.place)
        if key in last and issue.received_at - last[key] <= hours * HOUR:
            duplicates.add(issue.issue)
        last[key] = issue.received_at
    return duplicates


def weigh_issues(counted: list[Issue]) -> dict[str, int]:
    """Millionths by issue: the share, divided by the root of how many of the complainant's count."""
    numbers = Counter(issue.complainant for issue in counted if issue.complainant)
    return {issue.issue: issue.share * root_weight(numbers[issue.complainant] or 1) // MICRO for issue in counted}


def root_weight(count: int) -> int:
    """1 / sqrt(count) in millionths, rounded down."""
    return math.isqrt(MICRO * MICRO // count)
