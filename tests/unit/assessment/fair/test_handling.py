"""The hard ones handed on, or long after they came, and one matter in many issues: from where on."""

from dataclasses import replace
from math import sqrt
from typing import Any

import pytest

from services.assessment.fair.records import DAY, Dossier, Handover, Issue
from services.assessment.fair.signals.handling import HandingOn, find_splits
from tests.unit.assessment.fair.few import SETTINGS, VERSION_2, find, make_dossier, make_issues

LAMP = Issue(issue="i", category="lamps", complexity="1", complainant="li", place="lane 3", received_at=0)


def _handing(hard: int, *, kept: int, hard_kept: int = 0, late: bool = False, easy: int = 0) -> Dossier:
    given = [
        Handover(
            issue=f"h{number}",
            category="hard" if number < hard else "a",
            complexity="1",
            received_at=DAY,
            handed_at=2 * DAY + (0 if late else -1),
            close_allowed=4 * DAY,
        )
        for number in range(hard + easy)
    ]
    issues = [*make_issues("k", kept), *make_issues("x", hard_kept, category="hard")]
    return make_dossier("odd", issues=issues, handovers=given)


KEEPING = [
    make_dossier(
        f"peer {number}",
        issues=make_issues(f"k{number}-", 20),
        handovers=[Handover(issue=f"g{number}", category="a", complexity="1", handed_at=0)],
    )
    for number in range(20)
]


@pytest.mark.parametrize(
    ("dossier", "is_asked"),
    [
        (_handing(6, kept=14), True),
        (_handing(3, kept=2), True),
        (_handing(2, kept=2), False),  # fewer than three
        (_handing(6, kept=35), False),  # under 15 per cent
        (_handing(0, easy=6, kept=14), False),  # no harder than the rest
        (_handing(6, kept=0), False),  # nothing to compare with
        (_handing(6, kept=1, hard_kept=13), False),  # but a little harder
        (_handing(4, kept=8, hard_kept=7), True),
        (_handing(4, kept=7, hard_kept=8), False),  # that may be chance
        (_handing(3, kept=22, late=True), True),  # handed on after a quarter of the time
        (_handing(3, kept=22), False),
        (_handing(3, kept=40, late=True), False),
        (_handing(0, easy=3, kept=12, late=True), False),
        (_handing(6, kept=0, late=True), False),
        (_handing(15, kept=85), True),
        (_handing(15, kept=86), False),
        (_handing(1, easy=4, kept=12), True),  # on average by eight points
        (_handing(1, easy=5, kept=12), False),
    ],
)
def test_the_hard_ones_handed_on(dossier: Dossier, is_asked: bool) -> None:  # noqa: FBT001
    assert ("odd" in find(HandingOn(SETTINGS), *KEEPING, dossier)) is is_asked


def test_what_is_told_of_handing_on() -> None:
    signal = find(HandingOn(SETTINGS), _handing(6, kept=14), *KEEPING)["odd"]

    assert (signal.check, signal.evidence) == ("handing_on", {"handed_on": 6, "issues": 20, "harder_by": 40})
    share = 1 / 21  # of the others' issues
    assert signal.odds == round(100 * (6 - 20 * share) / sqrt(20 * share * (1 - share)))
    assert signal.examples == ("h0", "h1", "h2", "h3", "h4")
    assert find(HandingOn(SETTINGS), _handing(6, kept=14), *KEEPING, tables={}) == {}


def test_what_is_usual_goes_by_all_who_have_issues_or_handed_some_on() -> None:
    """Three have issues only, and one has nothing left; whoever has neither does not count."""
    quiet = [make_dossier(f"quiet {number}", issues=make_issues(f"q{number}-", 20)) for number in range(3)]
    gone = make_dossier("gone", handovers=KEEPING[0].handovers * 10)
    idle = [make_dossier(f"idle {number}") for number in range(60)]

    signal = find(HandingOn(SETTINGS), _handing(2, easy=4, kept=14), *KEEPING, *quiet, gone, *idle)["odd"]

    share = (20 + 10) / (21 * 20 + 3 * 20 + 10)
    assert signal.odds == round(100 * (6 - 20 * share) / sqrt(20 * share * (1 - share)))
    assert signal.evidence["harder_by"] == 13  # a third of forty points


