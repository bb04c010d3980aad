"""How many matters have no fault at all, by how the faults of the others scatter."""

from dataclasses import replace
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

import pytest

from services.assessment.fair.marks import Counted
from services.assessment.fair.records import DAY, Cadre, Dossier, Issue, Rating
from services.assessment.fair.settings import read_settings
from services.assessment.fair.signals.odds import Everybody, Signal
from services.assessment.fair.signals.scatter import (
    KINDS,
    Excess,
    Faults,
    Scatter,
    count_faults,
    find_excess,
    list_faultless,
)
from services.assessment.importing.records.cli import OWN_SETTINGS

SETTINGS = read_settings(OWN_SETTINGS.read_text("utf-8"))
VERSION_3 = read_settings((Path(__file__).parent / "fair-3.toml").read_text("utf-8"))
START = 10 * DAY
FINE = Issue(
    issue="i",
    category="a",
    complexity="1",
    received_at=START,
    answered_at=START + DAY // 2,
    closed_at=START + 5 * DAY,
    answer_allowed=DAY,
    close_allowed=5 * DAY,
    outcome="solved",
    has_reply=True,
)
FAULTS: tuple[dict[str, Any], ...] = (
    {"outcome": "unsolved"},
    {"has_reply": False},
    {"answered_at": START + DAY + 1},
    {"is_checked": True},
)
SHARES = (0.5, 0.25, 0.25, 0.25)  # of the matters of somebody whose faults scatter
USUAL = [*SHARES, 0.1]


def _rating(issue: str, level: int, method: Any = "app") -> Rating:
    return Rating(rating=f"{issue}-g", subject_kind="issue", subject=issue, method=method, level=level, rated_at=START)


def _dossier(cadre: str, issues: list[Issue], ratings: list[Rating] | None = None) -> Dossier:
    return Dossier(cadre=Cadre(cadre=cadre, peer_group="p", region="r", unit="u"), issues=issues, ratings=ratings or [])


def _scattered(name: str, size: int) -> list[Issue]:
    """Every mixture of faults as often as its chance has it."""
    issues = []
    for has in product((False, True), repeat=len(FAULTS)):
        chance = prod(share if one else 1 - share for one, share in zip(has, SHARES, strict=True))
        given: dict[str, Any] = {}
        for one, fault in zip(has, FAULTS, strict=True):
            given |= fault if one else {}
        issues += [replace(FINE, **given)] * round(size * chance)
    return [replace(issue, issue=f"{name}{number}") for number, issue in enumerate(issues)]


def _made_up(name: str, count: int) -> list[Issue]:
    return [replace(FINE, issue=f"{name}m{number}", received_at=START + number) for number in range(count)]


def _find(dossiers: list[Dossier], settings: Any = SETTINGS) -> list[Signal]:
    counted = {one.cadre.cadre: Counted(dossier=one) for one in dossiers}
    finder = Scatter(settings.signals)
    for one in counted.values():
        finder.note(one)
    return list(finder.find(Everybody(counted=counted, tables={})))


