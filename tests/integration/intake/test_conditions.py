"""Versions: what a reader has already is not sent again, and a change meant for one version does not meet another."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from services.intake.domain.commands.issue_steps import RespondToIssue
from services.intake.domain.repeats import OUTDATED
from services.intake.handlers.issue_steps.batch import take_steps
from shared.database import Pool
from tests.fakes import machine, person
from tests.integration.intake.conftest import NOW
from tests.integration.intake.door import Door

pytestmark = pytest.mark.integration


@pytest.fixture
def door(pool: Pool, tmp_path: Path) -> Door:
    return Door(
        pool, {"clerk": person("clerk"), "officer": person("department_officer"), "machine": machine()}, tmp_path
    )


def tag_of(door: Door, path: str) -> str:
    answer = door.get("clerk", path)
    assert answer.status_code == 200
    return answer.headers["etag"]


def test_what_the_reader_has_is_not_sent_again(county, door: Door):
    for path in (
        f"/v1/issues/{county['issues'][0].id}",
        f"/v1/contacts/{county['contacts'][0].id}",
        "/v1/organisations/street",
        "/v1/cadres/S1",
    ):
        tag = tag_of(door, path)

        for given in (tag, f"W/{tag}", f'"x", {tag}', "*"):
            answer = door.ask("clerk", "GET", path, **{"if-none-match": given})
            assert (answer.status_code, answer.content) == (304, b""), path
            assert answer.headers["etag"] == tag
        for given in ('"x"', tag.strip('"'), "", tag[:-2] + '"'):
            assert door.ask("clerk", "GET", path, **{"if-none-match": given}).status_code == 200, path


def test_a_tag_moves_with_the_record_and_with_nothing_else(county, door: Door):
    issue = county["issues"][0].id
    path = f"/v1/issues/{issue}"
    first = tag_of(door, path)
    body = {"issue_id": str(issue), "level": 1, "method": "kiosk"}
    assert door.post("machine", "/v1/ratings", body).status_code == 201
    rated = tag_of(door, path)
    door.post("clerk", f"{path}/responses", {})

    assert rated == first
    assert tag_of(door, path) != first


def test_a_step_for_the_version_that_stands_is_taken_and_for_another_it_is_not(county, door: Door):
    issue = county["issues"][0].id
    path = f"/v1/issues/{issue}"
    tag = tag_of(door, path)

    taken = door.post("clerk", f"{path}/responses", {}, if_match=tag)
    stale = door.post("clerk", f"{path}/closure", {"outcome": "resolved", "reply": "好"}, if_match=tag)
    either = door.post(
        "clerk", f"{path}/closure", {"outcome": "resolved", "reply": "好"}, if_match=f"{tag}, {tag_of(door, path)}"
    )

    assert taken.status_code == 200
    assert (stale.status_code, stale.json()["title"]) == (412, OUTDATED)
    assert stale.headers["content-type"] == "application/problem+json"
    assert either.status_code == 200


@pytest.mark.parametrize("given", ['"999-abc"', 'W/"2-abc"', "2", "x", '""', '"1-', "'2'"])
def test_what_names_no_version_that_stands_changes_nothing(county, door: Door, ask: Callable[..., Any], given: str):
    issue = county["issues"][0].id
    before = ask("SELECT issue::text FROM issue ORDER BY id")

    answer = door.post("clerk", f"/v1/issues/{issue}/responses", {}, if_match=given)

    assert answer.status_code == 412, given
    assert ask("SELECT issue::text FROM issue ORDER BY id") == before


def test_any_version_is_meant_by_an_asterisk(county, door: Door):
    assert door.post("clerk", f"/v1/issues/{county['issues'][0].id}/responses", {}, if_match="*").status_code == 200


def test_a_correction_is_for_one_version_too(county, door: Door):
    path = f"/v1/contacts/{county['contacts'][0].id}"
    tag = tag_of(door, path)
    body = {"reason_code": "recorded_in_error"}

    stale = door.post("officer", f"{path}/void", body, if_match='"7-x"')
    fits = door.post("officer", f"{path}/void", body, if_match=tag)

    assert stale.status_code == 412
    assert fits.status_code == 200, fits.text


def test_a_repeat_with_its_key_is_answered_as_before_although_the_version_has_moved_on(county, door: Door):
    path = f"/v1/issues/{county['issues'][0].id}"
    headers = {"if_match": tag_of(door, path), "idempotency_key": "k"}

    answers = [door.post("clerk", f"{path}/responses", {}, **headers).status_code for _ in range(2)]

    assert answers == [200, 200]


def test_of_many_who_saw_the_same_version_one_changes_it(county, pool: Pool):
    issue = county["issues"][0]

    def respond(number: int) -> str:
        command = RespondToIssue(id=issue.id, correlation_id=f"try-{number}", expected=frozenset({1}))
        return take_steps(pool, [command], now=NOW)[0].status

    with ThreadPoolExecutor(6) as executor:
        found = list(executor.map(respond, range(6)))

    assert sorted(found) == ["changed", *["conflict"] * 5]
