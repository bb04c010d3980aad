"""The route of the feed of changes."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from services.intake.api.doors import doors
from services.intake.domain.changes import read_position
from services.intake.handlers import changes
from shared.access.principal import Principal
from shared.answers import shows
from shared.http import json_response, permit
from shared.schedule import load_schedule

router = APIRouter(prefix="/v1/changes", tags=["changes"])


@router.get("", responses=shows(changes.ChangePage))
def list_changes(
    request: Request,
    _: Annotated[Principal, Depends(permit("change.read"))],
    after: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 200,
) -> Response:
    """Events in the order in which they were committed, from behind a position or from the oldest that is kept.

    Nothing is left out between two positions, and nothing comes twice, however many write meanwhile.
    """
    now = datetime.now(UTC)
    keep = load_schedule(doors(request).settings.retention_schedule).keep["sent_events"]
    page = changes.list_changes(
        doors(request).pool,
        after=read_position(after) if after is not None else None,
        limit=limit,
        kept_since=keep.before(now),
        now=now,
    )
    return json_response(page)
