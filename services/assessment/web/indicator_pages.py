"""The page about the indicators themselves: whether they still measure, as the watch over them has it."""

from dataclasses import dataclass
from typing import Annotated, Any, Final, get_args

from fastapi import APIRouter, Depends, Request, Response

from services.assessment.domain.periods import CalendarKind
from services.assessment.domain.rules.faults import BadTable
from services.assessment.domain.scores import NotPublished, SubjectKind
from services.assessment.fair.factor import SELF_RECORDED
from services.assessment.fair.telling import NAMES
from services.assessment.handlers import figures
from services.assessment.handlers.monitoring import MOST_PERIODS, Scheme, Seen, Watch, watch_indicators
from services.assessment.scoring.monitoring import FEWEST, Health, Sign, list_compared
from services.assessment.web.rendering import exact, name_period
from shared.access.principal import Principal
from shared.http import AppPool
from shared.site import Language, for_staff, language_of, render_with, texts_of

router = APIRouter()
USUAL_PERIODS: Final = 12
EVERY: Final[tuple[CalendarKind, ...]] = get_args(CalendarKind)
SCHEMES: Final[tuple[Scheme, ...]] = get_args(Scheme)
FIGURES: Final = ("mean", "spread", "true_spread", "agreement", "agreement_with_calls")  # that sentences name
Watching = Annotated[Principal, Depends(for_staff("scheme.read_health"))]


@router.get("/indicators", include_in_schema=False)
def get_indicators(request: Request, _: Watching, pool: AppPool) -> Response:
    watch = _read_watch(request)
    values: dict[str, Any] = {"watch": watch, "scheme": watch.scheme or "fair", "most": MOST_PERIODS}
    values |= {"fault": None, "found": [], "definitions": [], "names": {}, "says": {}, "fewest": FEWEST}
    try:
        seen = watch_indicators(pool, watch)
    except NotPublished:  # nothing to watch yet
        return render_with(request, "indicators.html", values, None)
    except BadTable as error:
        values["fault"] = (error.detail_zh if language_of(request) == "zh" else None) or error.detail
        return render_with(request, "indicators.html", values, error)
    texts, language = texts_of(request), language_of(request)
    values |= {"scheme": seen.scheme, "found": seen.found, "self_recorded": SELF_RECORDED}
    values["definitions"] = _define(seen, texts, language)
    values["names"] = {one.key: one.name for one in values["definitions"]}
    values["latest"] = {one.indicator: (list_compared(one.readings) or one.readings)[-1] for one in seen.found}
    values["says"] = {one.indicator: say(one, texts) for one in seen.found}
    return render_with(request, "indicators.html", values, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Defined:
    """What an indicator is, in one language."""

    key: str
    name: str
    description: str
    exclusions: str


def say(health: Health, texts: Any) -> list[tuple[Sign | None, str]]:  # noqa: ANN401 - tables of words
    """What the watch says of an indicator, in sentences, each with its sign."""
    compared = list_compared(health.readings)
    if all(one.is_provisional for one in health.readings):
        return [(None, texts["none_closed"])]
    if not compared:
        return [(None, texts["too_few_subjects"].format(fewest=FEWEST))]
    if not health.signs:
        return [(None, texts["no_signs"])]
    first, last = compared[0], compared[-1]
    figures_told = {
        "first": name_period(first.period, texts),
        "last": name_period(last.period, texts),
        "at_ceiling": last.at_ceiling,
        "subjects": last.subjects,
        **{f"{name}_before": exact(getattr(first, name)) for name in FIGURES},
        **{f"{name}_after": exact(getattr(last, name)) for name in FIGURES},
    }
    sentences = dict(texts["says"])
    if last.true_spread is not None:
        sentences["spread_shrinks"] = texts["true_spread_shrinks"]
    return [(sign, sentences[sign].format(**figures_told)) for sign in health.signs]


def _define(seen: Seen, texts: Any, language: Language) -> list[Defined]:  # noqa: ANN401 - tables of words
    keys = [one.indicator for one in seen.found]
    if seen.scheme == "fair":
        descriptions = texts["fair_definitions"]
        return [
            Defined(key=key, name=NAMES[key][language], description=descriptions[key], exclusions="") for key in keys
        ]
    return [
        Defined(
            key=one.key,
            name=one.name[language],
            description=one.description[language],
            exclusions=one.exclusions[language],
        )
        for one in figures.load_registry().definitions
        if one.key in keys
    ]


def _read_watch(request: Request) -> Watch:
    """What is asked for, and what is usual in place of what is none. Of organisations there is but one scheme."""
    asked = request.query_params
    kind: SubjectKind = "organisation" if asked.get("subject") == "organisation" else "cadre"
    return Watch(
        kind=kind,
        every=next((one for one in EVERY if one == asked.get("every")), "month"),
        limit=_read_count(asked.get("periods", "")),
        scheme="basic"
        if kind == "organisation"
        else next((one for one in SCHEMES if one == asked.get("scheme")), None),
    )


def _read_count(text: str) -> int:
    """As many as are usual, unless it is a number that may be."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MOST_PERIODS))):
        return USUAL_PERIODS
    return min(max(int(text), 1), MOST_PERIODS)
