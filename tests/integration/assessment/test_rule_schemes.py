"""Putting schemes that are data into force: two persons, no overlap, nothing that ever changes."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from httpx2 import Client

from services.assessment.api.app import create_api
from shared.access.principal import Grant
from shared.database import Pool, transaction
from tests.asking import client_at
from tests.fakes import KnownPrincipals, person
from tests.integration.assessment.conftest import take
from tests.integration.assessment.readers import SETTINGS
from tests.integration.assessment.story import Story

pytestmark = pytest.mark.integration

SCHEME = """
format = 1
name = "{name}"
version = {version}
title = "测试方案"
[validity]
{validity}
[table]
subject = "unit"
[measures]
responded = "responded"
received = "issues_received"
[items.response]
kind = "proportional"
value = "responded / received"
whole = 1
full = 100
"""
EVERYWHERE = "from = 2025-01-01"


def scheme(name: str = "city", version: int = 1, validity: str = EVERYWHERE) -> dict[str, str]:
    return {"document": SCHEME.format(name=name, version=version, validity=validity)}


@pytest.fixture
def doors(pool: Pool) -> dict[str, Client]:
    """An officer who may propose, an approver, one who is both, and a cadre."""
    now = datetime.now(UTC)
    both = person("department_officer", name="both", stepped_up_at=now)
    people = KnownPrincipals(
        {
            "wang": person("department_officer", name="wang"),
            "li": person("approver", name="li", stepped_up_at=now),
            "both": replace(both, grants=(*both.grants, Grant(role="approver", organisation_code=None))),
            "cadre": person("cadre", name="S001", staff_number="S001"),
        }
    )
    app = create_api(SETTINGS, pool, authenticator=people)
    return {
        name: client_at(app, headers={"Authorization": f"Bearer {name}"}) for name in ("wang", "li", "both", "cadre")
    }


def adopt(doors: dict[str, Client], body: dict[str, str]) -> str:
    proposed = doors["wang"].post("/v1/scheme-proposals", json=body)
    assert proposed.status_code == 201, proposed.text
    approved = doors["li"].post(f"/v1/scheme-proposals/{proposed.json()['id']}/approve")
    assert approved.status_code == 200, approved.text
    return str(proposed.json()["id"])


def in_force(doors: dict[str, Client], on: str, **where: str) -> str | None:
    answer = doors["cadre"].get("/v1/rule-schemes/in-force", params={"on": on, **where})
    return f"{answer.json()['name']}-{answer.json()['version']}" if answer.status_code == 200 else None


def test_a_scheme_holds_once_a_second_person_has_agreed(doors):
    proposed = doors["wang"].post("/v1/scheme-proposals", json=scheme()).json()
    assert in_force(doors, "2025-03-01") is None

    approved = doors["li"].post(f"/v1/scheme-proposals/{proposed['id']}/approve").json()

    assert (approved["state"], approved["decided_by"]) == ("approved", "li")
    assert in_force(doors, "2025-03-01") == "city-1"
    assert in_force(doors, "2024-12-31") is None
    shown = doors["cadre"].get("/v1/rule-schemes/city/1").json()
    assert shown["document"] == scheme()["document"]
    assert shown["content_hash"] == approved["asked_for"]["content_hash"]
    assert shown["holds"] == [
        {"subject": "cadre", "place": None, "peer_group": None, "valid_from": "2025-01-01", "valid_until": None}
    ]  # fmt: skip
    assert [one["name"] for one in doors["cadre"].get("/v1/rule-schemes").json()["items"]] == ["city"]


def test_nobody_agrees_to_the_own_proposal_and_nobody_decides_twice(doors):
    mine = doors["both"].post("/v1/scheme-proposals", json=scheme()).json()["id"]

    assert doors["both"].post(f"/v1/scheme-proposals/{mine}/approve").json()["type"].endswith("own-proposal")
    assert doors["li"].post(f"/v1/scheme-proposals/{mine}/refuse", json={"reason": "unclear"}).status_code == 200
    again = doors["li"].post(f"/v1/scheme-proposals/{mine}/approve")
    assert (again.status_code, in_force(doors, "2025-03-01")) == (409, None)
    assert doors["li"].post(f"/v1/scheme-proposals/{uuid4()}/approve").status_code == 404
    assert doors["cadre"].post("/v1/scheme-proposals", json=scheme()).status_code == 403


def test_two_schemes_never_hold_for_the_same_at_once(doors):
    adopt(doors, scheme(validity='place = "C1"\npeer_groups = ["a", "b"]\nfrom = 2025-01-01\nuntil = 2025-12-31'))

    for validity in (
        'place = "C1"\npeer_groups = ["b"]\nfrom = 2025-12-31',
        'place = "C1"\npeer_groups = ["c", "a"]\nfrom = 2024-01-01\nuntil = 2025-01-01',
    ):
        refused = doors["wang"].post("/v1/scheme-proposals", json=scheme("other", validity=validity))
        assert refused.status_code == 409
        assert refused.json()["type"].endswith("schemes-overlap")
        assert "city-1 holds for C1" in refused.json()["detail"]
    adopt(doors, scheme("later", validity='place = "C1"\npeer_groups = ["b"]\nfrom = 2026-01-01'))
    adopt(doors, scheme("others", validity='place = "C1"\nfrom = 2025-01-01'))
    assert in_force(doors, "2025-06-01", place="C1", peer_group="a") == "city-1"
    assert in_force(doors, "2025-06-01", place="C1", peer_group="c") == "others-1"
    assert in_force(doors, "2026-06-01", place="C1", peer_group="b") == "later-1"


def test_what_was_free_when_it_was_proposed_may_be_taken_when_it_is_decided(doors):
    first, second = (
        doors["wang"].post("/v1/scheme-proposals", json=scheme(name)).json()["id"] for name in ("one", "two")
    )

    assert doors["li"].post(f"/v1/scheme-proposals/{first}/approve").status_code == 200
    late = doors["li"].post(f"/v1/scheme-proposals/{second}/approve")
    assert late.json()["type"].endswith("schemes-overlap")
    open_still = doors["li"].get("/v1/scheme-proposals", params={"state": "open"}).json()["items"]
    assert [one["id"] for one in open_still] == [second]


def test_a_version_is_never_written_again(doors, pool):
    adopt(doors, scheme())

    again = doors["wang"].post("/v1/scheme-proposals", json=scheme(validity="from = 2020-01-01\nuntil = 2020-12-31"))
    assert again.json()["type"].endswith("version-taken")
    with transaction(pool) as connection:
        assert connection.execute("UPDATE rule_scheme SET document = 'x'").rowcount == 0
        assert connection.execute("DELETE FROM rule_scheme").rowcount == 0


def test_a_scheme_ends_on_a_day_that_two_persons_agreed_to(doors):
    adopt(doors, scheme())
    end = "/v1/rule-schemes/city/1/end"

    assert doors["wang"].post(end, json={"until": "2024-01-01"}).json()["type"].endswith("bad-end")
    assert doors["wang"].post("/v1/rule-schemes/none/1/end", json={"until": "2025-01-01"}).status_code == 404
    asked = doors["wang"].post(end, json={"until": "2025-06-30"}).json()["id"]
    assert in_force(doors, "2025-07-01") == "city-1"
    assert doors["li"].post(f"/v1/scheme-proposals/{asked}/approve").status_code == 200

    assert (in_force(doors, "2025-06-30"), in_force(doors, "2025-07-01")) == ("city-1", None)
    assert doors["wang"].post(end, json={"until": "2025-12-31"}).json()["type"].endswith("bad-end")
    adopt(doors, scheme(version=2, validity="from = 2025-07-01"))
    assert in_force(doors, "2025-07-01") == "city-2"


def test_the_nearest_place_goes_first(doors, pool):
    story = Story()
    county = story.organisation("C1", None)
    story.organisation("T1", county)
    take(pool, story.take())
    adopt(doors, scheme("all"))
    adopt(doors, scheme("county", validity='place = "C1"\nfrom = 2025-01-01'))

    assert in_force(doors, "2025-06-01", place="T1") == "county-1"
    assert in_force(doors, "2025-06-01", place="C1") == "county-1"
    assert in_force(doors, "2025-06-01", place="elsewhere") == "all-1"


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ("format = 1", "scheme: needs values or items"),
        (SCHEME.format(name="x", version=1, validity="from = 2025-01-01").replace("[validity]\nfrom = 2025-01-01", ""),
         "validity: is needed"),
        (scheme()["document"].replace("full = 100", "full = 100\nfull_mark = 1"), "does not know full_mark"),
        (scheme()["document"].replace('"issues_received"', '"受理数"'), "no publication says 受理数; they say"),
        (scheme()["document"].replace("responded / received", "__import__(1)"), "which is no function"),
        (scheme("fair")["document"], "name: is the name of the scheme that counts where a place has none"),
    ],
)  # fmt: skip
def test_what_does_not_read_is_refused_with_its_place(doors, document, complaint):
    refused = doors["wang"].post("/v1/scheme-proposals", json={"document": document})

    assert refused.status_code == 422
    assert complaint in refused.json()["detail"]


def test_a_scheme_can_be_checked_and_presets_read_without_anything_being_kept(doors):
    checked = doors["wang"].post("/v1/scheme-checks", json=scheme())
    presets = doors["cadre"].get("/v1/scheme-presets").json()["items"]

    assert checked.json()["items"] == ["response"]
    assert {"panjin-hotline", "jinhua-urban"} <= {one["name"] for one in presets}
    assert doors["li"].get("/v1/scheme-proposals").json()["items"] == []


def test_each_step_is_in_the_audit_with_the_hash_of_what_was_agreed_to(doors, pool):
    adopt(doors, scheme())

    with transaction(pool) as connection:
        rows = connection.execute(
            "SELECT action, object_id, details->>'content' FROM audit_record WHERE action LIKE 'scheme.%' ORDER BY seq"
        ).fetchall()
    hashed = doors["cadre"].get("/v1/rule-schemes/city/1").json()["content_hash"]
    assert rows[-2:] == [("scheme.propose", "city-1", hashed), ("scheme.approve", "city-1", hashed)]
