"""Runs Schemathesis against one door of a running suite, as one who has a real session or token."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from demo.credentials import Credential

ROOT = Path(__file__).parents[2]
CONFIGURATION = Path(__file__).parent / "schemathesis.toml"
SEED = 20260301
REQUEST_SECONDS = 30
LONGEST_LINE = 1_000
SERVICES = ("intake", "assessment", "notify", "identity")


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """`phases`: examples, coverage, fuzzing, stateful. `examples` is how many requests are made up for an operation."""

    examples: int
    phases: tuple[str, ...] = ("examples", "coverage", "fuzzing", "stateful")
    seed: int = SEED
    is_fixed: bool = True  # the same requests in every run
    more: Sequence[str] = ()


QUICK = Budget(examples=2, phases=("examples", "fuzzing"))


class NotConform(AssertionError):
    """What Schemathesis printed."""


def check_door(port: int, credential: Credential | None, budget: Budget) -> str:
    """Return what was tested. Raises NotConform."""
    command = [
        str(Path(sys.executable).parent / "st"),
        "--config-file", str(CONFIGURATION),
        "run", f"http://127.0.0.1:{port}/v1/openapi.json",
        "--phases", ",".join(budget.phases),
        "--max-examples", str(budget.examples),
        "--seed", str(budget.seed),
        "--request-timeout", str(REQUEST_SECONDS),
        "--continue-on-failure",
        "--no-color",
        *(("--generation-deterministic", "--no-shrink") if budget.is_fixed else ("--generation-database", "none")),
        *budget.more,
    ]  # fmt: skip
    for name, value in (credential.headers() if credential is not None else {}).items():
        command += ["-H", f"{name}: {value}"]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"SCHEMATHESIS_HOOKS": "tests.conformance.hooks"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        told = "\n".join(line[:LONGEST_LINE] for line in done.stdout.splitlines())  # bodies may be megabytes long
        raise NotConform(f"{told[-30_000:]}\n{done.stderr[-3_000:]}")
    return done.stdout
