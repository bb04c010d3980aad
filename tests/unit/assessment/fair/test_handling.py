"""The hard ones handed on, or long after they came, and one matter in many issues: from where on."""

from dataclasses import replace
from math import sqrt

import pytest

from services.assessment.fair.records import DAY, Dossier, Handover, Issue
from services.assessment.fair.signals.handling import HandingOn, find_splits
from tests.unit.assessment.fair.few import SETTINGS, find, make_dossier, make_issues

LAMP = Issue(issue="i", category="lamps", complexity="1", complainant="li", place="lane 3", received_at=0)


def _handing(hard: int, *, kept: int, hard_kept: int = 0, late: bool = False, easy: int = 0) -> Dossier:
    given = [
        Handover(
            issue=f"h{number}",
            category="hard" if number < hard else "a",
            complexity="1",
            received_at=0,
            handed_at=DAY + (0 if late else -1),
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
    ],
)
def test_the_hard_ones_handed_on(dossier: Dossier, is_asked: bool) -> None:  # noqa: FBT001
    assert ("odd" in find(HandingOn(SETTINGS), dossier, *KEEPING)) is is_asked


def test_what_is_told_of_handing_on() -> None:
    signal = find(HandingOn(SETTINGS), _handing(6, kept=14), *KEEPING)["odd"]

    assert (signal.check, signal.evidence) == ("handing_on", {"handed_on": 6, "issues": 20, "harder_by": 40})
    share = 1 / 21  # of the others' issues
    assert signal.odds == round(100 * (6 - 20 * share) / sqrt(20 * share * (1 - share)))
    assert signal.examples == ("h0", "h1", "h2", "h3", "h4")
    assert find(HandingOn(SETTINGS), _handing(6, kept=14), *KEEPING, tables={}) == {}


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
        assert (signal.check, signal.odds, signal.examples) == ("split_issues", 0, tuple(repeats[:5]))
        assert signal.evidence == {"issues": len(dossier.issues), "repeats": len(repeats), "quick": len(quick)}
