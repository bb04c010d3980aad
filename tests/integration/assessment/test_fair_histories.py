"""One cadre's fair score over the doors: as it stands, over periods, by a day, and beside peers."""

import csv
import io
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
from httpx2 import Client, Response

from services.assessment.handlers.fair import look
from services.assessment.handlers.fair_corrections import correct_fair
from shared.database import Pool
from tests.fakes import KnownPrincipals, person
from tests.integration.assessment.conftest import NOW, ZONE, score_all, take
from tests.integration.assessment.readers import client_of, open_door
from tests.integration.assessment.story import Story
from tests.integration.assessment.test_fair_closings import (
    CADRES,
    CLOSED_AT,
    CLOSING,
    FIRST,
    READERS,
    client_ids,
    live,
    open_closed,
)

pytestmark = pytest.mark.integration
JANUARY = {"period": "2025-01"}


@pytest.fixture
def story(pool: Pool) -> Story:
    told = live()
    open_closed(pool, told)
    look(pool, CLOSING.settings, region_level="50", zone=ZONE, now=CLOSED_AT)
    return told


@pytest.fixture
def officer(pool: Pool, story: Story) -> Client:  # noqa: ARG001 - what it tells stands first
    return client_of(open_door(pool, READERS), "officer")


def test_one_score_is_the_list_s_and_has_a_tag(officer: Client) -> None:
    for query in ({}, JANUARY):
        items = officer.get("/v1/fair-scores", params=query).json()["items"]
        for item in items:
            answer = officer.get(f"/v1/fair-scores/{item['staff_number']}", params=query)
            assert answer.json() == item
            tag = {"If-None-Match": answer.headers["ETag"]}
            again = officer.get(f"/v1/fair-scores/{item['staff_number']}", params=query, headers=tag)
            assert (again.status_code, again.content) == (304, b"")
    assert officer.get("/v1/fair-scores/nobody").status_code == 404
    assert officer.get("/v1/fair-scores/S1", params={"period": "2024-12"}).status_code == 404


def test_the_history_has_each_closed_period_once_as_it_was_closed(officer: Client) -> None:
    closed = officer.get("/v1/fair-scores/S1", params=JANUARY).json()

    items = officer.get("/v1/fair-scores/S1/history").json()["items"]
    months = officer.get("/v1/fair-scores/S1/history", params={"per": "month", "limit": 1}).json()["items"]

    assert [item["period"]["period"] for item in items] == ["2025-01"]
    assert items == months
    told = ("starts_on", "ends_on", "peer_group", "score", "lower", "upper", "reliability", "band", "scheme")
    assert {name: items[0][name] for name in told} == {name: closed[name] for name in told}
    assert items[0]["content_hash"] == closed["content_hash"]
    assert officer.get("/v1/fair-scores/S1/history", params={"per": "year"}).json() == {"items": []}
    assert officer.get("/v1/fair-scores/nobody/history").status_code == 404


def test_by_a_day_a_score_has_what_was_known_by_then(pool: Pool, story: Story, officer: Client) -> None:
    closed = officer.get("/v1/fair-scores/S1", params=JANUARY).json()
    (cadre,) = client_ids(pool, "S1")
    late = story.issue(story.town, cadre, FIRST + timedelta(days=3), due_at=FIRST + timedelta(days=9))
    story.close(late, FIRST + timedelta(days=4))
    take(pool, story.take())
    score_all(pool)
    correct_fair(pool, region_level="50", zone=ZONE, now=NOW)
    (correction,) = officer.get("/v1/fair-corrections", params=JANUARY).json()["items"]

    def stood(on: str) -> Response:
        return officer.get("/v1/fair-scores/S1/as-of", params=JANUARY | {"on": on})

    assert stood("2025-02-05").status_code == 404
    assert (stood("2025-02-06").json()["score"], stood("2025-02-06").json()["correction"]) == (closed, None)
    assert (stood("2025-11-14").json()["correction"], stood("2025-11-15").json()["correction"]) == (None, correction)
    assert stood("2025-11-15").json()["score"] == closed


def test_peers_stand_beside_one_another_with_who_can_be_told_apart(officer: Client) -> None:
    told = officer.get("/v1/fair-comparisons", params=JANUARY | {"cadres": "S0,S7,S7"}).json()

    first, last = told["items"]
    for item, number in ((first, "S0"), (last, "S7")):
        assert item["score"] == officer.get(f"/v1/fair-scores/{number}", params=JANUARY).json()
    apart = float(first["score"]["lower"]) > float(last["score"]["upper"]) or float(last["score"]["lower"]) > float(
        first["score"]["upper"]
    )
    assert (first["told_apart_from"], last["told_apart_from"]) == ((["S7"], ["S0"]) if apart else ([], []))
    assert officer.get("/v1/fair-comparisons", params={"cadres": "S0,nobody"}).status_code == 404


@pytest.mark.usefixtures("story")
def test_lists_and_files_keep_to_a_kind_of_post(pool: Pool) -> None:
    readers = KnownPrincipals(
        {"officer": person("department_officer", "C", name="officer", stepped_up_at=datetime.now(UTC))}
    )
    officer = client_of(open_door(pool, readers), "officer")
    group = officer.get("/v1/fair-scores", params={"limit": 1}).json()["items"][0]["peer_group"]
    kind = group.rpartition(".")[2]

    for query in ({}, JANUARY):
        held = officer.get("/v1/fair-scores", params=query | {"post_kind": kind}).json()["items"]
        assert held == officer.get("/v1/fair-scores", params=query).json()["items"]
        assert officer.get("/v1/fair-scores", params=query | {"post_kind": kind[1:]}).json()["items"] == []
        assert len(_rows(officer, "fair-scores/export", query | {"post_kind": kind})) == len(held) == CADRES
        assert _rows(officer, "fair-scores/export", query | {"post_kind": kind[1:]}) == []
    asked = JANUARY | {"subject": "cadre"}
    for more in ({"composite_from": "50"}, {"composite_below": "50"}, {"flag": "any"}, {"flag": "none"}):
        listed = officer.get("/v1/scores", params=asked | more | {"sort": "code"}).json()["items"]
        assert [row["code"] for row in _rows(officer, "scores/export", asked | more)] == [
            item["subject"]["code"] for item in listed
        ]
    assert _rows(officer, "scores/export", asked | {"post_kind": "nobody"}) == []


def _rows(officer: Client, path: str, query: dict[str, str]) -> list[dict[str, str]]:
    archive = zipfile.ZipFile(io.BytesIO(officer.get(f"/v1/{path}", params=query).content))
    return list(csv.DictReader(io.StringIO(archive.read("scores.csv").decode("utf-8-sig"))))