def test_who_has_neither_does_not_say_how_far_others_differ() -> None:
    """Where half of all hand on every second issue, and half none, nobody is odd."""
    halves = [
        make_dossier(
            f"half {number}",
            issues=make_issues(f"k{number}-", 10 if number % 2 else 20),
            handovers=KEEPING[0].handovers * (10 if number % 2 else 0),
        )
        for number in range(20)
    ]
    idle = [make_dossier(f"idle {number}") for number in range(60)]

    assert find(HandingOn(SETTINGS), _handing(14, kept=6), *halves, *idle) == {}


def test_handing_on_is_asked_about_from_so_many_deviations_on() -> None:
    share = 1 / 21
    odds = int(100 * (6 - 20 * share) / sqrt(20 * share * (1 - share)))

    for asked, is_asked in ((odds, True), (odds + 1, False)):
        scheme = replace(SETTINGS, signals=replace(SETTINGS.signals, handing_odds=asked))
        assert ("odd" in find(HandingOn(scheme), _handing(6, kept=14), *KEEPING)) is is_asked


def test_what_came_at_an_unknown_time_or_has_no_limit_was_not_handed_on_late() -> None:
    late = _handing(3, kept=22, late=True)
    assert find(HandingOn(SETTINGS), late, *KEEPING)

    unknown: Any
    for unknown in ({"received_at": None}, {"close_allowed": None}, {"received_at": None, "close_allowed": None}):
        late.handovers = [replace(one, **unknown) for one in _handing(3, kept=22, late=True).handovers]
        assert find(HandingOn(SETTINGS), late, *KEEPING) == {}


def test_version_2_does_not_ask_when_something_was_handed_on() -> None:
    assert find(HandingOn(VERSION_2), _handing(3, kept=22, late=True), *KEEPING) == {}
    assert find(HandingOn(VERSION_2), _handing(6, kept=14), *KEEPING).keys() == {"odd"}


def _repeats(count: int, *, others: int, quick: int = 9) -> Dossier:
    """The first of them is none."""
    same = [
        replace(
            LAMP,
            issue=f"i{n}",
            received_at=n * DAY,
            outcome="solved",
            closed_at=(n + 2) * DAY + (0 if n <= quick else 1),
        )
        for n in range(count + 1)
    ]
    return make_dossier(
        "odd", issues=same + [replace(LAMP, issue=f"o{n}", complainant=f"p{n}") for n in range(others - 1)]
    )


@pytest.mark.parametrize(
    ("dossier", "is_asked"),
    [
        (_repeats(3, others=22), True),
        (_repeats(3, others=23), False),  # under 12 per cent
        (_repeats(2, others=1), False),
        (_repeats(5, others=2, quick=2), True),
        (_repeats(5, others=2, quick=1), False),
        (_repeats(12, others=88), True),
        (_repeats(12, others=89), False),
        (_repeats(100, others=1, quick=40), True),
        (_repeats(101, others=1, quick=40), False),
    ],
)
def test_one_matter_in_many_issues(dossier: Dossier, is_asked: bool) -> None:  # noqa: FBT001
    found = list(find_splits(dossier, SETTINGS))

    assert bool(found) is is_asked
    for signal in found:
        repeats = [one.issue for one in dossier.issues if one.issue.startswith("i")][1:]
        quick = [
            one for one in dossier.issues if one.issue in repeats and (one.closed_at or 0) - one.received_at == 2 * DAY
        ]
        assert (signal.check, signal.odds, signal.examples) == ("split_issues", 0, tuple(sorted(repeats)[:5]))
        assert signal.evidence == {"issues": len(dossier.issues), "repeats": len(repeats), "quick": len(quick)}


def test_what_was_soon_given_up_is_not_split_for_the_count() -> None:
    dossier = _repeats(5, others=2)
    dossier.issues = [replace(issue, outcome="unsolved") for issue in dossier.issues]

    assert list(find_splits(dossier, SETTINGS)) == []
