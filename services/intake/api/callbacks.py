"""Routes of calling citizens back: what there is to call, what came of a call, samples, invitations, participation."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import model_validator

from services.intake.api.doors import doors
from services.intake.api.fields import Cursor, Limit
from services.intake.api.paging import page, place_after
from services.intake.api.ratings import CommentText, LevelNumber
from services.intake.api.repeats import Keyed
from services.intake.domain.commands.ratings import CallOrigin
from services.intake.domain.rating_rules import RatingRules
from services.intake.domain.ratings import Answers
from services.intake.handlers import callbacks, rating_invitations
from services.intake.storage.callbacks import Result
from services.intake.storage.rating_links import Rated
from shared.access.principal import Principal
from shared.answers import Page, Shown, refuses, shows
from shared.database import Pool
from shared.edge import Instant
from shared.http import Body, describe_body, json_body, json_response, permit, told_as
from shared.identifiers import new_id

router = APIRouter(tags=["call-backs"])
Code = Annotated[str, Query(min_length=1, max_length=64)]


class CallBody(Body):
    """The answers belong to `reached_rated`, and to nothing else."""

    model_config = told_as(
        (
            {"properties": {"result": {"const": "reached_rated"}, "level": {"type": "integer"}}, "required": ["level"]},
            {
                "properties": {"result": {"not": {"const": "reached_rated"}}}
                | {name: {"type": "null"} for name in ("level", "solved", "attitude", "speed", "comment")}
            },
        )
    )

    id: UUID | None = None
    result: Result
    attempted_at: Instant | None = None
    level: LevelNumber | None = None
    solved: bool | None = None
    attitude: LevelNumber | None = None
    speed: LevelNumber | None = None
    comment: CommentText | None = None

    @model_validator(mode="after")
    def _says_what_it_was(self) -> Self:
        if (self.result == "reached_rated") != (self.level is not None):
            raise ValueError("a level belongs to reached_rated")
        if self.level is None and any(
            value is not None for value in (self.solved, self.attitude, self.speed, self.comment)
        ):
            raise ValueError("answers belong to reached_rated")
        return self


class RecordedCall(Shown):
    id: UUID
    status: Literal["created", "unchanged"]
    rating_id: UUID | None
    follow_up_count: int


class ShownTask(Shown):
    id: UUID
    at: datetime
    issue_id: UUID | None
    contact_id: UUID | None
    origin: CallOrigin
    attempts: int


class ShownInvitation(Shown):
    id: UUID
    at: datetime
    issue_id: UUID | None
    contact_id: UUID | None


class Counted(Shown):
    invited: int
    rated: int
    rate: str | None


class Participation(Counted):
    organisation_code: str
    period: str
    methods: dict[str, Counted]


Caller = Annotated[Principal, Depends(permit("callback.record"))]
CALLED: Any = (
    shows(RecordedCall, status=201)
    | shows(RecordedCall, description="The same attempt stood already.")
    | refuses(
        _409="It is not closed, was rated or denied on the telephone, was denied to this caller (`own-denial`), or the "
        "id stands with other content."
    )
)


@router.post(
    "/v1/issues/{issue_id}/callback-attempts",
    status_code=201,
    responses=CALLED,
    openapi_extra=describe_body(CallBody),
)
def record_call_about_issue(
    request: Request,
    caller: Caller,
    once: Keyed,
    issue_id: UUID,
    body: Annotated[CallBody, Depends(json_body(CallBody))],
) -> Response:
    """What came of a call. Refused for whoever handled or recorded it, and for their line (403 `own-work`).

    `reached_no_such_matter` says that there was none, `reached_did_not_ask` that somebody else asked.
    `follow_up_count` is how many more citizens are to be called because of it.
    """
    rules = doors(request).rating_rules
    return once.run(lambda pool: _record(pool, caller, Rated(issue_id=issue_id), body, rules))


@router.post(
    "/v1/contacts/{contact_id}/callback-attempts",
    status_code=201,
    responses=CALLED,
    openapi_extra=describe_body(CallBody),
)
def record_call_about_contact(
    request: Request,
    caller: Caller,
    once: Keyed,
    contact_id: UUID,
    body: Annotated[CallBody, Depends(json_body(CallBody))],
) -> Response:
    rules = doors(request).rating_rules
    return once.run(lambda pool: _record(pool, caller, Rated(contact_id=contact_id), body, rules))


@router.get("/v1/callback-tasks", responses=shows(Page[ShownTask]))
def list_tasks(
    request: Request,
    _: Annotated[Principal, Depends(permit("callback.read"))],
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """What is still to be called, the oldest first, without what is of the reader's own work or line."""
    tasks = callbacks.list_tasks(doors(request).pool, after=place_after(cursor), limit=limit)
    items = [{**asdict(task), "at": task.created_at} for task in tasks]
    for item in items:
        del item["created_at"]
    return page(items, limit)


@router.get("/v1/rating-invitations", responses=shows(Page[ShownInvitation]))
def list_due_invitations(
    request: Request,
    _: Annotated[Principal, Depends(permit("rating_invitation.read"))],
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Whom nobody has asked some days after the closing. Issuing a link, or calling, takes one up."""
    found = rating_invitations.list_due_invitations(doors(request).pool, after=place_after(cursor), limit=limit)
    items: list[dict[str, Any]] = [
        {"id": one.id, "at": one.due_at, "issue_id": one.issue_id, "contact_id": one.contact_id} for one in found
    ]
    return page(items, limit)


@router.get("/v1/rating-participation", responses=shows(Participation) | refuses(404))
def get_participation(
    request: Request,
    _: Annotated[Principal, Depends(permit("rating_participation.read"))],
    organisation_code: Code,
    period: Code,
) -> Response:
    """Of how many matters citizens were asked in a period, and how many of these are rated."""
    counted = rating_invitations.count_participation(doors(request).pool, organisation_code, period)
    methods = {name: _rated(counts) for name, counts in sorted(counted.items()) if name}
    return json_response(
        {
            "organisation_code": organisation_code,
            "period": period,
            **_rated(counted.get("", {"invited": 0, "rated": 0})),
            "methods": methods,
        }
    )


def _record(pool: Pool, caller: Principal, rated: Rated, body: CallBody, rules: RatingRules) -> Response:
    answers = None
    if body.level is not None:
        answers = Answers(
            level=body.level, solved=body.solved, attitude=body.attitude, speed=body.speed, comment=body.comment
        )
    call = callbacks.Call(
        id=body.id or new_id(),
        rated=rated,
        result=body.result,
        attempted_at=body.attempted_at,
        answers=answers,
    )
    done = callbacks.record_call(pool, call, caller, rules=rules, now=datetime.now(UTC))
    document = {
        "id": done.attempt.id,
        "status": "created" if done.is_new else "unchanged",
        "rating_id": done.attempt.rating_id,
        "follow_up_count": done.follow_up_count,
    }
    return json_response(document, status=201 if done.is_new else 200)


def _rated(counts: dict[str, int]) -> dict[str, Any]:
    rate = f"{counts['rated'] / counts['invited']:.4f}" if counts["invited"] else None
    return {**counts, "rate": rate}
