"""The consuming loop: gather, hand over one batch for one transaction, acknowledge after the commit."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import pika
import pika.adapters.blocking_connection
import pika.exceptions
import pika.spec
from prometheus_client import Counter

from shared import crash
from shared.broker.seals import SEAL_HEADER, BadSeal, NotSealed, Seals
from shared.broker.topology import Subscription, connect
from shared.contracts.envelope import Envelope, UnknownEvent, decode
from shared.errors import LianxinError, Rejected, Transient
from shared.observability import correlated, get_logger

PREFETCH = 1_000
BATCH = 500
GATHER_SECONDS = 0.02
MOST_ATTEMPTS = 5
LONGEST_PAUSE_SECONDS = 10.0
REASON_HEADER = "x-lianxin-reason"
PRODUCER_HEADER = "x-lianxin-producer"

messages_disbelieved_total = Counter(
    "messages_disbelieved_total", "Messages set aside because their producer or their seal is not right.", ["code"]
)
log = get_logger()


class FailureBook(Protocol):
    """Where failed processings are counted: in the consumer's own database, since broker counters differ by release."""

    def record(self, message_id: str, reason: str) -> int: ...

    def forget(self, message_ids: Sequence[str]) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Producer:
    """The one service whose events are believed: its account on the broker, and the seals that it makes."""

    user_id: str
    seals: Seals


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    tag: int
    message_id: str
    user_id: str | None
    body: bytes
    properties: pika.BasicProperties


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What became of a batch, for the metrics."""

    handled: int = 0
    dead: int = 0
    parked: int = 0


Refusals = list[tuple[Delivery, LianxinError]]


class UnexpectedProducer(Rejected):
    code = "unexpected-producer"


FORGED = (UnexpectedProducer, NotSealed, BadSeal)


class Consumer:
    """Consumes one queue on the calling thread until `stop`.

    The handler gets the events of one batch, owns their transaction, and must give the same effect when called again
    with any of them.
    """

    def __init__(
        self,
        url: str,
        subscription: Subscription,
        *,
        producer: Producer,
        handle: Callable[[Sequence[Envelope]], None],
        failures: FailureBook,
        settled: Callable[[Settlement], None] = lambda _: None,
    ) -> None:
        self._url = url
        self._subscription = subscription
        self._producer = producer
        self._handle = handle
        self._failures = failures
        self._settled = settled
        self._stopping = threading.Event()
        self._gathered: list[Delivery] = []
        self.connected = threading.Event()
        self.last_progress = time.monotonic()

    def stop(self) -> None:
        self._stopping.set()

    def run(self) -> None:
        """Consume for ever; connect again after every loss, with a growing pause."""
        for forgery in FORGED:
            messages_disbelieved_total.labels(
                forgery.code
            )  # from nothing to one is no increase that an alert could see
        pause = 0.2
        while not self._stopping.is_set():
            try:
                self._consume()
                pause = 0.2
            except (Transient, pika.exceptions.AMQPError, OSError) as error:
                if self.connected.is_set():
                    pause = 0.2
                self.connected.clear()
                log.warning("consumer_interrupted", error=type(error).__name__, pause_seconds=round(pause, 1))
                self._stopping.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def drain(self, queue: str, *, limit: int) -> Settlement:
        """Process again what lies in a dead-letter or parking queue; what fails again stays there. Raises Transient."""
        connection = connect(self._url, name=f"{self._subscription.service}.replay")
        handled = failed = 0
        try:
            channel = connection.channel()
            kept: list[int] = []
            for _ in range(limit):
                method, properties, body = channel.basic_get(queue)
                if method is None or method.delivery_tag is None:
                    break
                producer = self._producer_of(queue, properties)
                delivery = _delivery(method.delivery_tag, properties, body, producer=producer)
                try:
                    self._handle_all([self._open(delivery)])
                except Transient:
                    raise  # the rest would fail alike; what was taken goes back to its place
                except Exception as error:  # noqa: BLE001 - whatever fails stays, and the rest is tried
                    code = error.code if isinstance(error, LianxinError) else type(error).__name__
                    log.warning("replay_failed", message_id=delivery.message_id, code=code)
                    kept.append(delivery.tag)
                    failed += 1
                    continue
                channel.basic_ack(delivery.tag)
                self._failures.forget([delivery.message_id])
                handled += 1
            for tag in kept:
                channel.basic_nack(tag, requeue=True)
        finally:
            connection.close()
        return Settlement(handled=handled, dead=failed)

    def look(self, queue: str, *, limit: int) -> list[Delivery]:
        """Show what lies in a dead-letter or parking queue, oldest first, and leave it there."""
        connection = connect(self._url, name=f"{self._subscription.service}.replay")
        found: list[Delivery] = []
        try:
            channel = connection.channel()
            for _ in range(limit):
                method, properties, body = channel.basic_get(queue)
                if method is None or method.delivery_tag is None:
                    break
                producer = self._producer_of(queue, properties)
                found.append(_delivery(method.delivery_tag, properties, body, producer=producer))
        finally:
            connection.close()  # what was taken and not acknowledged goes back to its place
        return found

    def _producer_of(self, queue: str, properties: pika.BasicProperties) -> str | None:
        """Who first published a message. The header is believed in the parking queue only: we alone write there."""
        headers = properties.headers or {}
        if queue == self._subscription.parked_queue and PRODUCER_HEADER in headers:
            return str(headers[PRODUCER_HEADER])
        producer: str | None = properties.user_id
        return producer

    def _consume(self) -> None:
        connection = connect(self._url, name=f"{self._subscription.service}.consume")
        try:
            channel = connection.channel()
            channel.basic_qos(prefetch_count=PREFETCH)
            channel.confirm_delivery()
            self._gathered = []
            channel.basic_consume(self._subscription.queue, self._gather)
            self.connected.set()
            log.info("consumer_connected", queue=self._subscription.queue)
            while not self._stopping.is_set():
                self._wait_for_batch(connection)
                self.last_progress = time.monotonic()
                if self._gathered:
                    batch, self._gathered = self._gathered[:BATCH], self._gathered[BATCH:]
                    refused = self._process_at_last(connection, batch)
                    self._settle(channel, batch, refused)
        finally:
            if connection.is_open:
                connection.close()

    def _gather(
        self,
        _: pika.adapters.blocking_connection.BlockingChannel,
        method: pika.spec.Basic.Deliver,
        properties: pika.BasicProperties,
        body: bytes,
    ) -> None:
        self._gathered.append(_delivery(method.delivery_tag, properties, body, producer=properties.user_id))

    def _wait_for_batch(self, connection: pika.BlockingConnection) -> None:
        """Wait for a first message, then take what comes along in a moment."""
        if not self._gathered:
            connection.process_data_events(time_limit=0.5)
        deadline = time.monotonic() + GATHER_SECONDS
        while 0 < len(self._gathered) < BATCH:
            left = deadline - time.monotonic()
            if left <= 0:
                return
            before = len(self._gathered)
            connection.process_data_events(time_limit=left)
            if len(self._gathered) == before:
                return

    def _process_at_last(self, connection: pika.BlockingConnection, batch: list[Delivery]) -> Refusals:
        """Process a batch, waiting on the connection while the database is away. Return what must be set aside.

        Giving the messages back instead would count as a delivery of each, and an outage of minutes would use up the
        delivery limit of messages that nothing is wrong with.
        """
        crash.point(f"{self._subscription.service}.after_receive")
        pause = 0.2
        while True:
            try:
                return self._process(connection, batch)
            except Transient as error:
                if self._stopping.is_set():
                    raise
                log.warning("batch_postponed", size=len(batch), code=error.code, pause_seconds=pause)
                self._wait_or_stop(connection, pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def _wait_or_stop(self, connection: pika.BlockingConnection, seconds: float) -> None:
        """Wait and answer heartbeats meanwhile; a stop is heard within half a second."""
        deadline = time.monotonic() + seconds
        while not self._stopping.is_set() and (left := deadline - time.monotonic()) > 0:
            connection.sleep(min(left, 0.5))

    def _process(self, connection: pika.BlockingConnection, batch: list[Delivery]) -> Refusals:
        opened, refused = self._open_all(batch)
        try:
            if opened:
                self._handle_all([envelope for _, envelope in opened])
        except Transient:
            raise
        except Exception as error:  # noqa: BLE001 - one bad message must not take its neighbours along
            log.warning("batch_failed", size=len(opened), error=type(error).__name__)
            refused += self._handle_singly(connection, opened)
        for delivery, why in refused:
            if not isinstance(why, UnknownEvent):
                self._failures.record(delivery.message_id, f"{why.code}: {why.detail}")
        return refused

    def _settle(
        self,
        channel: pika.adapters.blocking_connection.BlockingChannel,
        batch: list[Delivery],
        refused: Refusals,
    ) -> None:
        """Tell the broker what became of a batch: nothing here can fail but the connection to it."""
        crash.point(f"{self._subscription.service}.after_commit_before_ack")
        parked = sum(self._put_aside(channel, delivery, error) for delivery, error in refused)
        aside = {delivery.tag for delivery, _ in refused}
        if not aside:
            channel.basic_ack(batch[-1].tag, multiple=True)
        else:
            for delivery in batch:
                if delivery.tag not in aside:
                    channel.basic_ack(delivery.tag)
        self._settled(Settlement(handled=len(batch) - len(aside), dead=len(aside) - parked, parked=parked))

    def _open_all(self, batch: list[Delivery]) -> tuple[list[tuple[Delivery, Envelope]], Refusals]:
        opened: list[tuple[Delivery, Envelope]] = []
        refused: Refusals = []
        for delivery in batch:
            try:
                opened.append((delivery, self._open(delivery)))
            except Rejected as error:
                refused.append((delivery, error))
            except Exception as error:
                log.exception("message_unreadable", message_id=delivery.message_id)
                refused.append((delivery, Rejected(f"cannot be read: {type(error).__name__}")))
        return opened, refused

    def _handle_all(self, envelopes: list[Envelope]) -> None:
        with correlated(envelopes[-1].correlation_id):
            self._handle(envelopes)

    def _handle_singly(self, connection: pika.BlockingConnection, opened: list[tuple[Delivery, Envelope]]) -> Refusals:
        refused = []
        for delivery, envelope in opened:
            error = self._handle_stubbornly(connection, delivery, envelope)
            if error is not None:
                refused.append((delivery, error))
        return refused

    def _handle_stubbornly(
        self, connection: pika.BlockingConnection, delivery: Delivery, envelope: Envelope
    ) -> LianxinError | None:
        """Try one message until it works or has failed too often; return why it must be set aside."""
        attempts = 0
        while True:
            try:
                self._handle_all([envelope])
                if attempts:
                    self._failures.forget([delivery.message_id])
            except Transient:
                raise
            except Rejected as error:
                return error
            except Exception as error:
                attempts = self._failures.record(delivery.message_id, type(error).__name__)
                log.exception("message_failed", message_id=delivery.message_id, attempts=attempts)
                if attempts >= MOST_ATTEMPTS:
                    return Rejected(f"failed {attempts} times, last with {type(error).__name__}")
                connection.sleep(0.1 * 2**attempts)  # answers heartbeats meanwhile
            else:
                return None

    def _open(self, delivery: Delivery) -> Envelope:
        if delivery.user_id != self._producer.user_id:
            raise UnexpectedProducer("the message does not come from the service that owns these events")
        properties = delivery.properties
        self._producer.seals.check(
            (properties.headers or {}).get(SEAL_HEADER),
            message_id=properties.message_id,
            message_type=properties.type,
            content_type=properties.content_type,
            body=delivery.body,
        )
        return decode(delivery.body)

    def _put_aside(
        self,
        channel: pika.adapters.blocking_connection.BlockingChannel,
        delivery: Delivery,
        error: LianxinError,
    ) -> bool:
        """Park what a newer release may understand, dead-letter the rest. Return whether it was parked."""
        if isinstance(error, UnknownEvent):
            self._park(channel, delivery, error)
            return True
        if isinstance(error, FORGED):
            messages_disbelieved_total.labels(error.code).inc()
        log.error("message_dead_lettered", message_id=delivery.message_id, code=error.code, detail=error.detail)
        channel.basic_reject(delivery.tag, requeue=False)
        return False

    def _park(
        self, channel: pika.adapters.blocking_connection.BlockingChannel, delivery: Delivery, error: LianxinError
    ) -> None:
        # The broker admits only the own user here; who published it first is kept in a header for the replay.
        seal = (delivery.properties.headers or {}).get(SEAL_HEADER)
        headers = {PRODUCER_HEADER: delivery.user_id, REASON_HEADER: error.code, SEAL_HEADER: seal}
        properties = pika.BasicProperties(
            content_type=delivery.properties.content_type,
            delivery_mode=2,
            message_id=delivery.properties.message_id,  # as it was sealed
            correlation_id=delivery.properties.correlation_id,
            type=delivery.properties.type,
            headers=headers,
        )
        channel.basic_publish(
            self._subscription.park_exchange, self._subscription.queue, delivery.body, properties, mandatory=True
        )
        log.warning("message_parked", message_id=delivery.message_id, code=error.code)
        channel.basic_ack(delivery.tag)


def _delivery(tag: int, properties: pika.BasicProperties, body: bytes, *, producer: str | None) -> Delivery:
    return Delivery(
        tag=tag,
        message_id=str(properties.message_id or "unnamed").replace("\0", ""),  # no database keeps a NUL
        user_id=producer,
        body=body,
        properties=properties,
    )
