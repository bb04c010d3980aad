"""The process itself: python -m services.intake.importing.sandboxed JOB ARGUMENTS, the file on its standard input.

It answers in lines of JSON: what it reads, or one line that says why the file is refused.
"""

import codecs
import json
import sys
from collections.abc import Callable, Iterable
from typing import Any

from services.intake.importing.sandboxed.refusals import Refused
from services.intake.importing.sandboxed.rosters.lrm import read_lrm
from services.intake.importing.sandboxed.rosters.lrmx import read_lrmx
from services.intake.importing.sandboxed.rosters.package import read_package
from services.intake.importing.sandboxed.sheets import read_sheet
from services.intake.importing.sandboxed.walls import close_in


def whole(read: Callable[..., Iterable[object]]) -> Callable[..., list[object]]:
    """Read to the end before anything is answered: of a file that is refused nothing is taken."""
    return lambda *given, **arguments: list(read(*given, **arguments))


ENCODINGS = ("ascii", "cp437", "gb18030", "iso-8859-1", "utf-8-sig", "utf-16")  # each a file, out of reach later
NO_WALLS = 77  # the exit code that tells of it
JOBS: dict[str, Callable[..., Iterable[object]]] = {
    "sheet": read_sheet,
    "lrmx": whole(read_lrmx),
    "lrm": whole(read_lrm),
    "civil-servants": whole(read_package),
}


def main(job: str, arguments: dict[str, Any]) -> None:
    read = JOBS[job]
    for encoding in ENCODINGS:
        codecs.lookup(encoding)
    try:
        close_in()
    except OSError:
        sys.exit(NO_WALLS)
    out = sys.stdout.buffer
    try:
        for item in read(sys.stdin.buffer.read(), **arguments):
            out.write(json.dumps(item, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n")
    except Refused as refusal:
        out.write(json.dumps({"refused": refusal.code}).encode() + b"\n")
    except MemoryError:
        out.write(b'{"refused":"too-costly"}\n')
    out.flush()


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
