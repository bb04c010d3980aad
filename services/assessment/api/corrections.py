"""Corrections of what is published: what came late, what the figure would be, and since when that is known."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Query, Response

from services.assessment.api.closed_periods import ShownDays
from services.assessment.api.shapes import Shape, fixed, show_period
from services.assessment.domain.periods import Period, parse_period
from services.assessment.domain.scores import SubjectKind
from services.assessment.handlers import corrections
from services.assessment.storage.corrections import Correction
from shared.access.principal import Principal
from shared.answers import Page, Shown, shows
from shared.database import Pool
from shared.edge import CodeText, SafeStr
from shared.http import AppPool, json_response, permit
from shared.pages import BadCursor, decode_cursor, encode_cursor

router = APIRouter()
CadreReader = Annotated[Principal, Depends(permit("published.cadre.read"))]
OrganisationReader = Annotated[Principal, Depends(permit("published.organisation.read"))]
PeriodText = Annotated[SafeStr | None, Query(alias="period", max_length=24)]
Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(max_length=2_000)]


class ShownCause(Shown):
    event_id: UUID
    type: str
    occurred_at: datetime | None
    recorded_at: datetime


class ShownCauses(Shown):
    """Which events came late: how many, and the first fifty."""

    count: int
    events: list[ShownCause]


class ShownChange(Shown):
    published: int
    would_be: int


class ShownCorrection(Shown):
    """What was published stays. `number` counts the corrections of one publication; the last one holds."""

    subject_kind: Literal["cadre", "organisation"]
    subject_code: str
    period: ShownDays
    number: int
    known_at: datetime
    cause: ShownCauses
    changes: dict[str, ShownChange]
    composite_was: str | None
    composite_would_be: str | None
    effect: str | None
    document: dict[str, Any]
    content_hash: str


@router.get("/v1/published/corrections/cadre", responses=shows(Page[ShownCorrection]))
def list_cadre_corrections(
    _: CadreReader,
    pool: AppPool,
    *,
    code: CodeText | None = None,
    period_text: PeriodText = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    return json_response(_list(pool, "cadre", code, period_text, limit=limit, cursor=cursor))


@router.get("/v1/published/corrections/organisation", responses=shows(Page[ShownCorrection]))
def list_organisation_corrections(
    _: OrganisationReader,
    pool: AppPool,
    *,
    code: CodeText | None = None,
    period_text: PeriodText = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    return json_response(_list(pool, "organisation", code, period_text, limit=limit, cursor=cursor))


def _list(
    pool: Pool, kind: SubjectKind, code: str | None, period_text: str | None, *, limit: int, cursor: str | None
) -> Shape:
    period = parse_period(period_text) if period_text is not None else None
    found = corrections.list_corrections(
        pool, kind, code=code, period=period, before=_read_place(cursor), limit=limit + 1
    )
    page = found[:limit]
    following = encode_cursor([str(page[-1].place)]) if len(found) > limit else None
    return {"items": [_show(correction) for correction in page], "next_cursor": following}


def _read_place(cursor: str | None) -> int | None:
    """Raises BadCursor."""
    if cursor is None:
        return None
    (text,) = decode_cursor(cursor, length=1)
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 18:
        raise BadCursor("the cursor is not one of ours")
    return int(text)


def _show(correction: Correction) -> Shape:
    was, would_be = correction.composite_was, correction.composite_would_be
    period = Period(
        kind=correction.period_kind,
        start=correction.period_start,
        last=correction.period_end if correction.period_kind == "custom" else None,
    )
    return {
        "subject_kind": correction.subject_kind,
        "subject_code": correction.subject_code,
        "period": show_period(period),
        "number": correction.number,
        "known_at": correction.known_at,
        "cause": correction.cause,
        "changes": correction.changes,
        "composite_was": fixed(was, 2),
        "composite_would_be": fixed(would_be, 2),
        "effect": fixed(would_be - was, 2) if was is not None and would_be is not None else None,
        "document": orjson.Fragment(correction.document),
        "content_hash": correction.content_hash.hex(),
    }
