"""How many matters have no fault at all, by how the faults of the others scatter."""

from dataclasses import replace
from itertools import product
from math import log, prod
from pathlib import Path
from typing import Any

import pytest

from services.assessment.fair.marks import Counted
from services.assessment.fair.records import DAY, Cadre, Dossier, Issue, Rating
from services.assessment.fair.settings import read_settings
from services.assessment.fair.signals.odds import Everybody, Signal
from services.assessment.fair.signals.scatter import (
    KINDS,
    Faults,
    Scatter,
    count_faults,
    find_excess,
    list_faultless,
    ln,
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
    assert count_faults(_dossier("c", [replace(FINE, outcome=outcome)]), 1).size == 0


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


def test_who_has_one_kind_of_fault_alone_may_have_any_number_without() -> None:
    one_kind = Faults(size=40, kinds=(4, 0, 0, 0, 0), faultless=36)

    excess = find_excess(one_kind, [0.1, 0.0, 0.0, 0.0, 0.0])

    assert excess is None or excess.odds < 0.5


def test_who_has_no_fault_at_all_is_no_odder_than_peers_let_expect() -> None:
    """There is nothing by which to tell the good from the made up."""
    spotless = Faults(size=12, kinds=(0,) * KINDS, faultless=12)

    excess = find_excess(spotless, [0.2, 0.1, 0.1, 0.1, 0.05])

    assert excess is None or excess.odds < 2


@pytest.mark.parametrize("value", [1e-9, 0.1, 0.5, 0.7071, 0.7072, 0.99, 1.0, 1.5, 3.0, 1e6])
def test_logarithms_are_those_of_the_library(value: float) -> None:
    assert ln(value) == pytest.approx(log(value), rel=1e-14, abs=1e-15)


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
