"""Ratings on own channels that are both many and nearly all the best."""

from dataclasses import replace
from math import sqrt
from typing import Any

import pytest

from services.assessment.fair.dossiers import count_dossier
from services.assessment.fair.records import Dossier, Issue, Rating
from services.assessment.fair.settings import FairSettings
from services.assessment.fair.signals.finding import Finding
from services.assessment.fair.signals.odds import Signal
from services.assessment.fair.signals.praise import Praise
from tests.unit.assessment.fair.few import SETTINGS, SPAN, VERSION_2, find, make_dossier, make_issues


def _find_praise(*dossiers: Dossier, **rules: int) -> dict[str, Signal]:
    return find(Praise(replace(SETTINGS.signals, **rules)), *dossiers)


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
    assert ("odd" in _find_praise(*RATED, dossier)) is is_asked


@pytest.mark.parametrize(("settings", "asked"), [(SETTINGS, ["odd"]), (VERSION_2, [])], ids=["now", "2"])
def test_where_nobody_was_called_a_person_is_asked_since_version_3(settings: FairSettings, asked: list[str]) -> None:
    """Version 2 compared with what calls find, and what it closed stays as it was."""
    finding = Finding(SPAN, settings)
    counted = {one.cadre.cadre: count_dossier(one, SPAN, settings) for one in (*RATED, _rated("odd", 12, 0, 8))}
    for one in counted.values():
        finding.note(one)

    found = finding.find(counted, {})

    assert [signal.cadre for signal in found if signal.check == "praise_apart"] == asked


def test_what_is_told_of_praise() -> None:
    odd = _rated("odd", 12, 0, 8)
    odd.ratings.append(replace(odd.ratings[0], rating="called", method="callback"))

    signal = _find_praise(odd, *RATED)["odd"]

    assert (signal.check, signal.evidence) == (
        "praise_apart",
        {"closed": 20, "own_channel": 12, "usual": 4, "called": 1},
    )
    many = (12 - 4) / sqrt(20 * 0.2 * 0.8)  # of the others a fifth is rated
    share = 52 / 92  # of all ratings the best
    best = (12 - 12 * share) / sqrt(12 * share * (1 - share))
    assert signal.odds == round(100 * (many + best) / sqrt(2))
    assert signal.records == {one.rating for one in odd.ratings} - {"called"}


def _rate(name: str, count: int, kind: str, level: int) -> tuple[list[Issue], list[Rating]]:
    """Of matters that came to such an end; of one that is lost there is a rating only."""
    ends: dict[str, dict[str, Any]] = {"contradicted": {"is_denied": True}, "open": {"outcome": "", "closed_at": None}}
    issues = make_issues(name, count, **ends.get(kind, {"outcome": kind}))
    ratings = [
        Rating(
            rating=f"{issue.issue}-g", subject_kind="issue", subject=issue.issue, method="app", level=level, rated_at=0
        )
        for issue in issues
    ]
    return ([] if kind == "lost" else issues), ratings


BEST_OF_40 = {"solved": 36, "unsolved": 4, "contradicted": 0, "explained": 8, "open": 12, "lost": 16}


def _rating_peers() -> list[Dossier]:
    """Twenty, each with two ratings of every kind and twenty closed matters besides; the best marks go round."""
    peers = [make_dossier(f"peer {number}", issues=make_issues(f"p{number}-", 20)) for number in range(20)]
    turn = 0
    for kind, best in BEST_OF_40.items():
        for place in range(40):
            peer = peers[(turn + place) % 20]
            issues, ratings = _rate(f"{kind}{place}-", 1, kind, 5 if place < best else 4)
            peer.issues += issues
            peer.ratings += ratings
        turn += best
    return peers


@pytest.mark.parametrize(("kind", "best"), BEST_OF_40.items())
def test_praise_is_held_against_ratings_of_what_ended_alike(kind: str, best: int) -> None:
    issues, ratings = _rate("odd", 12, kind, 5)
    rest = make_issues("rest", 20 - sum(issue.closed_at is not None for issue in issues))
    odd = make_dossier("odd", issues=issues + rest, ratings=ratings)

    found = _find_praise(*_rating_peers(), odd, best_odds=100)

    mean = (sum(BEST_OF_40.values()) + 12) / (6 * 40 + 12)
    share = (best + 12 + 20 * mean) / (40 + 12 + 20)
    odds = (12 - 12 * share) / sqrt(12 * share * (1 - share))
    many = (12 - 20 * 3 / 7) / sqrt(20 * 3 / 7 * 4 / 7)  # of a peer's 28 closed matters 12 are rated
    assert found["odd"].odds == round(100 * (many + odds) / sqrt(2))


def test_praise_is_asked_about_from_so_many_deviations_on_and_both_signs_beyond_one() -> None:
    odd = _rated("odd", 12, 0, 8)
    share = 52 / 92  # of all ratings the best
    odds = ((12 - 4) / sqrt(20 * 0.2 * 0.8) + (12 - 12 * share) / sqrt(12 * share * (1 - share))) / sqrt(2)

    assert _find_praise(odd, *RATED, best_odds=int(100 * odds))
    assert not _find_praise(odd, *RATED, best_odds=int(100 * odds) + 1)


@pytest.mark.parametrize(
    ("best", "others", "is_asked"),
    [
        (9, 3, True),  # a deviation and a half more than usual
        (7, 5, False),  # a half
    ],
)
def test_a_kindness_within_one_deviation_is_no_sign_however_many_rate(
    best: int,
    others: int,
    is_asked: bool,  # noqa: FBT001
) -> None:
    assert ("odd" in _find_praise(_rated("odd", best, others, 8), *RATED)) is is_asked


def test_who_is_not_asked_about_hides_nobody() -> None:
    five, odd = _rated("five", 5, 0, 0), _rated("odd", 12, 0, 8)

    assert _find_praise(*RATED, five, odd).keys() == {"odd"}


def test_who_has_nothing_closed_or_rated_does_not_say_how_far_others_differ() -> None:
    """Where half of all are rated always, and half never, many ratings are not odd."""
    unlike = [_rated(f"peer {number}", *((8, 8, 8) if number % 2 else (0, 0, 24))) for number in range(20)]
    idle = [make_dossier(f"idle {number}") for number in range(60)]
    silent = [_rated(f"silent {number}", 0, 0, 4) for number in range(60)]
    fond = [_rated(f"fond {number}", 8 * (number % 2), 8 - 8 * (number % 2), 32) for number in range(20)]

    assert not _find_praise(_rated("odd", 12, 0, 8), *unlike, *idle)
    assert not _find_praise(_rated("odd", 12, 0, 8), *fond, *silent)


def test_where_nobody_gives_the_best_mark_some_are_odd_but_not_beyond_measure() -> None:
    peers = [_rated(f"peer {number}", 0, 100, 400) for number in range(20)]

    (signal,) = _find_praise(_rated("odd", 6, 0, 0), *peers).values()

    usual = 6 * (6 + 20 * 6 / 2_006) / 2_026
    assert signal.odds == round(100 * ((6 - 6 / 5) / sqrt(6 / 5 * 4 / 5) + (6 - usual) / sqrt(0.3)) / sqrt(2))
    assert signal.evidence["usual"] == 1
