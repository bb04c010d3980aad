"""The larger fault campaign: python -m tests.harness.campaign. Prints its seed, what it did and what came of it."""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.harness import boston
from tests.harness.chaos import BROKER, DATABASE, Chaos, choose_victims
from tests.harness.deaths import POINTS, die_under_load
from tests.harness.evidence import Evidence, read_evidence
from tests.harness.experiment import Experiment
from tests.harness.oracles import Verdict, judge, report
from tests.harness.poison import list_set_aside
from tests.harness.quiescence import SET_ASIDE, wait_until_quiet
from tests.harness.servers import Servers
from tests.harness.suite import Suite
from tests.harness.telling import VICTIMS, Telling, lose_some, telling
from tests.harness.telling_oracles import count_extra
from tests.harness.waiting import wait_for

SECONDS_BETWEEN_KILLS = 3.0
LONGEST_BETWEEN_KILLS = 60.0
CADRES_TOLD, RECEIVERS = 200, 3
REPLIES_LOST = 0.01  # of those that a receiver would give
# What the suite promises to survive during an import of a whole city's year.
DURING_AN_IMPORT = ("intake-relay", "assessment-consume", BROKER, DATABASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    records: int
    kills: int
    seed: int
    rate: float
    boston: bool
    points: bool
    telling: bool


def main(arguments: Sequence[str]) -> int:
    options = _read_arguments(arguments)
    folder = Path(tempfile.mkdtemp(prefix="lianxin-campaign-"))
    servers = Servers(folder / "servers")
    say(f"seed {options.seed}; logs and journal in {folder}")
    servers.start()
    try:
        settings = {"LIANXIN_ASSESSMENT_TIME_ZONE": "America/New_York"} if options.boston else {}
        with Suite(servers, folder / "suite", name="lianxin_campaign", settings=settings) as suite:
            holds = _run(suite, folder, options)
    finally:
        servers.remove()
    say("every oracle holds" if holds else "BROKEN: see above")
    return 0 if holds else 1


def _run(suite: Suite, folder: Path, options: Options) -> bool:
    if options.boston:
        return kill_during_import(suite, options)
    experiment = Experiment(suite, folder / "journal.jsonl")
    try:
        if options.telling:
            return kill_while_telling(experiment, options)
        return die_at_every_point(experiment, options) if options.points else kill_at_random(experiment, options)
    finally:
        experiment.close()


def kill_at_random(experiment: Experiment, options: Options) -> bool:
    """One load of many records; every few seconds something dies, servers included."""
    suite, chaos = experiment.suite, Chaos(experiment.suite)
    load = experiment.begin_load(seed=options.seed, records=options.records, threads=8, rate=options.rate)
    began = time.monotonic()
    for number, victim in enumerate(choose_victims(options.seed, options.kills), 1):
        time.sleep(SECONDS_BETWEEN_KILLS)
        say(f"{time.monotonic() - began:6.1f} s  kill {number} of {options.kills}: {victim}; so far {load.outcome}")
        chaos.kill(victim)
        if not load.is_running:
            say("the load is through before the kills are: take more records or a lower rate")
    outcome = load.wait(3_600)
    say(f"load through after {time.monotonic() - began:.0f} s: {outcome}; longest {outcome.longest_seconds:.1f} s")
    settled_at = time.monotonic()
    suite.wait_until_ready(120)
    evidence, verdicts = experiment.wait_and_judge()
    say(f"quiet {time.monotonic() - settled_at:.1f} s after the last answer")
    for bug in outcome.bugs[:20]:
        say(f"an answer that no fault may cause: {bug}")
    acknowledged = len(experiment.read_history().acked_keys)
    summarise(suite, chaos, evidence, verdicts, acknowledged)
    return all(verdict.holds for verdict in verdicts) and not outcome.bugs and not outcome.counts["given_up"]


def kill_during_import(suite: Suite, options: Options) -> bool:
    """The whole file comes in while relay, consumer, broker and database die; then it comes in again."""
    file = boston.find_file()
    if file is None:
        say(f"{boston.FILE} is not here; LIANXIN_TEST_DATA names the folder it lies in")
        return False
    count = boston.count_directly(file)
    chaos = Chaos(suite)
    began = time.monotonic()
    import_id = boston.start_import(suite, file)
    reader = suite.client("intake", "machine_client")
    for number in range(options.kills):
        time.sleep(SECONDS_BETWEEN_KILLS)
        victim = DURING_AN_IMPORT[number % len(DURING_AN_IMPORT)]
        run = boston.read_import(reader, import_id) or {}
        say(f"{time.monotonic() - began:6.1f} s  kill {victim}; {run.get('rows_read')} rows, {run.get('state')}")
        chaos.kill(victim)
    run = boston.wait_for_import(suite, import_id, timeout_seconds=1_800)
    say(f"import {run['state']} after {time.monotonic() - began:.0f} s, {run['attempts']} turns: {run['findings']}")
    wait_until_quiet(suite)
    say(f"quiet after {time.monotonic() - began:.0f} s")
    evidence = read_evidence(suite)
    verdicts = judge(count.history(), evidence)
    agrees = boston.read_timeliness(suite) == (dict(count.on_time), dict(count.late))
    say(f"timeliness per queue agrees with the file: {agrees}")
    say(f"in the file: on time {count.on_time.total()}, late {count.late.total()}; by dates and status {count.stated}")
    summarise(suite, chaos, evidence, verdicts, len(count.cases))
    return all(verdict.holds for verdict in verdicts) and agrees and _import_again(suite, file, evidence)


def _import_again(suite: Suite, file: Path, before: Evidence) -> bool:
    began = time.monotonic()
    run = boston.wait_for_import(suite, boston.start_import(suite, file), timeout_seconds=1_800)
    wait_until_quiet(suite)
    after = read_evidence(suite)
    same = sorted(map(repr, after.outbox)) == sorted(map(repr, before.outbox)) and after.counted == before.counted
    say(
        f"the same file again, {time.monotonic() - began:.0f} s: created {run['created']}, changed {run['changed']}, "
        f"unchanged {run['unchanged']}; new events {len(after.outbox) - len(before.outbox)}"
    )
    return same and run["created"] == run["changed"] == 0


def die_at_every_point(experiment: Experiment, options: Options) -> bool:
    """Every process at every point by itself, at the first, the second and the fifth hit."""
    holds = True
    subscribe(experiment.suite)
    for number, (process, point) in enumerate((name, point) for name, points in POINTS.items() for point in points):
        for hit in (1, 2, 5):
            seed = options.seed * 1_000 + number * 10 + hit
            loads = die_under_load(experiment, {process: [point]}, hit=hit, seed=seed, records=300)
            _, verdicts = experiment.wait_and_judge()
            sound = all(verdict.holds for verdict in verdicts)
            holds = holds and sound
            say(f"{process} died at hit {hit} of {point} ({loads} loads): {'sound' if sound else report(verdicts)}")
    return holds


def kill_while_telling(experiment: Experiment, options: Options) -> bool:
    """Deliveries to receivers of webhooks, an SMS gateway and a mail server, while all that makes them is killed."""
    loses = lose_some(REPLIES_LOST, options.seed)
    with telling(experiment, cadres=CADRES_TOLD, receivers=RECEIVERS, loses=loses) as told:
        chaos = Chaos(experiment.suite)
        issues = -(-options.records // told.webhooks_an_issue)
        load = told.begin_load(seed=options.seed, issues=issues, rate=options.rate)
        began = time.monotonic()
        for number, victim in enumerate(choose_victims(options.seed, options.kills, among=VICTIMS), 1):
            time.sleep(SECONDS_BETWEEN_KILLS)
            handed = _wait_until_handed_over(told, number * options.records // (options.kills + 1))
            say(f"{time.monotonic() - began:6.1f} s  kill {number} of {options.kills}: {victim}; handed over {handed}")
            chaos.kill(victim)
        outcome = load.wait(3_600)
        say(f"load through after {time.monotonic() - began:.0f} s: {outcome}")
        experiment.suite.wait_until_ready(120)
        tellings, verdicts = told.wait_and_judge(timeout_seconds=1_800)
        say(f"all told after {time.monotonic() - began:.0f} s")
    for bug in outcome.bugs[:20]:
        say(f"an answer that no fault may cause: {bug}")
    owed = len(tellings.events) * len(tellings.hooks) + 2 * len({digest for _, digest in tellings.digests})
    extra, kept_back, unheard = count_extra(tellings)
    say(f"kills: {chaos.kills.total()} ({chaos})")
    say(
        f"deliveries {owed}, handed over {len(tellings.hand_overs)}; lost {sum(one.lost for one in verdicts)}; "
        f"handed over again {extra}; replies lost: {kept_back} kept back by receivers, {unheard} with their senders"
    )
    say(report(verdicts))
    return all(verdict.holds for verdict in verdicts) and not outcome.bugs and not outcome.counts["given_up"]


def _wait_until_handed_over(told: Telling, wanted: int) -> int:
    """From the first to the last delivery something is killed, however fast they go; but not only when they go."""
    deadline = time.monotonic() + LONGEST_BETWEEN_KILLS
    while (handed := told.count_handed_over()) < wanted and time.monotonic() < deadline:
        time.sleep(0.1)
    return handed


def subscribe(suite: Suite) -> None:
    """A subscriber, so that notify has mails to send."""
    body = {"recipient_name": "订阅人", "email": "campaign@example.org", "channels": ["inbox", "email"]}
    wait_for(
        lambda: suite.client("notify", "department_officer").put("/v1/subscriptions/campaign", body).is_success,
        "the subscription",
    )


def summarise(suite: Suite, chaos: Chaos, evidence: Evidence, verdicts: Sequence[Verdict], acknowledged: int) -> None:
    say(f"kills: {chaos.kills.total()} ({chaos})")
    say(
        f"acknowledged {acknowledged}, records {len(evidence.records())}, events {len(evidence.outbox)}, "
        f"lost {sum(verdict.lost for verdict in verdicts)}, invented {sum(verdict.invented for verdict in verdicts)}, "
        f"counted twice {sum(verdict.doubled for verdict in verdicts)}"
    )
    say(f"set aside: { {queue: len(list_set_aside(suite, queue)) for queue in SET_ASIDE} }")
    unexpected = {name: process.deaths for name, process in suite.processes.items() if set(process.deaths) - {-9}}
    say(f"deaths that nobody caused: {unexpected or 'none'}")
    say(report(verdicts))


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _read_arguments(arguments: Sequence[str]) -> Options:
    parser = argparse.ArgumentParser(prog="python -m tests.harness.campaign", description=__doc__)
    parser.add_argument("--records", type=int, default=20_000, help="how many contacts, issues and ratings")
    parser.add_argument("--kills", type=int, default=30, help="how many processes and servers are killed")
    parser.add_argument("--seed", type=int, default=1, help="the same load and the same order of kills")
    parser.add_argument("--rate", type=float, default=200, help="requests a second, of all clients together")
    parser.add_argument("--boston", action="store_true", help="kill during an import of the whole Boston file instead")
    parser.add_argument(
        "--telling", action="store_true", help="count deliveries instead of records, and kill whatever makes them"
    )
    parser.add_argument("--points", action="store_true", help="die at every crash point, one after another, instead")
    options = parser.parse_args(arguments)
    return Options(**vars(options))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
