"""The pages of calling back: whom to call, showing the number with a record of that, and what came of the call."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final, get_args

from fastapi import APIRouter, Depends, Request, Response

from services.intake.domain.ratings import LONGEST_COMMENT, Answers
from services.intake.handlers import callbacks, contacts, issues, reveals
from services.intake.handlers.reveals import Reason, RevealedCitizen
from services.intake.storage.callbacks import Result
from services.intake.storage.rating_links import Rated
from services.intake.web.forms import TOLD, InvalidForm, Sent, read_id, read_place, read_text, refuse_foreign
from services.intake.web.rendering import doors_of
from services.intake.web.texts.languages import TEXTS
from shared.access.principal import Principal
from shared.errors import Forbidden, LianxinError, NotFound
from shared.frame.forms import Form
from shared.identifiers import new_id
from shared.site import for_staff, go, language_of, render, render_with

router = APIRouter()
FORM_PATHS: Final = ("/desk/calls/citizen", "/desk/calls/result")
MOST: Final = 100
FIELDS: Final = ("id", "result", "level", "solved", "attitude", "speed", "comment")
LEVELS: Final = {"": None, "1": 1, "2": 2, "3": 3, "4": 4, "5": 5}
SOLVED: Final = {"": None, "yes": True, "no": False}
REFUSED: Final = (*TOLD, Forbidden)
Listing = Annotated[Principal, Depends(for_staff("callback.read"))]
Calling = Annotated[Principal, Depends(for_staff("callback.record"))]
Revealing = Annotated[Principal, Depends(for_staff("citizen.reveal"))]


@router.get("/desk/calls", include_in_schema=False)
def get_calls(request: Request, _: Listing) -> Response:
    return render(request, "calls.html", tasks=callbacks.list_tasks(doors_of(request).pool, after=None, limit=MOST))


@router.get("/desk/calls/{kind}/{record_id}", include_in_schema=False)
def get_call(request: Request, _: Calling, kind: str, record_id: str) -> Response:
    form = {**dict.fromkeys(FIELDS, ""), "id": str(new_id())}
    return _render(request, _read_rated(kind, record_id), form)


@router.post("/desk/calls/citizen", include_in_schema=False)
def post_reveal(request: Request, principal: Revealing, sent: Sent) -> Response:
    form, foreign = sent
    issue_id, typed = read_id(form, "issue_id"), {name: form.get(name) for name in FIELDS}
    reason = Reason(code="call_back", text=TEXTS[language_of(request)]["call_back"])
    pool, now = doors_of(request).pool, datetime.now(UTC)
    try:
        refuse_foreign(foreign)
        citizen = reveals.reveal_citizen(pool, issue_id, reason, principal, now=now)
    except REFUSED as error:
        return _render(request, Rated(issue_id=issue_id), typed, error=error)
    return _render(request, Rated(issue_id=issue_id), typed, citizen=citizen)


@router.post("/desk/calls/result", include_in_schema=False)
def post_result(request: Request, principal: Calling, sent: Sent) -> Response:
    form, foreign = sent
    rated = _read_rated(form.get("kind"), form.get("record_id"))
    opened, now = doors_of(request), datetime.now(UTC)
    try:
        refuse_foreign(foreign)
        call = _read_call(form, rated)
        done = callbacks.record_call(opened.pool, call, principal, rules=request.app.state.rating_rules, now=now)
    except REFUSED as error:
        return _render(request, rated, {name: form.get(name) for name in FIELDS}, error=error)
    return go(request, f"desk/calls?done={'created' if done.is_new else 'unchanged'}")


def _read_rated(kind: str, record_id: str) -> Rated:
    """Raises NotFound."""
    if kind == "issues":
        return Rated(issue_id=read_place(record_id))
    if kind == "contacts":
        return Rated(contact_id=read_place(record_id))
    raise NotFound("there is no such page")


def _read_call(form: Form, rated: Rated) -> callbacks.Call:
    """Raises InvalidForm."""
    result = form.get("result")
    if result not in get_args(Result):
        raise InvalidForm("no such result")
    answers = _read_answers(form) if result == "reached_rated" else None
    return callbacks.Call(id=read_id(form), rated=rated, result=result, attempted_at=None, answers=answers)  # type: ignore[arg-type] # one of them, as was just looked up


def _read_answers(form: Form) -> Answers:
    """Raises InvalidForm."""
    level = LEVELS.get(form.get("level"))
    parts = {form.get("attitude"), form.get("speed")}
    if level is None or form.get("solved") not in SOLVED or not parts <= LEVELS.keys():
        raise InvalidForm("a level is one of 1 to 5")
    return Answers(
        level=level,
        solved=SOLVED[form.get("solved")],
        attitude=LEVELS[form.get("attitude")],
        speed=LEVELS[form.get("speed")],
        comment=read_text(form, "comment", LONGEST_COMMENT),
    )


def _render(
    request: Request,
    rated: Rated,
    form: dict[str, str],
    *,
    citizen: RevealedCitizen | None = None,
    error: LianxinError | None = None,
) -> Response:
    """Raises IssueNotFound, ContactNotFound. Whom the number belongs to is shown by this answer and kept by nothing."""
    pool = doors_of(request).pool
    kind, record_id = ("contacts", rated.contact_id) if rated.issue_id is None else ("issues", rated.issue_id)
    values: dict[str, Any] = {
        "issue": None if rated.issue_id is None else issues.get_issue(pool, rated.issue_id),
        "contact": None if rated.contact_id is None else contacts.get_contact(pool, rated.contact_id),
        "form": {**form, "kind": kind, "record_id": str(record_id)},
        "citizen": citizen,
    }
    return render_with(request, "call.html", values, error)
