"""Routes of ratings."""

from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import AfterValidator, Field, model_validator

from services.intake.api.doors import ANSWERS, answer, describe, doors
from services.intake.domain.commands.ratings import SubmitRating
from services.intake.domain.ratings import LONGEST_COMMENT
from shared.access.principal import Principal
from shared.contracts.intake.ratings import RatingMethod
from shared.edge import PLAIN_TEXT, Instant, check_text
from shared.http import Body, describe_body, either, parse_body, permit

router = APIRouter(prefix="/v1/ratings", tags=["ratings"])
LevelNumber = Annotated[int, Field(ge=1, le=5)]
CommentText = Annotated[
    str, Field(min_length=1, max_length=LONGEST_COMMENT, json_schema_extra=PLAIN_TEXT), AfterValidator(check_text)
]


class RatingBody(Body):
    model_config = either("issue_id", "contact_id")

    id: UUID | None = None
    issue_id: UUID | None = None
    contact_id: UUID | None = None
    level: LevelNumber
    solved: bool | None = None
    attitude: LevelNumber | None = None
    speed: LevelNumber | None = None
    comment: CommentText | None = None
    method: RatingMethod
    rated_at: Instant | None = None

    @model_validator(mode="after")
    def _rates_one_thing(self) -> Self:
        if (self.issue_id is None) == (self.contact_id is None):
            raise ValueError("exactly one of issue_id and contact_id")
        return self


@router.post("", status_code=201, responses=ANSWERS, openapi_extra=describe_body(RatingBody))
async def submit_rating(
    request: Request, principal: Annotated[Principal, Depends(permit("rating.submit"))]
) -> Response:
    body = parse_body(RatingBody, await request.body())
    command = SubmitRating(
        **await describe(request, principal, record_id=body.id),
        issue_id=body.issue_id,
        contact_id=body.contact_id,
        level=body.level,
        solved=body.solved,
        attitude=body.attitude,
        speed=body.speed,
        comment=body.comment,
        method=body.method,
        rated_at=body.rated_at,
    )
    return answer(await doors(request).ratings.submit(command))
