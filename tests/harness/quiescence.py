"""When an experiment may be judged: everything has run dry, or nothing has moved for too long."""

import time
from dataclasses import asdict, dataclass

import pika.exceptions
import psycopg
from typing_extensions import override

from shared.broker.topology import connect
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


def read_state(suite: Suite) -> State:
    with (
        suite.database("intake") as intake,
        suite.database("assessment") as assessment,
        suite.database("notify") as notify,
    ):

        def count(connection: psycopg.Connection[tuple[object, ...]], statement: str) -> int:
            row = connection.execute(statement).fetchone()
            return int(str(row[0])) if row else 0

        # Readers before writers: what is written meanwhile makes a difference that the next look finds gone.
        told = count(notify, "SELECT count(*) FROM inbox WHERE consumer = 'notify.events'")
        heard = count(notify, "SELECT count(*) FROM inbox WHERE consumer = 'notify.intake'")
        announced = count(assessment, "SELECT count(*) FROM outbox")
        taken_in = count(assessment, "SELECT count(*) FROM inbox WHERE consumer = 'assessment.facts'")
        written = count(intake, "SELECT count(*) FROM outbox")
        waiting = _count_messages(suite)
        return State(
            alarms_due=count(intake, "SELECT count(*) FROM issue WHERE alarm_at <= now()"),
            imports_open=count(intake, "SELECT count(*) FROM import_run WHERE state IN ('due', 'running')"),
            intake_unsent=count(intake, "SELECT count(*) FROM outbox WHERE sent_at IS NULL"),
            waiting_facts=waiting[QUEUES[0]],
            not_taken_in=written - taken_in,
            tallies_due=count(assessment, "SELECT count(*) FROM tally_due"),
            subjects_due=count(assessment, "SELECT count(*) FROM subject_due"),
            unannounced=count(assessment, UNANNOUNCED),
            duty_looks_open=count(assessment, "SELECT count(*) FROM duty_look WHERE done_at IS NULL"),
            assessment_unsent=count(assessment, "SELECT count(*) FROM outbox WHERE sent_at IS NULL"),
            waiting_news=waiting[QUEUES[1]],
            not_told=announced - told,
            waiting_told=waiting[QUEUES[2]],
            not_heard=written - heard,
        )


def wait_until_quiet(suite: Suite, *, stuck_seconds: float = 120, looks: int = 2) -> State:
    """Wait for so many quiet looks in a row. Raises Stuck when work is left and nothing has changed for that long."""
    before: State | None = None
    changed_at = time.monotonic()
    quiet = 0
    trouble = ""
    while True:
        try:
            state = read_state(suite)
        except (psycopg.OperationalError, Transient, pika.exceptions.AMQPError) as error:
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


def _count_messages(suite: Suite) -> dict[str, int]:
    connection = connect(suite.deploy_broker_url, name="harness")
    try:
        channel = connection.channel()
        return {queue: channel.queue_declare(queue, passive=True).method.message_count for queue in QUEUES}
    finally:
        connection.close()
