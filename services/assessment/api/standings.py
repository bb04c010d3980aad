"""Scores side by side: history, comparison of like with like, an organisation's spread, and what stood by a day."""

from datetime import datetime
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response

from services.assessment.api import shapes
from services.assessment.api.closed_periods import ShownDays
from services.assessment.api.doors import AppSettings
from services.assessment.api.shapes import Shape, fixed, show_period
from services.assessment.domain.periods import Period, parse_calendar_period, parse_period
from services.assessment.domain.scores import SubjectKind
from services.assessment.handlers import standings
from services.assessment.handlers.standings import LONGEST_HISTORY, Compared
from services.assessment.storage.standings import PastScore, PublishedThen, Spread
from shared.access.principal import Principal
from shared.answers import Listing, Shown, refuses, shows
from shared.conditions import tagged
from shared.edge import CodeText, Day, SafeStr
from shared.http import AppPool, permit

router = APIRouter()
Reader = Annotated[Principal, Depends(permit("score.read"))]
CadreReader = Annotated[Principal, Depends(permit("published.cadre.read"))]
OrganisationReader = Annotated[Principal, Depends(permit("published.organisation.read"))]
PeriodText = Annotated[SafeStr, Query(alias="period", max_length=24)]
HistoryKind = Literal["month", "quarter", "half_year", "year"]
Codes = Annotated[SafeStr, Query(min_length=1, max_length=1_500)]


class ShownVersion(Shown):
    name: str
    version: int


class ShownPast(Shown):
    period: ShownDays
    composite: str | None
    present_weight: str
    peer_group: str | None
    scheme: ShownVersion
    as_of: datetime


class ShownSpread(Shown):
    """How the composites of one peer group lie; each figure is one of somebody."""

    peer_group: str | None
    cadres: int
    scored: int
    lowest: str | None
    lower_quartile: str | None
    median: str | None
    upper_quartile: str | None
    highest: str | None


class ShownPart(Shown):
    key: str
    numerator: int
    denominator: int
    value: str | None
    points: str | None
    weight: str


class ShownCompared(Shown):
    code: str
    name: str
    composite: str | None
    rank: int | None
    indicators: list[ShownPart]


class ShownComparison(Shown):
    """Cadres of one peer group beside one another. Ranks are given where an installation has league tables alone."""

    period: ShownDays
    peer_group: str
    items: list[ShownCompared]
    peers: ShownSpread | None


class ShownThen(Shown):
    """What was published by a day, and what the last correction of it said that was known by then."""

    document: dict[str, Any]
    content_hash: str
    closed_at: datetime
    correction_number: int | None
    correction_known_at: datetime | None
    corrected_document: dict[str, Any] | None
    corrected_hash: str | None


@router.get("/v1/scores/{kind}/{code}/history", responses=shows(Listing[ShownPast], headers=("ETag",)))
def list_history(
    request: Request,
    _: Reader,
    pool: AppPool,
    kind: SubjectKind,
    code: CodeText,
    *,
    per: HistoryKind = "month",
    limit: Annotated[int, Query(ge=1, le=LONGEST_HISTORY)] = 24,
) -> Response:
    found = standings.list_history(pool, kind, code, per, limit=limit)
    return tagged(request, {"items": [_show_past(score) for score in found]})


@router.get(
    "/v1/comparisons",
    responses=shows(ShownComparison, headers=("ETag",))
    | refuses(404, _422="They are not of one peer group, or one of them has no score in the period."),
)
def compare_cadres(
    request: Request, _: Reader, pool: AppPool, settings: AppSettings, period_text: PeriodText, cadres: Codes
) -> Response:
    """`cadres` names them by staff number, with commas between."""
    period = parse_calendar_period(period_text)
    found = standings.compare_cadres(pool, cadres.split(","), period, with_ranks=settings.league_tables)
    return tagged(request, _show_comparison(found, period))


@router.get("/v1/spreads/{code}", responses=shows(Listing[ShownSpread], headers=("ETag",)))
def list_spreads(request: Request, _: Reader, pool: AppPool, code: CodeText, period_text: PeriodText) -> Response:
    found = standings.list_spreads(pool, code, parse_calendar_period(period_text))
    return tagged(request, {"items": [_show_spread(spread) for spread in found]})


@router.get("/v1/published/scores/cadre/{code}/as-of", responses=shows(ShownThen, headers=("ETag",)))
def get_cadre_then(
    request: Request,
    _: CadreReader,
    pool: AppPool,
    settings: AppSettings,
    code: CodeText,
    period_text: PeriodText,
    on: Day,
) -> Response:
    period = parse_period(period_text)
    found = standings.read_published_then(pool, "cadre", code, period, on=on, zone=settings.zone)
    return tagged(request, _show_then(found))


@router.get("/v1/published/scores/organisation/{code}/as-of", responses=shows(ShownThen, headers=("ETag",)))
def get_organisation_then(
    request: Request,
    _: OrganisationReader,
    pool: AppPool,
    settings: AppSettings,
    code: CodeText,
    period_text: PeriodText,
    on: Day,
) -> Response:
    period = parse_period(period_text)
    found = standings.read_published_then(pool, "organisation", code, period, on=on, zone=settings.zone)
    return tagged(request, _show_then(found))


def _show_past(score: PastScore) -> Shape:
    return {
        "period": show_period(Period(kind=score.period_kind, start=score.period_start)),
        "composite": fixed(score.composite, 2),
        "present_weight": fixed(score.present_weight, 4),
        "peer_group": score.peer_group,
        "scheme": {"name": score.scheme_name, "version": score.scheme_version},
        "as_of": score.as_of,
    }


def _show_comparison(found: Compared, period: Period) -> Shape:
    return {
        "period": show_period(period),
        "peer_group": found.peer_group,
        "items": [
            {
                "code": score.subject_code,
                "name": score.subject_name,
                "composite": fixed(score.composite, 2),
                "rank": found.ranks[score.subject_code] if found.ranks is not None else None,
                "indicators": shapes.show_score(score, found.indicators[score.subject_code])["indicators"],
            }
            for score in found.scores
        ],
        "peers": _show_spread(found.spread) if found.spread is not None else None,
    }


def _show_spread(spread: Spread) -> Shape:
    figures = ("lowest", "lower_quartile", "median", "upper_quartile", "highest")
    return {
        "peer_group": spread.peer_group,
        "cadres": spread.cadres,
        "scored": spread.scored,
        **{name: fixed(getattr(spread, name), 2) for name in figures},
    }


def _show_then(found: PublishedThen) -> Shape:
    corrected = found.corrected_document
    return {
        "document": orjson.Fragment(found.document),
        "content_hash": found.content_hash.hex(),
        "closed_at": found.closed_at,
        "correction_number": found.correction_number,
        "correction_known_at": found.correction_known_at,
        "corrected_document": orjson.Fragment(corrected) if corrected is not None else None,
        "corrected_hash": found.corrected_hash.hex() if found.corrected_hash is not None else None,
    }
