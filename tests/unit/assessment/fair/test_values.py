"""What one issue is worth to each indicator, and why it does not count where it does not."""

from dataclasses import replace
from typing import Any

import pytest

from services.assessment.fair.records import DAY, MICRO, Issue
from services.assessment.fair.settings import read_settings
from services.assessment.fair.values import mark_issue
from services.assessment.importing.records.cli import OWN_SETTINGS

SETTINGS = read_settings(OWN_SETTINGS.read_text("utf-8"))
START = 100 * DAY
NOW = START + 50 * DAY
OPEN = Issue(
    issue="i", category="a", complexity="1", channel="app", received_at=START, answer_allowed=DAY, close_allowed=5 * DAY
)
SOLVED = replace(OPEN, outcome="solved", closed_at=START + 5 * DAY)
WEIGHT = 700_000


def _mark(issue: Issue, as_of: int = NOW) -> dict[str, tuple[int, int, str]]:
    """By indicator: value, weight and note."""
    return {mark.indicator: (mark.value, mark.weight, mark.note) for mark in mark_issue(issue, WEIGHT, as_of, SETTINGS)}


@pytest.mark.parametrize(
    ("given", "worth"),
    [
        ({"answered_at": START + DAY}, (400_000, WEIGHT, "")),
        ({"answered_at": START + DAY, "answer_allowed": None}, (0, 0, "no_allowance")),
        ({}, (0, WEIGHT, "")),  # it fell due long ago
        ({"closed_at": START + DAY}, (400_000, WEIGHT, "")),  # closing it answers it
        ({"answered_at": START + 599, "has_reply": False}, (0, WEIGHT, "empty_instant")),
        ({"answered_at": START + 600, "has_reply": False}, (MICRO, WEIGHT, "")),
        ({"answered_at": START + 599, "has_reply": None}, (MICRO, WEIGHT, "")),
        ({"answered_at": START + 599, "has_reply": True}, (MICRO, WEIGHT, "")),
    ],
)
def test_an_answer_is_worth_the_time_it_took(given: dict[str, Any], worth: tuple[int, int, str]) -> None:
    assert _mark(replace(OPEN, **given))["timeliness"] == worth


HOUR = DAY // 24
TOLD = replace(OPEN, outcome="solved", answered_at=START + HOUR, closed_at=START + 4 * DAY)


