"""One cadre measured by a yardstick: the same records give the same score, and better ones a better one."""

from collections.abc import Callable
from dataclasses import replace

import orjson
import pytest

from services.assessment.fair.engine import Judged, judge
from services.assessment.fair.records import Dossier
from services.assessment.fair.settings import read_settings
from services.assessment.fair.yardstick import (
    Own,
    measure,
    own_of,
    read_own,
    read_yardstick,
    write_own,
    write_yardstick,
    yardstick_of,
)
from services.assessment.importing.records.cli import OWN_SETTINGS
from tests.unit.assessment.fair.towns import SPAN, make_town

SETTINGS = read_settings(OWN_SETTINGS.read_text("utf-8"))


@pytest.fixture(scope="module")
def town() -> list[Dossier]:
    return make_town(7)


@pytest.fixture(scope="module")
def judged(town: list[Dossier]) -> Judged:
    return judge(town, SPAN, SETTINGS)


def test_the_records_that_made_the_yardstick_come_out_as_they_did(judged: Judged) -> None:
    scored = judged.scored
    yardstick = read_yardstick(orjson.loads(orjson.dumps(write_yardstick(yardstick_of(scored)))))

    for result in judged.results:
        counted = scored.counted[result.cadre]
        own = read_own(orjson.loads(orjson.dumps(write_own(own_of(scored.frame, counted)))))
        measured = measure(counted.dossier, own, yardstick, SPAN, SETTINGS, judged.set_aside)

        assert measured.result.score == result.score
        assert measured.result.points == result.points


def without_answers(dossier: Dossier) -> Dossier:
    return replace(
        dossier, issues=[replace(one, answered_at=None, answer_allowed=None, has_reply=None) for one in dossier.issues]
    )


def without_issues(dossier: Dossier) -> Dossier:
    return replace(dossier, issues=[], ratings=[], handovers=[])


@pytest.mark.parametrize(("cut", "new"), [(without_answers, "timeliness"), (without_issues, "resolution")])
def test_the_first_of_a_kind_wait_until_it_is_known_what_is_usual(
    town: list[Dossier], cut: Callable[[Dossier], Dossier], new: str
) -> None:
    scored = judge([cut(one) for one in town], SPAN, SETTINGS).scored
    yardstick = yardstick_of(scored)
    assert new not in yardstick.tables

    for dossier in town:
        own = own_of(scored.frame, scored.counted[dossier.cadre.cadre])
        measured = measure(dossier, own, yardstick, SPAN, SETTINGS, frozenset())

        assert new not in measured.left
        assert measured.result.score == sum(measured.result.points.values(), measured.result.base)


def test_cases_of_a_kind_that_nobody_had_wait_for_the_next_look(judged: Judged) -> None:
    """Nobody can tell yet how far such records scatter."""
    counted = judged.scored.counted["C001"]
    own = own_of(judged.scored.frame, counted)
    yardstick = yardstick_of(judged.scored)
    new = replace(counted.dossier, issues=[replace(one, category="new") for one in counted.dossier.issues])
    mixed = replace(new, issues=[*new.issues, counted.dossier.issues[0]])

    left = measure(new, own, yardstick, SPAN, SETTINGS, frozenset()).left

    assert not {"timeliness", "reply", "resolution", "speed"} & left.keys()
    assert {"timeliness", "reply"} <= measure(mixed, own, yardstick, SPAN, SETTINGS, frozenset()).left.keys()


def test_one_more_solved_issue_is_worth_something(judged: Judged) -> None:
    scored = judged.scored
    yardstick = yardstick_of(scored)
    for cadre, counted in scored.counted.items():
        unsolved = next((one for one in counted.counted_issues if one.outcome == "unsolved"), None)
        if unsolved is None:
            continue
        own = own_of(scored.frame, counted)
        better = replace(counted.dossier)
        better.issues = [
            replace(one, outcome="solved") if one.issue == unsolved.issue else one for one in counted.dossier.issues
        ]
        before = measure(counted.dossier, own, yardstick, SPAN, SETTINGS, judged.set_aside).position.points

        after = measure(better, own, yardstick, SPAN, SETTINGS, judged.set_aside).position.points

        assert after > before, cadre


def test_who_was_not_there_yet_stands_at_the_middle_of_the_peers(judged: Judged) -> None:
    yardstick = yardstick_of(judged.scored)
    newcomer = Dossier(
        cadre=replace(judged.scored.counted[judged.results[0].cadre].dossier.cadre, cadre="new", target=0)
    )

    measured = measure(newcomer, Own(), yardstick, SPAN, SETTINGS, frozenset())

    assert measured.result.score == SETTINGS.standing.mean
    assert measured.result.reliability == 0


def test_what_is_usually_taken_off_is_the_mean_of_the_peers(judged: Judged) -> None:
    scored = judged.scored
    yardstick = yardstick_of(scored)

    for name, by_group in yardstick.usual.items():
        for group, usual in by_group.items():
            peers = [cadre for cadre, one in scored.people.items() if one.cadre.peer_group == group]
            lefts = [scored.frame.adjusted[name].left[one] for one in peers if one in scored.frame.adjusted[name].left]
            assert usual == pytest.approx(sum(left.mean - left.rest for left in lefts) / len(lefts))


def test_from_who_was_not_there_yet_is_taken_what_is_usual_and_nothing_for_load_or_place(judged: Judged) -> None:
    yardstick = yardstick_of(judged.scored)
    known = judged.scored.counted["C001"].dossier
    newcomer = replace(known, cadre=replace(known.cadre, cadre="new"))

    left = measure(newcomer, Own(), yardstick, SPAN, SETTINGS, frozenset()).left

    assert left.keys() == yardstick.spreads.keys()
    for name, one in left.items():
        usual = yardstick.usual[name][known.cadre.peer_group]
        assert (one.load, one.region, one.unit, one.peers) == (0, 0, 0, usual)
        assert one.rest == one.mean - usual
    elsewhere = replace(newcomer, cadre=replace(newcomer.cadre, peer_group="new"))
    assert {one.peers for one in measure(elsewhere, Own(), yardstick, SPAN, SETTINGS, frozenset()).left.values()} == {0}


@pytest.mark.parametrize(("target", "is_owed"), [(0, False), (1, True)])
def test_outreach_is_for_those_who_owe_contacts(judged: Judged, target: int, is_owed: bool) -> None:  # noqa: FBT001
    known = judged.scored.counted["C001"].dossier
    dossier = replace(known, cadre=replace(known.cadre, target=target))

    left = measure(dossier, Own(), yardstick_of(judged.scored), SPAN, SETTINGS, frozenset()).left

    assert ("outreach" in left) is is_owed
    if is_owed:
        assert (left["outreach"].effective, left["outreach"].mean) == (1, SETTINGS.outreach.highest / 1e6)


def test_a_yardstick_is_written_the_same_in_whatever_order_it_was_found(town: list[Dossier], judged: Judged) -> None:
    again = judge(reversed(town), SPAN, SETTINGS)

    assert orjson.dumps(write_yardstick(yardstick_of(again.scored))) == orjson.dumps(
        write_yardstick(yardstick_of(judged.scored))
    )
    assert [result.cadre for result in again.results] == sorted(dossier.cadre.cadre for dossier in town)
