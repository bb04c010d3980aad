"""The page at which the department looks at signals and decides them, each with the grounds for it."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final, cast, get_args
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request, Response

from services.assessment.handlers import signals
from services.assessment.handlers.signal_records import list_signal_records
from services.assessment.handlers.signals import GROUNDS, Grounds, Verdict
from services.assessment.settings import AssessmentSettings
from services.assessment.web.list_filters import read_asked
from services.assessment.web.rendering import AppSettings
from services.assessment.web.signal_filters import ASKED, list_signal_fields, read_kept, read_query
from shared.access.principal import Principal
from shared.database import Pool
from shared.errors import Conflict, LianxinError, NotFound, Rejected
from shared.frame.forms import ForeignForm, Form, take_form
from shared.http import AppPool
from shared.pages import BadCursor, decode_cursor, encode_cursor
from shared.site import for_staff, go, language_of, render_with, texts_of

router = APIRouter()
A_PAGE: Final = 20
FORM_PATHS: Final = ("/signals/decision",)
TOLD: Final = (Conflict, NotFound, Rejected, ForeignForm)
Reader = Annotated[Principal, Depends(for_staff("signal.read"))]
Deciding = Annotated[Principal, Depends(for_staff("signal.decide"))]
Sent = Annotated[tuple[Form, ForeignForm | None], Depends(take_form)]


class InvalidForm(Rejected):
    code = "invalid-form"


@router.get("/signals", include_in_schema=False)
def get_signals(request: Request, _: Reader, pool: AppPool, settings: AppSettings) -> Response:
    return _render(request, pool, settings, read_asked(request, ASKED))


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
        "kept": _keep(read_asked(request, ASKED)),
    }
    return render_with(request, "signal.html", values, refusal)


@router.post("/signals/decision", include_in_schema=False)
def post_decision(request: Request, principal: Deciding, pool: AppPool, settings: AppSettings, sent: Sent) -> Response:
    """Back to the list as it was narrowed, where the next one waits."""
    form, foreign = sent
    asked = read_kept(form.get("kept"))
    try:
        if foreign is not None:
            raise foreign
        signal_id, verdict, grounds = _read_decision(form)
        signals.decide(pool, signal_id, verdict=verdict, grounds=grounds, by=principal, now=datetime.now(UTC))
    except TOLD as error:
        return _render(request, pool, settings, asked, error=error)
    return go(request, f"signals?{urlencode(_keep(asked) | {'done': 'changed'})}")


def _render(
    request: Request,
    pool: Pool,
    settings: AssessmentSettings,
    asked: dict[str, str],
    *,
    error: LianxinError | None = None,
) -> Response:
    language = language_of(request)
    asked["state"] = asked["state"] or "open"
    values: dict[str, Any] = {
        "state": asked["state"],
        "kept": _keep(asked),
        "verdicts": get_args(Verdict),
        "grounds": {code: names[language] for code, names in GROUNDS.items()},
        "signals": [],
        "counts": [],
        "records": None,
        "following": None,
    }
    try:
        values |= _list(pool, asked, request.query_params.get("cursor"), settings.zone)
    except (Rejected, NotFound) as refusal:
        error = error or refusal
    values["says"] = {one.signal_id: signals.word(one)[language] for one in values["signals"]}
    values["filters"] = list_signal_fields(asked, values["counts"], texts_of(request))
    return render_with(request, "signals.html", values, error)


def _list(pool: Pool, asked: dict[str, str], cursor: str | None, zone: ZoneInfo) -> dict[str, Any]:
    """The longest waiting first. Raises UnknownState, UnknownFlag, BadDay, UnknownOrganisation, BadCursor."""
    query, after = read_query(asked), _read_place(cursor)
    found = signals.list_signals(pool, query, after=after, limit=A_PAGE + 1, zone=zone)
    page, following = found[:A_PAGE], None
    if len(found) > A_PAGE:
        following = encode_cursor([page[-1].found_at.isoformat(), str(page[-1].signal_id)])
    return {"signals": page, "counts": signals.count_signals(pool, query, zone=zone), "following": following}


def _keep(asked: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in asked.items() if text}


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
