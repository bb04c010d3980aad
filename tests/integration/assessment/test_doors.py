"""From an event on the broker to an announced score, through the processes of the service."""

import os
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack, contextmanager
from datetime import datetime

import psycopg
import pytest

from embedded.layout import free_port
from services.assessment.messaging import SUBSCRIPTION, FactsDoor
from shared.broker.publisher import OutgoingMessage, Publisher
from shared.broker.topology import declare_publishing, producer_of
from shared.contracts.envelope import CONTENT_TYPE, encode
from tests.fakes import sealed
from tests.integration.assessment.conftest import ZONE
from tests.integration.assessment.story import Story

pytestmark = pytest.mark.integration


def told() -> Story:
    story = Story(correlation_id="0123456789abcdef")
    town = story.organisation("T")
    cadre_id = story.cadre("S001")
    story.post(cadre_id, town)
    at = datetime(2025, 3, 10, tzinfo=ZONE)
    for _ in range(3):
        story.close(story.issue(town, cadre_id, at, due_at=at.replace(day=20)), at.replace(day=12))
    return story


def wait_for(condition, *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.1)


def publish(broker, keys_folder, envelopes) -> None:
    publisher = Publisher(broker.urls["intake"], exchange="evt.intake", name="test")
    publisher.open()
    refused = publisher.publish(
        [
            sealed(
                OutgoingMessage(
                    message_id=str(envelope.event_id),
                    routing_key=envelope.event.key,
                    body=encode(
                        event_id=envelope.event_id,
                        event_type=envelope.event.type,
                        source="/lianxin/intake",
                        subject=f"{envelope.event.aggregate}/{envelope.event.aggregate_id}",
                        sequence=envelope.sequence,
                        recorded_at=envelope.recorded_at,
                        correlation_id=envelope.correlation_id,
                        data=envelope.event.model_dump(mode="json", exclude_none=True),
                    ),
                    content_type=CONTENT_TYPE,
                    message_type=envelope.event.type,
                    correlation_id=envelope.correlation_id,
                ),
                keys_folder,
                service="intake",
            )
            for envelope in envelopes
        ]
    )
    publisher.close()
    assert refused == {}


@contextmanager
def running(command, environment, *, port):
    process = subprocess.Popen(
        [sys.executable, "-m", "services.assessment", command],
        env=environment | {"LIANXIN_ASSESSMENT_MANAGEMENT_PORT": str(port)},
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)
            raise


def test_an_event_becomes_an_announced_score(new_database, broker, keys_folder):
    database = new_database("assessment")
    values = {
        "MODE": "test",
        "DATABASE_URL": database.url,
        "OWNER_DATABASE_URL": database.owner_url,
        "BROKER_URL": broker.urls["assessment"],
        "TASK_BROKER_URL": broker.task_urls["assessment"],
        "DEPLOY_BROKER_URL": broker.urls["deploy"],
        "KEYS_DIRECTORY": str(keys_folder / "assessment"),
        "ANNOUNCE_INTERVAL_SECONDS": "1",
    }
    environment = os.environ | {f"LIANXIN_ASSESSMENT_{name}": value for name, value in values.items()}
    declare_publishing(broker.urls["deploy"], "intake")
    for _ in range(2):  # a second migration changes nothing
        subprocess.run(
            [sys.executable, "-m", "services.assessment", "migrate"], env=environment, check=True, timeout=60
        )
    ports = {command: free_port() for command in ("consume", "work", "relay")}

    options = "-c lianxin.reach=system"
    with ExitStack() as processes, psycopg.connect(database.url, autocommit=True, options=options) as connection:
        for command, port in ports.items():
            processes.enter_context(running(command, environment, port=port))
        publish(broker, keys_folder, told().take())
        publish(broker, keys_folder, told().take())  # the same events again

        def count_sent() -> int:
            return len(connection.execute("SELECT id FROM outbox WHERE sent_at IS NOT NULL").fetchall())

        wait_for(lambda: count_sent() == 6)
        for port in ports.values():
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                assert b"assessment_" in answer.read()
        rows = connection.execute("SELECT DISTINCT correlation_id, composite FROM score").fetchall()
        events = len(connection.execute("SELECT event_id FROM event").fetchall())

    assert [(correlation_id, str(composite)) for correlation_id, composite in rows] == [("0123456789abcdef", "100.00")]
    assert events == 9


def test_scoring_is_asked_for_once_an_interval_and_only_for_news(pool):
    nudges = []
    envelopes = told().take()
    door = FactsDoor(pool, zone=ZONE, nudge_scoring=lambda: nudges.append(1), interval_seconds=3_600)

    for envelope in (*envelopes, *envelopes):
        door.handle([envelope])

    assert nudges == [1]


def test_the_producer_is_intake_of_the_same_installation():
    assert producer_of(SUBSCRIPTION, "amqp://lianxin_assessment:secret@localhost/lianxin") == "lianxin_intake"
