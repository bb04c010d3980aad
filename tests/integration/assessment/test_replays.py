"""A closed period comes out the same whenever, wherever and however it is computed again; and anybody can do so."""

import json
import os
import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import psycopg
import pytest

from services.assessment.domain.periods import BadPeriod, parse_period
from services.assessment.handlers.closings import ClosingRule, close_months
from services.assessment.handlers.replays import TooManyToReplay, ask_for_period, list_closed_periods, replay_period
from services.assessment.handlers.schemes import load_schemes
from shared.database import open_pool
from tests.fakes import KnownPrincipals, machine, person
from tests.integration.assessment.conftest import HOME, ZONE, score_all, take
from tests.integration.assessment.readers import client_of, open_door
from tests.integration.assessment.story import random_county
from tests.integration.assessment.worlds import World

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[3]
RULE = ClosingRule(raters_needed=5, delay=timedelta(days=5), scheme_name="basic", zone=ZONE)
LONG_AFTER = datetime(2026, 3, 1, tzinfo=UTC)
ASKED = parse_period("2025-02-05..2025-06-20")
WHOLE_MONTHS = parse_period("2025-03-01..2025-10-31")
KNOWN = KnownPrincipals(
    {
        "auditor": person("auditor"),
        "officer": person("department_officer"),
        "S000": person("cadre", staff_number="S000", name="S000"),
        "machine": machine("scores.read", organisation_code="C", name="machine"),
    }
)


def close_world(pool, *, seed=3, shuffled=None):
    world = World(seed, 5)
    for month in range(1, 13):
        world.tell_month(month)
    told = world.story.take()
    if shuffled is not None:
        random.Random(shuffled).shuffle(told)  # noqa: S311 - repeatable, not secret
    for start in range(0, len(told), 50):
        take(pool, told[start : start + 50], now=LONG_AFTER)
    close_all(pool)


def close_all(pool):
    score_all(pool, now=LONG_AFTER)
    close_months(pool, rule=RULE, now=datetime(2025, 1, 1, tzinfo=UTC))  # the first call starts the clock
    ask_for_period(pool, ASKED, now=LONG_AFTER)
    ask_for_period(pool, WHOLE_MONTHS, now=LONG_AFTER)
    close_months(pool, rule=RULE, now=LONG_AFTER)


def hashes_of(pool):
    return {one.period.label: one.content_hash.hex() for one in list_closed_periods(pool)}


def test_every_closed_period_is_replayed_to_the_same_hash_under_whatever_conditions(new_assessment):
    pool = new_assessment()
    close_world(pool)
    expected = hashes_of(pool)
    assert {"2025-01", "2025Q1", "2025H1", "2025", ASKED.label, WHOLE_MONTHS.label} <= expected.keys()
    conditions = [
        {"PYTHONHASHSEED": "1", "TZ": "America/New_York", "LC_ALL": "C", "workers": "1"},
        {"PYTHONHASHSEED": "4242", "TZ": "Asia/Kathmandu", "LC_ALL": "tr_TR.UTF-8", "workers": "3"},
    ]

    for condition in conditions:
        workers = condition.pop("workers")
        asked = list(expected) if workers == "1" else ["2025", "2025Q2", ASKED.label]  # each has processes of its own
        command = [sys.executable, "-c", REPLAY, pool.conninfo, workers, *asked]
        ran = subprocess.run(
            command, check=True, capture_output=True, timeout=300, env=os.environ | {"PYTHONPATH": "."} | condition
        )
        assert json.loads(ran.stdout) == {period: expected[period] for period in asked}


REPLAY = """
import json, sys
from services.assessment.domain.periods import parse_period
from services.assessment.handlers.replays import replay_period
from services.assessment.handlers.schemes import load_schemes
from shared.database import open_pool
if __name__ == "__main__":
    pool = open_pool(sys.argv[1], size=1, application="replay", statement_timeout_seconds=30, system=True)
    found = [replay_period(pool, parse_period(text), workers=int(sys.argv[2])) for text in sys.argv[3:]]
    assert all(one.is_same for one in found)
    print(json.dumps({one.period.label: one.found for one in found}))
    pool.close()
"""


def test_two_databases_that_were_told_in_another_order_close_under_the_same_hashes(new_assessment):
    pools = new_assessment(), new_assessment()
    close_world(pools[0], seed=8)
    close_world(pools[1], seed=8, shuffled=5)

    assert hashes_of(pools[0]) == hashes_of(pools[1])


def test_one_more_contact_is_another_hash(new_assessment):
    first, second = new_assessment(), new_assessment()
    envelopes = random_county(4)
    take(first, envelopes)
    contact = next(one for one in envelopes if one.event.key == "intake.contact.recorded.v1")
    take(second, [one for one in envelopes if one.event.aggregate_id != contact.event.aggregate_id])
    close_all(first)
    close_all(second)

    assert hashes_of(first)["2025"] != hashes_of(second)["2025"]


