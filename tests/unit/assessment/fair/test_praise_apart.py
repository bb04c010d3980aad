"""In version 2: ratings on own channels that are many, and kinder than what independent calls find."""

from dataclasses import replace
from math import sqrt

import pytest

from services.assessment.fair.records import Dossier, Method, Rating
from services.assessment.fair.signals.odds import Signal
from services.assessment.fair.signals.ratings import PraiseApart
from tests.unit.assessment.fair.few import VERSION_2, find, make_dossier, make_issues


def _rated(cadre: str, own: list[int], called: list[int], *, closed: int = 20) -> Dossier:
    """Levels on own channels, and of calls."""
    methods: tuple[tuple[Method, list[int]], ...] = (("app", own), ("callback", called))
    ratings = [
        Rating(rating=f"{method}{number:02}", subject_kind="issue", subject="i", method=method, level=level, rated_at=0)
        for method, levels in methods
        for number, level in enumerate(levels)
    ]
    issues = [*make_issues("c", closed), *make_issues("o", 5, closed_at=None, outcome="")]
    return make_dossier(cadre, issues=issues, ratings=ratings)


def _find(*dossiers: Dossier, **rules: int) -> dict[str, Signal]:
    return find(PraiseApart(replace(VERSION_2.signals, **rules)), *dossiers)


PEERS = [_rated(f"peer {number}", [4] * 4, [3, 5]) for number in range(20)]
ODD = _rated("odd", [5] * 12, [3, 3])
MANY = (12 - 4) / sqrt(20 * 0.2 * 0.8)  # of the others a fifth is rated
MEAN = (21 * 3 + 1 * 3 + 20 * 5) / 42  # of all calls
DEVIATION = sqrt((22 * (3 - MEAN) ** 2 + 20 * (5 - MEAN) ** 2) / 42)
# Two calls of everybody's stand in for what nobody asked.
GAP = (5 - (3 + 3 + 2 * MEAN) / 4) / (DEVIATION * sqrt(1 / 12 + 1 / 4))
ODDS = (MANY + GAP) / sqrt(2)


def test_many_and_kinder_than_the_calls() -> None:
    signal = _find(*PEERS, ODD)["odd"]

    assert (signal.check, signal.odds) == ("praise_apart", round(100 * ODDS))
    assert signal.evidence == {"closed": 20, "own_channel": 12, "usual": 4, "called": 2}
    assert signal.records == {f"app{number:02}" for number in range(12)}
    assert signal.examples == ("app00", "app01", "app02", "app03", "app04")


def test_they_are_asked_about_from_so_many_deviations_on() -> None:
    assert _find(*PEERS, ODD, apart_odds=int(100 * ODDS)).keys() == {"odd"}
    assert _find(*PEERS, ODD, apart_odds=int(100 * ODDS) + 1) == {}


@pytest.mark.parametrize(
    ("own", "called", "closed", "is_asked"),
    [
        ([5] * 6, [3, 3], 6, True),
        ([5] * 5, [3, 3], 5, False),  # fewer than six
        ([5] * 7, [3, 3], 20, True),  # nearly two deviations more than usual
        ([5] * 6, [3, 3], 25, False),  # half a deviation
        ([4] * 12, [4, 4], 20, False),  # many, and no kinder
        ([5] * 12, [], 20, True),  # nobody was called: against all calls
        ([5, 4] * 6, [3, 3], 20, True),  # a deviation and three quarters kinder
        ([5, 4, 4] * 4, [4, 4], 20, False),  # under one
        ([5] * 30, [3, 3], 20, True),
    ],
)
def test_both_have_to_be_odd(own: list[int], called: list[int], closed: int, is_asked: bool) -> None:  # noqa: FBT001
    assert ("odd" in _find(*PEERS, _rated("odd", own, called, closed=closed), apart_odds=200)) is is_asked


def test_nobody_is_rated_more_often_than_there_was_something_to_rate() -> None:
    signal = _find(*PEERS, _rated("odd", [5] * 30, [3, 3], closed=22))["odd"]

    assert signal.evidence == {"closed": 22, "own_channel": 22, "usual": 4, "called": 2}


def test_where_all_calls_find_the_same_or_nobody_calls_nothing_is_kinder() -> None:
    alike = [_rated(f"peer {number}", [4] * 4, [4, 4]) for number in range(20)]
    silent = [_rated(f"peer {number}", [4] * 4, []) for number in range(20)]

    assert _find(*alike, _rated("odd", [5] * 12, [4])) == {}
    assert _find(*silent, _rated("odd", [5] * 12, [])) == {}
    assert _find(*silent, _rated("odd", [5] * 12, [3])) == {}
    assert _find(*silent, _rated("called twice", [4] * 4, [2, 4]), _rated("odd", [5] * 12, [])).keys() == {"odd"}


def test_who_is_not_asked_about_hides_nobody() -> None:
    few, stern = _rated("few", [5] * 5, [3, 3], closed=5), _rated("stern", [1] * 12, [5, 5])

    assert _find(*PEERS, few, stern, ODD).keys() == {"odd"}


def test_who_has_nothing_closed_does_not_say_how_far_others_differ() -> None:
    unlike = [_rated(f"peer {number}", [4] * (10 * (number % 2)), [3, 5]) for number in range(20)]
    idle = [_rated(f"idle {number}", [], [], closed=0) for number in range(60)]

    assert _find(*unlike, ODD, *idle) == {}
