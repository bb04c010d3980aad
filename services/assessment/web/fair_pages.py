"""The pages of fair scores, for the department: the list, and one score with every step in words."""

from decimal import Decimal
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response

from services.assessment.domain.periods import Period, parse_period
from services.assessment.fair.telling import WORDS, tell_lines
from services.assessment.handlers import fair_results, published, reading
from services.assessment.handlers.evidence import name_kinds
from services.assessment.handlers.fair_results import FairQuery, ShownChange
from services.assessment.storage.fair_closings import FairCorrection
from services.assessment.web.list_filters import (
    BANDS,
    LONGEST,
    OF_FAIR_SCORES,
    check_choices,
    list_fields,
    read_asked,
)
from services.assessment.web.rendering import AppSettings, labels_of
from shared.access.principal import Principal
from shared.database import Pool
from shared.errors import NotFound, Rejected
from shared.http import AppPool
from shared.pages import decode_cursor, encode_cursor
from shared.site import for_staff, language_of, render, render_with, texts_of

router = APIRouter()
A_PAGE: Final = 50
RECENT: Final = 6
MOST_CORRECTIONS: Final = 20
TOLD: Final = (Rejected, NotFound)
Reader = Annotated[Principal, Depends(for_staff("score.read"))]


@router.get("/fair", include_in_schema=False)
def get_fair_scores(request: Request, _: Reader, pool: AppPool) -> Response:
    post_kinds = reading.list_post_kinds(pool)
    asked = read_asked(request, ("period", *OF_FAIR_SCORES))
    values: dict[str, Any] = {"asked": asked, "scores": [], "following": None, "spreads": []}
    closed = published.list_published_periods(pool)
    values["periods"] = labels_of(closed)
    values["recent"] = [one.label for one in closed if one.kind not in {"month", "custom"}][:RECENT]
    values["kept"] = {name: text for name, text in asked.items() if text}
    values["filters"] = list_fields(OF_FAIR_SCORES, asked, post_kinds, texts_of(request))
    try:
        check_choices(asked, post_kinds)
        values |= _list(pool, asked, request.query_params.get("cursor"))
    except TOLD as error:
        return render_with(request, "fair_scores.html", values, error)
    return render(request, "fair_scores.html", **values)


@router.get("/fair/{staff_number}", include_in_schema=False)
def get_fair_score(request: Request, _: Reader, pool: AppPool, settings: AppSettings, staff_number: str) -> Response:
    if not 0 < len(staff_number) <= LONGEST or "\0" in staff_number or staff_number.strip() != staff_number:
        raise NotFound("there is no such page")
    asked = read_asked(request, ("period", "since"))
    period = _read_period(asked["period"])
    found = fair_results.get_profile(pool, staff_number, period)
    language = language_of(request)
    before = [one for one in published.list_published_periods(pool) if _is_before(one, period)]
    values: dict[str, Any] = {
        "score": found.score,
        "explanation": found.explanation,
        "facts": found.facts,
        "kind_names": name_kinds(pool, [one.fact_id for one in found.facts.values()], zone=settings.zone),
        "words": WORDS[language],
        "sentences": tell_lines(found.explanation, language),
        "periods": labels_of(before),
        "usual": next((one.label for one in before if period and one.kind == period.kind), ""),
        "corrections": _list_corrections(pool, staff_number, period),
        **asked,
    }
    try:
        change = _compare(pool, staff_number, asked["since"], period)
    except TOLD as error:
        return render_with(request, "fair_score.html", values | {"change": None}, error)
    return render(request, "fair_score.html", **values, change=change)


def _compare(pool: Pool, staff_number: str, since: str, period: Period | None) -> dict[str, Any] | None:
    """None where nobody asked. Raises BadPeriod, NotPublished, UnknownFairScore."""
    if not since:
        return None
    change = fair_results.get_change(pool, staff_number, since=parse_period(since), until=period)
    moved = _list_moved(change)
    total = Decimal(change.after) - Decimal(change.before)
    return {"before": change.before, "after": change.after, "moved": moved, "total": total}


def _list_corrections(pool: Pool, staff_number: str, period: Period | None) -> list[FairCorrection]:
    """The newest first; what stands now needs none."""
    if period is None:
        return []
    return fair_results.list_corrections(pool, period, staff_number=staff_number, before=None, limit=MOST_CORRECTIONS)


def _is_before(one: Period, period: Period | None) -> bool:
    return period is None or one.next_start < period.next_start


def _list_moved(change: ShownChange) -> list[tuple[str, Decimal, Decimal | None]]:
    return [
        (name, Decimal(points), Decimal(change.own[name]) if name in change.own else None)
        for name, points in change.by_indicator.items()
        if Decimal(points)
    ]


def _list(pool: Pool, asked: dict[str, str], cursor: str | None) -> dict[str, Any]:
    """By staff number: no page of ours ranks people. Raises BadPeriod, NotPublished, UnknownOrganisation, BadCursor."""
    query = FairQuery(
        period=_read_period(asked["period"]),
        organisation_code=asked["organisation"] or None,
        peer_group=asked["peer_group"] or None,
        post_kind=asked["post_kind"] or None,
        band=next((band for band in BANDS if band == asked["band"]), None),
        flag=asked["flag"] or None,
    )
    after = decode_cursor(cursor[:2_000], length=1)[0] if cursor else None
    found = fair_results.list_scores(pool, query, after=after, limit=A_PAGE + 1)
    page = found[:A_PAGE]
    spreads = fair_results.list_spreads(pool, asked["organisation"], query.period) if asked["organisation"] else []
    following = encode_cursor([page[-1].staff_number]) if len(found) > A_PAGE else None
    return {"scores": page, "following": following, "spreads": spreads}


def _read_period(text: str) -> Period | None:
    """Without one, as things stand. Raises BadPeriod."""
    return parse_period(text[:LONGEST]) if text else None
