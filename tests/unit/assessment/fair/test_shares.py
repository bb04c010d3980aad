"""Who answers for how much of an issue that changed hands."""

from dataclasses import replace

import pytest

from services.assessment.fair.records import DAY, MICRO, Issue
from services.assessment.fair.shares import Hold, share_by_time

START = 100 * DAY
ISSUE = Issue(
    issue="i", category="", complexity="", received_at=START, closed_at=START + 9 * DAY, close_allowed=8 * DAY
)


def _share(issue: Issue, **from_days: float) -> dict[str, int]:
    return share_by_time(issue, [Hold(cadre=cadre, from_at=START + int(day * DAY)) for cadre, day in from_days.items()])


def test_who_takes_over_as_the_last_quarter_begins_still_answers_for_the_rest() -> None:
    assert _share(ISSUE, a=0, b=6) == {"a": 666_667, "b": 333_333}


def test_an_open_issue_is_shared_until_it_falls_due() -> None:
    assert _share(replace(ISSUE, closed_at=None), a=0, b=2) == {"a": 250_000, "b": 750_000}


def test_where_nothing_is_due_the_closing_ends_the_time() -> None:
    unlimited = replace(ISSUE, close_allowed=None)

    assert _share(unlimited, a=0, b=6.5) == {"a": 722_222, "b": 277_778}
    assert _share(unlimited, a=0, b=7) == {"a": MICRO}


@pytest.mark.parametrize(
    "issue",
    [
        replace(ISSUE, closed_at=None, close_allowed=None),
        replace(ISSUE, closed_at=START),
        replace(ISSUE, close_allowed=0),
    ],
)
def test_where_there_is_no_time_to_share_the_last_one_answers(issue: Issue) -> None:
    assert _share(issue, a=0, b=1, c=2) == {"c": MICRO}


def test_who_came_after_the_closing_has_no_part_in_it() -> None:
    assert _share(replace(ISSUE, closed_at=START + 2 * DAY), a=0, b=4) == {"a": MICRO, "b": 0}


def test_what_is_left_over_goes_to_the_largest_remainder_and_not_to_the_largest_share() -> None:
    assert _share(replace(ISSUE, closed_at=START + 6 * DAY), a=0, b=1) == {"a": 166_667, "b": 833_333}
    assert _share(replace(ISSUE, closed_at=START + 3 * DAY), c=0, b=1, a=2) == {
        "a": 333_334,
        "b": 333_333,
        "c": 333_333,
    }
