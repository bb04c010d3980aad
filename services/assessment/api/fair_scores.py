"""Fair scores as they stand and as they were closed: lists, explanations, changes, sums over places, packages."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from starlette.responses import StreamingResponse

from services.assessment.domain.periods import parse_period
from services.assessment.exporting import ENDINGS, MEDIA_TYPES, Format
from services.assessment.fair.signals.odds import Check
from services.assessment.handlers import fair_exports, fair_results
from services.assessment.handlers.exports import read_blocks
from services.assessment.handlers.fair_exports import FairExport
from services.assessment.handlers.fair_results import Band, FairQuery, FairReplay, ShownChange, ShownFairScore
from services.assessment.storage.fair_closings import FairCorrection, FairWindow, FrozenResult
from services.assessment.storage.fair_scores import FairSpread
from shared.access.principal import Principal
from shared.answers import Page, Shown, gives, refuses, shows
from shared.conditions import tagged
from shared.edge import CodeText, SafeStr
from shared.http import AppPool, json_response, permit
from shared.identifiers import new_id
from shared.pages import BadCursor, decode_cursor, encode_cursor

router = APIRouter()
Reader = Annotated[Principal, Depends(permit("score.read"))]
Exporter = Annotated[Principal, Depends(permit("score.disclose"))]
Replayer = Annotated[Principal, Depends(permit("period.disclose"))]
Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(max_length=2_000)]
PeriodText = Annotated[SafeStr, Query(alias="period", max_length=24)]
MaybePeriod = Annotated[SafeStr | None, Query(alias="period", max_length=24)]
PeriodPath = Annotated[SafeStr, Path(alias="period", max_length=24)]
Flag = Annotated[Check | Literal["any", "none"] | None, Query()]
FILES = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in MEDIA_TYPES.values()}
LINES = {"application/x-ndjson": {"schema": {"type": "string"}}}


class ShownExplanation(Shown):
    """Every step from the records to the score, as data and as text; the points add up to the score."""

    staff_number: str
    explanation: dict[str, Any]
    text: dict[str, str]


class ShownCorrection(Shown):
    """What a closed score would be, by the yardstick of then; `cause` names the records that are known otherwise."""

    staff_number: str
    number: int
    known_at: datetime
    cause: dict[str, Any]
    score_was: str
    score_would_be: str
    changes: dict[str, str]
    content_hash: str


class ShownReplay(Shown):
    window: str
    results: int
    is_same: bool
    expected: str
    found: str
    differing: list[str]


class ShownSpreads(Shown):
    """How the scores of the cadres below an organisation lie, by peer group."""

    organisation: str
    period: str | None
    peer_groups: list[FairSpread]


@router.get("/v1/fair-scores", responses=shows(Page[ShownFairScore]) | refuses(404))
def list_fair_scores(  # noqa: PLR0913 - the filters of a list are its arguments
    request: Request,
    _: Reader,
    pool: AppPool,
    *,
    period_text: MaybePeriod = None,
    organisation: CodeText | None = None,
    peer_group: CodeText | None = None,
    post_kind: CodeText | None = None,
    band: Band | None = None,
    flag: Flag = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """By staff number; as they stand, or of a closed period. `flag` is `any`, `none` or the name of a check."""
    query = FairQuery(
        period=None if period_text is None else parse_period(period_text),
        organisation_code=organisation,
        peer_group=peer_group,
        post_kind=post_kind,
        band=band,
        flag=flag,
    )
    after = decode_cursor(cursor, length=1)[0] if cursor is not None else None
    found = fair_results.list_scores(pool, query, after=after, limit=limit + 1)
    following = encode_cursor([found[limit - 1].staff_number]) if len(found) > limit else None
    return tagged(request, {"items": found[:limit], "next_cursor": following})


@router.get(
    "/v1/fair-scores/export",
    response_class=StreamingResponse,
    responses=gives(200, description="The scores as a file.", content=FILES) | refuses(404),
)
def export_fair_scores(  # noqa: PLR0913 - the filters of a list are its arguments
    _: Exporter,
    pool: AppPool,
    *,
    period_text: MaybePeriod = None,
    file_format: Annotated[Format, Query(alias="format")] = "csv",
    organisation: CodeText | None = None,
    peer_group: CodeText | None = None,
    post_kind: CodeText | None = None,
    band: Band | None = None,
    flag: Flag = None,
) -> Response:
    """The same numbers as the list, with what each column means; CSV comes in a ZIP."""
    query = FairQuery(
        period=None if period_text is None else parse_period(period_text),
        organisation_code=organisation,
        peer_group=peer_group,
        post_kind=post_kind,
        band=band,
        flag=flag,
    )
    asked = FairExport(id=new_id(), query=query, format=file_format)
    file = fair_exports.export_fair_scores(pool, asked, now=datetime.now(UTC))
    name = f"fair-scores-{query.period.label if query.period else 'now'}.{ENDINGS[file_format]}"
    return StreamingResponse(
        read_blocks(file),
        media_type=MEDIA_TYPES[file_format],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@router.get("/v1/fair-scores/{staff_number}/explanation", responses=shows(ShownExplanation))
def get_explanation(
    request: Request, staff_number: CodeText, _: Reader, pool: AppPool, *, period_text: MaybePeriod = None
) -> Response:
    """Why the score is what it is, now or as it was closed: steps, the records that moved it, what would change."""
    period = None if period_text is None else parse_period(period_text)
    found = fair_results.get_explanation(pool, staff_number, period)
    shown = {"explanation": fair_results.show_explanation(found), "text": fair_results.tell_both(found)}
    return tagged(request, {"staff_number": staff_number, **shown})


@router.get("/v1/fair-scores/{staff_number}/change", responses=shows(ShownChange))
def get_change(
    staff_number: CodeText,
    _: Reader,
    pool: AppPool,
    *,
    since: Annotated[SafeStr, Query(max_length=24)],
    until: Annotated[SafeStr | None, Query(max_length=24)] = None,
) -> Response:
    """Why the score of one closed period is not that of a later one, or not what it is now."""
    later = None if until is None else parse_period(until)
    return json_response(fair_results.get_change(pool, staff_number, since=parse_period(since), until=later))


@router.get("/v1/fair-organisations/{code}", responses=shows(ShownSpreads))
def get_organisation(code: CodeText, _: Reader, pool: AppPool, *, period_text: MaybePeriod = None) -> Response:
    period = None if period_text is None else parse_period(period_text)
    found = fair_results.list_spreads(pool, code, period)
    label = period.label if period else None
    groups = [_show_spread(one) for one in found]
    return json_response({"organisation": code, "period": label, "peer_groups": groups})


@router.get("/v1/fair-corrections", responses=shows(Page[ShownCorrection]) | refuses(404))
def list_corrections(
    _: Reader,
    pool: AppPool,
    *,
    period_text: PeriodText,
    staff_number: CodeText | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """The newest first."""
    found = fair_results.list_corrections(
        pool,
        parse_period(period_text),
        staff_number=staff_number,
        before=_read_place(cursor),
        limit=limit + 1,
    )
    following = encode_cursor([str(found[limit - 1].place)]) if len(found) > limit else None
    return json_response({"items": [show_correction(one) for one in found[:limit]], "next_cursor": following})


@router.get("/v1/fair-periods/{period}/replay", responses=shows(ShownReplay) | refuses(404))
def replay_period(_: Replayer, pool: AppPool, period_text: PeriodPath) -> Response:
    """Compute it again from its inputs and compare by hash."""
    period = parse_period(period_text)
    found = fair_results.replay(pool, period, most=fair_results.MOST_OVER_THE_DOOR)
    return json_response(_show_replay(found))


@router.get(
    "/v1/fair-periods/{period}/package",
    response_class=StreamingResponse,
    responses=gives(200, description="The window, then a line a cadre.", content=LINES) | refuses(404),
)
def get_package(_: Replayer, pool: AppPool, period_text: PeriodPath) -> Response:
    """All that it takes to compute a closed period again: python3 tools/verify_fair.py FILE."""
    window, results = fair_results.open_package(pool, parse_period(period_text))
    return StreamingResponse(_lines(window, results), media_type="application/x-ndjson")


def _lines(window: FairWindow, results: Iterator[FrozenResult]) -> Iterator[bytes]:
    head = {
        "package": "fair-1",
        "window": f"{window.starts_on}..{window.ends_on}",
        "scheme": {
            "name": window.scheme_name,
            "version": window.scheme_version,
            "content_hash": window.scheme_hash.hex(),
        },
        "settings": orjson.loads(window.settings),
        "span": orjson.loads(window.yardstick)["span"],
        "result_count": window.result_count,
        "content_hash": window.content_hash.hex(),
    }
    yield orjson.dumps(head) + b"\n"
    for one in results:
        line = {
            "cadre": str(one.cadre_id),
            "staff_number": one.staff_number,
            "inputs": orjson.loads(one.inputs),
            "inputs_hash": one.inputs_hash.hex(),
            "document": orjson.loads(one.document),
            "content_hash": one.content_hash.hex(),
        }
        yield orjson.dumps(line) + b"\n"


def _read_place(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    place = decode_cursor(cursor, length=1)[0]
    if place is None or not place.isdecimal():
        raise BadCursor("the cursor belongs to another list")
    return int(place)


def _show_spread(one: FairSpread) -> dict[str, Any]:
    return {
        **asdict(one),
        **{name: str(getattr(one, name)) for name in ("total", "mean", "lowest", "median", "highest")},
    }


def show_correction(one: FairCorrection) -> dict[str, Any]:
    return {
        "staff_number": one.staff_number,
        "number": one.number,
        "known_at": one.known_at,
        "cause": one.cause,
        "score_was": str(one.score_was),
        "score_would_be": str(one.score_would_be),
        "changes": one.changes,
        "content_hash": one.content_hash.hex(),
    }


def _show_replay(found: FairReplay) -> dict[str, Any]:
    return {
        "window": found.window,
        "results": found.results,
        "is_same": found.is_same,
        "expected": found.expected,
        "found": found.found,
        "differing": list(found.differing),
    }