@pytest.mark.parametrize(
    ("given", "timeliness", "resolution"),
    [
        ({}, (MICRO, ""), (MICRO, "")),
        ({"answer_recorded_at": START + HOUR}, (MICRO, ""), (MICRO, "")),
        ({"answer_recorded_at": START + 24 * HOUR // 7}, (MICRO, ""), (MICRO, "")),  # seven eighths: three hours of 24
        ({"answer_recorded_at": START + 24 * HOUR // 7 + 60}, (998_000, "told_afterwards"), (MICRO, "")),
        ({"answer_recorded_at": START + 96 * HOUR // 7}, (600_000, "told_afterwards"), (MICRO, "")),  # half of the day
        ({"answer_recorded_at": START - HOUR}, (MICRO, ""), (MICRO, "")),
        ({"closing_recorded_at": START + 40 * DAY // 7}, (MICRO, ""), (MICRO, "")),  # seven eighths are the five days
        ({"closing_recorded_at": START + 40 * DAY // 7 + 2}, (MICRO, ""), (800_000, "told_afterwards")),
        ({"closing_recorded_at": START + 9 * DAY, "close_allowed": None}, (MICRO, ""), (MICRO, "")),
        ({"closing_recorded_at": START + 9 * DAY, "closed_at": None, "outcome": ""}, (MICRO, ""), (0, "")),
    ],
)
def test_what_was_told_afterwards_counts_by_when_that_was_recorded(
    given: dict[str, Any], timeliness: tuple[int, str], resolution: tuple[int, str]
) -> None:
    found = _mark(replace(TOLD, **given))

    assert (found["timeliness"][0], found["timeliness"][2]) == timeliness
    assert (found["resolution"][0], found["resolution"][2]) == resolution


def test_a_closing_told_afterwards_answers_when_it_is_believed() -> None:
    told = replace(TOLD, answered_at=None, closed_at=START + HOUR, closing_recorded_at=START + 16 * HOUR)

    assert _mark(told)["timeliness"] == (555_000, WEIGHT, "told_afterwards")  # 14 hours of 24
    assert _mark(replace(told, close_allowed=DAY))["speed"] == (555_000, WEIGHT, "told_afterwards")
    assert _mark(replace(told, outcome="unsolved"))["resolution"] == (0, WEIGHT, "")


@pytest.mark.parametrize(
    ("given", "worth"),
    [
        ({"has_reply": True}, (MICRO, WEIGHT, "")),
        ({"has_reply": None}, (0, 0, "unknown")),
        ({"has_reply": False, "closed_at": START}, (0, WEIGHT, "")),
        ({"has_reply": False, "close_allowed": None}, (0, 0, "not_due")),
        ({"has_reply": False}, (0, WEIGHT, "")),
    ],
)
def test_a_reply_counts_once_there_could_be_one(given: dict[str, Any], worth: tuple[int, int, str]) -> None:
    assert _mark(replace(OPEN, **given))["reply"] == worth


@pytest.mark.parametrize(
    ("given", "worth"),
    [
        ({}, (MICRO, WEIGHT, "")),
        ({"closed_at": START + 5 * DAY + 1}, (800_000, WEIGHT, "")),
        ({"closed_at": None}, (MICRO, WEIGHT, "")),  # when is not known
        ({"close_allowed": None, "closed_at": START + 49 * DAY}, (MICRO, WEIGHT, "")),
        ({"is_denied": True}, (-500_000, WEIGHT, "")),
        ({"is_reopened": True}, (-500_000, WEIGHT, "")),
        ({"outcome": "unsolved"}, (0, WEIGHT, "")),
        ({"outcome": "unsolved", "is_denied": True}, (0, WEIGHT, "")),
        ({"outcome": "explained"}, (0, 0, "explained")),
        ({"outcome": "", "closed_at": None}, (0, WEIGHT, "")),
        ({"outcome": "", "closed_at": None, "close_allowed": None}, (0, 0, "not_due")),
    ],
)
def test_solving_is_worth_most_and_pretending_it_less_than_nothing(
    given: dict[str, Any], worth: tuple[int, int, str]
) -> None:
    assert _mark(replace(SOLVED, **given))["resolution"] == worth


def test_what_is_due_just_now_does_not_count_yet() -> None:
    unanswered = replace(OPEN, has_reply=False)

    marks = _mark(unanswered, as_of=START + DAY) | {
        "resolution": _mark(unanswered, as_of=START + 5 * DAY)["resolution"]
    }

    assert set(marks.values()) == {(0, 0, "not_due")}
    assert _mark(unanswered, as_of=START + DAY + 1)["timeliness"] == (0, WEIGHT, "")
    assert _mark(unanswered, as_of=START + 5 * DAY + 1)["reply"] == (0, WEIGHT, "")


@pytest.mark.parametrize(
    ("given", "speed"),
    [
        ({}, 400_000),
        ({"is_denied": True}, None),
        ({"close_allowed": None}, None),
        ({"closed_at": None}, None),
        ({"outcome": "unsolved"}, None),
    ],
)
def test_only_what_was_surely_solved_was_solved_fast(given: dict[str, Any], speed: int | None) -> None:
    found = _mark(replace(SOLVED, **given)).get("speed")

    assert found == (None if speed is None else (speed, WEIGHT, ""))


def test_how_often_is_explained_is_told_of_what_came_to_an_end() -> None:
    assert _mark(replace(SOLVED, outcome="explained"))["explaining"] == (MICRO, WEIGHT, "")
    assert _mark(replace(SOLVED, outcome="unsolved"))["explaining"] == (0, WEIGHT, "")
    assert "explaining" not in _mark(OPEN)


def test_like_cases_have_category_complexity_and_channel_in_common() -> None:
    assert {mark.cell for mark in mark_issue(SOLVED, WEIGHT, NOW, SETTINGS)} == {("a", "1", "app")}
