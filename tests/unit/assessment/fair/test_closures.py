"""Closures that citizens contradict, and explanations beyond the usual, of who admits no failure: from where on."""

from collections.abc import Mapping
from dataclasses import replace
from math import sqrt
from typing import Any

import pytest

from services.assessment.fair.records import DAY, Dossier
from services.assessment.fair.reference import Table
from services.assessment.fair.settings import FairSettings
from services.assessment.fair.signals.closures import Admissions, Contradicted, Explained, find_empty
from services.assessment.fair.signals.odds import Everybody, Signal
from tests.unit.assessment.fair.few import SETTINGS, SOLVED, TABLES, VERSION_2, make_dossier, make_issues, see


def _find_paired(
    kind: type[Contradicted] | type[Explained],
    *dossiers: Dossier,
    settings: FairSettings = SETTINGS,
    tables: Mapping[str, Table] = TABLES,
) -> dict[str, Signal]:
    admissions = Admissions(settings)
    finder = kind(admissions, settings)
    counted = see([admissions, finder], dossiers)
    return {signal.cadre: signal for signal in finder.find(Everybody(counted=counted, tables=tables))}


def _honest(number: int, region: str = "r") -> Dossier:
    """Fails as often as is usual, and says so; one of ten closures is contradicted."""
    return make_dossier(
        f"peer {number}",
        region,
        issues=[
            *make_issues(f"s{number}-", 9),
            *make_issues(f"d{number}-", 1, is_denied=True),
            *make_issues(f"u{number}-", 7, outcome="unsolved"),
            *make_issues(f"e{number}-", 2, outcome="explained"),
        ],
    )


PEERS = [_honest(number) for number in range(20)]


def test_who_admits_fewer_failures_than_usual_lacks_them_by_so_many_deviations() -> None:
    admissions = Admissions(SETTINGS)
    see([admissions], [make_dossier("none", "x", issues=make_issues("n", 20)), make_dossier("idle"), *PEERS])

    missing = admissions.count_missing(TABLES["resolution"])

    level = (0 + 20) / (8 + 20)  # of its region, in which nobody else is
    chance = 0.4 * level
    assert missing["none"] == pytest.approx(20 * chance / (20 * chance * (1 - chance)) ** 0.5)
    assert missing["idle"] == 0
    assert abs(missing["peer 1"]) < 0.2


def _doubtful(contradicted: int, solved: int, **more: Any) -> Dossier:
    return make_dossier(
        "odd", issues=[*make_issues("c", contradicted, is_denied=True, **more), *make_issues("s", solved, **more)]
    )


@pytest.mark.parametrize(
    ("contradicted", "solved", "unsolved", "is_asked"),
    [
        (5, 15, 0, True),
        (5, 15, 13, False),  # who admits failures is honest
        (1, 19, 0, False),
        (3, 27, 0, False),  # as many as others have
        (4, 22, 0, True),  # half as many again
        (4, 23, 0, False),
    ],
)
def test_contradicted_closures_of_who_admits_no_failure(
    contradicted: int,
    solved: int,
    unsolved: int,
    is_asked: bool,  # noqa: FBT001
) -> None:
    odd = _doubtful(contradicted, solved)
    odd.issues += make_issues("u", unsolved, outcome="unsolved")

    found = _find_paired(Contradicted, odd, *PEERS)

    assert ("odd" in found) is is_asked
    assert not found.keys() - {"odd"}


def test_what_nobody_asked_the_citizens_about_is_set_aside() -> None:
    odd = _doubtful(5, 15)
    odd.issues += make_issues("k", 2, is_checked=True)

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
    odd = make_dossier("odd", issues=[*make_issues("e", explained, outcome="explained"), *make_issues("s", 16)])
    others = [replace(one, issues=[issue for issue in one.issues if issue.outcome != "explained"]) for one in PEERS]
    tables = {**TABLES, "explaining": Table(mean=usual)}

    assert ("odd" in _find_paired(Explained, odd, *others, tables=tables)) is is_asked


