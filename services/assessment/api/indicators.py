"""The registry of indicators, and every figure of one cadre or organisation by it."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from services.assessment.api.closed_periods import ShownDays
from services.assessment.api.doors import AppSettings
from services.assessment.api.shapes import Shape, show_period
from services.assessment.domain.indicators import Definition, Figure, show_value
from services.assessment.domain.periods import parse_period
from services.assessment.domain.scores import SubjectKind
from services.assessment.handlers import figures
from services.assessment.handlers.windows import WindowQuery
from shared.access.principal import Principal
from shared.answers import Shown, refuses, shows
from shared.conditions import tagged
from shared.edge import CodeText, SafeStr
from shared.http import AppPool, permit

router = APIRouter()
DefinitionReader = Annotated[Principal, Depends(permit("scheme.read"))]
Reader = Annotated[Principal, Depends(permit("score.read"))]
PeriodText = Annotated[SafeStr, Query(alias="period", max_length=24)]


class ShownTexts(Shown):
    zh: str
    en: str


class ShownDefinition(Shown):
    """An indicator as it is defined: the sum of the numerator's measures over that of the denominator's.

    Without a denominator it is a count of `unit`. What `reads_ratings` is shown to cadres and units as released only.
    """

    key: str
    name: ShownTexts
    description: ShownTexts
    exclusions: ShownTexts
    numerator: list[str]
    denominator: list[str]
    components: list[str]
    facts: Literal["contact", "issue", "rating"]
    unit: Literal["share", "days"]
    period_rule: Literal["received", "occurred", "rated", "invited", "units", "distinct", "spans"]
    rounding: Literal["half_up"]
    value_places: int
    attribution: Literal["responsible", "leader", "post", "rated", "organisation"]
    reads_ratings: list[str]
    is_tallied: bool


class ShownRegistry(Shown):
    items: list[ShownDefinition]
    content_hash: str


class ShownFigure(Shown):
    key: str
    numerator: int
    denominator: int | None
    value: str | None


class FigureSubject(Shown):
    kind: Literal["cadre", "organisation"]
    code: str
    name: str


class ShownFigures(Shown):
    """Live figures by the registry."""

    subject: FigureSubject
    period: ShownDays
    figures: list[ShownFigure]


@router.get("/v1/indicators", responses=shows(ShownRegistry, headers=("ETag",)))
def list_indicators(request: Request, _: DefinitionReader) -> Response:
    registry = figures.load_registry()
    items = [show_definition(definition) for definition in registry.definitions]
    return tagged(request, {"items": items, "content_hash": registry.content_hash.hex()})


@router.get("/v1/figures/{kind}/{code}", responses=shows(ShownFigures, headers=("ETag",)) | refuses(404))
def get_figures(
    request: Request,
    _: Reader,
    pool: AppPool,
    settings: AppSettings,
    kind: SubjectKind,
    code: CodeText,
    period_text: PeriodText,
) -> Response:
    query = WindowQuery(subject_kind=kind, code=code, period=parse_period(period_text))
    found = figures.read_figures(pool, query, zone=settings.zone, now=datetime.now(UTC))
    shape = {
        "subject": {"kind": kind, "code": found.subject.code, "name": found.subject.name},
        "period": show_period(found.period),
        "figures": [show_figure(definition, figure) for definition, figure in found.figures],
    }
    return tagged(request, shape)


def show_definition(definition: Definition) -> Shape:
    return {
        "key": definition.key,
        "name": definition.name,
        "description": definition.description,
        "exclusions": definition.exclusions,
        "numerator": definition.numerator,
        "denominator": definition.denominator,
        "components": definition.components,
        "facts": definition.facts,
        "unit": definition.unit,
        "period_rule": definition.period_rule,
        "rounding": "half_up",
        "value_places": definition.value_places,
        "attribution": definition.attribution,
        "reads_ratings": sorted(definition.reads_ratings),
        "is_tallied": definition.is_tallied,
    }


def show_figure(definition: Definition, figure: Figure) -> Shape:
    return {
        "key": figure.key,
        "numerator": figure.numerator,
        "denominator": figure.denominator,
        "value": show_value(definition, figure),
    }
