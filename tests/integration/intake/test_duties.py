"""Duties of places, levels and units, and ready sets of them."""

from dataclasses import replace
from datetime import date

import pytest

from services.intake.domain.commands.duties import DefineDuty
from services.intake.handlers import duties, duty_presets
from shared.identifiers import new_id
from tests.integration.intake.conftest import NOW

pytestmark = pytest.mark.integration
NO_ID = new_id().__class__(int=0)
BEGIN = date(2026, 1, 1)


def a_duty(**changes):
    command = DefineDuty(
        id=new_id(),
        correlation_id="a-test",
        post_kind="township_head",
        contact_kind="field_stay",
        required_count=10,
        unit="days",
        per="half_year",
        valid_from=BEGIN,
        organisation_code="town",
        post_level="141",
    )
    return replace(command, **changes)


def test_a_duty_is_known_by_place_level_and_unit_too(registered, events_of):
    here = a_duty()
    batch = [here, replace(here, id=new_id()), a_duty(organisation_code=None), a_duty(post_level=None)]

    outcomes = duties.define_duties(registered, [*batch, a_duty(unit="households"), a_duty(required_count=9)], now=NOW)

    assert [one.status for one in outcomes] == ["created", "unchanged", "created", "created", "created", "conflict"]
    assert events_of(here.id) == [("duty.defined", 1)]
    listed = duties.list_duties(registered, on=BEGIN, after=NO_ID, limit=9)
    assert {(one.organisation_code, one.post_level, one.unit, one.per) for one in listed} == {
        ("town", "141", "days", "half_year"),
        (None, "141", "days", "half_year"),
        ("town", None, "days", "half_year"),
        ("town", "141", "households", "half_year"),
    }


def test_a_duty_of_no_known_place_or_level_is_refused(registered):
    outcomes = duties.define_duties(
        registered,
        [a_duty(organisation_code="nowhere"), a_duty(post_level="chief"), a_duty(valid_until=date(2025, 1, 1))],
        now=NOW,
    )

    assert [one.code for one in outcomes] == ["unknown-organisation", "unknown-post-level", "ends-before-begin"]


def test_a_preset_is_taken_over_once_and_its_end_may_follow(registered):
    asked = duty_presets.PresetRequest(name="national-2009-reception", valid_from=BEGIN, organisation_code="county")

    taken = [
        [outcome.status for _, outcome in duty_presets.load_preset(registered, one, now=NOW)]
        for one in (asked, asked, replace(asked, valid_until=date(2026, 12, 31)))
    ]

    assert taken == [["created"] * 5, ["unchanged"] * 5, ["changed"] * 5]
    listed = duties.list_duties(registered, on=None, after=NO_ID, limit=9)
    assert {(one.post_kind, one.contact_kind, one.required_count, one.unit, one.per) for one in listed} >= {
        ("county_secretary", "reception", 1, "days", "month"),
        ("prefecture_head", "reception", 1, "days", "quarter"),
    }


def test_every_preset_can_be_taken_over(registered):
    for preset in duty_presets.list_presets():
        asked = duty_presets.PresetRequest(name=preset.name, valid_from=BEGIN)

        outcomes = [outcome.status for _, outcome in duty_presets.load_preset(registered, asked, now=NOW)]

        assert set(outcomes) == {"created"}
