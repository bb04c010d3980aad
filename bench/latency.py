"""From the answer of intake to the score that shows it, at rest and beside a steady load."""

import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from bench.flood import flood
from bench.load import build_request, pace
from bench.posting import check, contact_body, register_cadres
from bench.processor import seconds_of_family
from bench.report import Figure
from services.assessment.settings import AssessmentSettings
from shared.identifiers import new_id
from tests.harness.client import Client
from tests.harness.processes import cpu_seconds
from tests.harness.quiescence import wait_until_quiet
from tests.harness.suite import Suite

SAMPLES = 40
BATCH_RATE = 500
PREPARED_SECONDS = 90


def measure_latency(suite: Suite) -> list[Figure]:
    """Seconds from the answer to a probe's closure until the profile of its cadre, read over HTTP, shows it.

    With the pauses between passes that are shipped. Beside events that are posted, as many as the doors of this machine
    let in with everything else at work; and beside prepared ones, which intake's relay might have sent.
    """
    shipped = str(AssessmentSettings.model_fields["scoring_interval_seconds"].default)
    for process in ("assessment-work", "assessment-consume"):
        suite.configure(process, LIANXIN_ASSESSMENT_SCORING_INTERVAL_SECONDS=shipped)
    register_cadres(suite)
    at_rest = _probe(suite, SAMPLES)
    posted, posted_rate = _probe_beside_posts(suite)
    wait_until_quiet(suite)
    with flood(suite, rate=BATCH_RATE, seconds=PREPARED_SECONDS) as running:
        time.sleep(5)
        started, before, spent = time.perf_counter(), running.sent, _spent(suite)
        beside = _probe(suite, 2 * SAMPLES, until=lambda: running.sent >= BATCH_RATE * PREPARED_SECONDS)
        seconds = time.perf_counter() - started
        rate = (running.sent - before) / seconds
        shares = {name: (after - spent[name]) / seconds for name, after in _spent(suite).items()}
    print("cores taken meanwhile:", {name: round(share, 2) for name, share in shares.items() if share >= 0.005})
    return [
        Figure(name="event to visible score, at rest, p50", unit="s", values=[_at(at_rest, 0.5)]),
        Figure(name="event to visible score, at rest, p95", unit="s", values=[_at(at_rest, 0.95)], bar="< 2 s"),
        Figure(
            name=f"event to visible score beside {posted_rate:,.0f} posted events/s, p95",
            unit="s",
            values=[_at(posted, 0.95)],
        ),
        Figure(
            name=f"event to visible score beside {rate:,.0f} prepared events/s, p50",
            unit="s",
            values=[_at(beside, 0.5)],
        ),
        Figure(
            name=f"event to visible score beside {rate:,.0f} prepared events/s, p95 of {len(beside)}",
            unit="s",
            values=[_at(beside, 0.95)],
            bar="< 2 s at 500/s",
        ),
    ]


def _spent(suite: Suite) -> dict[str, float]:
    """Processor seconds so far by process, of PostgreSQL with all its sessions."""
    server = suite.servers.postgres.pid if suite.servers.postgres else None
    spent = cpu_seconds(suite.processes.values()) | {"bench": time.process_time()}
    return spent | ({"postgres": seconds_of_family(server)} if server else {})


def _probe_beside_posts(suite: Suite) -> tuple[list[float], float]:
    stop = threading.Event()
    sent = [0]
    with ThreadPoolExecutor(1) as beside:
        load = beside.submit(_keep_posting, suite, stop, sent)
        try:
            time.sleep(5)
            started, before = time.perf_counter(), sent[0]
            waits = _probe(suite, SAMPLES)
            rate = (sent[0] - before) / (time.perf_counter() - started)
        finally:
            stop.set()
        load.result()
    return waits, rate


def _probe(suite: Suite, samples: int, *, until: Callable[[], bool] = lambda: False) -> list[float]:
    officer = suite.client("assessment", "department_officer")
    waits: list[float] = []
    while len(waits) < samples and not until():
        clerk = suite.client("intake", "machine_client")  # one that waited long may find its connection closed
        staff_number = f"P{new_id().hex[-10:]}"
        clerk.put(f"/v1/cadres/{staff_number}", {"name": "测试干部"})
        post = {
            "organisation_code": "B01",
            "post_kind": "township_deputy",
            "post_level": "142",
            "from_on": "2020-01-01",
        }
        clerk.post(f"/v1/cadres/{staff_number}/posts", {"id": str(new_id()), **post})
        issue_id = str(new_id())
        issue = {"id": issue_id, "type": "help", "category": "roads", "channel": "phone", "title": "路灯不亮"}
        clerk.post("/v1/issues", {**issue, "organisation_code": "B01", "staff_number": staff_number})
        clerk.post(f"/v1/issues/{issue_id}/closure", {"outcome": "resolved", "reply": "已修复"})
        answered = time.perf_counter()
        _wait_for_resolution(officer, staff_number)
        waits.append(time.perf_counter() - answered)
    return waits


def _wait_for_resolution(officer: Client, staff_number: str) -> None:
    period = f"{datetime.now(UTC):%Y}"
    deadline = time.perf_counter() + 60
    while time.perf_counter() < deadline:
        answer = officer.get(f"/v1/scores/cadre/{staff_number}?period={period}")
        if answer.status == 200 and any(
            indicator["key"] == "resolution_rate" and indicator["numerator"] == 1
            for indicator in answer.document["indicators"]
        ):
            return
        time.sleep(0.01)
    raise TimeoutError("the closure did not show in the score within a minute")


def _keep_posting(suite: Suite, stop: threading.Event, sent: list[int]) -> None:
    """Post BATCH_RATE contacts a second, or as many as the doors let in, until told to stop."""
    credential = suite.credential("intake", "machine_client")
    numbers = itertools.count()
    while not stop.is_set():
        headers = credential.headers()
        second = [
            build_request("/v1/contacts", contact_body(next(numbers)), headers=headers) for _ in range(BATCH_RATE)
        ]
        sent[0] += check(pace(suite.ports["intake-api"], second, connections=8, rate=BATCH_RATE)).answered


def _at(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]
