"""Turns are taken by so many at once; who waits in vain, or has no place to wait, is told so."""

import threading

import pytest

from services.assessment.handlers.turns import CountingBusy, Turns


def test_whoever_finds_no_place_to_wait_is_told_at_once():
    turns = Turns(at_once=1, waiting=0, patience_seconds=3_600)

    with turns.take(), pytest.raises(CountingBusy), turns.take():
        pass


def test_whoever_waits_longer_than_is_patient_is_told_so_and_leaves_the_place():
    turns = Turns(at_once=1, waiting=1, patience_seconds=0)

    with turns.take():
        for _ in range(3):
            with pytest.raises(CountingBusy), turns.take():
                pass
    with turns.take():
        pass


def test_a_turn_is_given_back_by_what_fails():
    turns = Turns(at_once=1, waiting=0, patience_seconds=0)

    with pytest.raises(ValueError, match="nothing"), turns.take():
        raise ValueError("nothing")
    with turns.take():
        pass


def test_whoever_waits_has_the_turn_once_it_is_free():
    turns = Turns(at_once=1, waiting=1, patience_seconds=3_600)
    done = threading.Event()

    def wait():
        with turns.take():
            done.set()

    with turns.take():
        waiting = threading.Thread(target=wait)
        waiting.start()
        assert not done.is_set()
    waiting.join()

    assert done.is_set()
