"""Routes of samples for call-backs: drawing one, reading it, and the list that it was drawn from."""

import secrets
from dataclasses import asdict
from datetime import UTC, datetime
from fractions import Fraction
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from services.intake.api.doors import doors
from services.intake.api.fields import Cursor, Limit
from services.intake.api.repeats import Keyed
from services.intake.domain.rating_samples import UnitCounts, digest_secret
from services.intake.handlers import rating_samples
from services.intake.handlers.rating_samples import Drawn
from services.intake.storage.rating_samples import ShownMember
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
    self_attested_share: str | None
    secret_hash: str | None
    secret: str | None
    list_hash: str
    drawn_at: datetime


class SampleMember(Shown):
    unit_id: UUID
    unit_code: str
    issue_id: UUID
    is_self_attested: bool
    is_drawn: bool
    is_targeted: bool
    chance: str


class FoundPart(Shown):
    drawn: int
    waiting: int
    rated: int
    satisfied: int
    denied: int
    unreachable: int


class SampleFindings(Shown):
    is_over: bool
    random: FoundPart
    targeted: FoundPart
    satisfied_share: str | None
    denied_share: str | None
    unreachable_share: str | None


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
    """Draw whom to call back, of each unit of an organisation that is not one's own. A second draw gives the same.

    `secret` goes into the drawing and is told when nobody is left to be called; its `secret_hash` is told at once.
    """
    rules, seeds = (
        doors(request).rating_rules,
        rating_samples.Seeds(given=body.seed, spare=secrets.token_hex(16), secret=secrets.token_hex(16)),
    )

    def draw(pool: Pool) -> Response:
        now = datetime.now(UTC)
        drawn = rating_samples.draw_sample(pool, body.organisation_code, body.period, seeds=seeds, rules=rules, now=now)
        headers = {"Location": f"/v1/rating-samples/{drawn.sample.id}"}
        return json_response(_sample(drawn), status=201 if drawn.is_new else 200, headers=headers)

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
    """The whole list that was drawn from, by unit and issue: with seed and secret, all that drawing again takes.

    `chance` is how likely each was to be drawn in one way or the other.
    """
    found, units = rating_samples.list_members(doors(request).pool, sample_id, after=_member_after(cursor), limit=limit)
    last = found[-1] if len(found) == limit else None
    following = encode_cursor([str(last.unit_id), str(last.issue_id)]) if last else None
    return json_response(
        {"items": [_member(member, units[member.unit_id]) for member in found], "next_cursor": following}
    )


@router.get("/v1/rating-samples/{sample_id}/findings", responses=shows(SampleFindings))
def get_findings(
    request: Request, _: Annotated[Principal, Depends(permit("rating_sample.read"))], sample_id: UUID
) -> Response:
    """What came of the calls: of the random part, of what was drawn besides, and what that says of all."""
    found, is_over = rating_samples.get_findings(doors(request).pool, sample_id)
    return json_response(
        {
            "is_over": is_over,
            "random": asdict(found.random),
            "targeted": asdict(found.targeted),
            "satisfied_share": _written(found.satisfied_share),
            "denied_share": _written(found.denied_share),
            "unreachable_share": _written(found.unreachable_share),
        }
    )


def _member_after(cursor: str | None) -> tuple[UUID, UUID] | None:
    """Raises BadCursor."""
    if cursor is None:
        return None
    unit_id, issue_id = decode_cursor(cursor, length=2)
    try:
        return UUID(unit_id or ""), UUID(issue_id or "")
    except ValueError:
        raise BadCursor("the cursor is not one of ours") from None


def _sample(drawn: Drawn) -> dict[str, Any]:
    sample = drawn.sample
    return {
        **asdict(sample),
        "share": str(sample.share),
        "self_attested_share": None if sample.self_attested_share is None else str(sample.self_attested_share),
        "secret_hash": None if sample.secret is None else digest_secret(sample.secret),
        "secret": sample.secret if drawn.is_over else None,
        "list_hash": sample.list_hash.hex(),
    }


def _member(member: ShownMember, counts: UnitCounts) -> dict[str, Any]:
    return {**asdict(member), "chance": _written(counts.chance(is_self_attested=member.is_self_attested), places=6)}


def _written(share: Fraction | None, *, places: int = 4) -> str | None:
    return None if share is None else f"{float(share):.{places}f}"
