"""From the outbox over the broker into the inbox, with the real servers and the real rights."""

import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime

import orjson
import pika
import pika.exceptions
import pytest
from structlog.testing import capture_logs

from shared import inbox, outbox
from shared.broker.consumer import Consumer, Producer, Settlement
from shared.broker.publisher import OutgoingMessage, Publisher
from shared.broker.seals import Seals
from shared.broker.topology import Subscription, connect, declare_publishing, declare_subscription
from shared.ciphers import SymmetricKey
from shared.contracts.envelope import CONTENT_TYPE
from shared.contracts.intake.issues import IssueResponded
from shared.database import transaction
from shared.errors import Rejected, Transient
from shared.identifiers import new_id
from shared.relay import Relay

NOW = datetime(2025, 3, 1, tzinfo=UTC)
FACTS = Subscription(service="assessment", queue="q.assessment.facts", exchange="evt.intake", patterns=("intake.#",))


class Macs:
    """Real MACs under one key that stays in memory: where the keys come from is not what is tested here."""

    _key = SymmetricKey(bytes(range(32)), kid=1, context="test")

    def mac(self, purpose, data):
        return self._key.mac(purpose.encode() + data, algorithm="aes256gcm")

    def is_mac(self, purpose, data, mac):
        return mac == self.mac(purpose, data)


MACS = Macs()


class Failures:
    def __init__(self):
        self.counts = {}

    def record(self, message_id, reason):  # noqa: ARG002
        self.counts[message_id] = self.counts.get(message_id, 0) + 1
        return self.counts[message_id]

    def forget(self, message_ids):
        for message_id in message_ids:
            self.counts.pop(message_id, None)


class Reader:
    """A consumer whose effect is a list; refuses what the test tells it to."""

    def __init__(self, broker, refuse=lambda _: None, handle=None, failures=None):
        self.seen = []
        self.settled: list[Settlement] = []
        self.refuse = refuse
        self.failures = failures or Failures()
        self.consumer = Consumer(
            broker.urls["assessment"],
            FACTS,
            producer=Producer(user_id=broker.users["intake"], seals=Seals(MACS, service="intake")),
            handle=handle or self.handle,
            failures=self.failures,
            settled=self.settled.append,
        )

    def handle(self, envelopes):
        for envelope in envelopes:
            self.refuse(envelope)
        self.seen.extend(envelope.event_id for envelope in envelopes)

    @contextmanager
    def running(self):
        thread = threading.Thread(target=self.consumer.run)
        thread.start()
        try:
            yield self
        finally:
            self.consumer.stop()
            thread.join(10)


@pytest.fixture
def declared(broker):
    declare_publishing(broker.urls["deploy"], "intake")
    declare_subscription(broker.urls["deploy"], FACTS)
    return broker


def wait_until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.02)


def write_events(pool, count):
    events = [
        outbox.OutgoingEvent(event=IssueResponded(issue_id=new_id(), responded_at=NOW), sequence=1, event_id=new_id())
        for _ in range(count)
    ]
    with transaction(pool) as connection:
        outbox.append(connection, events, recorded_at=NOW, correlation_id="correlation-1")
    return [event.event_id for event in events]


@contextmanager
def relaying(pool, broker, macs=MACS, service="intake"):
    relay = Relay(pool.conninfo, broker.urls[service], service=service, macs=macs)
    thread = threading.Thread(target=relay.run)
    thread.start()
    try:
        yield relay
    finally:
        relay.stop()
        thread.join(10)


def publish(broker, body, *, key="intake.issue.responded.v1", message_id="m1"):
    publisher = Publisher(broker.urls["intake"], exchange="evt.intake", name="test")
    publisher.open()
    try:
        return publisher.publish(
            [
                OutgoingMessage(
                    message_id=message_id,
                    routing_key=key,
                    body=body,
                    content_type=CONTENT_TYPE,
                    message_type="t",
                    correlation_id="c",
                    seal=Seals(MACS, service="intake").seal(
                        message_id=message_id, message_type="t", content_type=CONTENT_TYPE, body=body
                    ),
                )
            ]
        )
    finally:
        publisher.close()


def envelope_bytes(**changes):
    document = {
        "specversion": "1.0",
        "id": str(new_id()),
        "source": "/lianxin/intake",
        "type": "cn.lianxin.issue.responded.v1",
        "subject": "issue/x",
        "time": NOW.isoformat(),
        "datacontenttype": "application/json",
        "sequence": "1",
        "correlationid": "correlation-1",
        "data": {"issue_id": str(new_id()), "responded_at": NOW.isoformat()},
    }
    return orjson.dumps(document | changes)


@contextmanager
def counting(broker):
    connection = connect(broker.urls["deploy"], name="test")
    channel = connection.channel()
    try:
        yield lambda queue: channel.queue_declare(queue, passive=True).method.message_count
    finally:
        connection.close()


