"""One cadre's fair score, its history, what stood by a day, and cadres of one peer group side by side."""

from datetime import date, datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response

from services.assessment.api.closed_periods import ShownDays
from services.assessment.api.doors import AppSettings
from services.assessment.api.fair_scores import MaybePeriod, PeriodText, ShownCorrection, show_correction
from services.assessment.api.shapes import show_period
from services.assessment.api.standings import Codes
from services.assessment.domain.periods import Period, PeriodKind, parse_period
from services.assessment.handlers import fair_comparisons, fair_histories
from services.assessment.handlers.fair_results import ShownFairScore
from services.assessment.handlers.standings import LONGEST_HISTORY
from services.assessment.storage.fair_histories import PastFairScore
from shared.access.principal import Principal
from shared.answers import Listing, Shown, refuses, shows
from shared.conditions import tagged
from shared.database import Pool
from shared.edge import CodeText, Day
from shared.http import AppPool, permit

router = APIRouter()
Reader = Annotated[Principal, Depends(permit("score.read"))]
EVERY_KIND: tuple[PeriodKind, ...] = ("month", "quarter", "half_year", "year", "custom")


class ShownPastFairScore(Shown):
    """`starts_on` and `ends_on` are of the records that were scored; `content_hash` is of the result."""

    period: ShownDays
    starts_on: date
    ends_on: date
    peer_group: str | None
    score: str
    lower: str
    upper: str
    reliability: str
    band: str
    scheme: str
    content_hash: str
    done_at: datetime


class ShownFairThen(Shown):
    """A closed score never changes; `correction` is the last one that was known by that day."""

    score: ShownFairScore
    done_at: datetime
    correction: ShownCorrection | None


class ShownFairCompared(Shown):
    """`told_apart_from` are those whose intervals this one does not touch: all other differences may be chance."""

    score: ShownFairScore
    told_apart_from: list[str]


class ShownFairComparison(Shown):
    period: str | None
    peer_group: str | None
    items: list[ShownFairCompared]


@router.get("/v1/fair-comparisons", responses=shows(ShownFairComparison, headers=("ETag",)) | refuses(404))
def compare_fair_scores(
    request: Request, _: Reader, pool: AppPool, *, cadres: Codes, period_text: MaybePeriod = None
) -> Response:
    """`cadres` names them by staff number, with commas between: of one peer group, and at most twenty."""
    period = None if period_text is None else parse_period(period_text)
    return tagged(request, _compare(pool, list(dict.fromkeys(cadres.split(","))), period))


@router.get("/v1/fair-scores/{staff_number}", responses=shows(ShownFairScore, headers=("ETag",)))
def get_fair_score(
    request: Request, staff_number: CodeText, _: Reader, pool: AppPool, *, period_text: MaybePeriod = None
) -> Response:
    """As it stands, or of a closed period."""
    period = None if period_text is None else parse_period(period_text)
    return tagged(request, fair_histories.get_score(pool, staff_number, period))


@router.get("/v1/fair-scores/{staff_number}/history", responses=shows(Listing[ShownPastFairScore], headers=("ETag",)))
def list_fair_history(
    request: Request,
    staff_number: CodeText,
    _: Reader,
    pool: AppPool,
    *,
    per: PeriodKind | None = None,
    limit: Annotated[int, Query(ge=1, le=LONGEST_HISTORY)] = 24,
) -> Response:
    """Of closed periods, the newest first: of one kind, or of all."""
    kinds = EVERY_KIND if per is None else (per,)
    found = fair_histories.list_history(pool, staff_number, kinds, limit=limit)
    return tagged(request, {"items": [_show_past(one) for one in found]})


@router.get("/v1/fair-scores/{staff_number}/as-of", responses=shows(ShownFairThen, headers=("ETag",)))
def get_fair_score_then(
    request: Request,
    staff_number: CodeText,
    _: Reader,
    pool: AppPool,
    settings: AppSettings,
    *,
    period_text: PeriodText,
    on: Day,
) -> Response:
    """What stood of a period at the end of a day."""
    period = parse_period(period_text)
    found = fair_histories.read_then(pool, staff_number, period, on=on, zone=settings.zone)
    correction = None if found.correction is None else show_correction(found.correction)
    return tagged(request, {"score": found.score, "done_at": found.done_at, "correction": correction})


def _compare(pool: Pool, staff_numbers: list[str], period: Period | None) -> dict[str, Any]:
    columns = fair_comparisons.compare_fair(pool, staff_numbers, [period])
    scores = [column.profile.score for column in columns]
    return {
        "period": period.label if period else None,
        "peer_group": scores[0].peer_group,
        "items": [
            {"score": score, "told_apart_from": [scores[at].staff_number for at in column.apart]}
            for score, column in zip(scores, columns, strict=True)
        ],
    }


def _show_past(one: PastFairScore) -> dict[str, Any]:
    told = orjson.loads(one.document)
    last = one.period_end if one.period_kind == "custom" else None
    return {
        "period": show_period(Period(kind=one.period_kind, start=one.period_start, last=last)),
        "starts_on": one.starts_on,
        "ends_on": one.ends_on,
        "peer_group": one.peer_group,
        **{name: told[name] for name in ("score", "lower", "upper", "reliability", "band")},
        "scheme": f"{one.scheme_name} {one.scheme_version}",
        "content_hash": one.content_hash.hex(),
        "done_at": one.done_at,
    }
