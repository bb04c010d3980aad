"""Whether the indicators still measure what they stand for: for whoever keeps the schemes."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from services.assessment.domain.periods import CalendarKind
from services.assessment.domain.scores import SubjectKind
from services.assessment.handlers.monitoring import MOST_PERIODS, Scheme, Watch, watch_indicators
from services.assessment.scoring.monitoring import Health, Sign
from services.assessment.scoring.numbers import show
from services.assessment.scoring.workspace import Number
from shared.access.principal import Principal
from shared.answers import Listing, Shown, refuses, shows
from shared.http import AppPool, json_response, permit

router = APIRouter()
Watching = Annotated[Principal, Depends(permit("scheme.read_health"))]


class ShownReading(Shown):
    """Means, spreads and shares are per cent, or null where nothing is known. What stands below `agreement` is known of
    the fair scheme alone; a provisional reading is of what stands now, and no sign stands on it.
    """

    period: str
    subjects: int
    mean: str | None
    spread: str | None
    at_ceiling: int
    at_floor: int
    agreement: str | None
    scheme: str | None
    is_provisional: bool
    true_spread: str | None
    agreement_with_calls: str | None
    limited_share: str | None
    set_aside_share: str | None


class ShownHealth(Shown):
    """`agreement` is the correlation with what citizens say; `signs` are for a person to look at."""

    indicator: str
    signs: list[Sign]
    readings: list[ShownReading]


class ShownWatch(Listing[ShownHealth]):
    """By which scheme the indicators are."""

    scheme: Scheme


@router.get("/v1/indicator-health", responses=shows(ShownWatch) | refuses(404))
def list_indicator_health(
    _: Watching,
    pool: AppPool,
    *,
    subject: SubjectKind = "cadre",
    every: CalendarKind = "month",
    periods: Annotated[int, Query(ge=1, le=MOST_PERIODS)] = 12,
    scheme: Scheme | None = None,
) -> Response:
    """Over the latest closed periods, from the oldest on. Without `scheme`: of the fair one where it was put to any
    closed period of the kind, and else, as of organisations, of what is published.
    """
    seen = watch_indicators(pool, Watch(kind=subject, every=every, limit=periods, scheme=scheme))
    return json_response({"scheme": seen.scheme, "items": [_show(one) for one in seen.found]})


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
                "scheme": one.scheme,
                "is_provisional": one.is_provisional,
                "true_spread": _told(one.true_spread),
                "agreement_with_calls": _told(one.agreement_with_calls),
                "limited_share": _told(one.limited_share),
                "set_aside_share": _told(one.set_aside_share),
            }
            for one in health.readings
        ],
    }


def _told(value: Number) -> str | None:
    return None if value is None else show(value)
