"""The hot door over a handler of the test's own: who shares a batch, who fails, what a full or closing door says."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from services.intake.domain.commands.base import Outcome
from services.intake.grouping import SECOND_BATCH_FROM, Group, Overloaded
from shared.errors import Transient


class Recorder:
    """A handler that notes its batches, waits at a gate and breaks on what it is told to break on."""

    def __init__(self, *, breaks_on: int | None = None) -> None:
        self.batches: list[list[int]] = []
        self.gate = threading.Event()
        self.entered = threading.Event()
        self._breaks_on = breaks_on

    def __call__(self, commands: list[int]) -> list[Outcome]:
        self.batches.append(commands)
        self.entered.set()
        assert self.gate.wait(5)
        if self._breaks_on in commands:
            raise ZeroDivisionError
        return [Outcome(status="created", code=str(command)) for command in commands]


async def submit_all(group: Group[int], recorder: Recorder, numbers: range) -> list[Any]:
    """Submit the first alone, the others while it is being committed."""
    first = asyncio.create_task(group.submit(numbers[0]))
    await asyncio.to_thread(recorder.entered.wait, 5)
    others = [asyncio.create_task(group.submit(number)) for number in numbers[1:]]
    await asyncio.sleep(0)
    recorder.gate.set()
    return await asyncio.gather(first, *others, return_exceptions=True)


def run_group(recorder: Recorder, numbers: range, **options: Any) -> list[Any]:
    with ThreadPoolExecutor(max_workers=1) as executor:
        return asyncio.run(submit_all(Group(recorder, executor, **options), recorder, numbers))


def test_what_arrives_during_a_commit_shares_the_next_one():
    recorder = Recorder()

    results = run_group(recorder, range(5))

    assert recorder.batches == [[0], [1, 2, 3, 4]]
    assert [outcome.code for outcome in results] == ["0", "1", "2", "3", "4"]


def run_two_at_once(recorder: Recorder, numbers: range) -> list[Any]:
    """Submit the first alone, the others while it is being committed, and let go once no further batch begins."""

    async def submit() -> list[Any]:
        group = Group(recorder, executor, most_at_once=2)
        tasks = [asyncio.create_task(group.submit(numbers[0]))]
        await asyncio.to_thread(recorder.entered.wait, 5)
        recorder.entered.clear()
        tasks += [asyncio.create_task(group.submit(number)) for number in numbers[1:]]
        if len(numbers) > SECOND_BATCH_FROM:
            await asyncio.to_thread(recorder.entered.wait, 5)
        else:
            await asyncio.sleep(0)
        begun.append(len(recorder.batches))
        recorder.gate.set()
        return await asyncio.gather(*tasks)

    begun: list[int] = []
    with ThreadPoolExecutor(max_workers=2) as executor:
        return [begun, *asyncio.run(submit())]


def test_many_that_gather_do_not_wait_for_the_end_of_the_batch_before():
    recorder = Recorder()

    [begun, *results] = run_two_at_once(recorder, range(1 + SECOND_BATCH_FROM))

    assert begun == [2]
    assert sorted(outcome.code for outcome in results) == sorted(map(str, range(1 + SECOND_BATCH_FROM)))


def test_few_that_gather_share_the_next_batch_also_where_two_may_run():
    recorder = Recorder()

    [begun, *results] = run_two_at_once(recorder, range(SECOND_BATCH_FROM))

    assert begun == [1]
    assert [len(batch) for batch in recorder.batches] == [1, SECOND_BATCH_FROM - 1]
    assert len(results) == SECOND_BATCH_FROM


def test_whoever_comes_after_the_last_batch_is_answered_too():
    recorder = Recorder()
    recorder.gate.set()

    async def submit_one_after_another() -> list[Outcome]:
        with ThreadPoolExecutor(max_workers=1) as executor:
            group = Group(recorder, executor, most_at_once=2)
            return [await group.submit(number) for number in range(3)]

    assert [outcome.code for outcome in asyncio.run(submit_one_after_another())] == ["0", "1", "2"]


def test_a_bug_strikes_only_the_request_that_has_it():
    recorder = Recorder(breaks_on=2)

    results = run_group(recorder, range(5))

    assert [type(result) for result in results] == [Outcome, Outcome, ZeroDivisionError, Outcome, Outcome]


def test_a_full_queue_refuses_and_says_so():
    results = run_group(Recorder(), range(5), longest_queue=2)

    assert [type(result) for result in results] == [Outcome, Outcome, Outcome, Overloaded, Overloaded]


def test_a_database_that_is_away_is_told_to_everybody_without_a_second_try():
    batches = []

    def fail(commands):
        batches.append(commands)
        raise Transient("away")

    async def submit():
        with ThreadPoolExecutor(max_workers=1) as executor:
            group = Group(fail, executor)
            return await asyncio.gather(*[group.submit(number) for number in range(3)], return_exceptions=True)

    results = asyncio.run(submit())

    assert [type(result) for result in results] == [Transient] * 3
    assert batches == [[0, 1, 2]]


def test_draining_answers_what_was_taken_and_takes_nothing_more():
    recorder = Recorder()

    async def drain():
        with ThreadPoolExecutor(max_workers=1) as executor:
            group = Group(recorder, executor)
            taken = asyncio.create_task(group.submit(1))
            await asyncio.to_thread(recorder.entered.wait, 5)
            draining = asyncio.create_task(group.drain())
            await asyncio.sleep(0)
            with pytest.raises(Overloaded):
                await group.submit(2)
            recorder.gate.set()
            await draining
            return taken.done(), await taken

    done, outcome = asyncio.run(drain())

    assert done
    assert outcome.status == "created"


def test_a_client_that_goes_away_harms_nobody_else():
    recorder = Recorder()

    async def abandon():
        with ThreadPoolExecutor(max_workers=1) as executor:
            group = Group(recorder, executor)
            gone, stays = (asyncio.create_task(group.submit(number)) for number in (1, 2))
            await asyncio.to_thread(recorder.entered.wait, 5)
            gone.cancel()
            await asyncio.sleep(0)
            recorder.gate.set()
            return await stays

    assert asyncio.run(abandon()).code == "2"


def settle_group(enter: Any, run: Any, count: int) -> list[Any]:
    async def submit() -> list[Any]:
        with ThreadPoolExecutor(max_workers=1) as executor:
            group = Group(run, executor, enter=enter)
            return await asyncio.gather(*[group.submit(number) for number in range(count)], return_exceptions=True)

    return asyncio.run(submit())


def made(number: int) -> Outcome:
    return Outcome(status="created", code=str(number))


async def enter_odd(commands: list[int]) -> list[Outcome | None]:
    return [made(number) if number % 2 else None for number in commands]


def test_what_is_entered_first_is_not_run_again():
    batches = []

    def run(commands):
        batches.append(commands)
        return [replace(made(number), status="unchanged") for number in commands]

    results = settle_group(enter_odd, run, 4)

    assert [(result.status, result.code) for result in results] == [
        ("unchanged", "0"),
        ("created", "1"),
        ("unchanged", "2"),
        ("created", "3"),
    ]
    assert batches == [[0, 2]]


def test_what_is_entered_stands_although_the_rest_fails():
    def run(_):
        raise Transient("away")

    results = settle_group(enter_odd, run, 4)

    assert [type(result) for result in results] == [Transient, Outcome, Transient, Outcome]


def test_a_bug_in_entering_strikes_only_the_request_that_has_it():
    async def enter(commands):
        if 2 in commands:
            raise ZeroDivisionError
        return [made(number) for number in commands]

    results = settle_group(enter, lambda _: [], 4)

    assert [type(result) for result in results] == [Outcome, Outcome, ZeroDivisionError, Outcome]
