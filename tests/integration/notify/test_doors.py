"""From an event on the broker to a mail at its server, through the consumer and the Celery worker of the service."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from embedded.layout import free_port
from shared.broker.publisher import OutgoingMessage, Publisher
from shared.broker.topology import declare_publishing
from shared.contracts.assessment import ScoreComputed
from shared.contracts.envelope import CONTENT_TYPE, encode
from shared.contracts.intake.issues import IssueAssigned, IssueReceived
from shared.contracts.intake.registers import CadreRegistered, OrganisationRegistered
from shared.identifiers import new_id
from tests.fakes import sealed
from tests.integration.notify.conftest import NOW, envelope_of, make_news, score_of

pytestmark = pytest.mark.integration


@pytest.fixture
def environment(new_database, broker, mail_server, keys_folder):
    database = new_database("notify")
    declare_publishing(broker.urls["deploy"], "assessment")
    values = {
        "MODE": "test",
        "DATABASE_URL": database.url,
        "OWNER_DATABASE_URL": database.owner_url,
        "BROKER_URL": broker.urls["notify"],
        "TASK_BROKER_URL": broker.task_urls["notify"],
        "DEPLOY_BROKER_URL": broker.urls["deploy"],
        "SMTP_URL": f"smtp://127.0.0.1:{mail_server.port}",
        "KEYS_DIRECTORY": str(keys_folder / "notify"),
        "DIGEST_INTERVAL_SECONDS": "1",
        "SWEEP_SECONDS": "0.5",
    }
    return os.environ | {f"LIANXIN_NOTIFY_{name}": value for name, value in values.items()}


@contextmanager
def running(command: str, environment: dict[str, str], *, port: int) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "services.notify", command],
        env=environment | {"LIANXIN_NOTIFY_MANAGEMENT_PORT": str(port)},
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


def wait_for(condition, *, seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.1)


def publish(broker, keys_folder, *messages: bytes, service: str = "assessment") -> None:
    publisher = Publisher(broker.urls[service], exchange=f"evt.{service}", name="test")
    publisher.open()
    refused = publisher.publish(
        [
            sealed(
                OutgoingMessage(
                    message_id=str(new_id()),
                    routing_key=f"{service}.test.v1",
                    body=body,
                    content_type=CONTENT_TYPE,
                    message_type=ScoreComputed.type,
                    correlation_id="0123456789abcdef",
                ),
                keys_folder,
                service=service,
            )
            for body in messages
        ]
    )
    publisher.close()
    assert refused == {}


def encode_score(number: int) -> bytes:
    event = score_of(make_news(number))
    return encode(
        event_id=new_id(),
        event_type=event.type,
        source="/assessment",
        subject=str(event.score_id),
        sequence=1,
        recorded_at=NOW,
        correlation_id="0123456789abcdef",
        data=event.model_dump(mode="json"),
    )


def run(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "services.notify", *command],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def subscribe(environment: dict[str, str]) -> None:
    with psycopg.connect(environment["LIANXIN_NOTIFY_DATABASE_URL"], options="-c lianxin.reach=system") as connection:
        connection.execute(
            """
            INSERT INTO subscription (id, name, recipient_name, email, language, channels)
            VALUES (%s, 'county', '王建国', 'wang@example.org', 'zh', ARRAY['inbox', 'email'])
            """,
            [new_id()],
        )


def test_an_event_becomes_a_mail_and_its_repeat_does_not(environment, broker, mail_server, keys_folder):
    assert run(["migrate"], environment).returncode == 0
    subscribe(environment)
    event = encode_score(1)

    publish(broker, keys_folder, event, event)
    with running("consume", environment, port=free_port()), running("work", environment, port=free_port()):
        wait_for(lambda: mail_server.received)
        publish(broker, keys_folder, event, encode_score(2))
        wait_for(lambda: len(mail_server.received) > 1)

    assert [mail["Subject"] for mail in mail_server.received] == ["【连心】评价得分摘要：新增 1 项，变动 0 项"] * 2


def test_an_event_of_intake_is_noted_for_whom_it_concerns(environment, broker, keys_folder):
    """Through both queues' consumer, the log, the rules and the worker, as they run in an installation."""
    declare_publishing(broker.urls["deploy"], "intake")
    assert run(["migrate"], environment).returncode == 0
    now = datetime.now(UTC)
    events = [
        CadreRegistered(cadre_id=new_id(), staff_number="C100", name="王建国"),
        OrganisationRegistered(organisation_id=new_id(), code="street", name="城关街道", level="61"),
    ]
    cadre_id, organisation_id = (event.aggregate_id for event in events)
    issue_id = new_id()
    steps = [
        IssueReceived(
            issue_id=issue_id, issue_type="help", category="roads", channel="phone", source="12345", received_at=now
        ),
        IssueAssigned(issue_id=issue_id, organisation_id=organisation_id, cadre_id=cadre_id, assigned_at=now),
    ]
    always = environment | {"LIANXIN_NOTIFY_RULES": str(_at_any_hour(environment))}

    with running("consume", environment, port=free_port()), running("work", always, port=free_port()):
        publish(broker, keys_folder, *(envelope_of(event, at=now).body for event in events), service="intake")
        for sequence, step in enumerate(steps, 1):
            publish(broker, keys_folder, envelope_of(step, sequence=sequence, at=now).body, service="intake")
        wait_for(lambda: _notices(environment))

    assert _notices(environment) == [("C100", "issue-assigned", str(issue_id))]


def _at_any_hour(environment: dict[str, str]) -> Path:
    """One rule: what is told at once, is told at once when it is not night; that it is noted is seen at any hour."""
    file = Path(environment["LIANXIN_NOTIFY_KEYS_DIRECTORY"]).parent / "one-rule.toml"
    file.write_text(
        """
        [[rule]]
        code = "issue-assigned"
        event = "cn.lianxin.issue.assigned.v1"
        to = "responsible"
        topic = "issue_assigned"
        mode = "at_once"
        valid_hours = 72
        """
    )
    return file


def _notices(environment: dict[str, str]) -> list[tuple[object, ...]]:
    with psycopg.connect(environment["LIANXIN_NOTIFY_DATABASE_URL"], options="-c lianxin.reach=system") as connection:
        return connection.execute(
            "SELECT staff_number, rule, facts->>'issue' FROM notice JOIN recipient ON recipient.id = recipient_id"
        ).fetchall()


def test_what_was_set_aside_is_listed_and_can_be_processed_again(environment, broker, keys_folder):
    assert run(["migrate"], environment).returncode == 0
    unknown = encode_score(1).replace(b"score.computed.v1", b"score.computed.v9")
    with running("consume", environment, port=free_port()):
        publish(broker, keys_folder, b"not an event", unknown)
        wait_for(lambda: len(run(["replay", "--list"], environment).stdout.splitlines()) == 1)
        wait_for(lambda: len(run(["replay", "--list", "--queue", "parked"], environment).stdout.splitlines()) == 1)

    again = run(["replay"], environment)

    assert again.returncode == 1
    assert "malformed-event" in again.stdout
    assert len(run(["replay", "--list"], environment).stdout.splitlines()) == 1
