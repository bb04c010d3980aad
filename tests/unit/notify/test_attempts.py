"""The schedule of attempts, what an answer means, and how an endpoint's health follows from it."""

from datetime import UTC, datetime, timedelta

import pytest

from services.notify.domain.attempts import PAUSES, Answer, Health, Verdict, judge, read_retry_after

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def fail(tries=0, *, status=500, retry_after=None, draw=0.0):
    return judge(Answer(status=status, retry_after=retry_after), tries=tries, now=NOW, draw=draw)


def test_ten_attempts_take_75_hours_and_35_minutes():
    assert len(PAUSES) == 10
    assert sum(PAUSES, timedelta()) == timedelta(hours=75, minutes=35, seconds=5)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_only_2xx_is_success(status):
    assert judge(Answer(status=status), tries=3, now=NOW, draw=0.5) == Verdict(outcome="delivered", tries=3)


@pytest.mark.parametrize("status", [100, 199, 300, 301, 302, 307, 308, 400, 401, 404, 415, 500, 502, 599])
def test_all_else_is_tried_again(status):
    verdict = fail(status=status)

    assert (verdict.outcome, verdict.tries) == ("failed", 1)
    assert verdict.next_attempt_at == NOW + timedelta(seconds=5)


@pytest.mark.parametrize("fault", ["timeout", "connection", "tls", "address", "too-large", "protocol"])
def test_a_fault_is_tried_again_whatever_status_came_before_it(fault):
    verdict = judge(Answer(status=200, fault=fault), tries=0, now=NOW, draw=0)

    assert verdict.outcome == "failed"


def test_attempts_follow_the_schedule_and_end():
    waited = [fail(tries).next_attempt_at for tries in range(9)]

    assert [at - NOW for at in waited] == list(PAUSES[1:])
    assert fail(9).is_exhausted


def test_jitter_is_late_and_at_most_a_tenth():
    assert fail(2, draw=0.999).next_attempt_at <= NOW + PAUSES[3] * 1.1
    assert fail(2, draw=0.5).next_attempt_at == NOW + PAUSES[3] * 1.05


def test_gone_is_gone():
    assert fail(status=410).outcome == "gone"


def test_too_many_holds_the_endpoint_and_uses_up_no_try():
    verdict = fail(4, status=429, retry_after="120")

    assert (verdict.outcome, verdict.tries, verdict.hold_until) == ("throttled", 4, NOW + timedelta(seconds=120))


def test_too_many_without_a_word_of_when_waits_as_after_a_failure():
    assert fail(1, status=429).hold_until == NOW + PAUSES[2]


@pytest.mark.parametrize("status", [502, 503, 504])
def test_busy_is_obeyed_where_it_asks_for_more_than_the_schedule(status):
    assert fail(status=status, retry_after="600").next_attempt_at == NOW + timedelta(minutes=10)
    assert fail(3, status=status, retry_after="10").next_attempt_at == NOW + PAUSES[4]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30),
        ("0", 5),
        ("99999999999999999999", 86_400),
        ("Mon, 02 Mar 2026 08:10:00 GMT", 600),
        ("Mon, 02 Mar 2020 08:10:00 GMT", 5),
        ("Mon, 02 Mar 2126 08:10:00 GMT", 86_400),
    ],
)
def test_retry_after_is_read_and_bounded(text, seconds):
    assert read_retry_after(text, now=NOW) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", [None, "", "soon", "-5", "1.5", "²", "٣", "1" * 65, "Mon, 99 Foo 2026", "\x00"])
def test_what_cannot_be_read_asks_for_nothing(text):
    assert read_retry_after(text, now=NOW) is None


def test_an_endpoint_that_fails_in_a_row_is_left_alone_but_for_one_that_looks_whether_it_is_back():
    health = Health()
    for _ in range(4):
        health = health.after(fail(), now=NOW, draw=1)
    assert health.room(now=NOW, in_flight=0, most=8) == 8

    health = health.after(fail(), now=NOW, draw=1)

    assert health.failing_since == NOW
    assert health.room(now=NOW, in_flight=0, most=8) == 0
    assert health.room(now=NOW + timedelta(seconds=5), in_flight=0, most=8) == 1
    assert health.room(now=NOW + timedelta(seconds=5), in_flight=1, most=8) == 0


def test_looking_becomes_rarer_up_to_every_five_minutes():
    health = Health()
    for _ in range(30):
        health = health.after(fail(), now=NOW, draw=1)

    assert health.probe_at == NOW + timedelta(minutes=5)


def test_one_success_closes_the_circuit():
    health = Health(failures=7, failing_since=NOW, probe_at=NOW)

    assert health.after(Verdict(outcome="delivered", tries=0), now=NOW, draw=0) == Health()


def test_a_receiver_that_is_busy_is_held_and_not_broken():
    health = Health().after(fail(status=429, retry_after="60"), now=NOW, draw=0)

    assert (health.failures, health.room(now=NOW, in_flight=0, most=8)) == (0, 0)
    assert health.room(now=NOW + timedelta(seconds=60), in_flight=0, most=8) == 8
