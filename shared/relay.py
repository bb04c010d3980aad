"""The relay: takes committed events from the outbox to the broker, in order, until each is confirmed."""

import threading
import time
from collections.abc import Callable
from typing import Any

import orjson
import psycopg

from shared import crash, outbox
from shared.broker.publisher import OutgoingMessage, Publisher
from shared.broker.seals import Macs, Seals
from shared.contracts.envelope import CONTENT_TYPE, encode
from shared.database import Connection, DatabaseAway, connection_options
from shared.errors import Transient
from shared.observability import get_logger

BATCH = 1_000
IDLE_SECONDS = 0.05
RELAY_LOCK = 0x52656C61  # one relay at work per database; a second one stands by
LONGEST_PAUSE_SECONDS = 10.0

log = get_logger()


class EventsRefused(Transient):
    """The broker is up but did not take some events: a queue is full or a binding is missing."""

    code = "events-refused"


class Relay:
    """One of any number of relays of a database; one works, the others stand by.

    The lock lies on the session that reads and marks the outbox, so a relay that lost its session cannot mark anything.
    """

    def __init__(
        self,
        database_url: str,
        broker_url: str,
        *,
        service: str,
        macs: Macs,
        sent: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._database_url = database_url
        self._service = service
        self._seals = Seals(macs, service=service)
        self._publisher = Publisher(broker_url, exchange=f"evt.{service}", name=f"{service}.relay")
        self._sent = sent
        self._stopping = threading.Event()
        self.connected = threading.Event()
        self.last_progress = time.monotonic()

    def stop(self) -> None:
        self._stopping.set()

    def run(self) -> None:
        """Relay for ever; after any failure nothing is marked, and the same events go out again."""
        pause = 0.1
        while not self._stopping.is_set():
            try:
                self._hold_and_relay()
            except Transient as error:
                pause = 0.1 if self.connected.is_set() else min(pause * 2, LONGEST_PAUSE_SECONDS)
                if isinstance(error, EventsRefused):
                    pause = max(pause, 1.0)
                self.connected.clear()
                log.warning("relay_interrupted", code=error.code, detail=error.detail, pause_seconds=round(pause, 1))
                self._stopping.wait(pause)
        self._publisher.close()

    def _hold_and_relay(self) -> None:
        try:
            with psycopg.connect(self._database_url, autocommit=True, **_options(self._service)) as connection:
                if not self._wait_for_turn(connection):
                    return
                if not self._publisher.is_open:
                    self._publisher.close()
                    self._publisher.open()
                self.connected.set()
                log.info("relay_connected")
                while not self._stopping.is_set():
                    count = self.relay_once(connection)
                    self.last_progress = time.monotonic()
                    if count < BATCH:
                        self._stopping.wait(IDLE_SECONDS)
        except psycopg.OperationalError as error:
            raise DatabaseAway(f"the database gave up: {error.sqlstate or 'connection lost'}") from error

    def relay_once(self, connection: Connection) -> int:
        """Send the oldest unsent events and mark those that were confirmed. Return how many were confirmed."""
        events = outbox.list_unsent(connection, limit=BATCH)
        if not events:
            return 0
        crash.point("relay.after_select")
        refused = self._publisher.publish([self._message(event) for event in events])
        crash.point("relay.after_confirm_before_mark")
        confirmed = [event.id for event in events if not refused or str(event.event_id) not in refused]
        outbox.mark_sent(connection, confirmed)
        self._sent(len(confirmed))
        if refused:
            raise EventsRefused(f"{len(refused)} events were not taken: {next(iter(refused.values()))}")
        return len(confirmed)

    def _wait_for_turn(self, connection: Connection) -> bool:
        while not self._stopping.is_set():
            row = connection.execute("SELECT pg_try_advisory_lock(%s)", [RELAY_LOCK]).fetchone()
            if row is not None and row[0]:
                return True
            self.last_progress = time.monotonic()
            self._stopping.wait(1)
        return False

    def _message(self, event: outbox.UnsentEvent) -> OutgoingMessage:
        message_id = str(event.event_id)
        body = encode(
            event_id=message_id,
            event_type=event.event_type,
            source=f"/lianxin/{self._service}",
            subject=f"{event.aggregate}/{event.aggregate_id}",
            sequence=event.sequence,
            recorded_at=event.recorded_at,
            correlation_id=event.correlation_id,
            data=orjson.Fragment(event.payload),
        )
        return OutgoingMessage(
            message_id=message_id,
            routing_key=event.routing_key,
            content_type=CONTENT_TYPE,
            message_type=event.event_type,
            correlation_id=event.correlation_id,
            body=body,
            seal=self._seals.seal(
                message_id=message_id, message_type=event.event_type, content_type=CONTENT_TYPE, body=body
            ),
        )


def _options(service: str) -> dict[str, Any]:
    options = connection_options(application=f"{service}.relay", statement_timeout_seconds=60, system=True)
    # A frozen relay must not keep the lock for ever: the server ends a session that says nothing.
    options["options"] = f"{options['options']} -c idle_session_timeout=60s"
    return options
