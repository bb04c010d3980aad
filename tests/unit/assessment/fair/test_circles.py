"""Circles are found by numbers alone first: the same that somebody finds who looks at every pair."""

import random
from dataclasses import replace
from itertools import combinations

import pytest

from services.assessment.fair.dossiers import count_dossier
from services.assessment.fair.records import DAY, Cadre, Dossier, Issue, Rating, Span
from services.assessment.fair.settings import read_settings
from services.assessment.fair.signals.circles import Circles
from services.assessment.fair.signals.odds import Everybody, Signal
from services.assessment.importing.records.cli import OWN_SETTINGS

SETTINGS = read_settings(OWN_SETTINGS.read_text("utf-8"))
SPAN = Span(starts_at=0, ends_at=365 * DAY, as_of=365 * DAY)


def _dossier(
    cadre: str, citizens: list[str], *, unsolved: int = 0, unrated: int = 0, levels: tuple[int, ...] = (5,)
) -> Dossier:
    """An issue for each mention of a citizen, solved and rated but for the first few."""
    dossier = Dossier(cadre=Cadre(cadre=cadre, peer_group="p", region="r", unit="u"))
    for number, citizen in enumerate(citizens):
        issue = Issue(
            issue=f"{cadre}-{number}",
            category="a",
            complexity="1",
            received_at=number * DAY,
            complainant=citizen,
            outcome="unsolved" if number < unsolved else "solved",
        )
        dossier.issues.append(issue)
        if number >= unrated:
            dossier.ratings.append(
                Rating(
                    rating=f"{issue.issue}-g",
                    subject_kind="issue",
                    subject=issue.issue,
                    method="app",
                    level=levels[number % len(levels)],
                    rated_at=number * DAY,
                )
            )
    return dossier


def _find(*dossiers: Dossier) -> list[Signal]:
    circles = Circles(SETTINGS)
    counted = {one.cadre.cadre: count_dossier(one, SPAN, SETTINGS) for one in dossiers}
    for one in counted.values():
        circles.note(one)
    return list(circles.find(Everybody(counted=counted, tables={})))


def _is_circle(holders: tuple[Dossier, ...], citizens: set[str]) -> bool:
    if len(citizens) < 2:
        return False
    issues = [one for holder in holders for one in holder.issues if one.complainant in citizens]
    ids = {one.issue for one in issues}
    rated = [one for holder in holders for one in holder.ratings if one.subject_kind == "issue" and one.subject in ids]
    solved = sum(one.outcome == "solved" and not one.is_denied for one in issues)
    best = sum(one.level == 5 for one in rated)
    is_rated = len(rated) >= 6 and len(rated) >= 0.6 * len(issues)
    return is_rated and best >= 0.85 * len(rated) and solved >= 0.85 * len(issues)


def _citizens(dossier: Dossier, times: int = 1) -> set[str]:
    own = [one.complainant for one in dossier.issues if one.complainant]
    return {citizen for citizen in own if own.count(citizen) >= times}


