"""The queue of signals: what asks for a look, its evidence in words, and what a person decides about it."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from services.assessment.fair.signals.odds import Check, Signal
from services.assessment.fair.signals.wording import describe
from services.assessment.handlers.fair_results import list_wanted
from services.assessment.storage import signals as storage
from services.assessment.storage.signals import SignalCount, SignalFilter, StoredSignal
from shared.access.principal import Principal
from shared.audit.chain import Line, note
from shared.database import Connection, Pool, transaction
from shared.errors import Conflict, NotFound
from shared.reach import SYSTEM

SignalState = Literal["open", "confirmed", "cleared", "lapsed"]
Verdict = Literal["confirmed", "cleared"]
Grounds = Literal[
    "asked_citizens",
    "checked_documents",
    "heard_the_cadre",
    "local_custom",
    "faulty_records",
    "not_enough_to_say",
]
GROUNDS: Final[dict[Grounds, dict[str, str]]] = {
    "asked_citizens": {"zh": "已向群众核实", "en": "Citizens were asked"},
    "checked_documents": {"zh": "已查阅材料", "en": "Documents were looked through"},
    "heard_the_cadre": {"zh": "已听取本人说明", "en": "The cadre was heard"},
    "local_custom": {"zh": "属当地工作安排", "en": "It is how work is arranged there"},
    "faulty_records": {"zh": "登记差错", "en": "The records were faulty"},
    "not_enough_to_say": {"zh": "依据不足", "en": "There is not enough to say"},
}


class UnknownSignal(NotFound):
    code = "unknown-signal"


class SignalDecided(Conflict):
    """Somebody else was first, or it is not found any more."""

    code = "signal-decided"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalQuery:
    """`found_from` and `found_until` are days, both of them included."""

    state: SignalState = "open"
    check: Check | None = None
    organisation_code: str | None = None
    staff_number: str | None = None
    found_from: date | None = None
    found_until: date | None = None


def list_signals(
    pool: Pool, query: SignalQuery, *, after: tuple[datetime, UUID] | None, limit: int, zone: ZoneInfo
) -> list[StoredSignal]:
    """Raises UnknownOrganisation."""
    with transaction(pool) as connection:
        return storage.list_signals(connection, _filter_by(connection, query, zone), after=after, limit=limit)


def count_signals(pool: Pool, query: SignalQuery, *, zone: ZoneInfo) -> list[SignalCount]:
    """By check, the most first, whichever check was asked for. Raises UnknownOrganisation."""
    with transaction(pool) as connection:
        return storage.count_signals(connection, _filter_by(connection, query, zone))


def get_signal(pool: Pool, signal_id: UUID) -> StoredSignal:
    """Raises UnknownSignal, also for what is out of reach, and for the reader's own."""
    with transaction(pool) as connection:
        signal = storage.find_signal(connection, signal_id)
    if signal is None:
        raise UnknownSignal("there is no such signal")
    return signal


def decide(
    pool: Pool, signal_id: UUID, *, verdict: Verdict, grounds: Grounds, by: Principal, now: datetime
) -> StoredSignal:
    """What is cleared counts again from the next look on. The same decision again changes nothing.

    Raises UnknownSignal, SignalDecided.
    """
    with transaction(pool) as connection:
        signal = storage.find_signal(connection, signal_id)
        if signal is None:
            raise UnknownSignal("there is no such signal")
        if (signal.state, signal.grounds, signal.decided_by) == (verdict, grounds, by.name):
            return signal
        if not storage.set_decided(connection, signal_id, state=verdict, by=by.name, grounds=grounds, at=now):
            raise SignalDecided(f"the signal is {signal.state}")
        decided = storage.find_signal(connection, signal_id)
        details = {"check": signal.check_name, "verdict": verdict, "records": len(signal.record_ids)}
        note(
            connection,
            Line(action="signal.decide", object_type="signal", object_id=signal_id, reason=grounds, details=details),
        )
    assert decided is not None  # noqa: S101 - it was there a moment ago, and nobody may remove it
    return decided


def measure_open(pool: Pool, *, now: datetime) -> tuple[int, float]:
    """How many wait for a decision, and how many seconds the oldest has waited."""
    with transaction(pool, reach=SYSTEM) as connection:
        return storage.measure_open(connection, now)


def word(signal: StoredSignal) -> dict[str, str]:
    """What it says in plain words, in both languages."""
    told: Any = Signal(
        cadre="",
        check=signal.check_name,  # type: ignore[arg-type]  # written by put_signals from the same list
        evidence=signal.evidence,
        odds=signal.odds,
    )
    return {"zh": describe(told, "zh"), "en": describe(told, "en")}


def _filter_by(connection: Connection, query: SignalQuery, zone: ZoneInfo) -> SignalFilter:
    """Raises UnknownOrganisation."""
    last = query.found_until
    return SignalFilter(
        state=query.state,
        check_name=query.check,
        organisation_ids=list_wanted(connection, query.organisation_code),
        staff_number=query.staff_number,
        found_from=None if query.found_from is None else datetime.combine(query.found_from, time(), tzinfo=zone),
        found_before=None if last is None else datetime.combine(last + timedelta(days=1), time(), tzinfo=zone),
    )
