"""The numbers of an explanation are those that the score was made of, for cadres of every kind."""

from dataclasses import replace
from decimal import Decimal
from math import sqrt

import pytest

from services.assessment.fair.engine import Judged, judge
from services.assessment.fair.explaining import (
    FROM_CITIZENS,
    Explanation,
    compare_explanations,
    explain,
    iterate_cases,
)
from services.assessment.fair.factor import place
from services.assessment.fair.records import MICRO
from services.assessment.fair.settings import INDICATORS, read_settings
from services.assessment.fair.yardstick import yardstick_of
from services.assessment.importing.records.cli import OWN_SETTINGS
from tests.unit.assessment.fair.towns import SPAN, make_mixed_town, make_town

SETTINGS = read_settings(OWN_SETTINGS.read_text("utf-8"))
HALF = Decimal("0.0051")  # of the last place of points, and what floats lose


@pytest.fixture(scope="module", params=[make_mixed_town(11, cadres=40), make_town(3, cadres=32)])
def judged(request: pytest.FixtureRequest) -> Judged:
    return judge(request.param, SPAN, SETTINGS)


def _explain_all(judged: Judged) -> list[Explanation]:
    return [explain(judged, result.cadre, SETTINGS, audience="department") for result in judged.results]


def test_a_line_tells_what_its_points_were_made_of(judged: Judged) -> None:
    cases = iterate_cases(judged, yardstick_of(judged.scored))
    for case, explanation in zip(cases, _explain_all(judged), strict=True):
        terms = {term.indicator: term for term in case.measured.position.terms}
        assert [line.indicator for line in explanation.lines] == list(terms)
        for line in explanation.lines:
            term, left = terms[line.indicator], case.measured.left[line.indicator]
            assert float(line.weight) == SETTINGS.weight_of(line.indicator) / MICRO
            assert float(line.records) == pytest.approx(left.effective, abs=0.051)
            assert float(line.difference) == pytest.approx(left.rest, abs=0.000051)
            assert float(line.load) == pytest.approx(left.load, abs=0.000051)
            assert float(line.region) == pytest.approx(left.region, abs=0.000051)
            assert float(line.unit) == pytest.approx(left.unit, abs=0.000051)
            assert float(line.observed - line.expected) == pytest.approx(left.mean, abs=0.000101)
            assert float(line.spread * line.level) == pytest.approx(left.rest, abs=0.01 * float(line.spread) + 0.001)
            assert line.limited is not None
            assert float(line.limited) == pytest.approx(term.limited, abs=0.0051)
            assert float(line.evidence) == pytest.approx(term.evidence, abs=0.0051)
            assert line.points == case.measured.result.points[line.indicator]


def test_what_is_observed_is_the_mean_of_the_values(judged: Judged) -> None:
    """Of resolution with what was explained too often, which counts as unsolved."""
    cases = iterate_cases(judged, yardstick_of(judged.scored))
    for case, explanation in zip(cases, _explain_all(judged), strict=True):
        for line in explanation.lines:
            marks = [one.mark for one in case.measured.residuals if one.mark.indicator == line.indicator]
            if marks:
                mean = sum(mark.weight * mark.value for mark in marks) / sum(mark.weight for mark in marks) / MICRO
                assert float(line.observed) == pytest.approx(mean, abs=0.000051)


def test_the_records_that_moved_the_score_most_are_told_with_what_each_moved(judged: Judged) -> None:
    cases = iterate_cases(judged, yardstick_of(judged.scored))
    for case, explanation in zip(cases, _explain_all(judged), strict=True):
        terms = {term.indicator: term for term in case.measured.position.terms}
        moved = {}
        for one in case.measured.residuals:
            name, weight = one.mark.indicator, case.measured.standings[one.mark.indicator].weight
            if name in terms and terms[name].level:
                difference = one.residual / MICRO * one.mark.weight / weight
                moved[one.mark.record, name] = terms[name].points * difference / case.measured.left[name].rest
        sizes = [abs(told.points) for told in explanation.most]
        assert sizes == sorted(sizes, reverse=True)
        assert len(explanation.most) == min(5, len(moved))
        for told in explanation.most:
            assert float(told.points) == pytest.approx(moved.pop((told.record, told.indicator)), abs=float(HALF))
        least = min((abs(told.points) for told in explanation.most), default=Decimal(0))
        assert all(abs(points) <= float(least + HALF) for points in moved.values())
        shown = {(one.mark.record, one.mark.indicator): one for one in case.measured.residuals}
        for told in explanation.most:
            record = shown[told.record, told.indicator]
            assert float(told.value) == pytest.approx(record.mark.value / MICRO, abs=0.0051)
            assert float(told.expected) == pytest.approx((record.expected + record.habit) / MICRO, abs=0.0051)


