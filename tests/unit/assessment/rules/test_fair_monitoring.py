"""The watch over the fair scheme's indicators: figures out of sums, and signs on what may be compared."""

from collections.abc import Sequence
from fractions import Fraction
from statistics import correlation, mean, pstdev

import pytest

from services.assessment.scoring.fair_monitoring import Stretch, Sums, monitor_sums
from services.assessment.scoring.monitoring import Reading, Sign

NAMES = ("timeliness", "satisfaction")
TWELVE = range(12)
RISING = [4_000 + 400 * at for at in TWELVE]
CONTENT = [6_000 + 200 * at for at in TWELVE]
Values = Sequence[int | None]


def pair_sums(own: Values, other: Values) -> list[int]:
    pairs = [(a, b) for a, b in zip(own, other, strict=True) if a is not None and b is not None]
    return [
        len(pairs),
        sum(a for a, _ in pairs),
        sum(a * a for a, _ in pairs),
        sum(b for _, b in pairs),
        sum(b * b for _, b in pairs),
        sum(a * b for a, b in pairs),
    ]


def sums(place: int, own: Values, told: Values, upheld: Values, **more: int) -> Sums:
    known = [one for one in own if one is not None]
    return Sums(
        place=place,
        subjects=len(known),
        total=sum(known),
        squares=sum(one * one for one in known),
        at_ceiling=sum(one >= 9_900 for one in known),
        at_floor=sum(one <= 100 for one in known),
        with_ratings=pair_sums(own, told),
        with_calls=pair_sums(own, upheld),
        **({"true_spread": 500, "points": 0, "limited": 0, "records": 0, "set_aside": 0} | more),
    )


def stretch(
    label: str,
    own: Values,
    told: Values = CONTENT,
    upheld: Values = (None,) * 12,
    *,
    scheme: str = "fair 6",
    is_provisional: bool = False,
    **more: int,
) -> Stretch:
    nobody = (None,) * len(own)
    lines = [sums(1, own, told, upheld, **more), sums(2, told, told, nobody)]
    return Stretch(label=label, scheme=scheme, is_provisional=is_provisional, sums=lines)


def signs(*stretches: Stretch) -> tuple[Sign, ...]:
    return monitor_sums(NAMES, stretches)[0].signs


def reading(one: Stretch, at: int = 0) -> Reading:
    return monitor_sums(NAMES, [one])[at].readings[0]


def test_a_reading_is_what_the_values_themselves_come_to() -> None:
    own = [9_950, 100, 10_000, 37, 4_211, 8_080, 9_899, 5_005, 9_900, 6_666, 101, 7_777]
    upheld = [10_000, None, 9_000, 2_500, 5_000, 8_000, 9_999, 5_000, 10_000, 6_667, 1, 7_000]
    told = reading(stretch("2025-01", own, upheld=upheld, points=900, limited=100, records=400, set_aside=3))
    pairs = [(a, b) for a, b in zip(own, upheld, strict=True) if b is not None]

    assert (told.period, told.scheme, told.subjects, told.at_ceiling, told.at_floor) == ("2025-01", "fair 6", 12, 3, 2)
    assert float(told.mean or 0) == pytest.approx(mean(own) / 100, abs=1e-4)
    assert float(told.spread or 0) == pytest.approx(pstdev(own) / 100, abs=1e-4)
    assert float(told.agreement or 0) == pytest.approx(correlation(own, CONTENT), abs=1e-4)
    assert float(told.agreement_with_calls or 0) == pytest.approx(correlation(*zip(*pairs, strict=True)), abs=1e-4)
    shares = [told.true_spread, told.limited_share, told.set_aside_share]
    assert shares == [Fraction(5), Fraction(10), Fraction(3, 4)]


def test_what_nobody_has_is_not_known_and_citizens_do_not_agree_with_themselves() -> None:
    nobody = reading(stretch("2025-01", (None,) * 12))

    assert (nobody.subjects, nobody.mean, nobody.spread, nobody.agreement) == (0, None, None, None)
    assert (nobody.limited_share, nobody.set_aside_share) == (None, None)
    assert reading(stretch("2025-01", RISING), at=1).agreement is None
    assert reading(Stretch(label="2025-01", scheme="fair 6", is_provisional=False, sums=())).subjects == 0


