"""The pages of what is published: for cadres their own figures, for heads those of their unit, word for word."""

from typing import Annotated, Any, Final
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, Depends, Request, Response

from services.assessment.domain.periods import Period, parse_period
from services.assessment.domain.scores import NotPublished, SubjectKind
from services.assessment.handlers import corrections, place_scores, published
from services.assessment.storage.place_scores import PlaceScore
from services.assessment.web.rendering import figure, labels_of, percent
from shared.access.principal import Principal
from shared.database import Pool
from shared.errors import NotFound, Rejected
from shared.http import AppPool
from shared.pages import BadCursor, decode_cursor, encode_cursor
from shared.site import for_staff, go, render, render_with

router = APIRouter()
A_PAGE: Final = 50
MOST_CORRECTIONS: Final = 20
LONGEST: Final = 64
TITLES: Final = {"cadre": "published_cadres", "organisation": "published_organisations"}
Anybody = Annotated[Principal, Depends(for_staff("published.period.read"))]
CadreReader = Annotated[Principal, Depends(for_staff("published.cadre.read"))]
OrganisationReader = Annotated[Principal, Depends(for_staff("published.organisation.read"))]


@router.get("/", include_in_schema=False)
def get_start(request: Request, principal: Anybody) -> Response:
    """To the page on which most of the reader's figures stand."""
    roles = {grant.role for grant in principal.grants}
    live = {"approver", "auditor", "department_officer"}
    return go(request, "fair" if roles & live else f"published/{'cadre' if 'cadre' in roles else 'organisation'}")


@router.get("/published/cadre", include_in_schema=False)
def get_cadres(request: Request, _: CadreReader, pool: AppPool) -> Response:
    return _render_list(request, pool, "cadre")


@router.get("/published/organisation", include_in_schema=False)
def get_organisations(request: Request, _: OrganisationReader, pool: AppPool) -> Response:
    return _render_list(request, pool, "organisation")


@router.get("/published/cadre/{code}", include_in_schema=False)
def get_cadre(request: Request, _: CadreReader, pool: AppPool, code: str) -> Response:
    return _render_one(request, pool, "cadre", code)


@router.get("/published/organisation/{code}", include_in_schema=False)
def get_organisation(request: Request, _: OrganisationReader, pool: AppPool, code: str) -> Response:
    return _render_one(request, pool, "organisation", code)


def _render_list(request: Request, pool: Pool, kind: SubjectKind) -> Response:
    periods = labels_of(published.list_published_periods(pool))
    period = request.query_params.get("period", "").strip()[:LONGEST] or (periods[0] if periods else "")
    values: dict[str, Any] = {"kind": kind, "heading": TITLES[kind], "periods": periods, "period": period}
    values |= {"publications": [], "following": None, "figure": figure}
    try:
        if period:
            values |= _list(pool, kind, period, request.query_params.get("cursor"))
    except (Rejected, NotFound) as error:
        return render_with(request, "publications.html", values, error)
    return render(request, "publications.html", **values)


def _list(pool: Pool, kind: SubjectKind, period: str, cursor: str | None) -> dict[str, Any]:
    """Raises BadPeriod, BadCursor."""
    after = decode_cursor(cursor[:2_000], length=1)[0] if cursor else None
    if cursor and not after:
        raise BadCursor("the cursor is not one of ours")
    found = published.list_publications(pool, kind, parse_period(period), after=after, limit=A_PAGE + 1)
    page = [one.document for one in found[:A_PAGE]]
    if len(found) <= A_PAGE:
        return {"publications": page, "following": None}
    return {
        "publications": page,
        "following": urlencode({"period": period, "cursor": encode_cursor([page[-1]["subject"]["code"]])}),
    }


def _render_one(request: Request, pool: Pool, kind: SubjectKind, code: str) -> Response:
    """Raises NotPublished."""
    try:
        period = parse_period(request.query_params.get("period", ""))
    except Rejected:
        raise NotPublished("nothing is published of that") from None
    found = published.read_publication(pool, kind, code.replace("\0", "")[:LONGEST], period)
    subject = found.document["subject"]["code"]
    place = _find_place_score(pool, kind, subject, period)
    told = orjson.loads(place.document) if place else None
    return render(
        request,
        "publication.html",
        kind=kind,
        one=found.document,
        scheme=found.scheme,
        definitions={indicator.key: indicator for indicator in found.scheme.indicators},
        content_hash=found.content_hash.hex(),
        place=told,
        contributions=_by_item(told) if told else [],
        place_hash=place.content_hash.hex() if place else "",
        corrections=corrections.list_corrections(
            pool, kind, code=subject, period=period, before=None, limit=MOST_CORRECTIONS
        ),
        figure=figure,
        percent=percent,
    )


def _by_item(place: dict[str, Any]) -> list[dict[str, str]]:
    """What the total is made of: what all have, then the items in their order, then what changed the sum of these."""
    places = {item["key"]: number for number, item in enumerate(place["items"])}
    last = len(places)
    return sorted(place["contributions"], key=lambda one: -1 if one["part"] == "base" else places.get(one["key"], last))


def _find_place_score(pool: Pool, kind: SubjectKind, code: str, period: Period) -> PlaceScore | None:
    """None before it is scored, and where no scheme says anything of such a subject."""
    try:
        return place_scores.get_place_score(pool, kind, code, period)
    except NotPublished:
        return None
