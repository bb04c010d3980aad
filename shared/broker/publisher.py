"""Publishing with pipelined confirms: a batch goes out whole, then its confirms are awaited."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import pika
import pika.channel
import pika.exceptions
import pika.frame
import pika.spec

from shared import crash
from shared.broker.seals import SEAL_HEADER
from shared.broker.topology import BrokerAway, parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingMessage:
    message_id: str
    routing_key: str
    body: bytes
    content_type: str
    message_type: str
    correlation_id: str
    seal: str | None = None


class Publisher:
    """One connection on one thread of its own. Not for several callers at once.

    Every message is persistent and mandatory and carries the authenticated user, which readers check.
    """

    def __init__(self, url: str, *, exchange: str, name: str) -> None:
        self._parameters = parameters(url, name=name)
        self._user = unquote(urlsplit(url).username or "")
        self._exchange = exchange
        self._lock = threading.Condition()
        self._connection: pika.SelectConnection | None = None
        self._channel: pika.channel.Channel | None = None
        self._thread: threading.Thread | None = None
        self._failure: str | None = None
        self._last_tag = 0
        self._waiting: dict[int, str] = {}  # delivery tag -> message id
        self._refused: dict[str, str] = {}  # message id -> why

    def open(self, *, timeout_seconds: float = 10) -> None:
        """Raises BrokerAway."""
        self._failure = None
        self._waiting.clear()
        self._refused.clear()
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
        self._thread.start()
        with self._lock:
            self._lock.wait_for(lambda: self._channel is not None or self._failure, timeout_seconds)
        if not self.is_open:
            reason = self._failure_text()
            self.close()
            raise BrokerAway(f"the broker cannot be reached: {reason}")

    @property
    def is_open(self) -> bool:
        return self._channel is not None and self._failure is None

    def publish(self, messages: Sequence[OutgoingMessage], *, timeout_seconds: float = 30) -> dict[str, str]:
        """Publish a batch and wait for every confirm. Return message id -> reason for those the broker refused.

        Raises BrokerAway when the connection fails: then any of the batch may or may not have arrived.
        """
        connection = self._connection
        if connection is None or not self.is_open:
            raise BrokerAway("not connected to the broker")
        sent = threading.Event()
        connection.ioloop.add_callback_threadsafe(lambda: self._send(messages, sent))
        with self._lock:
            done = self._lock.wait_for(
                lambda: self._failure or (sent.is_set() and not self._waiting), timeout=timeout_seconds
            )
            if self._failure or not done:
                raise BrokerAway(f"the broker did not confirm: {self._failure_text()}")
            refused, self._refused = self._refused, {}
        return refused

    def close(self) -> None:
        """Close cleanly where the broker still answers; wait for the thread's end."""
        thread = self._thread
        if thread is not None:
            with self._lock:
                if self._connection is not None:
                    self._connection.ioloop.add_callback_threadsafe(self._hang_up)
            thread.join(timeout=5)
        self._channel = None
        self._thread = None

    def _failure_text(self) -> str:
        return self._failure or "no answer in time"

    def _run(self) -> None:
        connection = pika.SelectConnection(
            self._parameters,
            on_open_callback=lambda opened: opened.channel(on_open_callback=self._on_channel),
            on_open_error_callback=self._on_closed,
            on_close_callback=self._on_closed,
        )
        with self._lock:
            self._connection = connection
        try:
            connection.ioloop.start()
        except (pika.exceptions.AMQPError, OSError) as error:
            self._fail(error)
        with self._lock:
            self._connection = None
        connection.ioloop.close()

    def _on_channel(self, channel: pika.channel.Channel) -> None:
        channel.add_on_return_callback(self._on_return)
        channel.add_on_close_callback(self._on_channel_closed)
        channel.confirm_delivery(self._on_confirm, callback=lambda _: self._on_ready(channel))

    def _on_ready(self, channel: pika.channel.Channel) -> None:
        with self._lock:
            self._last_tag = 0
            self._channel = channel
            self._lock.notify_all()

    def _send(self, messages: Sequence[OutgoingMessage], sent: threading.Event) -> None:
        channel = self._channel
        if channel is None or not channel.is_open:
            self._fail("the channel is closed")
            return
        try:
            for message in messages:
                self._last_tag += 1
                self._waiting[self._last_tag] = message.message_id
                channel.basic_publish(
                    self._exchange,
                    message.routing_key,
                    message.body,
                    pika.BasicProperties(
                        content_type=message.content_type,
                        delivery_mode=2,
                        message_id=message.message_id,
                        type=message.message_type,
                        correlation_id=message.correlation_id,
                        user_id=self._user,
                        headers={SEAL_HEADER: message.seal} if message.seal else None,
                    ),
                    mandatory=True,
                )
        except (pika.exceptions.AMQPError, OSError) as error:
            self._fail(error)
        with self._lock:
            sent.set()
            self._lock.notify_all()

    def _on_return(
        self, _: pika.channel.Channel, method: pika.spec.Basic.Return, properties: pika.BasicProperties, __: bytes
    ) -> None:
        # A returned message is confirmed right after: the return is what tells that no queue took it.
        self._refused[str(properties.message_id)] = f"unroutable: {method.reply_text}"

    def _on_confirm(self, frame: "pika.frame.Method[pika.spec.Basic.Ack | pika.spec.Basic.Nack]") -> None:
        crash.point("relay.after_publish_before_confirm")
        method = frame.method
        settled = [method.delivery_tag]
        if method.multiple:
            settled = [tag for tag in self._waiting if tag <= method.delivery_tag]
        refused = isinstance(method, pika.spec.Basic.Nack)
        for tag in settled:
            message_id = self._waiting.pop(tag, None)
            if refused and message_id is not None:
                self._refused[message_id] = "the broker said no: its queue is full"
        if not self._waiting:
            with self._lock:
                self._lock.notify_all()

    def _on_channel_closed(self, _: pika.channel.Channel, reason: Exception) -> None:
        self._fail(reason)
        self._hang_up()

    def _on_closed(self, connection: pika.SelectConnection, reason: Exception | str) -> None:
        self._fail(reason)
        connection.ioloop.stop()

    def _hang_up(self) -> None:
        """On the connection's own thread: ask for the close; the answer ends the thread."""
        connection = self._connection
        if connection is not None and connection.is_open:
            connection.close()
        elif connection is not None and connection.is_closed:
            connection.ioloop.stop()

    def _fail(self, reason: object) -> None:
        with self._lock:
            self._failure = self._failure or f"{type(reason).__name__}: {reason}"[:300]
            self._channel = None
            self._lock.notify_all()
