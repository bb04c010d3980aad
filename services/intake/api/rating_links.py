"""Routes of one-time rating links: issuing one to whoever sends it, and what a program of a citizen's can do with it.

The token travels in headers and bodies only, never in a path or query: those end up in logs.
"""

import secrets
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from services.intake.api.doors import doors
from services.intake.handlers import rating_links
from shared.access.principal import Principal
from shared.answers import Shown, refuses, shows
from shared.http import Body, describe_body, json_body, json_response, leave_open, network_behind, permit
from shared.observability import correlation_id

TOKEN_BYTES = 32
SCHEME = "link "
router = APIRouter(tags=["rating links"])


class LinkRatingBody(Body):
    token: Annotated[str, Field(max_length=1_000)]
    level: Annotated[int, Field(ge=1, le=5)]
    solved: bool | None = None


class IssuedLink(Shown):
    token: str
    expires_at: datetime


class LiveLink(Shown):
    expires_at: datetime


class RatedByLink(Shown):
    status: Literal["created"]


@router.post(
    "/v1/issues/{issue_id}/rating-link",
    status_code=201,
    responses=shows(IssuedLink, status=201) | refuses(_409="The issue is not closed, or was rated by a link."),
)
def issue_link(request: Request, _: Annotated[Principal, Depends(permit("link.issue"))], issue_id: UUID) -> Response:
    token = secrets.token_urlsafe(TOKEN_BYTES)
    expires_at = rating_links.issue_link(doors(request).pool, issue_id, token, now=datetime.now(UTC))
    return json_response({"token": token, "expires_at": expires_at}, status=201)


@router.head("/v1/rating-links", include_in_schema=False, dependencies=[Depends(leave_open("link.read"))])
@router.get(
    "/v1/rating-links",
    dependencies=[Depends(leave_open("link.read"))],
    responses=shows(LiveLink) | refuses(404),
)
def look_at_link(request: Request) -> Response:
    """Whether the link of the header `Authorization: Link <token>` can be used. Looking never uses it."""
    given = request.headers.get("authorization", "")
    token = given[len(SCHEME) :] if given[: len(SCHEME)].lower() == SCHEME else ""
    pool, now = doors(request).pool, datetime.now(UTC)
    rating_links.count_try(pool, network_behind(request), now=now)
    return json_response({"expires_at": rating_links.look_at_link(pool, token, now=now)})


@router.post(
    "/v1/rating-links/rating",
    status_code=201,
    dependencies=[Depends(leave_open("link.use"))],
    responses=shows(RatedByLink, status=201) | refuses(404),
    openapi_extra=describe_body(LinkRatingBody),
)
def rate_by_link(request: Request, body: Annotated[LinkRatingBody, Depends(json_body(LinkRatingBody))]) -> Response:
    """Record the rating and use the link up. Whatever is no live link gets one and the same 404."""
    pool, now = doors(request).pool, datetime.now(UTC)
    rating_links.count_try(pool, network_behind(request), now=now)
    given = rating_links.GivenRating(token=body.token, level=body.level, solved=body.solved)
    rating_links.rate_by_link(pool, given, correlation_id=correlation_id(), now=now)
    return json_response({"status": "created"}, status=201)
