"""What the watch keeps of one cadre: whole numbers that the records themselves come to."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from services.assessment.fair.engine import Judged, judge
from services.assessment.fair.explaining import Case, explain_case, iterate_cases
from services.assessment.fair.factor import SELF_RECORDED
from services.assessment.fair.freezing import freeze, thaw
from services.assessment.fair.marks import answer_of, clock_of, label_of
from services.assessment.fair.records import DAY, Cadre, Contact, Dossier, Issue, Rating
from services.assessment.fair.settings import INDICATORS
from services.assessment.fair.signals.odds import Check
from services.assessment.fair.watching import FIGURES, watch_case
from services.assessment.fair.yardstick import measure, yardstick_of
from tests.unit.assessment.fair.few import SETTINGS
from tests.unit.assessment.fair.test_signals import SPAN_OF_QUARTERS, TRICKS
from tests.unit.assessment.fair.towns import SPAN, make_town

ISSUE = Issue(issue="i", category="a", complexity="1", received_at=0)
CONTACT = Contact(contact="c", kind="visit", occurred_at=0, recorded_at=0)
RATING = Rating(rating="r", subject_kind="issue", subject="i", method="callback", level=5, rated_at=DAY)


@pytest.fixture(scope="module")
def judged() -> Judged:
    return judge(make_town(3, cadres=24), SPAN, SETTINGS)


@pytest.fixture(scope="module")
def cases(judged: Judged) -> dict[str, Case]:
    return {case.cadre: case for case in iterate_cases(judged, yardstick_of(judged.scored))}


def figures_of(case: Case) -> dict[str, dict[str, int | None]]:
    return {
        name: dict(zip(FIGURES, line, strict=True)) for name, line in zip(INDICATORS, watch_case(case), strict=True)
    }


def with_dossier(case: Case, dossier: Dossier, set_aside: frozenset[str] = frozenset()) -> Case:
    counted = replace(case.measured.counted, dossier=dossier)
    return replace(case, measured=replace(case.measured, counted=counted), set_aside=set_aside)


def column(case: Case, figure: str) -> dict[str, Any]:
    return {name: line[figure] for name, line in figures_of(case).items()}


def iterate_lines(cases: dict[str, Case]) -> Iterator[tuple[dict[str, Any], Any]]:
    for case in cases.values():
        own = figures_of(case)
        for line in explain_case(case, SETTINGS, audience="department").lines:
            yield own[line.indicator], line


def test_what_is_observed_is_what_the_explanation_says(cases: dict[str, Case]) -> None:
    seen = [(own, line) for own, line in iterate_lines(cases) if line.indicator != "outreach"]

    assert len(seen) > 100
    for own, line in seen:
        assert abs(own["observed"] - line.observed * 10_000) <= Decimal("0.5")
        assert abs(own["true_spread"] - line.spread * 10_000) <= Decimal("0.5")


def test_points_and_what_the_limit_changed_are_those_of_the_explanation(cases: dict[str, Case]) -> None:
    limited = 0
    for own, line in iterate_lines(cases):
        assert abs(own["points"] - abs(line.points) * 100) <= 1  # there parts are made to add up
        if line.limited == line.level:
            assert own["limited"] <= 1
        if abs(line.limited) > Decimal("0.2"):
            wanted = abs(float(line.points * line.level / line.limited - line.points)) * 100
            assert own["limited"] == pytest.approx(wanted, abs=3 + wanted / 10)
        if own["limited"]:
            limited += 1
            assert line.indicator in SELF_RECORDED
    assert limited > 5


def test_outreach_is_the_share_of_what_was_owed_and_never_more(cases: dict[str, Case]) -> None:
    case = cases["C000"]
    counted = case.measured.counted

    def observed(effective: int, target: int) -> int | None:
        dossier = replace(counted.dossier, cadre=Cadre(cadre="C000", peer_group="p", region="", unit="", target=target))
        changed = replace(counted, effective_contacts=effective, dossier=dossier)
        return figures_of(replace(case, measured=replace(case.measured, counted=changed)))["outreach"]["observed"]

    assert observed(3_000_000, 12) == 2_500
    assert observed(1_000_000, 3) == 3_333
    assert observed(2_000_000, 3) == 6_667
    assert observed(99_000_000, 12) == 10_000


def test_without_records_nothing_is_observed(cases: dict[str, Case]) -> None:
    measured = cases["C000"].measured
    nobody = replace(measured.counted, dossier=Dossier(cadre=Cadre(cadre="C000", peer_group="p", region="", unit="")))
    bare = replace(measured, counted=nobody, standings={}, position=replace(measured.position, terms=()))

    told = replace(cases["C000"], measured=bare)

    assert set(column(told, "observed").values()) == {None}
    assert set(column(told, "points").values()) == {0}
    assert set(column(told, "true_spread").values()) == {None}


def test_full_marks_of_everybody_are_seen_though_they_make_no_points() -> None:
    town = make_town(3, cadres=24)
    for dossier in town:
        dossier.issues = [replace(issue, has_reply=True) for issue in dossier.issues]
    judged = judge(town, SPAN, SETTINGS)

    told = [figures_of(case)["reply"] for case in iterate_cases(judged, yardstick_of(judged.scored))]

    assert {(one["observed"], one["points"], one["true_spread"]) for one in told} == {(10_000, 0, None)}


def test_of_calls_those_count_that_others_made(cases: dict[str, Case]) -> None:
    dossier = Dossier(
        cadre=cases["C000"].measured.counted.dossier.cadre,
        issues=[
            replace(ISSUE, issue="kept", is_checked=True),
            replace(ISSUE, issue="denied", is_checked=True, is_denied=True),
            replace(ISSUE, issue="nobody asked"),
        ],
        contacts=[
            replace(CONTACT, contact="called"),
            replace(CONTACT, contact="unknown to the citizen", is_disowned=True),
            replace(CONTACT, contact="not called"),
        ],
        ratings=[
            replace(RATING, rating="1", subject_kind="contact", subject="called"),
            replace(RATING, rating="2", subject_kind="contact", subject="not called", method="app"),
            replace(RATING, rating="3", subject_kind="issue", subject="kept"),
        ],
    )

    told = column(with_dossier(cases["C000"], dossier), "upheld")

    assert told == {name: 5_000 if name in SELF_RECORDED else None for name in INDICATORS}
    third = replace(dossier, issues=dossier.issues[:2], contacts=dossier.contacts[:1])
    assert column(with_dossier(cases["C000"], third), "upheld")["reply"] == 6_667
    nobody = replace(dossier, issues=dossier.issues[2:], contacts=dossier.contacts[2:])
    assert set(column(with_dossier(cases["C000"], nobody), "upheld").values()) == {None}


@pytest.mark.parametrize(
    ("set_aside", "waiting"),
    [
        ({"i1"}, {"timeliness": 1, "reply": 1, "resolution": 1, "speed": 1, "satisfaction": 1, "outreach": 0}),
        (
            {answer_of("i1")},
            {"timeliness": 1, "reply": 0, "resolution": 0, "speed": 0, "satisfaction": 0, "outreach": 0},
        ),
        (
            {clock_of("i1")},
            {"timeliness": 1, "reply": 0, "resolution": 0, "speed": 1, "satisfaction": 0, "outreach": 0},
        ),
        (
            {"i1", answer_of("i1"), clock_of("i1")},
            {"timeliness": 1, "reply": 1, "resolution": 1, "speed": 1, "satisfaction": 1, "outreach": 0},
        ),
        ({label_of("i1")}, dict.fromkeys(INDICATORS, 0)),
        ({"r2"}, {"timeliness": 0, "reply": 0, "resolution": 0, "speed": 0, "satisfaction": 1, "outreach": 0}),
        ({"c1", "c2"}, {"timeliness": 0, "reply": 0, "resolution": 0, "speed": 0, "satisfaction": 0, "outreach": 2}),
        ({"somebody else's"}, dict.fromkeys(INDICATORS, 0)),
    ],
    ids=lambda one: "-".join(sorted(one)) if isinstance(one, set) else "",
)
def test_what_waits_is_counted_where_it_would_have_counted(
    cases: dict[str, Case], set_aside: set[str], waiting: dict[str, int]
) -> None:
    dossier = Dossier(
        cadre=cases["C000"].measured.counted.dossier.cadre,
        issues=[replace(ISSUE, issue=f"i{at}") for at in range(1, 4)],
        contacts=[replace(CONTACT, contact=f"c{at}") for at in range(1, 5)],
        ratings=[replace(RATING, rating="r1", subject="i1"), replace(RATING, rating="r2", subject="i2")],
    )

    case = with_dossier(cases["C000"], dossier, frozenset(set_aside))

    assert column(case, "set_aside") == waiting
    records = {"timeliness": 3, "reply": 3, "resolution": 3, "speed": 3, "satisfaction": 2, "outreach": 4}
    assert column(case, "records") == records


@pytest.mark.parametrize("check", ["instant_answers", "clock_apart", "contact_padding", "ballot_stuffing"])
def test_out_of_what_is_frozen_come_the_same_figures(check: Check) -> None:
    town = make_town(6, cadres=24)
    TRICKS[check](town)
    judged = judge(town, SPAN_OF_QUARTERS, SETTINGS)
    yardstick = yardstick_of(judged.scored)
    waiting = 0
    for case in iterate_cases(judged, yardstick):
        told = explain_case(case, SETTINGS, audience="department").left_out.get("set_aside", ())
        dossier = thaw(freeze(case.measured.counted.dossier))
        measured = measure(dossier, case.own, yardstick, SPAN_OF_QUARTERS, SETTINGS, frozenset(told))

        again = Case(measured=measured, own=case.own, yardstick=yardstick, set_aside=frozenset(told))

        assert watch_case(again) == watch_case(case)
        waiting += sum(column(case, "set_aside").values())
    assert waiting
