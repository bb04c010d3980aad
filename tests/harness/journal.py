"""The client's own journal: what was asked and what was acknowledged, on disk before the next step is taken."""

import json
import os
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

Kind = Literal[
    "organisation", "cadre", "post", "duty", "contact", "issue", "rating", "assignment", "response", "closure"
]
What = Literal["attempted", "acked", "refused", "given_up"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """`reference` is the record's id or its source's number; None while only the server could know it."""

    what: What
    kind: Kind
    key: str
    reference: str | None
    status: int | None = None


@dataclass(slots=True)
class History:
    """What a journal says: references by kind, and by idempotency key the references that it was answered with."""

    attempted: dict[Kind, set[str]] = field(default_factory=dict)
    acked: dict[Kind, set[str]] = field(default_factory=dict)
    acked_keys: dict[str, set[str]] = field(default_factory=dict)
    nameless_keys: set[str] = field(default_factory=set)  # of records without an id of the client's own
    refused: list[Entry] = field(default_factory=list)
    given_up: list[Entry] = field(default_factory=list)

    def add(self, entry: Entry) -> None:
        if entry.what == "attempted":
            if entry.reference is not None:
                self.attempted.setdefault(entry.kind, set()).add(entry.reference)
            elif entry.kind in ("contact", "issue", "rating"):
                self.nameless_keys.add(entry.key)
        elif entry.what == "acked":
            if entry.reference is not None:
                self.acked.setdefault(entry.kind, set()).add(entry.reference)
                self.acked_keys.setdefault(entry.key, set()).add(entry.reference)
        elif entry.what == "refused":
            self.refused.append(entry)
        else:
            self.given_up.append(entry)


class Journal:
    """An append-only file of JSON lines. `write` returns when the entry is on disk."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._lock = threading.Lock()
        self.file = file

    def write(self, entry: Entry) -> None:
        line = json.dumps(asdict(entry)).encode() + b"\n"
        with self._lock:
            os.write(self._handle, line)
        os.fdatasync(self._handle)

    def close(self) -> None:
        os.close(self._handle)


def read_history(files: Iterable[Path]) -> History:
    """The last line of a journal whose writer died may be cut short; it counts as not written."""
    history = History()
    for file in files:
        for line in file.read_bytes().splitlines(keepends=True):
            if line.endswith(b"\n"):
                history.add(Entry(**json.loads(line)))
    return history
