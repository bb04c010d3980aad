"""How far counts of what is rare are from what was to be expected."""

from services.assessment.fair.signals.odds import Count, rare_deviations


def test_less_than_none_is_none() -> None:
    counts = {
        name: Count(found=2, expected=expected, variance=1.0) for name, expected in (("none", 0.0), ("less", -0.9))
    }

    odds = rare_deviations(counts)

    assert odds["less"] == odds["none"] > 0
