"""Explanations add up, and tell a cadre nothing that rests on single raters."""

from dataclasses import asdict, replace
from decimal import Decimal
from typing import Literal

import pytest

from services.assessment.fair.engine import Judged, judge
from services.assessment.fair.explaining import FROM_CITIZENS, compare, explain
from services.assessment.fair.records import Dossier
from services.assessment.fair.settings import read_settings
from services.assessment.fair.telling import ALLOWED_FOR, signed, tell, tell_cadre, tell_change
from services.assessment.importing.records.cli import OWN_SETTINGS
from tests.unit.assessment.fair.towns import SPAN, make_town

SETTINGS = read_settings(OWN_SETTINGS.read_text("utf-8"))


@pytest.fixture(scope="module")
def town() -> list[Dossier]:
    return make_town(3, cadres=24)


@pytest.fixture(scope="module")
def judged(town: list[Dossier]) -> Judged:
    return judge(town, SPAN, SETTINGS)


def test_every_line_and_the_score_add_up(judged: Judged) -> None:
    for result in judged.results:
        explanation = explain(judged, result.cadre, SETTINGS, audience="department")

        points = [line.points for line in explanation.lines if line.points is not None]
        assert explanation.score == explanation.base + sum(points, Decimal(0))
        for line in explanation.lines:
            allowed = line.load + line.region + line.unit + line.peers
            assert line.observed - line.expected - allowed == line.difference


def test_a_change_is_told_as_a_sum(town: list[Dossier], judged: Judged) -> None:
    later = [*town[1:], replace(town[0], issues=town[0].issues[:-2], ratings=[])]
    cadre = town[0].cadre.cadre

    change = compare(cadre, judged, judge(later, SPAN, SETTINGS), SETTINGS)

    assert change.before == judged.by_cadre[cadre].score
    assert change.before + sum(change.by_indicator.values()) == change.after
    assert str(change.after) in tell_change(change, "en")


def test_a_cadre_reads_the_same_whatever_single_raters_said(town: list[Dossier], judged: Judged) -> None:
    """The people's mean is theirs all together; what is told of the cadre alone does not move."""
    cadre = town[5].cadre.cadre
    kinder = [*town[:5], replace(town[5], ratings=[replace(one, level=5) for one in town[5].ratings]), *town[6:]]

    before = explain(judged, cadre, SETTINGS, audience="cadre")
    after = explain(judge(kinder, SPAN, SETTINGS), cadre, SETTINGS, audience="cadre")

    assert asdict(before) == asdict(after)
    assert before.score is None
    assert not FROM_CITIZENS & {line.indicator for line in before.lines}
    assert all(rating.rating not in tell(before, "zh") for rating in town[5].ratings)


def test_what_was_released_is_told_in_sums_without_records(judged: Judged) -> None:
    explanation = explain(judged, "C005", SETTINGS, audience="cadre", released=FROM_CITIZENS)

    assert explanation.score is not None
    assert explanation.most == ()
    assert "not_the_complainant" not in explanation.left_out


@pytest.mark.parametrize(("language", "word"), [("zh", "得分是依据"), ("en", "not the verdict")])
def test_the_text_is_told_in_both_languages(judged: Judged, language: str, word: str) -> None:
    explanation = explain(judged, "C001", SETTINGS, audience="department")

    text = tell(explanation, "zh" if language == "zh" else "en")

    assert word in text
    assert str(explanation.score) in text
    assert all(moved.record in text for moved in explanation.most)


def test_what_was_set_aside_of_a_cadre_is_told_as_that(town: list[Dossier], judged: Judged) -> None:
    doubted = {issue.issue for issue in town[5].issues[:2]}

    told = explain(replace(judged, set_aside=frozenset(doubted)), town[5].cadre.cadre, SETTINGS, audience="department")

    assert told.left_out["set_aside"] == tuple(sorted(doubted))


@pytest.mark.parametrize(("language", "untold"), [("zh", "分数暂不公布"), ("en", "the points are not told")])
def test_what_is_allowed_for_is_told_where_there_is_some_and_points_where_they_may_be(
    judged: Judged, language: Literal["zh", "en"], untold: str
) -> None:
    explanation = explain(judged, "C001", SETTINGS, audience="department")
    withheld = explain(judged, "C001", SETTINGS, audience="cadre")

    sentences = tell(explanation, language).splitlines()[1:]
    told = tell_cadre(withheld, language, total=None, band=None)[1:]

    for line, sentence in zip(explanation.lines, sentences, strict=False):
        assert signed(line.points or Decimal(0)) in sentence
        steps = [getattr(line, name) for name in ALLOWED_FOR if line.indicator != "outreach"]
        assert all(signed(step) in sentence for step in steps if step)
        assert "+0.0000" not in sentence
        assert untold not in sentence
    assert all(untold in sentence for _, sentence in zip(withheld.lines, told, strict=False))
    assert withheld.lines
