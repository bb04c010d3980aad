"""python -m tests.conformance: every service against its document, as every role, with a large budget.

It starts a whole installation of its own with a small demo county in it, and prints the seed by which a failure can be
had again.
"""

import argparse
import os
import re
import secrets
import sys
import tempfile
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from demo.accounts import Wanted
from tests.conformance.counting import Found, PhaseCount, Row
from tests.conformance.filling import fill, find_busiest, make_years
from tests.conformance.running import PHASES, SERVICES, Budget, Door, lets_in, read_document, try_door
from tests.harness.servers import Servers
from tests.harness.suite import ADMINISTRATOR, MACHINE, Suite

# The approver comes last: from then on there are two persons, and nobody gives a role that decides alone.
PEOPLE = (
    *(
        Wanted(name=role.replace("_", "-"), display_name=role, role=role)
        for role in ("clerk", "unit_head", "operations", "auditor", "department_officer")
    ),
    Wanted(name="cadre", display_name="cadre", role="cadre"),
    Wanted(name="approver", display_name="approver", role="approver"),
)
ALLOWED, REFUSED = "allowed", "refused"
OF_REFUSALS = 5  # requests made up for an operation that lets the role do nothing
# What goes on behind the doors is not what is tested here: it leaves the processor to them.
CALM = {
    "LIANXIN_ASSESSMENT_SCORING_INTERVAL_SECONDS": "2",
    "LIANXIN_ASSESSMENT_ANNOUNCE_INTERVAL_SECONDS": "30",
    "LIANXIN_NOTIFY_DIGEST_INTERVAL_SECONDS": "60",
    "LIANXIN_NOTIFY_SWEEP_SECONDS": "10",
}
OWN = frozenset({*(one.name for one in PEOPLE), ADMINISTRATOR, MACHINE.client_id})
# Whose credential it is: that of the first account is under its name.
ROLES = {one.role: one.role for one in PEOPLE} | {
    "machine_client": "machine_client",
    "security_administrator": ADMINISTRATOR,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What Schemathesis prints is kept in the folder, beside the logs of the suite."""

    service: str
    role: str
    budget: Budget
    folder: Path
    asked: str = ALLOWED

    @property
    def name(self) -> str:
        return f"{self.service} as {self.role}, {self.asked}"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("--examples", type=int, default=500, help="requests made up for an operation")
    parser.add_argument("--service", action="append", choices=SERVICES, help="only this one; may be repeated")
    parser.add_argument("--role", action="append", choices=ROLES, help="only this one; may be repeated")
    parser.add_argument("--phase", action="append", choices=PHASES, help="only this one; may be repeated")
    parser.add_argument(
        "--path", type=re.compile, default="", help="only operations whose path this regular expression finds"
    )
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--table", type=Path, default=None, help="a file for the table of what was asked and failed")
    options = parser.parse_args(arguments)
    seed = options.seed if options.seed is not None else secrets.randbelow(2**31)
    phases = tuple(options.phase or PHASES)
    budget = Budget(examples=options.examples, phases=phases, seed=seed, is_fixed=False)
    folder = Path(tempfile.mkdtemp(prefix="lianxin-conformance-"))
    servers = Servers(folder / "servers")
    servers.start()
    found = Found()
    try:
        years = make_years()
        people = [replace(one, staff_number=find_busiest(years)) if one.role == "cadre" else one for one in PEOPLE]
        name = f"lianxin_conform{os.getpid()}"
        with Suite(servers, folder / "suite", name=name, settings=CALM, people=people) as suite:
            fill(suite, years)
            for service in options.service or SERVICES:
                for role in options.role or ROLES:
                    run = Run(service=service, role=role, budget=budget, folder=folder)
                    _ask(_door(suite, service, role), run, options.path, found)
                    if options.table is not None:
                        options.table.write_text(found.show(), "utf-8")
    finally:
        servers.remove()
    told = f"{found.show()}seed {seed}, {options.examples} examples: {found.failures or 'no'} failures\n"
    sys.stdout.write(told)
    if options.table is not None:
        options.table.write_text(told, "utf-8")
    return 1 if found.failures else 0


def _door(suite: Suite, service: str, role: str) -> Door:
    return Door(
        port=suite.ports[f"{service}-api"],
        role=role,
        credential=suite.credential(service, ROLES[role]),
        reader=suite.credential(service, "machine_client"),
        leave_alone=OWN if service == "identity" else (),
    )


def _ask(door: Door, run: Run, path: re.Pattern[str], found: Found) -> None:
    """What the role may do with the whole budget, and with few requests all else, which it is refused."""
    few = replace(run.budget, examples=min(OF_REFUSALS, run.budget.examples), phases=("fuzzing",))
    refused = replace(run, asked=REFUSED, budget=few)
    operations = {
        f"{method.upper()} {at}": operation
        for at, methods in read_document(door)["paths"].items()
        for method, operation in methods.items()
        if path.search(at)
    }
    found.never_taken.setdefault(run.service, set(operations))
    asked = {
        allowed: {one["operationId"] for one in operations.values() if lets_in(one, door.role) is allowed}
        for allowed in (True, False)
    }
    _try(door, run, asked[True], found)
    if "fuzzing" in run.budget.phases:
        _try(door, refused, asked[False], found)


def _try(door: Door, run: Run, operations: Collection[str], found: Found) -> None:
    if not operations:
        return
    began = time.monotonic()
    told = try_door(door, run.budget, lambda operation: operation["operationId"] in operations)
    (run.folder / f"{run.name}.txt").write_text(told.text, "utf-8")
    rows: list[Row] = [(run.service, run.role, run.asked, *_judge(run, counted)) for counted in told.counts]
    if not told.passes and not any(row[-1] for row in rows):  # it broke off, or an error is no check's
        rows.append((run.service, run.role, run.asked, "broken off", 0, 0, 0, 1))
    verdict = f"FAILED\n{told.text}" if any(row[-1] for row in rows) else told.text.splitlines()[-1].strip("= ")
    sys.stdout.write(f"{run.name}: {len(operations)} operations in {time.monotonic() - began:.0f} s, {verdict}\n")
    sys.stdout.flush()
    found.rows.extend(rows)
    found.never_taken[run.service].difference_update(told.taken)


def _judge(run: Run, counted: PhaseCount) -> PhaseCount:
    """What is taken although the document does not let the role in is a failure, of which no check knows."""
    phase, operations, requests, taken, failures = counted
    return phase, operations, requests, taken, failures + (taken if run.asked == REFUSED else 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
