"""Keeping processes up: started, restarted, stopped, and gone with their supervisor."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from embedded import kernel, supervisor
from embedded.errors import EmbeddedError
from embedded.layout import Layout
from embedded.process import MARKER, Child, Command
from embedded.supervisor import StopRequested, Supervisor, shorten, stop_signals

ROOT = Path(__file__).parents[2]


def script(tmp_path, text, *, name="script", stop_seconds=5.0):
    command = Command(
        name=name,
        arguments=(sys.executable, "-u", "-c", textwrap.dedent(text)),
        environment={"PATH": os.environ["PATH"], MARKER: str(tmp_path)},
        folder=tmp_path,
        stop_seconds=stop_seconds,
        log=tmp_path / f"{name}.log",
    )
    return Child(command, lambda: "ready" in read(command.log))


def read(path):
    return path.read_text() if path.exists() else ""


def wait_for(condition, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)


SLEEP = "import time; print('ready'); time.sleep(60)"


@pytest.fixture
def told():
    return []


@pytest.fixture
def supervising(told):
    running = Supervisor(told.append)
    yield running
    running.stop()


def test_a_process_that_dies_is_started_again(tmp_path, supervising, told):
    child = script(tmp_path, SLEEP)
    supervising.start([child], stage=0)
    supervising.wait_until_ready([child], timeout_seconds=60)
    first = child.pid
    supervising.is_starting = False

    os.kill(first, signal.SIGKILL)
    wait_for(lambda: supervising.tend() or child.pid not in (None, first))

    assert supervising.entries[0].restarts == 1
    assert any("ended with code -9" in line for line in told)


def test_one_that_cannot_start_is_given_up_with_its_last_words(tmp_path, supervising, monkeypatch):
    monkeypatch.setattr(supervisor, "SHORTEST_PAUSE_SECONDS", 0.01)
    child = script(tmp_path, "print('no such setting'); raise SystemExit(3)", name="broken")
    supervising.start([child], stage=0)

    with pytest.raises(EmbeddedError, match=r"(?s)broken ended 3 times, at last with code 3.*no such setting"):
        supervising.wait_until_ready([child], timeout_seconds=60)


def test_one_that_is_never_ready_is_given_up(tmp_path, supervising):
    child = script(tmp_path, "import time; print('thinking'); time.sleep(60)")
    supervising.start([child], stage=0)
    wait_for(lambda: "thinking" in read(child.command.log))

    with pytest.raises(EmbeddedError, match=r"(?s)not ready after.*thinking"):
        supervising.wait_until_ready([child], timeout_seconds=1)


def test_what_started_last_stops_first(tmp_path):
    order = """
        import signal, sys, time
        def stop(*_):
            open('order', 'a').write(sys.argv[0] and '{name} ' or '{name} '); sys.exit(0)
        signal.signal(signal.SIGTERM, stop); print('ready')
        time.sleep(60)
    """
    running = Supervisor(lambda _: None)
    children = [script(tmp_path, order.replace("{name}", name), name=name) for name in ("server", "worker", "door")]
    for stage, child in enumerate(children):
        running.start([child], stage=stage)
    running.wait_until_ready(children, timeout_seconds=60)

    running.stop()

    assert (tmp_path / "order").read_text().split() == ["door", "worker", "server"]


def test_one_that_will_not_stop_is_killed(tmp_path, told):
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready'); time.sleep(60)"
    child = script(tmp_path, stubborn, stop_seconds=0.3)
    running = Supervisor(told.append)
    running.start([child], stage=0)
    running.wait_until_ready([child], timeout_seconds=60)

    running.stop()

    assert child.exit_code == -signal.SIGKILL
    assert any("was killed" in line for line in told)


def test_children_do_not_outlive_a_supervisor_that_is_killed(tmp_path):
    parent = f"""
        import sys, time
        sys.path.insert(0, {str(ROOT)!r})
        from pathlib import Path
        from embedded.process import Command, launch
        arguments = ("sh", "-c", "echo ready; exec sleep 60")
        log = Path({str(tmp_path)!r}) / "log"
        path = {{"PATH": "/usr/bin:/bin"}}
        child = launch(Command(name="c", arguments=arguments, environment=path, folder=Path("/"), log=log))
        print(child.pid, flush=True)
        time.sleep(60)
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(parent)], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        wait_for(lambda: "ready" in read(tmp_path / "log"))

        process.kill()

    assert kernel.wait_until_gone([child], timeout_seconds=60) == []


def test_leftovers_are_told_by_their_marker(tmp_path):
    child = script(tmp_path, SLEEP)
    child.launch()
    child.wait_until_ready(10)

    assert child.pid in kernel.leftovers(f"{MARKER}={tmp_path}", [])
    assert kernel.leftovers(f"{MARKER}={tmp_path}/other", [tmp_path]) == []  # only PostgreSQL is told by its folder
    child.stop()


def test_a_failed_step_shows_its_last_words(tmp_path, supervising):
    command = script(tmp_path, "print('wrong password'); raise SystemExit(1)", name="provision").command

    with pytest.raises(EmbeddedError, match=r"(?s)provision failed with code 1.*wrong password"):
        supervising.run_to_the_end([command], timeout_seconds=60)


def test_a_step_that_takes_too_long_is_ended(tmp_path, supervising):
    child = script(tmp_path, SLEEP, name="demo")

    with pytest.raises(EmbeddedError, match="demo took longer"):
        supervising.run_to_the_end([child.command], timeout_seconds=0.5)

    assert kernel.leftovers(f"{MARKER}={tmp_path}", []) == []


def test_a_signal_asks_once_and_wakes_the_sleeper():
    with stop_signals():
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM)).start()
        started = time.monotonic()

        with pytest.raises(StopRequested, match="SIGTERM"):
            supervisor.pause(30)

        assert time.monotonic() - started < 10
        os.kill(os.getpid(), signal.SIGTERM)  # ignored: the first one is being obeyed


def test_a_log_keeps_one_older_part(tmp_path, monkeypatch):
    monkeypatch.setattr(supervisor, "LOG_BYTES_MAX", 1_000)
    log = tmp_path / "a.log"
    log.write_text("x" * 2_000)

    shorten(log)
    shorten(log)

    assert log.stat().st_size == 0
    assert (tmp_path / "a.log.1").stat().st_size == 2_000


def test_the_lock_admits_one_at_a_time(tmp_path):
    from embedded import control

    here = Layout(root=tmp_path)
    here.create()

    with control.only_one(here):
        assert control.is_running(here)
        with pytest.raises(control.RunningAlready), control.only_one(here):
            pass

    assert not control.is_running(here)


def test_a_step_is_heard_while_it_runs(tmp_path, supervising):
    (tmp_path / "demo.log").write_text("of an earlier start\n")
    said = "import time; print('one'); time.sleep(0.5); print('two'); time.sleep(0.5); print('never', end='')"
    heard: list[str] = []

    supervising.run_to_the_end([script(tmp_path, said, name="demo").command], timeout_seconds=60, hear=heard.append)

    assert heard == ["one", "two"]
