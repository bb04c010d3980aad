"""What the demo does of late: which steps are taken of which issues, and that a second start does no harm."""

from collections import Counter
from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from demo import chance
from demo.county import Years, build_years
from demo.decision import decide_one
from demo.present import Unwilling
from demo.turns import CALLS, DENIALS, SENT_BACK, Callers, Turns


@pytest.fixture(scope="module")
def years() -> Years:
    return build_years(today=date(2026, 12, 1), scale=0.3)


class Intake:
    """Knows the issues by the source's number as their id, and remembers what was asked of it."""

    def __init__(self, years: Years, *, answers: int = 201) -> None:
        self._issues = years.issues
        self._answers = answers
        self.steps: list[tuple[str, str, dict[str, Any]]] = []

    def __call__(self, method: str, path: str, *, json: Any = None) -> httpx.Response:
        if method == "GET":
            cadre = httpx.URL(path).params["staff_number"]
            own = [issue for issue in self._issues if issue.assignment.cadre.staff_number == cadre]
            items = [{"id": issue.source_number, "received_at": issue.arrival.received_at.isoformat()} for issue in own]
            return httpx.Response(200, json={"items": items, "next_cursor": None})
        _, issue, step = path.rsplit("/", 2)
        self.steps.append((issue, step, json))
        return httpx.Response(self._answers, json={})


def take(years: Years, intake: Intake) -> Counter[str]:
    return Turns(Callers(importer=intake, clerk=intake, officer=intake), years, chance.stream(1, "turns")).take()


def test_a_few_of_what_was_closed_of_late_are_opened_again_or_redone(years):
    intake = Intake(years)

    taken = take(years, intake)

    closed = {issue.source_number: issue.course.closed_at for issue in years.issues}
    again = [issue for issue, step, _ in intake.steps if step in ("reopening", "redos")]
    assert taken["reopened"] > taken["redone"] > 0
    assert len(set(again)) == len(again)
    assert all(closed[issue] > years.timeline.end - timedelta(days=15) for issue in again)


def test_what_is_handed_on_is_open_and_goes_to_another_unit(years):
    intake = Intake(years)

    taken = take(years, intake)

    issues = {issue.source_number: issue for issue in years.issues}
    handed = [(issues[issue], body) for issue, step, body in intake.steps if step == "assignments"]
    assert taken["handed on"] == len(handed) > 0
    assert taken["sent back"] == min(SENT_BACK, len(handed))
    assert all(issue.course.closed_at is None for issue, _ in handed)
    assert all(body["organisation_code"] != issue.assignment.organisation.code for issue, body in handed)


def test_citizens_are_called_and_some_know_of_no_such_matter(years):
    intake = Intake(years)

    take(years, intake)

    calls = Counter(body["result"] for _, step, body in intake.steps if step == "callback-attempts")
    denied = {issue for issue, _, body in intake.steps if body.get("result") == "reached_no_such_matter"}
    own = {
        issue.source_number
        for issue in years.issues
        if issue.assignment.cadre.staff_number == years.tricksters.makes_up.staff_number
    }
    assert calls == Counter(call["result"] for call in CALLS) + Counter({"reached_no_such_matter": DENIALS})
    assert denied <= own


@pytest.mark.parametrize("refused", [409, 422])
def test_steps_that_were_taken_before_are_let_be(years, refused):
    assert not +take(years, Intake(years, answers=refused))


def test_a_door_that_is_out_of_order_is_told_of(years):
    with pytest.raises(Unwilling, match="was answered 500"):
        take(years, Intake(years, answers=500))


def test_the_decision_is_about_what_can_be_looked_up():
    asked: list[tuple[str, str, Any]] = []

    def officer(method: str, path: str, *, json: Any = None) -> httpx.Response:
        asked.append((method, path, json))
        waiting = [{"signal_id": "1", "check_name": "clock_apart"}, {"signal_id": "2", "check_name": "split_issues"}]
        return httpx.Response(200, json={"items": waiting})

    assert decide_one(officer)

    assert asked[1:] == [
        ("POST", "/v1/signals/2/decision", {"verdict": "confirmed", "grounds": "checked_documents"}),
    ]


def test_where_nothing_of_the_kind_waits_nothing_is_decided():
    assert not decide_one(lambda *_, **__: httpx.Response(200, json={"items": []}))