def test_agreement_is_told_from_ten_who_have_both() -> None:
    nine = [*RISING[:9], None, None, None]

    assert reading(stretch("2025-01", RISING)).agreement == 1
    assert reading(stretch("2025-01", nine)).agreement is None
    assert reading(stretch("2025-01", [5_000] * 12)).agreement is None


def test_signs_begin_where_the_rules_say() -> None:
    full = [9_900] * 10 + [5_000, 5_001]  # five sixths
    fewer = [9_900] * 9 + [5_000, 5_001, 5_002]  # three quarters
    higher = [one + 200 for one in RISING]
    less_content = [one - 200 for one in CONTENT]

    assert signs(stretch("2025-01", RISING), stretch("2025-02", RISING)) == ()
    assert signs(stretch("2025-01", full)) == ("saturated",)
    assert signs(stretch("2025-01", fewer)) == ()
    assert signs(stretch("2025-01", RISING), stretch("2025-02", higher, less_content)) == ("parts_from_citizens",)
    assert signs(stretch("2025-01", RISING), stretch("2025-02", higher, [one + 1 for one in less_content])) == ()
    assert signs(stretch("2025-01", RISING), stretch("2025-02", RISING, CONTENT[::-1])) == ("parts_from_citizens",)


def test_the_spread_that_shrinks_is_the_true_one() -> None:
    narrow = [6_000 + at for at in TWELVE]

    assert signs(stretch("2025-01", RISING), stretch("2025-02", narrow)) == ()
    assert signs(stretch("2025-01", RISING), stretch("2025-02", RISING, true_spread=250)) == ("spread_shrinks",)
    assert signs(stretch("2025-01", RISING), stretch("2025-02", RISING, true_spread=251)) == ()


def test_to_be_denied_where_the_records_are_best_is_a_sign() -> None:
    upheld, denied = [8_000 + 10 * at for at in TWELVE], [8_000 - 10 * at for at in TWELVE]

    def told(first: Values, last: Values) -> tuple[Sign, ...]:
        return signs(stretch("2025-01", RISING, upheld=first), stretch("2025-02", RISING, upheld=last))

    assert told(upheld, denied) == ("parts_from_calls",)
    assert told(denied, denied) == ()
    assert told((None,) * 12, denied) == ()
    assert told(upheld, [one - 2_000 for one in upheld]) == ()  # denied more often, but everywhere


def test_what_still_moves_and_what_other_settings_scored_is_not_compared() -> None:
    full = [9_900] * 12
    shrunk = stretch("2025-02", RISING, true_spread=100)

    assert signs(stretch("2025-01", RISING), stretch("2025Q4", full, is_provisional=True)) == ()
    assert signs(stretch("2025Q4", full, is_provisional=True)) == ()
    assert signs(stretch("2025-01", RISING, scheme="fair 5"), shrunk) == ()
    assert signs(stretch("2025-01", RISING), shrunk) == ("spread_shrinks",)
    found = monitor_sums(NAMES, [stretch("2025-01", RISING), stretch("2025Q4", full, is_provisional=True)])
    assert [one.is_provisional for one in found[0].readings] == [False, True]


def test_few_subjects_say_nothing() -> None:
    assert signs(stretch("2025-01", [9_900] * 9 + [None] * 3)) == ()


def test_sums_of_a_hundred_thousand_are_exact() -> None:
    count = 100_000
    big = Sums(
        place=1,
        subjects=count,
        total=9_999 * count - 1,
        squares=(9_999**2) * (count - 1) + 9_998**2,
        at_ceiling=count,
        at_floor=0,
        true_spread=1,
        points=0,
        limited=0,
        records=0,
        set_aside=0,
        with_ratings=(),
        with_calls=(),
    )

    one = reading(Stretch(label="2025", scheme="fair 6", is_provisional=False, sums=[big]))

    assert (one.mean, one.spread, one.true_spread) == (Fraction("99.99"), Fraction(0), Fraction(1, 100))
