"""Each step of the program that computes closed scores again, beside the engine's own: on records that lie at edges."""

import math
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import pytest

from services.assessment.fair import adjusting, factor
from services.assessment.fair.counting import HOUR
from services.assessment.fair.dossiers import count_dossier
from services.assessment.fair.engine import Judged, judge
from services.assessment.fair.freezing import freeze, write_span
from services.assessment.fair.records import DAY, MICRO, Cadre, Contact, Dossier, Issue, Rating, Span
from services.assessment.fair.reference import Table
from services.assessment.fair.results import rank_among, round_position
from services.assessment.fair.settings import INDICATORS, read_settings
from services.assessment.fair.standing import residuals_of, stand
from services.assessment.fair.values import EXPLAINING, LEAVING
from services.assessment.handlers.fair import read_settings_text
from services.assessment.handlers.publishing import seal
from tests.unit.assessment.fair import towns
from tools import verify_fair

TEXT = read_settings_text()
FORMER = {version: (Path(__file__).parent / f"fair-{version}.toml").read_text("utf-8") for version in (2, 3, 4, 5, 6)}
SETTINGS, DOCUMENT = read_settings(TEXT), tomllib.loads(TEXT)
SPAN = Span(starts_at=0, ends_at=90 * DAY, as_of=100 * DAY)
ABOUT = (-1, 0, 1)


