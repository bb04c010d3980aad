"""What load, region and unit explain, and how far indicators go together, as the verifying program works it out."""

import random
import tomllib
from dataclasses import replace

import pytest

from services.assessment.fair.adjusting import Adjusted, Evidence, Left, adjust
from services.assessment.fair.factor import fit_loadings
from services.assessment.fair.records import MICRO, Cadre
from services.assessment.fair.settings import INDICATORS, read_settings
from services.assessment.importing.records.cli import OWN_SETTINGS
from tools import verify_fair

TEXT = OWN_SETTINGS.read_text("utf-8")
SETTINGS = read_settings(TEXT)
RULES = tomllib.loads(TEXT)


def _people(
    seed: int,
    count: int,
    *,
    by_load: float = 0.0,
    by_region: float = 0.0,
    by_unit: float = 0.0,
    noise: float = 0.1,
    regions: int = 4,
    most: float = 60,
) -> list[Evidence]:
    """`by_` is how much of a mean is due to what; `most` how many records stand behind one at most."""
    draw = random.Random(seed)  # noqa: S311 - invention, not secrets
    people = []
    for number in range(count):
        load, region, unit = draw.uniform(1, 5), draw.randrange(regions), draw.randrange(6)
        people.append(
            Evidence(
                cadre=Cadre(
                    cadre=f"c{number:02}",
                    peer_group=f"p{number % 2}",
                    region=f"r{region}",
                    unit=f"u{unit}",
                    deprivation=region * 250_000,
                ),
                mean=by_load * load + by_region * (region == 1) + by_unit * (unit - 2.5) + draw.gauss(0, noise),
                effective=draw.uniform(most / 60, most),
                load=load,
            )
        )
    return people


def _alike(people: list[Evidence]) -> list[Evidence]:
    """Without what is published of how hard a region is."""
    return [replace(one, cadre=replace(one.cadre, deprivation=0)) for one in people]


def _in_one_place(people: list[Evidence]) -> list[Evidence]:
    return [replace(one, cadre=replace(one.cadre, region="r", unit="u", deprivation=0)) for one in people]


def _adjust_again(people: list[Evidence], within: float, *, by_load: bool) -> verify_fair.Adjusted:
    evidence = [
        verify_fair.Evidence(
            one.cadre.cadre,
            {
                "peer_group": one.cadre.peer_group,
                "region": one.cadre.region,
                "unit": one.cadre.unit,
                "deprivation": one.cadre.deprivation,
            },
            one.mean,
            one.effective,
            one.load,
        )
        for one in people
    ]
    return verify_fair.adjust(evidence, within, RULES, by_load=by_load)


@pytest.mark.parametrize("within", [0.2, 6.0])
@pytest.mark.parametrize(
    "people",
    [
        _people(1, 40),
        _people(1, 40, by_region=0.5, regions=2),
        _people(1, 3, most=0.6),
        _in_one_place(_people(1, 3, most=0.6, noise=20.0)),
        _alike(_people(1, 40, by_region=0.5, regions=2)),
        _alike(_people(1, 6, by_region=50.0, regions=2, most=0.6)),
        _people(2, 40, by_load=-0.08),
        _people(3, 40, by_load=-0.9),
        _people(4, 40, by_load=0.3),
        _people(5, 40, by_region=0.5, by_unit=0.2),
        _people(6, 5, by_region=0.5),
        _people(7, 2),
        _people(8, 1),
    ],
)
@pytest.mark.parametrize("by_load", [True, False])
def test_what_is_left_is_what_the_verifying_program_leaves(
    people: list[Evidence],
    within: float,
    by_load: bool,  # noqa: FBT001
) -> None:
    adjusted = adjust(people, within, SETTINGS, by_load=by_load)

    again = _adjust_again(people, within, by_load=by_load)
    assert {cadre: left.rest for cadre, left in adjusted.left.items()} == pytest.approx(again.rest, abs=1e-12)
    assert adjusted.between == pytest.approx(again.between, rel=1e-12)
    assert adjusted.within == within
    for one in people:
        left = adjusted.left[one.cadre.cadre]
        assert left.mean - left.load - left.region - left.unit - left.peers == pytest.approx(left.rest, abs=1e-12)
        assert (left.mean, left.effective) == (one.mean, one.effective)
        assert by_load or left.load == 0


