"""The page about the indicators themselves: whether they still measure, as the watch over closed periods has it."""

from collections.abc import Sequence
from typing import Annotated, Any, Final, get_args

from fastapi import APIRouter, Depends, Request, Response

from services.assessment.domain.indicators import Definition
from services.assessment.domain.periods import CalendarKind
from services.assessment.domain.rules.faults import BadTable
from services.assessment.domain.scores import NotPublished, SubjectKind
from services.assessment.handlers import figures
from services.assessment.handlers.monitoring import MOST_PERIODS, watch_indicators
from services.assessment.scoring.monitoring import FEWEST, Health, Reading, Sign
from services.assessment.web.rendering import exact, name_period
from shared.access.principal import Principal
from shared.http import AppPool
from shared.site import for_staff, language_of, render_with, texts_of

router = APIRouter()
USUAL_PERIODS: Final = 12
EVERY: Final[tuple[CalendarKind, ...]] = get_args(CalendarKind)
Watching = Annotated[Principal, Depends(for_staff("scheme.read_health"))]


@router.get("/indicators", include_in_schema=False)
def get_indicators(request: Request, _: Watching, pool: AppPool) -> Response:
    kind: SubjectKind = "organisation" if request.query_params.get("subject") == "organisation" else "cadre"
    every: CalendarKind = next((one for one in EVERY if one == request.query_params.get("every")), "month")
    periods = _read_count(request.query_params.get("periods", ""))
    values: dict[str, Any] = {"kind": kind, "every": every, "count": periods, "most": MOST_PERIODS, "fault": None}
    values |= {"found": [], "definitions": {}, "says": {}, "fewest": FEWEST}
    try:
        found = watch_indicators(pool, kind, every, limit=periods)
    except NotPublished:  # nothing to watch yet
        return render_with(request, "indicators.html", values, None)
    except BadTable as error:
        values["fault"] = (error.detail_zh if language_of(request) == "zh" else None) or error.detail
        return render_with(request, "indicators.html", values, error)
    values["found"] = found
    values["definitions"] = _define(found)
    values["latest"] = {one.indicator: (_list_enough(one) or one.readings)[-1] for one in found}
    values["says"] = {one.indicator: say(one, texts_of(request)) for one in found}
    return render_with(request, "indicators.html", values, None)


def say(health: Health, texts: Any) -> list[tuple[Sign | None, str]]:  # noqa: ANN401 - tables of words
    """What the watch says of an indicator, in sentences, each with its sign."""
    enough = _list_enough(health)
    if not enough:
        return [(None, texts["too_few_subjects"].format(fewest=FEWEST))]
    if not health.signs:
        return [(None, texts["no_signs"])]
    first, last = enough[0], enough[-1]
    figures_told = {
        "first": name_period(first.period, texts),
        "last": name_period(last.period, texts),
        "at_ceiling": last.at_ceiling,
        "subjects": last.subjects,
        **{f"{name}_before": exact(getattr(first, name)) for name in ("mean", "spread", "agreement")},
        **{f"{name}_after": exact(getattr(last, name)) for name in ("mean", "spread", "agreement")},
    }
    return [(sign, texts["says"][sign].format(**figures_told)) for sign in health.signs]


def _list_enough(health: Health) -> list[Reading]:
    """What the watch looks at."""
    return [one for one in health.readings if one.subjects >= FEWEST]


def _define(found: Sequence[Health]) -> dict[str, Definition]:
    keys = {one.indicator for one in found}
    return {one.key: one for one in figures.load_registry().definitions if one.key in keys}


def _read_count(text: str) -> int:
    """As many as are usual, unless it is a number that may be."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MOST_PERIODS))):
        return USUAL_PERIODS
    return min(max(int(text), 1), MOST_PERIODS)
