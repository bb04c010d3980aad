"""The pages of reception days: what is announced, booking a time, and looking at or giving up what was booked.

Whoever books keeps a code and nothing else. It travels in the bodies of forms only, never in an address: those end up
in logs. The form brings the code along, so that a form which is sent twice books once and shows the same code again.
"""

import re
import secrets
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.intake.handlers import bookings, receptions
from services.intake.handlers.bookings import Wanted
from services.intake.storage.receptions import BookingNotFound
from services.intake.web.forms import TOLD, InvalidForm, Sent, read_id, read_place, read_text, refuse_foreign
from services.intake.web.rendering import doors_of
from shared.errors import LianxinError
from shared.frame.forms import Form
from shared.http import leave_open, network_behind
from shared.identifiers import new_id
from shared.site import render, render_with

router = APIRouter()
FORM_PATHS: Final = ("/reception-days/booking", "/reception-bookings", "/reception-bookings/cancellation")
MOST_DAYS: Final = 100
CODE_BYTES: Final = 32
FIELDS: Final = ("day_id", "code", "slot", "name", "phone", "topic")
_CODE: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
reading = Depends(leave_open("reception_day.read"))
booking = Depends(leave_open("booking.make"))
looking = Depends(leave_open("booking.read_own"))


@router.get("/reception-days", include_in_schema=False, dependencies=[reading])
def get_days(request: Request, organisation: str | None = None) -> Response:
    code = (organisation or "").replace("\0", "")[:64] or None
    found = receptions.list_coming(
        doors_of(request).pool, organisation_code=code, after=None, limit=MOST_DAYS, now=datetime.now(UTC)
    )
    return render(request, "reception_days.html", days=found)


@router.get("/reception-days/{day_id}", include_in_schema=False, dependencies=[reading])
def get_day(request: Request, day_id: str) -> Response:
    typed = {**dict.fromkeys(FIELDS, ""), "code": secrets.token_urlsafe(CODE_BYTES)}
    return _render_day(request, read_place(day_id), typed)


@router.post("/reception-days/booking", include_in_schema=False, dependencies=[booking])
def post_booking(request: Request, sent: Sent) -> Response:
    form, foreign = sent
    day_id, pool, now = read_id(form, "day_id"), doors_of(request).pool, datetime.now(UTC)
    bookings.count_try(pool, network_behind(request), now=now)
    try:
        refuse_foreign(foreign)
        code = _read_code(form)
        if _find_own(request, code) is None:
            bookings.book(pool, _read_wish(form, day_id), code, now=now)
    except TOLD as error:
        return _render_day(request, day_id, {name: form.get(name) for name in FIELDS}, error=error)
    return _render_own(request, code, is_new=True)


@router.get("/reception-bookings", include_in_schema=False, dependencies=[looking])
def get_form(request: Request) -> Response:
    return render(request, "own_booking.html", own=None, code="", is_new=False)


@router.post("/reception-bookings", include_in_schema=False, dependencies=[looking])
def post_code(request: Request, sent: Sent) -> Response:
    return _with_code(request, sent, gives_up=False)


@router.post("/reception-bookings/cancellation", include_in_schema=False, dependencies=[booking])
def post_cancellation(request: Request, sent: Sent) -> Response:
    return _with_code(request, sent, gives_up=True)


def _with_code(request: Request, sent: Sent, *, gives_up: bool) -> Response:
    form, foreign = sent
    pool, now = doors_of(request).pool, datetime.now(UTC)
    bookings.count_try(pool, network_behind(request), now=now)
    try:
        refuse_foreign(foreign)
        code = _read_code(form)
        if gives_up:
            bookings.give_up(pool, code, now=now)
        return _render_own(request, code)
    except (*TOLD, BookingNotFound) as error:
        values: dict[str, Any] = {"own": None, "code": form.get("code")[: CODE_BYTES * 2], "is_new": False}
        return render_with(request, "own_booking.html", values, error)


def _read_code(form: Form) -> str:
    """Raises BookingNotFound for what no booking's code looks like."""
    code = form.get("code").strip()
    if not _CODE.fullmatch(code):
        raise BookingNotFound("there is no such booking")
    return code


def _read_wish(form: Form, day_id: UUID) -> Wanted:
    """Raises InvalidForm."""
    name, phone = read_text(form, "name", 200), read_text(form, "phone", 60)
    if name is None or phone is None or not re.fullmatch("[0-9]{1,3}", form.get("slot"), re.ASCII):
        raise InvalidForm("a booking has a time, a name and a phone")
    return Wanted(
        id=new_id(),
        reception_day_id=day_id,
        slot=int(form.get("slot")),
        name=name,
        phone=phone,
        topic=read_text(form, "topic", 200),
    )


def _find_own(request: Request, code: str) -> bookings.OwnBooking | None:
    try:
        return bookings.look_at(doors_of(request).pool, code)
    except BookingNotFound:
        return None


def _render_day(
    request: Request, day_id: UUID, typed: dict[str, str], *, error: LianxinError | None = None
) -> Response:
    day = receptions.get_coming(doors_of(request).pool, day_id, now=datetime.now(UTC))
    return render_with(request, "reception_day.html", {"day": day, "form": {**typed, "day_id": str(day_id)}}, error)


def _render_own(request: Request, code: str, *, is_new: bool = False) -> Response:
    """Raises BookingNotFound."""
    own = bookings.look_at(doors_of(request).pool, code)
    return render(request, "own_booking.html", status=201 if is_new else 200, own=own, code=code, is_new=is_new)
