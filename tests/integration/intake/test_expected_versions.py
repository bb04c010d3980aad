"""Changes of registers that are meant for one version of an entry: to that one, or not at all."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.intake.domain.commands.registers import RegisterCadre
from services.intake.handlers import posts, registers
from shared.identifiers import new_id
from tests.fakes import machine, person
from tests.integration.intake.commands import a_post
from tests.integration.intake.conftest import NOW
from tests.integration.intake.door import Door

OUTDATED = (412, "outdated")


@pytest.fixture
def door(registered, tmp_path):
    people = {"clerk": person("clerk", name="clerk"), "machine": machine(name="machine")}
    return Door(registered, people, tmp_path)


def put(door, path, body, **headers):
    answer = door.ask("clerk", "PUT", path, body, **headers)
    return answer.status_code, answer.json().get("title") or answer.json()["status"]


@pytest.mark.parametrize(
    ("path", "first", "second"),
    [
        (
            "/v1/organisations/bureau",
            {"name": "局", "level": "50", "parent_code": "county"},
            {"name": "新局", "level": "50", "parent_code": "county"},
        ),
        ("/v1/cadres/S9", {"name": "王芳"}, {"name": "王方"}),
        ("/v1/categories/ferry", {"name": "渡口"}, {"name": "码头"}),
        (
            "/v1/categories/ferry",
            {"name": "渡口", "organisation_code": "town"},
            {"name": "码头", "organisation_code": "town"},
        ),
        ("/v1/population-groups/fishers", {"name": "渔民"}, {"name": "渔户"}),
    ],
    ids=["organisation", "cadre", "category", "category-of-a-place", "group"],
)
def test_an_entry_is_changed_in_the_version_that_was_read_or_not_at_all(door, path, first, second):
    assert put(door, path, first, if_match='"1"') == OUTDATED  # there is none yet
    assert put(door, path, first) == (201, "created")

    assert put(door, path, second, if_match='"2"') == OUTDATED
    assert put(door, path, second, if_match='W/"1"') == OUTDATED  # a weak tag names no version
    assert put(door, path, second, if_match="nonsense") == OUTDATED
    assert put(door, path, second, if_match='"7-x", "1-anything"') == (200, "changed")
    assert put(door, path, first, if_match='"1"') == OUTDATED
    assert put(door, path, first, if_match="*") == (200, "changed")


@pytest.mark.parametrize("path", ["/v1/organisations/town", "/v1/cadres/S1"])
def test_a_tag_that_was_read_is_a_tag_that_can_be_sent_back(door, path):
    read = door.get("clerk", path)
    body = {"name": "新名"} | ({"level": "60"} if "organisations" in path else {})

    assert put(door, path, body, if_match=read.headers["etag"]) == (200, "changed")
    assert put(door, path, body | {"name": "再改"}, if_match=read.headers["etag"]) == OUTDATED
    assert door.get("clerk", path).headers["etag"].startswith('"2-')


def test_a_post_and_a_channel_are_ended_in_the_version_that_was_listed(door, registered):
    post = a_post()
    posts.record_posts(registered, [post], now=NOW)
    channel = {"organisation_code": "town", "kind": "phone", "address": "0571-87654321", "from_on": "2025-01-01"}
    channel_id = door.post("clerk", "/v1/channels", channel).json()["id"]
    [held] = door.get("clerk", "/v1/cadres/S1").json()["posts"]
    [listed] = door.get("clerk", "/v1/channels").json()["items"]

    for path, version in ((f"/v1/posts/{post.id}", held["version"]), (f"/v1/channels/{channel_id}", listed["version"])):
        body = {"until_on": "2025-12-31"}
        other = door.post("clerk", f"{path}/end", body, if_match=f'"{version + 1}"')
        assert (other.status_code, other.json()["title"]) == OUTDATED
        assert door.post("clerk", f"{path}/end", body, if_match=f'"{version}"').json()["status"] == "changed"


FIRST_DAY = {"from_on": "2025-01-01"}
LIAISONS: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {
    "/v1/place-populations": (
        {"organisation_code": "town", "place_code": "P1", "counted_on": "2025-01-01"},
        [{"people_count": count} for count in (100, 110, 120)],
    ),
    "/v1/contact-points": (
        {"code": "v1", "organisation_code": "town", "kind": "village", "name": "东村", **FIRST_DAY},
        [{}, {"until_on": "2025-06-30"}, {"until_on": "2025-07-31"}],
    ),
    "/v1/contact-households": (
        {"number": "H1", "organisation_code": "town", "place_code": "P1", "population_group": "fishers", **FIRST_DAY},
        [{}, {"until_on": "2025-06-30"}, {"until_on": "2025-07-31"}],
    ),
    "/v1/liaison-assignments": (
        {"staff_number": "S1", "point_code": "v1", **FIRST_DAY},
        [{}, {"until_on": "2025-06-30"}, {"until_on": "2025-07-31"}],
    ),
}


@pytest.mark.parametrize("path", LIAISONS)
def test_a_count_and_a_last_day_are_corrected_in_the_version_that_was_listed(door, path):
    same, (first, second, third) = LIAISONS[path]
    put(door, "/v1/population-groups/fishers", {"name": "渔民"})
    if path == "/v1/liaison-assignments":
        door.post("clerk", "/v1/contact-points", LIAISONS["/v1/contact-points"][0])

    def post(more, **headers):
        answer = door.post("clerk", path, same | more, **headers)
        return answer.status_code, answer.json().get("title") or answer.json()["status"]

    def version():
        [listed] = door.get("clerk", path).json()["items"]
        return f'"{listed["version"]}"'

    assert post(first, if_match='"1"') == OUTDATED  # there is none yet
    assert post(first) == (201, "created")
    seen_by_both = version()
    assert post(second, if_match=seen_by_both) == (200, "changed")
    assert post(third, if_match=seen_by_both) == OUTDATED
    assert post(third, if_match=version()) == (200, "changed")


def test_a_household_has_the_tag_of_its_version(door):
    put(door, "/v1/population-groups/fishers", {"name": "渔民"})
    same = LIAISONS["/v1/contact-households"][0]
    path = f"/v1/contact-households/{door.post('clerk', '/v1/contact-households', same).json()['id']}"
    tag = door.get("clerk", path).headers["etag"]

    ended = door.post("clerk", "/v1/contact-households", same | {"until_on": "2025-06-30"}, if_match=tag)

    assert ended.json()["status"] == "changed"
    assert door.get("clerk", path).headers["etag"].startswith('"2-')


def test_a_reception_day_is_cancelled_in_the_version_that_was_announced(door):
    begins = datetime.now(UTC).replace(microsecond=0) + timedelta(days=7)
    body = {
        "organisation_code": "town",
        "staff_number": "S1",
        "place": "一楼接访室",
        "from_at": begins.isoformat(),
        "until_at": (begins + timedelta(hours=2)).isoformat(),
    }
    day_id = door.post("clerk", "/v1/reception-days", body).json()["id"]
    [announced] = door.get("clerk", "/v1/reception-days").json()["items"]
    path, why = f"/v1/reception-days/{day_id}/cancellation", {"reason_code": "illness"}

    other = door.post("clerk", path, why, if_match='"9"')

    assert (other.status_code, other.json()["title"]) == OUTDATED
    assert door.post("clerk", path, why, if_match=f'"{announced["version"]}"').json()["status"] == "changed"


def test_a_departure_and_an_end_are_for_one_version_too(door):
    left = {"left_on": "2026-01-01", "reason_code": "retired"}

    assert door.post("clerk", "/v1/cadres/S2/departure", left, if_match='"4"').status_code == 412
    assert door.post("clerk", "/v1/cadres/S2/departure", left, if_match='"1"').status_code == 201
    dissolved = {"dissolved_on": "2026-01-01"}
    assert door.post("clerk", "/v1/organisations/street/dissolution", dissolved, if_match='"4"').status_code == 412


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("dissolution", {"dissolved_on": "2190-01-01"}),
        ("merger", {"merged_on": "2190-01-01", "successor_code": "county"}),
    ],
)
def test_an_end_of_a_day_to_come_is_recorded_as_the_document_says(door, path, body):
    assert door.post("clerk", f"/v1/organisations/town/{path}", body, if_match='"4"').status_code == 412
    assert door.post("clerk", f"/v1/organisations/town/{path}", body).status_code == 201


def test_a_key_is_answered_before_the_version_is_asked_for(door):
    body = {"name": "新名"}
    first = put(door, "/v1/cadres/S1", body, if_match='"1"', idempotency_key="k1")

    assert first == (200, "changed")
    assert put(door, "/v1/cadres/S1", body, if_match='"1"', idempotency_key="k1") == (200, "unchanged")


def test_of_two_in_one_batch_for_the_same_version_one_is_made(registered, ask):
    commands = [
        RegisterCadre(
            id=new_id(), correlation_id="a-test", staff_number="S1", name=name, expected=frozenset({1}), from_on=None
        )
        for name in ("王方", "王芬")
    ]

    outcomes = registers.register_cadres(registered, commands, now=NOW)

    assert [(outcome.status, outcome.code) for outcome in outcomes] == [("changed", ""), ("conflict", "outdated")]
    assert ask("SELECT name, sequence FROM cadre WHERE staff_number = 'S1'") == [("王方", 2)]


def test_of_many_at_once_for_the_same_version_one_is_made(registered, ask):
    def change(number):
        command = RegisterCadre(
            id=new_id(),
            correlation_id="a-test",
            staff_number="S1",
            name=f"王芳{number}",
            expected=frozenset({1}),
            from_on=None,
        )
        return registers.register_cadres(registered, [command], now=NOW)[0].status

    with ThreadPoolExecutor(6) as threads:
        done = sorted(threads.map(change, range(6)))

    assert done == ["changed"] + ["conflict"] * 5
    assert ask("SELECT sequence FROM cadre WHERE staff_number = 'S1'") == [(2,)]
