"""Which period the list of scores shows to whoever asks for none."""

from datetime import date

import pytest

from services.assessment.domain.periods import parse_period
from services.assessment.web.opening import choose_usual

KNOWN = [parse_period(label) for label in ("2027", "2027Q1", "2027-01", "2026", "2026Q4", "2026-12")]


@pytest.mark.parametrize(
    ("today", "usual"),
    [
        (date(2027, 1, 2), "2026"),
        (date(2027, 3, 31), "2026"),
        (date(2027, 4, 1), "2027"),
        (date(2027, 12, 31), "2027"),
    ],
)
def test_a_year_that_has_just_begun_waits_until_there_is_something_to_see(today, usual):
    assert choose_usual(KNOWN, today=today) == usual


def test_where_all_has_just_begun_the_newest_is_shown():
    assert choose_usual(KNOWN[:3], today=date(2027, 1, 20)) == "2027"


def test_where_nothing_is_scored_there_is_none():
    assert choose_usual([], today=date(2027, 1, 20)) == ""
