"""The pages of issues: what is open, raising one from a contact, one issue with its steps, closing it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any, get_args
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from services.intake.domain.citizens import Citizen, describe_citizen
from services.intake.domain.commands.base import Actor
from services.intake.domain.commands.issue_steps import CloseIssue, RespondToIssue, StepCommand
from services.intake.domain.commands.issues import IssueOutcome, IssueType, ReceiveIssue, ReplyMeans
from services.intake.domain.issues.ending import ClosureReason
from services.intake.handlers import categories, contacts, desk, issues
from services.intake.handlers.issue_steps import log
from services.intake.handlers.texts import ContactRecord
from services.intake.web.forms import TOLD, InvalidForm, Sent, read_id, read_text, refuse_foreign
from services.intake.web.rendering import doors_of, tell, today
from shared.access.principal import Principal
from shared.errors import LianxinError
from shared.frame.forms import Form
from shared.identifiers import new_id
from shared.reach import current
from shared.site import for_staff, go, render, render_with

router = APIRouter()
FORM_PATHS = ("/desk/issues/new", "/desk/issues/response", "/desk/issues/closure")
MOST_CATEGORIES = 500
FIRST = ("", str(UUID(int=0)))
CLOSING = ("outcome", "reply", "means", "reason_code")
FIELDS = ("id", "contact_id", "title", "type", "category", "description", "citizen_name", "citizen_phone")
Reading = Annotated[Principal, Depends(for_staff("issue.read"))]
Receiving = Annotated[Principal, Depends(for_staff("issue.receive"))]
Responding = Annotated[Principal, Depends(for_staff("issue.respond"))]
Closing = Annotated[Principal, Depends(for_staff("issue.close"))]


@router.get("/desk", include_in_schema=False)
def get_worklist(request: Request, _: Reading) -> Response:
    pool = doors_of(request).pool
    found = desk.list_open_issues(pool)
    names = desk.find_names(
        pool,
        organisations=[one.organisation_code for one in found.issues],
        categories=[one.category for one in found.issues],
        on=today(),
    )
    return render(request, "worklist.html", issues=found.issues, more=found.has_more, names=names)


@router.get("/desk/issues/{issue_id}", include_in_schema=False)
def get_issue(request: Request, _: Reading, issue_id: UUID) -> Response:
    return _render_issue(request, issue_id)


@router.get("/desk/contacts/{contact_id}/issue", include_in_schema=False)
def get_form(request: Request, _: Receiving, contact_id: UUID) -> Response:
    contacts.get_contact(doors_of(request).pool, contact_id)
    form = {**dict.fromkeys(FIELDS, ""), "id": str(new_id()), "contact_id": str(contact_id), "type": "help"}
    return _render_form(request, form)


@router.post("/desk/issues/new", include_in_schema=False)
async def post_form(request: Request, _: Receiving, sent: Sent) -> Response:
    form, foreign = sent
    door = doors_of(request)
    try:
        refuse_foreign(foreign)
        contact = await run_in_threadpool(contacts.get_contact, door.pool, read_id(form, "contact_id"))
        unit = await run_in_threadpool(desk.find_unit, door.pool, contact)
        command = _read_issue(form, contact, unit, respond_within=door.settings.respond_within)
        outcome = await door.issues.submit(command)
        desk.refuse(outcome)
    except TOLD as error:
        typed = {name: form.get(name) for name in FIELDS}
        return await run_in_threadpool(_render_form, request, typed, error=error)
    return go(request, f"desk/issues/{command.id}?done={outcome.status}")


@router.post("/desk/issues/response", include_in_schema=False)
async def post_response(request: Request, principal: Responding, sent: Sent) -> Response:
    return await _take_step(request, sent, lambda issue_id: RespondToIssue(**_tell_step(issue_id, principal)))


@router.post("/desk/issues/closure", include_in_schema=False)
async def post_closure(request: Request, principal: Closing, sent: Sent) -> Response:
    return await _take_step(request, sent, lambda issue_id: _read_closure(sent[0], _tell_step(issue_id, principal)))


async def _take_step(request: Request, sent: Sent, make: Callable[[UUID], StepCommand]) -> Response:
    form, foreign = sent
    issue_id = read_id(form)
    try:
        refuse_foreign(foreign)
        outcome = await doors_of(request).steps.submit(make(issue_id))
        desk.refuse(outcome)
    except TOLD as error:
        typed = {name: form.get(name) for name in CLOSING}
        return await run_in_threadpool(_render_issue, request, issue_id, typed=typed, error=error)
    return go(request, f"desk/issues/{issue_id}?done={outcome.status}")


def _tell_step(issue_id: UUID, principal: Principal) -> dict[str, Any]:
    return {**tell(issue_id), "actor": Actor(account_id=principal.account_id, person_id=principal.person_id)}


def _read_closure(form: Form, told: dict[str, Any]) -> CloseIssue:
    """Raises InvalidForm. Whether there must be a reply and a reason, the issue's own rules say."""
    outcome, means, reason = form.get("outcome"), form.get("means"), form.get("reason_code")
    if outcome not in get_args(IssueOutcome) or means not in get_args(ReplyMeans):
        raise InvalidForm("an outcome and the means of the reply are needed")
    if reason and reason not in get_args(ClosureReason):
        raise InvalidForm("no such reason")
    return CloseIssue(
        **told,
        outcome=outcome,  # type: ignore[arg-type] # one of them, as was just looked at
        reply=read_text(form, "reply", 20_000),
        means=means,  # type: ignore[arg-type] # same
        reason_code=reason or None,
    )


