"""What is published: for cadres their own figures, for heads those of their unit, for machines both. Nothing is live.

Cadres and organisations have routes of their own, because they are read under different rules.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from services.assessment.api.closed_periods import ShownDays
from services.assessment.api.described import ShownPublication, ShownPublicationInFull
from services.assessment.api.shapes import Shape, fixed, show_period
from services.assessment.domain.periods import parse_period
from services.assessment.domain.schemes import Indicator
from services.assessment.domain.scores import SubjectKind
from services.assessment.handlers import published
from services.assessment.handlers.published import PublicationReading
from shared.access.principal import Principal
from shared.answers import Listing, Page, shows
from shared.conditions import tagged
from shared.database import Pool
from shared.edge import CodeText, SafeStr
from shared.http import AppPool, json_response, permit
from shared.pages import BadCursor, decode_cursor, encode_cursor

router = APIRouter()
PeriodReader = Annotated[Principal, Depends(permit("published.period.read"))]
CadreReader = Annotated[Principal, Depends(permit("published.cadre.read"))]
OrganisationReader = Annotated[Principal, Depends(permit("published.organisation.read"))]
PeriodText = Annotated[SafeStr, Query(alias="period", max_length=24)]
Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(max_length=2_000)]


@router.get("/v1/published/periods", responses=shows(Listing[ShownDays]))
def list_published_periods(_: PeriodReader, pool: AppPool) -> Response:
    return json_response({"items": [show_period(period) for period in published.list_published_periods(pool)]})


@router.get("/v1/published/scores/cadre", responses=shows(Page[ShownPublication]))
def list_published_cadres(
    _: CadreReader, pool: AppPool, *, period_text: PeriodText, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    return json_response(_list(pool, "cadre", period_text, limit=limit, cursor=cursor))


@router.get("/v1/published/scores/organisation", responses=shows(Page[ShownPublication]))
def list_published_organisations(
    _: OrganisationReader, pool: AppPool, *, period_text: PeriodText, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    return json_response(_list(pool, "organisation", period_text, limit=limit, cursor=cursor))


@router.get("/v1/published/scores/cadre/{code}", responses=shows(ShownPublicationInFull, headers=("ETag",)))
def get_published_cadre(
    request: Request, code: CodeText, period_text: PeriodText, _: CadreReader, pool: AppPool
) -> Response:
    return tagged(request, _show(_read(pool, "cadre", code, period_text)))


@router.get("/v1/published/scores/organisation/{code}", responses=shows(ShownPublicationInFull, headers=("ETag",)))
def get_published_organisation(
    request: Request, code: CodeText, period_text: PeriodText, _: OrganisationReader, pool: AppPool
) -> Response:
    return tagged(request, _show(_read(pool, "organisation", code, period_text)))


def _read(pool: Pool, kind: SubjectKind, code: str, period_text: str) -> PublicationReading:
    return published.read_publication(pool, kind, code, parse_period(period_text))


def _list(pool: Pool, kind: SubjectKind, period_text: str, *, limit: int, cursor: str | None) -> Shape:
    """By code, page by page. Of each only the figures: their definitions are with the single publication."""
    after = decode_cursor(cursor, length=1)[0] if cursor is not None else None
    if cursor is not None and not after:
        raise BadCursor("the cursor is not one of ours")
    period = parse_period(period_text)
    found = published.list_publications(pool, kind, period, after=after, limit=limit + 1)
    page = found[:limit]
    following = encode_cursor([page[-1].document["subject"]["code"]]) if len(found) > limit else None
    items = [one.document | {"content_hash": one.content_hash.hex()} for one in page]
    return {"items": items, "next_cursor": following}


def _show(found: PublicationReading) -> Shape:
    definitions = {indicator.key: indicator for indicator in found.scheme.indicators}
    indicators = [_define(figures, definitions[figures["key"]]) for figures in found.document["indicators"]]
    return found.document | {"indicators": indicators, "content_hash": found.content_hash.hex()}


def _define(figures: dict[str, Any], indicator: Indicator) -> Shape:
    return {
        **figures,
        "name": indicator.name,
        "description": indicator.description,
        "reads_ratings": sorted(indicator.reads_ratings),
        "full_weight": fixed(indicator.weight, 4),
        "minimum_denominator": indicator.minimum_denominator,
    }
