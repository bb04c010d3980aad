"""What a process says of itself when it is asked whether it is ready."""

import time
from types import SimpleNamespace

import pytest

from shared.processes import STALLED_AFTER_SECONDS, check_progress


def test_who_is_connected_and_comes_through_no_round_is_not_ready():
    at_work = SimpleNamespace(last_progress=time.monotonic())
    stalled = SimpleNamespace(last_progress=time.monotonic() - STALLED_AFTER_SECONDS - 1)

    check_progress(at_work)()

    with pytest.raises(TimeoutError):
        check_progress(stalled)()