def _read_issue(form: Form, contact: ContactRecord, unit: str | None, *, respond_within: timedelta) -> ReceiveIssue:
    """It is with whom it was told first, until somebody hands it on. Raises InvalidForm, NotValid."""
    title, category = read_text(form, "title", 200), read_text(form, "category", 64)
    if title is None or category is None or len(category.split()) != 1 or form.get("type") not in get_args(IssueType):
        raise InvalidForm("a title, a type and a category are needed")
    return ReceiveIssue(
        **tell(read_id(form)),
        type=form.get("type"),  # type: ignore[arg-type] # one of them, as was just looked at
        category=category,
        channel="contact",
        title=title,
        description=read_text(form, "description", 20_000),
        respond_within=respond_within,
        organisation_code=unit,
        staff_number=contact.staff_number,
        contact_id=contact.id,
        citizen=_read_citizen(form),
    )


def _read_citizen(form: Form) -> Citizen | None:
    """Raises NotValid."""
    name, phone = read_text(form, "citizen_name", 200), read_text(form, "citizen_phone", 60)
    return None if name is None and phone is None else describe_citizen(name=name, phone=phone, today=None)


def _render_form(request: Request, form: dict[str, Any], *, error: LianxinError | None = None) -> Response:
    values = {"form": form, "categories": _list_categories(request)}
    return render_with(request, "raise_issue.html", values, error)


def _list_categories(request: Request) -> list[tuple[str, str]]:
    """Codes and names of the register; where nothing is registered, the codes of open issues."""
    pool = doors_of(request).pool
    found = categories.list_categories(pool, on=today(), organisation_code=None, after=FIRST, limit=MOST_CATEGORIES)
    if found:
        return sorted({(one.code, one.name) for one in found if not one.is_retired})
    return [(code, "") for code in sorted({issue.category for issue in desk.list_open_issues(pool).issues})]


def _render_issue(
    request: Request, issue_id: UUID, *, typed: dict[str, str] | None = None, error: LianxinError | None = None
) -> Response:
    pool = doors_of(request).pool
    issue = issues.get_issue(pool, issue_id)
    acting = current()
    values = {
        "issue": issue,
        "steps": log.list_steps(pool, issue_id),
        "names": desk.find_names(
            pool,
            organisations=[issue.organisation_code],
            cadres=[issue.staff_number],
            categories=[issue.category],
            on=today(),
        ),
        "may_work": acting is not None and "clerk" in acting.role.split(","),
        "closing": typed or dict.fromkeys(CLOSING, ""),
    }
    return render_with(request, "issue.html", values, error)
