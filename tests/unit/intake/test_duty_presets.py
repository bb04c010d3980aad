"""The ready sets of duties: whole, in order, and true to the collection that they were taken from."""

import csv
from pathlib import Path

import pytest

from services.intake.domain.codes import POST_LEVELS
from services.intake.handlers.duty_presets import PresetNotFound, find_preset, list_left_out, list_presets

# The collection is no part of the product; it may lie beside the working copy.
FILE = "shared/data/tables/rules_duty_norms.csv"
COLLECTION = next((above / FILE for above in Path(__file__).parents if (above / FILE).is_file()), None)
UNITS = {
    "天/月": ("days", "month"),
    "天/季度": ("days", "quarter"),
    "天/年": ("days", "year"),
    "次/月": ("count", "month"),
    "次/季度": ("count", "quarter"),
}


def test_every_preset_is_called_as_its_file_and_names_known_levels():
    assert len(list_presets()) >= 5
    for preset in list_presets():
        assert find_preset(preset.name) is preset
        assert all(duty.post_level is None or duty.post_level in POST_LEVELS for duty in preset.duties)


def test_no_rule_is_taken_twice_or_both_taken_and_left_out():
    taken = [duty.row for preset in list_presets() for duty in preset.duties]
    left = [row.row for row in list_left_out()]

    assert len({*taken, *left}) == len(taken) + len(left)
    assert all(row.why for row in list_left_out())


def test_an_unknown_preset_is_not_found():
    with pytest.raises(PresetNotFound):
        find_preset("../duties")


@pytest.mark.skipif(COLLECTION is None, reason="the collection of published rules is not at hand")
def test_the_presets_say_what_the_collection_says():
    assert COLLECTION is not None
    with COLLECTION.open(encoding="utf-8-sig") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}

    for preset in list_presets():
        for duty in preset.duties:
            row = rows[duty.row]
            assert (preset.place, preset.year, preset.reliability) == (row["place"], row["year"], row["confidence"])
            assert row["source_title"].startswith(preset.source)
            assert (duty.unit, duty.per) == UNITS[row["unit_period"]]
            assert str(duty.required_count) == row["minimum"]
    assert {duty.row for preset in list_presets() for duty in preset.duties} | {
        row.row for row in list_left_out()
    } == rows.keys()
    assert {row.row: row.place for row in list_left_out()} == {
        row.row: rows[row.row]["place"] for row in list_left_out()
    }
