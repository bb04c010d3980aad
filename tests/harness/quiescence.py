"""When an experiment may be judged: everything has run dry, or nothing has moved for too long."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import LiteralString, Self

import pika.exceptions
import psycopg
from pika.adapters.blocking_connection import BlockingChannel
from typing_extensions import override

from shared.broker.topology import connect
from shared.database import Connection
from shared.errors import Transient
from tests.harness.suite import Suite

QUEUES = ("q.assessment.facts", "q.notify.events", "q.notify.intake")
SET_ASIDE = tuple(f"{queue}.{kind}" for queue in QUEUES for kind in ("dead", "parked"))
POLL_SECONDS = 0.25
UNANNOUNCED = """
    SELECT count(*)
      FROM score
     WHERE subject_code IS NOT NULL
       AND composite IS DISTINCT FROM announced_composite
       AND period_kind <> 'half_year'
"""


class Stuck(Exception):
    """Work is left over and nothing moves any more. The text says where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Everything that still waits, by place. Dead letters are not waiting: an oracle judges them."""

    imports_open: int
    alarms_due: int  # issues whose deadlines the sweep has to look at, which may make events
    intake_unsent: int
    waiting_facts: int  # messages in the queue
    not_taken_in: int  # events sent, and not in the inbox of assessment
    tallies_due: int
    subjects_due: int
    unannounced: int
    duty_looks_open: int  # which may make events
    assessment_unsent: int
    waiting_news: int
    not_told: int  # events of assessment sent, and not in the inbox of notify
    waiting_told: int
    not_heard: int  # events of intake sent, and not in the inbox of notify

    @property
    def is_quiet(self) -> bool:
        return not any(asdict(self).values())

    @override
    def __str__(self) -> str:
        return ", ".join(f"{name} {count}" for name, count in asdict(self).items() if count) or "nothing waits"


@contextmanager
def looking(suite: Suite) -> Iterator[Callable[[], State]]:
    """To look again and again: to connect takes everybody longer than to count."""
    with (
        suite.database("intake") as intake,
        suite.database("assessment") as assessment,
        suite.database("notify") as notify,
        _channel(suite) as channel,
    ):
        yield lambda: _read(intake, assessment, notify, channel)


def _read(intake: Connection, assessment: Connection, notify: Connection, channel: BlockingChannel) -> State:
    # Readers before writers: what is written meanwhile makes a difference that the next look finds gone.
    told = _count(notify, "SELECT count(*) FROM inbox WHERE consumer = 'notify.events'")
    heard = _count(notify, "SELECT count(*) FROM inbox WHERE consumer = 'notify.intake'")
    announced = _count(assessment, "SELECT count(*) FROM outbox")
    taken_in = _count(assessment, "SELECT count(*) FROM inbox WHERE consumer = 'assessment.facts'")
    written = _count(intake, "SELECT count(*) FROM outbox")
    waiting = {queue: channel.queue_declare(queue, passive=True).method.message_count for queue in QUEUES}
    return State(
        alarms_due=_count(intake, "SELECT count(*) FROM issue WHERE alarm_at <= now()"),
        imports_open=_count(intake, "SELECT count(*) FROM import_run WHERE state IN ('due', 'running')"),
        intake_unsent=_count(intake, "SELECT count(*) FROM outbox WHERE sent_at IS NULL"),
        waiting_facts=waiting[QUEUES[0]],
        not_taken_in=written - taken_in,
        tallies_due=_count(assessment, "SELECT count(*) FROM tally_due"),
        subjects_due=_count(assessment, "SELECT count(*) FROM subject_due"),
        unannounced=_count(assessment, UNANNOUNCED),
        duty_looks_open=_count(assessment, "SELECT count(*) FROM duty_look WHERE done_at IS NULL"),
        assessment_unsent=_count(assessment, "SELECT count(*) FROM outbox WHERE sent_at IS NULL"),
        waiting_news=waiting[QUEUES[1]],
        not_told=announced - told,
        waiting_told=waiting[QUEUES[2]],
        not_heard=written - heard,
    )


def _count(connection: Connection, statement: LiteralString) -> int:
    row = connection.execute(statement).fetchone()
    return int(str(row[0])) if row else 0


@contextmanager
def _channel(suite: Suite) -> Iterator[BlockingChannel]:
    connection = connect(suite.deploy_broker_url, name="harness")
    try:
        yield connection.channel()
    finally:
        with suppress(pika.exceptions.AMQPError):  # of a broker that has gone meanwhile
            connection.close()


def wait_until_quiet(suite: Suite, *, stuck_seconds: float = 120, looks: int = 2) -> State:
    """Wait for so many quiet looks in a row. Raises Stuck when work is left and nothing has changed for that long."""
    before: State | None = None
    changed_at = time.monotonic()
    quiet = 0
    trouble = ""
    with _Sight(suite) as sight:
        while True:
            try:
                state = sight.read_state()
            except (psycopg.OperationalError, Transient, pika.exceptions.AMQPError) as error:
                sight.close()
                trouble, quiet = type(error).__name__, 0
            else:
                trouble = ""
                quiet = quiet + 1 if state.is_quiet else 0
                if quiet >= looks:
                    return state
                if state != before:
                    before, changed_at = state, time.monotonic()
            if time.monotonic() - changed_at > stuck_seconds:
                raise Stuck(f"nothing has moved for {stuck_seconds:.0f} seconds: {trouble or before}")
            time.sleep(POLL_SECONDS)


class _Sight:
    """Through connections that last until one of them fails."""

    def __init__(self, suite: Suite) -> None:
        self._suite = suite
        self._open = ExitStack()
        self._look: Callable[[], State] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read_state(self) -> State:
        if self._look is None:
            self._look = self._open.enter_context(looking(self._suite))
        return self._look()

    def close(self) -> None:
        self._look = None
        self._open.close()
