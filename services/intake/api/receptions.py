"""Routes of reception days: what is announced, booking a time without an account, and the reception desk.

A booking's token travels in headers and bodies only, never in a path or query: those end up in logs.
"""

import secrets
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from services.intake.api.doors import ANSWERS, answer, describe, doors
from services.intake.api.fields import Cursor, Limit
from services.intake.api.repeats import Keyed
from services.intake.domain.commands.receptions import CancelReceptionDay, HoldReceptionDay, OfferReceptionDay
from services.intake.handlers import bookings, receptions
from services.intake.handlers.receptions import Announcement
from shared.access.principal import Principal
from shared.answers import GUARDED, Listing, Page, Shown, refuses, shows
from shared.contracts.intake.participation import Count
from shared.database import Pool
from shared.edge import CodeText, Instant, ShortText
from shared.http import Body, describe_body, json_body, json_response, leave_open, network_behind, parse_body, permit
from shared.identifiers import new_id
from shared.pages import BadCursor, decode_cursor, encode_cursor

TOKEN_BYTES = 32
SCHEME = "booking "
router = APIRouter(prefix="/v1", tags=["reception days"])


class ReceptionDayBody(Body):
    id: UUID | None = None
    organisation_code: CodeText
    staff_number: CodeText  # who receives
    place: ShortText
    topic: ShortText | None = None
    from_at: Instant
    until_at: Instant
    slot_minutes: Annotated[int, Field(ge=5, le=240)] = 30


class CancellationBody(Body):
    reason_code: CodeText


class HoldingBody(Body):
    visitor_count: Count
    staff_number: CodeText | None = None  # who received instead of the one announced


class BookingBody(Body):
    slot: Annotated[int, Field(ge=1, le=288)]
    name: ShortText
    phone: ShortText
    topic: ShortText | None = None


class TokenBody(Body):
    token: Annotated[str, Field(max_length=1_000)]


class MarkBody(Body):
    state: Literal["came", "absent"]


class MadeBooking(Shown):
    """`token` is shown this once."""

    id: UUID
    token: str
    starts_at: datetime


class GivenUp(Shown):
    status: Literal["cancelled"]


class MarkedVisitor(Shown):
    id: UUID
    state: Literal["came", "absent"]


@router.post("/reception-days", status_code=201, responses=ANSWERS, openapi_extra=describe_body(ReceptionDayBody))
async def offer_day(
    request: Request, principal: Annotated[Principal, Depends(permit("reception_day.offer"))]
) -> Response:
    body = parse_body(ReceptionDayBody, await request.body())
    command = OfferReceptionDay(
        **await describe(request, principal, record_id=body.id),
        organisation_code=body.organisation_code,
        staff_number=body.staff_number,
        place=body.place,
        topic=body.topic,
        from_at=body.from_at,
        until_at=body.until_at,
        slot_minutes=body.slot_minutes,
    )
    return answer(await doors(request).reception_days.submit(command))


@router.post(
    "/reception-days/{reception_day_id}/cancellation",
    responses=GUARDED,
    openapi_extra=describe_body(CancellationBody),
)
async def cancel_day(
    request: Request, principal: Annotated[Principal, Depends(permit("reception_day.offer"))], reception_day_id: UUID
) -> Response:
    body = parse_body(CancellationBody, await request.body())
    command = CancelReceptionDay(
        **await describe(request, principal, record_id=reception_day_id), reason_code=body.reason_code
    )
    return answer(await doors(request).reception_cancellations.submit(command))


@router.post("/reception-days/{reception_day_id}/holding", responses=GUARDED, openapi_extra=describe_body(HoldingBody))
async def hold_day(
    request: Request, principal: Annotated[Principal, Depends(permit("reception_day.hold"))], reception_day_id: UUID
) -> Response:
    body = parse_body(HoldingBody, await request.body())
    command = HoldReceptionDay(
        **await describe(request, principal, record_id=reception_day_id),
        staff_number=body.staff_number,
        visitor_count=body.visitor_count,
    )
    return answer(await doors(request).reception_holdings.submit(command))


