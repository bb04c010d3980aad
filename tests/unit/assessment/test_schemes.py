"""Schemes of indicators: read strictly, each fault with its place, and known by the hash of what they say."""

import copy
import hashlib
from pathlib import Path
from typing import Any

import pytest

from services.assessment.domain.schemes import BadScheme, hash_definition, merge_definition, read_scheme

HOME = Path(__file__).parents[3] / "services" / "assessment"
SCHEME_TEXT = (HOME / "schemes" / "basic-1.toml").read_text("utf-8")
INDICATORS_TEXT = (HOME / "indicators.toml").read_text("utf-8")
DEFINITION = merge_definition(SCHEME_TEXT, INDICATORS_TEXT)
RATE = ("indicators", "response_rate")
LONGEST_KEY = "r" * 64


def changed(path: tuple[str, ...], value: object) -> dict[str, Any]:
    definition = copy.deepcopy(DEFINITION)
    table = definition
    for step in path[:-1]:
        table = table[step]
    table[path[-1]] = value
    return definition


def renamed(key: str) -> dict[str, Any]:
    """The response rate under another key."""
    definition = copy.deepcopy(DEFINITION)
    definition["indicators"][key] = definition["indicators"].pop("response_rate")
    definition["order"] = [key if one == "response_rate" else one for one in definition["order"]]
    return definition


FAULTS: list[tuple[tuple[str, ...], object, str]] = [
    (("normalisation",), "rank", "normalisation: only 'proportional' is known"),
    (("points_places",), 3, "points_places: only 2 is known"),
    (("name",), "", "name: must be a text of 1 to 64 characters"),
    (("name",), "n" * 65, "name: must be a text of 1 to 64 characters"),
    (("name",), 5, "name: must be a text of 1 to 64 characters"),
    (("minimum_present_weight",), 40.5, "minimum_present_weight: must be a text such as"),
    (("minimum_present_weight",), "NaN", "minimum_present_weight: must be a text such as"),
    (("minimum_present_weight",), "Infinity", "minimum_present_weight: must be a text such as"),
    (("minimum_present_weight",), "forty", "minimum_present_weight: must be a text such as"),
    (("minimum_present_weight",), "0", "minimum_present_weight: must be a text such as"),
    (("minimum_present_weight",), "100.0001", "minimum_present_weight: must be a text such as"),
    (("minimum_present_weight",), "0.00001", "minimum_present_weight: must be a text such as"),
    (("title",), {"zh": "方案"}, "title: lacks en"),
    (("title",), "方案", "title: must be a table"),
    (("title",), {"zh": "方案", "en": "x" * 501}, "title.en: must be a text of 1 to 500 characters"),
    (("colour",), "red", "scheme: does not know colour"),
    (("version",), True, "version: must be a whole number from 1 to 1000000"),
    (("version",), 1_000_001, "version: must be a whole number from 1 to 1000000"),
    ((*RATE, "colour"), "red", "indicators.response_rate: does not know colour"),
    ((*RATE, "weight"), "11", "the weights must sum to 100"),
    ((*RATE, "weight"), "-1", "indicators.response_rate.weight: must be a text such as"),
    ((*RATE, "minimum_denominator"), 0, "indicators.response_rate.minimum_denominator: must be a whole number"),
    ((*RATE, "definition", "name"), {"zh": "", "en": "x"}, "indicators.response_rate.name.zh: must be a text"),
    ((*RATE, "definition", "description"), {}, "indicators.response_rate.description: lacks en, zh"),
    ((*RATE, "definition", "numerator"), ["smiles"], "indicators.response_rate.numerator: unknown measures smiles"),
    ((*RATE, "definition", "numerator"), "responded", "indicators.response_rate.numerator: must be a list"),
    ((*RATE, "definition", "denominator"), [], "indicators.response_rate.denominator: must be a list"),
    ((*RATE, "definition", "components"), ["x"], "indicators.response_rate.components: unknown measures x"),
    ((*RATE, "definition", "facts"), "visit", "indicators.response_rate.facts: is not one of contact, issue, rating"),
    ((*RATE, "definition", "colour"), "red", "indicators.response_rate: does not know colour"),
    ((*RATE, "definition", "reads_ratings"), "level", "indicators.response_rate.reads_ratings: must be a list of"),
    ((*RATE, "definition", "reads_ratings"), ["mood"], "indicators.response_rate.reads_ratings: must be a list of"),
    ((*RATE, "definition", "reads_ratings"), [["level"]], "indicators.response_rate.reads_ratings: must be a list of"),
]


@pytest.mark.parametrize(("path", "value", "said"), FAULTS)
def test_a_wrong_scheme_is_refused_with_its_place(path: tuple[str, ...], value: object, said: str) -> None:
    with pytest.raises(BadScheme) as fault:
        read_scheme(changed(path, value))

    assert str(fault.value).startswith(said) or said == "the weights must sum to 100" in str(fault.value)


