"""What cadres record themselves is believed as far as other indicators bear it out."""

from dataclasses import replace

import pytest

from services.assessment.fair.factor import Position, place
from services.assessment.fair.settings import INDICATORS, read_settings
from services.assessment.importing.records.cli import OWN_SETTINGS

SETTINGS = read_settings(OWN_SETTINGS.read_text("utf-8"))
LOADINGS = dict.fromkeys(INDICATORS, 0.6)
FAST = {"timeliness": (3.0, 0.2), "speed": (3.0, 0.2)}


def _believed(levels: dict[str, tuple[float, float]], *, vouching: int) -> dict[str, float]:
    settings = replace(SETTINGS, standing=replace(SETTINGS.standing, clocks_vouch=vouching))
    found: Position = place(levels, LOADINGS, settings)
    return {term.indicator: term.limited for term in found.terms}


def test_one_clock_bears_out_the_other_only_where_the_settings_say_so() -> None:
    apart, together = (_believed({**FAST, "resolution": (0.0, 0.5)}, vouching=one) for one in (0, 1))

    assert apart["timeliness"] == apart["speed"] == pytest.approx((1 - 0.36 + 0.2 + 0.36 / (1 + 0.36 / 1.14)) ** 0.5)
    assert together["timeliness"] > apart["timeliness"]


def test_who_is_quick_and_solves_what_comes_is_believed() -> None:
    levels = {**FAST, "resolution": (3.0, 0.1), "satisfaction": (3.0, 0.1)}

    apart = _believed(levels, vouching=0)

    assert apart["timeliness"] > _believed(FAST, vouching=0)["timeliness"]
    assert apart["resolution"] == 3


def test_other_entries_are_borne_out_by_clocks() -> None:
    own = {**FAST, "reply": (2.0, 0.2)}

    assert _believed(own, vouching=0)["reply"] == _believed(own, vouching=1)["reply"]