def test_two_signs_together_are_what_is_told() -> None:
    issues = [*make_issues("e", 9, outcome="explained"), *make_issues("s", 20)]

    signal = _find_paired(Explained, make_dossier("odd", "x", issues=issues), *PEERS)["odd"]

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
        *make_issues("e", explained, outcome="explained"),
        *make_issues("s", solved),
        *make_issues("u", unsolved, outcome="unsolved"),
    ]

    found = _find_paired(Explained, make_dossier("odd", issues=issues), *PEERS)

    assert ("odd" in found) is is_asked
    if is_asked:
        assert found["odd"].check == "excess_explanations"
        assert found["odd"].evidence == {"explained": explained, "usual_tenths": explained + solved + unsolved}
        assert found["odd"].examples == tuple(f"e{number:02}" for number in range(5))


def _find_missing(settings: FairSettings, *dossiers: Dossier, tables: Mapping[str, Table] = TABLES) -> dict[str, float]:
    admissions = Admissions(settings)
    see([admissions], dossiers)
    return admissions.count_missing(tables["resolution"])


def test_in_version_2_failures_are_missed_by_what_is_usual_everywhere() -> None:
    dossiers = [make_dossier("none", "x", issues=make_issues("n", 20)), *PEERS]

    assert _find_missing(VERSION_2, *dossiers)["none"] == pytest.approx(20 * 0.4 / sqrt(20 * 0.4 * 0.6))


@pytest.mark.parametrize(("usual", "outcome"), [(1_100_000, "solved"), (-100_000, "unsolved")])
def test_no_kind_of_case_fails_less_than_never_or_more_than_always(usual: int, outcome: str) -> None:
    """What is usual is a sum of effects, and may lie beyond."""
    tables = {"resolution": Table(mean=600_000, expected={("edge", "1", ""): usual})}
    sure = make_dossier("sure", issues=make_issues("n", 10, category="edge", outcome=outcome))

    assert _find_missing(VERSION_2, sure, *PEERS, tables=tables)["sure"] == 0


def test_where_a_region_fails_more_than_usual_no_case_is_expected_to_fail_more_than_always() -> None:
    """There they admit nearly twice as many failures as usual; of hard cases eight in ten are usual."""
    hard = make_dossier("hard", "x", issues=make_issues("h", 10, category="hard", outcome="unsolved"))
    region = make_dossier("region", "x", issues=make_issues("u", 100, outcome="unsolved"))

    assert _find_missing(SETTINGS, hard, region)["hard"] == 0


def _missing(count: int) -> float:
    """Of so many, none failed: in a region in which nobody else is."""
    chance = 0.4 * 20 / (0.4 * count + 20)
    return count * chance / sqrt(count * chance * (1 - chance))


APART = make_dossier("odd", "x", issues=[*make_issues("z", 5, is_denied=True), *make_issues("s", 15)])
MANY_EXPLAINED = make_dossier("odd", "x", issues=[*make_issues("z", 12, outcome="explained"), *make_issues("s", 28)])
# Two of twenty closures are contradicted, and four of forty explained, elsewhere.
ODDS_OF_CLOSURES = (sqrt(5) + sqrt(6) - sqrt(4 * 2 + 1) + _missing(20)) / sqrt(2)
ODDS_OF_EXPLANATIONS = (sqrt(12) + sqrt(13) - sqrt(4 * 4 + 1) + _missing(28)) / sqrt(2)
ODDS_OF_CLOSURES_2 = ((5 - 2) / sqrt(20 * 0.1 * 0.9) + 20 * 0.4 / sqrt(20 * 0.4 * 0.6)) / sqrt(2)
ODDS_OF_EXPLANATIONS_2 = ((12 - 4) / sqrt(40 * 0.1 * 0.9) + 28 * 0.4 / sqrt(28 * 0.4 * 0.6)) / sqrt(2)


