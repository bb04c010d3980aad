"""Crash points: processes are told where to die, a load makes them get there, and they are started again."""

import time
from collections.abc import Mapping, Sequence

from tests.harness.experiment import Experiment
from tests.harness.suite import Suite, crash_points

KILLED = -9
LOADS_A_DEATH = 16  # at most
LOAD_SECONDS = 2.0

# By process, everything that can be reached with a load of single requests.
POINTS: Mapping[str, tuple[str, ...]] = {
    "intake-serve": ("intake.before_commit", "intake.after_commit_before_response"),
    "intake-relay": (
        "relay.after_select",
        "relay.after_publish_before_confirm",
        "relay.after_confirm_before_mark",
    ),
    "assessment-consume": (
        "assessment.after_receive",
        "assessment.after_inbox_insert",
        "assessment.after_commit_before_ack",
        "assessment.before_commit",
    ),
    "assessment-work": ("assessment.mid_scoring", "assessment.mid_announcing"),
    "assessment-relay": (
        "relay.after_select",
        "relay.after_publish_before_confirm",
        "relay.after_confirm_before_mark",
    ),
    "notify-consume": ("notify.after_receive", "notify.after_commit_before_ack"),
    "notify-work": ("notify.after_attempt_row", "notify.after_gateway_reply_before_mark"),
}


def arm(suite: Suite, points: Mapping[str, Sequence[str]], *, hit: int) -> None:
    """Start these processes anew, each to die at the given hit of its first point, in its next life of the next."""
    for name, places in points.items():
        service = name.partition("-")[0]
        suite.processes[name].live(crash_points(service, f"{place}:{hit}") for place in places)
    suite.wait_until_ready()


def die_under_load(
    experiment: Experiment, points: Mapping[str, Sequence[str]], *, hit: int, seed: int, records: int
) -> int:
    """Load until every armed process has died wherever it was told to; return how many loads it took.

    Raises AssertionError when one does not get there, or dies otherwise.
    """
    suite = experiment.suite
    before = {name: len(suite.processes[name].deaths) for name in points}
    expected = {name: [KILLED] * len(places) for name, places in points.items()}
    arm(suite, points, hit=hit)
    deaths: dict[str, list[int]] = {}
    for number in range(1, LOADS_A_DEATH * max(map(len, expected.values())) + 1):
        # What lies far behind the door dies only after a while; smaller loads keep things moving until then.
        rate = records * 1.7 / LOAD_SECONDS if number == 1 else None
        load = experiment.begin_load(
            seed=seed * 100 + number, records=records if number == 1 else records // 5, rate=rate
        )
        outcome = load.wait(120)
        assert not outcome.bugs, outcome.bugs
        deaths = {name: suite.processes[name].deaths[before[name] :] for name in points}
        if all(len(deaths[name]) >= len(codes) for name, codes in expected.items()):
            assert deaths == expected
            suite.wait_until_ready()
            suite.end_leases()
            return number
        time.sleep(0.5)
    raise AssertionError(f"not reached: died {deaths}, and were to at {points}")
