"""Kills at random, poison, repeats and disorder: what the suite is told counts once, and nothing else counts."""

import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import orjson
import pytest

from shared import outbox
from shared.broker.publisher import OutgoingMessage, Publisher
from shared.broker.seals import Seals
from shared.contracts.envelope import CONTENT_TYPE, encode
from tests.harness.chaos import BROKER, DATABASE, Chaos
from tests.harness.evidence import read_databases
from tests.harness.experiment import Experiment, require
from tests.harness.oracles import check_dead_letters, report
from tests.harness.poison import list_set_aside, sow_poison
from tests.harness.quiescence import looking
from tests.harness.suite import Suite, process_names
from tests.harness.waiting import wait_for

FACTS = "q.assessment.facts"


def test_nothing_is_lost_when_everything_gets_killed_during_a_load(suite: Suite, experiment: Experiment) -> None:
    if not suite.servers.may_be_killed:
        pytest.skip("the servers are given, and not ours to kill")
    chaos = Chaos(suite)
    load = experiment.begin_load(seed=4711, records=900, rate=120)

    # The broker late, so that whatever is still alive must find it again by itself.
    for victim in ("intake-relay", "assessment-consume", "intake-serve", "assessment-work", DATABASE, BROKER):
        time.sleep(1.5)
        chaos.kill(victim)
    outcome = load.wait(180)

    assert outcome.bugs == []
    assert outcome.counts["given_up"] == 0
    require(experiment.wait_and_judge()[1])
    suite.wait_until_ready()


def test_poison_is_set_aside_and_nothing_else(suite: Suite, experiment: Experiment) -> None:
    already_dead = list_set_aside(suite, f"{FACTS}.dead")
    already_parked = list_set_aside(suite, f"{FACTS}.parked")
    load = experiment.begin_load(seed=815, records=80)

    sown = sow_poison(suite)
    load.wait()
    expected = len(already_dead) + len(sown.dead)
    wait_for(lambda: len(list_set_aside(suite, f"{FACTS}.dead")) >= expected, "the poison in the dead-letter queue")
    _, verdicts = experiment.wait_and_judge()

    require([*verdicts, check_dead_letters(list_set_aside(suite, f"{FACTS}.dead"), already_dead + sown.dead)])
    require([check_dead_letters(list_set_aside(suite, f"{FACTS}.parked"), already_parked + sown.parked)])
    assert list_set_aside(suite, "q.unrouted") == []
    assert all(process.pid for process in suite.processes.values())


def test_the_same_events_ten_times_over_change_nothing(suite: Suite, experiment: Experiment) -> None:
    experiment.begin_load(seed=28, records=100).wait()
    before, _ = experiment.wait_and_judge()

    with suite.database("intake") as intake, looking(suite) as look:
        for _ in range(10):
            intake.execute("UPDATE outbox SET sent_at = NULL WHERE id > (SELECT max(id) - 100 FROM outbox)")
            wait_for(lambda: look().intake_unsent == 0, "everything sent again")

    after, verdicts = experiment.wait_and_judge()
    require(verdicts)
    assert (after.counted, sorted(after.inbox)) == (before.counted, sorted(before.inbox))


def test_events_in_any_order_make_the_same_facts(suite: Suite, experiment: Experiment) -> None:
    with stopped(suite, "intake-relay"):
        experiment.begin_load(seed=29, records=150).wait()
        with suite.database("intake") as intake:
            events = outbox.list_unsent(intake, limit=10_000)
            random.Random(29).shuffle(events)  # noqa: S311 - the same disorder every time
            publish_as_intake(suite, events)
            outbox.mark_sent(intake, [event.id for event in events])

    assert len(events) > 150
    require(experiment.wait_and_judge()[1])


def test_two_of_every_process_have_no_more_effect_than_one(suite: Suite, experiment: Experiment) -> None:
    behind = ("intake-relay", "assessment-consume", "assessment-work", "notify-work", "assessment-relay")
    twins = [suite.add_twin(name) for name in behind]
    suite.wait_until_ready()

    experiment.begin_load(seed=45, records=300).wait()

    require(experiment.wait_and_judge()[1])
    for twin in twins:
        suite.remove_twin(twin)


