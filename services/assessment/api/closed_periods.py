"""Closed periods: hashes, days asked for beside the calendar, replays, and packages that are verified elsewhere."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Path, Response
from starlette.responses import StreamingResponse

from services.assessment.api.shapes import Shape, show_period
from services.assessment.domain.periods import parse_period
from services.assessment.domain.scores import SubjectKind
from services.assessment.handlers import published, replays
from services.assessment.handlers.replays import PeriodPackage
from services.assessment.storage.closed_periods import ClosedPeriod
from services.assessment.storage.schemes import StoredScheme
from shared.access.principal import Principal
from shared.answers import Listing, Shown, gives, refuses, shows
from shared.database import Pool
from shared.edge import CodeText, SafeStr
from shared.http import AppPool, json_response, permit

router = APIRouter()
PeriodReader = Annotated[Principal, Depends(permit("published.period.read"))]
Declarer = Annotated[Principal, Depends(permit("period.declare"))]
Replayer = Annotated[Principal, Depends(permit("period.disclose"))]
CadreReader = Annotated[Principal, Depends(permit("published.cadre.read"))]
OrganisationReader = Annotated[Principal, Depends(permit("published.organisation.read"))]
PeriodPath = Annotated[SafeStr, Path(alias="period", max_length=24)]
PACKAGE_VERSION = 1
JSON_LINES = "application/x-ndjson"
LINES: dict[str, Any] = {JSON_LINES: {"schema": {"type": "string"}}}


class ShownDays(Shown):
    period: str
    kind: Literal["month", "quarter", "half_year", "year", "custom"]
    start: date
    end: date


class ShownSchemeName(Shown):
    name: str
    version: int
    definition_hash: str


class ShownClosedPeriod(Shown):
    """A closed period under one hash over all of its publications, their inputs and the scheme."""

    period: ShownDays
    scheme: ShownSchemeName
    publication_count: int
    content_hash: str
    closed_at: datetime


class ShownDiffering(Shown):
    subject_kind: str
    subject_id: UUID
    expected: str
    found: str


class ShownReplay(Shown):
    """What came out when the period was computed again from its frozen inputs."""

    period: ShownDays
    is_same: bool
    publications: int
    unfrozen: int
    expected: str
    found: str
    differing: list[ShownDiffering]


class AskedPeriod(Shown):
    period: ShownDays
    status: Literal["created", "unchanged"]


class ShownScheme(Shown):
    name: str
    version: int
    definition: dict[str, Any]
    content_hash: str


class ShownPackage(Shown):
    """All that is needed to compute one publication again: python3 tools/verify_result.py PACKAGE."""

    package: Literal[1]
    scheme: ShownScheme
    inputs: dict[str, Any]
    inputs_hash: str
    document: dict[str, Any]
    content_hash: str


@router.get("/v1/closed-periods", responses=shows(Listing[ShownClosedPeriod]))
def list_closed_periods(_: PeriodReader, pool: AppPool) -> Response:
    return json_response({"items": [_show(closed) for closed in replays.list_closed_periods(pool)]})


@router.get("/v1/custom-periods", responses=shows(Listing[ShownDays]))
def list_custom_periods(_: PeriodReader, pool: AppPool) -> Response:
    return json_response({"items": [show_period(period) for period in replays.list_custom_periods(pool)]})


@router.put("/v1/custom-periods/{period}", responses=shows(AskedPeriod) | shows(AskedPeriod, status=201))
def ask_for_period(_: Declarer, pool: AppPool, period_text: PeriodPath) -> Response:
    """Have these days closed and published like a month, once the month that they end in is."""
    period = parse_period(period_text)
    is_new = replays.ask_for_period(pool, period, now=datetime.now(UTC))
    shape = {"period": show_period(period), "status": "created" if is_new else "unchanged"}
    return json_response(shape, status=201 if is_new else 200)


@router.get("/v1/closed-periods/{period}/replay", responses=shows(ShownReplay) | refuses(404))
def replay_period(_: Replayer, pool: AppPool, period_text: PeriodPath) -> Response:
    found = replays.replay_period(pool, parse_period(period_text), most=replays.MOST_OVER_THE_DOOR)
    return json_response(
        {
            "period": show_period(found.period),
            "is_same": found.is_same,
            "publications": found.publications,
            "unfrozen": found.unfrozen,
            "expected": found.expected,
            "found": found.found,
            "differing": found.differing,
        }
    )


@router.get(
    "/v1/closed-periods/{period}/package",
    response_class=StreamingResponse,
    responses=gives(200, description="A line for the period, then one a publication.", content=LINES),
)
def get_period_package(_: Replayer, pool: AppPool, period_text: PeriodPath) -> Response:
    """Everything that the period's hash is made of, line by line: python3 tools/verify_result.py FILE."""
    package = replays.open_package(pool, parse_period(period_text))
    name = f"period-{package.closed.period.label}.jsonl"
    return StreamingResponse(
        _lines(package),
        media_type=JSON_LINES,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@router.get("/v1/published/scores/cadre/{code}/package", responses=shows(ShownPackage))
def get_cadre_package(_: CadreReader, pool: AppPool, code: CodeText, period: SafeStr) -> Response:
    return json_response(_show_package(pool, "cadre", code, period))


@router.get("/v1/published/scores/organisation/{code}/package", responses=shows(ShownPackage))
def get_organisation_package(_: OrganisationReader, pool: AppPool, code: CodeText, period: SafeStr) -> Response:
    return json_response(_show_package(pool, "organisation", code, period))


def _show(closed: ClosedPeriod) -> Shape:
    return {
        "period": show_period(closed.period),
        "scheme": {
            "name": closed.scheme_name,
            "version": closed.scheme_version,
            "definition_hash": closed.definition_hash.hex(),
        },
        "publication_count": closed.publication_count,
        "content_hash": closed.content_hash.hex(),
        "closed_at": closed.closed_at,
    }


def _show_package(pool: Pool, kind: SubjectKind, code: str, period_text: str) -> Shape:
    found = published.read_package(pool, kind, code, parse_period(period_text))
    return {
        "package": PACKAGE_VERSION,
        "scheme": _show_scheme(found.scheme),
        "inputs": orjson.Fragment(found.inputs),
        "inputs_hash": found.inputs_hash.hex(),
        "document": orjson.Fragment(found.document),
        "content_hash": found.content_hash.hex(),
    }


def _show_scheme(stored: StoredScheme) -> Shape:
    return {
        "name": stored.name,
        "version": stored.version,
        "definition": stored.definition,
        "content_hash": stored.content_hash.hex(),
    }


def _lines(package: PeriodPackage) -> Iterator[bytes]:
    head = {
        "package": PACKAGE_VERSION,
        **_show(package.closed),
        "parameters": orjson.Fragment(package.closed.parameters),
        "scheme": _show_scheme(package.scheme),
    }
    yield orjson.dumps(head) + b"\n"
    for one in replays.iterate_package(package):
        line = {
            "subject_kind": one.subject_kind,
            "subject_id": one.subject_id,
            "inputs": orjson.Fragment(one.inputs) if one.inputs is not None else None,
            "inputs_hash": one.inputs_hash.hex() if one.inputs_hash is not None else None,
            "document": orjson.Fragment(one.document),
            "content_hash": one.content_hash.hex(),
        }
        yield orjson.dumps(line) + b"\n"
