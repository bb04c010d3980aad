"""From the commit of an event in intake to its arrival at a partner's receiver and at an SMS gateway, all at work."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from bench.load import LoadResult, build_request, pace
from bench.report import Figure
from services.notify.settings import NotifySettings
from shared.identifiers import new_id
from tests.harness.partners import PUSH_SETTINGS, connect, end_agreement, give_phones, open_desk, sms_settings
from tests.harness.processes import cpu_seconds
from tests.harness.sinks import SMS, HandOver, Sink
from tests.harness.suite import Suite
from tests.harness.tellings import ASSIGNED, wait_until_told

RATE = 100
SECONDS = 30
EVENTS = RATE * SECONDS
CADRES = 1_000
RECEIVERS = 2
UNIT = "H01"
BAR = "< 2 s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """Seconds from the commit to each first arrival, in order."""

    webhook: list[float]
    sms: list[float]


def measure_handing_over(suite: Suite) -> list[Figure]:
    """Every event is told to two receivers of webhooks, and to a cadre over the gateway."""
    sink = Sink()
    sink.start()
    try:
        with _partners(suite, sink):
            assignments = _prepare(suite)
            wait_until_told(suite)
            before, heard = cpu_seconds(suite.processes.values()), sink.count
            load = pace(suite.ports["intake-api"], assignments, connections=16, rate=RATE)
            _check(load)
            wait_until_told(suite)
            spent = {name: seconds - before[name] for name, seconds in cpu_seconds(suite.processes.values()).items()}
            waits = _read_waits(suite, sink.hand_overs[heard:])
    finally:
        sink.stop()
    print("CPU seconds:", {name: round(seconds, 1) for name, seconds in spent.items() if seconds >= 1})
    return _figures(load, waits)


def _figures(load: LoadResult, waits: Waits) -> list[Figure]:
    return [
        Figure(
            name=f"event to {name} at {load.rate:.0f}/s, p{share * 100:.0f}",
            unit="s",
            values=[seconds[min(len(seconds) - 1, int(share * len(seconds)))]],
            bar=BAR if share == 0.95 else "",
        )
        for name, seconds in (("webhook", waits.webhook), ("SMS gateway", waits.sms))
        for share in (0.5, 0.95, 0.99)
    ]


@contextmanager
def _partners(suite: Suite, sink: Sink) -> Iterator[None]:
    """With notify as it is shipped: the suite of the tests sweeps ten times as often."""
    shipped = {
        f"LIANXIN_NOTIFY_{name.upper()}": str(NotifySettings.model_fields[name].default)
        for name in ("sweep_seconds", "digest_interval_seconds")
    }
    suite.configure("notify-work", **shipped, **sms_settings(suite.folder, sink.sms_url))
    suite.configure("notify-push", **shipped, **PUSH_SETTINGS)
    suite.configure("notify-consume", **shipped)
    with open_desk(suite) as desk:
        agreement = connect(desk, [sink.hook(number) for number in range(RECEIVERS)], number="handing-over")
        yield
        end_agreement(desk.pool, agreement)


def _prepare(suite: Suite) -> list[bytes]:
    """Cadres with a phone, and issues that nobody has yet; return the requests that give them to somebody."""
    clerk = suite.client("intake", "machine_client")
    clerk.put(f"/v1/organisations/{UNIT}", {"name": "标尺镇人民政府", "level": "62"})
    headers = suite.credential("intake", "machine_client").headers()
    cadres = [f"H{number:05}" for number in range(CADRES)]
    for number, staff_number in enumerate(cadres):
        clerk.put(f"/v1/cadres/{staff_number}", {"name": f"干部{number}"})
    give_phones(suite, cadres)
    issues = [str(new_id()) for _ in range(EVENTS)]
    bodies = [
        json.dumps({"id": issue, "type": "help", "category": "roads", "channel": "phone", "title": "路灯不亮"}).encode()
        for issue in issues
    ]
    received = [build_request("/v1/issues", body, headers=headers) for body in bodies]
    for start in range(0, EVENTS, 500):
        _check(pace(suite.ports["intake-api"], received[start : start + 500], connections=8, rate=1_000))
    return [
        build_request(
            f"/v1/issues/{issue}/assignments",
            json.dumps({"organisation_code": UNIT, "staff_number": cadres[number % CADRES]}).encode(),
            headers=headers,
        )
        for number, issue in enumerate(issues)
    ]


def _check(load: LoadResult) -> None:
    if load.failed:
        raise RuntimeError(f"{load.failed} of {load.answered} requests failed: nothing was measured")


def _read_waits(suite: Suite, hand_overs: Sequence[HandOver]) -> Waits:
    """Raises RuntimeError where something did not arrive: then nothing was measured."""
    with suite.database("notify") as notify:
        committed = {
            str(row[0]): float(str(row[1]))
            for row in notify.execute(
                "SELECT event_id, extract(epoch FROM recorded_at)::float8 FROM event WHERE type = %s", [ASSIGNED]
            )
        }
        of_delivery = {
            str(row[0]): str(row[1])
            for row in notify.execute(
                "SELECT delivery.id, notice.event_id FROM delivery JOIN notice USING (digest_id) "
                "WHERE delivery.channel = 'sms'"
            )
        }
    webhook = [(one.reference, one.at) for one in hand_overs if one.place != SMS and one.reference in committed]
    sms = [(of_delivery[one.reference], one.at) for one in hand_overs if one.place == SMS]
    if len(webhook) != EVENTS * RECEIVERS or len(sms) != EVENTS:
        raise RuntimeError(f"{len(webhook)} webhooks and {len(sms)} messages: nothing was measured")
    return Waits(
        webhook=sorted(at - committed[event] for event, at in webhook),
        sms=sorted(at - committed[event] for event, at in sms),
    )
