"""The import command: reads its arguments, shows how far it is, and reports what came of it."""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from services.intake.importing.profile import list_profiles
from shared.errors import LianxinError

DONE, SOME_ROWS_REFUSED, FILE_REFUSED = 0, 1, 2
SECONDS_BETWEEN_LINES = 2.0


class Counts(Protocol):
    @property
    def rows_read(self) -> int: ...
    @property
    def created_count(self) -> int: ...
    @property
    def changed_count(self) -> int: ...
    @property
    def unchanged_count(self) -> int: ...
    @property
    def refused_count(self) -> int: ...
    @property
    def flagged_count(self) -> int: ...


class Result(Counts, Protocol):
    @property
    def id(self) -> object: ...
    @property
    def state(self) -> str: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def tallies(self) -> dict[str, int]: ...


Report = Callable[[Counts], None]
Run = Callable[[Path, str, bool, Report], Result]


def main(arguments: Sequence[str], run: Run) -> int:
    """Return the exit code: 0 when all rows are in, 1 when some were refused, 2 when the file was."""
    parser = argparse.ArgumentParser(
        prog="python -m services.intake import", description="Import a CSV file (or .csv.gz)."
    )
    parser.add_argument("--profile", required=True, help=f"how to read the file: {', '.join(list_profiles())}")
    parser.add_argument("--dry-run", action="store_true", help="do everything, report it, and undo it")
    parser.add_argument("file", type=Path)
    options = parser.parse_args(arguments)
    started = time.monotonic()
    try:
        result = run(options.file, options.profile, options.dry_run, _progress_line(started))
    except (LianxinError, OSError) as problem:
        text = problem.detail if isinstance(problem, LianxinError) else f"{options.file.name}: {problem.strerror}"
        sys.stderr.write(f"not imported: {text}\n")
        return FILE_REFUSED
    sys.stdout.write(_report(result, seconds=time.monotonic() - started, dry_run=options.dry_run))
    if result.state != "done":
        return FILE_REFUSED
    return SOME_ROWS_REFUSED if result.refused_count else DONE


def _progress_line(started: float) -> Report:
    shown = 0.0
    is_terminal = sys.stderr.isatty()

    def show(progress: Counts) -> None:
        nonlocal shown
        now = time.monotonic()
        if now - shown < SECONDS_BETWEEN_LINES:
            return
        shown = now
        rate = progress.rows_read / max(now - started, 0.001)
        line = f"{progress.rows_read} rows, {progress.refused_count} refused, {rate:.0f} rows/s"
        sys.stderr.write(f"\r{line:<70}" if is_terminal else f"{line}\n")
        sys.stderr.flush()

    return show


def _report(result: Result, *, seconds: float, dry_run: bool) -> str:
    lines = [
        f"import {result.id}: {result.state}{' (dry run: nothing was kept)' if dry_run else ''}",
        f"  rows {result.rows_read}: created {result.created_count}, changed {result.changed_count}, "
        f"unchanged {result.unchanged_count}, refused {result.refused_count}; flagged {result.flagged_count}",
        f"  {seconds:.1f} s, {result.rows_read / max(seconds, 0.001):.0f} rows/s",
    ]
    if result.reason is not None:
        lines.insert(1, f"  the file was refused or broke off: {result.reason}")
    for name, count in sorted(result.tallies.items(), key=lambda item: -item[1]):
        severity, _, code = name.partition(":")
        lines.append(f"  {severity:<5} {code:<32} {count}")
    return "\n".join(lines) + "\n"