def test_one_more_of_the_best_moves_the_mean_by_its_part_and_makes_it_surer(judged: Judged) -> None:
    cases = iterate_cases(judged, yardstick_of(judged.scored))
    for case, explanation in zip(cases, _explain_all(judged), strict=True):
        levels = {term.indicator: (term.level, term.error) for term in case.measured.position.terms}
        assert explanation.would_change.keys() == levels.keys() & {"timeliness", "reply", "resolution"}
        for name, points in explanation.would_change.items():
            left, (between, _) = case.measured.left[name], case.yardstick.spreads[name]
            best = 1 - case.yardstick.tables[name].mean / MICRO
            rest = left.rest + (best - left.mean) / (left.effective + 1)
            error = levels[name][1] * left.effective / (left.effective + 1)
            after = place({**levels, name: (rest / sqrt(between), error)}, case.yardstick.loadings, SETTINGS)
            assert float(points) == pytest.approx(after.points - case.measured.position.points, abs=0.0051)


def test_caveats_say_how_far_the_score_can_be_relied_on(judged: Judged) -> None:
    for result, explanation in zip(judged.results, _explain_all(judged), strict=True):
        caveats = set(explanation.caveats)
        is_thin = result.band == "not_enough_evidence"
        assert {"evidence_not_verdict", "among_peers_only"} <= caveats
        assert ("not_enough_evidence" in caveats) is is_thin
        assert ("ranks_not_separable" in caveats) is (
            not is_thin and (result.award_zone == "open" or result.rank_best != result.rank_worst)
        )
        assert ("indicators_without_data" in caveats) is (len(explanation.lines) < len(INDICATORS))
        if any(abs(float(line.limited or 0) - float(line.level)) > 0.011 for line in explanation.lines):
            assert "limited" in caveats
        if "limited" not in caveats:
            assert all(line.limited == line.level for line in explanation.lines)
        assert "too_few_ratings" not in caveats


def test_everything_that_does_not_count_is_told_with_its_reason(judged: Judged) -> None:
    for explanation in _explain_all(judged):
        counted = judged.scored.counted[explanation.cadre]
        expected: dict[str, set[str]] = {}
        for mark in counted.marks:
            expected.setdefault(mark.note, set()).add(mark.record)
        for contact, (_, reasons) in counted.contact_notes.items():
            for reason in reasons.split():
                expected.setdefault(reason, set()).add(contact)
        expected.pop("", None)
        assert explanation.left_out == {note: tuple(sorted(records)) for note, records in expected.items()}


def test_a_cadre_is_told_nothing_of_what_citizens_said(judged: Judged) -> None:
    for result in judged.results:
        told = explain(judged, result.cadre, SETTINGS, audience="cadre")
        whole = explain(judged, result.cadre, SETTINGS, audience="cadre", released=FROM_CITIZENS)

        withheld = {line.indicator for line in whole.lines} & FROM_CITIZENS
        assert set(told.withheld) == withheld
        assert (told.score is None) is bool(withheld)
        assert ("too_few_ratings" in told.caveats) is bool(withheld)
        if withheld:
            assert (told.lower, told.upper, told.reliability) == (None, None, None)
            assert all(line.points is None and line.limited is None for line in told.lines)
            assert "limited" not in told.caveats
        assert (told.would_change, told.most, told.signals) == ({}, (), ())
        assert whole.would_change == explain(judged, result.cadre, SETTINGS, audience="department").would_change
        assert not {"not_the_complainant", "explained", "set_aside", "unconfirmed"} & told.left_out.keys()


def test_a_change_is_told_by_indicator_and_by_whose_doing_it_was(judged: Judged) -> None:
    """The own records did what the difference of the own means did; the rest is what is usual, and how sure it is."""
    (former, *_), (present, *_) = _explain_all(judged), _explain_all(judged)[1:]
    assert present.score is not None

    change = compare_explanations(former, replace(present, base=former.base + 1, score=present.score + 1))

    lines = {line.indicator: line for line in former.lines}, {line.indicator: line for line in present.lines}
    assert (change.before, change.after) == (former.score, present.score + 1)
    assert change.by_indicator.pop("base") == 1  # type: ignore[attr-defined]
    assert change.by_indicator.keys() == lines[0].keys() | lines[1].keys()
    for name, points in change.by_indicator.items():
        parts = [one[name].points if name in one else Decimal(0) for one in lines]
        assert points == (parts[1] or 0) - (parts[0] or 0)
    for name, points in change.own.items():
        before, after = lines[0][name], lines[1][name]
        assert before.points is not None
        moved = (after.observed - after.expected) - (before.observed - before.expected)
        assert float(points) == pytest.approx(float(before.points * moved / before.difference), abs=0.0051)
    assert change.own.keys() == {name for name in lines[0].keys() & lines[1].keys() if lines[0][name].difference}
    with pytest.raises(ValueError, match="withheld"):
        compare_explanations(former, replace(present, score=None))


def test_the_department_reads_bounds_and_signals_and_a_cadre_never_the_signals(judged: Judged) -> None:
    result = replace(judged.results[3], reasons=("extreme_clock",))
    asked = replace(judged, by_cadre={**judged.by_cadre, result.cadre: result})

    told = explain(asked, result.cadre, SETTINGS, audience="department")
    own = explain(asked, result.cadre, SETTINGS, audience="cadre", released=FROM_CITIZENS)

    bounds = (result.lower, result.upper, result.reliability)
    assert (told.lower, told.upper, told.reliability) == bounds
    assert (own.lower, own.upper, own.reliability) == bounds
    assert (told.signals, own.signals, own.most) == (("extreme_clock",), (), ())
