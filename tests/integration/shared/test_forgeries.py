"""Messages that somebody with rights on the broker altered, injected, moved or sent again."""

from zoneinfo import ZoneInfo

import orjson
import pika
import pika.exceptions
import pytest

from services.assessment.handlers.facts import take_facts
from shared.broker.consumer import Consumer, Producer, messages_disbelieved_total
from shared.broker.seals import SEAL_HEADER, Seals
from shared.broker.topology import connect, declare_publishing, declare_subscription
from shared.contracts.envelope import CONTENT_TYPE
from shared.crypto import KeyRing
from shared.keyfiles import KeyName, create_key, destroy_key
from tests.integration.shared.test_spine import (
    FACTS,
    NOW,
    Failures,
    Reader,
    envelope_bytes,
    relaying,
    wait_for_messages,
    wait_until,
    write_events,
)

KEY = "intake.issue.responded.v1"


@pytest.fixture
def keys(tmp_path):
    for purpose in ("events-intake", "events-assessment"):
        create_key(tmp_path, KeyName(purpose=purpose, kid=1))
    return tmp_path


@pytest.fixture
def declared(broker):
    declare_publishing(broker.urls["deploy"], "intake")
    declare_subscription(broker.urls["deploy"], FACTS)
    return broker


class Forger:
    """An administrator of the broker: may read every queue, publish anywhere and as anybody, and has no keys."""

    def __init__(self, broker, admin_url):
        parameters = pika.URLParameters(admin_url)
        parameters.virtual_host = pika.URLParameters(broker.urls["deploy"]).virtual_host
        self.connection = pika.BlockingConnection(parameters)
        self.channel = self.connection.channel()
        self.channel.confirm_delivery()

    def take_from_queue(self):
        method, properties, body = self.channel.basic_get(FACTS.queue, auto_ack=True)
        assert method is not None
        return properties, body

    def put_back(self, properties, body):
        self.channel.basic_publish("", FACTS.queue, body, properties, mandatory=True)


@pytest.fixture
def forger(declared, rabbit_management_url):
    from deploy.provision import Management

    admin_url, management_url = rabbit_management_url
    vhost = pika.URLParameters(declared.urls["deploy"]).virtual_host
    management = Management(management_url)
    # The broker holds everybody to the name of the sign-in, except who has this tag; an administrator can give it away.
    management.put("users", f"{vhost}_forger", password="a-forgers-own-password", tags="impersonator")
    management.put("permissions", vhost, f"{vhost}_forger", configure=".*", write=".*", read=".*")
    url = admin_url.replace(admin_url.split("//")[1].split("@")[0], f"{vhost}_forger:a-forgers-own-password")
    forger = Forger(declared, url)
    yield forger
    forger.connection.close()
    management.delete("users", f"{vhost}_forger")


def reader_with(broker, ring, handle=None):
    reader = Reader(broker)
    reader.consumer = Consumer(
        broker.urls["assessment"],
        FACTS,
        producer=Producer(user_id=broker.users["intake"], seals=Seals(ring, service="intake")),
        handle=handle or reader.handle,
        failures=Failures(),
        settled=reader.settled.append,
    )
    return reader


def sealed(ring, body, *, user, service="intake", message_id="m1"):
    seal = Seals(ring, service=service).seal(
        message_id=message_id, message_type="t", content_type=CONTENT_TYPE, body=body
    )
    return pika.BasicProperties(
        content_type=CONTENT_TYPE, message_id=message_id, type="t", user_id=user, headers={SEAL_HEADER: seal}
    )


def disbelieved(code):
    return messages_disbelieved_total.labels(code)._value.get()


def test_forgeries_are_counted_from_nothing(declared, keys):
    """An alert on an increase misses the first one of a series that begins with it."""
    messages_disbelieved_total.clear()

    with reader_with(declared, KeyRing(keys)).running():
        (metric,) = messages_disbelieved_total.collect()

    counted = {sample.labels["code"]: sample.value for sample in metric.samples if sample.name.endswith("_total")}
    assert counted == {"unexpected-producer": 0, "not-sealed": 0, "bad-seal": 0}


