"""Signs that an indicator no longer measures: it fills up, tells nobody apart, or parts from what citizens say."""

from fractions import Fraction

from services.assessment.scoring.monitoring import monitor


def rows(*pairs: tuple[float | None, float | None]) -> list[dict[str, Fraction | None]]:
    names = ("on_time_closure_rate", "satisfaction_rate")
    return [
        {name: None if value is None else Fraction(str(value)) for name, value in zip(names, pair, strict=True)}
        for pair in pairs
    ]


def signs(*periods, indicator="on_time_closure_rate"):
    found = monitor([indicator], [(f"2025-{number:02}", period) for number, period in enumerate(periods, start=1)])
    return found[0].signs


WIDE = rows(*((50 + 4 * at, 60 + 2 * at) for at in range(12)))


def test_what_measures_has_no_sign():
    assert signs(WIDE, WIDE) == ()


def test_full_marks_for_nearly_everybody_are_a_sign():
    assert signs(rows(*((99.5, None) for _ in range(9)), (50, None))) == ("saturated",)
    assert signs(rows(*((99.5, None) for _ in range(7)), *((50, None) for _ in range(3)))) == ()


def test_a_spread_that_halves_is_a_sign():
    narrow = rows(*((70 + at, 60 + 2 * at) for at in range(12)))

    assert signs(WIDE, narrow) == ("spread_shrinks",)


def test_rising_while_citizens_are_less_content_is_a_sign():
    later = rows(*((55 + 4 * at, 50 + 2 * at) for at in range(12)))

    assert signs(WIDE, later) == ("parts_from_citizens",)
    assert signs(WIDE, later, indicator="satisfaction_rate") == ()


def test_being_best_where_citizens_are_least_content_is_a_sign():
    turned = rows(*((50 + 4 * at, 82 - 2 * at) for at in range(12)))

    assert signs(WIDE, turned) == ("parts_from_citizens",)


def test_few_subjects_and_withheld_figures_say_nothing():
    assert signs(rows((100, None), (100, None))) == ()
    assert signs(rows(*((None, 50) for _ in range(12)))) == ()


def test_readings_are_told_by_period():
    reading = monitor(["on_time_closure_rate"], [("2025-01", WIDE)])[0].readings[0]

    assert [reading.subjects, reading.mean, reading.at_ceiling, reading.agreement] == [12, 72, 0, 1]


def test_a_sign_begins_where_the_rule_says():
    eight_of_ten = rows(*((99, None) for _ in range(8)), (50, None), (60, None))
    half = rows(*((50 + 2 * at, 60 + 2 * at) for at in range(12)))
    more_than_half = rows(*((50 + 2.5 * at, 60 + 2 * at) for at in range(12)))
    nine = rows(*((99, None) for _ in range(9)))
    three_of_four = rows(*((99, None) for _ in range(15)), *((50, None) for _ in range(5)))
    level = rows(*((50, None) for _ in range(12)))

    assert signs(eight_of_ten) == ("saturated",)
    assert signs(WIDE, half) == ("spread_shrinks",)
    assert signs(WIDE, more_than_half) == ()
    assert signs(nine) == ()
    assert signs(three_of_four) == ()
    assert signs(level, level) == ()


def test_how_many_stand_at_either_end_is_told():
    shares = (99, 100, 98.99, 1, 0, 0.5, 1.01)
    reading = monitor(["on_time_closure_rate"], [("2025-01", rows(*((share, None) for share in shares)))])
    empty = monitor(["on_time_closure_rate"], [("2025-01", [])])[0].readings[0]

    assert (reading[0].indicator, reading[0].readings[0].at_ceiling, reading[0].readings[0].at_floor) == (
        "on_time_closure_rate",
        2,
        3,
    )
    assert (empty.subjects, empty.mean, empty.spread, empty.agreement) == (0, None, None, None)


def test_agreement_is_pearsons_and_is_told_from_ten_pairs_on():
    pairs = [(10, 1), (20, 5), (30, 2), (40, 8), (50, 3), (60, 9), (70, 4), (80, 7), (90, 6), (100, 10)]

    def agreement(of, indicator="on_time_closure_rate"):
        return monitor([indicator], [("2025-01", rows(*of))])[0].readings[0].agreement

    assert agreement(pairs) == Fraction("0.6485")  # worked out apart
    assert agreement(pairs[:9]) is None
    assert agreement([(50, told) for _, told in pairs]) is None
    assert agreement(pairs, "satisfaction_rate") is None


def test_citizens_part_from_an_indicator_by_two_points_each_way_and_not_by_less():
    def told(rise: float, fall: float):
        later = rows(*((50 + rise + 4 * at, 60 - fall + 2 * at) for at in range(12)))
        return signs(WIDE, later)

    assert told(2, 2) == ("parts_from_citizens",)
    assert told(1.9, 2) == ()
    assert told(2, 1.9) == ()
    assert told(-5, 2) == ()
    assert told(2, -5) == ()


def test_to_part_from_citizens_agreement_must_have_been_there_before():
    level = rows(*((50 + 4 * at, 71) for at in range(12)))
    turned = rows(*((50 + 4 * at, 82 - 2 * at) for at in range(12)))
    silent = rows(*((50 + 4 * at, None) for at in range(12)))

    assert signs(level, turned) == ()
    assert signs(turned, WIDE) == ()
    assert signs(WIDE, level) == ()
    assert signs(WIDE, silent) == ()
    assert signs(silent, WIDE) == ()


def test_while_citizens_say_nothing_nothing_parts_from_what_they_say():
    higher = rows(*((60 + 4 * at, None) for at in range(12)))

    assert signs(WIDE, higher) == ()
    assert signs(higher, rows(*((70 + 4 * at, 10 + 2 * at) for at in range(12)))) == ()


def test_agreement_that_was_never_there_is_not_lost_and_none_is_not_its_contrary():
    unrelated = rows(*((50 + 4 * at, 71 + side) for at in range(6) for side in (-2, 2)))
    turned = rows(*((50 + 4 * at, 71 + side - 2 * at) for at in range(6) for side in (3, 7)))
    agreed = rows(*((50 + 4 * at, 66 + 2 * at) for at in range(6) for _ in range(2)))

    assert signs(unrelated, turned) == ()
    assert signs(agreed, unrelated) == ()
    assert signs(agreed, turned) == ("parts_from_citizens",)
