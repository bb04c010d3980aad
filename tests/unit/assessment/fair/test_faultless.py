"""Matters without a fault where the same cadre's others have faults: how rare that is, and when somebody is asked."""

from dataclasses import replace
from itertools import product
from math import prod, sqrt
from typing import Any

import pytest

from services.assessment.fair.marks import Counted
from services.assessment.fair.records import DAY, Cadre, Dossier, Issue
from services.assessment.fair.settings import read_settings
from services.assessment.fair.signals.faultless import Faultless, is_faultless, list_groups
from services.assessment.fair.signals.odds import Everybody, Signal
from services.assessment.importing.records.cli import OWN_SETTINGS

SETTINGS = read_settings(OWN_SETTINGS.read_text("utf-8"))
START = 10 * DAY
FINE = Issue(
    issue="i",
    category="a",
    complexity="1",
    received_at=START,
    answered_at=START + DAY // 4,
    closed_at=START + 5 * DAY,
    answer_allowed=DAY,
    close_allowed=5 * DAY,
    outcome="solved",
    has_reply=True,
)
HOWEVER_LATE = 0


def _dossier(cadre: str, *issues: Issue) -> Dossier:
    return Dossier(cadre=Cadre(cadre=cadre, peer_group="p", region="r", unit="u"), issues=list(issues))


def _issues(name: str, count: int, **more: Any) -> list[Issue]:
    return [replace(FINE, issue=f"{name}{n}", received_at=START + n, **more) for n in range(count)]


def _bad(name: str, count: int, **more: Any) -> list[Issue]:
    return _issues(name, count, outcome="unsolved", **more)


