"""What cadres record themselves is believed as far as other indicators bear it out, and points are the likeliest."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import product
from math import sqrt

import pytest

from services.assessment.fair.adjusting import Adjusted, Left
from services.assessment.fair.factor import Position, fit_loadings, place
from services.assessment.fair.settings import INDICATORS, read_settings
from services.assessment.importing.records.cli import OWN_SETTINGS

SETTINGS = read_settings(OWN_SETTINGS.read_text("utf-8"))
LOADINGS = dict.fromkeys(INDICATORS, 0.6)
FAST = {"timeliness": (3.0, 0.2), "speed": (3.0, 0.2)}


def _believed(levels: dict[str, tuple[float, float]], *, vouching: int) -> dict[str, float]:
    settings = replace(SETTINGS, standing=replace(SETTINGS.standing, clocks_vouch=vouching))
    found: Position = place(levels, LOADINGS, settings)
    return {term.indicator: term.limited for term in found.terms}


def test_one_clock_bears_out_the_other_only_where_the_settings_say_so() -> None:
    apart, together = (_believed({**FAST, "resolution": (0.0, 0.5)}, vouching=one) for one in (0, 1))

    assert apart["timeliness"] == apart["speed"] == pytest.approx((1 - 0.36 + 0.2 + 0.36 / (1 + 0.36 / 1.14)) ** 0.5)
    assert together["timeliness"] > apart["timeliness"]


def test_who_is_quick_and_solves_what_comes_is_believed() -> None:
    levels = {**FAST, "resolution": (3.0, 0.1), "satisfaction": (3.0, 0.1)}

    apart = _believed(levels, vouching=0)

    assert apart["timeliness"] > _believed(FAST, vouching=0)["timeliness"]
    assert apart["resolution"] == 3


def test_other_entries_are_borne_out_by_clocks() -> None:
    own = {**FAST, "reply": (2.0, 0.2)}

    assert _believed(own, vouching=0)["reply"] == _believed(own, vouching=1)["reply"]


@pytest.mark.parametrize("name", INDICATORS)
def test_what_citizens_confirm_is_believed_whatever_it_says(name: str) -> None:
    levels = {**dict.fromkeys(INDICATORS, (0.0, 0.2)), name: (5.0, 0.2)}

    believed = _believed(levels, vouching=0)[name]

    assert believed == 5 if name in {"resolution", "satisfaction"} else believed < 2


def test_points_are_the_mean_of_what_true_levels_may_be_given_the_records() -> None:
    """By conditioning: levels of variance one go together by the products of their loadings; of two something is seen,
    with errors of its own. Outreach goes with nothing.
    """
    loadings = {"timeliness": 0.3, "reply": 0.5, "resolution": 0.8, "speed": 0.2, "satisfaction": 0.6}
    levels = {"resolution": (1.2, 0.7), "satisfaction": (-0.4, 0.2)}
    weights = {name: SETTINGS.weight_of(name) / 1_000_000 for name in INDICATORS}

    def together(one: str, other: str) -> float:
        return 1.0 if one == other else loadings.get(one, 0.0) * loadings.get(other, 0.0)

    total = sum(weights[one] * weights[other] * together(one, other) for one, other in product(INDICATORS, repeat=2))
    first, second = (sum(weights[name] * together(name, seen) for name in INDICATORS) for seen in levels)
    (own, own_2), between = (1 + error for _, error in levels.values()), together(*levels)
    below = own * own_2 - between**2
    gains = {
        "resolution": (first * own_2 - second * between) / below,
        "satisfaction": (second * own - first * between) / below,
    }
    known = gains["resolution"] * first + gains["satisfaction"] * second

    position = place(levels, loadings, SETTINGS)

    scale = 10 / sqrt(total)
    assert {term.indicator: term.points for term in position.terms} == {
        name: pytest.approx(scale * gains[name] * level) for name, (level, _) in levels.items()
    }
    assert position.points == pytest.approx(sum(scale * gains[name] * level for name, (level, _) in levels.items()))
    assert position.deviation == pytest.approx(scale * sqrt(total - known))
    assert position.reliability == pytest.approx(known / total)


def _adjusted(rests: Iterable[tuple[int, float]], effective: float = 10.0) -> Adjusted:
    lefts = {
        f"c{number}": Left(mean=0, load=0, region=0, unit=0, peers=0, rest=rest, effective=effective)
        for number, rest in rests
    }
    return Adjusted(left=lefts, between=0.03, within=0.2)


def _wave(numbers: range, every: int = 2) -> list[tuple[int, float]]:
    return [(number, 0.12 if number % every else -0.12) for number in numbers]


def test_of_who_have_fewer_than_thirty_people_in_common_none_informs_the_other() -> None:
    pair = {"timeliness": _adjusted(_wave(range(60))), "reply": _adjusted(_wave(range(60), 4))}
    other = {"resolution": _adjusted(_wave(range(31, 91))), "satisfaction": _adjusted(_wave(range(31, 91), 4))}

    found = fit_loadings(pair | other)

    assert found == fit_loadings(pair) | fit_loadings(other)
    assert min(found.values()) > 0


def test_how_much_they_go_together_does_not_depend_on_how_much_is_known_of_all_alike() -> None:
    much, little = (
        fit_loadings(
            {name: _adjusted(_wave(range(60), every), effective) for name, every in (("reply", 2), ("speed", 4))}
        )
        for effective in (40.0, 0.01)
    )

    assert much == pytest.approx(little)
    assert min(much.values()) > 0
