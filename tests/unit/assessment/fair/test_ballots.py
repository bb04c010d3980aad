"""Ratings that look cast by one hand: from where on a check asks."""

from dataclasses import replace
from typing import Any

import pytest

from services.assessment.fair.records import DAY, Issue, Rating
from services.assessment.fair.signals.ratings import find_stuffing
from tests.unit.assessment.fair.few import SETTINGS, make_dossier

RULES = SETTINGS.signals
HOUR = 3_600
LAMP = Issue(issue="i", category="lamps", complexity="1", complainant="li", place="lane 3", received_at=0)
RATING = Rating(rating="r", subject_kind="issue", subject="i", method="app", level=5, rated_at=0)


def _ratings(count: int, **more: Any) -> list[Rating]:
    return [replace(RATING, rating=f"r{number}", rated_at=number * DAY, **more) for number in range(count)]


@pytest.mark.parametrize(
    ("ratings", "doubted"),
    [
        ([replace(one, rater=f"p{n}") for n, one in enumerate(_ratings(4, device="d", is_public_device=True))], set()),
        ([replace(one, device="d", rater="li") for one in _ratings(6)], set()),  # one hand, which weighs as one
        (
            [replace(one, device="d" if n < 3 else "e", rater="" if n else "li") for n, one in enumerate(_ratings(4))],
            {"r0", "r1", "r2"},
        ),
        ([replace(one, device="d", rater="li" if n else "") for n, one in enumerate(_ratings(4))], set()),  # two names
        (
            [
                *_ratings(3, rater="wang"),
                *(replace(one, rating=f"d{n}", device="d") for n, one in enumerate(_ratings(3))),
            ],
            {"r0", "r1", "r2", "d0", "d1", "d2"},  # strangers, and many on one device
        ),
        ([replace(one, rated_at=HOUR + n * 1_199) for n, one in enumerate(_ratings(4))], {"r0", "r1", "r2", "r3"}),
        ([replace(one, rated_at=HOUR + n * 1_200) for n, one in enumerate(_ratings(4))], set()),
        ([replace(one, rater="wang" if n else "li") for n, one in enumerate(_ratings(4))], {"r1", "r2", "r3"}),
        ([replace(one, rater="wang" if n > 1 else "li") for n, one in enumerate(_ratings(4))], set()),
        ([replace(one, rater="wang", subject_kind="contact") for one in _ratings(4)], set()),
        ([replace(one, rater="wang", method="callback") for one in _ratings(4)], set()),
        (_ratings(3, rater="wang"), set()),
        (
            [replace(one, level=4 if n else 3) for n, one in enumerate(_ratings(4, rater="wang"))],
            {"r0", "r1", "r2", "r3"},
        ),
        ([replace(one, level=4 if n > 1 else 3) for n, one in enumerate(_ratings(5, rater="wang"))], set()),
    ],
)
def test_ratings_that_look_cast_by_one_hand(ratings: list[Rating], doubted: set[str]) -> None:
    found = list(find_stuffing(make_dossier("odd", issues=[LAMP], ratings=ratings), RULES))

    assert [set(signal.records) for signal in found] == ([doubted] if doubted else [])


def test_what_is_told_of_ballots() -> None:
    ratings = [replace(one, device="d", rater=f"p{n}", rated_at=0) for n, one in enumerate(_ratings(5))]

    (signal,) = find_stuffing(
        make_dossier("odd", issues=[LAMP], ratings=[*ratings[:4], replace(ratings[4], level=3)]), RULES
    )

    assert (signal.check, signal.odds) == ("ballot_stuffing", 0)
    assert signal.evidence == {
        "own_channel": 5,
        "high": 80,
        "shared_devices": 1,
        "full_hours": 1,
        "not_complainants": 5,
    }


@pytest.mark.parametrize(("high", "others", "is_asked"), [(75, 25, True), (74, 25, False)])
def test_three_quarters_of_them_are_high(high: int, others: int, is_asked: bool) -> None:  # noqa: FBT001
    ratings = [replace(one, level=5 if n < high else 1) for n, one in enumerate(_ratings(high + others, rater="wang"))]

    assert bool(list(find_stuffing(make_dossier("odd", issues=[LAMP], ratings=ratings), RULES))) is is_asked