@pytest.mark.parametrize(
    ("given", "part", "is_so"),
    [
        ({}, HOWEVER_LATE, True),
        ({"closed_at": START + 5 * DAY + 1}, HOWEVER_LATE, False),
        ({"closed_at": None}, HOWEVER_LATE, True),
        ({"answered_at": None, "closed_at": None}, HOWEVER_LATE, True),
        ({"outcome": "explained"}, HOWEVER_LATE, False),
        ({"is_denied": True}, HOWEVER_LATE, False),
        ({"is_reopened": True}, HOWEVER_LATE, False),
        ({"is_checked": True}, HOWEVER_LATE, False),  # others asked: no need to look
        ({"has_reply": False}, HOWEVER_LATE, False),
        ({"has_reply": None}, HOWEVER_LATE, True),
        ({}, 4, True),
        ({"answered_at": START + DAY // 4 + 1}, 4, False),
        ({"answered_at": START + DAY // 4 + 1}, 2, True),
        ({"answered_at": START + DAY // 2 + 1}, 2, False),
        ({"answered_at": None}, 4, False),  # closing it answered it
        ({"answered_at": None, "closed_at": START + DAY // 4}, 4, True),
        ({"answer_allowed": None}, 4, False),
    ],
)
def test_what_is_without_a_fault(given: dict[str, Any], part: int, is_so: bool) -> None:  # noqa: FBT001
    assert is_faultless(replace(FINE, **given), part) is is_so


def test_groups_are_what_issues_have_in_common() -> None:
    issues = [
        *_issues("k", 4, answered_at=None),
        *_issues("c", 4, category="b", channel="app", answered_at=START + DAY),
        *_issues("a", 4, category="c", channel="web", complainant="li", answered_at=START + DAY),
        *_issues("s", 4, category="d", channel="tel", answered_at=START, complexity="2"),
        *_issues("few", 3, category="e", channel="post", answered_at=START + DAY),
    ]

    groups = {name: {issue.issue[0] for issue in own} for name, own in list_groups(_dossier("c", *issues))}

    assert groups == {
        "kind a 1": {"k"},
        "kind b 1": {"c"},
        "kind c 1": {"a"},
        "kind d 2": {"s"},
        "channel ": {"k"},
        "channel app": {"c"},
        "channel web": {"a"},
        "channel tel": {"s"},
        "again": {"a"},
        "soon 4": {"s"},
        "soon 8": {"s"},
    }


def _chance(found: int, chances: list[float]) -> float:
    """That so many happen, or more, by all the ways in which they can."""
    return sum(
        prod(chance if one else 1 - chance for one, chance in zip(way, chances, strict=True))
        for way in product((0, 1), repeat=len(chances))
        if sum(way) >= found
    )


def _find(*dossiers: Dossier, rarest: int = 100_000, apart_excess: int = 1) -> list[Signal]:
    """`rarest` in 100,000, whatever the group."""
    alike = {"rarest_kind": rarest, "rarest_again": rarest, "rarest_soon": rarest}
    finder = Faultless(replace(SETTINGS.signals, **alike, apart_excess=apart_excess))
    for one in dossiers:
        finder.note(Counted(dossier=one))
    counted = {one.cadre.cadre: Counted(dossier=one) for one in dossiers}
    return list(finder.find(Everybody(counted=counted, tables={})))


PEERS = [_dossier(f"peer {n}", *_issues(f"p{n}", 1), *_bad(f"q{n}", 2)) for n in range(20)]
LATE: dict[str, Any] = {"answered_at": START + 2 * DAY}


def test_the_chance_is_by_the_cadre_s_other_matters_and_half_a_deviation_more() -> None:
    """Answered in half of the time and without a fault: a third of all, and none of this cadre's others."""
    own = _issues("f", 5, channel="app", answered_at=START + DAY // 4)
    others = [*_issues("g", 1, **LATE), *_bad("h", 7, **LATE)]
    cases = [_dossier("odd", *own, *others), *PEERS]
    usual = (20 + 1) / (60 + 3)  # of each cadre the first three of a kind say what is usual
    rate = (usual * 63 + 20 * usual) / (63 + 20)
    level = (0 + 2 + sqrt(2) / 2) / (8 * rate + 2)
    chance = _chance(5, [max(0, level * rate)] * 5)

    (asked,) = _find(*cases, rarest=int(chance * 100_000) + 2)

    assert asked.cadre == "odd"
    assert asked.records == {f"f{n}" for n in range(1, 5)}  # one was to be expected
    assert asked.examples == tuple(f"f{n}" for n in range(5))
    assert (asked.check, asked.evidence) == (
        "faultless_apart",
        {"issues": 5, "faultless": 5, "usual": round(5 * level * rate)},
    )
    assert _find(*cases, rarest=int(chance * 100_000) - 2) == []


HALF: dict[str, Any] = {"answered_at": START + DAY // 2}


@pytest.mark.parametrize(("fine", "faulty"), [(5, 1), (5, 2)])
def test_faults_among_them_make_it_less_rare(fine: int, faulty: int) -> None:
    """Five of six, or of seven; none of the eight others."""
    own = [*_issues("f", fine, channel="app", **HALF), *_bad("g", faulty, channel="app", **HALF)]
    cases = [_dossier("odd", *own, *_bad("h", 8, **LATE)), *PEERS]
    rate = (20 + 1) / (60 + 3)
    alike = [(0 + 2 + sqrt(2) / 2) / (8 * rate + 2) * rate] * (fine + faulty)
    rarest = _chance(fine, alike) * 100_000

    (asked,) = _find(*cases, rarest=int(rarest) + 2)

    spread = sqrt(sum(chance * (1 - chance) for chance in alike))
    assert asked.odds == round(100 * (fine - sum(alike)) / spread)
    assert asked.records == {f"f{n}" for n in range(round(sum(alike)), fine)}
    assert _find(*cases, rarest=int(rarest) - 2) == []


def test_nobody_is_expected_to_be_without_any_fault() -> None:
    """Forty others without one would let expect more than 0.95 of each."""
    cases = [_dossier("odd", *_issues("f", 5, channel="app"), *_issues("r", 40)), *PEERS]
    rarest = 0.95**5 * 100_000

    (asked,) = _find(*cases, rarest=int(rarest) + 2)

    assert (asked.cadre, asked.odds) == ("odd", round(100 * 5 * 0.05 / sqrt(0.25)))  # spread by no less than that
    assert _find(*cases, rarest=int(rarest) - 2) == []


def test_no_more_than_expected_is_never_asked_about() -> None:
    """Four of five, where nearly all of forty others went well; somebody else is, however many come before."""
    common = _dossier("common", *_issues("f", 4, channel="app"), *_bad("g", 1, channel="app"), *_issues("r", 40))
    odd = _dossier("odd", *_issues("f", 9, channel="app"), *_bad("h", 20, **LATE))

    assert [one.cadre for one in _find(common, odd, *PEERS)] == ["odd"]


def test_of_two_groups_each_has_its_excess_wait_the_latest_first_or_all_by_earlier_settings() -> None:
    """Two channels where all went well; whether a fault was found among them makes no difference to what waits."""
    days = [replace(one, received_at=START + n * DAY) for n, one in enumerate(_issues("f", 9, channel="app"))]
    web = [replace(one, channel="web") for one in _issues("g", 5)]
    faulty = [replace(one, received_at=START + 20 * DAY) for one in _bad("b", 1, channel="app")]
    denied = _issues("d", 1, channel="app", is_denied=True)
    cases = [_dossier("odd", *reversed(days), *faulty, *denied, *web, *_bad("h", 20, **LATE)), *PEERS]

    (asked,) = _find(*cases, rarest=90_000)
    (before,) = _find(*cases, rarest=90_000, apart_excess=0)

    assert asked.evidence["issues"] == 16  # those of both, which were answered soon: the rarest
    assert before.records == {one.issue for one in (*days, *web)} | {"b0"}
    waiting = sorted(asked.records)
    assert set(waiting) < {one.issue for one in (*days, *web)}
    of_app = [name for name in waiting if name.startswith("f")]
    assert of_app == [f"f{n}" for n in range(9 - len(of_app), 9)] != []
    assert [name for name in waiting if name.startswith("g")]


def test_of_who_has_hardly_a_fault_anywhere_no_fault_is_expected_here() -> None:
    own = _issues("f", 5, channel="app", **HALF)
    others = [*_issues("r", 7, **HALF), *_bad("x", 1, **HALF)]
    cases = [_dossier("odd", *own, *others), *PEERS]
    rarest = _chance(5, [7 / 9] * 5) * 100_000  # seven of eight, and one more that might go wrong

    assert [one.cadre for one in _find(*cases, rarest=int(rarest) + 2)] == ["odd"]
    assert _find(*cases, rarest=int(rarest) - 2) == []


def test_of_a_cadre_the_first_three_of_a_kind_say_what_is_usual() -> None:
    """However many more without a fault there are."""
    many = _issues("f", 40, channel="app", **HALF)
    cases = [_dossier("odd", *many[:5], *_bad("h", 8, **LATE)), *PEERS]
    flooded = [*cases, _dossier("flood", *(replace(one, issue=f"z{one.issue}", channel="web") for one in many[:3]))]
    more = [*cases, _dossier("flood", *(replace(one, issue=f"z{one.issue}", channel="web") for one in many))]

    def rarest(dossiers: list[Dossier]) -> int:
        """From where on it is asked."""
        low, high = 0, 100_000
        while high - low > 1:
            middle = (low + high) // 2
            found = any(one.cadre == "odd" for one in _find(*dossiers, rarest=middle))
            low, high = (low, middle) if found else (middle, high)
        return high

    assert rarest(cases) < rarest(flooded) == rarest(more)


@pytest.mark.parametrize(
    ("group", "rule"), [("again", "rarest_again"), ("soon", "rarest_soon"), ("kind", "rarest_kind")]
)
def test_each_sort_of_group_has_its_own_rarity(group: str, rule: str) -> None:
    more: dict[str, Any] = {"again": {"complainant": "li", **HALF}, "soon": {}, "kind": {"channel": "app", **HALF}}[
        group
    ]
    odd = _dossier("odd", *_issues("f", 6, **more), *_bad("h", 8, **LATE))
    rules = replace(SETTINGS.signals, rarest_kind=1, rarest_again=1, rarest_soon=1)

    def asked(limit: int) -> list[str]:
        finder = Faultless(replace(rules, **{rule: limit}))
        for one in (odd, *PEERS):
            finder.note(Counted(dossier=one))
        return [one.cadre for one in finder.find(Everybody(counted={"odd": Counted(dossier=odd)}, tables={}))]

    assert asked(100_000) == ["odd"]
    assert asked(1) == []


def _is_asked(own: list[Issue], others: list[Issue]) -> bool:
    return any(signal.cadre == "odd" for signal in _find(_dossier("odd", *own, *others), *PEERS))


@pytest.mark.parametrize(
    ("fine", "faulty", "others", "is_asked"),
    [
        (4, 0, 2, True),
        (3, 1, 2, False),  # fewer than four without a fault
        (7, 3, 3, True),
        (7, 4, 4, False),  # less than seven in ten
        (9, 4, 5, False),
        (25, 11, 12, False),
        (4, 0, 1, False),  # nothing to compare them with
        (9, 0, 3, True),
        (9, 0, 2, False),  # less than a third as many
    ],
)
def test_a_group_is_asked_about_where_most_is_well_and_there_are_others(
    fine: int,
    faulty: int,
    others: int,
    is_asked: bool,  # noqa: FBT001
) -> None:
    own = [*_issues("f", fine, channel="app"), *_bad("g", faulty, channel="app")]

    assert _is_asked(own, _bad("h", others, **LATE)) is is_asked


def test_of_people_who_come_again_everything_is_set_aside_but_what_others_asked_about() -> None:
    friends = _issues("f", 6, complainant="li", answered_at=START + DAY // 3)
    once = [*_issues("o", 2, complainant="wang", **LATE), *_bad("b", 5, **LATE)]
    known = [*_issues("known", 1, is_checked=True, **LATE), *_issues("denied", 1, is_denied=True, **LATE)]

    (signal,) = (one for one in _find(_dossier("odd", *friends, *once, *known), *PEERS) if one.cadre == "odd")

    assert signal.records == {one.issue for one in (*friends, *once)}


def test_people_come_again_from_the_second_time_on_and_what_else_they_share_makes_no_difference() -> None:
    pairs = [
        replace(one, complainant="li" if n % 2 else "wang") for n, one in enumerate(_issues("f", 4, channel="app"))
    ]
    once = [replace(one, complainant=f"once {n}") for n, one in enumerate(_bad("b", 8, **LATE))]

    (asked,) = _find(_dossier("odd", *pairs, *once), *PEERS)

    assert asked.records == {one.issue for one in (*pairs, *once)}


def test_without_the_rule_nobody_is_asked() -> None:
    """Whatever is said of people who come again, or of answers that come soon."""
    odd = _dossier("odd", *_issues("f", 5, channel="app"), *_bad("h", 7, **LATE))
    finder = Faultless(replace(SETTINGS.signals, rarest_kind=0, rarest_again=100_000, rarest_soon=100_000))
    for one in (odd, *PEERS):
        finder.note(Counted(dossier=one))

    assert list(finder.find(Everybody(counted={"odd": Counted(dossier=odd)}, tables={}))) == []
    assert _find(odd, *PEERS)


@pytest.mark.parametrize(
    ("answered_at", "others", "is_asked"),
    [
        (START + DAY // 2, _bad("h", 8, **LATE), True),
        (START + DAY // 2 + 1, _bad("h", 8, **LATE), False),
        (START + DAY // 4, _issues("h", 8, **HALF), True),  # the others are without a fault, but not so soon
        (START + DAY // 4 + 1, _issues("h", 8, **HALF), False),
    ],
)
def test_of_a_kind_matters_are_answered_in_half_of_the_time_or_a_quarter(
    answered_at: int,
    others: list[Issue],
    is_asked: bool,  # noqa: FBT001
) -> None:
    own = [replace(one, received_at=START, answered_at=answered_at) for one in _issues("f", 5, channel="app")]

    assert bool(_find(_dossier("odd", *own, *others), *PEERS, rarest=10_000)) is is_asked


@pytest.mark.parametrize(("others", "is_asked"), [(_bad("h", 8, **LATE), True), (_issues("h", 8, **LATE), False)])
def test_what_was_answered_soon_is_held_against_how_the_rest_went_and_not_against_how_soon(
    others: list[Issue],
    is_asked: bool,  # noqa: FBT001
) -> None:
    own = _issues("f", 5, answered_at=START + DAY // 8)

    assert bool(_find(_dossier("odd", *own, *others), *PEERS, rarest=10_000)) is is_asked


def test_the_group_that_is_told_is_the_rarest_however_little_is_usual_of_another() -> None:
    """Of `b` hardly anything goes well, and four of four by chance more often than six of six elsewhere."""
    peers = [*PEERS, *(_dossier(f"b {n}", *_bad(f"b{n}-", 3, category="b")) for n in range(20))]
    many = _issues("f", 6, channel="app", **HALF)
    few = _issues("g", 4, channel="web", category="b", **HALF)

    (asked,) = _find(_dossier("odd", *many, *few, *_bad("h", 60, **LATE)), *peers, rarest=90_000)

    assert asked.evidence["issues"] == 6
    assert {name[0] for name in asked.records} == {"f", "g"}