@pytest.mark.parametrize(
    ("given", "part", "kinds"),
    [
        ({}, 1, (0, 0, 0, 0, 0)),
        ({"outcome": "unsolved"}, 1, (1, 0, 0, 0, 0)),
        ({"outcome": "explained"}, 1, (1, 0, 0, 0, 0)),
        ({"is_denied": True}, 1, (1, 0, 0, 0, 0)),
        ({"closed_at": START + 5 * DAY + 1}, 1, (1, 0, 0, 0, 0)),
        ({"closed_at": None}, 1, (0, 0, 0, 0, 0)),
        ({"close_allowed": None, "closed_at": START + 99 * DAY}, 1, (0, 0, 0, 0, 0)),
        ({"has_reply": False}, 1, (0, 1, 0, 0, 0)),
        ({"has_reply": None}, 1, (0, 0, 0, 0, 0)),
        ({"answered_at": START + DAY}, 1, (0, 0, 0, 0, 0)),
        ({"answered_at": START + DAY + 1}, 1, (0, 0, 1, 0, 0)),
        ({"answered_at": None}, 1, (0, 0, 1, 0, 0)),  # closing it answered it
        ({"answered_at": START + DAY // 2 + 1}, 2, (0, 0, 1, 0, 0)),
        ({}, 2, (0, 0, 0, 0, 0)),
        ({"answer_allowed": None, "answered_at": None}, 1, (0, 0, 0, 0, 0)),
        ({"is_checked": True}, 1, (0, 0, 0, 1, 0)),
    ],
)
def test_faults_are_counted_by_kind(given: dict[str, Any], part: int, kinds: tuple[int, ...]) -> None:
    dossier = _dossier("c", [replace(FINE, **given)])

    found = count_faults(dossier, part)

    assert found == Faults(size=1, kinds=kinds, faultless=int(not any(kinds)))
    assert bool(list_faultless(dossier, part)) is not any(kinds)


@pytest.mark.parametrize(("level", "method", "is_fault"), [(5, "app", 0), (4, "app", 1), (1, "callback", 0)])
def test_less_than_the_best_mark_on_own_channels_is_a_fault(level: int, method: str, is_fault: int) -> None:
    assert count_faults(_dossier("c", [FINE], [_rating("i", level, method)]), 1).kinds[-1] == is_fault


@pytest.mark.parametrize("outcome", ["", "left_out"])
def test_what_is_open_or_left_out_says_nothing(outcome: Any) -> None:
    dossier = _dossier("c", [replace(FINE, outcome=outcome)])

    assert count_faults(dossier, 1) == Faults(size=0, kinds=(0,) * KINDS, faultless=0)
    assert list_faultless(dossier, 1) == []


def test_where_faults_scatter_none_is_too_many() -> None:
    found = count_faults(_dossier("c", _scattered("s", 64)), 1)

    excess = find_excess(found, USUAL)

    assert found.faultless == 14
    assert excess is None or excess.odds < 0.5


def test_made_up_matters_do_not_change_how_many_are_expected() -> None:
    found = count_faults(_dossier("c", [*_scattered("s", 64), *_made_up("x", 40)]), 1)

    excess = find_excess(found, USUAL)

    assert found.faultless == 54
    assert excess is not None
    assert excess.expected == pytest.approx(14, abs=2)
    assert excess.odds > 3


def test_the_excess_waits_praised_ones_first_and_the_others_count() -> None:
    made_up = _made_up("x", 40)
    praised = [_rating(issue.issue, 5) for issue in made_up[:3]]
    cheat = _dossier("x", [*_scattered("s", 64), *made_up], praised)

    [signal] = _find([*(_dossier(f"h{number}", _scattered(f"h{number}-", 64)) for number in range(9)), cheat])

    assert (signal.cadre, signal.check) == ("x", "faultless_excess")
    assert signal.evidence["issues"] == len(cheat.issues)
    assert signal.evidence["faultless"] == 54
    assert signal.evidence["waiting"] == len(signal.records) < 54 - signal.evidence["usual"]
    assert {one.subject for one in praised} < signal.records
    rest = [issue for issue in cheat.issues if issue.issue not in signal.records]
    assert not _find([*(_dossier(f"h{n}", _scattered(f"h{n}-", 64)) for n in range(9)), _dossier("x", rest)])


def test_the_order_does_not_matter() -> None:
    town = [_dossier(f"h{number}", _scattered(f"h{number}-", 64)) for number in range(5)]
    town.append(_dossier("x", [*_scattered("s", 64), *_made_up("x", 40)]))
    turned = [replace(one, issues=one.issues[::-1]) for one in reversed(town)]

    assert _find(town) == _find(turned) != []


def test_where_everybodys_faults_go_together_only_who_has_more_stands_out() -> None:
    town = [
        _dossier(f"c{number}", [*_scattered(f"c{number}-", 64), *_made_up(f"c{number}", 40)]) for number in range(9)
    ]

    assert not _find(town)

    town.append(_dossier("x", [*_scattered("s", 64), *_made_up("x", 160)]))

    assert [signal.cadre for signal in _find(town)] == ["x"]


def test_it_came_with_version_4() -> None:
    town = [_dossier(f"h{number}", _scattered(f"h{number}-", 64)) for number in range(5)]
    town.append(_dossier("x", [*_scattered("s", 64), *_made_up("x", 40)]))

    assert _find(town)
    assert not _find(town, VERSION_3)


def _excesses(dossiers: list[Dossier]) -> dict[str, Excess | None]:
    found = {one.cadre.cadre: count_faults(one, 1) for one in dossiers}
    usual = _usual(dossiers)
    return {cadre: find_excess(one, usual) for cadre, one in found.items()}


def _usual(dossiers: list[Dossier]) -> list[float]:
    found = [count_faults(one, 1) for one in dossiers]
    size = sum(one.size for one in found)
    return [sum(one.kinds[kind] for one in found) / size for kind in range(KINDS)]


def _limits(odds: int, kept: int) -> Any:
    return replace(SETTINGS, signals=replace(SETTINGS.signals, scatter_odds=odds, scatter_kept=kept))


def _apart(name: str) -> Dossier:
    """Each fault on a matter of its own: fewer without any than if they scattered."""
    issues = [*(replace(FINE, **fault) for fault in FAULTS for _ in range(3)), *[FINE] * 4]
    return _dossier(name, [replace(issue, issue=f"{name}{number}") for number, issue in enumerate(issues)])


def _together(name: str, faulty: int, faultless: int) -> Dossier:
    """Whatever has a fault has all."""
    everything: dict[str, Any] = {}
    for fault in FAULTS:
        everything |= fault
    worst = [replace(FINE, issue=f"{name}{number}", **everything) for number in range(faulty)]
    return _dossier(name, [*worst, *_made_up(name, faultless)])


def test_of_two_one_is_as_odd_as_its_own_excess() -> None:
    town = [_apart("h"), _together("x", 3, 12)]
    excess = _excesses(town)["x"]
    assert excess is not None

    [signal] = _find(town, _limits(100, 50))

    assert _excesses(town)["h"] is None
    assert (signal.cadre, signal.odds) == ("x", round(100 * excess.odds))
    assert signal.evidence == {
        "issues": 15,
        "faultless": 12,
        "usual": round(excess.expected),
        "waiting": len(signal.records),
    }


def test_who_stands_alone_is_compared_with_nobody() -> None:
    assert not _find([_together("x", 3, 40)])


def test_odds_at_the_limit_are_asked_about_and_less_is_not() -> None:
    town = [_apart("h"), _together("x", 3, 12)]
    excess = _excesses(town)["x"]
    assert excess is not None
    limit = int(100 * excess.odds)
    assert limit > 200

    assert _find(town, _limits(limit, 100))
    assert not _find(town, _limits(limit + 1, 100))


def test_as_many_are_kept_as_are_less_odd_than_the_limit() -> None:
    town = [_apart("h"), _together("x", 3, 12)]
    less = find_excess(replace(count_faults(town[1], 1), size=13, faultless=10), _usual(town))
    assert less is not None
    limit = int(100 * less.odds)
    assert limit > 200

    [one_less] = _find(town, _limits(limit, limit))
    [kept] = _find(town, _limits(limit, limit + 1))

    assert (one_less.evidence["waiting"], kept.evidence["waiting"]) == (3, 2)


def test_three_without_a_fault_are_never_too_many() -> None:
    [signal] = _find([_apart("h"), _together("x", 3, 12)], _limits(100, 1))

    assert signal.evidence["waiting"] == 9


@pytest.mark.parametrize(("faulty", "is_compared"), [(1, False), (2, True), (3, True)])
def test_six_closed_matters_are_needed(faulty: int, *, is_compared: bool) -> None:
    town = [_apart("h"), _together("x", faulty, 4)]
    assert _excesses(town)["x"] is not None

    assert bool(_find(town, _limits(1, 1))) is is_compared


def test_those_that_were_praised_wait_then_the_latest() -> None:
    cheat = _together("x", 3, 12)
    praised = [_rating("xm0", 5), _rating("xm4", 5), _rating("xm11", 5, "callback")]

    [signal] = _find([_apart("h"), replace(cheat, ratings=praised)], _limits(100, 100))

    assert 3 < len(signal.records) < 12
    assert signal.records == {"xm0", "xm4", *(f"xm{number}" for number in range(14 - len(signal.records), 12))}


def test_open_matters_count_neither_way() -> None:
    town = [_apart("h"), _together("x", 3, 12)]
    unfinished = [replace(FINE, issue=f"o{number}", outcome="", closed_at=None) for number in range(20)]
    [closed] = _find(town, _limits(100, 50))

    [signal] = _find([town[0], replace(town[1], issues=[*town[1].issues, *unfinished])], _limits(100, 50))

    assert (signal.odds, signal.records) == (closed.odds, closed.records)
    assert signal.evidence == {**closed.evidence, "issues": 35}


@pytest.mark.parametrize("more", [0, 3])
def test_what_everybody_has_more_is_taken_off(more: int) -> None:
    """Of thirteen the eleventh lies at one deviation where faults scatter."""
    town = [_apart("a"), _apart("b")]
    town += [_dossier(f"c{n}", [*_scattered(f"c{n}-", 64), *_made_up(f"c{n}", more * n)]) for n in range(1, 11)]
    town.append(_dossier("x", [*_scattered("x", 64), *_made_up("x", 150)]))
    excesses = _excesses(town)
    common = max(0.0, sorted(one.odds if one else 0.0 for one in excesses.values())[10] - 1)
    assert (common > 1) is (more > 0)

    signals = {signal.cadre: signal for signal in _find(town, _limits(100, 50))}

    odds = {cadre: one.odds - common for cadre, one in excesses.items() if one}
    assert {cadre: signal.odds for cadre, signal in signals.items()} == {
        cadre: round(100 * one) for cadre, one in odds.items() if one >= 1
    }
    own = excesses["x"]
    assert own is not None
    assert signals["x"].evidence["usual"] == round(own.expected) > 0
    waiting = signals["x"].evidence["waiting"]
    found = count_faults(town[-1], 1)
    for count, is_odd in ((waiting, False), (waiting - 1, True)):
        left = replace(found, size=found.size - count, faultless=found.faultless - count)
        excess = find_excess(left, _usual(town))
        assert (excess is not None and excess.odds - common >= 0.5) is is_odd


@pytest.mark.parametrize(
    ("late", "slow", "faultless"),
    [
        (START + DAY + 1, 40, 54),  # by half of the time those made up are late as well
        (START + DAY + 1, 10, 54),  # by either, but there are more by the whole
        (START + DAY // 2 + 1, 0, 54),  # by the whole time nobody is late
    ],
)
def test_late_is_what_was_not_answered_in_time_or_in_half_of_it(late: int, slow: int, faultless: int) -> None:
    def be_late(issues: list[Issue]) -> list[Issue]:
        return [replace(one, answered_at=late) if one.answered_at == START + DAY + 1 else one for one in issues]

    town = [_dossier(f"h{number}", be_late(_scattered(f"h{number}-", 64))) for number in range(5)]
    made_up = [
        replace(one, received_at=START, answered_at=START + (DAY if number < slow else DAY // 2))
        for number, one in enumerate(_made_up("x", 40))
    ]
    town.append(_dossier("x", [*be_late(_scattered("s", 64)), *made_up]))

    [signal] = _find(town, _limits(100, 50))

    assert signal.evidence["faultless"] == faultless
