"""The page at which a scheme is tried on a closed period: chosen, or a change of one, computed, told and forgotten."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Final
from urllib.parse import quote_plus

from fastapi import APIRouter, Depends, Request, Response

from services.assessment.domain.periods import parse_period
from services.assessment.domain.rules.faults import BadRules, BadTable
from services.assessment.handlers import published
from services.assessment.handlers.candidates import Candidate, find_candidate, list_candidates
from services.assessment.handlers.simulations import SimulationRequest, Trial, try_scheme
from services.assessment.scoring.simulating import GroupMovement, Movement
from services.assessment.web.rendering import labels_of
from shared.access.principal import Principal
from shared.database import Pool
from shared.edge import LARGEST_FORM_BYTES, check_text
from shared.errors import Forbidden, LianxinError, NotFound, Rejected
from shared.frame.forms import ForeignForm, Form, take_form
from shared.http import AppPool
from shared.policy import decide
from shared.site import for_staff, language_of, render_with

router = APIRouter()
FORM_PATHS: Final = ("/simulation",)
MOST_MOVERS: Final = 20
MOST_GROUPS: Final = 10
FIELDS: Final = ("period", "subject", "candidate", "baseline", "tolerance")
LONGEST: Final = 64
LONGEST_FORM: Final = LARGEST_FORM_BYTES - 2_048  # what else the form says
FAR: Final = 5  # tolerances
FULL: Final = Fraction(8, 10)  # of all at the ceiling: it decides nothing any more
TOLD: Final = (Rejected, NotFound, ForeignForm)
TOLERANCE: Final = re.compile(r"[0-9]{1,4}(\.[0-9]{1,4})?", re.ASCII)
Simulating = Annotated[Principal, Depends(for_staff("scheme.simulate"))]
Sent = Annotated[tuple[Form, ForeignForm | None], Depends(take_form)]


class InvalidForm(Rejected):
    code = "invalid-form"


@router.get("/simulation", include_in_schema=False)
def get_simulation(request: Request, principal: Simulating, pool: AppPool) -> Response:
    return _answer(request, pool, principal, request.query_params)


@router.post("/simulation", include_in_schema=False)
def post_simulation(request: Request, principal: Simulating, pool: AppPool, sent: Sent) -> Response:
    """A change of a scheme, as text: nothing of it is kept."""
    form, foreign = sent
    return _answer(request, pool, principal, form.fields, text=form.get("text"), refusal=foreign)


def _answer(
    request: Request,
    pool: Pool,
    principal: Principal,
    asked: Mapping[str, str],
    *,
    text: str | None = None,
    refusal: ForeignForm | None = None,
) -> Response:
    values = _prepare(pool, principal, asked) | {"typed": text is not None}
    language = language_of(request)
    error: LianxinError | None = None
    try:
        if refusal is not None:
            raise refusal
        chosen = _find(values["candidates"], values["asked"]["candidate"])
        values["text"] = (chosen.document if chosen else "") if text is None else _read_text(text)
        if values["text"]:
            values |= _try(pool, values)
    except TOLD as fault:
        error = fault
        if isinstance(fault, BadRules | BadTable):
            values["fault"] = (fault.detail_zh if language == "zh" else None) or fault.detail
    values["text"] = values["text"] or text or ""
    values["fits"] = len(quote_plus(values["text"])) <= LONGEST_FORM
    return render_with(request, "simulation.html", values, error)


def _prepare(pool: Pool, principal: Principal, asked: Mapping[str, str]) -> dict[str, Any]:
    now = datetime.now(UTC)
    periods = labels_of(published.list_published_periods(pool))
    said = {name: asked.get(name, "").replace("\0", "").strip()[:LONGEST] for name in FIELDS}
    said["period"] = said["period"] or (periods[0] if periods else "")
    said["subject"] = "organisation" if said["subject"] == "organisation" else "cadre"
    said["tolerance"] = said["tolerance"] or "1"
    candidates = list_candidates(pool, with_proposals=_may_read_proposals(principal, now), now=now)
    if "baseline" not in asked:  # few are told a published total by so many raters that there is much to compare with
        said["baseline"] = next((one.key for one in reversed(candidates) if one.origin == "indicators"), "")
    return {"asked": said, "periods": periods, "candidates": candidates, "text": "", "fault": None, "trial": None}


def _may_read_proposals(principal: Principal, now: datetime) -> bool:
    """Not whoever has a part of the tree alone."""
    try:
        decide(principal, "scheme.read_proposals", now=now)
    except Forbidden:
        return False
    return True


def _find(candidates: Sequence[Candidate], key: str) -> Candidate | None:
    """Raises UnknownScheme."""
    return find_candidate(candidates, key) if key else None


def _read_text(text: str) -> str:
    """As it was typed: browsers end every line with a carriage return, too. Raises InvalidForm."""
    try:
        return check_text(text.replace("\r\n", "\n")).strip("\n")
    except ValueError:
        raise InvalidForm("the text has characters that nobody sees") from None


def _try(pool: Pool, values: Mapping[str, Any]) -> dict[str, Any]:
    """Raises BadRules, BadTable, BadPeriod, NotPublished, UnknownScheme, InvalidForm."""
    asked = values["asked"]
    if not TOLERANCE.fullmatch(asked["tolerance"]):
        raise InvalidForm("a tolerance is a number of points")
    baseline = _find(values["candidates"], asked["baseline"])
    tolerance = Fraction(asked["tolerance"])
    request = SimulationRequest(
        subject_kind=asked["subject"],
        period=parse_period(asked["period"]),
        candidate=values["text"],
        baseline=baseline.document if baseline else None,
        tolerance=tolerance,
    )
    trial = try_scheme(pool, request)
    changes = [change for one in trial.simulation.movements if (change := one.change) is not None]
    return {
        "trial": trial,
        "movers": _list_movers(trial.simulation.movements),
        "steps": _count_steps(changes, tolerance),
        "compared": len(changes),
        "groups": _list_groups(trial),
        "far": f"{(FAR * Decimal(asked['tolerance'])).normalize():f}",
        "full": FULL,
    }


def _list_movers(movements: Sequence[Movement]) -> list[Movement]:
    """Those who have both totals and move at all, the farthest first."""
    moved = [(abs(one.change), one) for one in movements if one.change]
    return [one for _, one in sorted(moved, key=lambda pair: (-pair[0], pair[1].subject))[:MOST_MOVERS]]


def _count_steps(changes: Sequence[Fraction], tolerance: Fraction) -> dict[str, int]:
    """How many fall and rise far, somewhat, and not by what means anything."""
    far = FAR * tolerance
    return {
        "falls_far": sum(change < -far for change in changes),
        "falls": sum(-far <= change < -tolerance for change in changes),
        "stays": sum(abs(change) <= tolerance for change in changes),
        "rises": sum(tolerance < change <= far for change in changes),
        "rises_far": sum(change > far for change in changes),
    }


def _list_groups(trial: Trial) -> dict[str, tuple[list[GroupMovement], int]]:
    """Under each heading those that move most, and how many more there are; not where everybody stands alone."""
    by: dict[str, list[GroupMovement]] = {}
    for one in trial.simulation.by_group:
        by.setdefault(one.column, []).append(one)
    by = {column: members for column, members in by.items() if _tells(members)}
    return {
        column: (sorted(members, key=_far_first)[:MOST_GROUPS], max(0, len(members) - MOST_GROUPS))
        for column, members in by.items()
    }


def _tells(members: Sequence[GroupMovement]) -> bool:
    moves = any(one.compared or one.gained_score or one.lost_score for one in members)
    return moves and any(one.value for one in members) and any(one.subjects > 1 for one in members)


def _far_first(one: GroupMovement) -> tuple[Fraction, str]:
    return (-abs(one.mean_change) if one.mean_change is not None else Fraction(1), one.value)