class Maker:
    """Few words, and times about every limit, so that records meet."""

    def __init__(self, seed: int) -> None:
        self._draw = Random(seed)  # noqa: S311 figures, not secrets

    def dossier(self) -> Dossier:
        target = self._draw.choice([0, 3, 40])
        return Dossier(
            cadre=Cadre(cadre="c", peer_group="p", region="r", unit="u", target=target),
            issues=[self._issue(f"i{number}") for number in range(self._draw.randint(0, 7))],
            ratings=[self._rating(f"r{number}") for number in range(self._draw.randint(0, 7))],
            contacts=[self._contact(f"v{number}") for number in range(self._draw.randint(0, 6))],
        )

    def aside(self) -> frozenset[str]:
        names = [f"i{number}{part}" for number in range(7) for part in ("", "#answer", "#clock", "#label")]
        names += [f"{kind}{number}" for kind in "rv" for number in range(6)]
        return frozenset(self._draw.sample(names, self._draw.choice([0, 14])))

    def _about(self, *limits: int) -> int:
        return self._draw.choice(limits) + self._draw.choice(ABOUT)

    def _issue(self, name: str) -> Issue:
        draw = self._draw
        allowed = draw.choice([None, 0, 1, DAY, 10 * DAY])
        received_at = self._about(DAY, 2 * DAY, 2 * DAY + 48 * HOUR, 9 * DAY, 90 * DAY, 99 * DAY)
        limits = (0, SETTINGS.values.instant_seconds, DAY // 8, DAY, 4 * DAY, 10 * DAY)
        return Issue(
            issue=name,
            category=draw.choice("ab"),
            complexity=draw.choice("12"),
            received_at=received_at,
            channel=draw.choice(["", "web"]),
            complainant=draw.choice(["", "li", "wu"]),
            place=draw.choice(["", "here"]),
            answered_at=draw.choice([None, received_at + self._about(*limits)]),
            closed_at=draw.choice([None, received_at + self._about(*limits)]),
            answer_allowed=draw.choice([None, 0, 1, DAY, DAY, DAY]),
            close_allowed=allowed,
            outcome=draw.choice(["", "solved", "solved", "solved", "explained", "unsolved", "left_out", "excluded"]),
            is_reopened=draw.random() < 0.1,
            is_denied=draw.random() < 0.1,
            has_reply=draw.choice([None, True, False]),
            contact=draw.choice(["", "v0", "v1"]),
            share=draw.choice([MICRO, MICRO, 333_333]),
            is_disowned=draw.random() < 0.1,
        )

    def _rating(self, name: str) -> Rating:
        draw = self._draw
        kind = draw.choice(["issue", "issue", "contact"])
        return Rating(
            rating=name,
            subject_kind="issue" if kind == "issue" else "contact",
            subject=("i" if kind == "issue" else "v") + str(draw.randint(0, 7)),
            method=draw.choice(["callback", "app", "on_site"]),
            level=draw.randint(1, 5),
            rated_at=self._about(DAY, DAY + HOUR),
            rater=draw.choice(["", "li", "wu"]),
            device=draw.choice(["", "d"]),
            is_public_device=draw.random() < 0.3,
            is_complainant=draw.choice([None, None, True, False]),
        )

    def _contact(self, name: str) -> Contact:
        draw = self._draw
        occurred_at = self._about(7 * DAY, 7 * DAY + HOUR, 91 * DAY, 98 * DAY)
        late = SETTINGS.outreach.late_days * DAY
        return Contact(
            contact=name,
            kind=draw.choice(["visit", "call"]),
            occurred_at=occurred_at,
            recorded_at=occurred_at + self._about(0, late),
            duration_minutes=draw.choice([None, self._about(0, SETTINGS.outreach.short_minutes)]),
            citizen=draw.choice(["", "li", "wu"]),
            is_confirmed=draw.random() < 0.4,
            is_disowned=draw.random() < 0.2,
        )


def test_a_document_is_written_the_same_and_holds_no_number_that_is_none() -> None:
    document = {"乙": ["群众", 1.5, -7, True, None], "a": {"é": 'line\n and "quote"', "b": 10**15}}

    assert verify_fair.canonical(document) == seal(document)[0].encode()
    with pytest.raises(ValueError, match="not JSON compliant"):
        verify_fair.canonical({"score": math.nan})


@pytest.mark.parametrize("text", [TEXT, *FORMER.values()], ids=["now", *map(str, FORMER)])
def test_records_at_every_limit_are_counted_the_same(text: str) -> None:
    settings, document, make = read_settings(text), tomllib.loads(text), Maker(7)
    span = write_span(SPAN)

    for number in range(150):
        dossier, aside = make.dossier(), make.aside()
        counted = count_dossier(dossier, SPAN, settings, aside)
        person = verify_fair.count_person(freeze(dossier), set(aside), span, document)

        own = [(name, mark) for name, marks in person.marks.items() for mark in marks]
        found = [(name, one.cell, one.value, one.weight, one.rater) for name, one in own if one.weight]
        expected = [(one.indicator, one.cell, one.value, one.weight, one.rater) for one in counted.marks if one.weight]
        assert sorted(found) == sorted(expected), number
        assert (person.issues, person.contacts) == (counted.issues, counted.effective_contacts), number


@pytest.mark.parametrize("days", [1, 7, 13, 14])
def test_a_span_has_a_week_at_least(days: int) -> None:
    met = Contact(contact="v", kind="visit", occurred_at=0, recorded_at=0, is_confirmed=True)
    contacts = [replace(met, contact=f"v{number}") for number in range(25)]
    dossier = Dossier(cadre=Cadre(cadre="c", peer_group="p", region="r", unit="u", target=10), contacts=contacts)
    span = Span(starts_at=0, ends_at=days * DAY, as_of=days * DAY)

    person = verify_fair.count_person(freeze(dossier), set(), write_span(span), DOCUMENT)

    assert person.contacts == count_dossier(dossier, span, SETTINGS).effective_contacts
    assert person.contacts == (20 if days < 14 else 10) * MICRO


@pytest.mark.parametrize("text", [TEXT, *FORMER.values()], ids=["now", *map(str, FORMER)])
def test_records_are_compared_the_same_with_whatever_is_usual(text: str) -> None:
    """Tables that expect less than none or more than all of some, or that are not there; raters with habits."""
    settings, document, make = read_settings(text), tomllib.loads(text), Maker(11)
    draw = Random(11)  # noqa: S311 figures, not secrets
    cells = [(category, complexity, way) for category in "ab" for complexity in "1" for way in ("", "web", "app")]
    for number in range(60):
        names = [name for name in (*INDICATORS[:-1], EXPLAINING, LEAVING) if draw.random() < 0.9]
        own = {
            name: Table(
                mean=draw.choice([-50_000, 100_000, 700_000]),
                expected={cell: draw.choice([-90_000, 0, 1_100_000]) for cell in cells},
                scatter={cell: draw.choice([0, 40_000]) for cell in cells},
            )
            for name in names
        }
        again = {name: verify_fair.Usual(one.mean, dict(one.expected), dict(one.scatter)) for name, one in own.items()}
        habits = {"li": draw.choice([-400_000, 250_000])}
        dossier = make.dossier()
        counted = count_dossier(dossier, SPAN, settings)
        person = verify_fair.count_person(freeze(dossier), set(), write_span(SPAN), document)

        found = verify_fair.sum_up("c", person, again, {("li", "c"): habits["li"], ("wu", "d"): 1}, document)

        expected = stand(residuals_of(counted, own, habits, settings), own)
        sums = ("weight", "squared", "residual", "scatter", "noise")
        assert {name: [getattr(one, of) for of in sums] for name, one in found.items()} == {
            name: [getattr(one, of) for of in sums] for name, one in expected.items()
        }, number


def _town() -> list[Dossier]:
    """With raters of several cadres, some who are not known and some who are not the complainant."""
    town = towns.make_town(9, cadres=45)
    for dossier in town:
        dossier.ratings[::5] = [replace(one, rater="", is_complainant=True) for one in dossier.ratings[::5]]
        dossier.ratings[1::5] = [replace(one, is_complainant=False) for one in dossier.ratings[1::5]]
    return town


@pytest.fixture(scope="module")
def judged() -> Judged:
    return judge(_town(), towns.SPAN, SETTINGS)


@pytest.fixture(scope="module")
def people(judged: Judged) -> dict[str, verify_fair.Person]:
    aside, span = set(judged.set_aside), write_span(towns.SPAN)
    return {one.cadre.cadre: verify_fair.count_person(freeze(one), aside, span, DOCUMENT) for one in _town()}


@pytest.fixture(scope="module")
def tables(people: dict[str, verify_fair.Person]) -> dict[str, verify_fair.Usual]:
    kinds = ("timeliness", "reply", "resolution", "explaining", "leaving", "speed", "satisfaction")
    prior = float(DOCUMENT["adjustment"]["cell_prior"])
    return {name: table for name in kinds if (table := verify_fair.fit(people, name, prior)) is not None}


def test_what_is_usual_is_the_same_to_the_millionth(judged: Judged, tables: dict[str, verify_fair.Usual]) -> None:
    frame = judged.scored.frame

    assert tables.keys() == frame.tables.keys()
    for name, table in frame.tables.items():
        assert (tables[name].mean, tables[name].expected) == (table.mean, dict(table.expected)), name
        for cell in [*table.expected, (), ("unknown", "", "")]:
            assert tables[name].vary(cell) == table.vary(cell), (name, cell)


def test_nothing_is_usual_where_no_record_weighs_or_is_labelled() -> None:
    marks = [verify_fair.Mark(("a", "1", ""), MICRO, 0), verify_fair.Mark((), MICRO, MICRO)]
    person = verify_fair.Person(_place(Cadre(cadre="c", peer_group="p", region="r", unit="u")), {"reply": marks})

    assert verify_fair.fit({"c": person}, "reply", 8.0) is None
    assert verify_fair.fit({"c": person}, "speed", 8.0) is None


def test_habits_of_raters_are_the_same(
    judged: Judged, people: dict[str, verify_fair.Person], tables: dict[str, verify_fair.Usual]
) -> None:
    found = verify_fair.find_habits(people, tables["satisfaction"], DOCUMENT["ratings"]["rater_prior"])

    expected: dict[tuple[str, str], int] = {}
    for one in judged.scored.counted.iterate_marks():
        expected |= {(rater, one.cadre): habit for rater, habit in judged.scored.frame.habits.of(one).items()}
    assert found
    assert {key: habit for key, habit in found.items() if habit} == {key: one for key, one in expected.items() if one}


def test_a_habit_between_two_numbers_goes_to_the_nearer_and_a_half_to_the_even_one() -> None:
    for below in range(1, 9):
        for top in range(-20, 21):
            assert verify_fair.half_even(top, below) == round(Fraction(top, below)), (top, below)


def test_what_is_left_of_each_mean_and_how_indicators_inform_one_another_is_the_same(
    judged: Judged, people: dict[str, verify_fair.Person], tables: dict[str, verify_fair.Usual]
) -> None:
    frame = judged.scored.frame
    habits = verify_fair.find_habits(people, tables["satisfaction"], DOCUMENT["ratings"]["rater_prior"])
    sums = {cadre: verify_fair.sum_up(cadre, one, tables, habits, DOCUMENT) for cadre, one in people.items()}

    adjusted = verify_fair.adjust_all(people, sums, DOCUMENT)

    assert adjusted.keys() == frame.adjusted.keys() == set(INDICATORS)
    for name, one in frame.adjusted.items():
        _is_adjusted(adjusted[name], one)
    assert verify_fair.load_factors(adjusted) == pytest.approx(dict(frame.loadings), rel=1e-9)


def _is_adjusted(found: verify_fair.Adjusted, expected: adjusting.Adjusted) -> None:
    assert (found.between, found.within) == pytest.approx((expected.between, expected.within), rel=1e-9)
    rest = {cadre: left.rest for cadre, left in expected.left.items()}
    assert found.rest == pytest.approx(rest, rel=1e-9, abs=1e-12)
    assert found.effective == pytest.approx({cadre: left.effective for cadre, left in expected.left.items()}, rel=1e-9)


def _make_evidence(draw: Random) -> Iterator[tuple[Cadre, float, float, float]]:
    several = draw.random() < 0.7
    for number in range(draw.randint(1, 12)):
        cadre = Cadre(
            cadre=f"c{(number * 7) % 12:02}",
            peer_group=draw.choice("pq") if several else "p",
            region=draw.choice("rst") if several else "r",
            unit=draw.choice("uvwx") if several else "u",
            deprivation=draw.choice([0, 0, 500, 300_000, 900_000]),
        )
        yield cadre, draw.uniform(-0.5, 0.5), draw.choice([0.5, 1.0, 60.0]), draw.choice([0.7, 0.7, 3.0, 5.0])


def test_few_people_in_few_places_are_adjusted_the_same() -> None:
    draw = Random(3)  # noqa: S311 figures, not secrets
    for number in range(120):
        evidence = list(_make_evidence(draw))
        within, by_load = draw.choice([1e-7, 0.02, 0.4]), number % 3 > 0
        own = [adjusting.Evidence(cadre=c, mean=m, effective=e, load=at) for c, m, e, at in evidence]
        again = [verify_fair.Evidence(c.cadre, _place(c), m, e, at) for c, m, e, at in evidence]

        found = verify_fair.adjust(again, within, DOCUMENT, by_load=by_load)

        _is_adjusted(found, adjusting.adjust(own, within, SETTINGS, by_load=by_load))


def _place(cadre: Cadre) -> dict[str, Any]:
    return dict(freeze(Dossier(cadre=cadre))["cadre"])


@pytest.mark.parametrize("both", [29, 30])
def test_fewer_than_thirty_say_nothing_about_how_indicators_go_together(both: int) -> None:
    draw = Random(both)  # noqa: S311 figures, not secrets
    levels = {f"c{number}": draw.uniform(-1, 1) for number in range(both)}
    adjusted, again = {}, {}
    for name, spread in (("timeliness", 0.1), ("reply", 0.3), ("speed", 2.0)):
        rest = {cadre: level + draw.uniform(-spread, spread) for cadre, level in levels.items()} | {f"only {name}": 9.0}
        left = {
            cadre: adjusting.Left(mean=0, load=0, region=0, unit=0, peers=0, rest=value, effective=4 + value)
            for cadre, value in rest.items()
        }
        adjusted[name] = adjusting.Adjusted(left=left, between=0.4, within=0.2)
        again[name] = verify_fair.Adjusted(rest, {cadre: 4 + value for cadre, value in rest.items()}, 0.4, 0.2)

    found = verify_fair.load_factors(again)

    assert found == pytest.approx(factor.fit_loadings(adjusted), rel=1e-9)
    assert any(found.values()) is (both == 30)


@pytest.mark.parametrize("text", [TEXT, FORMER[2]], ids=["now", "2"])
def test_any_levels_come_to_the_same_score(text: str) -> None:
    """Some indicators without data, levels beyond what is plausible, and scores beyond both ends."""
    settings, document = read_settings(text), tomllib.loads(text)
    draw = Random(5)  # noqa: S311 figures, not secrets
    for number in range(150):
        names = [name for name in INDICATORS if draw.random() < 0.75]
        largest = draw.choice([0.5, 3.0, 40.0])
        levels = {name: (draw.uniform(-largest, largest), draw.choice([0.001, 0.3, 5.0])) for name in names}
        loadings = {name: draw.choice([0.0, 0.4, 0.95]) for name in INDICATORS}
        position = factor.place(levels, loadings, settings)

        found = verify_fair.place(levels, loadings, document)

        points = {term.indicator: term.points for term in position.terms}
        assert found["points"] == pytest.approx(points, rel=1e-9), number
        assert found["deviation"] == pytest.approx(position.deviation, rel=1e-9), number
        assert found["reliability"] == pytest.approx(position.reliability, abs=1e-12), number
        told = {"points": points, "deviation": position.deviation, "reliability": position.reliability}
        result = round_position(Cadre(cadre="c", peer_group="p", region="r", unit="u"), position, settings)
        points_told = {"base": str(result.base), **{name: str(value) for name, value in result.points.items()}}
        assert verify_fair.publish(told, document) == {
            **{name: str(getattr(result, name)) for name in ("score", "lower", "upper", "reliability")},
            "points": points_told,
        }, number


def test_halves_are_rounded_and_points_made_up_the_same() -> None:
    """By parts that are even in binary, so that a half is one."""
    draw = Random(2)  # noqa: S311 figures, not secrets
    for number in range(150):
        chosen = draw.sample(INDICATORS, draw.randint(1, 6))
        parts = {name: draw.randint(-800, 800) / draw.choice([8, 16, 200]) for name in INDICATORS if name in chosen}
        terms = [
            factor.Term(indicator=name, level=0, limited=0, error=1, evidence=0, lent=0, points=value)
            for name, value in parts.items()
        ]
        deviation, reliability = draw.choice([0.0, 3.0, 60.0]), draw.choice([0.0, 0.0005, 0.2995, 0.99949, 1.0])
        position = factor.Position(terms=tuple(terms), points=0, deviation=deviation, reliability=reliability)

        found = verify_fair.publish({"points": parts, "deviation": deviation, "reliability": reliability}, DOCUMENT)

        result = round_position(Cadre(cadre="c", peer_group="p", region="r", unit="u"), position, SETTINGS)
        expected = [str(getattr(result, name)) for name in ("score", "lower", "upper", "reliability", "base")]
        assert [*(found[name] for name in ("score", "lower", "upper", "reliability")), found["points"]["base"]] == (
            expected
        ), number
        assert {name: found["points"][name] for name in INDICATORS} == {
            name: str(value) for name, value in result.points.items()
        }, number


def test_equals_and_groups_of_any_size_stand_the_same() -> None:
    draw = Random(4)  # noqa: S311 figures, not secrets
    for number in range(60):
        group = []
        for cadre in range(draw.randint(1, 32)):
            score = Decimal(draw.randint(60, 66))
            position = factor.Position(terms=(), points=0, deviation=0.0, reliability=draw.choice([0.2999, 0.3, 0.9]))
            one = round_position(Cadre(cadre=str(cadre), peer_group="p", region="r", unit="u"), position, SETTINGS)
            lower, upper = score - draw.randint(0, 2), score + draw.randint(0, 2)
            group.append(replace(one, score=score, lower=lower, upper=upper))
        expected = rank_among(group, [one.score for one in group])

        peers = verify_fair.Peers(one.score for one in group)

        for one in group:
            shown = {name: str(getattr(one, name)) for name in ("score", "lower", "upper", "reliability")}
            found, own = peers.stand(shown), expected[one.cadre]
            assert found == {name: getattr(own, name) for name in found}, (number, one)


def _nobody_met_anybody(one: Dossier) -> None:
    one.contacts = []


def _nobody_owes_contacts(one: Dossier) -> None:
    one.cadre = replace(one.cadre, target=0)


def _some_owe_none(one: Dossier) -> None:
    one.cadre = replace(one.cadre, target=0 if one.cadre.cadre < "C003" else one.cadre.target)


def _nobody_rates(one: Dossier) -> None:
    one.ratings = []


def _every_answer_has_a_reply(one: Dossier) -> None:
    one.issues = [replace(issue, has_reply=True) for issue in one.issues]


def _some_have_no_records(one: Dossier) -> None:
    if one.cadre.cadre < "C003":
        one.issues, one.ratings, one.contacts = [], [], []


def _nothing_is_recorded(one: Dossier) -> None:
    one.issues, one.ratings, one.contacts = [], [], []


@pytest.mark.parametrize(
    "strip",
    [
        _nobody_met_anybody, _nobody_owes_contacts, _some_owe_none, _nobody_rates, _every_answer_has_a_reply,
        _some_have_no_records, _nothing_is_recorded,
    ],
    ids=lambda one: one.__name__,
)  # fmt: skip
def test_where_something_is_not_there_or_does_not_differ_scores_come_out(strip: Callable[[Dossier], None]) -> None:
    town = towns.make_town(3, cadres=8)
    for one in town:
        strip(one)
    judged = judge(town, towns.SPAN, SETTINGS)
    aside, span = set(judged.set_aside), write_span(towns.SPAN)

    found = verify_fair.compute(
        {one.cadre.cadre: verify_fair.count_person(freeze(one), aside, span, DOCUMENT) for one in town}, DOCUMENT
    )

    names = ("score", "lower", "upper", "reliability")
    assert {cadre: [one[name] for name in names] for cadre, one in found.items()} == {
        one.cadre: [str(getattr(one, name)) for name in names] for one in judged.results
    }
