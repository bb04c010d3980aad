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
        ("[contact_duty]", "contact = 1\n[contact_duty]", "contact: must be a table"),
        ("value_places = 0", "value_places = 5", "value_places: must be a whole number from 0 to 4"),
        ("value_places = 0", "value_places = -1", "value_places: must be a whole number from 0 to 4"),
        ("value_places = 0", "value_places = 2.5", "value_places: must be a whole number from 0 to 4"),
        ("value_places = 0", "value_places = true", "value_places: must be a whole number from 0 to 4"),
        ('numerator = ["replied"]', 'numerator = "replied"', "reply_rate.numerator"),
        ('exclusions.en = "none"', 'exclusions.en = ""', "exclusions: needs a text in zh and in en"),
        ('facts = "issue"', 'facts = "rumour"', "response_rate.facts"),
        ('attribution = "post"', 'attribution = "luck"', "contact_duty.attribution"),
    ],
)
def test_a_bad_definition_is_refused_by_its_place(old, new, place):
    assert old in TEXT

    with pytest.raises(BadIndicator, match=place):
        read_registry(TEXT.replace(old, new, 1))


@pytest.mark.parametrize("texts", ['{ zh = "响应率" }', '"响应率"'])
def test_a_name_is_given_in_both_languages(texts):
    given = 'name.zh = "响应率"\nname.en = "Response rate"\n'
    assert given in TEXT

    with pytest.raises(BadIndicator, match=r"response_rate\.name: needs a text in zh and in en"):
        read_registry(TEXT.replace(given, f"name = {texts}\n"))


def test_a_definition_says_what_was_written():
    definition = read_registry(TEXT).get("resolution_rate")
    assert definition is not None

    assert (definition.name["zh"], definition.exclusions["en"][:17]) == ("解决率", "explained for pol")
    assert (definition.facts, definition.unit, definition.period_rule, definition.attribution) == (
        "issue", "share", "received", "responsible",
    )  # fmt: skip
    assert definition.measures == (
        "resolved", "denied", "open_overdue", "explained_policy", "not_accepted", "withdrawn", "merged",
    )  # fmt: skip
    assert definition.reads_ratings == {"solved"}
    assert REGISTRY.get("happiness") is None
    assert read_registry(TEXT).content_hash == REGISTRY.content_hash != read_registry(TEXT + "\n").content_hash


def test_what_a_definition_declares_to_read_is_read_beside_what_its_measures_are_made_of():
    declared = TEXT.replace('numerator = ["resolved"]', 'reads_ratings = ["level"]\nnumerator = ["resolved"]', 1)
    definition = read_registry(declared).get("resolution_rate")
    assert definition is not None

    assert definition.reads_ratings == {"solved", "level"}


def test_what_is_counted_on_demand_is_not_tallied():
    tallied = {definition.key: definition.is_tallied for definition in REGISTRY.definitions}

    assert {key for key in ("contact_duty", "resolution_rate", "field_stay_days") if tallied[key]} == {
        "contact_duty", "resolution_rate", "field_stay_days",
    }  # fmt: skip
    assert not any(tallied[key] for key in ("evenness", "participation_rate", "duty_visit", "village_breadth"))


def test_a_measure_that_nothing_was_counted_of_is_nothing():
    definition = REGISTRY.get("response_rate")
    assert definition is not None

    assert compute_figure(definition, {"responded": 3}) == Figure(
        key="response_rate", numerator=3, denominator=3, value=Decimal("1.0000")
    )
    assert compute_figure(definition, {}) == Figure(key="response_rate", numerator=0, denominator=0, value=None)


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
