"""Schemes written from the page alone, for tables that were worked out from the rule's words by plain arithmetic.

The rules are invented, in the manner of published ones; each stands in words above its scheme.
"""

from pathlib import Path

import pytest

from services.assessment.domain.rules.scheme_reading import read_rule_scheme
from services.assessment.importing.sheets import compare
from services.assessment.importing.tables import read_table
from tests.unit.assessment.rules.second_opinion import evaluate_twice

PLACES = Path(__file__).parent / "places"
COMPARED = {
    "urban-half-year": {"total": 29, "overall": 36, "overall_place": 36},
    "county-bulletins": {"total": 9, "overall": 8},
    "cadre-visits": {
        "visited": 11, "solved": 11, "written": 11, "rated": 11, "bonuses": 11, "off": 11, "total": 11, "grade": 11,
        "place": 11,
    },
    "petition-work": {"total": 3, "名次": 3},
    "quarterly-index": {"total": 11, "flags": 5, "overall": 12, "overall_place": 12, "名次": 8},
    "team-quotas": {"grade": 14},
    "communities": {"jury": 11, "total": 11, "grade": 11, "place": 11},
}  # fmt: skip


@pytest.mark.parametrize("place", COMPARED)
def test_every_figure_comes_out_to_the_last_digit(place: str) -> None:
    text = (PLACES / f"{place}.toml").read_text("utf-8")
    table, published = read_table((PLACES / f"{place}.csv").read_bytes(), read_rule_scheme(text))

    compared = compare(evaluate_twice(text, table), published)

    assert [difference for one in compared for difference in one.differences] == []
    assert {one.name: one.compared for one in compared} == COMPARED[place]


def test_nothing_that_lies_there_is_left_out() -> None:
    assert {file.stem for file in PLACES.iterdir()} == set(COMPARED)
