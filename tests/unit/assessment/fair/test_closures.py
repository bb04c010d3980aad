"""Closures that citizens contradict, explanations beyond the usual, praise and handing on: from where on."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from math import sqrt
from typing import Any

import pytest

from services.assessment.fair.dossiers import count_dossier
from services.assessment.fair.marks import Counted
from services.assessment.fair.records import DAY, Cadre, Dossier, Handover, Issue, Rating, Span
from services.assessment.fair.reference import Table
from services.assessment.fair.settings import read_settings
from services.assessment.fair.signals.closures import Admissions, Contradicted, Explained
from services.assessment.fair.signals.handling import HandingOn
from services.assessment.fair.signals.odds import Everybody, Finder, Signal
from services.assessment.fair.signals.praise import Praise
from services.assessment.importing.records.cli import OWN_SETTINGS

SETTINGS = read_settings(OWN_SETTINGS.read_text("utf-8"))
SPAN = Span(starts_at=0, ends_at=365 * DAY, as_of=365 * DAY)
TABLES = {
    "resolution": Table(mean=600_000, expected={("hard", "1", ""): 200_000}),
    "explaining": Table(mean=100_000),
}
SOLVED = Issue(issue="i", category="a", complexity="1", received_at=0, closed_at=DAY, outcome="solved")


def _dossier(cadre: str, region: str = "r", **records: Any) -> Dossier:
    return Dossier(cadre=Cadre(cadre=cadre, peer_group="p", region=region, unit="u"), **records)


def _issues(name: str, count: int, **more: Any) -> list[Issue]:
    return [replace(SOLVED, issue=f"{name}{number:02}", **more) for number in range(count)]


def _see(finders: Iterable[Finder | Admissions], dossiers: list[Dossier]) -> dict[str, Counted]:
    counted = {one.cadre.cadre: count_dossier(one, SPAN, SETTINGS) for one in dossiers}
    for one in counted.values():
        for finder in finders:
            finder.note(one)
    return counted


def _find(finder: Finder, *dossiers: Dossier, tables: Mapping[str, Table] = TABLES) -> dict[str, Signal]:
    counted = _see([finder], list(dossiers))
    return {signal.cadre: signal for signal in finder.find(Everybody(counted=counted, tables=tables))}


def _find_paired(
    kind: type[Contradicted] | type[Explained], *dossiers: Dossier, tables: Mapping[str, Table] = TABLES
) -> dict[str, Signal]:
    admissions = Admissions(SETTINGS)
    finder = kind(admissions, SETTINGS)
    counted = _see([admissions, finder], list(dossiers))
    return {signal.cadre: signal for signal in finder.find(Everybody(counted=counted, tables=tables))}


def _honest(number: int, region: str = "r") -> Dossier:
    """Fails as often as is usual, and says so; one of ten closures is contradicted."""
    return _dossier(
        f"peer {number}",
        region,
        issues=[
            *_issues(f"s{number}-", 9),
            *_issues(f"d{number}-", 1, is_denied=True),
            *_issues(f"u{number}-", 7, outcome="unsolved"),
            *_issues(f"e{number}-", 2, outcome="explained"),
        ],
    )


PEERS = [_honest(number) for number in range(20)]


def test_who_admits_fewer_failures_than_usual_lacks_them_by_so_many_deviations() -> None:
    admissions = Admissions(SETTINGS)
    _see([admissions], [_dossier("none", "x", issues=_issues("n", 20)), _dossier("idle"), *PEERS])

    missing = admissions.count_missing(TABLES["resolution"])

    level = (0 + 20) / (8 + 20)  # of its region, in which nobody else is
    chance = 0.4 * level
    assert missing["none"] == pytest.approx(20 * chance / (20 * chance * (1 - chance)) ** 0.5)
    assert missing["idle"] == 0
    assert abs(missing["peer 1"]) < 0.2


def _doubtful(contradicted: int, solved: int, **more: Any) -> Dossier:
    return _dossier("odd", issues=[*_issues("c", contradicted, is_denied=True, **more), *_issues("s", solved, **more)])


@pytest.mark.parametrize(
    ("contradicted", "solved", "unsolved", "is_asked"),
    [
        (5, 15, 0, True),
        (5, 15, 13, False),  # who admits failures is honest
        (1, 19, 0, False),
        (3, 27, 0, False),  # as many as others have
        (4, 20, 0, True),  # half as many again
    ],
)
def test_contradicted_closures_of_who_admits_no_failure(
    contradicted: int,
    solved: int,
    unsolved: int,
    is_asked: bool,  # noqa: FBT001
) -> None:
    odd = _doubtful(contradicted, solved)
    odd.issues += _issues("u", unsolved, outcome="unsolved")

    found = _find_paired(Contradicted, odd, *PEERS)

    assert ("odd" in found) is is_asked
    assert not found.keys() - {"odd"}


def test_what_nobody_asked_the_citizens_about_is_set_aside() -> None:
    odd = _doubtful(5, 15)
    odd.issues += _issues("k", 2, is_checked=True)

    signal = _find_paired(Contradicted, odd, *PEERS)["odd"]

    assert signal.records == {f"s{number:02}" for number in range(15)}
    assert signal.examples == tuple(f"c{number:02}" for number in range(5))
    assert signal.check == "contradicted_closures"
    assert signal.evidence["solved"] == 22
    assert signal.evidence["contradicted"] == 5
    assert signal.evidence["usual_tenths"] == 22  # one of ten, of those whom others asked and of the rest


@pytest.mark.parametrize(("contradicted", "is_asked"), [(2, True), (1, False)])
def test_where_nobody_else_is_contradicted_two_are_enough(contradicted: int, is_asked: bool) -> None:  # noqa: FBT001
    clean = [replace(one, issues=[issue for issue in one.issues if not issue.is_denied]) for one in PEERS]

    assert ("odd" in _find_paired(Contradicted, _doubtful(contradicted, 12), *clean)) is is_asked


@pytest.mark.parametrize(("explained", "usual", "is_asked"), [(3, 20_000, True), (2, 1_000, False)])
def test_where_hardly_anybody_explains_three_are_enough(explained: int, usual: int, is_asked: bool) -> None:  # noqa: FBT001
    odd = _dossier("odd", issues=[*_issues("e", explained, outcome="explained"), *_issues("s", 16)])
    others = [replace(one, issues=[issue for issue in one.issues if issue.outcome != "explained"]) for one in PEERS]
    tables = {**TABLES, "explaining": Table(mean=usual)}

    assert ("odd" in _find_paired(Explained, odd, *others, tables=tables)) is is_asked


def test_two_signs_together_are_what_is_told() -> None:
    issues = [*_issues("e", 9, outcome="explained"), *_issues("s", 20)]

    signal = _find_paired(Explained, _dossier("odd", "x", issues=issues), *PEERS)["odd"]

    many = sqrt(9) + sqrt(10) - sqrt(4 * 2.9 + 1)
    chance = 0.4 * 20 / 28  # of its region, in which nobody else is
    missing = 20 * chance / sqrt(20 * chance * (1 - chance))
    assert signal.odds == round(100 * (many + missing) / sqrt(2))


@pytest.mark.parametrize(
    ("explained", "solved", "unsolved", "is_asked"),
    [
        (12, 28, 0, True),
        (12, 28, 8, True),
        (12, 28, 10, False),
        (2, 0, 0, False),
        (5, 40, 0, False),  # a little more than usual
    ],
)
def test_explanations_of_who_admits_no_failure(
    explained: int,
    solved: int,
    unsolved: int,
    is_asked: bool,  # noqa: FBT001
) -> None:
    issues = [
        *_issues("e", explained, outcome="explained"),
        *_issues("s", solved),
        *_issues("u", unsolved, outcome="unsolved"),
    ]

    found = _find_paired(Explained, _dossier("odd", issues=issues), *PEERS)

    assert ("odd" in found) is is_asked
    if is_asked:
        assert found["odd"].check == "excess_explanations"
        assert found["odd"].evidence == {"explained": explained, "usual_tenths": explained + solved + unsolved}
        assert found["odd"].examples == tuple(f"e{number:02}" for number in range(5))


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
    issues = [*_issues("k", kept), *_issues("x", hard_kept, category="hard")]
    return _dossier("odd", issues=issues, handovers=given)


KEEPING = [
    _dossier(
        f"peer {number}",
        issues=_issues(f"k{number}-", 20),
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
    assert ("odd" in _find(HandingOn(SETTINGS), dossier, *KEEPING)) is is_asked


def test_what_is_told_of_handing_on() -> None:
    signal = _find(HandingOn(SETTINGS), _handing(6, kept=14), *KEEPING)["odd"]

    assert (signal.check, signal.evidence) == ("handing_on", {"handed_on": 6, "issues": 20, "harder_by": 40})
    share = 1 / 21  # of the others' issues
    assert signal.odds == round(100 * (6 - 20 * share) / sqrt(20 * share * (1 - share)))
    assert signal.examples == ("h0", "h1", "h2", "h3", "h4")
    assert _find(HandingOn(SETTINGS), _handing(6, kept=14), *KEEPING, tables={}) == {}


def _rated(cadre: str, best: int, others: int, unrated: int, **more: Any) -> Dossier:
    issues = _issues("i", best + others + unrated)
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
    return _dossier(cadre, issues=issues, ratings=ratings)


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
    assert ("odd" in _find(Praise(SETTINGS.signals), dossier, *RATED)) is is_asked


def test_what_is_told_of_praise() -> None:
    odd = _rated("odd", 12, 0, 8)
    odd.ratings.append(replace(odd.ratings[0], rating="called", method="callback"))

    signal = _find(Praise(SETTINGS.signals), odd, *RATED)["odd"]

    assert (signal.check, signal.evidence) == (
        "praise_apart",
        {"closed": 20, "own_channel": 12, "usual": 4, "called": 1},
    )
    many = (12 - 4) / sqrt(20 * 0.2 * 0.8)  # of the others a fifth is rated
    share = 52 / 92  # of all ratings the best
    best = (12 - 12 * share) / sqrt(12 * share * (1 - share))
    assert signal.odds == round(100 * (many + best) / sqrt(2))
    assert signal.records == {one.rating for one in odd.ratings} - {"called"}
