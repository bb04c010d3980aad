"""Who is told apart from whom: by intervals that do not touch, and by nothing else."""

from decimal import Decimal

from services.assessment.handlers.fair_comparisons import tell_apart


def test_only_intervals_that_do_not_touch_are_told_apart():
    spans = [(Decimal(low), Decimal(high)) for low, high in ((60, 70), (70, 80), (71, 90), (40, 59))]

    assert tell_apart(spans) == [(2, 3), (3,), (0, 3), (0, 1, 2)]