def test_a_relay_that_was_frozen_does_no_harm_when_it_goes_on(suite: Suite, experiment: Experiment) -> None:
    twin = suite.add_twin("intake-relay")
    frozen = suite.processes["intake-relay"]
    suite.wait_until_ready()

    frozen.freeze()
    load = experiment.begin_load(seed=4, records=80)
    load.wait()
    frozen.thaw()

    require(experiment.wait_and_judge()[1])
    suite.remove_twin(twin)


def test_every_process_ends_cleanly_when_it_is_asked_to(suite: Suite) -> None:
    with ThreadPoolExecutor() as pool:
        ends = {name: pool.submit(suite.processes[name].stop) for name in process_names()}
        codes = {name: end.result() for name, end in ends.items()}
    for name in process_names():
        suite.processes[name].start()
    suite.wait_until_ready()

    assert codes == dict.fromkeys(process_names(), 0)


@pytest.mark.parametrize(
    ("service", "statement"),
    [
        ("intake", "DELETE FROM rating WHERE id = (SELECT id FROM rating ORDER BY id LIMIT 1)"),
        ("intake", "DELETE FROM outbox WHERE id = (SELECT max(id) FROM outbox)"),
        ("intake", "UPDATE contact SET id = gen_random_uuid() WHERE id = (SELECT id FROM contact WHERE id NOT IN "
         "(SELECT contact_id FROM rating WHERE contact_id IS NOT NULL) ORDER BY id LIMIT 1)"),
        ("assessment", "DELETE FROM inbox WHERE event_id = (SELECT event_id FROM inbox LIMIT 1)"),
        ("assessment", "DELETE FROM event WHERE event_id = (SELECT event_id FROM event LIMIT 1)"),
        ("assessment", "UPDATE contact_fact SET contact_id = gen_random_uuid() "
         "WHERE contact_id = (SELECT contact_id FROM contact_fact LIMIT 1)"),
        ("assessment", "UPDATE issue_fact SET closed_at = NULL, outcome = NULL "
         "WHERE issue_id = (SELECT issue_id FROM issue_fact WHERE closed_at IS NOT NULL LIMIT 1)"),
        ("assessment", "UPDATE tally SET issues_received = issues_received + 1 "
         "WHERE (tableoid, ctid) = (SELECT tableoid, ctid FROM tally LIMIT 1)"),
    ],
)  # fmt: skip
def test_the_oracles_see_one_wrong_row(suite: Suite, experiment: Experiment, service: str, statement: str) -> None:
    """A test that cannot fail is a defect: each of these must turn a sound judgement into a broken one."""
    _, sound = experiment.wait_and_judge()
    require(sound)

    with suite.database("intake") as intake, suite.database("assessment") as assessment:
        connections = {"intake": intake, "assessment": assessment}
        with connections[service].transaction(force_rollback=True):
            assert connections[service].execute(statement).rowcount == 1
            wrong = experiment.judge(read_databases(intake, assessment))

    assert not all(verdict.holds for verdict in wrong), report(wrong)


@contextmanager
def stopped(suite: Suite, name: str) -> Iterator[None]:
    suite.processes[name].stop()
    try:
        yield
    finally:
        suite.processes[name].start()
        suite.wait_until_ready()


def publish_as_intake(suite: Suite, events: list[outbox.UnsentEvent]) -> None:
    publisher = Publisher(suite.urls["LIANXIN_INTAKE_BROKER_URL"], exchange="evt.intake", name="harness")
    publisher.open()
    try:
        refused = publisher.publish([message_of(event, suite.seals("intake")) for event in events])
    finally:
        publisher.close()
    assert refused == {}


def message_of(event: outbox.UnsentEvent, seals: Seals) -> OutgoingMessage:
    message_id = str(event.event_id)
    body = encode(
        event_id=event.event_id,
        event_type=event.event_type,
        source="/lianxin/intake",
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
        seal=seals.seal(message_id=message_id, message_type=event.event_type, content_type=CONTENT_TYPE, body=body),
    )