def _look_at_every_pair(dossiers: list[Dossier]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for one in dossiers:
        if _is_circle((one,), regulars := _citizens(one, times=3)):
            found.setdefault(one.cadre.cadre, set()).update(regulars)
    for pair in combinations(dossiers, 2):
        if _is_circle(pair, shared := _citizens(pair[0]) & _citizens(pair[1])):
            for one in pair:
                found.setdefault(one.cadre.cadre, set()).update(shared)
    return found


def _make_some(seed: int) -> list[Dossier]:
    draw = random.Random(seed)  # noqa: S311 - invention, not secrets
    dossiers = []
    for number in range(6):
        citizens = [draw.choice(("", "f0", "f1", "f1", "f2", f"own{number}")) for _ in range(draw.randrange(3, 12))]
        dossier = _dossier(
            f"c{number}",
            citizens,
            unsolved=draw.choice((0, 0, 1)),
            unrated=draw.choice((0, 0, 1, 3)),
            levels=draw.choice(((5,), (5, 5, 5, 5, 5, 5, 4), (5, 4))),
        )
        dossier.issues = [replace(one, is_denied=draw.random() < 0.05) for one in dossier.issues]
        if dossier.ratings and draw.random() < 0.3:
            dossier.ratings.append(replace(dossier.ratings[0], rating=f"c{number}-lost", subject="c0-1"))
        if dossier.ratings and draw.random() < 0.3:
            dossier.ratings.append(
                replace(dossier.ratings[0], rating=f"c{number}-met", subject_kind="contact", level=1)
            )
        dossiers.append(dossier)
    return dossiers


def test_the_numbers_miss_no_circle_and_make_up_none() -> None:
    sizes = set()
    for seed in range(60):
        dossiers = _make_some(seed)

        found = {signal.cadre: signal for signal in _find(*dossiers)}

        expected = _look_at_every_pair(dossiers)
        sizes.add(len(expected))
        assert found.keys() == expected.keys(), seed
        for one in dossiers:
            if signal := found.get(one.cadre.cadre):
                citizens = expected[one.cadre.cadre]
                issues = {issue.issue for issue in one.issues if issue.complainant in citizens}
                assert signal.records == issues
                assert signal.evidence == {"citizens": len(citizens), "issues": len(issues)}
                assert (signal.check, signal.odds) == ("shared_circle", 0)
                assert signal.examples == tuple(sorted(issues)[:5])
    assert len(sizes) > 3


FRIENDS = ["f0", "f0", "f0", "f1", "f1", "f1"]


@pytest.mark.parametrize(
    ("dossier", "is_asked"),
    [
        (_dossier("a", FRIENDS), True),
        (_dossier("a", ["f0"] * 4 + ["f1"] * 2), False),  # one of them came but twice
        (_dossier("a", [""] * 3 + ["f0"] * 3), False),  # who gave no name is nobody
        (_dossier("a", FRIENDS, unrated=1), False),  # fewer than six ratings
        (_dossier("a", FRIENDS + ["f0"] * 4, unrated=4), True),
        (_dossier("a", FRIENDS + ["f0"] * 5, unrated=5), False),  # fewer than six in ten
        (_dossier("a", ["f0", "f1"] * 50, unrated=40), True),
        (_dossier("a", [*["f0", "f1"] * 50, "f0"], unrated=41), False),
        (_dossier("a", [*FRIENDS, "f0"], unsolved=1), True),
        (_dossier("a", FRIENDS, unsolved=1), False),
        (_dossier("a", [*FRIENDS, "f0"], levels=(4, 5, 5, 5, 5, 5, 5)), True),
        (_dossier("a", FRIENDS, levels=(4, 5, 5, 5, 5, 5)), False),
        (_dossier("a", ["f0"] * 8), False),  # one alone is no circle
        (_dossier("a", ["f0", "f1"] * 10, unsolved=3), True),  # 85 per cent
        (_dossier("a", ["f0", "f1"] * 10, levels=(4, 4, 4, *[5] * 17)), True),
    ],
)
def test_a_circle_around_one_cadre(dossier: Dossier, is_asked: bool) -> None:  # noqa: FBT001
    assert bool(_find(dossier)) is is_asked


def test_two_citizens_in_common_are_a_circle_of_two_cadres_and_one_is_none() -> None:
    own = _dossier("a", ["f0", "f1", "f1", "x"])

    assert {signal.cadre for signal in _find(own, _dossier("b", ["f0", "f0", "f1", "y"]), _dossier("c", ["f2"]))} == {
        "a",
        "b",
    }
    assert _find(own, _dossier("b", ["f1"] * 5)) == []


def test_a_rating_of_what_the_other_answered_for_counts_as_well() -> None:
    first, second = _dossier("a", ["f0", "f1", "f0", "f1"], unrated=1), _dossier("b", ["f0", "f1"])
    assert _find(first, second) == []  # five ratings

    sixth = replace(second.ratings[0], rating="sixth", subject="a-0")

    for ratings in ([*second.ratings, sixth], [sixth, *second.ratings]):
        second.ratings = ratings
        assert {signal.cadre for signal in _find(first, second)} == {"a", "b"}


def test_many_citizens_in_common_are_all_found() -> None:
    citizens = [f"f{number}" for number in range(1_000)]

    found = _find(_dossier("a", citizens), _dossier("b", citizens), _dossier("c", ["own", "f7"]))

    assert {signal.cadre: signal.evidence["citizens"] for signal in found} == {"a": 1_000, "b": 1_000}
