"""What somebody with rights on a service's own virtual host can make its worker do: nothing but what it does anyway."""

import base64
import json
import os
import pickle
import subprocess
import sys
import time
import uuid
import zlib
from pathlib import Path

import pika
import pika.exceptions
import pytest
from typing_extensions import override

from shared.nudges import REASONS
from shared.worker import connect_celery, make_celery, nudge

pytestmark = pytest.mark.integration

# Each line that it writes is a word it was told and what was refused until then.
WORKER = """
import json, sys
from pathlib import Path
from shared.worker import RELIABLE, connect_celery, make_celery, run_worker, tasks_refused_total

app = make_celery("notify")
app.conf.worker_enable_remote_control = sys.argv[3] == "hears"

@app.task(name="probe", **RELIABLE)
def probe(word: str) -> None:
    samples = tasks_refused_total.collect()[0].samples
    refused = {s.labels["reason"]: s.value for s in samples if s.name.endswith("_total")}
    with Path(sys.argv[2]).open("a") as file:
        file.write(json.dumps([word, refused]) + chr(10))

connect_celery(app, sys.argv[1])
run_worker(app)
"""
# It stands in every hostile message, and may stand nowhere else.
CANARY = "canary-4711"
# More than a worker takes at a time: were they kept, nothing would be left for the next.
COPIES = 3


class Bomb:
    def __init__(self, file):
        self.file = file

    @override
    def __reduce__(self):
        return os.system, (f"touch {self.file}",)


class Worker:
    """A worker of its own process, and somebody beside it who may write to its queue."""

    def __init__(self, url, folder, *, hears="deaf"):
        self.done, self.log = folder / "done", folder / "log"
        self.done.touch()
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", WORKER, url, str(self.done), hears], stdout=log, stderr=log
            )
        self.sender = make_celery("notify")
        connect_celery(self.sender, url)
        self.connection = pika.BlockingConnection(pika.URLParameters(url))
        self.channel = self.connection.channel()
        # What is confirmed stands in the queue, before whatever is sent after it over another connection.
        self.channel.confirm_delivery()

    def told(self):
        return [json.loads(line) for line in self.done.read_text().splitlines()]

    def obeys(self, word):
        """Whether it still does as it is asked. That it died is seen at once, that it stands still after a while."""
        nudge(self.sender, "probe", word=word)
        deadline = time.monotonic() + 60
        while word not in [told for told, _ in self.told()]:
            if self.process.poll() is not None or time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def peak_megabytes(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) // 1024

    def end(self):
        self.connection.close()
        self.sender.close()
        self.process.terminate()
        self.process.wait(30)


@pytest.fixture
def start_worker(broker, tmp_path):
    workers = []

    def start(**options):
        workers.append(Worker(broker.task_urls["notify"], tmp_path, **options))
        assert workers[-1].obeys("first"), workers[-1].log.read_text()
        return workers[-1]

    yield start
    for worker in workers:
        worker.end()


def properties(task="probe", content_type="application/json", encoding="utf-8", **headers):
    given = {"lang": "py", "task": task, "id": str(uuid.uuid4()), "argsrepr": CANARY, "kwargsrepr": CANARY} | headers
    return pika.BasicProperties(content_type=content_type, content_encoding=encoding, headers=given)


def body(arguments=(), embedded=None, **named):
    return json.dumps([list(arguments), named, {} if embedded is None else embedded]).encode()


