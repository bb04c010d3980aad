"""The pages of live scores, for the department: the list, one score with what it is made of, the evidence behind it."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.assessment.domain.periods import Period, parse_period
from services.assessment.domain.scores import SubjectKind
from services.assessment.handlers import evidence, figures, published, reading, windows
from services.assessment.handlers.evidence import EvidenceQuery
from services.assessment.handlers.reading import ScoreQuery, ScoreReading
from services.assessment.handlers.windows import WindowQuery
from services.assessment.settings import AssessmentSettings
from services.assessment.storage.reading import After
from services.assessment.web.list_filters import OF_SCORES, check_choices, list_fields, read_asked
from services.assessment.web.opening import choose_usual
from services.assessment.web.rendering import AppSettings, figure, labels_of, percent
from shared.access.principal import Principal
from shared.database import Pool
from shared.errors import LianxinError, NotFound, Rejected
from shared.http import AppPool
from shared.pages import BadCursor, decode_cursor, encode_cursor
from shared.site import for_staff, render, render_with, texts_of

router = APIRouter()
A_PAGE: Final = 50
MOST_EVIDENCE: Final = 100
LONGEST_CODE: Final = 64
TOLD: Final = (Rejected, NotFound)  # what is told beside the filters, with what was asked
Reader = Annotated[Principal, Depends(for_staff("score.read"))]


@router.get("/scores", include_in_schema=False)
def get_scores(request: Request, _: Reader, pool: AppPool, settings: AppSettings) -> Response:
    known = reading.list_periods(pool)
    periods = labels_of(known)
    post_kinds = reading.list_post_kinds(pool)
    asked = read_asked(request, ("period", *OF_SCORES))
    asked["period"] = asked["period"] or choose_usual(known, today=datetime.now(settings.zone).date())
    kind: SubjectKind = "organisation" if request.query_params.get("subject") == "organisation" else "cadre"
    values: dict[str, Any] = {"asked": asked, "kind": kind, "periods": periods, "figure": figure}
    values["kept"] = {"subject": kind} | {name: text for name, text in asked.items() if text}
    values["filters"] = list_fields(OF_SCORES, asked, post_kinds, texts_of(request))
    try:
        check_choices(asked, post_kinds)
        values |= _list(pool, kind, asked, request.query_params.get("cursor"))
    except TOLD as error:
        return render_with(request, "scores.html", values | {"scores": [], "following": None}, error)
    return render(request, "scores.html", **values)


@router.get("/scores/{kind}/{code}", include_in_schema=False)
def get_score(request: Request, _: Reader, pool: AppPool, settings: AppSettings, kind: str, code: str) -> Response:
    query = WindowQuery(subject_kind=_read_kind(kind), code=_read_code(code), period=_read_period(request))
    now = datetime.now(UTC)
    found = _read_score(pool, settings, query, now=now)
    every = figures.read_figures(pool, query, zone=settings.zone, now=now).figures
    weighed = {one.definition.key for one in found.indicators}
    return render(
        request,
        "score.html",
        found=found,
        kind=kind,
        others=[(definition, shown) for definition, shown in every if definition.key not in weighed],
        is_published=query.period in published.list_published_periods(pool),
        figure=figure,
        percent=percent,
    )


@router.get("/scores/{kind}/{code}/{indicator}", include_in_schema=False)
def get_evidence(
    request: Request, _: Reader, pool: AppPool, settings: AppSettings, kind: str, code: str, indicator: str
) -> Response:
    cursor = request.query_params.get("cursor")
    after_at, after_id = _read_fact_place(cursor) if cursor else (None, None)
    query = EvidenceQuery(
        subject_kind=_read_kind(kind),
        code=_read_code(code),
        period=_read_period(request),
        indicator=_read_code(indicator),
        after_at=after_at,
        after_id=after_id,
        limit=MOST_EVIDENCE + 1,
    )
    found = evidence.list_evidence(pool, query, scheme_name=settings.scheme, zone=settings.zone, now=datetime.now(UTC))
    today = found.as_of.astimezone(settings.zone).date()
    items, following = found.items[:MOST_EVIDENCE], None
    if len(found.items) > MOST_EVIDENCE:
        place = encode_cursor([items[-1].at.isoformat(), str(items[-1].fact_id)])
        following = urlencode({"period": query.period.label, "cursor": place})
    values: dict[str, Any] = {"items": items, "following": following, "is_following": cursor is not None}
    return render(request, "evidence.html", found=found, query=query, kind=kind, today=today, **values)


def _read_score(pool: Pool, settings: AssessmentSettings, query: WindowQuery, *, now: datetime) -> ScoreReading:
    """Raises UnknownSubject."""
    if query.period.kind == "custom":
        return windows.read_custom_score(pool, query, scheme_name=settings.scheme, zone=settings.zone, now=now)
    return reading.read_score(pool, query.subject_kind, query.code, query.period, scheme_name=settings.scheme)


def _list(pool: Pool, kind: SubjectKind, asked: dict[str, str], cursor: str | None) -> dict[str, Any]:
    """By code: no page of ours ranks people. Raises BadPeriod, UnknownOrganisation, BadCursor."""
    if not asked["period"]:
        return {"scores": [], "following": None}
    query = ScoreQuery(
        subject_kind=kind,
        period=parse_period(asked["period"]),
        organisation_code=asked["organisation"] or None,
        peer_group=asked["peer_group"] or None,
        post_kind=asked["post_kind"] or None,
        composite_from=Decimal(asked["composite_from"]) if asked["composite_from"] else None,
        composite_below=Decimal(asked["composite_below"]) if asked["composite_below"] else None,
        flag=asked["flag"] or None,
        sort="code",
    )
    after = None if not cursor else After(composite=None, subject_code=_read_place(cursor))
    found, _ = reading.list_scores(pool, query, after=after, limit=A_PAGE + 1)
    page = found[:A_PAGE]
    if len(found) <= A_PAGE:
        return {"scores": page, "following": None}
    return {"scores": page, "following": encode_cursor([page[-1].subject_code])}


def _read_place(cursor: str) -> str:
    """Raises BadCursor."""
    place = decode_cursor(cursor[:2_000], length=1)[0]
    if not place:
        raise BadCursor("the cursor is not one of ours")
    return place


def _read_fact_place(cursor: str) -> tuple[datetime, UUID]:
    """Raises BadCursor."""
    at_text, id_text = decode_cursor(cursor[:2_000], length=2)
    try:
        at, fact_id = datetime.fromisoformat(at_text or ""), UUID(id_text or "")
    except ValueError:
        raise BadCursor("the cursor is not one of ours") from None
    if at.tzinfo is None:
        raise BadCursor("the cursor is not one of ours")
    return at, fact_id


def _read_kind(kind: str) -> SubjectKind:
    """Raises NotFound."""
    if kind == "cadre":
        return "cadre"
    if kind == "organisation":
        return "organisation"
    raise NotFound("there is no such page")


def _read_code(code: str) -> str:
    """Raises NotFound."""
    if not 0 < len(code) <= LONGEST_CODE or _plain(code) != code:
        raise NotFound("there is no such page")
    return code


def _plain(text: str) -> str:
    """Without what PostgreSQL has no room for."""
    return text.replace("\0", "")


def _read_period(request: Request) -> Period:
    """Raises NotFound."""
    try:
        return parse_period(request.query_params.get("period", ""))
    except LianxinError:
        raise NotFound("there is no such page") from None
