"""Exchanges, queues and bindings, declared by a deployment and never by a running service."""

import time
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import pika
import pika.exceptions

from shared.errors import Transient
from shared.links import tls_files, without_files

UNROUTED = "unrouted"
UNROUTED_QUEUE = "q.unrouted"
UNLIMITED = 1_000_000_000
DELIVERY_LIMIT = 200  # crashes of a consumer; failing processings are counted in the inbox's database


class BrokerAway(Transient):
    code = "broker-unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A consumer's queue and what it listens to."""

    service: str
    queue: str
    exchange: str
    patterns: tuple[str, ...]

    @property
    def dead_queue(self) -> str:
        return f"{self.queue}.dead"

    @property
    def parked_queue(self) -> str:
        return f"{self.queue}.parked"

    @property
    def park_exchange(self) -> str:
        return f"park.{self.service}"


def producer_of(subscription: Subscription, own_url: str) -> str:
    """The broker's account of the service whose events these are, in the same installation as our own account."""
    own = unquote(urlsplit(own_url).username or "")
    return own.removesuffix(subscription.service) + subscription.exchange.removeprefix("evt.")


def parameters(url: str, *, name: str) -> pika.URLParameters:
    """Connection parameters with every time limit set. The name is what operators see in the broker's list."""
    options = pika.URLParameters(without_files(url))
    files = tls_files(url)
    if files is not None:
        options.ssl_options = pika.SSLOptions(files.make_context(), options.host)
    options.heartbeat = 30
    options.socket_timeout = 5
    options.stack_timeout = 10
    options.blocked_connection_timeout = 60
    options.connection_attempts = 1
    options.client_properties = {"connection_name": name}
    return options


def connect(url: str, *, name: str) -> pika.BlockingConnection:
    """Raises BrokerAway."""
    try:
        return pika.BlockingConnection(parameters(url, name=name))
    except (pika.exceptions.AMQPError, OSError) as error:
        raise BrokerAway(f"the broker cannot be reached: {type(error).__name__}") from error


def declare_publishing(url: str, service: str) -> None:
    """Declare a service's exchange and the net below it that catches what no queue wants."""
    connection = connect(url, name="deploy")
    try:
        _declare_exchange(connection.channel(), service)
    finally:
        connection.close()


def declare_subscription(url: str, subscription: Subscription) -> None:
    """Declare a consumer's queue, its dead-letter and parking queues, and bind them. Safe to repeat."""
    connection = connect(url, name="deploy")
    try:
        channel = connection.channel()
        _declare_exchange(channel, subscription.exchange.removeprefix("evt."))
        dead_exchange = f"dead.{subscription.service}"
        for exchange in (dead_exchange, subscription.park_exchange):
            channel.exchange_declare(exchange, "direct", durable=True)
        for aside in (subscription.dead_queue, subscription.parked_queue):
            # Every look into them counts as a delivery, and RabbitMQ 4 would drop a message after twenty.
            _declare_queue(channel, aside, {"x-delivery-limit": UNLIMITED})
        _declare_queue(
            channel,
            subscription.queue,
            {
                "x-delivery-limit": DELIVERY_LIMIT,
                "x-dead-letter-exchange": dead_exchange,
                "x-dead-letter-routing-key": subscription.queue,
                "x-dead-letter-strategy": "at-least-once",
            },
        )
        channel.queue_bind(subscription.dead_queue, dead_exchange, subscription.queue)
        channel.queue_bind(subscription.parked_queue, subscription.park_exchange, subscription.queue)
        for pattern in subscription.patterns:
            channel.queue_bind(subscription.queue, subscription.exchange, pattern)
    finally:
        connection.close()


def _declare_exchange(channel: pika.adapters.blocking_connection.BlockingChannel, service: str) -> None:
    channel.exchange_declare(UNROUTED, "fanout", durable=True)
    _declare_queue(channel, UNROUTED_QUEUE)
    channel.queue_bind(UNROUTED_QUEUE, UNROUTED)
    channel.exchange_declare(f"evt.{service}", "topic", durable=True, arguments={"alternate-exchange": UNROUTED})


def _declare_queue(
    channel: pika.adapters.blocking_connection.BlockingChannel, name: str, more: dict[str, object] | None = None
) -> None:
    # reject-publish: a full queue says no to the relay; the default would silently drop what was confirmed.
    arguments = {"x-queue-type": "quorum", "x-overflow": "reject-publish", **(more or {})}
    channel.queue_declare(name, durable=True, arguments=arguments)


def wait_until_reachable(url: str, *, timeout_seconds: float) -> None:
    """Raises BrokerAway when nothing answers in time."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            connect(url, name="probe").close()
        except BrokerAway:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return
