"""What assessment's pages stand on: the frame that all services share, words of their own, and how figures look."""

from decimal import Decimal
from pathlib import Path
from typing import Final

from fastapi import Request

from services.assessment.domain.periods import Period
from services.assessment.settings import AssessmentSettings
from services.assessment.web.texts import TEXTS
from shared.frame.pages import make_environment
from shared.site import Site

PLACES: Final = frozenset({"", "scores", "fair", "published"})
NAVIGATION: Final = (
    ("fair", "fair_scores", "score.read"),
    ("scores", "scores", "score.read"),
    ("published/cadre", "published_cadres", "published.cadre.read"),
    ("published/organisation", "published_organisations", "published.organisation.read"),
)
TEMPLATES: Final = make_environment(Path(__file__).parent / "templates")
NO_FIGURE: Final = "—"


def make_site(settings: AssessmentSettings) -> Site:
    return Site(
        templates=TEMPLATES,
        texts=TEXTS,
        navigation=NAVIGATION,
        home="",
        public_path=settings.public_path,
        identity_pages=settings.identity_pages,
    )


def is_page(request: Request) -> bool:
    """Whether people look at what this answers; programs have everything below /v1 and the like."""
    return request.url.path.strip("/").split("/", 1)[0] in PLACES


def labels_of(periods: list[Period]) -> list[str]:
    return [period.label for period in periods]


def figure(value: Decimal | str | None, places: int = 2) -> str:
    return NO_FIGURE if value is None else f"{Decimal(value):.{places}f}"


def percent(value: Decimal | str | None) -> str:
    """A share as people read it, to a tenth of a percent, half up as everywhere."""
    return NO_FIGURE if value is None else f"{(Decimal(value) * 100).quantize(Decimal('0.1'), 'ROUND_HALF_UP')} %"
