"""Scores by the schemes of places, of closed periods: read under the rules of the publications they come from."""

from datetime import date
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Response

from services.assessment.domain.periods import parse_period
from services.assessment.domain.scores import SubjectKind
from services.assessment.handlers import place_scores
from services.assessment.storage.place_scores import PlaceScore
from shared.access.principal import Principal
from shared.answers import Page, Shown, shows
from shared.database import Pool
from shared.edge import CodeText, SafeStr
from shared.http import AppPool, json_response, permit
from shared.pages import BadCursor, decode_cursor, encode_cursor

router = APIRouter()
CadreReader = Annotated[Principal, Depends(permit("published.cadre.read"))]
OrganisationReader = Annotated[Principal, Depends(permit("published.organisation.read"))]
PeriodText = Annotated[SafeStr, Query(alias="period", max_length=24)]
Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(max_length=2_000)]


class ShownSubject(Shown):
    kind: SubjectKind | None = None
    code: str
    name: str


class ShownDays(Shown):
    period: str
    kind: str
    start: date
    end: date


class ShownScheme(Shown):
    name: str
    version: int
    content_hash: str


class ShownItem(Shown):
    key: str
    name: dict[str, str]
    points: str | None
    missing: bool


class ShownContribution(Shown):
    part: str
    key: str
    amount: str


class ShownPlaceScore(Shown):
    """`contributions` add up to `total` to the last digit."""

    subject: ShownSubject
    organisation: ShownSubject | None
    peer_group: str | None
    period: ShownDays
    scheme: ShownScheme
    total: str | None
    withheld: str | None
    grade: str | None
    places: dict[str, str]
    flags: list[dict[str, str]]
    items: list[ShownItem]
    contributions: list[ShownContribution]
    explanation: dict[str, list[str]]
    content_hash: str


@router.get("/v1/published/place-scores/cadre", responses=shows(Page[ShownPlaceScore]))
def list_cadre_place_scores(
    _: CadreReader, pool: AppPool, *, period_text: PeriodText, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    return json_response(_list(pool, "cadre", period_text, limit=limit, cursor=cursor))


@router.get("/v1/published/place-scores/organisation", responses=shows(Page[ShownPlaceScore]))
def list_organisation_place_scores(
    _: OrganisationReader, pool: AppPool, *, period_text: PeriodText, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    return json_response(_list(pool, "organisation", period_text, limit=limit, cursor=cursor))


@router.get("/v1/published/place-scores/cadre/{code}", responses=shows(ShownPlaceScore))
def get_cadre_place_score(code: CodeText, period_text: PeriodText, _: CadreReader, pool: AppPool) -> Response:
    return json_response(_show(place_scores.get_place_score(pool, "cadre", code, parse_period(period_text))))


@router.get("/v1/published/place-scores/organisation/{code}", responses=shows(ShownPlaceScore))
def get_organisation_place_score(
    code: CodeText, period_text: PeriodText, _: OrganisationReader, pool: AppPool
) -> Response:
    found = place_scores.get_place_score(pool, "organisation", code, parse_period(period_text))
    return json_response(_show(found))


def _list(pool: Pool, kind: SubjectKind, period_text: str, *, limit: int, cursor: str | None) -> dict[str, Any]:
    after = decode_cursor(cursor, length=1)[0] if cursor is not None else None
    if cursor is not None and not after:
        raise BadCursor("the cursor is not one of ours")
    found = place_scores.list_place_scores(pool, kind, parse_period(period_text), after=after, limit=limit + 1)
    more = len(found) > limit
    return {
        "items": [_show(one) for one in found[:limit]],
        "next_cursor": encode_cursor([found[limit - 1].subject_code]) if more else None,
    }


def _show(score: PlaceScore) -> dict[str, Any]:
    return {**orjson.loads(score.document), "content_hash": score.content_hash.hex()}
