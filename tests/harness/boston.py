"""A year of a city's cases as it was published, counted straight from the file, to hold the suite's numbers against."""

import csv
import gzip
import io
import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from services.intake.importing.codes import make_code
from tests.harness.client import Client, Unreachable
from tests.harness.journal import Entry, History
from tests.harness.suite import ROOT, Suite

FILE = "boston311-2015.csv.gz"
ZONE = ZoneInfo("America/New_York")
WRITTEN = "%m/%d/%Y %I:%M:%S %p"


def find_file() -> Path | None:
    folder = os.environ.get("LIANXIN_TEST_DATA")
    file = (Path(folder) if folder else ROOT.parent / "shared" / "data") / FILE
    return file if file.exists() else None


@dataclass(slots=True)
class Count:
    """What a direct count over the file says, by queue: closed cases with a target, by the dates."""

    cases: list[str] = field(default_factory=list)
    queues: set[str] = field(default_factory=set)
    departments: set[str] = field(default_factory=set)
    on_time: Counter[str] = field(default_factory=Counter)
    late: Counter[str] = field(default_factory=Counter)
    stated: Counter[tuple[str, str]] = field(default_factory=Counter)  # by the dates, and by the file's own status

    def history(self) -> History:
        """What an import of the file asks for, and is acknowledged with when it is done."""
        history = History()
        codes = ["boston", *(make_code(name, "boston-") for name in self.departments | self.queues)]
        teams = [make_code(queue, "boston-team-") for queue in self.queues]
        for kind, references in (("organisation", codes), ("cadre", teams), ("issue", self.cases)):
            for reference in references:
                for what in ("attempted", "acked"):
                    history.add(Entry(what=what, kind=kind, key=f"{kind} {reference}", reference=reference))  # type: ignore[arg-type] # both are literals above
        history.acked_keys.clear()  # a file has no idempotency keys
        return history


def read_rows(file: Path) -> Iterator[dict[str, str]]:
    with gzip.open(file, "rt", encoding="utf-8", newline="") as text:
        yield from csv.DictReader(text)


def count_directly(file: Path) -> Count:
    count = Count()
    for row in read_rows(file):
        queue = row["QUEUE"]
        count.cases.append(row["CASE_ENQUIRY_ID"])
        count.queues.add(queue)
        count.departments.add(row["Department"])
        if row["TARGET_DT"] and row["CLOSED_DT"]:
            by_date = "on time" if _instant(row["CLOSED_DT"]) <= _instant(row["TARGET_DT"]) else "late"
            (count.on_time if by_date == "on time" else count.late)[queue] += 1
            count.stated[by_date, row["OnTime_Status"]] += 1
    return count


def _instant(text: str) -> datetime:
    return datetime.strptime(text, WRITTEN).replace(tzinfo=ZONE)


def write_slice(file: Path, target: Path, rows: int) -> Path:
    """The first rows of the file as a file of their own, header included, byte for byte."""
    with gzip.open(file, "rt", encoding="utf-8", newline="") as text:
        reader = csv.reader(text)
        content = io.StringIO()
        csv.writer(content).writerows(islice(reader, rows + 1))
    target.write_bytes(gzip.compress(content.getvalue().encode(), compresslevel=1))
    return target


def start_import(suite: Suite, file: Path) -> str:
    client = suite.client("intake", "machine_client", timeout_seconds=120)
    path = f"/v1/imports?profile=boston311&file_name={file.name}"
    answer = client.send("POST", path, file.read_bytes(), {"Content-Type": "application/gzip"})
    if answer.status != 202:
        raise RuntimeError(f"the import was answered {answer.status}: {answer.body[:500]!r}")
    return str(answer.document["id"])


def read_import(client: Client, import_id: str) -> dict[str, Any] | None:
    """None while the door is away."""
    try:
        answer = client.get(f"/v1/imports/{import_id}")
    except Unreachable:
        return None
    document: dict[str, Any] | None = answer.document if answer.is_success else None
    return document


def wait_for_import(suite: Suite, import_id: str, *, timeout_seconds: float) -> dict[str, Any]:
    client = suite.client("intake", "machine_client")
    deadline = time.monotonic() + timeout_seconds
    while time.monotonic() < deadline:
        run = read_import(client, import_id)
        if run is not None and run["state"] in ("done", "failed"):
            return run
        time.sleep(0.2)
    raise TimeoutError(f"the import was not done after {timeout_seconds} seconds: {read_import(client, import_id)}")


def read_timeliness(suite: Suite) -> tuple[dict[str, int], dict[str, int]]:
    """Closed on time and late in 2015 as assessment counts them, by queue; queues without any left out."""
    with suite.database("assessment") as assessment:
        rows = assessment.execute(
            """
            SELECT name, sum(closed_on_time)::bigint, sum(closed_late)::bigint
              FROM tally
              JOIN organisation USING (organisation_id)
             WHERE month BETWEEN '2015-01-01' AND '2015-12-01'
             GROUP BY name
            """
        ).fetchall()
    on_time = {str(row[0]): int(str(row[1])) for row in rows if row[1]}
    late = {str(row[0]): int(str(row[2])) for row in rows if row[2]}
    return on_time, late
