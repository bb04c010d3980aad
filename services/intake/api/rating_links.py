"""Routes of one-time rating links: issuing one to whoever sends it, and what a program of a citizen's can do with it.

The token travels in headers and bodies only, never in a path or query: those end up in logs.
"""

import secrets
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field, model_validator

from services.intake.api.doors import doors
from services.intake.api.ratings import CommentText, LevelNumber
from services.intake.api.repeats import Keyed
from services.intake.domain.ratings import Answers
from services.intake.handlers import rating_links
from services.intake.handlers.rating_pages import LONGEST_STAMP, check_stamp, stamp
from services.intake.storage.rating_links import Rated
from shared.access.principal import Principal
from shared.answers import Shown, refuses, shows
from shared.database import Pool
from shared.edge import PLAIN_TEXT, CodeText
from shared.http import Body, describe_body, either, json_body, json_response, leave_open, network_behind, permit
from shared.observability import correlation_id

TOKEN_BYTES = 32
SCHEME = "link "
router = APIRouter(tags=["rating links"])
Gateway = Annotated[Principal, Depends(permit("link.issue"))]


class LinkRatingBody(Body):
    """`page` is what looking at the link has told."""

    token: Annotated[str, Field(max_length=1_000, json_schema_extra=PLAIN_TEXT)]
    page: Annotated[str, Field(max_length=LONGEST_STAMP, json_schema_extra=PLAIN_TEXT)]
    level: LevelNumber
    solved: bool | None = None
    attitude: LevelNumber | None = None
    speed: LevelNumber | None = None
    comment: CommentText | None = None


class CounterBody(Body):
    """`device` names the counter to its owner; what is kept of it is a keyed digest."""

    model_config = either("issue_id", "contact_id")

    device: CodeText
    issue_id: UUID | None = None
    contact_id: UUID | None = None

    @model_validator(mode="after")
    def _rates_one_thing(self) -> Self:
        if (self.issue_id is None) == (self.contact_id is None):
            raise ValueError("exactly one of issue_id and contact_id")
        return self


class IssuedLink(Shown):
    token: str
    expires_at: datetime


class LiveLink(Shown):
    """`page` has to come back with the rating."""

    expires_at: datetime
    page: str


class RatedByLink(Shown):
    status: Literal["created", "changed"]


class RevokedLinks(Shown):
    revoked: int


@router.post(
    "/v1/issues/{issue_id}/rating-link",
    status_code=201,
    responses=shows(IssuedLink, status=201) | refuses(_409="The issue is not closed, or was rated by a link."),
)
def issue_link(_: Gateway, once: Keyed, issue_id: UUID) -> Response:
    return once.run(partial(_issue, Rated(issue_id=issue_id)))


@router.post(
    "/v1/contacts/{contact_id}/rating-link",
    status_code=201,
    responses=shows(IssuedLink, status=201) | refuses(_409="The contact was rated by a link."),
)
def issue_link_of_contact(_: Gateway, once: Keyed, contact_id: UUID) -> Response:
    return once.run(partial(_issue, Rated(contact_id=contact_id)))


@router.delete("/v1/issues/{issue_id}/rating-link", responses=shows(RevokedLinks))
def revoke_link(request: Request, _: Gateway, issue_id: UUID) -> Response:
    """End every link of the issue. What was rated by one stays."""
    return _revoke(request, Rated(issue_id=issue_id))


@router.delete("/v1/contacts/{contact_id}/rating-link", responses=shows(RevokedLinks))
def revoke_link_of_contact(request: Request, _: Gateway, contact_id: UUID) -> Response:
    return _revoke(request, Rated(contact_id=contact_id))


@router.post(
    "/v1/kiosk-sessions",
    status_code=201,
    openapi_extra=describe_body(CounterBody),
    responses=shows(IssuedLink, status=201)
    | refuses(404, _409="It is not closed, was not handled just now, or was rated at a counter."),
)
def open_counter(
    request: Request,
    _: Annotated[Principal, Depends(permit("rating.open_counter"))],
    once: Keyed,
    body: Annotated[CounterBody, Depends(json_body(CounterBody))],
) -> Response:
    """Give a token of some minutes, by which what was just handled is rated at this counter, once."""
    rules, rated = doors(request).rating_rules, Rated(issue_id=body.issue_id, contact_id=body.contact_id)

    def open_once(pool: Pool) -> Response:
        token = secrets.token_urlsafe(TOKEN_BYTES)
        expires_at = rating_links.open_counter(pool, rated, token, body.device, rules=rules, now=datetime.now(UTC))
        return json_response({"token": token, "expires_at": expires_at}, status=201)

    return once.run(open_once)


@router.head("/v1/rating-links", include_in_schema=False, dependencies=[Depends(leave_open("link.read"))])
@router.get(
    "/v1/rating-links",
    dependencies=[Depends(leave_open("link.read"))],
    responses=shows(LiveLink) | refuses(404),
)
def look_at_link(request: Request) -> Response:
    """Whether the link of the header `Authorization: Link <token>` can be used. Looking never uses it.

    `page` has to come back with the rating: what nobody has looked at cannot be rated.
    """
    given = request.headers.get("authorization", "")
    token = given[len(SCHEME) :] if given[: len(SCHEME)].lower() == SCHEME else ""
    pool, now = doors(request).pool, datetime.now(UTC)
    rating_links.count_try(pool, network_behind(request), now=now)
    expires_at = rating_links.look_at_link(pool, token, now=now)
    return json_response({"expires_at": expires_at, "page": stamp("rating-page", now)})


@router.post(
    "/v1/rating-links/rating",
    status_code=201,
    dependencies=[Depends(leave_open("link.use"))],
    responses=shows(RatedByLink, status=201) | shows(RatedByLink, description="Amended.") | refuses(404),
    openapi_extra=describe_body(LinkRatingBody),
)
def rate_by_link(request: Request, body: Annotated[LinkRatingBody, Depends(json_body(LinkRatingBody))]) -> Response:
    """Record the rating and use the link up; or, for a day, amend it. What is no live link gets the same 404."""
    opened, now = doors(request), datetime.now(UTC)
    rating_links.count_try(opened.pool, network_behind(request), now=now)
    given = rating_links.GivenRating(
        token=body.token,
        answers=Answers(
            level=body.level, solved=body.solved, attitude=body.attitude, speed=body.speed, comment=body.comment
        ),
        opened_at=check_stamp("rating-page", body.page, now=now),
        network=network_behind(request),
    )
    status = rating_links.rate_by_link(
        opened.pool, given, rules=opened.rating_rules, correlation_id=correlation_id(), now=now
    )
    return json_response({"status": status}, status=201 if status == "created" else 200)


def _issue(rated: Rated, pool: Pool) -> Response:
    token = secrets.token_urlsafe(TOKEN_BYTES)
    expires_at = rating_links.issue_link(pool, rated, token, now=datetime.now(UTC))
    return json_response({"token": token, "expires_at": expires_at}, status=201)


def _revoke(request: Request, rated: Rated) -> Response:
    return json_response({"revoked": rating_links.revoke_links(doors(request).pool, rated, now=datetime.now(UTC))})
