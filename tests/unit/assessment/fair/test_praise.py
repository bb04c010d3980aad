"""Ratings on own channels that are both many and nearly all the best."""

from dataclasses import replace
from math import sqrt
from typing import Any

import pytest

from services.assessment.fair.records import Dossier, Rating
from services.assessment.fair.signals.praise import Praise
from tests.unit.assessment.fair.few import SETTINGS, find, make_dossier, make_issues


def _rated(cadre: str, best: int, others: int, unrated: int, **more: Any) -> Dossier:
    issues = make_issues("i", best + others + unrated)
    ratings = [
        Rating(
            rating=f"{cadre}{number:02}",
            subject_kind="issue",
            subject=issues[number].issue,
            method="app",
            level=5 if number < best else 4,
            rated_at=0,
            **more,
        )
        for number in range(best + others)
    ]
    return make_dossier(cadre, issues=issues, ratings=ratings)


RATED = [_rated(f"peer {number}", 2, 2, 16) for number in range(20)]


@pytest.mark.parametrize(
    ("dossier", "is_asked"),
    [
        (_rated("odd", 12, 0, 8), True),
        (_rated("odd", 6, 0, 0), True),
        (_rated("odd", 5, 0, 0), False),  # fewer than six
        (_rated("odd", 6, 6, 8), False),  # many, and no kinder than others'
        (_rated("odd", 6, 0, 24), False),  # kind, and no more than others'
        (_rated("odd", 12, 0, 8, is_public_device=True), False),
    ],
)
def test_ratings_both_many_and_nearly_all_the_best(dossier: Dossier, is_asked: bool) -> None:  # noqa: FBT001
    assert ("odd" in find(Praise(SETTINGS.signals), dossier, *RATED)) is is_asked


def test_what_is_told_of_praise() -> None:
    odd = _rated("odd", 12, 0, 8)
    odd.ratings.append(replace(odd.ratings[0], rating="called", method="callback"))

    signal = find(Praise(SETTINGS.signals), odd, *RATED)["odd"]

    assert (signal.check, signal.evidence) == (
        "praise_apart",
        {"closed": 20, "own_channel": 12, "usual": 4, "called": 1},
    )
    many = (12 - 4) / sqrt(20 * 0.2 * 0.8)  # of the others a fifth is rated
    share = 52 / 92  # of all ratings the best
    best = (12 - 12 * share) / sqrt(12 * share * (1 - share))
    assert signal.odds == round(100 * (many + best) / sqrt(2))
    assert signal.records == {one.rating for one in odd.ratings} - {"called"}