def count_messages(broker, queue):
    with counting(broker) as count:
        return count(queue)


def wait_for_messages(broker, queue, wanted, *, seconds=60):
    """Through one connection: to make one for every look takes the broker longer than to count."""
    with counting(broker) as count:
        wait_until(lambda: count(queue) == wanted, seconds)


def test_every_event_arrives_and_is_marked(new_pool, declared):
    pool = new_pool("intake")
    written = write_events(pool, 2_500)

    with relaying(pool, declared), Reader(declared).running() as reader:
        wait_until(lambda: len(reader.seen) >= 2_500)

    assert reader.seen == written
    with transaction(pool) as connection:
        assert outbox.measure_backlog(connection)[0] == 0


def test_two_relays_send_each_event_once(new_pool, declared):
    pool = new_pool("intake")

    with relaying(pool, declared), relaying(pool, declared), Reader(declared).running() as reader:
        written = write_events(pool, 500)
        wait_until(lambda: len(reader.seen) >= 500)
        time.sleep(0.3)

    assert sorted(reader.seen) == sorted(written)


def test_an_event_without_a_reader_is_caught_and_not_lost(new_pool, broker):
    declare_publishing(broker.urls["deploy"], "intake")
    pool = new_pool("intake")
    write_events(pool, 3)

    with relaying(pool, broker):
        wait_for_messages(broker, "q.unrouted", 3)


def test_a_refused_event_stays_in_the_outbox(new_pool, declared):
    pool = new_pool("intake")
    connection = connect(declared.urls["deploy"], name="test")
    channel = connection.channel()
    channel.queue_unbind("q.unrouted", "unrouted")
    channel.queue_unbind(FACTS.queue, FACTS.exchange, "intake.#")
    write_events(pool, 2)

    with relaying(pool, declared) as relay:
        wait_until(relay.connected.is_set)
        time.sleep(0.3)
        with transaction(pool) as check:
            assert outbox.measure_backlog(check)[0] == 2
        channel.queue_bind(FACTS.queue, FACTS.exchange, "intake.#")
        wait_for_messages(declared, FACTS.queue, 2)
    connection.close()


def test_one_bad_message_does_not_take_its_neighbours_along(new_pool, declared):
    pool = new_pool("intake")
    written = write_events(pool, 20)
    poison = written[7]

    def refuse(envelope):
        if envelope.event_id == poison:
            raise ValueError("a bug met by one message only")

    with relaying(pool, declared):
        wait_for_messages(declared, FACTS.queue, 20)
    # To write the traceback of every try for people to read takes longer than all else.
    with capture_logs(), Reader(declared, refuse).running() as reader:
        wait_for_messages(declared, FACTS.dead_queue, 1, seconds=40)

    assert reader.seen == [event_id for event_id in written if event_id != poison]
    assert reader.failures.counts[str(poison)] >= 5
    assert reader.settled[-1] == Settlement(handled=19, dead=1, parked=0)


def test_an_outage_of_the_database_does_not_use_up_the_delivery_limit(declared):
    tried = []

    def refuse(envelope):
        tried.append(envelope.event_id)
        raise Transient("the database is away")

    publish(declared, envelope_bytes())
    reader = Reader(declared, refuse)
    with reader.running():
        wait_until(lambda: len(tried) >= 4)

    [delivery] = reader.consumer.look(FACTS.queue, limit=2)
    assert delivery.properties.headers["x-delivery-count"] == 1  # once, when the reader stopped


def test_after_an_outage_of_the_database_the_batch_goes_through(declared):
    tried = []

    def refuse(envelope):
        tried.append(envelope.event_id)
        if len(tried) < 3:
            raise Transient("the database is away")

    publish(declared, envelope_bytes())

    with Reader(declared, refuse).running() as reader:
        wait_until(lambda: reader.settled)

    assert reader.settled == [Settlement(handled=1, dead=0, parked=0)]


def test_a_failure_that_was_overcome_is_forgotten(declared):
    tried = []

    def refuse(envelope):
        tried.append(envelope.event_id)
        if len(tried) < 4:
            raise ValueError("a bug that passes")

    publish(declared, envelope_bytes())

    with Reader(declared, refuse).running() as reader:
        wait_until(lambda: reader.settled)

    assert len(reader.seen) == 1
    assert reader.failures.counts == {}


def test_a_replay_ends_when_the_database_is_away(declared):
    outage = threading.Event()

    def refuse(_):
        raise Transient("the database is away") if outage.is_set() else Rejected("not yet")

    for _ in range(2):
        publish(declared, envelope_bytes())
    reader = Reader(declared, refuse)
    with reader.running():
        wait_for_messages(declared, FACTS.dead_queue, 2)
    outage.set()

    with pytest.raises(Transient):
        reader.consumer.drain(FACTS.dead_queue, limit=10)

    wait_for_messages(declared, FACTS.dead_queue, 2)


