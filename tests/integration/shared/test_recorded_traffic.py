"""What goes over a real broker fits the published AsyncAPI document: every message exactly one of those declared."""

import json
import re
import time
from pathlib import Path
from typing import Any

import jsonschema
import orjson
import pika
import pytest

from shared import outbox
from shared.asyncapi import build_document
from shared.broker.topology import Subscription, connect, declare_publishing, declare_subscription
from shared.contracts.envelope import EVENTS, decode
from shared.database import transaction
from shared.identifiers import new_id
from tests.integration.shared.test_spine import FACTS, NOW, relaying

pytestmark = pytest.mark.integration
SAMPLES = Path(__file__).parents[2] / "contracts" / "samples"
SCORES = Subscription(service="notify", queue="q.notify.events", exchange="evt.assessment", patterns=("assessment.#",))
DOCUMENT = build_document()
FORMATS = jsonschema.Draft202012Validator.FORMAT_CHECKER  # that of draft 7 knows no "uuid"


def told_by(service):
    samples = [decode(file.read_bytes()) for file in sorted(SAMPLES.glob("*.json"))]
    return [sample for sample in samples if sample.event.key.startswith(f"{service}.")]


def record(pool, broker, service, subscription):
    """Every event of a service, out of its outbox over its relay, as its reader's queue has it."""
    declare_publishing(broker.urls["deploy"], service)
    declare_subscription(broker.urls["deploy"], subscription)
    samples = told_by(service)
    with transaction(pool) as connection:
        events = [
            outbox.OutgoingEvent(event=sample.event, sequence=number, event_id=new_id())
            for number, sample in enumerate(samples, 1)
        ]
        outbox.append(connection, events, recorded_at=NOW, correlation_id="0123456789abcdef")
    taken: list[tuple[Any, Any, bytes]] = []
    with relaying(pool, broker, service=service):
        connection = connect(broker.urls[subscription.service], name="recorder")
        channel = connection.channel()
        deadline = time.monotonic() + 60
        while len(taken) < len(samples):
            assert time.monotonic() < deadline, "not everything arrived in time"
            method, properties, body = channel.basic_get(subscription.queue, auto_ack=True)
            if method is None:
                time.sleep(0.02)
                continue
            taken.append((method, properties, body))
        connection.close()
    return taken


def validator_of(payload):
    schema = {**payload, "components": DOCUMENT["components"]}
    return jsonschema.Draft7Validator(schema, format_checker=FORMATS)


def test_every_format_that_the_document_names_is_checked():
    named = set(re.findall(r'"format": *"([^"]*)"', json.dumps(DOCUMENT)))
    assert {"uuid", "date-time"} <= named <= set(FORMATS.checkers)


@pytest.mark.parametrize(("service", "subscription"), [("intake", FACTS), ("assessment", SCORES)])
def test_every_message_is_exactly_one_of_those_declared(new_pool, broker, service, subscription):
    taken = record(new_pool(service), broker, service, subscription)
    channels = {channel["address"]: channel for channel in DOCUMENT["channels"].values()}
    validators = {
        name: validator_of(message["payload"]) for name, message in DOCUMENT["components"]["messages"].items()
    }

    assert len(taken) == len([event for event in EVENTS if event.key.startswith(f"{service}.")])
    for method, properties, body in taken:
        assert isinstance(properties, pika.BasicProperties)
        channel = channels[method.routing_key]
        [declared] = channel["messages"]
        event = orjson.loads(body)
        fitting = [name for name, validator in validators.items() if validator.is_valid(event)]
        assert fitting == [declared], f"{method.routing_key} fits {fitting}"
        message = DOCUMENT["components"]["messages"][declared]
        assert properties.content_type == message["contentType"]
        assert method.exchange == channel["bindings"]["amqp"]["exchange"]["name"]
        jsonschema.validate(properties.headers, message["headers"])
