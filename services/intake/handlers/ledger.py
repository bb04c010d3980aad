"""Entries that hold from one day to another: entered once, ended once, and told of each time."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import replace
from datetime import date
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from services.intake.domain.commands.base import Outcome
from services.intake.domain.repeats import not_found, other_content
from services.intake.handlers.batches import BatchRaced, Events
from shared.contracts.base import Event
from shared.outbox import OutgoingEvent

ENDS_BEFORE_BEGIN = Outcome(status="rejected", code="ends-before-begin", detail="the last day lies before the first")


class Dated(Protocol):
    """What every such entry has, as it is stored; its days are told by their names."""

    @property
    def id(self) -> UUID: ...
    @property
    def sequence(self) -> int: ...


AnyEntry = TypeVar("AnyEntry", bound=Dated)


class Ledger(Generic[AnyEntry]):
    """The entries that a batch is about, as they stand after each of its commands.

    `first` and `last` name the fields of the first and the last day; `what` is the entry's name in refusals.
    """

    def __init__(
        self,
        inserted: Iterable[AnyEntry],
        events: Events,
        *,
        key: Callable[[AnyEntry], Hashable],
        tell: Callable[[AnyEntry], Event],
        what: str,
        last: str = "until_on",
    ) -> None:
        self._events = events
        self._key = key
        self._tell = tell
        self._what = what
        self._last = last
        self._by_id: dict[UUID, AnyEntry] = {}
        self._by_key: dict[Hashable, AnyEntry] = {}
        self.fresh: set[UUID] = set()
        self.amended: dict[UUID, AnyEntry] = {}
        for entry in inserted:
            self._keep(entry)
            self.fresh.add(entry.id)

    def add(self, entries: Iterable[AnyEntry]) -> None:
        for entry in entries:
            self._keep(entry)

    def take(self, asked: AnyEntry, *, amend: bool, correlation_id: str) -> Outcome:
        """Settle what was to be entered: new, a repeat, a repeat that may bring the last day, or a contradiction."""
        entry = self._by_key.get(self._key(asked)) or self._by_id.get(asked.id)
        if entry is None:
            raise BatchRaced(f"a {self._what} was being entered by somebody else")
        if asked == entry and entry.id in self.fresh:
            self.fresh.discard(entry.id)
            self._announce(entry, correlation_id)
            return Outcome(status="created", id=entry.id)
        as_asked = _with(asked, id=entry.id, sequence=entry.sequence)
        if as_asked == entry:
            return Outcome(status="unchanged", id=entry.id)
        wanted = getattr(asked, self._last)
        same_but_end = _with(as_asked, **{self._last: getattr(entry, self._last)}) == entry
        if not (amend and same_but_end and wanted is not None):
            return other_content(entry.id)
        return self._amend(entry, wanted, correlation_id)

    def end(self, entry_id: UUID, last_day: date, *, first: str, correlation_id: str) -> Outcome:
        """Settle what was to be ended: ending on the same day again changes nothing, another day contradicts it."""
        entry = self._by_id.get(entry_id)
        if entry is None:
            return not_found(self._what)
        if last_day < getattr(entry, first):
            return ENDS_BEFORE_BEGIN
        standing = getattr(entry, self._last)
        if standing is not None:
            return Outcome(status="unchanged", id=entry.id) if standing == last_day else other_content(entry.id)
        return self._amend(entry, last_day, correlation_id)

    def _keep(self, entry: AnyEntry) -> None:
        self._by_id[entry.id] = entry
        self._by_key[self._key(entry)] = entry

    def _amend(self, entry: AnyEntry, last_day: date, correlation_id: str) -> Outcome:
        amended = _with(entry, **{self._last: last_day, "sequence": entry.sequence + 1})
        self._keep(amended)
        self.amended[amended.id] = amended
        self._announce(amended, correlation_id)
        return Outcome(status="changed", id=amended.id)

    def _announce(self, entry: AnyEntry, correlation_id: str) -> None:
        outgoing = OutgoingEvent(event=self._tell(entry), sequence=entry.sequence, correlation_id=correlation_id)
        self._events.append(outgoing)


def _with(entry: AnyEntry, **changes: object) -> AnyEntry:
    changed: AnyEntry = replace(entry, **changes)  # type: ignore[type-var] # entries are dataclasses
    return changed
