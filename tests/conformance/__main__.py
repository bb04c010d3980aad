"""python -m tests.conformance: every service against its document, as every role, with a large budget.

It starts a whole installation of its own, and prints the seed by which a failure can be had again.
"""

import argparse
import os
import secrets
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from demo.accounts import Wanted
from tests.conformance.running import SERVICES, Budget, NotConform, check_door
from tests.harness.servers import Servers
from tests.harness.suite import ADMINISTRATOR, Suite

# The approver comes last: from then on there are two persons, and nobody gives a role that decides alone.
PEOPLE = (
    *(
        Wanted(name=role.replace("_", "-"), display_name=role, role=role)
        for role in ("clerk", "unit_head", "operations", "auditor", "department_officer")
    ),
    Wanted(name="cadre", display_name="cadre", role="cadre", staff_number="S1"),
    Wanted(name="approver", display_name="approver", role="approver"),
)
ROLES = (*(one.role for one in PEOPLE), "machine_client", ADMINISTRATOR)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("--examples", type=int, default=500, help="requests made up for an operation")
    parser.add_argument("--service", action="append", choices=SERVICES, help="only this one; may be repeated")
    parser.add_argument("--role", action="append", choices=ROLES, help="only this one; may be repeated")
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args(arguments)
    seed = options.seed if options.seed is not None else secrets.randbelow(2**31)
    budget = Budget(examples=options.examples, seed=seed, is_fixed=False)
    folder = Path(tempfile.mkdtemp(prefix="lianxin-conformance-"))
    servers = Servers(folder / "servers")
    servers.start()
    failed = 0
    try:
        with Suite(servers, folder / "suite", name=f"lianxin_conform{os.getpid()}", people=PEOPLE) as suite:
            for service in options.service or SERVICES:
                for role in options.role or ROLES:
                    failed += not _passes(suite, service, role, budget)
    finally:
        servers.remove()
    sys.stdout.write(f"seed {seed}: {'no failure' if not failed else f'{failed} failed'}\n")
    return 1 if failed else 0


def _passes(suite: Suite, service: str, role: str, budget: Budget) -> bool:
    try:
        told = check_door(suite.ports[f"{service}-api"], suite.credential(service, role), budget)
    except NotConform as failure:
        sys.stdout.write(f"{service} as {role}: {failure}\n")
        sys.stdout.flush()
        return False
    lines = [line.strip("= ") for line in told.splitlines()]
    tested = next((line for line in lines if line.startswith("Tested:")), "")
    sys.stdout.write(f"{service} as {role}: {tested} operations, {lines[-1]}\n")
    sys.stdout.flush()
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