@pytest.mark.parametrize("field", ["name", "title", "order", "missing_data", "value_places"])
def test_what_a_scheme_lacks_is_named(field: str) -> None:
    definition = {key: value for key, value in DEFINITION.items() if key != field}

    with pytest.raises(BadScheme, match=f"scheme: lacks {field}"):
        read_scheme(definition)


def test_a_scheme_may_go_to_the_limits() -> None:
    assert read_scheme(changed(("name",), "n" * 64)).name == "n" * 64
    assert read_scheme(changed(("version",), 1_000_000)).version == 1_000_000
    assert read_scheme(changed(("title",), {"zh": "方", "en": "x" * 500})).title["zh"] == "方"
    for weight in ("100", "0.0001"):
        assert str(read_scheme(changed(("minimum_present_weight",), weight)).minimum_present_weight) == weight
    assert read_scheme(renamed(LONGEST_KEY)).find_indicator(LONGEST_KEY) is not None
    every = ["level", "solved", "attitude", "speed", "participation"]
    indicator = read_scheme(changed((*RATE, "definition", "reads_ratings"), every)).find_indicator("response_rate")
    assert indicator is not None
    assert indicator.reads_ratings == set(every)
    with pytest.raises(BadScheme, match="must be a text of 1 to 64 characters"):
        read_scheme(renamed(LONGEST_KEY + "r"))


def test_a_scheme_says_what_was_written() -> None:
    scheme = read_scheme(DEFINITION)
    indicator = scheme.find_indicator("resolution_rate")
    assert indicator is not None

    assert (scheme.name, scheme.version, scheme.title["zh"], str(scheme.minimum_present_weight)) == (
        "basic", 1, "基础方案", "40",
    )  # fmt: skip
    assert [one.key for one in scheme.indicators][1:3] == ["response_rate", "resolution_rate"]
    assert (indicator.name["zh"], indicator.description["en"][:18], indicator.facts) == (
        "解决率", "Issues closed as r", "issue",
    )  # fmt: skip
    assert (str(indicator.weight), indicator.minimum_denominator) == ("30", 3)
    assert indicator.measures == (
        "resolved", "denied", "open_overdue", "explained_policy", "not_accepted", "withdrawn", "merged",
    )  # fmt: skip
    assert scheme.find_indicator("happiness") is None


@pytest.mark.parametrize(
    ("scheme", "indicators", "said"),
    [
        ("name = ", INDICATORS_TEXT, "not TOML"),
        (SCHEME_TEXT, "[a", "not TOML"),
        ('name = "x"', INDICATORS_TEXT, "indicators: at least one is needed"),
        ("indicators = {}", INDICATORS_TEXT, "indicators: at least one is needed"),
        ("indicators = 5", INDICATORS_TEXT, "indicators: at least one is needed"),
        ("[indicators]\nresponse_rate = 5", INDICATORS_TEXT, "indicators.response_rate: must be a table"),
        ("[indicators.punctuality]", INDICATORS_TEXT, "indicators.punctuality: is not defined"),
    ],
)
def test_a_file_that_makes_no_scheme_is_refused(scheme: str, indicators: str, said: str) -> None:
    with pytest.raises(BadScheme, match=said):
        merge_definition(scheme, indicators)


def test_the_hash_is_of_the_canonical_form_whatever_order_keys_stand_in() -> None:
    other_order = {key: {"b": 1, "a": "率"} for key in ("y", "x")}
    words = merge_definition(SCHEME_TEXT, INDICATORS_TEXT.replace('"响应率"', '"回应率"'))

    assert (
        hash_definition(other_order) == hashlib.sha256('{"x":{"a":"率","b":1},"y":{"a":"率","b":1}}'.encode()).digest()
    )
    assert hash_definition(words) != hash_definition(DEFINITION)


def read_flags(text):
    return {one.key: set(one.reads_ratings) for one in read_scheme(merge_definition(SCHEME_TEXT, text)).indicators}


def test_what_an_indicator_reads_of_ratings_follows_from_its_measures_and_can_be_declared_beyond_them():
    flags = read_flags(INDICATORS_TEXT)
    declared = INDICATORS_TEXT.replace("[response_rate]\n", '[response_rate]\nreads_ratings = ["level"]\n')
    forgotten = INDICATORS_TEXT.replace("[satisfaction_rate]\n", "[satisfaction_rate]\nreads_ratings = []\n")

    assert {key: read for key, read in flags.items() if read} == {
        "resolution_rate": {"solved"},
        "satisfaction_rate": {"level"},
    }
    assert read_flags(declared)["response_rate"] == {"level"}
    assert read_flags(forgotten) == flags


def test_an_answer_that_nobody_gives_is_refused():
    wrong = INDICATORS_TEXT.replace("[response_rate]\n", '[response_rate]\nreads_ratings = ["mood"]\n')

    with pytest.raises(BadScheme, match=r"response_rate\.reads_ratings"):
        read_flags(wrong)
