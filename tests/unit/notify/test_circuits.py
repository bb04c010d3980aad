"""When an endpoint is left alone, how it is tried again, and how calls come back without a stampede."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.gateways.backoff import Backoff
from shared.gateways.circuits import Circuit, CircuitRules, Pace, room_for

NOW = datetime(2025, 4, 1, tzinfo=UTC)
RULES = CircuitRules(
    failures_max=3, pause=Backoff(shortest=timedelta(seconds=30), longest=timedelta(minutes=10)), full=8
)
MINUTE = timedelta(minutes=1)


def failed(circuit: Circuit, times: int, *, now: datetime = NOW) -> Circuit:
    for _ in range(times):
        circuit = circuit.fail(RULES, now=now, draw=1.0)
    return circuit


def test_failures_in_a_row_open_it_and_a_success_between_does_not():
    shaky = failed(Circuit(), 2).succeed(RULES, now=NOW)

    assert failed(shaky, 2).room_at(NOW) is None
    assert failed(Circuit(), 3).room_at(NOW) == 0


def test_after_the_pause_one_call_tries():
    opened = failed(Circuit(), 3)

    assert opened.room_at(NOW + timedelta(seconds=29)) == 0
    assert opened.room_at(NOW + timedelta(seconds=30)) == 1


def test_a_try_that_fails_opens_it_for_longer():
    opened = failed(Circuit(), 3)
    again = opened.fail(RULES, now=NOW + MINUTE, draw=1.0)

    assert again.open_until == NOW + MINUTE + timedelta(seconds=60)


def test_calls_come_back_by_doubling_until_all_is_as_before():
    now = NOW + MINUTE
    first = failed(Circuit(), 3).succeed(RULES, now=now)
    second = first.succeed(RULES, now=now)

    assert (first.room_at(now), second.room_at(now)) == (2, 4)
    assert second.succeed(RULES, now=now) == Circuit()


def test_one_failure_on_the_way_back_opens_it_at_once():
    returning = failed(Circuit(), 3).succeed(RULES, now=NOW + MINUTE)

    assert returning.fail(RULES, now=NOW + MINUTE, draw=1.0).room_at(NOW + MINUTE) == 0


def test_answers_to_what_was_under_way_when_it_opened_change_nothing():
    opened = failed(Circuit(), 3)

    assert opened.succeed(RULES, now=NOW).room_at(NOW) == 0
    assert opened.fail(RULES, now=NOW, draw=1.0).open_until == opened.open_until


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 900)), max_size=60))
def test_an_endpoint_that_is_open_always_gets_another_try(answers):
    circuit, now = Circuit(), NOW
    for is_success, seconds in answers:
        now += timedelta(seconds=seconds)
        circuit = circuit.succeed(RULES, now=now) if is_success else circuit.fail(RULES, now=now, draw=1.0)

    room = circuit.room_at(now + timedelta(minutes=10))
    assert room is None or room >= 1


@pytest.mark.parametrize(
    ("circuit", "under_way", "room"),
    [(Circuit(), 0, 4), (Circuit(), 3, 1), (Circuit(), 9, 0), (Circuit(room=2), 1, 1), (Circuit(room=1), 1, 0)],
)
def test_the_bulkhead_and_the_circuit_both_limit_what_begins(circuit, under_way, room):
    assert room_for(circuit, under_way=under_way, most=4, now=NOW) == room


def test_a_pace_lets_through_what_it_says_and_no_more():
    pace, paced_until, begun = Pace(per_minute=20, burst=5), None, 0
    for second in range(120):
        now = NOW + timedelta(seconds=second)
        count = pace.allowance(paced_until, now=now)
        paced_until = pace.take(count, paced_until, now=now)
        begun += count

    assert 40 <= begun <= 45
    assert Pace(per_minute=20, burst=5).allowance(None, now=NOW) == 5


def test_calls_that_were_not_made_are_given_back():
    pace = Pace(per_minute=20, burst=5)
    taken = pace.take(5, None, now=NOW)

    assert pace.allowance(taken, now=NOW) == 0
    assert pace.allowance(pace.give_back(4, taken), now=NOW) == 4
