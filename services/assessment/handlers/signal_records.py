"""What a signal asks a person to look at: each record in words, with the events behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from services.assessment.handlers.evidence import list_events_behind
from services.assessment.handlers.fair_results import fact_of
from services.assessment.handlers.signals import UnknownSignal
from services.assessment.storage import categories, evidence, signals
from services.assessment.storage.evidence import LoggedEvent
from services.assessment.storage.signals import StoredSignal
from shared.database import Pool, transaction
from shared.reach import SYSTEM


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalRecord:
    record_id: UUID
    fact: str
    kind: str | None
    kind_name: str | None  # of issues, what the category was called when they came in
    at: datetime
    events: tuple[LoggedEvent, ...]


def list_signal_records(
    pool: Pool, signal_id: UUID, *, after: UUID | None, limit: int, zone: ZoneInfo
) -> tuple[StoredSignal, Sequence[SignalRecord]]:
    """In the order of their ids. What was erased since then is not there. Raises UnknownSignal."""
    with transaction(pool) as connection:
        signal = signals.find_signal(connection, signal_id)
        if signal is None:
            raise UnknownSignal("there is no such signal")
        ids = sorted(fact_id for one in signal.record_ids if (fact_id := fact_of(one)) is not None)
        seen = {fact.fact_id: fact for fact in evidence.list_seen(connection, ids)}
        ids = [one for one in ids if one in seen and (after is None or one > after)][:limit]
        names = categories.list_names(connection, ids, time_zone=zone.key)
        events = list_events_behind(connection, ids)
    calls = _list_calls(pool, ids)
    return signal, [
        SignalRecord(
            record_id=one,
            fact=seen[one].fact,
            kind=seen[one].kind,
            kind_name=names.get(one),
            at=seen[one].at,
            events=(*events.get(one, ()), *calls.get(one, ())),
        )
        for one in ids
    ]


def _list_calls(pool: Pool, seen: Sequence[UUID]) -> dict[UUID, list[LoggedEvent]]:
    """The calls about these, and what came of them. By itself no reader's reach has calls in it."""
    with transaction(pool, reach=SYSTEM) as connection:
        behind = evidence.list_calls(connection, seen)
        found: dict[UUID, list[LoggedEvent]] = {}
        for event in evidence.list_events(connection, list(behind)):
            found.setdefault(behind[event.aggregate_id], []).append(event)
    return found
