"""Runs Schemathesis against one door of a running suite, as one who has a real session or token."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from demo.credentials import Credential
from tests.conformance.counting import PhaseCount
from tests.conformance.knowing import Known, learn
from tests.conformance.renewing import PLACEHOLDER, Desk

ROOT = Path(__file__).parents[2]
CONFIGURATION = ROOT / "schemathesis.toml"
SEED = 20260301
REQUEST_SECONDS = 30
LONGEST_LINE = 1_000
PHASES = ("examples", "coverage", "fuzzing", "stateful")
SERVICES = ("intake", "assessment", "notify", "identity")

Document = dict[str, Any]
ASKED = "x-asked"
# What the hooks read of their environment.
DESK, KNOWN, COUNTS = (f"LIANXIN_CONFORMANCE_{name}" for name in ("DESK", "KNOWN", "COUNTS"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """`phases`: examples, coverage, fuzzing, stateful. `examples` is how many requests are made up for an operation."""

    examples: int
    phases: tuple[str, ...] = PHASES
    seed: int = SEED
    is_fixed: bool = True  # the same requests in every run
    more: Sequence[str] = ()


QUICK = Budget(examples=2, phases=("examples", "fuzzing"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A service as one role meets it. `reader` is who may read its document, which not every role may.

    What bears a name in `leave_alone` is asked about by chance alone: the accounts by which this and later runs ask.
    """

    port: int
    role: str
    credential: Credential
    reader: Credential
    leave_alone: Collection[str] = ()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class NotConform(AssertionError):
    """What Schemathesis printed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What Schemathesis printed, what was asked and failed by phase, and the operations that were answered by 2xx."""

    passes: bool
    text: str
    counts: Sequence[PhaseCount]
    taken: Collection[str]


def read_document(door: Door) -> Document:
    answer = httpx.get(f"{door.url}/v1/openapi.json", headers=door.reader.headers(), timeout=REQUEST_SECONDS)
    document: Document = answer.raise_for_status().json()
    return document


def lets_in(operation: Mapping[str, Any], role: str) -> bool:
    """Whether the document says that the role is let in. What says no answers nothing but 403."""
    is_own = operation["security"] == [{"session": []}] and not operation["x-roles"]
    return not operation["security"] or role in operation["x-roles"] or (is_own and role != "machine_client")


def check_door(door: Door, budget: Budget, is_asked: Callable[[Mapping[str, Any]], bool] = lambda _: True) -> str:
    """Return what was tested, of the operations that are asked about. Raises NotConform."""
    told = try_door(door, budget, is_asked)
    if not told.passes:
        raise NotConform(told.text)
    return told.text


def try_door(door: Door, budget: Budget, is_asked: Callable[[Mapping[str, Any]], bool]) -> Told:
    document = read_document(door)
    for operation in _operations(document):
        operation[ASKED] = is_asked(operation)  # whole, since what is beside an operation belongs to its truth
    with (
        _written(json.dumps(document)) as file,
        _written(_learn(door, document).write()) as known,
        _written('{"phases": [], "taken": []}') as counts,
        Desk(door.credential) as desk,
    ):
        hooks = {
            "SCHEMATHESIS_HOOKS": "tests.conformance.hooks",
            DESK: desk.url,
            KNOWN: str(known),
            COUNTS: str(counts),
        }
        done = subprocess.run(
            _command(door, budget, file),
            cwd=ROOT,
            env=os.environ | hooks,
            capture_output=True,
            text=True,
            check=False,
        )
        counted = json.loads(counts.read_text("utf-8"))
    passes = done.returncode == 0
    text = done.stdout if passes else _shorten(done.stdout, done.stderr)
    return Told(passes=passes, text=text, counts=counted["phases"], taken=counted["taken"])


def _shorten(output: str, errors: str) -> str:
    told = "\n".join(line[:LONGEST_LINE] for line in output.splitlines())  # bodies may be megabytes long
    return f"{told[-30_000:]}\n{errors[-3_000:]}"


def _operations(document: Document) -> Iterator[Document]:
    return (operation for methods in document["paths"].values() for operation in methods.values())


def _learn(door: Door, document: Document) -> Known:
    own, others = (_learn_as(who, door, document) for who in (door.credential, door.reader))
    return own.completed_by(others)


def _learn_as(who: Credential, door: Door, document: Document) -> Known:
    with httpx.Client(base_url=door.url, headers=who.headers(), timeout=REQUEST_SECONDS) as client:
        return learn(document, client, leave_alone=door.leave_alone)


@contextmanager
def _written(text: str) -> Iterator[Path]:
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(text)
        file.flush()
        yield Path(file.name)


def _command(door: Door, budget: Budget, file: Path) -> list[str]:
    command = [
        str(Path(sys.executable).parent / "st"),
        "--config-file", str(CONFIGURATION),
        "run", str(file),
        "--url", door.url,
        "--include-by", f"/{ASKED} == true",
        "--phases", ",".join(budget.phases),
        "--max-examples", str(budget.examples),
        "--seed", str(budget.seed),
        "--request-timeout", str(REQUEST_SECONDS),
        "--suppress-health-check", "too_slow",  # of making requests up, which tells of this machine alone
        "--continue-on-failure",
        "--no-color",
        *(("--generation-deterministic", "--no-shrink") if budget.is_fixed else ("--generation-database", "none")),
        *budget.more,
    ]  # fmt: skip
    for name, value in door.credential.headers().items():
        command += ["-H", f"{name}: {PLACEHOLDER.get(name, value)}"]
    return command
