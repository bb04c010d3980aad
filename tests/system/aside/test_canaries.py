"""Unique names, phones, identity numbers and words go in through every door, and are looked for everywhere else."""

import json
import re
import uuid
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pika
import psycopg
import pytest
from psycopg import sql

from deploy.naming import SERVICES
from services.intake.handlers.citizen_rules import SHIPPED
from tests.harness.quiescence import wait_until_quiet
from tests.harness.suite import Suite
from tests.harness.waiting import wait_for
from tests.integration.notify.gateways import GatewayServer, serving

NAME, ADDRESS = "欧阳金丝雀", "金丝雀巷四十七号"
PHONE, SECOND_PHONE = "13987654329", "13987654310"
ID_NUMBER = "330102197703214715"
TITLE, DESCRIPTION, REPLY, NOTE = "金丝雀标题一", "金丝雀描述二", "金丝雀答复三", "金丝雀记录四"
CITIZENS = (NAME, ADDRESS, PHONE, ID_NUMBER, TITLE, DESCRIPTION, REPLY, NOTE)
# What somebody puts where it does not belong: into fields that nobody knows, paths, queries, headers and passwords.
STRAY = ("金丝雀错处五", SECOND_PHONE)
TOKENS: list[str] = []  # of rating links, as they are issued
UNIT, CADRE = "canary-unit", "canary-cadre"


class Tap:
    """A queue that gets a copy of everything that is published, made by the broker's administrator."""

    def __init__(self, suite: Suite) -> None:
        parameters = pika.URLParameters(suite.servers.rabbit_url)
        parameters.virtual_host = suite.names.events_vhost
        self._connection = pika.BlockingConnection(parameters)
        self._channel = self._connection.channel()
        self._channel.queue_declare("tap", exclusive=True)
        for exchange in ("evt.intake", "evt.assessment"):
            self._channel.queue_bind("tap", exchange, "#")

    def read(self) -> list[str]:
        seen: list[str] = []
        while True:
            method, properties, body = self._channel.basic_get("tap", auto_ack=True)
            if method is None:
                return seen
            seen.append(f"{method.routing_key} {properties!r} {body.decode()}")

    def close(self) -> None:
        self._connection.close()


@pytest.fixture(scope="module")
def answers() -> list[str]:
    """What callers were told, but for what a caller who may read it asked for by itself."""
    return []


@pytest.fixture(scope="module")
def told(suite: Suite) -> Iterator[GatewayServer]:
    """The gateway over which citizens are told, also at night."""
    files = {
        "CITIZEN_GATEWAY": 'url = "{url}"\nfields = {{ to = "{{phone}}", text = "{{text}}", id = "{{reference}}" }}',
        "CITIZEN_MESSAGES": SHIPPED.read_text("utf-8").replace("21:00:00", "00:00:00").replace("08:00:00", "00:00:00"),
    }
    with serving(GatewayServer()) as server:
        files["CITIZEN_GATEWAY"] = files["CITIZEN_GATEWAY"].format(url=server.url)
        for name, text in files.items():
            (suite.folder / name).write_text(text, "utf-8")
        settings = {f"LIANXIN_INTAKE_{name}": str(suite.folder / name) for name in files}
        suite.start_on_demand(
            "intake-tell", LIANXIN_INTAKE_CITIZEN_RATING_URL="https://lianxin.example.org/rate", **settings
        )
        yield server


@pytest.fixture(scope="module")
def traffic(suite: Suite, answers: list[str], told: GatewayServer) -> Iterator[list[str]]:
    with closing(Tap(suite)) as tap:
        _register(suite)
        _tell_citizen(suite, answers, told)
        _raise_issue(suite, answers)
        _stray(suite, answers)
        wait_until_quiet(suite)
        yield tap.read()


def _register(suite: Suite) -> None:
    registrar = suite.client("intake", "machine_client")
    assert registrar.put(f"/v1/organisations/{UNIT}", {"name": "清溪镇", "level": "61"}).is_success
    assert registrar.put(f"/v1/cadres/{CADRE}", {"name": "王强"}).is_success
    post = {"organisation_code": UNIT, "post_kind": "township_head", "post_level": "141", "from_on": "2025-01-01"}
    assert registrar.post(f"/v1/cadres/{CADRE}/posts", post).is_success


