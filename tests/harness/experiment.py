"""One experiment after another on one suite: a load, whatever befalls it, and the judgement when all is quiet."""

from collections.abc import Sequence
from pathlib import Path

from tests.harness.county import County, Registrar, register_county
from tests.harness.evidence import Evidence, read_evidence
from tests.harness.journal import History, Journal, read_history
from tests.harness.load import Load
from tests.harness.oracles import Verdict, judge, report
from tests.harness.plan import make_plan
from tests.harness.quiescence import wait_until_quiet
from tests.harness.suite import Suite


class Experiment:
    """The journal goes on from load to load, so every judgement is about everything that the suite was ever told."""

    def __init__(self, suite: Suite, file: Path) -> None:
        self.suite = suite
        self.journal = Journal(file)
        self.registrar = Registrar(suite.client("intake", "machine_client"), self.journal)
        self.county: County = register_county(self.registrar)

    def begin_load(self, *, seed: int, records: int, threads: int = 4, rate: float | None = None) -> Load:
        plan = make_plan(seed=seed, records=records, threads=threads, shape=self.county.shape)
        load = Load(plan, self.journal, lambda: self.suite.client("intake", "machine_client"), rate=rate)
        load.start()
        return load

    def read_history(self) -> History:
        return read_history([self.journal.file])

    def wait_and_judge(self, *, stuck_seconds: float = 120) -> tuple[Evidence, list[Verdict]]:
        wait_until_quiet(self.suite, stuck_seconds=stuck_seconds)
        evidence = read_evidence(self.suite)
        return evidence, judge(self.read_history(), evidence)

    def judge(self, evidence: Evidence) -> list[Verdict]:
        return judge(self.read_history(), evidence)

    def close(self) -> None:
        self.journal.close()


def require(verdicts: Sequence[Verdict]) -> None:
    """Raises AssertionError with the report of all when one oracle is broken."""
    if not all(verdict.holds for verdict in verdicts):
        raise AssertionError("\n" + report(verdicts))
