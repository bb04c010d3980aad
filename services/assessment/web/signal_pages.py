"""The page at which the department looks at signals and decides them, each with the grounds for it."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final, cast, get_args
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.assessment.handlers import signals
from services.assessment.handlers.signal_records import list_signal_records
from services.assessment.handlers.signals import GROUNDS, Grounds, SignalState, Verdict
from services.assessment.storage.signals import StoredSignal
from services.assessment.web.rendering import AppSettings
from shared.access.principal import Principal
from shared.database import Pool
from shared.errors import Conflict, LianxinError, NotFound, Rejected
from shared.frame.forms import ForeignForm, Form, take_form
from shared.http import AppPool
from shared.pages import BadCursor, decode_cursor, encode_cursor
from shared.site import for_staff, go, language_of, render_with

router = APIRouter()
A_PAGE: Final = 20
FORM_PATHS: Final = ("/signals/decision",)
STATES: Final[tuple[SignalState, ...]] = get_args(SignalState)
TOLD: Final = (Conflict, NotFound, Rejected, ForeignForm)
Reader = Annotated[Principal, Depends(for_staff("signal.read"))]
Deciding = Annotated[Principal, Depends(for_staff("signal.decide"))]
Sent = Annotated[tuple[Form, ForeignForm | None], Depends(take_form)]


class InvalidForm(Rejected):
    code = "invalid-form"


@router.get("/signals", include_in_schema=False)
def get_signals(request: Request, _: Reader, pool: AppPool) -> Response:
    return _render(request, pool)


@router.get("/signals/{signal_id}", include_in_schema=False)
def get_records(request: Request, _: Reader, pool: AppPool, settings: AppSettings, signal_id: str) -> Response:
    after, refusal = None, None
    try:
        after = _read_record(request.query_params.get("cursor"))
    except BadCursor as error:
        refusal = error
    signal, found = list_signal_records(pool, _read_id(signal_id), after=after, limit=A_PAGE + 1, zone=settings.zone)
    page = found[:A_PAGE]
    language = language_of(request)
    values = {
        "signals": [signal],
        "records": page,
        "following": encode_cursor([str(page[-1].record_id)]) if len(found) > A_PAGE else None,
        "verdicts": get_args(Verdict),
        "grounds": {code: names[language] for code, names in GROUNDS.items()},
        "says": {signal.signal_id: signals.word(signal)[language]},
    }
    return render_with(request, "signal.html", values, refusal)


@router.post("/signals/decision", include_in_schema=False)
def post_decision(request: Request, principal: Deciding, pool: AppPool, sent: Sent) -> Response:
    form, foreign = sent
    try:
        if foreign is not None:
            raise foreign
        signal_id, verdict, grounds = _read_decision(form)
        signals.decide(pool, signal_id, verdict=verdict, grounds=grounds, by=principal, now=datetime.now(UTC))
    except TOLD as error:
        return _render(request, pool, error=error)
    return go(request, "signals?done=changed")


def _render(request: Request, pool: Pool, *, error: LianxinError | None = None) -> Response:
    asked = request.query_params.get("state", "")
    state: SignalState = next((one for one in STATES if one == asked), "open")
    language = language_of(request)
    values: dict[str, Any] = {
        "state": state,
        "verdicts": get_args(Verdict),
        "grounds": {code: names[language] for code, names in GROUNDS.items()},
        "signals": [],
        "records": None,
        "following": None,
    }
    try:
        values |= _list(pool, state, request.query_params.get("cursor"))
    except BadCursor as refusal:
        error = refusal
    values["says"] = {one.signal_id: signals.word(one)[language] for one in values["signals"]}
    return render_with(request, "signals.html", values, error)


def _list(pool: Pool, state: SignalState, cursor: str | None) -> dict[str, Any]:
    """The longest waiting first. Raises BadCursor."""
    found = signals.list_signals(pool, state=state, after=_read_place(cursor), limit=A_PAGE + 1)
    page = found[:A_PAGE]
    return {"signals": page, "following": _following(page[-1], state) if len(found) > A_PAGE else None}


def _following(last: StoredSignal, state: SignalState) -> str:
    return urlencode({"state": state, "cursor": encode_cursor([last.found_at.isoformat(), str(last.signal_id)])})


def _read_place(cursor: str | None) -> tuple[datetime, UUID] | None:
    """Raises BadCursor."""
    if not cursor:
        return None
    at, signal_id = decode_cursor(cursor[:2_000], length=2)
    try:
        found_at, place = datetime.fromisoformat(at or ""), UUID(signal_id or "")
    except ValueError:
        raise BadCursor("the cursor belongs to another list") from None
    if found_at.tzinfo is None:
        raise BadCursor("the cursor belongs to another list")
    return found_at, place


def _read_id(text: str) -> UUID:
    """Raises UnknownSignal."""
    try:
        return UUID(text)
    except ValueError:
        raise signals.UnknownSignal("there is no such signal") from None


def _read_record(cursor: str | None) -> UUID | None:
    """Raises BadCursor."""
    if not cursor:
        return None
    (record_id,) = decode_cursor(cursor[:2_000], length=1)
    try:
        return UUID(record_id or "")
    except ValueError:
        raise BadCursor("the cursor is not one of ours") from None


def _read_decision(form: Form) -> tuple[UUID, Verdict, Grounds]:
    """Raises InvalidForm."""
    verdict, grounds = form.get("verdict"), form.get("grounds")
    try:
        signal_id = UUID(form.get("id"))
    except ValueError:
        raise InvalidForm("no such form") from None
    if verdict not in get_args(Verdict) or grounds not in get_args(Grounds):
        raise InvalidForm("a decision has grounds of the list")
    return signal_id, cast("Verdict", verdict), cast("Grounds", grounds)
