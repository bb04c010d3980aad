"""A year of a city's hotline, from the file over the broker to the scores: the whole way, timed."""

import os
import time
from pathlib import Path

from bench.report import Figure
from tests.harness.suite import ROOT, Suite

CASES = 121_145


def find_file() -> Path | None:
    folder = Path(os.environ.get("LIANXIN_TEST_DATA", ROOT.parent / "shared" / "data"))
    file = folder / "boston311-2015.csv.gz"
    return file if file.exists() else None


def measure_real_file(suite: Suite) -> list[Figure]:
    """Seconds until every case is counted and scored, and the seconds of an import that changes nothing."""
    file = find_file()
    if file is None:
        print("the 311 export of the City of Boston is not here (LIANXIN_TEST_DATA): skipped")
        return []
    started = time.perf_counter()
    _import(suite, file)
    imported = time.perf_counter() - started
    _wait_until_scored(suite)
    scored = time.perf_counter() - started
    started = time.perf_counter()
    _import(suite, file)
    repeated = time.perf_counter() - started
    return [
        Figure(name=f"import of {CASES:,} cases", unit="s", values=[imported]),
        Figure(name="the same until every case is scored", unit="s", values=[scored], bar="< 180 s"),
        Figure(name="the same file again", unit="s", values=[repeated]),
    ]


def _import(suite: Suite, file: Path) -> None:
    result = suite.run("intake", "import", "--profile", "boston311", str(file), timeout_seconds=600)
    if result.returncode not in (0, 1):
        raise RuntimeError(f"the import failed: {result.stdout[-500:]}{result.stderr[-500:]}")


def _wait_until_scored(suite: Suite) -> None:
    deadline = time.perf_counter() + 600
    while time.perf_counter() < deadline:
        with suite.database("intake") as intake, suite.database("assessment") as assessment:
            unsent = intake.execute("SELECT count(*) FROM outbox WHERE sent_at IS NULL").fetchone()
            events = intake.execute("SELECT count(*) FROM outbox").fetchone()
            inbox = assessment.execute("SELECT count(*) FROM inbox").fetchone()
            due = assessment.execute("SELECT count(*) FROM tally_due").fetchone()
        if unsent == due == (0,) and events == inbox:
            return
        time.sleep(0.5)
    raise TimeoutError("the cases were not scored within ten minutes")
