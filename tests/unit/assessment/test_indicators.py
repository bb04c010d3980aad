"""The registry: read strictly, sound in itself, and told in a guide that says the same."""

from decimal import Decimal
from pathlib import Path

import pytest

from services.assessment.domain.indicators import BadIndicator, Figure, compute_figure, read_registry, show_value
from services.assessment.domain.measures import ANSWERS_BEHIND, MEASURES, SPANNED
from services.assessment.domain.schemes import BadScheme, merge_definition, read_scheme

HOME = Path(__file__).parents[3] / "services" / "assessment"
GUIDE = (Path(__file__).parents[3] / "docs" / "indicators.md").read_text("utf-8")
TEXT = (HOME / "indicators.toml").read_text("utf-8")
REGISTRY = read_registry(TEXT)


def test_every_measure_that_is_counted_is_somewhere_in_the_registry():
    used = {name for definition in REGISTRY.definitions for name in definition.measures}

    assert set(MEASURES) | set(SPANNED) == used


def test_no_measure_is_counted_twice_over_in_one_indicator():
    for definition in REGISTRY.definitions:
        for names in (definition.numerator, definition.denominator):
            assert len(names) == len(set(names)), definition.key


def test_what_ratings_change_is_known_as_such():
    reading = {definition.key for definition in REGISTRY.definitions if definition.reads_ratings}

    assert reading == {
        "resolution_rate",
        "satisfaction_rate",
        "attitude_satisfaction",
        "speed_satisfaction",
        "participation_rate",
    }
    assert set(ANSWERS_BEHIND) <= {*MEASURES, *SPANNED}


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('numerator = ["replied"]', 'numerator = ["sent"]', "reply_rate.numerator"),
        ('numerator = ["replied"]', "numerator = []", "reply_rate.numerator"),
        ('unit = "days"', 'unit = "hours"', "unit"),
        ("value_places = 0", "value_places = 9", "value_places"),
        ("value_places = 0", "", "value_places"),
        ('period_rule = "spans"', 'period_rule = "moons"', "period_rule"),
        ('exclusions.en = "none"', "", "exclusions"),
        ("[evenness]", "[evenness]\nsecret = 1", "secret"),
        ("[evenness]", "[evenness", "TOML"),
    ],
)
def test_a_bad_definition_is_refused_by_its_place(old, new, place):
    assert old in TEXT

    with pytest.raises(BadIndicator, match=place):
        read_registry(TEXT.replace(old, new, 1))


@pytest.mark.parametrize(
    ("numerator", "denominator", "value"),
    [(1, 3, "0.3333"), (2, 3, "0.6667"), (1, 16, "0.0625"), (1, 20000, "0.0001"), (0, 5, "0.0000"), (0, 0, None)],
)
def test_a_share_is_rounded_half_up(numerator, denominator, value):
    definition = REGISTRY.get("reply_rate")
    assert definition is not None

    figure = compute_figure(definition, {"replied": numerator, "closed": denominator})

    assert (figure.numerator, figure.denominator, show_value(definition, figure)) == (numerator, denominator, value)


def test_a_count_has_no_denominator():
    definition = REGISTRY.get("field_stay_days")
    assert definition is not None

    assert compute_figure(definition, {"field_stay_days": 12}) == Figure(
        key="field_stay_days", numerator=12, denominator=None, value=Decimal(12)
    )


def test_a_scheme_weighs_what_is_tallied_alone():
    scheme = (HOME / "schemes" / "basic-1.toml").read_text("utf-8")

    with pytest.raises(BadScheme, match="spans_active"):
        read_scheme(merge_definition(scheme.replace("indicators.response_rate", "indicators.evenness"), TEXT))


def test_better_words_for_an_exclusion_make_no_other_scheme():
    scheme = (HOME / "schemes" / "basic-1.toml").read_text("utf-8")
    changed = TEXT.replace("ratings set aside;", "ratings that wait to be looked at;")

    assert changed != TEXT
    assert merge_definition(scheme, changed) == merge_definition(scheme, TEXT)


def test_the_guide_tells_of_every_indicator_as_it_is_defined():
    for definition in REGISTRY.definitions:
        line = next((line for line in GUIDE.splitlines() if line.startswith(f"| `{definition.key}` ")), "")
        assert definition.name["en"] in line, definition.key
        assert definition.name["zh"] in line, definition.key
        assert " + ".join(definition.numerator) in line, definition.key
        assert " + ".join(definition.denominator) in line, definition.key
        assert definition.period_rule in line, definition.key
        assert definition.attribution in line, definition.key
