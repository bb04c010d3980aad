"""The page that puts scores side by side, for the department: cadres of one peer group, or one cadre in two periods."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response

from services.assessment.domain.periods import Period, parse_period
from services.assessment.domain.scores import NotPublished
from services.assessment.fair.settings import INDICATORS
from services.assessment.fair.telling import WORDS
from services.assessment.handlers import fair_results, figures, published, standings
from services.assessment.handlers.fair_comparisons import Column, compare_fair
from services.assessment.handlers.standings import Compared
from services.assessment.web.rendering import AppSettings, labels_of
from shared.access.principal import Principal
from shared.database import Pool
from shared.errors import NotFound, Rejected
from shared.http import AppPool
from shared.site import for_staff, language_of, render, render_with

router = APIRouter()
LONGEST: Final = 64
LONGEST_LIST: Final = 2_000
TOLD: Final = (Rejected, NotFound)
PARTED: Final = re.compile(r"[\s,，、;；]+")
Reader = Annotated[Principal, Depends(for_staff("score.read"))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Without a period, scores as they stand. `beside` is another period of the same cadres."""

    cadres: tuple[str, ...]
    period: str
    beside: str

    @property
    def labels(self) -> list[str]:
        return [self.period, self.beside] if self.beside and self.beside != self.period else [self.period]


@router.get("/comparison", include_in_schema=False)
def get_comparison(request: Request, _: Reader, pool: AppPool, settings: AppSettings) -> Response:
    asked = _read_asked(request)
    values: dict[str, Any] = {
        "asked": asked,
        "periods": labels_of(published.list_published_periods(pool)),
        "words": WORDS[language_of(request)],
        "fair_indicators": INDICATORS,
        "columns": [],
        "change": [],
        "live": {},
        "unscored": [],
    }
    try:
        if asked.cadres:
            values |= _compare(pool, asked, with_ranks=settings.league_tables)
    except TOLD as error:
        return render_with(request, "comparison.html", values, error)
    return render(request, "comparison.html", **values)


def _read_asked(request: Request) -> Asked:
    typed = " ".join(request.query_params.getlist("cadre"))[:LONGEST_LIST].replace("\0", "")
    period, beside = (_plain(request.query_params.get(name, "")) for name in ("period", "beside"))
    return Asked(cadres=tuple(dict.fromkeys(filter(None, PARTED.split(typed)))), period=period, beside=beside)


def _compare(pool: Pool, asked: Asked, *, with_ranks: bool) -> dict[str, Any]:
    """Raises BadPeriod, UnlikeSubjects, UnknownFairScore, NotPublished where nothing at all can be compared."""
    periods = sorted((_read_period(label) for label in asked.labels), key=_by_time)
    live = _compare_live(pool, asked.cadres, periods, with_ranks=with_ranks)
    columns: list[Column] = []
    try:
        columns = compare_fair(pool, asked.cadres, periods)
    except NotPublished:
        if not live:
            raise
    scored = [period for period in periods if any(one.period == period for one in columns)]
    return {
        "columns": columns,
        "change": _find_change(pool, asked.cadres, scored),
        "unscored": [period.label for period in periods if period is not None and period not in scored],
        "live": live,
        **_name_live(live),
    }


def _compare_live(
    pool: Pool, cadres: Sequence[str], periods: Sequence[Period | None], *, with_ranks: bool
) -> dict[str, Compared]:
    """By period, the scores of the indicators, where there are any."""
    found = {}
    for period in periods:
        if period is None or period.kind == "custom":
            continue
        try:
            found[period.label] = standings.compare_cadres(pool, cadres, period, with_ranks=with_ranks)
        except TOLD:
            continue
    return found


def _name_live(live: dict[str, Compared]) -> dict[str, Any]:
    """The indicators that any of the scores has, by the registry's names, in its order."""
    used = {part.indicator for one in live.values() for parts in one.indicators.values() for part in parts}
    known = {one.key: one.name for one in figures.load_registry().definitions if one.key in used}
    parts = {
        (label, code, part.indicator): part
        for label, one in live.items()
        for code, rows in one.indicators.items()
        for part in rows
    }
    return {"indicator_names": known, "parts": parts}


def _find_change(
    pool: Pool, cadres: Sequence[str], periods: Sequence[Period | None]
) -> list[tuple[str, Decimal, Decimal | None]]:
    """Of one cadre between two periods, by indicator, and what the own records did of it."""
    if len(cadres) != 1 or len(periods) != 2 or periods[0] is None:
        return []
    change = fair_results.get_change(pool, cadres[0], since=periods[0], until=periods[1])
    return [
        (name, Decimal(points), Decimal(change.own[name]) if name in change.own else None)
        for name, points in change.by_indicator.items()
    ]


def _read_period(label: str) -> Period | None:
    """Raises BadPeriod."""
    return parse_period(label) if label else None


def _by_time(period: Period | None) -> tuple[bool, str]:
    """What stands now comes last."""
    return (True, "") if period is None else (False, f"{period.next_start} {period.start}")


def _plain(text: str) -> str:
    return text.replace("\0", "").strip()[:LONGEST]
