"""Closed periods scored by the schemes of places: whose scheme holds, once, and told like publications."""

from datetime import UTC, date, datetime
from fractions import Fraction

import pytest
from httpx2 import Client

from services.assessment.api.app import create_api
from services.assessment.domain.rules.scheme_reading import read_rule_scheme
from services.assessment.handlers.closings import close_months
from services.assessment.handlers.place_scores import score_places
from services.assessment.storage import rule_schemes
from services.assessment.storage.rule_schemes import StoredRuleScheme
from shared.database import Pool, transaction
from tests.asking import client_at
from tests.fakes import KnownPrincipals, person
from tests.integration.assessment.conftest import NOW, score_all, take
from tests.integration.assessment.readers import SETTINGS
from tests.integration.assessment.test_simulations import RULE, tell_story

pytestmark = pytest.mark.integration

SCHEME = """
format = 1
name = "{name}"
version = 1
[validity]
{validity}
[measures]
closed = "closed"
on_time = {{ column = "closed_on_time" }}
[items.on_time_rate]
name = {{ zh = "按时办结率", en = "Closed on time" }}
kind = "proportional"
value = "on_time / closed"
whole = 1
full = {full}
missing = "zero"
[total]
round = 2
[[rankings]]
"""


def adopt(pool: Pool, name: str, validity: str, *, full: int = 100, text: str = SCHEME) -> None:
    document = text.format(name=name, validity=validity, full=full)
    scheme = read_rule_scheme(document)
    stored = StoredRuleScheme(
        name=scheme.name,
        version=scheme.version,
        document=document,
        content_hash=scheme.content_hash,
        proposed_by="wang",
        approved_by="li",
        approved_at=NOW,
    )
    with transaction(pool) as connection:
        rule_schemes.insert_rule_scheme(connection, stored)
        assert scheme.validity is not None
        rule_schemes.insert_validity(connection, scheme.name, scheme.version, scheme.validity)


def close(pool: Pool) -> None:
    take(pool, tell_story().take())
    score_all(pool)
    close_months(pool, rule=RULE, now=datetime(2025, 10, 25, tzinfo=UTC))
    close_months(pool, rule=RULE, now=NOW)


def client_of(pool: Pool) -> Client:
    people = KnownPrincipals(
        {
            "officer": person("department_officer", name="officer"),
            "town": person("department_officer", "T1", name="town"),
            "cadre": person("cadre", name="S2", staff_number="S2"),
            "head": person("unit_head", "T1", name="head"),
        }
    )
    return client_at(create_api(SETTINGS, pool, authenticator=people))


def read(client: Client, who: str, path: str, **query: str | int):
    headers = {"Authorization": f"Bearer {who}"}
    return client.get(f"/v1/published/place-scores/{path}", params={"period": "2025-10", **query}, headers=headers)


def test_each_subject_is_scored_by_the_scheme_of_its_place(pool):
    adopt(pool, "county", 'place = "C1"\nfrom = 2025-01-01')
    adopt(pool, "town", 'place = "T2"\nfrom = 2025-01-01', full=50)
    adopt(pool, "later", 'place = "T1"\nfrom = 2025-10-02')  # not on the first day of the month
    close(pool)

    assert [period.label for period in score_places(pool, now=NOW)] == ["2025-10"]

    items = read(client_of(pool), "officer", "cadre").json()["items"]
    assert [(one["subject"]["code"], one["scheme"]["name"], one["total"], one["places"]) for one in items] == [
        ("S1", "county", "100.00", {"place": "1"}),
        ("S2", "county", "0.00", {"place": "2"}),
        ("S3", "town", "50.00", {"place": "1"}),
    ]
    assert items[1]["explanation"]["zh"][-2:] == ["总分 0.00", "名次：第 2"]
    for one in items:
        assert sum(Fraction(part["amount"]) for part in one["contributions"]) == Fraction(one["total"])


