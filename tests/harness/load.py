"""Clients that record contacts, issues and ratings over HTTP, keep a journal, and never take a loss for an answer."""

import random
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from typing_extensions import override

from tests.harness.client import Answer, Client, Unreachable
from tests.harness.journal import Entry, Journal, What
from tests.harness.plan import Operation, Plan

PAUSE_SECONDS = (0.05, 1.0)
GIVE_UP_SECONDS = 120.0
NOT_YET = frozenset({404, 409, 422})
TRY_AGAIN = frozenset({429, 500, 502, 503, 504})


@dataclass(slots=True)
class Outcome:
    """Counts over all clients. `bugs` are answers that no fault of a server may cause."""

    counts: Counter[str] = field(default_factory=Counter)
    bugs: list[str] = field(default_factory=list)
    longest_seconds: float = 0.0

    @override
    def __str__(self) -> str:
        return ", ".join(f"{name} {count}" for name, count in sorted(self.counts.items()))


class Load:
    """Runs a plan, one thread a queue. `rate` bounds all clients together, in requests a second."""

    def __init__(self, plan: Plan, journal: Journal, connect: Callable[[], Client], *, rate: float | None) -> None:
        self._plan = plan
        self._journal = journal
        self._connect = connect
        self._pause = len(plan.queues) / rate if rate else 0.0
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(number, queue), name=f"client-{number}", daemon=True)
            for number, queue in enumerate(plan.queues)
        ]
        self.outcome = Outcome()

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    @property
    def is_running(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def stop(self) -> None:
        """Let every client finish the request under way and leave the rest of the plan."""
        self._stopping.set()

    def wait(self, timeout_seconds: float = 600) -> Outcome:
        deadline = time.monotonic() + timeout_seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        if self.is_running:
            self.stop()
            raise TimeoutError(f"the load was not through after {timeout_seconds} seconds: {self.outcome}")
        return self.outcome

    def _run(self, number: int, queue: list[Operation]) -> None:
        rng = random.Random(number)  # noqa: S311 - only spreads the pauses
        client = self._connect()
        waiting = deque((operation, 0) for operation in queue)
        next_at = time.monotonic() + rng.random() * self._pause
        while waiting and not self._stopping.is_set():
            time.sleep(max(0.0, next_at - time.monotonic()))
            next_at = max(next_at + self._pause, time.monotonic() - 1.0)
            operation, tries = waiting.popleft()
            if tries == 0:
                self._note("attempted", operation)
            answer = self._ask(client, operation, rng)
            if answer is None:
                self._note("given_up", operation)
            elif answer.is_success:
                self._note("acked", operation, answer)
            elif answer.status in NOT_YET and operation.may_be_early and tries < 3:
                self._count("early")
                waiting.append((operation, tries + 1))
            else:
                self._note("refused", operation, answer)
        client.close()

    def _ask(self, client: Client, operation: Operation, rng: random.Random) -> Answer | None:
        """Ask until there is an answer, always with the same key; None after two minutes without one."""
        began = time.monotonic()
        pause = PAUSE_SECONDS[0]
        while True:
            try:
                answer = client.post(operation.path, operation.body, Idempotency_Key=operation.key)
            except Unreachable:
                self._count("unreachable")
            else:
                if answer.status not in TRY_AGAIN:
                    with self._lock:
                        took = time.monotonic() - began
                        self.outcome.longest_seconds = max(self.outcome.longest_seconds, took)
                    return answer
                self._count(f"answered {answer.status}")
                if answer.status == 500:
                    self._bug(operation, answer)
            if time.monotonic() - began > GIVE_UP_SECONDS:
                return None
            time.sleep(pause * (0.5 + rng.random()))
            pause = min(pause * 2, PAUSE_SECONDS[1])

    def _note(self, what: What, operation: Operation, answer: Answer | None = None) -> None:
        reference = operation.reference
        if answer is not None and answer.is_success:
            reference = self._check_id(operation, answer.document)
        status = answer.status if answer is not None else None
        self._journal.write(
            Entry(what=what, kind=operation.kind, key=operation.key, reference=reference, status=status)
        )
        self._count(what)
        if answer is not None and what == "acked" and answer.document["status"] == "unchanged":
            self._count("acked as a repeat")
        if answer is not None and what == "refused" and not operation.may_be_early:
            self._bug(operation, answer)

    def _check_id(self, operation: Operation, document: Any) -> str:
        answered = str(document["id"])
        if operation.reference not in (None, answered):
            with self._lock:
                self.outcome.bugs.append(f"{operation.path}: asked for {operation.reference}, answered {answered}")
        return answered

    def _bug(self, operation: Operation, answer: Answer) -> None:
        with self._lock:
            self.outcome.bugs.append(f"{operation.path}: {answer.status} {answer.body[:300]!r}")

    def _count(self, what: str) -> None:
        with self._lock:
            self.outcome.counts[what] += 1
