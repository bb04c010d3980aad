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
