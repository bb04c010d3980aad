"""A position as it is published: parts that add up, bounds that go outward, halves that go away from the middle."""

from dataclasses import replace
from decimal import Decimal
from math import sqrt

import pytest

from services.assessment.fair.factor import Position, Term
from services.assessment.fair.records import Cadre
from services.assessment.fair.results import Result, half_width, round_position
from services.assessment.fair.settings import INDICATORS
from tests.unit.assessment.fair.few import SETTINGS

CADRE = Cadre(cadre="c", peer_group="p", region="r", unit="u")
TERM = Term(indicator="", level=0.0, limited=0.0, error=1.0, evidence=0.5, lent=0.0, points=0.0)


def _round(*points: float, deviation: float = 2.1, reliability: float = 0.5, places: int = 2) -> Result:
    """Of as many indicators, in their order."""
    terms = [replace(TERM, indicator=name, points=own) for name, own in zip(INDICATORS, points, strict=False)]
    position = Position(terms=tuple(terms), points=sum(points), deviation=deviation, reliability=reliability)
    return round_position(CADRE, position, replace(SETTINGS, places=places))


def _points(result: Result) -> list[str]:
    return [str(points) for points in result.points.values()]


@pytest.mark.parametrize(
    ("points", "score", "rounded"),
    [
        ((1.237, -0.458), "75.78", ["1.24", "-0.46"]),  # remainders of 0.7 and 0.2 make 0.9, which is one
        ((1.232, -0.453), "75.78", ["1.23", "-0.45"]),  # of 0.2 and 0.7
        ((0.375, 0.125), "75.50", ["0.38", "0.12"]),  # of equals the first
        ((0.125,), "75.13", ["0.13"]),
        ((-0.125,), "74.87", ["-0.13"]),
        ((-0.006,), "74.99", ["-0.01"]),
        ((0.006, 0.006, 0.006), "75.02", ["0.01", "0.01", "0.00"]),
        ((), "75.00", []),
    ],
)
def test_points_are_rounded_so_that_they_add_up_to_the_score(
    points: tuple[float, ...], score: str, rounded: list[str]
) -> None:
    result = _round(*points)

    assert str(result.score) == score
    assert _points(result) == rounded + ["0.00"] * (6 - len(rounded))
    assert str(result.base) == "75.00"
    assert (result.cadre, result.peer_group) == ("c", "p")


@pytest.mark.parametrize(
    ("points", "score", "base"), [(30.0, "100.00", "70.00"), (-80.0, "0.00", "80.00"), (25.0, "100.00", "75.00")]
)
def test_what_lies_beyond_the_ends_of_the_scale_is_taken_off_the_base(points: float, score: str, base: str) -> None:
    result = _round(points)

    assert (str(result.score), str(result.base)) == (score, base)
    assert _points(result)[0] == f"{points:.2f}"


def test_the_interval_is_of_chance_and_of_what_the_model_may_be_off() -> None:
    """The model by 0.28 of ten points."""
    assert half_width(2.1, SETTINGS) == pytest.approx(1.645 * sqrt(2.1**2 + 2.8**2))
    assert half_width(0.0, SETTINGS) == pytest.approx(1.645 * 2.8)


@pytest.mark.parametrize(
    ("points", "places", "bounds"),
    [
        (1.0, 2, ("70.24", "81.76")),  # 76 less, and with, 5.7575
        (1.0, 1, ("70.2", "81.8")),
        (1.0, 4, ("70.2424", "81.7576")),  # on a unit: to the next one
        (24.0, 2, ("93.24", "100.00")),
        (-74.0, 2, ("0.00", "6.76")),
        (30.0, 2, ("94.24", "100.00")),
        (-90.0, 2, ("0.00", "5.76")),
    ],
)
def test_bounds_go_outward_and_not_beyond_the_scale(points: float, places: int, bounds: tuple[str, str]) -> None:
    result = _round(points, places=places)

    assert (str(result.lower), str(result.upper)) == bounds


@pytest.mark.parametrize(
    ("reliability", "told"), [(0.5, "0.500"), (0.0625, "0.063"), (0.06249, "0.062"), (0.0, "0.000")]
)
def test_reliability_is_told_in_thousandths(reliability: float, told: str) -> None:
    assert str(_round(1.0, reliability=reliability).reliability) == told


def test_before_it_is_ranked_a_result_has_no_rank_and_no_zone() -> None:
    result = _round(1.0)

    assert (result.rank, result.rank_best, result.rank_worst) == (0, 0, 0)
    assert (result.band, result.award_zone, result.reasons) == ("middle", "", ())
    assert result.points.keys() == set(INDICATORS)
    assert result.base + sum(result.points.values()) == result.score == Decimal("76.00")
