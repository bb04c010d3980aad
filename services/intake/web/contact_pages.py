"""The pages of contacts: recording one, one's own records, one contact with its history, amending and voiding."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, get_args
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from services.intake.domain.commands.corrections import VoidContact, VoidReason
from services.intake.handlers import contacts, corrections, desk, populations
from services.intake.web.contact_forms import (
    SUFFIXES,
    first_values,
    read_amendment,
    read_record,
    typed_values,
    values_of,
)
from services.intake.web.forms import TOLD, InvalidForm, Sent, read_id, read_text, refuse_foreign
from services.intake.web.rendering import doors_of, tell, today
from services.intake.web.texts.languages import TEXTS
from shared.access.principal import Principal
from shared.errors import LianxinError
from shared.frame.forms import Form
from shared.reach import current
from shared.site import CHINA, for_staff, go, language_of, render, render_with

router = APIRouter()
FORM_PATHS = ("/desk/contacts/new", "/desk/contacts/amendment", "/desk/contacts/void")
Recording = Annotated[Principal, Depends(for_staff("contact.record"))]
Reading = Annotated[Principal, Depends(for_staff("contact.read"))]
Correcting = Annotated[Principal, Depends(for_staff("contact.correct"))]
Searching = Annotated[Principal, Depends(for_staff("register.read"))]


@router.get("/desk/contacts/new", include_in_schema=False)
def get_form(request: Request, principal: Recording) -> Response:
    places = desk.list_last_places(doors_of(request).pool)
    form = first_values(cadre=own_number(principal) or "", place=places[0] if places else "", now=datetime.now(UTC))
    return _render_form(request, principal, form)


@router.post("/desk/contacts/new", include_in_schema=False)
async def post_form(request: Request, principal: Recording, sent: Sent) -> Response:
    form, foreign = sent
    try:
        refuse_foreign(foreign)
        contact_id, status = await _record(request, principal, form)
    except TOLD as error:
        return await run_in_threadpool(_render_form, request, principal, typed_values(form), error=error)
    if form.get("then") == "issue":
        return go(request, f"desk/contacts/{contact_id}/issue")
    return go(request, f"desk/contacts/{contact_id}?done={status}")


@router.get("/desk/cadres", include_in_schema=False)
def get_cadres(request: Request, _: Searching, text: str = "") -> Response:
    found = desk.find_cadres(doors_of(request).pool, text[:120].replace("\0", ""))
    items = [{"staff_number": cadre.staff_number, "name": cadre.name} for cadre in found]
    return Response(orjson.dumps({"items": items}), media_type="application/json")


@router.get("/desk/contacts", include_in_schema=False)
def get_contacts(request: Request, _: Reading) -> Response:
    pool = doors_of(request).pool
    listed = desk.list_own_contacts(pool)
    names = desk.find_names(pool, organisations=[one.place_code for one in listed], on=today())
    return render(request, "contacts.html", contacts=listed, names=names)


@router.get("/desk/contacts/{contact_id}", include_in_schema=False)
def get_contact(request: Request, _: Reading, contact_id: UUID) -> Response:
    return _render_contact(request, contact_id)


@router.get("/desk/contacts/{contact_id}/amendment", include_in_schema=False)
def get_amendment(request: Request, _: Correcting, contact_id: UUID) -> Response:
    contact = contacts.get_contact(doors_of(request).pool, contact_id)
    return _render_amendment(request, values_of(contact))


@router.post("/desk/contacts/amendment", include_in_schema=False)
async def post_amendment(request: Request, _: Correcting, sent: Sent) -> Response:
    form, foreign = sent
    door = doors_of(request)
    contact_id = read_id(form)
    contact = await run_in_threadpool(contacts.get_contact, door.pool, contact_id)
    try:
        refuse_foreign(foreign)
        outcome = await door.amendments.submit(read_amendment(form, contact, door.settings))
        desk.refuse(outcome)
    except TOLD as error:
        return await run_in_threadpool(_render_amendment, request, typed_values(form), error=error)
    return go(request, f"desk/contacts/{contact_id}?done={outcome.status}")


@router.post("/desk/contacts/void", include_in_schema=False)
async def post_void(request: Request, _: Correcting, sent: Sent) -> Response:
    form, foreign = sent
    contact_id = read_id(form)
    try:
        refuse_foreign(foreign)
        outcome = await doors_of(request).voids.submit(_read_void(request, contact_id, form))
        desk.refuse(outcome)
    except TOLD as error:
        return await run_in_threadpool(_render_contact, request, contact_id, error=error)
    return go(request, f"desk/contacts/{contact_id}?done={outcome.status}")


async def _record(request: Request, principal: Principal, form: Form) -> tuple[UUID, str]:
    """Raises InvalidForm, UnknownCadre, SeveralCadres, Refused, Overloaded."""
    door = doors_of(request)
    number = own_number(principal)
    if number is None:
        number = await run_in_threadpool(desk.resolve_cadre, door.pool, form.get("cadre")[:120])
    command = read_record(form, number, door.settings)
    outcome = await door.contacts.submit(command)
    desk.refuse(outcome)
    return command.id, outcome.status


def _read_void(request: Request, contact_id: UUID, form: Form) -> VoidContact:
    if form.get("reason_code") not in get_args(VoidReason):
        raise InvalidForm("a reason is needed")
    return VoidContact(
        **tell(contact_id),
        reason_code=form.get("reason_code"),  # type: ignore[arg-type] # one of them, as was just looked at
        reason=read_text(form, "reason", 500),
        correct_within=timedelta(days=doors_of(request).settings.correct_within_days),
    )


def _render_form(
    request: Request,
    principal: Principal,
    form: dict[str, Any],
    *,
    error: LianxinError | None = None,
) -> Response:
    pool = doors_of(request).pool
    named = form["cadre"] if error is not None else ""
    values = {
        "form": form,
        "own_number": own_number(principal),
        "cadres": desk.find_cadres(pool, named[:120]),
        "is_amendment": False,
        **_choices(request, form),
    }
    return render_with(request, "new_contact.html", values, error)


def _render_amendment(request: Request, form: dict[str, Any], *, error: LianxinError | None = None) -> Response:
    values = {"form": form, "is_amendment": True, **_choices(request, form)}
    return render_with(request, "amend_contact.html", values, error)


def _render_contact(request: Request, contact_id: UUID, *, error: LianxinError | None = None) -> Response:
    pool = doors_of(request).pool
    contact = contacts.get_contact(pool, contact_id)
    versions = corrections.list_versions(pool, contact_id)
    acting = current()
    values = {
        "contact": contact,
        "versions": versions,
        "names": desk.find_names(
            pool,
            organisations=[contact.place_code, *(one.place_code for one in versions)],
            cadres=[contact.staff_number, *contact.companions],
            categories=[one.category for one in contact.issues],
            on=today(),
        ),
        "groups": _name_groups(request, with_retired=True),
        "may_raise": acting is not None and "clerk" in acting.role.split(","),
    }
    return render_with(request, "contact.html", values, error)


def _choices(request: Request, form: dict[str, Any]) -> dict[str, Any]:
    """The groups of the register that are in use, with those that the form has already."""
    groups = _name_groups(request, with_retired=False)
    for suffix in SUFFIXES:
        code = form[f"population_group{suffix}"]
        if code:
            groups.setdefault(code, code)
    latest = datetime.now(UTC).astimezone(CHINA).strftime("%Y-%m-%dT23:59")
    return {"groups": groups, "latest": latest, "places": desk.list_places(doors_of(request).pool)}


def _name_groups(request: Request, *, with_retired: bool) -> dict[str, str]:
    """By code, as the register calls them; in English, for which it has no name, as we do."""
    listed = populations.list_groups(doors_of(request).pool)
    names = TEXTS["en"]["groups"] if language_of(request) == "en" else {}
    return {one.code: names.get(one.code, one.name) for one in listed if with_retired or not one.is_retired}


def own_number(principal: Principal) -> str | None:
    """Of one who records own contacts only: whose they are."""
    acting = current()
    return principal.staff_number if acting is not None and acting.role == "cadre" else None
