"""Scores are what a program that shares no line with the suite computes from the same records."""

import tomllib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some

from services.assessment.fair.engine import Judged, judge
from services.assessment.fair.factor import Position, Term, place
from services.assessment.fair.freezing import freeze, write_span
from services.assessment.fair.records import Cadre, Dossier
from services.assessment.fair.results import Result, round_position
from services.assessment.fair.settings import INDICATORS, read_settings
from services.assessment.importing.records.cli import OWN_SETTINGS
from tests.unit.assessment.fair.towns import SPAN, make_mixed_town
from tools import verify_fair

TEXT = OWN_SETTINGS.read_text("utf-8")
SETTINGS = read_settings(TEXT)
RULES = tomllib.loads(TEXT)
SIZES = some.floats(-4, 4)


def compute_again(town: list[Dossier], judged: Judged) -> dict[str, Any]:
    aside = set(judged.set_aside)
    people = {
        one.cadre.cadre: verify_fair.count_person(freeze(one), aside, write_span(SPAN), RULES)
        for one in sorted(town, key=lambda one: one.cadre.cadre)
    }
    return verify_fair.compute(people, RULES)


def write(result: Result) -> dict[str, Any]:
    return {
        "score": str(result.score),
        "lower": str(result.lower),
        "upper": str(result.upper),
        "reliability": str(result.reliability),
        "points": {"base": str(result.base), **{name: str(points) for name, points in result.points.items()}},
    }


@pytest.mark.parametrize(("seed", "cadres"), [(4, 5), (3, 29), (2, 30), (1, 48)])
def test_records_of_every_kind_come_to_the_same_scores(seed: int, cadres: int) -> None:
    town = make_mixed_town(seed, cadres=cadres)

    judged = judge(town, SPAN, SETTINGS)

    assert {result.cadre: write(result) for result in judged.results} == compute_again(town, judged)


@pytest.mark.parametrize("seed", range(20, 28))
def test_a_handful_of_cadres_come_to_the_same_scores(seed: int) -> None:
    town = make_mixed_town(seed, cadres=2)

    judged = judge(town, SPAN, SETTINGS)

    assert {result.cadre: write(result) for result in judged.results} == compute_again(town, judged)


def test_where_all_are_alike_an_indicator_tells_nobody_apart() -> None:
    """Nobody met anybody, and everybody replied to everything."""
    town = make_mixed_town(5, cadres=31)
    for dossier in town:
        dossier.contacts = []
        dossier.issues = [replace(one, has_reply=True) for one in dossier.issues]

    judged = judge(town, SPAN, SETTINGS)

    assert not {"reply", "outreach"} & judged.scored.frame.adjusted.keys()
    assert {result.cadre: write(result) for result in judged.results} == compute_again(town, judged)


@given(
    levels=some.dictionaries(some.sampled_from(INDICATORS), some.tuples(SIZES, some.floats(0.01, 50))),
    loadings=some.lists(some.floats(0, 0.95), min_size=6, max_size=6),
)
def test_the_closed_form_is_the_published_one(levels: dict[str, tuple[float, float]], loadings: list[float]) -> None:
    known = {name: loading for name, loading in zip(INDICATORS, loadings, strict=True) if name in levels}

    position = place(levels, known, SETTINGS)

    found = verify_fair.place(levels, known, RULES)
    assert {term.indicator: term.points for term in position.terms} == found["points"]
    assert {term.indicator: (term.level, term.error) for term in position.terms} == levels
    assert (position.deviation, position.reliability) == (found["deviation"], found["reliability"])
    assert position.points == pytest.approx(sum(found["points"].values()), abs=1e-9)


@example(points=[0.006], deviation=5.0, reliability=0.0006)  # less than a unit, and no less than half of one
@example(points=[-0.006], deviation=5.0, reliability=0.5)  # the same below nought
@example(points=[-60.0, -60.0], deviation=5.0, reliability=0.5)  # beyond the ends
@example(points=[60.0, 60.0], deviation=5.0, reliability=0.5)
@settings(max_examples=60)
@given(points=some.lists(some.floats(-60, 60), max_size=6), deviation=some.floats(0, 40), reliability=some.floats(0, 1))
def test_what_is_published_is_rounded_as_is_said(points: list[float], deviation: float, reliability: float) -> None:
    pairs = dict(zip(INDICATORS, points, strict=False))
    terms = [Term(indicator=n, level=0, limited=0, error=1, evidence=0, lent=0, points=p) for n, p in pairs.items()]
    position = Position(terms=tuple(terms), points=sum(points), deviation=deviation, reliability=reliability)

    result = round_position(Cadre(cadre="c", peer_group="p", region="r", unit="u"), position, SETTINGS)

    found = {"points": pairs, "deviation": deviation, "reliability": reliability}
    assert write(result) == verify_fair.publish(found, RULES)
