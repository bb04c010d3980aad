"""How far a count lies above what is usual among peers."""

import math
from statistics import NormalDist

import pytest

from services.assessment.fair.signals.odds import (
    Count,
    count_shares,
    deviations,
    first_few,
    hundredths,
    per_cent,
    rare_deviations,
)

MEDIAN_OF_SQUARE = NormalDist().inv_cdf(0.75) ** 2  # half of all lie within the middle half


def test_less_than_none_is_none() -> None:
    as_usual = {name: Count(found=0, expected=0, variance=0) for name in "vwxyz"}
    found = {"a": Count(found=2, expected=-1.0, variance=0), "b": Count(found=2, expected=0, variance=0)}

    odds = rare_deviations(found | as_usual)

    assert odds["a"] == odds["b"] == pytest.approx(math.sqrt(2) + math.sqrt(3) - 1)
    assert odds["x"] == 0


def test_a_deviation_is_as_far_as_chance_goes() -> None:
    counts = {
        "far": Count(found=5, expected=2, variance=4),
        "sure": Count(found=1, expected=0.9, variance=0),  # nothing is quite sure
        "near": Count(found=2, expected=2, variance=4),
    }

    assert deviations(counts) == pytest.approx({"far": 1.5, "sure": 0.1 / math.sqrt(0.05), "near": 0})
    assert deviations({}) == {}


def test_where_peers_scatter_more_than_chance_all_deviations_are_shorter() -> None:
    counts = {f"c{n}": Count(found=2 + n % 2 * 4, expected=4, variance=1) for n in range(9)}

    odds = deviations(counts | {"far": Count(found=14, expected=4, variance=1)})

    assert odds["far"] == pytest.approx(10 / math.sqrt(4 / MEDIAN_OF_SQUARE))
    assert odds["c1"] == pytest.approx(math.sqrt(MEDIAN_OF_SQUARE))


def test_how_far_peers_scatter_is_told_by_the_middle_one_in_whatever_order_they_come() -> None:
    far = (8, 1, 6, 3, 9, 0, 2, 7, 4, 5)

    odds = deviations({f"c{n}": Count(found=n, expected=0, variance=1) for n in far})

    assert odds["c9"] == pytest.approx(9 / math.sqrt(25 / MEDIAN_OF_SQUARE))


def test_of_what_is_rare_a_few_more_are_not_many_deviations() -> None:
    as_usual = dict.fromkeys("xy", Count(found=0, expected=0, variance=0))

    odds = rare_deviations({"c": Count(found=2, expected=1 / 3, variance=1 / 3), **as_usual})

    assert odds["c"] == pytest.approx(math.sqrt(2) + math.sqrt(3) - math.sqrt(7 / 3))


def test_what_is_usual_is_the_share_of_the_others_drawn_to_that_of_everybody() -> None:
    found = {"a": (3, 4), "b": (1, 10), "c": (0, 6)}

    counts = count_shares(found, {"a": "north", "b": "north", "c": "south"}.__getitem__)

    rate = (1 + 20 * 1 / 16) / (10 + 20)  # one of ten beside it, and elsewhere one of sixteen
    assert counts["a"].found == 3
    assert counts["a"].expected == pytest.approx(4 * rate)
    assert counts["a"].variance == pytest.approx(4 * rate * (1 - rate))
    assert counts["c"].expected == pytest.approx(6 * 4 / 14)  # nobody beside it in the south


def test_who_is_alone_is_compared_with_nothing() -> None:
    assert count_shares({"a": (2, 5)}, str) == {"a": Count(found=2, expected=0, variance=0)}


def test_evidence_is_told_in_round_numbers() -> None:
    assert [per_cent(*pair) for pair in ((1, 8), (1, 3), (2, 3), (1, 200), (3, 3), (0, 0))] == [13, 33, 67, 1, 100, 0]
    assert [hundredths(value) for value in (1.234, 4.5, 1e9)] == [123, 450, 100_000_000]
    assert first_few("gfedcba") == ("a", "b", "c", "d", "e")
