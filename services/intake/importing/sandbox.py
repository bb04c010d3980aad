"""Reading a foreign file in a process of its own that can do nothing else, and believing nothing that comes back."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

from services.intake.importing.findings import FileRefused
from shared.errors import Transient

MODULE: Final = "services.intake.importing.sandboxed"
ROOT: Final = Path(__file__).parents[3]
LONGEST_SECONDS: Final = 100  # on the wall's clock, below an import's lease; its own counts 20 seconds of computing
LONGEST_LINE: Final = 4 * 1024 * 1024
# What ends a process that reached its limits: of computing time, of its answer's size, of memory.
SPENT: Final = frozenset({-signal.SIGXCPU, -signal.SIGKILL, -signal.SIGXFSZ, -signal.SIGABRT, -signal.SIGSEGV})
NO_WALLS: Final = 77

REASONS: Final[Mapping[str, str]] = {
    "archive-broken": "the file is damaged or no ZIP archive that can be read",
    "archive-members": "the archive has too many members",
    "archive-twice": "the archive names a member twice",
    "archive-too-large": "the archive holds more than 50 MB when it is unpacked",
    "archive-ratio": "the archive grows more than 100 times when it is unpacked",
    "archive-names": "a member of the archive has a path that leads out of it",
    "archive-links": "a member of the archive is a link",
    "password-protected": "the file is protected by a password; save it without one",
    "xml-broken": "a part of the file is no well-formed XML",
    "xml-encoding": "a part of the file is not written in the encoding that it declares, or in one that nobody knows",
    "xml-doctype": "a part of the file brings a document type, which may define entities",
    "xml-too-deep": "a part of the file nests its elements too deep",
    "not-a-sheet": "the file is an archive, and no XLSX workbook",
    "sheet-broken": "the workbook cannot be read; open it in a spreadsheet program and save it anew as XLSX",
    "sheet-macros": "the workbook brings macros; save it as XLSX without them",
    "sheet-external-links": "the workbook links to other files or data sources; save it with its values only",
    "sheet-embedded": "the workbook has embedded objects or controls; save it without them",
    "sheet-missing": "the workbook has no sheet of the name that the profile gives",
    "several-sheets": "the workbook has more than one sheet that holds anything; keep one, or name it in the profile",
    "sheet-rows": "the sheet has more rows than are allowed; split it, or send it as CSV",
    "sheet-columns": "the sheet has more columns than are allowed; delete those that the import does not need",
    "not-a-roster": "the file is no cadre file of the kind that the profile reads",
    "roster-encoding": "the file is no text in the national encoding (GB 18030), nor in UTF-8 or UTF-16",
    "roster-field-too-long": "a value of the file is longer than any cadre file has",
    "roster-strangers": "a table of the file tells of persons whom its table of persons does not have",
    "roster-ambiguous": "the file names one thing twice, or a person without an id",
    "too-costly": "reading the file takes more memory, time or room than any honest file of its size",
}


class SandboxMissing(Transient):
    """The kernel gave no walls, or the process did not start: nothing was read, and the file may be good."""

    code = "sandbox-missing"


def read_sandboxed(job: str, data: bytes, **arguments: object) -> Iterator[Any]:
    """Yield what the job reads of the file, each a value of JSON. Raises FileRefused and SandboxMissing.

    The process has ended before the first value is given: a slow reader of the values holds no process.
    """
    with _in_memory("given") as given, _in_memory("answer") as answer:
        given.write(data)
        given.seek(0)
        _run(job, arguments, given, answer)
        answer.seek(0)
        yield from _values(answer)


def _run(job: str, arguments: Mapping[str, object], given: BinaryIO, answer: BinaryIO) -> None:
    command = [sys.executable, "-P", "-s", "-B", "-m", MODULE, job, json.dumps(arguments)]
    try:
        done = subprocess.run(  # noqa: S603 - nothing of the command comes from the file
            command,
            stdin=given,
            stdout=answer,
            stderr=subprocess.DEVNULL,  # a library's complaint may repeat what a cell holds
            env={"PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"},  # none of our secrets
            cwd="/",
            timeout=LONGEST_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _refusal("too-costly") from None
    except OSError as problem:
        raise SandboxMissing(f"the process that reads foreign files did not start: {problem.errno}") from None
    if done.returncode == NO_WALLS:
        raise SandboxMissing("the kernel gives no walls for the process that reads foreign files")
    if done.returncode in SPENT:
        raise _refusal("too-costly")
    if done.returncode != 0:
        raise _refusal("sheet-broken" if job == "sheet" else "not-a-roster")


def _values(answer: BinaryIO) -> Iterator[Any]:
    while line := answer.readline(LONGEST_LINE):
        if not line.endswith(b"\n"):
            raise _refusal("too-costly")
        value = json.loads(line)
        if isinstance(value, dict) and "refused" in value:
            raise _refusal(str(value["refused"]))
        yield value


def _refusal(code: str) -> FileRefused:
    return FileRefused(code, REASONS[code]) if code in REASONS else FileRefused("too-costly", REASONS["too-costly"])


def _in_memory(name: str) -> BinaryIO:
    """A file without a place on any disk: what citizens wrote is gone with the last who holds it."""
    return os.fdopen(os.memfd_create(name), "w+b")
