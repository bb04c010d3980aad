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
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from demo.accounts import Wanted
from tests.conformance.filling import fill, find_busiest, make_year
from tests.conformance.running import PHASES, SERVICES, Budget, Door, NotConform, check_door, lets_in, read_document
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
OF_REFUSALS = 5  # requests made up for an operation that lets the role do nothing
# What goes on behind the doors is not what is tested here: it leaves the processor to them.
CALM = {
    "LIANXIN_ASSESSMENT_SCORING_INTERVAL_SECONDS": "2",
    "LIANXIN_ASSESSMENT_ANNOUNCE_INTERVAL_SECONDS": "30",
    "LIANXIN_NOTIFY_DIGEST_INTERVAL_SECONDS": "60",
    "LIANXIN_NOTIFY_SWEEP_SECONDS": "10",
}
PHASE = re.compile(r"(Examples|Coverage|Fuzzing|Stateful) \(in ([0-9.]+)s\)")
OWN = frozenset({*(one.name for one in PEOPLE), ADMINISTRATOR, MACHINE.client_id})
ROLES = (*(one.role for one in PEOPLE), "machine_client", ADMINISTRATOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What Schemathesis prints of one that passes is kept in the folder, beside the logs of the suite."""

    name: str
    budget: Budget
    folder: Path


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
    options = parser.parse_args(arguments)
    seed = options.seed if options.seed is not None else secrets.randbelow(2**31)
    phases = tuple(options.phase or PHASES)
    budget = Budget(examples=options.examples, phases=phases, seed=seed, is_fixed=False)
    folder = Path(tempfile.mkdtemp(prefix="lianxin-conformance-"))
    servers = Servers(folder / "servers")
    servers.start()
    failed = 0
    try:
        year = make_year()
        people = [replace(one, staff_number=find_busiest(year)) if one.role == "cadre" else one for one in PEOPLE]
        name = f"lianxin_conform{os.getpid()}"
        with Suite(servers, folder / "suite", name=name, settings=CALM, people=people) as suite:
            fill(suite, year)
            for service in options.service or SERVICES:
                for role in options.role or ROLES:
                    run = Run(name=f"{service} as {role}", budget=budget, folder=folder)
                    failed += _count_failures(_door(suite, service, role), run, options.path)
    finally:
        servers.remove()
    sys.stdout.write(f"seed {seed}: {'no failure' if not failed else f'{failed} failed'}\n")
    return 1 if failed else 0


def _door(suite: Suite, service: str, role: str) -> Door:
    return Door(
        port=suite.ports[f"{service}-api"],
        role=role,
        credential=suite.credential(service, role),
        reader=suite.credential(service, "machine_client"),
        leave_alone=OWN if service == "identity" else (),
    )


def _count_failures(door: Door, run: Run, path: re.Pattern[str]) -> int:
    """What the role may do with the whole budget, and with few requests all else, which it is refused."""
    few = replace(run.budget, examples=min(OF_REFUSALS, run.budget.examples), phases=("fuzzing",))
    refused = replace(run, name=f"{run.name}, which may not", budget=few)
    asked = {
        allowed: [
            operation["operationId"]
            for at, methods in read_document(door)["paths"].items()
            for operation in methods.values()
            if path.search(at) and lets_in(operation, door.role) is allowed
        ]
        for allowed in (True, False)
    }
    runs = ((run, asked[True]), (refused, asked[False]))
    return sum(not _passes(door, each, operations) for each, operations in runs if operations)


def _passes(door: Door, run: Run, operations: Collection[str]) -> bool:
    try:
        told = check_door(door, run.budget, lambda operation: operation["operationId"] in operations)
    except NotConform as failure:
        sys.stdout.write(f"{run.name}: {failure}\n")
        sys.stdout.flush()
        return False
    (run.folder / f"{run.name}.txt").write_text(told, "utf-8")
    phases = ", ".join(f"{phase} {seconds} s" for phase, seconds in PHASE.findall(told))
    last = told.splitlines()[-1].strip("= ")
    sys.stdout.write(f"{run.name}: {len(operations)} operations, {last} ({phases})\n")
    sys.stdout.flush()
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
