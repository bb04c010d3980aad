"""Closed periods as the schemes of places scored them: replays, and packages that are verified elsewhere."""

from collections.abc import Iterator
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Path, Response
from starlette.responses import StreamingResponse

from services.assessment.api.place_scores import ShownDays
from services.assessment.api.shapes import show_period
from services.assessment.domain.periods import parse_period
from services.assessment.domain.scores import SubjectKind
from services.assessment.handlers import place_replays
from services.assessment.handlers.place_replays import PlacePackage
from shared.access.principal import Principal
from shared.answers import Shown, gives, refuses, shows
from shared.edge import SafeStr
from shared.http import AppPool, json_response, permit

router = APIRouter()
Replayer = Annotated[Principal, Depends(permit("period.disclose"))]
PeriodPath = Annotated[SafeStr, Path(alias="period", max_length=24)]
PACKAGE_VERSION = 1
LINES: dict[str, Any] = {"application/x-ndjson": {"schema": {"type": "string"}}}


class ShownSubjectId(Shown):
    subject_kind: SubjectKind
    subject_id: UUID


class ShownPlaceReplay(Shown):
    """What came out when the period was scored again. `reworded`: the same figures, explained in other words."""

    period: ShownDays
    scores: int
    reworded: int
    is_same: bool
    expected: str | None
    found: str
    differing: list[ShownSubjectId]


@router.get("/v1/place-periods/{period}/replay", responses=shows(ShownPlaceReplay) | refuses(404))
def replay_period(_: Replayer, pool: AppPool, period_text: PeriodPath) -> Response:
    """Score it again by the schemes that scored it, and compare by hash."""
    found = place_replays.replay_places(pool, parse_period(period_text), most=place_replays.MOST_OVER_THE_DOOR)
    return json_response(
        {
            "period": show_period(found.period),
            "scores": found.scores,
            "reworded": found.reworded,
            "is_same": found.is_same,
            "expected": found.expected,
            "found": found.found,
            "differing": [{"subject_kind": kind, "subject_id": subject} for kind, subject in found.differing],
        }
    )


@router.get(
    "/v1/place-periods/{period}/package",
    response_class=StreamingResponse,
    responses=gives(200, description="The period and its schemes, then a line a score.", content=LINES) | refuses(404),
)
def get_package(_: Replayer, pool: AppPool, period_text: PeriodPath) -> Response:
    """All that it takes to score a closed period again: python3 tools/verify_place.py FILE."""
    package = place_replays.open_place_package(pool, parse_period(period_text))
    return StreamingResponse(_lines(package), media_type="application/x-ndjson")


def _lines(package: PlacePackage) -> Iterator[bytes]:
    done = package.done
    head = {
        "package": PACKAGE_VERSION,
        "period": show_period(package.period),
        "schemes": [
            {
                "name": stored.name,
                "version": stored.version,
                "document": stored.document,
                "content_hash": stored.content_hash.hex(),
            }
            for stored in package.schemes
        ],
        "failed": done.failed,
        "score_count": done.score_count,
        "content_hash": done.content_hash.hex() if done.content_hash is not None else None,
        "scored_at": done.done_at,
    }
    yield orjson.dumps(head) + b"\n"
    for one in package.scores:
        line = {
            "subject_kind": one.subject_kind,
            "subject_id": one.subject_id,
            "scheme": {"name": one.scheme_name, "version": one.scheme_version},
            "publication": orjson.Fragment(one.publication),
            "publication_hash": one.publication_hash.hex(),
            "document": orjson.Fragment(one.document),
            "content_hash": one.content_hash.hex(),
        }
        yield orjson.dumps(line) + b"\n"