def test_a_period_is_scored_once_and_a_later_scheme_has_no_say(pool):
    adopt(pool, "county", 'place = "C1"\nfrom = 2025-01-01')
    close(pool)
    score_places(pool, now=NOW)
    before = read(client_of(pool), "officer", "cadre").content

    adopt(pool, "town", 'place = "T1"\nfrom = 2025-01-01', full=50)

    assert score_places(pool, now=NOW) == []
    assert read(client_of(pool), "officer", "cadre").content == before
    with transaction(pool) as connection:
        assert connection.execute("UPDATE place_score SET document = '{}'").rowcount == 0
        assert connection.execute("DELETE FROM place_score").rowcount == 0


def test_two_databases_come_to_the_same_bytes(new_assessment):
    told = []
    for _ in range(2):
        pool = new_assessment()
        adopt(pool, "county", 'place = "C1"\nfrom = 2025-01-01')
        close(pool)
        score_places(pool, now=NOW)
        told.append(read(client_of(pool), "officer", "cadre").content)

    assert told[0] == told[1]


def test_schemes_for_organisations_are_for_organisations(pool):
    adopt(pool, "units", 'subjects = "organisation"\nfrom = 2025-01-01')
    close(pool)
    score_places(pool, now=NOW)
    client = client_of(pool)

    assert read(client, "officer", "cadre").json()["items"] == []
    items = read(client, "officer", "organisation").json()["items"]
    assert [(one["subject"]["code"], one["total"]) for one in items] == [
        ("C1", "66.67"), ("T1", "50.00"), ("T2", "100.00"),
    ]  # fmt: skip


def test_readers_see_what_they_see_of_publications(pool):
    adopt(pool, "county", "from = 2025-01-01")
    adopt(pool, "units", 'subjects = "organisation"\nfrom = 2025-01-01')
    close(pool)
    score_places(pool, now=NOW)
    client = client_of(pool)

    assert [one["subject"]["code"] for one in read(client, "town", "cadre").json()["items"]] == ["S1", "S2"]
    assert read(client, "cadre", "cadre/S2").json()["total"] == "0.00"
    assert read(client, "cadre", "cadre/S1").status_code == 404
    assert [one["subject"]["code"] for one in read(client, "head", "organisation").json()["items"]] == ["T1"]
    assert read(client, "head", "cadre").status_code == 403
    first = read(client, "officer", "cadre", limit=1).json()
    rest = read(client, "officer", "cadre", cursor=first["next_cursor"]).json()
    assert [one["subject"]["code"] for one in (*first["items"], *rest["items"])] == ["S1", "S2", "S3"]
    assert read(client, "officer", "cadre", period="2025-09").json()["items"] == []


def test_a_scheme_that_cannot_be_applied_stops_nothing_and_is_in_the_audit(pool):
    adopt(pool, "broken", 'place = "T1"\nfrom = 2025-01-01', text=SCHEME.replace('"closed"\n', '"办结数"\n', 1))
    adopt(pool, "county", 'place = "C1"\nfrom = 2025-01-01')
    close(pool)

    score_places(pool, now=NOW)

    assert [one["subject"]["code"] for one in read(client_of(pool), "officer", "cadre").json()["items"]] == ["S3"]
    with transaction(pool) as connection:
        told = connection.execute(
            "SELECT object_id, reason FROM audit_record WHERE action = 'scheme.failed'"
        ).fetchall()
        failed = connection.execute("SELECT score_count, failed FROM place_pass").fetchall()
    assert failed == [(1, ["broken-1"])]
    assert [(one[0], "no publication says 办结数" in str(one[1])) for one in told] == [("broken-1", True)]


def test_without_any_scheme_a_period_is_passed_over(pool):
    close(pool)

    assert score_places(pool, now=NOW) != []
    with transaction(pool) as connection:
        assert connection.execute("SELECT count(*) FROM place_score").fetchone() == (0,)
        assert connection.execute("SELECT min(period_start) FROM place_pass").fetchone() == (date(2025, 10, 1),)