def _tell_citizen(suite: Suite, answers: list[str], told: GatewayServer) -> None:
    """What is no complaint is told of: that it came in, and the result with a link."""
    wait_for(lambda: _reads(suite), "nobody goes through the log")
    machine, officer = suite.client("intake", "machine_client"), suite.client("intake", "department_officer")
    issue = {
        "id": str(uuid.uuid4()),
        "type": "help",
        "category": "roads",
        "channel": "phone",
        "title": TITLE,
        "organisation_code": UNIT,
        "staff_number": CADRE,
        "citizen": {"name": NAME, "phone": PHONE, "id_number": ID_NUMBER, "address": ADDRESS},
    }
    assert machine.post("/v1/issues", issue).is_success
    assert machine.post(f"/v1/issues/{issue['id']}/closure", {"outcome": "resolved", "reply": REPLY}).is_success
    wait_for(lambda: len(told.asked) >= 2, "the citizen was not told", timeout_seconds=120)
    TOKENS.extend(asked.json["text"].partition("#")[2] for asked in told.asked if "#" in asked.json["text"])
    paths = ("/v1/citizen-messages", f"/v1/issues/{issue['id']}/citizen-messages")
    answers.extend(officer.get(path).body.decode() for path in paths)


def _reads(suite: Suite) -> bool:
    with suite.database("intake") as connection:
        row = connection.execute("SELECT read_until_event FROM citizen_gateway").fetchone()
    return row is not None and row[0] is not None


def _raise_issue(suite: Suite, answers: list[str]) -> None:
    machine = suite.client("intake", "machine_client")
    citizen = {"name": NAME, "phone": PHONE, "id_number": ID_NUMBER, "address": ADDRESS}
    contact = {
        "id": str(uuid.uuid4()),
        "staff_number": CADRE,
        "kind": "visit",
        "occurred_at": "2025-03-05T09:00:00+08:00",
        "note": NOTE,
        "citizen": citizen,
    }
    issue = {
        "id": str(uuid.uuid4()),
        "type": "complaint",
        "category": "roads",
        "channel": "phone",
        "title": TITLE,
        "description": DESCRIPTION,
        "received_at": "2025-03-05T09:00:00+08:00",
        "due_at": "2025-03-20T09:00:00+08:00",
        "organisation_code": UNIT,
        "staff_number": CADRE,
        "citizen": citizen,
    }
    closure = {"outcome": "resolved", "reply": REPLY, "closed_at": "2025-03-08T09:00:00+08:00"}
    for path, body in (
        ("/v1/contacts", contact),
        ("/v1/issues", issue),
        ("/v1/issues", {**issue, "title": TITLE * 2}),  # a contradiction
        ("/v1/issues", {**issue, "id": str(uuid.uuid4()), "staff_number": "nobody"}),
        ("/v1/issues", {**issue, "id": str(uuid.uuid4()), "citizen": {**citizen, "id_number": ID_NUMBER[:-1] + "6"}}),
        (f"/v1/issues/{issue['id']}/closure", closure),
        ("/v1/ratings", {"issue_id": issue["id"], "level": 2, "solved": False, "method": "kiosk"}),
    ):
        answers.append(machine.post(path, body).body.decode())
    TOKENS.append(machine.post(f"/v1/issues/{issue['id']}/rating-link", {}).document["token"])
    looked = machine.get("/v1/rating-links", Authorization=f"Link {TOKENS[-1]}").document
    for level in (7, 2, 2):  # no level; used; amended
        given = {"token": TOKENS[-1], "page": looked["page"], "level": level, "comment": REPLY}
        answers.append(machine.post("/v1/rating-links/rating", given).body.decode())
    for role in ("machine_client", "department_officer", "clerk"):  # masked, unless revealed
        masked = suite.client("intake", role).get(f"/v1/issues/{issue['id']}").document
        answers.append(json.dumps(masked["citizen"], ensure_ascii=False))


