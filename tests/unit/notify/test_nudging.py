"""Nudges: none is forgotten, and many at once are one."""

import threading

import pytest

from services.notify.messaging import Nudging
from services.notify.tasks import OneAtATime


def test_whoever_asks_while_a_nudge_is_under_way_is_nudged_for_once_more():
    begun, released, nudges = threading.Event(), threading.Event(), []

    def nudge() -> None:
        nudges.append(1)
        begun.set()
        assert released.wait(10)

    nudging = Nudging(nudge, pause_seconds=0)
    nudging.start()
    nudging.ask()
    assert begun.wait(10)
    begun.clear()
    for _ in range(5):
        nudging.ask()
    released.set()
    assert begun.wait(10)
    nudging.stop()

    assert len(nudges) == 2


def test_a_nudge_that_fails_is_not_the_last():
    done = threading.Event()
    outcomes = iter([ValueError, None])

    def nudge() -> None:
        outcome = next(outcomes)
        if outcome is not None:
            nudging.ask()
            raise outcome
        done.set()

    nudging = Nudging(nudge, pause_seconds=0)
    nudging.start()
    nudging.ask()

    assert done.wait(10)
    nudging.stop()


def test_work_that_is_asked_for_meanwhile_is_done_once_more_and_by_one_thread_alone():
    begun, released, done = threading.Event(), threading.Event(), []

    def work() -> None:
        done.append(threading.current_thread().name)
        begun.set()
        assert released.wait(10)

    once = OneAtATime(work)
    first = threading.Thread(target=once.run, name="first")
    first.start()
    assert begun.wait(10)
    for _ in range(3):
        once.run()
    released.set()
    first.join(10)

    assert done == ["first", "first"]


def test_work_that_fails_may_be_done_again():
    outcomes = iter([ValueError, None])
    done = []

    def work() -> None:
        outcome = next(outcomes)
        if outcome is not None:
            raise outcome("once")
        done.append(1)

    once = OneAtATime(work)
    with pytest.raises(ValueError, match="once"):
        once.run()
    once.run()

    assert done == [1]