def altered_body(properties, body):
    document = orjson.loads(body)
    document["data"]["issue_id"] = "0199aaaa-0000-7000-8000-000000000001"
    return properties, orjson.dumps(document)


def altered_sequence(properties, body):
    return properties, body.replace(b'"sequence":"1"', b'"sequence":"9"')


def altered_id(properties, body):
    properties.message_id = "0199aaaa-0000-7000-8000-000000000002"
    return properties, body


def altered_type(properties, body):
    properties.type = "cn.lianxin.issue.closed.v1"
    return properties, body


def altered_content_type(properties, body):
    properties.content_type = "application/json"
    return properties, body


def seal_taken_off(properties, body):
    properties.headers = {}
    return properties, body


def seal_of_the_wrong_kind(properties, body):
    properties.headers = {SEAL_HEADER: 7}
    return properties, body


def seal_of_another_key(properties, body):
    properties.headers = {SEAL_HEADER: properties.headers[SEAL_HEADER].replace("AQEAAAAB", "AQEAAAAC")}
    return properties, body


def seal_cut_short(properties, body):
    properties.headers = {SEAL_HEADER: properties.headers[SEAL_HEADER][:-4]}
    return properties, body


@pytest.mark.parametrize(
    ("alter", "code"),
    [
        (altered_body, "bad-seal"),
        (altered_sequence, "bad-seal"),
        (altered_id, "bad-seal"),
        (altered_type, "bad-seal"),
        (altered_content_type, "bad-seal"),
        (seal_taken_off, "not-sealed"),
        (seal_of_the_wrong_kind, "bad-seal"),
        (seal_of_another_key, "bad-seal"),
        (seal_cut_short, "bad-seal"),
    ],
    ids=lambda value: value.__name__ if callable(value) else value,
)
def test_what_an_administrator_alters_in_the_queue_is_not_believed(new_pool, declared, forger, keys, alter, code):
    pool, ring, before = new_pool("intake"), KeyRing(keys), disbelieved(code)
    write_events(pool, 1)
    with relaying(pool, declared, ring):
        wait_for_messages(declared, FACTS.queue, 1)

    forger.put_back(*alter(*forger.take_from_queue()))
    with reader_with(declared, ring).running() as reader:
        wait_for_messages(declared, FACTS.dead_queue, 1)

    assert reader.seen == []
    assert disbelieved(code) == before + 1


def test_what_was_put_back_unaltered_is_believed(new_pool, declared, forger, keys):
    """The forger's tool itself must not be what is refused."""
    pool, ring = new_pool("intake"), KeyRing(keys)
    written = write_events(pool, 1)
    with relaying(pool, declared, ring):
        wait_for_messages(declared, FACTS.queue, 1)

    forger.put_back(*forger.take_from_queue())
    with reader_with(declared, ring).running() as reader:
        wait_until(lambda: reader.seen)

    assert reader.seen == written


def test_the_seal_of_another_service_is_not_believed(declared, forger, keys):
    """Compromised assessment holds its own key, and with an accomplice on the broker intake's name."""
    ring, body = KeyRing(keys), envelope_bytes()

    forger.put_back(sealed(ring, body, user=declared.users["intake"], service="assessment"), body)
    with reader_with(declared, ring).running() as reader:
        wait_for_messages(declared, FACTS.dead_queue, 1)

    assert reader.seen == []


@pytest.mark.parametrize("user", [None, "notify", "deploy"])
def test_a_sealed_message_of_an_absent_or_other_user_is_not_believed(declared, forger, keys, user):
    ring, body = KeyRing(keys), envelope_bytes()
    before = disbelieved("unexpected-producer")

    forger.put_back(sealed(ring, body, user=declared.users.get(user)), body)
    with reader_with(declared, ring).running() as reader:
        wait_for_messages(declared, FACTS.dead_queue, 1)

    assert reader.seen == []
    assert disbelieved("unexpected-producer") == before + 1


@pytest.mark.parametrize("claimed", ["intake", None, "notify"])
def test_compromised_notify_can_neither_write_to_intakes_exchange_nor_take_its_name(declared, keys, claimed):
    connection = connect(declared.urls["notify"], name="test")
    channel = connection.channel()
    channel.confirm_delivery()
    body = envelope_bytes()
    properties = sealed(KeyRing(keys), body, user=declared.users.get(claimed))

    with pytest.raises(pika.exceptions.ChannelClosedByBroker) as caught:
        channel.basic_publish(FACTS.exchange, KEY, body, properties)
    connection.close()

    assert caught.value.reply_code in {403, 406}


