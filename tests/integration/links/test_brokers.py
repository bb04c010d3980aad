"""Links to RabbitMQ, of events through pika and of tasks through Celery: encrypted, verified, with a card to show."""

import threading
from urllib.parse import urlsplit

import pytest
from kombu.exceptions import OperationalError

from deploy.provision import provision_broker
from shared.broker.publisher import OutgoingMessage, Publisher
from shared.broker.topology import BrokerAway, connect, declare_publishing, declare_subscription
from shared.worker import connect_celery, make_celery
from tests.integration.shared.test_spine import FACTS, count_messages

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def provisioned(secure_rabbit):
    return provision_broker(secure_rabbit.admin_url, secure_rabbit.management_url, name="links")


@pytest.fixture
def secured(secure_rabbit, certificates):
    """Give the URL of an account over the port that speaks TLS."""

    def make(url, *, host="localhost", scheme="amqps", ca=certificates.ca, card=True, foreign=False):
        account = urlsplit(url).netloc.rpartition("@")[0]
        query = f"cacertfile={ca}"
        if foreign:
            query += f"&certfile={certificates.foreign_client}&keyfile={certificates.foreign_client_key}"
        elif card:
            query += f"&certfile={certificates.client}&keyfile={certificates.client_key}"
        query = query if scheme == "amqps" else ""
        return f"{scheme}://{account}@{host}:{secure_rabbit.tls_port}{urlsplit(url).path}?{query}"

    return make


DOUBTFUL = [
    {"host": "127.0.0.1"},
    {"ca": "foreign"},
    {"card": False},
    {"foreign": True},
    {"scheme": "amqp"},
]
DOUBTS = ["wrong-name", "wrong-authority", "no-card", "foreign-card", "plain-text"]


def test_events_are_published_and_read_over_tls(provisioned, secured):
    deploy = secured(provisioned.urls["deploy"])
    declare_publishing(deploy, "intake")
    declare_subscription(deploy, FACTS)
    publisher = Publisher(secured(provisioned.urls["intake"]), exchange="evt.intake", name="test")
    publisher.open()

    refused = publisher.publish(
        [
            OutgoingMessage(
                message_id="m",
                routing_key="intake.issue.closed.v1",
                body=b"x",
                content_type="t",
                message_type="t",
                correlation_id="c",
            )
        ]
    )
    publisher.close()

    assert refused == {}
    assert count_messages(provisioned, FACTS.queue) == 1


@pytest.mark.parametrize("doubt", DOUBTFUL, ids=DOUBTS)
def test_a_doubtful_link_for_events_is_refused(provisioned, secured, certificates, doubt):
    changes = doubt | ({"ca": certificates.foreign_ca} if "ca" in doubt else {})

    with pytest.raises(BrokerAway):
        connect(secured(provisioned.urls["intake"], **changes), name="test")


def test_tasks_are_sent_over_tls(provisioned, secured):
    app = make_celery("intake")
    connect_celery(app, secured(provisioned.task_urls["intake"]))

    with app.connection_for_write() as connection:
        connection.ensure_connection(max_retries=1, timeout=5)
        app.send_task("intake.nothing", kwargs={}, connection=connection)
        with connection.channel() as channel:
            assert channel.basic_get("intake.tasks", no_ack=True) is not None


@pytest.mark.parametrize("doubt", DOUBTFUL, ids=DOUBTS)
def test_a_doubtful_link_for_tasks_is_refused(provisioned, secured, certificates, doubt):
    changes = doubt | ({"ca": certificates.foreign_ca} if "ca" in doubt else {})
    app = make_celery("intake")
    connect_celery(app, secured(provisioned.task_urls["intake"], **changes))
    failures = []

    def attempt():
        try:
            with app.connection_for_write() as connection:
                connection.transport_options = dict(connection.transport_options) | {"max_retries": 0}
                connection.connect_timeout = 3
                connection.connect()
                connection.default_channel.queue_declare("intake.tasks", passive=True)
        except (OSError, OperationalError, *app.connection_for_write().connection_errors) as error:
            failures.append(error)

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(30)

    assert failures
