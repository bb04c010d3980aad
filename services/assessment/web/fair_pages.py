"""The pages of fair scores, for the department: the list, and one score with every step in words."""

from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import Depends, FastAPI, Request, Response

from services.assessment.domain.periods import Period, parse_period
from services.assessment.fair.telling import NAMES
from services.assessment.handlers import fair_results, published
from services.assessment.handlers.fair_results import FairQuery
from services.assessment.web.rendering import labels_of
from shared.access.principal import Principal
from shared.database import Pool
from shared.errors import NotFound, Rejected
from shared.pages import decode_cursor, encode_cursor
from shared.site import for_staff, language_of, render, render_with

A_PAGE: Final = 50
LONGEST: Final = 64
FILTERS: Final = ("period", "organisation", "peer_group")
TOLD: Final = (Rejected, NotFound)
Reader = Annotated[Principal, Depends(for_staff("score.read"))]


def add_fair_pages(app: FastAPI, pool: Pool) -> None:
    @app.get("/fair", include_in_schema=False)
    def get_fair_scores(request: Request, _: Reader) -> Response:
        asked = {name: _plain(request.query_params.get(name, "")) for name in FILTERS}
        values: dict[str, Any] = {"asked": asked, "scores": [], "following": None}
        values["periods"] = labels_of(published.list_published_periods(pool))
        try:
            values |= _list(pool, asked, request.query_params.get("cursor"))
        except TOLD as error:
            return render_with(request, "fair_scores.html", values, error)
        return render(request, "fair_scores.html", **values)

    @app.get("/fair/{staff_number}", include_in_schema=False)
    def get_fair_score(request: Request, _: Reader, staff_number: str) -> Response:
        if not 0 < len(staff_number) <= LONGEST or _plain(staff_number) != staff_number:
            raise NotFound("there is no such page")
        found = fair_results.get_explanation(pool, staff_number, _read_period(request.query_params.get("period", "")))
        language = language_of(request)
        names = {name: told[language] for name, told in NAMES.items()}
        lines = fair_results.tell_both(found)[language].splitlines()
        return render(request, "fair_score.html", found=found, staff_number=staff_number, lines=lines, names=names)


def _list(pool: Pool, asked: dict[str, str], cursor: str | None) -> dict[str, Any]:
    """By staff number: no page of ours ranks people. Raises BadPeriod, NotPublished, UnknownOrganisation, BadCursor."""
    query = FairQuery(
        period=_read_period(asked["period"]),
        organisation_code=asked["organisation"] or None,
        peer_group=asked["peer_group"] or None,
    )
    after = decode_cursor(cursor[:2_000], length=1)[0] if cursor else None
    found = fair_results.list_scores(pool, query, after=after, limit=A_PAGE + 1)
    page = found[:A_PAGE]
    if len(found) <= A_PAGE:
        return {"scores": page, "following": None}
    return {"scores": page, "following": urlencode({**asked, "cursor": encode_cursor([page[-1].staff_number])})}


def _read_period(text: str) -> Period | None:
    """Without one, as things stand. Raises BadPeriod."""
    return parse_period(text[:LONGEST]) if text else None


def _plain(text: str) -> str:
    """Without what PostgreSQL has no room for."""
    return text.replace("\0", "").strip()[:LONGEST]
