"""Experiments on being told: receivers of webhooks, cadres with phones, issues given to them; and the judgement."""

import random
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tests.harness.chaos import BROKER, DATABASE
from tests.harness.experiment import Experiment
from tests.harness.load import Load
from tests.harness.oracles import Verdict
from tests.harness.partners import PUSH_SETTINGS, connect, end_agreement, give_phones, open_desk, sms_settings
from tests.harness.plan import Operation, Plan
from tests.harness.sinks import Sink, hook_path
from tests.harness.telling_oracles import judge_tellings
from tests.harness.tellings import Tellings, read_event_ids, read_tellings, wait_until_told

UNIT = "320000-01"  # of the county of every experiment
# Everything between the commit in intake and a receiver, and both servers.
VICTIMS = ("intake-relay", "notify-consume", "notify-work", "notify-push", BROKER, DATABASE)
EVENTS_AN_ISSUE = 2  # it is received, and given to somebody
CHANNELS = ("inbox", "sms", "email")


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """`not_owed` are the events from before anybody listened."""

    experiment: Experiment
    sink: Sink
    hooks: Sequence[str]
    cadres: Sequence[str]
    not_owed: frozenset[str]

    @property
    def webhooks_an_issue(self) -> int:
        """What persons are told comes on top: of that many things may be one message."""
        return EVENTS_AN_ISSUE * len(self.hooks)

    def count_handed_over(self) -> int:
        return self.sink.count + len(self.experiment.suite.mail.mails)

    def begin_load(self, *, seed: int, issues: int, threads: int = 4, rate: float | None = None) -> Load:
        plan = plan_assignments(seed=seed, issues=issues, threads=threads, cadres=self.cadres)
        suite = self.experiment.suite
        load = Load(plan, self.experiment.journal, lambda: suite.client("intake", "machine_client"), rate=rate)
        load.start()
        return load

    def read(self) -> Tellings:
        return read_tellings(
            self.experiment.suite, hooks=self.hooks, hand_overs=self.sink.hand_overs, not_owed=self.not_owed
        )

    def wait_and_judge(self, *, timeout_seconds: float = 600) -> tuple[Tellings, list[Verdict]]:
        """Whether everything counts once, and whether everybody was told."""
        wait_until_told(self.experiment.suite, timeout_seconds=timeout_seconds)
        _, verdicts = self.experiment.wait_and_judge()
        tellings = self.read()
        return tellings, [*verdicts, *judge_tellings(tellings)]


@contextmanager
def telling(
    experiment: Experiment, *, cadres: int, receivers: int, loses: Callable[[str, str], bool]
) -> Iterator[Telling]:
    """Somebody listens while this lasts. `loses` is asked of each message whether the reply to it is kept back."""
    suite = experiment.suite
    sink = Sink()
    sink.start()
    try:
        staff_numbers = _register(experiment, cadres)
        experiment.wait_and_judge()
        suite.configure("notify-work", **sms_settings(suite.folder, sink.sms_url))
        suite.configure("notify-push", **PUSH_SETTINGS)
        give_phones(suite, staff_numbers, channels=CHANNELS)
        with open_desk(suite) as desk:
            urls = [sink.hook(number) for number in range(receivers)]
            agreement = connect(desk, urls, number=f"telling-{uuid.uuid4().hex[:8]}")
            wait_until_told(suite)  # the handshakes
            sink.loses = loses
            yield Telling(
                experiment=experiment,
                sink=sink,
                hooks=[hook_path(number) for number in range(receivers)],
                cadres=staff_numbers,
                not_owed=read_event_ids(suite),
            )
            end_agreement(desk.pool, agreement)
    finally:
        sink.stop()


def lose_some(share: float, seed: int) -> Callable[[str, str], bool]:
    """So many replies, and of one message one at most: the second attempt comes in seconds, the third in minutes."""
    rng = random.Random(seed)  # noqa: S311 - the same losses for the same seed
    lost: set[tuple[str, str]] = set()

    def loses(place: str, reference: str) -> bool:
        if (place, reference) in lost or rng.random() >= share:
            return False
        lost.add((place, reference))
        return True

    return loses


def plan_assignments(*, seed: int, issues: int, threads: int, cadres: Sequence[str]) -> Plan:
    """Issues that are received and then given to one cadre after another."""
    rng = random.Random(seed)  # noqa: S311 - the same load for the same seed
    queues: list[list[Operation]] = [[] for _ in range(threads)]
    for number in range(issues):
        issue_id = str(uuid.UUID(int=rng.getrandbits(128), version=4))
        received = {"id": issue_id, "type": "help", "category": "roads", "channel": "phone", "title": "路灯不亮"}
        given = {"organisation_code": UNIT, "staff_number": cadres[number % len(cadres)]}
        queues[number % threads] += [
            Operation(kind="issue", path="/v1/issues", body=received, key=f"told-{issue_id}", reference=issue_id),
            Operation(
                kind="assignment",
                path=f"/v1/issues/{issue_id}/assignments",
                body=given,
                key=f"given-{issue_id}",
                reference=issue_id,
            ),
        ]
    return Plan(queues=queues, records=issues, operations=issues * 2)


def _register(experiment: Experiment, cadres: int) -> list[str]:
    staff_numbers = [f"T{number:04}" for number in range(cadres)]
    for number, staff_number in enumerate(staff_numbers):
        experiment.registrar.cadre(staff_number, f"受告知人{number}")
    return staff_numbers
