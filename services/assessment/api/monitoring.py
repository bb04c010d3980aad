"""Whether the indicators still measure what they stand for: for whoever keeps the schemes."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from services.assessment.domain.periods import CalendarKind
from services.assessment.domain.scores import SubjectKind
from services.assessment.handlers.monitoring import MOST_PERIODS, watch_indicators
from services.assessment.scoring.monitoring import Health, Sign
from services.assessment.scoring.numbers import show
from services.assessment.scoring.workspace import Number
from shared.access.principal import Principal
from shared.answers import Listing, Shown, refuses, shows
from shared.http import AppPool, json_response, permit

router = APIRouter()
Watching = Annotated[Principal, Depends(permit("scheme.read_health"))]


class ShownReading(Shown):
    period: str
    subjects: int
    mean: str | None
    spread: str | None
    at_ceiling: int
    at_floor: int
    agreement: str | None


class ShownHealth(Shown):
    """`agreement` is the correlation with what citizens say; `signs` are for a person to look at."""

    indicator: str
    signs: list[Sign]
    readings: list[ShownReading]


@router.get("/v1/indicator-health", responses=shows(Listing[ShownHealth]) | refuses(404))
def list_indicator_health(
    _: Watching,
    pool: AppPool,
    subject: SubjectKind = "cadre",
    every: CalendarKind = "month",
    periods: Annotated[int, Query(ge=1, le=MOST_PERIODS)] = 12,
) -> Response:
    """Over the latest closed periods, from the oldest on."""
    found = watch_indicators(pool, subject, every, limit=periods)
    return json_response({"items": [_show(one) for one in found]})


def _show(health: Health) -> dict[str, object]:
    return {
        "indicator": health.indicator,
        "signs": list(health.signs),
        "readings": [
            {
                "period": one.period,
                "subjects": one.subjects,
                "mean": _told(one.mean),
                "spread": _told(one.spread),
                "at_ceiling": one.at_ceiling,
                "at_floor": one.at_floor,
                "agreement": _told(one.agreement),
            }
            for one in health.readings
        ],
    }


def _told(value: Number) -> str | None:
    return None if value is None else show(value)
