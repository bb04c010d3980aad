"""The small parts of the fair scheme, for whatever numbers come: nothing lost, no jumps, and no order that shows."""

import math
from decimal import Decimal
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as some

from services.assessment.fair.credit import break_points, credit_time, logarithm, logarithm_of_ratio
from services.assessment.fair.factor import Position, Term
from services.assessment.fair.records import DAY, MICRO, Cadre, Issue
from services.assessment.fair.results import coarsen, rank_among, round_position
from services.assessment.fair.settings import INDICATORS, read_settings
from services.assessment.fair.shares import Hold, share_by_time
from services.assessment.fair.standing import Standing
from services.assessment.importing.records.cli import OWN_SETTINGS

SETTINGS = read_settings(OWN_SETTINGS.read_text("utf-8"))
POINTS = some.lists(some.floats(-90, 90), min_size=0, max_size=6)
RECORDS = some.lists(
    some.tuples(some.integers(1, MICRO), some.integers(-MICRO, MICRO), some.integers(-MICRO, MICRO)),
    min_size=1,
    max_size=30,
)


def _position(points: list[float], deviation: float = 5.0) -> Position:
    terms = [
        Term(indicator=name, level=0, limited=0, error=1, evidence=0.5, lent=0, points=value)
        for name, value in zip(INDICATORS, points, strict=False)
    ]
    return Position(terms=tuple(terms), points=sum(points), deviation=deviation, reliability=0.5)


@given(points=POINTS, deviation=some.floats(0, 40))
def test_points_are_rounded_so_that_they_add_up(points: list[float], deviation: float) -> None:
    result = round_position(
        Cadre(cadre="a", peer_group="p", region="r", unit="u"), _position(points, deviation), SETTINGS
    )

    assert result.base + sum(result.points.values()) == result.score
    assert 0 <= result.lower <= result.score <= result.upper <= 100
    for name, value in zip(INDICATORS, points, strict=False):
        assert abs(result.points[name] - Decimal(value)) <= Decimal("0.01")


@given(records=RECORDS, seed=some.randoms(use_true_random=False))
def test_sums_do_not_depend_on_the_order(records: list[tuple[int, int, int]], seed) -> None:
    shuffled = list(records)
    seed.shuffle(shuffled)

    standings = [Standing(), Standing()]
    for standing, own in zip(standings, (records, shuffled), strict=True):
        for weight, value, residual in own:
            standing.add(weight, value, residual, 40_000)

    assert standings[0] == standings[1]
    assert 1 <= standings[0].effective <= len(records) + 1e-9


@given(taken=some.integers(0, 10**8), more=some.integers(0, 10**6), allowed=some.integers(1, 10**7))
def test_taking_longer_never_earns_more(taken: int, more: int, allowed: int) -> None:
    assert credit_time(taken + more, allowed) <= credit_time(taken, allowed)
    assert 0 <= credit_time(taken, allowed) <= MICRO


def test_credit_has_no_cliff() -> None:
    points = break_points()

    assert list(points) == sorted(points)
    assert credit_time(DAY, DAY) == 400_000
    for before, after in pairwise(points):
        assert after - before < MICRO // 50
    assert (credit_time(DAY // 8, DAY), credit_time(5 * DAY, DAY)) == (MICRO, 0)


def test_each_point_of_the_curve_is_the_root_of_a_power_of_two_rounded_down() -> None:
    """To the two hundredth power both sides are whole numbers."""
    points = break_points()

    assert len(points) == 1_000
    for step, point in enumerate(points):
        assert (8 * point) ** 200 <= MICRO**200 * 2**step < (8 * point + 8) ** 200


def test_credit_falls_a_thousandth_behind_each_point_of_the_curve() -> None:
    for step, point in enumerate(break_points()):
        earned = [credit_time(point, MICRO), credit_time(point + 1, MICRO)]
        assert earned == [MICRO - 1_000 * step, MICRO - 1_000 * (step + 1)]


def test_logarithms_are_known_to_the_last_digit() -> None:
    assert [logarithm(count) for count in (1, 2, 3, 10)] == [math.log(count) for count in (1, 2, 3, 10)]
    ratios = [(7, 7), (2, 1), (1, 2), (3_000_000, 1), (1_000_001, 1_000_000), (2_000_001, 2_000_000)]
    found = [logarithm_of_ratio(*one) for one in ratios]
    assert found == [0, 693_147, -693_147, 14_914_123, 1, 0]


def test_what_is_allowed_no_time_at_all_is_late_after_a_second() -> None:
    assert [credit_time(taken, 0) for taken in (-1, 0, 1, 4)] == [MICRO, MICRO, 400_000, 0]
    assert credit_time(1, 1) == 400_000


@given(hours=some.lists(some.integers(0, 400), max_size=6), closed=some.none() | some.integers(1, 300))
def test_shares_by_time_sum_to_one(hours: list[int], closed: int | None) -> None:
    issue = Issue(
        issue="i",
        category="",
        complexity="",
        received_at=0,
        closed_at=None if closed is None else closed * 3_600,
        close_allowed=10 * DAY,
    )
    holds = [Hold(cadre="first", from_at=0)]
    holds += [Hold(cadre=f"c{place % 3}", from_at=hour * 3_600) for place, hour in enumerate(sorted(hours))]

    shares = share_by_time(issue, holds)

    assert sum(shares.values()) == MICRO
    assert min(shares.values()) >= 0


def test_handing_on_in_the_last_quarter_moves_no_share() -> None:
    issue = Issue(issue="i", category="", complexity="", received_at=0, closed_at=9 * DAY, close_allowed=8 * DAY)
    late, early = Hold(cadre="b", from_at=6 * DAY + 1), Hold(cadre="b", from_at=3 * DAY)

    assert share_by_time(issue, [Hold(cadre="a", from_at=0), late]) == {"a": MICRO}
    assert share_by_time(issue, [Hold(cadre="a", from_at=0), early]) == {"a": 333_333, "b": 666_667}


@settings(max_examples=40)
@given(scores=some.lists(some.floats(-30, 30), min_size=1, max_size=40))
def test_ranks_lie_within_their_interval_and_zones_hold_the_quota(scores: list[float]) -> None:
    results = [
        round_position(
            Cadre(cadre=f"c{place}", peer_group="p", region="r", unit="u"), _position([value], 4.0), SETTINGS
        )
        for place, value in enumerate(scores)
    ]

    standings = rank_among(results, [result.score for result in results])

    for standing in standings.values():
        assert 1 <= standing.rank_best <= standing.rank <= standing.rank_worst <= len(scores)
    if len(scores) < 15:
        assert {standing.award_zone for standing in standings.values()} == {""}


@given(values=some.lists(some.floats(-9, 9), min_size=1, max_size=6))
def test_whole_points_add_up_to_the_whole_score(values: list[float]) -> None:
    result = round_position(Cadre(cadre="c", peer_group="p", region="r", unit="u"), _position(values, 4.0), SETTINGS)

    total, parts = coarsen(result)

    assert sum(parts.values()) == total
    assert abs(total - result.score) <= 0.5
