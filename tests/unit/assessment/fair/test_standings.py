"""Ranks, bands and zones within a peer group: who is told apart from whom."""

from collections.abc import Sequence
from decimal import Decimal

import pytest

from services.assessment.fair.results import Result, coarsen, rank_among
from services.assessment.fair.settings import INDICATORS


def _result(cadre: str, score: str, *, lower: str = "0", upper: str = "100", reliability: str = "0.5") -> Result:
    return Result(
        cadre=cadre,
        peer_group="p",
        score=Decimal(score),
        lower=Decimal(lower),
        upper=Decimal(upper),
        reliability=Decimal(reliability),
        base=Decimal(75),
        points={},
    )


def _stand(result: Result, *others: str | int) -> Result:
    scores = [result.score, *map(Decimal, others)]
    return rank_among([result], scores)[result.cadre]


def test_equals_share_the_better_rank() -> None:
    town = [_result("a", "80"), _result("b", "70"), _result("c", "70"), _result("d", "60")]

    ranked = rank_among(town, [one.score for one in town])

    assert {cadre: one.rank for cadre, one in ranked.items()} == {"a": 1, "b": 2, "c": 2, "d": 4}


@pytest.mark.parametrize(
    ("bounds", "ranks"),
    [
        (("65", "75"), (2, 3)),
        (("60", "80"), (1, 4)),  # a bound that equals somebody's score has that one's rank, and the worse of it below
        (("59", "81"), (1, 4)),
        (("69", "71"), (2, 3)),
        (("70", "70"), (2, 3)),
    ],
)
def test_the_interval_of_ranks_is_that_of_the_bounds(bounds: tuple[str, str], ranks: tuple[int, int]) -> None:
    stood = _stand(_result("b", "70", lower=bounds[0], upper=bounds[1]), 80, 70, 60)

    assert (stood.rank_best, stood.rank_worst) == ranks


@pytest.mark.parametrize(
    ("lower", "upper", "band"),
    [
        ("70.01", "80", "above"),
        ("70.00", "80", "middle"),
        ("60", "70.00", "middle"),
        ("60", "69.99", "below"),
    ],
)
def test_who_cannot_be_told_from_the_mean_of_the_peers_is_in_the_middle(lower: str, upper: str, band: str) -> None:
    assert _stand(_result("a", "70", lower=lower, upper=upper), 60, 80).band == band


def test_with_too_little_evidence_there_is_neither_band_nor_zone() -> None:
    others = range(50, 65)

    unsure = _stand(_result("a", "90", lower="85", upper="95", reliability="0.299"), *others)
    sure = _stand(_result("a", "90", lower="85", upper="95", reliability="0.300"), *others)

    assert (unsure.band, unsure.award_zone) == ("not_enough_evidence", "")
    assert (sure.band, sure.award_zone) == ("above", "clear")


@pytest.mark.parametrize(
    ("lower", "upper", "zone"),
    [("77", "90", "clear"), ("76.99", "90", "open"), ("60", "77", "open"), ("60", "76.99", "no")],
)
def test_the_best_fifth_is_clear_open_or_out_of_reach(lower: str, upper: str, zone: str) -> None:
    """Of twenty with 61 to 80 points, four: the cut is at 77."""
    others = [score for score in range(61, 81) if score != 70]

    assert _stand(_result("a", "70", lower=lower, upper=upper), *others).award_zone == zone


@pytest.mark.parametrize(("size", "zone"), [(14, ""), (15, "clear")])
def test_a_small_group_has_no_zones(size: int, zone: str) -> None:
    assert _stand(_result("a", "99", lower="98"), *range(50, 49 + size)).award_zone == zone


@pytest.mark.parametrize(
    ("score", "base", "points", "whole"),
    [
        ("76.50", "75", ["0.75", "0.75"], (77, 75, [1, 1])),
        ("76.49", "75", ["0.75", "0.74"], (76, 75, [1, 0])),
        ("74.50", "75", ["-0.30", "-0.20"], (75, 75, [0, 0])),
        ("100.00", "98.40", ["0.80", "0.80"], (100, 98, [1, 1])),
    ],
)
def test_whole_points_go_to_the_largest_remainders(
    score: str, base: str, points: Sequence[str], whole: tuple[int, int, Sequence[int]]
) -> None:
    parts = dict(zip(INDICATORS, map(Decimal, points), strict=False))
    result = Result(
        cadre="c",
        peer_group="p",
        score=Decimal(score),
        lower=Decimal(0),
        upper=Decimal(100),
        reliability=Decimal(1),
        base=Decimal(base),
        points=parts,
    )

    total, found = coarsen(result)

    assert (total, found["base"], [found[name] for name in parts]) == whole
