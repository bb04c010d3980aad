"""How audit records come to an end: they leave the database for the files, and the files in time as well."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import orjson

from shared.database import Connection
from shared.retention.jobs import DataClass, Step, measured

# The function in the database refuses less; six months of the calendar can be a day or two shorter.
LEAST: Final = timedelta(days=184)
FILE: Final = "audit_file"  # the type by which one of them is held


def audit_classes(directory: Path | None) -> list[DataClass]:
    """Without a directory nothing was exported, and so nothing leaves the database."""
    records = DataClass(name="audit_records", measure=_measure_records, remove=_release_records)
    if directory is None:
        return [records]
    files = _Files(directory)
    return [records, DataClass(name="audit_files", measure=files.measure, remove=files.remove, held_as=(FILE,))]


def _measure_records(connection: Connection, before: datetime) -> tuple[int, datetime | None]:
    return measured(connection.execute("SELECT count(*), min(at) FROM audit_record WHERE at < %s", [before]).fetchone())


def _release_records(connection: Connection, before: datetime, batch: int, _: int) -> Step:
    """Only what lies under an exported checkpoint; the rest waits for it and shows in the figures."""
    row = connection.execute(
        "SELECT release_audit(least(%s, clock_timestamp() - %s), %s)", [before, LEAST, batch]
    ).fetchone()
    removed = int(str(row[0])) if row else 0
    return Step(removed=removed, seen=removed)


class _Files:
    """Files of records, each whole: it is over when its last record is. Checkpoints are never removed."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def measure(self, connection: Connection, before: datetime) -> tuple[int, datetime | None]:
        found = list(self._list_over(connection, before))
        return len(found), found[0][1] if found else None

    def remove(self, connection: Connection, before: datetime, batch: int, _: int) -> Step:
        found = [path for path, _ in self._list_over(connection, before)][:batch]
        for path in found:
            path.unlink(missing_ok=True)
        return Step(removed=len(found), seen=len(found))

    def _list_over(self, connection: Connection, before: datetime) -> Iterator[tuple[Path, datetime]]:
        for path in sorted(self._directory.glob("records-*.jsonl")):
            last = path.read_bytes().rsplit(b"\n", 2)[-2]
            at = datetime.fromisoformat(orjson.loads(last)["at"])
            if at >= before:
                return
            if connection.execute("SELECT is_held(%s, %s)", [FILE, path.name]).fetchone() == (False,):
                yield path, at