def test_a_replay_notices_a_publication_that_was_altered(new_database):
    """Only the owner of the tables can, against their own policies."""
    database = new_database("assessment")
    pool = open_pool(database.url, size=2, application="replayed", statement_timeout_seconds=30, system=True)
    files = (HOME / "schemes").glob("*.toml")
    load_schemes(pool, files, indicators_file=HOME / "indicators.toml", now=LONG_AFTER)
    close_world(pool)
    with psycopg.connect(database.owner_url) as owner:
        owner.execute("ALTER TABLE publication NO FORCE ROW LEVEL SECURITY")
        owner.execute(
            """
            UPDATE publication
               SET inputs = replace(inputs, '"contacts":0', '"contacts":1'),
                   document = replace(document, '"contacts":0', '"contacts":1')
             WHERE period_kind = 'year' AND period_start = '2025-01-01' AND subject_code = 'S000'
            """
        )

    found = replay_period(pool, parse_period("2025"))

    assert not found.is_same
    assert [one.subject_kind for one in found.differing] == ["cadre"]
    assert replay_period(pool, parse_period("2025-02")).is_same
    pool.close()


def test_the_door_and_the_command_replay_for_an_auditor(pool):
    close_world(pool)
    app = open_door(pool, KNOWN)
    found = client_of(app, "auditor").get("/v1/closed-periods/2025Q2/replay").json()
    listed = client_of(app, "S000").get("/v1/closed-periods").json()["items"]

    assert found["is_same"] is True
    assert found["found"] == hashes_of(pool)["2025Q2"]
    assert {one["period"]["period"]: one["content_hash"] for one in listed} == hashes_of(pool)
    assert client_of(app, "officer").get("/v1/closed-periods/2025Q2/replay").status_code == 403
    assert client_of(app, "auditor").get("/v1/closed-periods/2031Q2/replay").status_code == 404
    with pytest.raises(TooManyToReplay):
        replay_period(pool, parse_period("2025"), most=1)


def test_days_asked_for_are_published_with_the_ratings_that_whole_months_may_tell(pool):
    close_world(pool)
    client = client_of(open_door(pool, KNOWN), "machine")

    documents = {}
    for period in (ASKED, WHOLE_MONTHS):
        items = client.get(f"/v1/published/scores/cadre?period={period.label}").json()["items"]
        assert {item["period"]["period"] for item in items} == {period.label}
        documents[period.label] = items
    indicators = [row for item in documents[ASKED.label] for row in item["indicators"]]

    assert all(row["withheld"] for row in indicators if row["key"] == "satisfaction_rate")  # no block ends with a day
    assert any(row["numerator"] for row in indicators if row["key"] == "on_time_closure_rate")
    assert ASKED.label in [one["period"] for one in client.get("/v1/published/periods").json()["items"]]
    with pytest.raises(BadPeriod):
        ask_for_period(pool, parse_period("2025-01-01..2025-03-31"), now=LONG_AFTER)


def verify(file, *more):
    command = [sys.executable, "-I", str(ROOT / "tools" / "verify_result.py"), str(file), *more]
    ran = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    return ran.returncode, ran.stdout


def test_the_verifier_computes_a_package_and_a_whole_period_again(pool, tmp_path):
    close_world(pool)
    app = open_door(pool, KNOWN)
    file = tmp_path / "package"
    for period, digest in hashes_of(pool).items():
        file.write_bytes(client_of(app, "auditor").get(f"/v1/closed-periods/{period}/package").content)
        assert len(file.read_bytes().splitlines()) > 5
        assert verify(file, "--hash", digest)[0] == 0, verify(file)
    own = client_of(app, "S000").get("/v1/published/scores/cadre/S000/package?period=2025")
    file.write_bytes(own.content)
    assert verify(file)[0] == 0, verify(file)
    assert verify(file, "--hash", "00")[0] == 1
    assert client_of(app, "S000").get("/v1/published/scores/cadre/S001/package?period=2025").status_code == 404

    document = orjson.loads(own.content)
    for spoil in (
        lambda one: one["document"].update(composite="99.99"),
        lambda one: one["inputs"]["measures"].update(contacts=999),
        lambda one: one["scheme"]["definition"].update(minimum_present_weight="1"),
        lambda one: one["inputs"].pop("told"),
        lambda one: one.update(inputs=[]),
    ):
        spoilt = orjson.loads(orjson.dumps(document))
        spoil(spoilt)
        file.write_bytes(orjson.dumps(spoilt))
        assert verify(file)[0] == 1, verify(file)
    for text, status in (("", 2), ("{}", 2), ('{"package": 1}', 1), ("not json", 1), ("[]", 1)):
        file.write_text(text)
        assert verify(file)[0] == status, verify(file)


def test_a_forged_result_with_hashes_that_fit_is_found_out_by_computing(pool, tmp_path):
    """Whoever alters figures and hashes alike has to alter the rules of arithmetic too."""
    close_world(pool)
    package = orjson.loads(client_of(open_door(pool, KNOWN), "auditor").get(
        "/v1/published/scores/organisation/C/package?period=2025"
    ).content)  # fmt: skip
    sys.path.insert(0, str(ROOT))
    from tools import verify_result

    package["document"]["composite"] = "99.99"
    package["content_hash"] = verify_result.hash_of(package["document"])
    file = tmp_path / "package"
    file.write_bytes(orjson.dumps(package))

    status, said = verify(file)

    assert status == 1
    assert "composite" in said
