"""Rounding at a stage, parts that make up a rounded whole, and how numbers are written."""

import decimal
from decimal import Decimal
from fractions import Fraction

import pytest

from services.assessment.scoring.numbers import (
    exponential,
    natural_logarithm,
    places_of,
    root,
    round_to,
    settle,
    show,
    tame,
    to_decimal,
)

MODES = {
    "half_up": decimal.ROUND_HALF_UP,
    "half_even": decimal.ROUND_HALF_EVEN,
    "down": decimal.ROUND_DOWN,
    "up": decimal.ROUND_UP,
}
VALUES = ["0", "0.4", "0.5", "0.6", "1.5", "2.5", "2.501", "0.045", "0.055", "98.765", "98.775", "100", "7.1"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("places", [0, 1, 2])
def test_a_number_is_rounded_as_on_paper(mode, places):
    for text in [*VALUES, *(f"-{value}" for value in VALUES)]:
        expected = Decimal(text).quantize(Decimal(1).scaleb(-places), MODES[mode])
        assert round_to(Fraction(text), places, mode) == Fraction(expected), text


def test_unless_told_otherwise_a_half_goes_up():
    assert round_to(Fraction(5, 2), 0) == 3


@pytest.mark.parametrize(
    ("value", "places"),
    [
        ("1", 0),
        ("1/2", 1),
        ("1/4", 2),
        ("1/5", 1),
        ("3/40", 3),
        ("1/3", None),
        ("1/6", None),
        ("1/4096", 12),
        ("1/8192", None),
    ],
)
def test_places_are_as_many_as_it_takes_to_write_a_number(value, places):
    assert places_of(Fraction(value)) == places


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [
        ("1/4", None, "0.25"),
        ("2/3", None, "0.666667…"),
        ("100", None, "100"),
        ("1/8", 2, "0.13"),
        ("-1/8", 2, "-0.13"),
        ("3", 2, "3.00"),
        ("1e20", 1, "100000000000000000000.0"),
        ("0.000000001", None, "0.000000001"),
    ],
)
def test_numbers_are_written_plainly(value, places, text):
    assert show(Fraction(value), places) == text


def test_a_rounded_number_is_a_decimal_with_its_places():
    long = "1234567890123456789012345678901.05"

    assert [str(to_decimal(Fraction(value), 2)) for value in ("1.5", "-0.25", "0", long)] == [
        "1.50", "-0.25", "0.00", long,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("parts", "total", "settled"),
    [
        (["1/3", "1/3", "1/3"], "1", ["0.34", "0.33", "0.33"]),  # the first among equals
        (["0.004", "0.006"], "0.01", ["0", "0.01"]),
        (["-0.334", "-0.333", "-0.333"], "-1", ["-0.34", "-0.33", "-0.33"]),
        (["0.125", "0.875"], "1", ["0.13", "0.87"]),
        (["1/7", "2/5"], "0.54", ["0.14", "0.4"]),
        (["0.006", "0.006", "0.988"], "1", ["0.01", "0", "0.99"]),
        (["1/200", "3/700"], "0.01", ["0.01", "0"]),
        ([], "0", []),
    ],
)
def test_what_is_missing_goes_to_the_largest_remainders(parts, total, settled):
    assert settle([Fraction(part) for part in parts], Fraction(total), 2) == [Fraction(one) for one in settled]


def test_where_the_whole_is_not_what_the_parts_come_to_the_largest_part_bears_it():
    assert settle([Fraction("0.29"), Fraction("0.58")], Fraction("0.8"), 1) == [Fraction("0.3"), Fraction("0.5")]
    assert settle([Fraction("0.29"), Fraction("-0.58")], Fraction("-1"), 1) == [Fraction("0.3"), Fraction("-1.3")]
    assert settle([Fraction("0.55"), Fraction("0.55")], Fraction("1.5"), 1) == [Fraction("0.9"), Fraction("0.6")]
    assert settle([Fraction(1), Fraction(1)], Fraction("1.9"), 1) == [Fraction("0.9"), Fraction(1)]
    assert settle([Fraction("0.2"), Fraction("0.61")], Fraction("0.81"), 1) == [Fraction("0.2"), Fraction("0.61")]


def test_a_fraction_that_grows_past_all_use_is_cut_to_sixty_places():
    grown = Fraction(2**1024 + 1, 3 * 2**1023)
    bearable = Fraction(1, 2**1024 - 1)

    assert tame(bearable) == bearable
    assert tame(grown) != grown
    assert abs(tame(grown) - grown) <= Fraction(1, 2 * 10**60)
    assert (tame(grown) * 10**60).denominator == 1


def test_roots_and_powers_of_e_are_exact_to_sixty_places_and_missing_beyond_all_bounds():
    assert [root(Fraction(value)) for value in ("0", "1/4", "9", "-1")] == [0, Fraction(1, 2), 3, None]
    side, half = root(Fraction(2)), natural_logarithm(Fraction(1, 2))
    assert side is not None
    assert half is not None
    assert abs(side * side - 2) < Fraction(1, 10**59)
    assert [natural_logarithm(Fraction(value)) for value in (1, 0, -1)] == [0, None, None]
    assert exponential(Fraction(0)) == 1
    assert abs((exponential(half) or 0) - Fraction(1, 2)) < Fraction(1, 10**59)
    assert [exponential(Fraction(value)) is None for value in (60, 61, -60, -61)] == [False, True, False, True]
