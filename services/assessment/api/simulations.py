"""Trying a scheme on a closed period: computed, told and forgotten."""

from fractions import Fraction
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from services.assessment.api.rule_schemes import SchemeText
from services.assessment.domain.periods import parse_period
from services.assessment.domain.scores import SubjectKind
from services.assessment.handlers.simulations import SimulationRequest, try_scheme
from services.assessment.scoring.numbers import round_to, show
from services.assessment.scoring.simulating import GroupMovement, Movement, Saturation, Separation, Simulation
from services.assessment.scoring.workspace import Number
from shared.access.principal import Principal
from shared.answers import Shown, refuses, shows
from shared.edge import CodeText
from shared.http import AppPool, Body, describe_body, json_body, json_response, permit

router = APIRouter()
Simulating = Annotated[Principal, Depends(permit("scheme.simulate"))]
PLACES = 4


class SimulationBody(Body):
    """`candidate` and `baseline` are texts of scheme files. Without a baseline the published scores are compared."""

    subject: SubjectKind
    period: CodeText
    candidate: SchemeText
    baseline: SchemeText | None = None
    # Totals that lie this close are not told apart.
    tolerance: Annotated[str, Field(pattern=r"^[0-9]{1,4}(\.[0-9]{1,4})?$")] = "1"


class ShownMovement(Shown):
    subject: str
    before: str | None
    after: str | None
    change: str | None
    place_before: str | None
    place_after: str | None


class ShownGroupMovement(Shown):
    by: str
    value: str
    subjects: int
    compared: int
    mean_change: str | None
    mean_climb: str | None
    rising: int
    falling: int
    gained_score: int
    lost_score: int


class ShownSaturation(Shown):
    item: str
    subjects: int
    at_ceiling: int
    at_floor: int


class ShownScale(Shown):
    scored: int
    distinct: int
    tied: int
    spread: str | None
    middle_half: str | None
    mean_interval: str | None
    unclear_neighbours: int
    saturation: list[ShownSaturation]


class ShownSimulation(Shown):
    movements: list[ShownMovement]
    by_group: list[ShownGroupMovement]
    before: ShownScale
    after: ShownScale


@router.post(
    "/v1/simulations",
    responses=shows(ShownSimulation) | refuses(404),
    openapi_extra=describe_body(SimulationBody),
)
def simulate(
    _: Simulating, pool: AppPool, body: Annotated[SimulationBody, Depends(json_body(SimulationBody))]
) -> Response:
    """Put to what is published of the period within the reader's reach, and kept nowhere."""
    request = SimulationRequest(
        subject_kind=body.subject,
        period=parse_period(body.period),
        candidate=body.candidate,
        baseline=body.baseline,
        tolerance=Fraction(body.tolerance),
    )
    return json_response(_show(try_scheme(pool, request).simulation))


def _show(found: Simulation) -> dict[str, object]:
    return {
        "movements": [_show_movement(one) for one in found.movements],
        "by_group": [_show_group(one) for one in found.by_group],
        "before": _show_scale(found.separation_before, found.saturation_before),
        "after": _show_scale(found.separation_after, found.saturation_after),
    }


def _show_movement(one: Movement) -> dict[str, object]:
    return {
        "subject": one.subject,
        "before": _exact(one.before),
        "after": _exact(one.after),
        "change": _exact(one.change),
        "place_before": _exact(one.place_before),
        "place_after": _exact(one.place_after),
    }


def _show_group(one: GroupMovement) -> dict[str, object]:
    return {
        "by": one.column,
        "value": one.value,
        "subjects": one.subjects,
        "compared": one.compared,
        "mean_change": _rounded(one.mean_change),
        "mean_climb": _rounded(one.mean_climb),
        "rising": one.rising,
        "falling": one.falling,
        "gained_score": one.gained_score,
        "lost_score": one.lost_score,
    }


def _show_scale(separation: Separation, saturation: tuple[Saturation, ...]) -> dict[str, object]:
    return {
        "scored": separation.scored,
        "distinct": separation.distinct,
        "tied": separation.tied,
        "spread": _rounded(separation.spread),
        "middle_half": _rounded(separation.middle_half),
        "mean_interval": _rounded(separation.mean_interval),
        "unclear_neighbours": separation.unclear_neighbours,
        "saturation": [
            {
                "item": one.key,
                "subjects": one.subjects,
                "at_ceiling": one.at_ceiling,
                "at_floor": one.at_floor,
            }
            for one in saturation
        ],
    }


def _exact(value: Number) -> str | None:
    return None if value is None else show(value)


def _rounded(value: Number) -> str | None:
    return None if value is None else show(round_to(value, PLACES), PLACES)
