"""Routes of samples for call-backs: drawing one, reading it, and the list that it was drawn from."""

import secrets
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from services.intake.api.doors import doors
from services.intake.api.fields import Cursor, Limit
from services.intake.api.repeats import Keyed
from services.intake.handlers import rating_samples
from services.intake.storage.rating_samples import Sample
from shared.access.principal import Principal
from shared.answers import Page, Shown, refuses, shows
from shared.database import Pool
from shared.edge import CodeText
from shared.http import Body, describe_body, json_body, json_response, permit
from shared.pages import BadCursor, decode_cursor, encode_cursor

router = APIRouter(tags=["call-backs"])
SeedText = Annotated[str, Field(min_length=8, max_length=200, pattern=r"^[!-~]+$")]


class SampleBody(Body):
    """Without a seed one is made. A seed that was drawn in public is given, and is published as it was."""

    organisation_code: CodeText
    period: CodeText
    seed: SeedText | None = None


class ShownSample(Shown):
    id: UUID
    organisation_code: str
    period: str
    seed: str
    algorithm: str
    share: str
    list_hash: str
    drawn_at: datetime


class SampleMember(Shown):
    unit_id: UUID
    unit_code: str
    issue_id: UUID
    is_drawn: bool


@router.post(
    "/v1/rating-samples",
    status_code=201,
    responses=shows(ShownSample, status=201, headers=("Location",))
    | shows(ShownSample, description="It was drawn before.")
    | refuses(404, _409="The period is not over, or was drawn with another seed."),
    openapi_extra=describe_body(SampleBody),
)
def draw_sample(
    request: Request,
    _: Annotated[Principal, Depends(permit("rating_sample.draw"))],
    once: Keyed,
    body: Annotated[SampleBody, Depends(json_body(SampleBody))],
) -> Response:
    """Draw whom to call back, of each unit of an organisation that is not one's own. A second draw gives the same."""
    rules, seeds = doors(request).rating_rules, rating_samples.Seeds(given=body.seed, spare=secrets.token_hex(16))

    def draw(pool: Pool) -> Response:
        now = datetime.now(UTC)
        drawn = rating_samples.draw_sample(pool, body.organisation_code, body.period, seeds=seeds, rules=rules, now=now)
        headers = {"Location": f"/v1/rating-samples/{drawn.sample.id}"}
        return json_response(_sample(drawn.sample), status=201 if drawn.is_new else 200, headers=headers)

    return once.run(draw)


@router.get("/v1/rating-samples/{sample_id}", responses=shows(ShownSample))
def get_sample(
    request: Request, _: Annotated[Principal, Depends(permit("rating_sample.read"))], sample_id: UUID
) -> Response:
    return json_response(_sample(rating_samples.get_sample(doors(request).pool, sample_id)))


@router.get("/v1/rating-samples/{sample_id}/members", responses=shows(Page[SampleMember]))
def list_members(
    request: Request,
    _: Annotated[Principal, Depends(permit("rating_sample.read"))],
    sample_id: UUID,
    limit: Limit = 500,
    cursor: Cursor = None,
) -> Response:
    """The whole list that was drawn from, by unit and issue: with the seed, all that drawing again takes."""
    found = rating_samples.list_members(doors(request).pool, sample_id, after=_member_after(cursor), limit=limit)
    last = found[-1] if len(found) == limit else None
    following = encode_cursor([str(last.unit_id), str(last.issue_id)]) if last else None
    return json_response({"items": [asdict(member) for member in found], "next_cursor": following})


def _member_after(cursor: str | None) -> tuple[UUID, UUID] | None:
    """Raises BadCursor."""
    if cursor is None:
        return None
    unit_id, issue_id = decode_cursor(cursor, length=2)
    try:
        return UUID(unit_id or ""), UUID(issue_id or "")
    except ValueError:
        raise BadCursor("the cursor is not one of ours") from None


def _sample(sample: Sample) -> dict[str, Any]:
    return {**asdict(sample), "share": str(sample.share), "list_hash": sample.list_hash.hex()}