def test_a_forged_name_is_refused_where_the_exchange_is_ones_own(declared):
    connection = connect(declared.urls["intake"], name="test")
    channel = connection.channel()
    channel.confirm_delivery()

    with pytest.raises(pika.exceptions.ChannelClosedByBroker) as caught:
        channel.basic_publish(FACTS.exchange, KEY, b"x", pika.BasicProperties(user_id=declared.users["notify"]))
    connection.close()

    assert caught.value.reply_code == 406


def test_an_old_message_that_is_sent_again_counts_once(new_pool, declared, forger, keys):
    facts, ring = new_pool("assessment"), KeyRing(keys)
    taken = []

    def handle(envelopes):
        taken.append(take_facts(facts, envelopes, zone=ZoneInfo("Asia/Shanghai"), now=NOW))

    body = envelope_bytes()
    properties = sealed(ring, body, user=declared.users["intake"], message_id=orjson.loads(body)["id"])
    for _ in range(2):
        forger.put_back(properties, body)
        with reader_with(declared, ring, handle).running() as reader:
            wait_until(lambda reader=reader: reader.settled)

    with facts.connection() as connection:
        row = connection.execute("SELECT count(*) FROM event").fetchone()
    assert row == (1,)
    assert not taken[1]


def test_keys_are_changed_without_losing_a_message(new_pool, declared, keys):
    """The reader gets the new key first; old messages are read with the old one until it is destroyed."""
    pool, ring = new_pool("intake"), KeyRing(keys)
    first = write_events(pool, 1)
    with relaying(pool, declared, ring):
        wait_for_messages(declared, FACTS.queue, 1)
    create_key(keys, KeyName(purpose="events-intake", kid=2))
    ring.refresh()
    second = write_events(pool, 1)
    with relaying(pool, declared, ring):
        wait_for_messages(declared, FACTS.queue, 2)

    with reader_with(declared, KeyRing(keys)).running() as reader:
        wait_until(lambda: len(reader.seen) == 2)

    assert reader.seen == first + second


def test_after_its_key_was_destroyed_a_message_is_not_believed(new_pool, declared, keys):
    pool = new_pool("intake")
    write_events(pool, 1)
    with relaying(pool, declared, KeyRing(keys)):
        wait_for_messages(declared, FACTS.queue, 1)
    create_key(keys, KeyName(purpose="events-intake", kid=2))
    destroy_key(keys, KeyName(purpose="events-intake", kid=1))

    with reader_with(declared, KeyRing(keys)).running() as reader:
        wait_for_messages(declared, FACTS.dead_queue, 1)

    assert reader.seen == []


def test_a_national_algorithm_seals_as_well_and_both_are_read(new_pool, declared, keys):
    pool = new_pool("intake")
    written = []
    rings = KeyRing(keys, cipher="aes256gcm"), KeyRing(keys, cipher="sm4gcm")
    for count, ring in enumerate(rings, start=1):
        written += write_events(pool, 1)
        with relaying(pool, declared, ring):
            wait_for_messages(declared, FACTS.queue, count)

    with reader_with(declared, KeyRing(keys)).running() as reader:
        wait_until(lambda: len(reader.seen) == 2)

    assert reader.seen == written


def test_a_parked_message_keeps_its_seal_for_the_day_it_is_understood(declared, forger, keys):
    ring, body = KeyRing(keys), envelope_bytes(type="cn.lianxin.issue.responded.v9")
    forger.put_back(sealed(ring, body, user=declared.users["intake"]), body)
    reader = reader_with(declared, ring)
    with reader.running():
        wait_for_messages(declared, FACTS.parked_queue, 1)

    [parked] = reader.consumer.look(FACTS.parked_queue, limit=5)
    reader.consumer._producer.seals.check(
        parked.properties.headers[SEAL_HEADER],
        message_id=parked.properties.message_id,
        message_type=parked.properties.type,
        content_type=parked.properties.content_type,
        body=parked.body,
    )