def test_a_heavy_load_is_a_relief_of_at_most_so_much_and_a_light_one_no_merit() -> None:
    def relief(by_load: float) -> float:
        people = _people(9, 40, by_load=by_load, noise=0.01)
        left = adjust(people, 0.2, SETTINGS).left
        peers = sorted((one for one in people if one.cadre.peer_group == "p0"), key=lambda one: one.load)
        low, high = peers[0], peers[-1]
        return (left[high.cadre.cadre].load - left[low.cadre.cadre].load) / (high.load - low.load)

    lowest = SETTINGS.adjustment.load_lowest / MICRO
    assert relief(-0.9) == pytest.approx(lowest, abs=0.01)
    assert lowest < relief(-0.08) < -0.04
    assert relief(0.5) == 0


def test_where_there_is_one_place_nothing_is_circumstance() -> None:
    for left in adjust(_in_one_place(_people(1, 9)), 0.2, SETTINGS).left.values():
        assert (left.region, left.unit) == (0, 0)


def test_where_a_place_differs_most_of_it_is_taken_for_circumstance() -> None:
    left = adjust(_people(10, 200, by_region=1.0), 0.2, SETTINGS).left

    off = {round(one.region, 3) for one in left.values()}
    assert max(off) - min(off) == pytest.approx(SETTINGS.adjustment.circumstance / MICRO, abs=0.1)


def _together(seed: int, count: int, shares: dict[str, float]) -> dict[str, Adjusted]:
    """Indicators that have so much of one common level."""
    draw = random.Random(seed)  # noqa: S311 - invention, not secrets
    common = [draw.gauss(0, 1) for _ in range(count)]
    return {
        name: Adjusted(
            left={
                f"c{number}": Left(
                    mean=0,
                    load=0,
                    region=0,
                    unit=0,
                    peers=0,
                    rest=0.2 * (share * level + (1 - abs(share)) * draw.gauss(0, 1)),
                    effective=draw.uniform(2, 40),
                )
                for number, level in enumerate(common)
            },
            between=0.03,
            within=0.2,
        )
        for name, share in shares.items()
    }


FAIRLY = dict.fromkeys(INDICATORS, 0.7)


@pytest.mark.parametrize(
    "adjusted",
    [
        _together(1, 60, FAIRLY),
        _together(2, 30, FAIRLY),
        _together(3, 29, FAIRLY),
        _together(4, 60, {**FAIRLY, "reply": -0.9}),
        _together(5, 60, {"resolution": 1.0, "satisfaction": 1.0, "outreach": 0.2}),
        _together(6, 60, {"resolution": 1.0}),
        _together(7, 29, {"timeliness": 0.5}) | _together(7, 31, {"resolution": 0.8, "satisfaction": 0.8}),
        {},
    ],
)
def test_loadings_are_those_of_the_verifying_program(adjusted: dict[str, Adjusted]) -> None:
    again = {
        name: verify_fair.Adjusted(
            {cadre: left.rest for cadre, left in one.left.items()},
            {cadre: left.effective for cadre, left in one.left.items()},
            one.between,
            one.within,
        )
        for name, one in adjusted.items()
    }

    assert fit_loadings(adjusted) == verify_fair.load_factors(again)


def test_indicators_inform_one_another_as_far_as_they_go_together() -> None:
    apart, alike = _together(8, 200, dict.fromkeys(INDICATORS, 0.0)), _together(9, 200, FAIRLY)
    few = _together(9, 29, FAIRLY)

    assert sorted(fit_loadings(apart).values())[-2] < 0.2  # one alone may have any: it informs nobody
    assert min(fit_loadings(alike).values()) > 0.6
    assert set(fit_loadings(few).values()) == {0.0}
    assert max(fit_loadings(_together(5, 60, dict.fromkeys(INDICATORS, 1.0))).values()) == 0.95
