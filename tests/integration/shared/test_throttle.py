"""How often an account may ask, at a real door: reads, machines, imports, and ids that are not there."""

import dataclasses
import subprocess
import sys
import time

import pytest

from services.notify.api.app import create_notify_app
from services.notify.settings import NotifySettings
from shared.database import open_pool, transaction
from shared.throttle import not_found_floods_total, requests_throttled_total
from tests.asking import client_at
from tests.fakes import KnownPrincipals, machine, person

pytestmark = pytest.mark.integration

ASK_UNTIL_REFUSED = """
import sys
from tests.integration.shared.test_throttle import count_answers
print(count_answers(sys.argv[1], most=200)[0])
"""


def door(url, *, reads_per_minute=60, requests_per_minute=None):
    settings = NotifySettings(
        mode="test", database_url=url, broker_url="amqp://u:another-password-5678@localhost/x",
        reads_per_minute=reads_per_minute,
    )  # fmt: skip
    robot = dataclasses.replace(machine(), requests_per_minute=requests_per_minute)
    known = KnownPrincipals({"officer": person("department_officer"), "robot": robot})
    pool = open_pool(url, size=2, application="test", statement_timeout_seconds=30)
    return client_at(create_notify_app(settings, pool, authenticator=known)), pool


def count_answers(url, *, most):
    """How many reads are answered before the first refusal, in how many seconds, and that refusal."""
    client, pool = door(url)
    began = time.monotonic()
    try:
        for count in range(most):
            answer = client.get("/v1/deliveries", headers={"Authorization": "Bearer officer"})
            if answer.status_code == 429:
                return count, time.monotonic() - began, answer
            assert answer.status_code == 200, answer.text
        return most, time.monotonic() - began, None
    finally:
        pool.close()


def test_reads_are_limited_and_the_refusal_says_for_how_long(new_database):
    url = new_database("notify").url
    before = requests_throttled_total.labels("reading")._value.get()

    count, seconds, refused = count_answers(url, most=600)

    assert 58 <= count <= 62 + seconds  # a bucket drips back one a second
    assert refused is not None
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.json()["type"] == "urn:lianxin:problem:too-many-requests"
    assert requests_throttled_total.labels("reading")._value.get() > before


def test_a_limit_holds_across_processes(new_database):
    url = new_database("notify").url
    command = [sys.executable, "-c", ASK_UNTIL_REFUSED, url]

    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    answered = [int(process.communicate(timeout=120)[0].splitlines()[-1]) for process in both]

    # A bucket drips back one a second, and the two take their time.
    assert 55 <= sum(answered) <= 110


def test_a_machine_has_a_quota_of_its_own(new_database):
    client, pool = door(new_database("notify").url, reads_per_minute=1_000, requests_per_minute=5)

    statuses = [client.get("/v1/deliveries", headers={"Authorization": "Bearer robot"}).status_code for _ in range(10)]
    pool.close()

    assert statuses[:5] == [200] * 5
    assert 429 in statuses[5:]


def test_who_tries_out_ids_is_told_of_once_a_minute_in_the_audit(new_database):
    database = new_database("notify")
    client, pool = door(database.url, reads_per_minute=1_000)
    before = not_found_floods_total._value.get()
    path = "/v1/inbox/nobody/messages/0199aaaa-0000-7000-8000-00000000{:04x}/read"

    statuses = {
        client.post(path.format(number), headers={"Authorization": "Bearer officer"}).status_code
        for number in range(40)
    }
    system = open_pool(database.url, size=1, application="test", system=True)
    with transaction(system) as connection:
        [(lines,)] = connection.execute("SELECT count(*) FROM audit_record WHERE action = 'account.try_ids'")
    pool.close()
    system.close()

    assert statuses == {404}
    assert lines == 1
    assert not_found_floods_total._value.get() == before + 1


def test_the_description_of_every_route_tells_of_the_refusal(new_database):
    client, pool = door(new_database("notify").url)
    described = client.get("/v1/openapi.json", headers={"Authorization": "Bearer officer"}).json()
    pool.close()

    operations = [operation for path in described["paths"].values() for operation in path.values()]
    assert operations
    assert all("429" in operation["responses"] for operation in operations)