@router.get(
    "/reception-days",
    responses=shows(Page[Announcement]),
    dependencies=[Depends(leave_open("reception_day.read"))],
)
def list_days(
    request: Request,
    organisation: Annotated[str | None, Query(min_length=1, max_length=64)] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """What is announced, soonest first: of an organisation and all below it, or of all."""
    days = receptions.list_coming(
        doors(request).pool,
        organisation_code=organisation,
        after=_after(cursor),
        limit=limit,
        now=datetime.now(UTC),
    )
    last = days[-1] if len(days) == limit else None
    following = encode_cursor([last.from_at.isoformat(), str(last.id)]) if last else None
    return json_response({"items": [asdict(day) for day in days], "next_cursor": following})


def _after(cursor: str | None) -> tuple[datetime, UUID] | None:
    if cursor is None:
        return None
    at, day_id = decode_cursor(cursor, length=2)
    try:
        return datetime.fromisoformat(at or ""), UUID(day_id or "")
    except ValueError:
        raise BadCursor("the cursor is not one of ours") from None


@router.post(
    "/reception-days/{reception_day_id}/bookings",
    status_code=201,
    responses=shows(MadeBooking, status=201) | refuses(404, 409),
    dependencies=[Depends(leave_open("booking.make"))],
    openapi_extra=describe_body(BookingBody),
)
def book(
    request: Request, reception_day_id: UUID, body: Annotated[BookingBody, Depends(json_body(BookingBody))]
) -> Response:
    """Book a time. The token is shown this once: it looks at the booking and gives it up."""
    pool, now = doors(request).pool, datetime.now(UTC)
    bookings.count_try(pool, network_behind(request), now=now)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    wanted = bookings.Wanted(
        id=new_id(),
        reception_day_id=reception_day_id,
        slot=body.slot,
        name=body.name,
        phone=body.phone,
        topic=body.topic,
    )
    starts_at = bookings.book(pool, wanted, token, now=now)
    return json_response({"id": wanted.id, "token": token, "starts_at": starts_at}, status=201)


@router.get(
    "/reception-bookings",
    responses=shows(bookings.OwnBooking) | refuses(404),
    dependencies=[Depends(leave_open("booking.read_own"))],
)
def look_at_booking(request: Request) -> Response:
    """The booking of the header `Authorization: Booking <token>`."""
    given = request.headers.get("authorization", "")
    token = given[len(SCHEME) :] if given[: len(SCHEME)].lower() == SCHEME else ""
    pool = doors(request).pool
    bookings.count_try(pool, network_behind(request), now=datetime.now(UTC))
    return json_response(asdict(bookings.look_at(pool, token)))


@router.post(
    "/reception-bookings/cancellation",
    responses=shows(GivenUp) | refuses(404, 409),
    dependencies=[Depends(leave_open("booking.make"))],
    openapi_extra=describe_body(TokenBody),
)
def give_up_booking(request: Request, body: Annotated[TokenBody, Depends(json_body(TokenBody))]) -> Response:
    pool, now = doors(request).pool, datetime.now(UTC)
    bookings.count_try(pool, network_behind(request), now=now)
    bookings.give_up(pool, body.token, now=now)
    return json_response({"status": "cancelled"})


@router.get("/reception-days/{reception_day_id}/bookings", responses=shows(Listing[bookings.Visitor]))
def list_visitors(
    request: Request, _: Annotated[Principal, Depends(permit("booking.read"))], reception_day_id: UUID
) -> Response:
    visitors = bookings.list_visitors(doors(request).pool, reception_day_id)
    return json_response({"items": [asdict(visitor) for visitor in visitors]})


@router.post(
    "/reception-days/{reception_day_id}/bookings/{booking_id}/mark",
    responses=shows(MarkedVisitor) | refuses(409),
    openapi_extra=describe_body(MarkBody),
)
def mark_visitor(
    _: Annotated[Principal, Depends(permit("reception_day.hold"))],
    once: Keyed,
    reception_day_id: UUID,
    booking_id: UUID,
    body: Annotated[MarkBody, Depends(json_body(MarkBody))],
) -> Response:
    def mark(pool: Pool) -> Response:
        bookings.mark(pool, reception_day_id, booking_id, body.state)
        return json_response({"id": booking_id, "state": body.state})

    return once.run(mark)
