"""What assessment's pages stand on: the frame that all services share, words of their own, and how figures look."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import Depends, Request

from services.assessment.domain.duties import DutyUnit
from services.assessment.domain.indicators import Definition, Figure, show_value
from services.assessment.domain.periods import Period, parse_period
from services.assessment.domain.posts import name_peer_group
from services.assessment.scoring.numbers import round_to, to_decimal
from services.assessment.scoring.simulating import GroupMovement
from services.assessment.settings import AssessmentSettings
from services.assessment.web.texts import TEXTS
from shared.errors import LianxinError
from shared.frame.pages import make_environment
from shared.http import settings_of
from shared.site import Site

PLACES: Final = frozenset({"", "scores", "fair", "signals", "published", "simulation", "comparison", "indicators"})
NAVIGATION: Final = (
    ("fair", "fair_scores", "score.read"),
    ("scores", "scores", "score.read"),
    ("signals", "signal_queue", "signal.read"),
    ("published/cadre", "published_cadres", "published.cadre.read"),
    ("published/organisation", "published_organisations", "published.organisation.read"),
    ("simulation", "simulation", "scheme.simulate"),
    ("indicators", "indicator_health", "scheme.read_health"),
)
TEMPLATES: Final = make_environment(Path(__file__).parent / "templates")
NO_FIGURE: Final = "—"


AppSettings = Annotated[AssessmentSettings, Depends(settings_of)]


def make_site(settings: AssessmentSettings) -> Site:
    return Site(
        templates=TEMPLATES,
        texts=TEXTS,
        navigation=NAVIGATION,
        home="",
        public_path=settings.public_path,
        identity_pages=settings.identity_pages,
    )


def name_peers(code: str | None, texts: Mapping[str, Any]) -> str:
    """A peer group in words, as far as its codes are known here."""
    return name_peer_group(code, texts["own_language"]) if code else NO_FIGURE


def name_kind(fact: str, kind: str | None, texts: Mapping[str, Any], kind_name: str | None = None) -> str:
    """What a fact is: of contacts the kind in words, of issues the category by its name, or its code without one."""
    name: str = texts["facts"].get(fact, fact)
    if kind is None:
        return name
    return f"{name} · {texts['contact_kinds'].get(kind, kind) if fact == 'contact' else kind_name or kind}"


def name_scheme(name: str, texts: Mapping[str, Any]) -> str:
    """A scheme with its version, as `fair 3`."""
    key, _, version = name.rpartition(" ")
    return f"{texts['schemes'].get(key, key)} {version}"


def name_group(group: GroupMovement, organisations: Mapping[str, str], texts: Mapping[str, Any]) -> str:
    """What those share who are summed up together."""
    if group.column == "peer_group":
        return name_peers(group.value, texts)
    names: dict[str, Mapping[str, str]] = {"post_level": texts["levels"], "post_kind": texts["post_kinds"]}
    names |= {"main_channel": texts["channels"]}
    names |= {"organisation": organisations, "area": organisations}
    return names[group.column].get(group.value, group.value or NO_FIGURE)


def name_span(duty: DutyUnit, texts: Mapping[str, Any]) -> str:
    """The month, quarter, half-year or year that a duty is owed in."""
    return name_period(Period(kind=duty.per, start=duty.unit_start).label, texts)


def name_period(label: str, texts: Mapping[str, Any]) -> str:
    """A period of the calendar as people call it; what was typed and is none, and any days, as they are written."""
    try:
        period = parse_period(label)
    except LianxinError:
        return label
    form: str = texts["period_names"].get(period.kind, "{label}")
    quarter = (period.start.month - 1) // 3
    return form.format(
        label=label,
        year=period.start.year,
        month=period.start.month,
        quarter=texts["quarters"][quarter],
        half=texts["halves"][quarter // 2],
    )


def name_step(event_type: str, texts: Mapping[str, Any]) -> str:
    """An event in words: the type between our prefix and the version."""
    step = ".".join(event_type.split(".")[2:4])
    name: str = texts["steps"].get(step, step)
    return name


def is_page(request: Request) -> bool:
    """Whether people look at what this answers; programs have everything below /v1 and the like."""
    return request.url.path.strip("/").split("/", 1)[0] in PLACES


def labels_of(periods: list[Period]) -> list[str]:
    return [period.label for period in periods]


def figure(value: Decimal | str | None, places: int = 2) -> str:
    return NO_FIGURE if value is None else f"{Decimal(value):.{places}f}"


def signed(value: Decimal) -> str:
    return f"{value:+f}"


def exact(value: Fraction | None, places: int = 2, sign: str = "-") -> str:
    """A fraction, rounded half up; with the sign `+` one that rises shows it."""
    if value is None:
        return NO_FIGURE
    rounded = round_to(value, places)
    return f"{to_decimal(rounded, places):{sign if rounded else '-'}f}"


def percent(value: Decimal | str | None) -> str:
    """A share with every digit that is kept of it, of which there are four; one place at least."""
    if value is None:
        return NO_FIGURE
    shown = str((Decimal(value) * 100).quantize(Decimal("0.01"), "ROUND_HALF_UP"))
    return f"{shown.removesuffix('0')}%"


def show_figure(definition: Definition, shown: Figure, texts: Mapping[str, Any]) -> str:
    """The value of an indicator in its unit."""
    if shown.value is None:
        return NO_FIGURE
    if definition.unit == "share":
        return percent(shown.value)
    return str(texts["units"][definition.unit].format(count=show_value(definition, shown)))


TEMPLATES.filters |= {
    "figure": figure,
    "exact": exact,
    "percent": percent,
    "in_unit": show_figure,
    "signed": signed,
    "peers": name_peers,
    "group": name_group,
    "kind": name_kind,
    "step": name_step,
    "span": name_span,
    "period": name_period,
    "scheme": name_scheme,
}
