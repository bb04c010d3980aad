"""Scores: the list, one with its indicators, and the events behind an indicator."""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from services.assessment.api import shapes
from services.assessment.api.closed_periods import ShownDays
from services.assessment.api.described import ShownEvidence, ShownScore, ShownScoreInFull
from services.assessment.api.doors import AppSettings
from services.assessment.domain.periods import parse_calendar_period, parse_period
from services.assessment.domain.scores import COMPOSITE_PATTERN, Score, Sort, SubjectKind
from services.assessment.fair.signals.odds import Check
from services.assessment.handlers import evidence, reading, windows
from services.assessment.handlers.evidence import Evidence, EvidenceQuery
from services.assessment.handlers.reading import ScoreQuery
from services.assessment.storage.reading import After
from shared.access.principal import Principal
from shared.answers import Listing, Page, refuses, shows
from shared.conditions import tagged
from shared.edge import CodeText, SafeStr
from shared.http import AppPool, json_response, permit
from shared.pages import BadCursor, decode_cursor, encode_cursor

router = APIRouter()
Reader = Annotated[Principal, Depends(permit("score.read"))]
Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(max_length=2_000)]
MOST_PLACES = 50
Composite = Annotated[str | None, Query(pattern=COMPOSITE_PATTERN, examples=["72.5"])]
Flag = Annotated[Check | Literal["any", "none"] | None, Query()]
PeriodText = Annotated[SafeStr, Query(alias="period", max_length=24)]


@router.get("/v1/periods", responses=shows(Listing[ShownDays]))
def list_periods(_: Reader, pool: AppPool) -> Response:
    return json_response({"items": [shapes.show_period(period) for period in reading.list_periods(pool)]})


@router.get("/v1/scores", responses=shows(Page[ShownScore], headers=("ETag",)) | refuses(404))
def list_scores(  # noqa: PLR0913 - the filters of a list are its arguments
    request: Request,
    _: Reader,
    pool: AppPool,
    *,
    subject: SubjectKind,
    period_text: PeriodText,
    organisation: CodeText | None = None,
    peer_group: CodeText | None = None,
    post_kind: CodeText | None = None,
    composite_from: Composite = None,
    composite_below: Composite = None,
    flag: Flag = None,
    sort: Sort = "-composite",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    query = ScoreQuery(
        subject_kind=subject,
        period=parse_calendar_period(period_text),
        organisation_code=organisation,
        peer_group=peer_group,
        post_kind=post_kind,
        composite_from=Decimal(composite_from) if composite_from is not None else None,
        composite_below=Decimal(composite_below) if composite_below is not None else None,
        flag=flag,
        sort=sort,
    )
    after = _read_after(cursor, sort)
    found, indicators = reading.list_scores(pool, query, after=after, limit=limit + 1)
    page = found[:limit]
    following = _write_after(page[-1], sort) if len(found) > limit else None
    items = [shapes.show_score(score, indicators[score.score_id]) for score in page]
    return tagged(request, {"items": items, "next_cursor": following})


@router.get("/v1/scores/{kind}/{code}", responses=shows(ShownScoreInFull, headers=("ETag",)))
def get_score(
    request: Request,
    kind: SubjectKind,
    code: CodeText,
    period_text: PeriodText,
    _: Reader,
    pool: AppPool,
    settings: AppSettings,
) -> Response:
    period = parse_period(period_text)
    if period.kind == "custom":
        query = windows.WindowQuery(subject_kind=kind, code=code, period=period)
        found = windows.read_custom_score(
            pool, query, scheme_name=settings.scheme, zone=settings.zone, now=datetime.now(UTC)
        )
    else:
        found = reading.read_score(pool, kind, code, period, scheme_name=settings.scheme)
    return tagged(request, shapes.show_reading(found))


@router.get("/v1/scores/{kind}/{code}/indicators/{indicator}/events", responses=shows(ShownEvidence))
def list_events(  # noqa: PLR0913 - what it takes are its arguments
    kind: SubjectKind,
    code: CodeText,
    indicator: CodeText,
    period_text: PeriodText,
    _: Reader,
    pool: AppPool,
    settings: AppSettings,
    *,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    after_at, after_id = _read_evidence_cursor(cursor)
    query = EvidenceQuery(
        subject_kind=kind,
        code=code,
        period=parse_period(period_text),
        indicator=indicator,
        after_at=after_at,
        after_id=after_id,
        limit=limit + 1,
    )
    found = evidence.list_evidence(pool, query, scheme_name=settings.scheme, zone=settings.zone, now=datetime.now(UTC))
    page = found.items[:limit]
    following = _write_evidence_cursor(page[-1]) if len(found.items) > limit else None
    return json_response(shapes.show_evidence(found, page, following, zone=settings.zone))


def _write_after(score: Score, sort: Sort) -> str:
    composite = None if score.composite is None else str(score.composite)
    return encode_cursor([sort, composite, score.subject_code])


def _read_after(cursor: str | None, sort: Sort) -> After | None:
    """Raises BadCursor, also for a cursor of the list sorted otherwise."""
    if cursor is None:
        return None
    sorted_by, composite_text, subject_code = decode_cursor(cursor, length=3)
    if sorted_by != sort or not subject_code:
        raise BadCursor("the cursor belongs to another list")
    try:
        composite = Decimal(composite_text) if composite_text is not None else None
    except InvalidOperation:
        raise BadCursor("the cursor is not one of ours") from None
    if composite is not None and not _is_composite(composite):
        raise BadCursor("the cursor is not one of ours")
    return After(composite=composite, subject_code=subject_code)


def _is_composite(value: Decimal) -> bool:
    """Whether it can be one: PostgreSQL has no room for the exponents that Python reads, as in 1e-999999."""
    exponent = value.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -MOST_PLACES and 0 <= value <= 100


def _write_evidence_cursor(item: Evidence) -> str:
    return encode_cursor([item.at.isoformat(), str(item.fact_id)])


def _read_evidence_cursor(cursor: str | None) -> tuple[datetime | None, UUID | None]:
    """Raises BadCursor."""
    if cursor is None:
        return None, None
    at_text, id_text = decode_cursor(cursor, length=2)
    try:
        at = datetime.fromisoformat(at_text or "")
        fact_id = UUID(id_text or "")
    except ValueError:
        raise BadCursor("the cursor is not one of ours") from None
    if at.tzinfo is None:
        raise BadCursor("the cursor is not one of ours")
    return at, fact_id