def hostile(mark):
    """A name, the body and the properties of each kind of message."""
    bomb = pickle.dumps(([], {"word": Bomb(mark)}, {}))
    yaml = f"!!python/object/apply:os.system ['touch {mark}'] # {CANARY}".encode()
    probe = body(word=CANARY)
    follow_up = {"task": "probe", "args": [], "kwargs": {"word": CANARY}, "options": {}}
    return [
        ("pickle", bomb, properties(content_type="application/x-python-serialize", encoding="binary")),
        ("pickle-64", base64.b64encode(bomb), properties(content_type="application/x-python-serialize")),
        ("pickle-as-json", bomb, properties(encoding="binary")),
        ("yaml", yaml, properties(content_type="application/x-yaml")),
        ("packed", zlib.compress(probe), properties(compression="application/x-gzip")),
        ("not-packed", probe, properties(compression="application/x-gzip")),
        ("unknown-packing", probe, properties(compression="none-such")),
        ("unknown-task", probe, properties(task="os.system")),
        ("task-of-celery", body([follow_up, [[]]]), properties(task="celery.map")),
        ("task-as-list", probe, properties(task=["probe"])),
        ("huge-argument", body(word=CANARY + "x" * 5_000_000), properties()),
        ("unknown-argument", body(word=CANARY, unknown="x"), properties()),
        ("no-argument", body(), properties()),
        ("number-as-argument", body(word=4711), properties()),
        ("unnamed-argument", body([CANARY]), properties()),
        ("not-json", b"not json " + CANARY.encode(), properties()),
        ("deep", b"[" * 100_000, properties()),
        ("empty-list", b"[]", properties()),
        ("empty-object", b"{}", properties()),
        ("null", b"null", properties()),
        ("embedded-number", body(word=CANARY, embedded=5), properties()),
        ("follow-up", body(word=CANARY, embedded={"callbacks": [follow_up]}), properties()),
        ("follow-up-header", probe, properties(chain=[follow_up])),
        ("no-headers", probe, pika.BasicProperties(content_type="application/json")),
        ("older-protocol", json.dumps(follow_up | {"id": "x"}).encode(), properties(task=None)),
        ("list-as-id", probe, properties(id=[CANARY])),
        ("postponed", probe, properties(eta="2099-01-01T00:00:00+00:00")),
        ("impossible-time", probe, properties(expires="0001-01-01T00:00:00+14:00")),
        ("unknown-encoding", probe, properties(encoding="none-such")),
    ]


def test_hostile_messages_are_counted_and_dropped_undone_and_the_worker_goes_on(start_worker, tmp_path):
    worker, mark = start_worker(), tmp_path / "exploded"
    messages = hostile(mark)

    for name, content, how in messages:
        for _ in range(COPIES):
            worker.channel.basic_publish("", "notify.tasks", content, how)
        assert worker.obeys(name), f"after {name}: {worker.log.read_text()}"

    words, refused = [word for word, _ in worker.told()], worker.told()[-1][1]
    assert words == ["first", *(name for name, _, _ in messages)]
    assert not mark.exists()
    assert sum(refused.values()) == COPIES * len(messages)
    assert all(refused[reason] for reason in (*REASONS, "packed"))
    left = worker.channel.queue_declare("notify.tasks", passive=True).method.message_count
    assert left == 0
    log = worker.log.read_text()
    assert log.count("task_refused") == COPIES * len(messages)
    assert CANARY not in log


def test_every_reason_is_counted_from_nothing(start_worker):
    """An alert sees an increase, and from no series at all to the first refusal there is none."""
    worker = start_worker()

    assert worker.told() == [["first", dict.fromkeys((*REASONS, "packed"), 0)]]


def test_what_is_packed_is_not_unpacked(start_worker):
    worker = start_worker()
    before = worker.peak_megabytes()

    bomb = zlib.compress(b"0" * 400_000_000, 9)
    worker.channel.basic_publish("", "notify.tasks", bomb, properties(compression="application/x-gzip"))

    assert worker.obeys("last")
    assert worker.peak_megabytes() - before < 100
    assert worker.told()[-1][1]["packed"] == 1


COMMANDS = {
    "shutdown": {},
    "pool_restart": {"reload": True},
    "rate_limit": {"task_name": "probe", "rate_limit": "1/h"},
    "time_limit": {"task_name": "probe", "soft": 1, "hard": 1},
    "cancel_consumer": {"queue": "notify.tasks"},
    "revoke": {"task_id": "x", "terminate": True},
    "ping": {},
}


def test_no_command_from_afar_is_heard(start_worker):
    worker = start_worker()

    for command, arguments in COMMANDS.items():
        worker.sender.control.broadcast(command, arguments=arguments)
        order = json.dumps({"method": command, "arguments": arguments, "destination": None}).encode()
        with pytest.raises(pika.exceptions.UnroutableError):
            worker.channel.basic_publish("celery.pidbox", "", order, properties(), mandatory=True)
        worker.channel.basic_publish("", "notify.tasks", order, properties(task="celery.control"))
        assert worker.obeys(f"{command} once"), command
        assert worker.obeys(f"{command} twice"), command

    assert worker.process.poll() is None
    assert worker.sender.control.ping(timeout=0.5) == []


def test_the_same_commands_reach_a_worker_that_listens_for_them(start_worker):
    """Without this the test above might send what nobody would ever hear."""
    worker = start_worker(hears="hears")

    assert worker.sender.control.ping(timeout=60, limit=1)  # as long as it takes, and no longer
    worker.sender.control.broadcast("shutdown")

    worker.process.wait(30)
