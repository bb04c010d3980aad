"""What a process says of itself when it is asked whether it is ready."""

import time
from types import SimpleNamespace

import pytest
from celery.signals import task_postrun, task_prerun

from shared import worker
from shared.processes import STALLED_AFTER_SECONDS, check_progress


def test_who_is_connected_and_comes_through_no_round_is_not_ready():
    at_work = SimpleNamespace(last_progress=time.monotonic())
    stalled = SimpleNamespace(last_progress=time.monotonic() - STALLED_AFTER_SECONDS - 1)

    check_progress(at_work)()

    with pytest.raises(TimeoutError):
        check_progress(stalled)()


def test_a_worker_whose_threads_are_all_at_long_tasks_is_ready(monkeypatch):
    monkeypatch.setattr(worker, "STALLED_AFTER_SECONDS", 0)
    check = worker.watch_progress(longest_task_seconds=60)

    with pytest.raises(TimeoutError):
        check()
    task_prerun.send(None, task_id="an import")
    check()
    task_postrun.send(None, task_id="an import")

    with pytest.raises(TimeoutError):
        check()