@pytest.mark.parametrize(
    ("kind", "dossier", "settings", "rule", "odds"),
    [
        (Contradicted, APART, SETTINGS, "admitted_odds", ODDS_OF_CLOSURES),
        (Explained, MANY_EXPLAINED, SETTINGS, "admitted_odds", ODDS_OF_EXPLANATIONS),
        (Contradicted, APART, VERSION_2, "paired_odds", ODDS_OF_CLOSURES_2),
        (Explained, MANY_EXPLAINED, VERSION_2, "paired_odds", ODDS_OF_EXPLANATIONS_2),
    ],
)
def test_both_signs_together_are_as_odd_as_the_scheme_asks_for(
    kind: type[Contradicted] | type[Explained], dossier: Dossier, settings: FairSettings, rule: str, odds: float
) -> None:
    least = int(100 * odds)

    for asked, is_asked in ((least, True), (least + 1, False)):
        scheme = replace(settings, signals=replace(settings.signals, **{rule: asked}))
        found = _find_paired(kind, dossier, *PEERS, settings=scheme)
        assert ("odd" in found) is is_asked
        if is_asked:
            assert found["odd"].odds == round(100 * odds)
            assert set(found["odd"].examples) <= {f"z{number:02}" for number in range(12)}


def test_what_others_asked_about_is_held_against_what_others_asked_about() -> None:
    """There a third is contradicted, and of the rest nothing."""
    peers = [
        make_dossier(
            f"peer {number}",
            issues=[
                *make_issues(f"s{number}-", 10),
                *make_issues(f"d{number}-", 3, is_checked=True, is_denied=True),
                *make_issues(f"k{number}-", 6, is_checked=True),
            ],
        )
        for number in range(20)
    ]
    odd = make_dossier(
        "odd",
        "x",
        issues=[
            *make_issues("c", 12, is_denied=True, is_checked=True),
            *make_issues("k", 8, is_checked=True),
            *make_issues("s", 5),
        ],
    )

    checked = 20 * (60 + 20 * 60 / 385) / 200  # a third, and a little as among all others
    unchecked = 5 * (0 + 20 * 72 / 400) / 220
    assert _find_paired(Contradicted, odd, *peers)["odd"].evidence == {
        "solved": 25,
        "contradicted": 12,
        "usual_tenths": round(10 * (checked + unchecked)),
    }


def test_a_few_more_explanations_than_usual_are_no_sign_whatever_is_missing() -> None:
    few = make_dossier("odd", issues=[*make_issues("e", 5, outcome="explained"), *make_issues("s", 24)])

    assert _find_paired(Explained, few, *PEERS) == {}


def test_in_version_2_many_explanations_were_enough() -> None:
    """Of somebody who fails hardly less often than others, and says so."""
    issues = [
        *make_issues("e", 12, outcome="explained"),
        *make_issues("s", 28),
        *make_issues("u", 10, outcome="unsolved"),
    ]

    assert _find_paired(Explained, make_dossier("odd", issues=issues), *PEERS, settings=VERSION_2).keys() == {"odd"}


def test_an_instant_answer_with_something_in_it_is_no_empty_one() -> None:
    def ask(has_reply: bool | None, taken: int) -> bool:  # noqa: FBT001
        issues = make_issues("e", 4, received_at=DAY, answered_at=DAY + taken, has_reply=has_reply)
        return bool(list(find_empty(make_dossier("odd", issues=issues), SETTINGS)))

    assert ask(has_reply=False, taken=599)
    assert not ask(has_reply=False, taken=600)
    assert not ask(has_reply=True, taken=599)
    assert not ask(has_reply=None, taken=599)


@pytest.mark.parametrize(
    ("empty", "answered", "is_asked"), [(3, 15, True), (3, 16, False), (2, 2, False), (4, 4, True)]
)
def test_answers_with_nothing_in_them(empty: int, answered: int, is_asked: bool) -> None:  # noqa: FBT001
    nothing = [replace(SOLVED, issue=f"e{n}", answered_at=599, has_reply=False) for n in range(empty)]
    late = [replace(SOLVED, issue=f"l{n}", answered_at=600, has_reply=False) for n in range(answered - empty)]
    silent = [replace(SOLVED, issue=f"s{n}", has_reply=False) for n in range(9)]

    found = list(find_empty(make_dossier("odd", issues=[*nothing, *late, *silent]), SETTINGS))

    assert bool(found) is is_asked
    for signal in found:
        assert (signal.check, signal.odds) == ("empty_replies", 0)
        assert signal.evidence == {"answered": answered, "empty": empty, "share": round(100 * empty / answered)}
        assert signal.records == frozenset()