def test_a_dead_message_is_replayed_once(declared):
    body = envelope_bytes()
    allowed = threading.Event()

    def refuse(_):
        if not allowed.is_set():
            raise Rejected("not yet")

    publish(declared, body)
    reader = Reader(declared, refuse)
    with reader.running():
        wait_for_messages(declared, FACTS.dead_queue, 1)
    kept = reader.consumer.drain(FACTS.dead_queue, limit=10)
    allowed.set()
    replayed = reader.consumer.drain(FACTS.dead_queue, limit=10)
    again = reader.consumer.drain(FACTS.dead_queue, limit=10)

    assert (kept.handled, kept.dead) == (0, 1)
    assert replayed.handled == 1
    assert again.handled == 0
    assert [str(event_id) for event_id in reader.seen] == [orjson.loads(body)["id"]]


def test_a_newer_event_is_parked_and_can_be_replayed_later(declared):
    publish(declared, envelope_bytes(type="cn.lianxin.issue.responded.v9"))

    with Reader(declared).running() as reader:
        wait_for_messages(declared, FACTS.parked_queue, 1)

    assert reader.seen == []
    assert count_messages(declared, FACTS.dead_queue) == 0
    assert reader.consumer.drain(FACTS.parked_queue, limit=5).dead == 1
    assert count_messages(declared, FACTS.parked_queue) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"[" * 50_000,
        b"{}",
        b"\xff" * 100,
        envelope_bytes(data={}),
        envelope_bytes(id=7),
        envelope_bytes(time=7),
        envelope_bytes(sequence=None),
    ],
)
def test_a_malformed_message_goes_to_the_dead_letters(declared, body):
    publish(declared, body)

    with Reader(declared).running():
        wait_for_messages(declared, FACTS.dead_queue, 1)


@pytest.mark.parametrize("message_id", ["", "a\0b", "长" * 80])
def test_whatever_a_message_calls_itself_its_failure_is_kept(declared, new_pool, message_id):
    publish(declared, b"not json", message_id=message_id)
    failures = inbox.FailureBook(new_pool("assessment"), FACTS.queue)

    with Reader(declared, failures=failures).running():
        wait_for_messages(declared, FACTS.dead_queue, 1)


def test_a_message_of_an_unnamed_or_foreign_producer_is_not_believed(declared):
    connection = connect(declared.urls["deploy"], name="test")
    channel = connection.channel()
    headers = {"x-lianxin-producer": declared.users["intake"]}
    for properties in (pika.BasicProperties(headers=headers), pika.BasicProperties(user_id=declared.users["deploy"])):
        channel.basic_publish(FACTS.exchange, "intake.issue.responded.v1", envelope_bytes(), properties)

    with Reader(declared).running() as reader:
        wait_for_messages(declared, FACTS.dead_queue, 2)
    connection.close()
    replayed = reader.consumer.drain(FACTS.dead_queue, limit=5)

    assert (replayed.handled, replayed.dead) == (0, 2)
    assert reader.seen == []


@pytest.mark.parametrize(
    ("user", "attempt"),
    [
        ("notify", lambda channel: channel.basic_publish("evt.intake", "intake.issue.closed.v1", b"x")),
        ("intake", lambda channel: channel.basic_publish("evt.intake", "assessment.score.computed.v1", b"x")),
        ("intake", lambda channel: channel.basic_publish("", FACTS.queue, b"x")),
        ("intake", lambda channel: channel.basic_get(FACTS.queue)),
        ("assessment", lambda channel: channel.queue_purge("q.unrouted")),
        ("assessment", lambda channel: channel.queue_declare("q.assessment.more", durable=True)),
        ("assessment", lambda channel: channel.queue_bind(FACTS.queue, FACTS.exchange, "#")),
    ],
    ids=["another-exchange", "another-key", "past-the-exchange", "anothers-queue", "purging", "declaring", "binding"],
)
def test_a_service_may_only_do_its_own_part(declared, user, attempt):
    connection = connect(declared.urls[user], name="test")
    channel = connection.channel()
    channel.confirm_delivery()

    with pytest.raises(pika.exceptions.ChannelClosedByBroker) as caught:
        attempt(channel)
    connection.close()

    assert caught.value.reply_code == 403


def test_the_inbox_makes_a_repeat_harmless(new_pool, declared):
    pool = new_pool("assessment")
    body = envelope_bytes()
    counted: list[object] = []

    def handle(envelopes):
        with transaction(pool) as connection:
            counted.extend(inbox.claim_new(connection, "facts", [envelope.event_id for envelope in envelopes]))

    reader = Reader(declared, handle=handle)
    for _ in range(10):
        publish(declared, body)
    with reader.running():
        wait_until(lambda: sum(settlement.handled for settlement in reader.settled) == 10)

    assert len(counted) == 1