def _stray(suite: Suite, answers: list[str]) -> None:
    """Ask every route of every service wrongly, with the canaries wherever something can be put."""
    word, phone = STRAY
    for service in SERVICES:
        description = suite.client(service, "department_officer").get("/v1/openapi.json").document
        for role in ("department_officer", "machine_client", "clerk"):
            client = suite.client(service, role)
            for path, methods in description["paths"].items():
                for method in methods:
                    aimed = re.sub(r"\{\w+\}", phone, path) + f"?q={phone}&cursor={phone}&limit={phone}"
                    body: Any = None
                    if method in {"post", "put", "patch"} and "sign-out" not in path:
                        body = json.dumps({word: word, "name": word, "password": phone, "x": {"phone": phone}}).encode()
                    elif method != "get":
                        continue
                    headers = {"Idempotency_Key": phone, "X_Correlation_Id": f"call {phone}", "X_Phone": phone}
                    answers.append(client.send(method.upper(), aimed, body, headers).body.decode(errors="replace"))
        nobody = suite.management(f"{service}-serve")
        answers.append(
            nobody.get("/metrics", Authorization=f"Bearer {phone}", Cookie=f"__Host-lianxin={phone}").body.decode()
        )


def found_in(text: str, *, canaries: tuple[str, ...] = (*CITIZENS, *STRAY)) -> list[str]:
    """Also as JSON, Python and a bytea write them."""
    return [
        canary
        for canary in (*canaries, *TOKENS)
        if canary in text
        or json.dumps(canary)[1:-1] in text
        or repr(canary.encode())[2:-1] in text
        or canary.encode().hex() in text
    ]


def test_the_canaries_can_be_found(traffic: list[str]) -> None:
    assert found_in(f"a log line with {NAME}") == [NAME]
    assert found_in(json.dumps({"phone": PHONE, "name": NAME})) == [NAME, PHONE]
    assert found_in(f"\\x00{TITLE.encode().hex()}") == [TITLE]
    assert any("issue.received" in message for message in traffic)
    assert any('"link"' in message and "rating.submitted" in message for message in traffic)
    assert [found_in(token) for token in TOKENS] == [[token] for token in TOKENS]


def test_a_citizen_was_told_over_the_gateway_alone(traffic: list[str], told: GatewayServer) -> None:
    assert traffic
    assert {asked.json["to"] for asked in told.asked} == {PHONE}
    assert sum("https://lianxin.example.org/rate#" in asked.json["text"] for asked in told.asked) == 1
    assert len(told.asked) == 2  # the complaint was told of to nobody
    unsaid = (NAME, ADDRESS, PHONE, ID_NUMBER, TITLE, REPLY, UNIT, "清溪镇", "王强")
    assert not any(word in asked.json["text"] for asked in told.asked for word in unsaid)


def test_no_event_carries_one(traffic: list[str]) -> None:
    assert [message for message in traffic if found_in(message)] == []


@pytest.mark.usefixtures("traffic")
def test_no_answer_to_a_refused_or_masked_request_carries_one(answers: list[str]) -> None:
    assert len(answers) > 100
    assert [answer[:500] for answer in answers if found_in(answer)] == []


@pytest.mark.usefixtures("traffic")
def test_no_log_and_no_measure_carries_one(suite: Suite) -> None:
    places = {f"log of {name}": suite.log_file(name).read_text(errors="replace") for name in suite.processes}
    for name in suite.processes:
        places[f"measures of {name}"] = suite.management(name).get("/metrics").body.decode()

    assert {place: found for place, text in places.items() if (found := found_in(text))} == {}


@pytest.mark.usefixtures("traffic")
@pytest.mark.parametrize("service", SERVICES)
def test_no_database_holds_one_in_clear(suite: Suite, service: str) -> None:
    """Of intake too: only what strays into an Idempotency-Key is kept there, as its caller wrote it."""
    where: dict[str, list[str]] = {}
    url = psycopg.conninfo.make_conninfo(suite.servers.postgres_url, dbname=suite.names.database(service))
    with psycopg.connect(url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        assert tables
        for (table,) in tables:
            query = sql.SQL("SELECT {}::text FROM {}").format(sql.Identifier(table), sql.Identifier(table))
            text = "\n".join(str(row[0]) for row in connection.execute(query))
            if found := found_in(text, canaries=CITIZENS if table == "idempotency_key" else (*CITIZENS, *STRAY)):
                where[str(table)] = found

    assert where == {}, f"{service}: {where}"
