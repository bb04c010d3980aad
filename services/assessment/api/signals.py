"""Signals that wait for a person."""

from datetime import UTC, date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from services.assessment.api.described import ShownEvent
from services.assessment.api.doors import AppSettings
from services.assessment.api.shapes import show_event
from services.assessment.fair.signals.odds import Check
from services.assessment.handlers import signals
from services.assessment.handlers.signal_records import SignalRecord, list_signal_records
from services.assessment.handlers.signals import Grounds, SignalQuery, SignalState, Verdict
from services.assessment.storage.signals import SignalCount, StoredSignal
from shared.access.principal import Principal
from shared.answers import Page, Shown, refuses, shows
from shared.edge import CodeText, Day
from shared.http import AppPool, Body, json_response, permit
from shared.pages import BadCursor, decode_cursor, encode_cursor

router = APIRouter()
SignalReader = Annotated[Principal, Depends(permit("signal.read"))]
Deciding = Annotated[Principal, Depends(permit("signal.decide"))]
Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(max_length=2_000)]


class DecisionBody(Body):
    """`cleared`: what was set aside counts again. `confirmed`: it stays set aside; nothing else follows by itself."""

    verdict: Verdict
    grounds: Grounds


class ShownSignal(Shown):
    """What asks for a look. It is no finding: until somebody has decided, the records count neither for nor against."""

    signal_id: UUID
    staff_number: str
    cadre_name: str | None
    organisation_code: str | None
    organisation_name: str | None
    check_name: str
    says: dict[str, str]
    starts_on: date
    ends_on: date
    odds: str
    evidence: dict[str, int]
    record_ids: list[str]
    found_at: datetime
    state: SignalState
    decided_at: datetime | None
    decided_by: str | None
    grounds: str | None


class ShownSignalRecord(Shown):
    """Of an issue `kind` is its category's code, and `kind_name` what its place called that on the day it came in."""

    record_id: UUID
    fact: str
    kind: str | None
    kind_name: str | None
    at: datetime
    events: list[ShownEvent]


class ShownSignalCounts(Shown):
    """How many there are by check, the most first; a check of which there is none is left out."""

    checks: list[SignalCount]


@router.get("/v1/signals", responses=shows(Page[ShownSignal]) | refuses(404))
def list_signals(  # noqa: PLR0913 - the filters of a list are its arguments
    _: SignalReader,
    pool: AppPool,
    settings: AppSettings,
    *,
    state: SignalState = "open",
    check: Check | None = None,
    organisation: CodeText | None = None,
    staff_number: CodeText | None = None,
    found_from: Day | None = None,
    found_until: Day | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """The longest waiting first. Both days on which they were found are included."""
    query = SignalQuery(
        state=state,
        check=check,
        organisation_code=organisation,
        staff_number=staff_number,
        found_from=found_from,
        found_until=found_until,
    )
    found = signals.list_signals(pool, query, after=_read_place(cursor), limit=limit + 1, zone=settings.zone)
    items = [_show_signal(one) for one in found[:limit]]
    last = found[limit - 1] if len(found) > limit else None
    following = encode_cursor([last.found_at.isoformat(), str(last.signal_id)]) if last else None
    return json_response({"items": items, "next_cursor": following})


@router.get("/v1/signal-counts", responses=shows(ShownSignalCounts) | refuses(404))
def count_signals(  # noqa: PLR0913 - the filters of a list are its arguments
    _: SignalReader,
    pool: AppPool,
    settings: AppSettings,
    *,
    state: SignalState = "open",
    organisation: CodeText | None = None,
    staff_number: CodeText | None = None,
    found_from: Day | None = None,
    found_until: Day | None = None,
) -> Response:
    """How many the list has of each check, by the same filters."""
    query = SignalQuery(
        state=state,
        organisation_code=organisation,
        staff_number=staff_number,
        found_from=found_from,
        found_until=found_until,
    )
    return json_response({"checks": signals.count_signals(pool, query, zone=settings.zone)})


@router.get("/v1/signals/{signal_id}", responses=shows(ShownSignal))
def get_signal(signal_id: UUID, _: SignalReader, pool: AppPool) -> Response:
    return json_response(_show_signal(signals.get_signal(pool, signal_id)))


@router.get("/v1/signals/{signal_id}/records", responses=shows(Page[ShownSignalRecord]))
def list_records(
    signal_id: UUID, _: SignalReader, pool: AppPool, settings: AppSettings, *, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """What is to be looked at, each with the events that it was made of."""
    after = _read_record(cursor)
    found = list_signal_records(pool, signal_id, after=after, limit=limit + 1, zone=settings.zone)[1]
    following = encode_cursor([str(found[limit - 1].record_id)]) if len(found) > limit else None
    return json_response({"items": [_show_record(one) for one in found[:limit]], "next_cursor": following})


@router.post("/v1/signals/{signal_id}/decision", responses=shows(ShownSignal) | refuses(409))
def decide_signal(signal_id: UUID, body: DecisionBody, principal: Deciding, pool: AppPool) -> Response:
    """A person's word, with the grounds for it. It changes no score but by what counts again."""
    decided = signals.decide(
        pool, signal_id, verdict=body.verdict, grounds=body.grounds, by=principal, now=datetime.now(UTC)
    )
    return json_response(_show_signal(decided))


def _read_place(cursor: str | None) -> tuple[datetime, UUID] | None:
    """Raises BadCursor, also for a cursor of another list."""
    if cursor is None:
        return None
    at, signal_id = decode_cursor(cursor, length=2)
    try:
        found_at, place = datetime.fromisoformat(at or ""), UUID(signal_id or "")
    except ValueError:
        raise BadCursor("the cursor belongs to another list") from None
    if found_at.tzinfo is None:
        raise BadCursor("the cursor belongs to another list")
    return found_at, place


def _read_record(cursor: str | None) -> UUID | None:
    if cursor is None:
        return None
    (record_id,) = decode_cursor(cursor, length=1)
    try:
        return UUID(record_id or "")
    except ValueError:
        raise BadCursor("the cursor is not one of ours") from None


def _show_record(record: SignalRecord) -> dict[str, object]:
    return {
        **{name: getattr(record, name) for name in ("record_id", "fact", "kind", "kind_name", "at")},
        "events": [show_event(event) for event in record.events],
    }


def _show_signal(signal: StoredSignal) -> dict[str, object]:
    whose = ("signal_id", "staff_number", "cadre_name", "organisation_code", "organisation_name")
    what = ("check_name", "starts_on", "ends_on", "evidence")
    decision = ("record_ids", "found_at", "state", "decided_at", "decided_by", "grounds")
    return {
        **{name: getattr(signal, name) for name in (*whose, *what, *decision)},
        "says": signals.word(signal),
        "odds": f"{signal.odds / 100:.2f}",
    }
