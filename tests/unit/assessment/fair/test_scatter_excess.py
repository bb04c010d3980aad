"""How many matters without a fault the others let expect, and how odd more are, against whole likelihoods."""

from math import log, prod, sqrt

import pytest

from services.assessment.fair.signals.scatter import KINDS, Faults, find_excess, ln

USUAL = [0.5, 0.25, 0.25, 0.25, 0.1]


def test_who_has_one_kind_of_fault_alone_may_have_any_number_without() -> None:
    one_kind = Faults(size=40, kinds=(4, 0, 0, 0, 0), faultless=36)

    excess = find_excess(one_kind, [0.1, 0.0, 0.0, 0.0, 0.0])

    assert excess is None or excess.odds < 0.5


def test_who_has_no_fault_at_all_is_no_odder_than_peers_let_expect() -> None:
    """There is nothing by which to tell the good from the made up."""
    spotless = Faults(size=12, kinds=(0,) * KINDS, faultless=12)

    excess = find_excess(spotless, [0.2, 0.1, 0.1, 0.1, 0.05])

    assert excess is None or excess.odds < 2


def _likelihood(matters: float, faulty: float, size: float, kinds: list[float]) -> float:
    """Of `size` matters so many are alike, and `faulty` of these have a fault; the others have none."""
    with_faults = faulty * log(matters / size) + sum(
        count * log(count / matters) + (faulty - count) * log(1 - count / matters) for count in kinds if count
    )
    return with_faults + (size - faulty) * log((size - faulty) / size)


def _alike(size: float, kinds: list[float]) -> float:
    return sum(count * log(count / size) + (size - count) * log(1 - count / size) for count in kinds if count)


def _work_out(found: Faults, usual: list[float]) -> tuple[float, float]:
    """The expected number and the odds, by halving and by whole likelihoods; three matters of everybody are added."""
    none = 3 * prod(1 - share for share in usual)
    size = found.size + 3.0
    faulty = size - found.faultless - none
    kinds = [min(0.95 * faulty, count + 3 * share) for count, share in zip(found.kinds, usual, strict=True)]
    low, high = faulty, size
    for _ in range(200):
        middle = (low + high) / 2
        with_fault = middle * (1 - prod(1 - count / middle for count in kinds))
        low, high = (middle, high) if with_fault < faulty else (low, middle)
    ratio = _likelihood(low, faulty, size, kinds) - _alike(size, kinds)
    return max(0.0, low - faulty - none), sqrt(2 * ratio)


def test_two_kinds_that_meet_tell_how_many_matters_there_are() -> None:
    """20 have one kind, 15 the other, 10 both: 20 of 30 and 15 of 30 meet in 10. Of the 30, 5 have none, 3 of which
    are everybody's.
    """
    excess = find_excess(Faults(size=40, kinds=(20, 15, 0, 0, 0), faultless=15), [0.0] * KINDS)

    assert excess is not None
    assert excess.expected == pytest.approx(2, rel=1e-12)


@pytest.mark.parametrize(
    ("size", "kinds", "faultless", "usual"),
    [
        (40, (20, 15, 0, 0, 0), 15, [0.0] * KINDS),
        (60, (10, 12, 8, 5, 4), 40, USUAL),
        (14, (6, 6, 6, 6, 6), 4, [0.1] * KINDS),
        (30, (10, 3, 2, 0, 0), 20, [0.3, 0.1, 0.1, 0.0, 0.0]),  # no matter with a fault lacks the first kind
        (40, (18, 11, 9, 0, 0), 13, [0.5, 0.25, 0.2, 0.0, 0.0]),
        (40, (10, 10, 0, 0, 0), 23, [0.25, 0.25, 0.0, 0.0, 0.0]),
        (500, (9, 8, 4, 3, 2), 480, [0.3, 0.2, 0.1, 0.1, 0.1]),
    ],
)
def test_what_is_expected_and_the_odds_are_those_of_the_likelihoods(
    size: int, kinds: tuple[int, ...], faultless: int, usual: list[float]
) -> None:
    found = Faults(size=size, kinds=kinds, faultless=faultless)

    excess = find_excess(found, usual)

    assert excess is not None
    assert (excess.expected, excess.odds) == pytest.approx(_work_out(found, usual), rel=1e-9)


def test_no_less_than_none_is_expected() -> None:
    excess = find_excess(Faults(size=37, kinds=(20, 15, 0, 0, 0), faultless=15), [0.0] * KINDS)

    assert excess is not None
    assert excess.expected == 0.0


def test_faults_that_scatter_exactly_have_no_odds_at_all() -> None:
    """7 and 4 of 28 leave 18, but for the last digit of a binary fraction."""
    excess = find_excess(Faults(size=28, kinds=(7, 4, 0, 0, 0), faultless=18), [7 / 28, 4 / 28, 0, 0, 0])

    assert excess is not None
    assert excess.odds == 0.0


@pytest.mark.parametrize(("faultless", "is_more"), [(23, True), (22, False), (20, False)])
def test_only_more_than_expected_is_an_excess(faultless: int, *, is_more: bool) -> None:
    """Two kinds on a quarter each of 40 matters leave 22.5."""
    found = Faults(size=40, kinds=(10, 10, 0, 0, 0), faultless=faultless)

    assert (find_excess(found, [0.25, 0.25, 0.0, 0.0, 0.0]) is not None) is is_more


@pytest.mark.parametrize(("faultless", "is_compared"), [(3, False), (4, True)])
def test_four_without_a_fault_are_needed(faultless: int, *, is_compared: bool) -> None:
    found = Faults(size=20 + faultless, kinds=(15,) * KINDS, faultless=faultless)

    assert (find_excess(found, [0.1] * KINDS) is not None) is is_compared


def test_where_nobody_has_a_fault_nothing_is_compared() -> None:
    assert find_excess(Faults(size=12, kinds=(0,) * KINDS, faultless=12), [0.0] * KINDS) is None


def test_logarithms_are_those_of_the_library() -> None:
    values = [part / 128 * 2.0**power for power in (-50, -8, -2, -1, 0, 1, 9, 50) for part in range(128, 256)]

    assert ln(1.0) == 0.0
    assert max(abs(ln(value) / log(value) - 1) for value in values if value != 1) < 1e-15
