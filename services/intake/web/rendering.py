"""What intake's pages stand on: the doors of its app, the frame that all services share, and words of their own."""

from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, Protocol, cast

from fastapi import Request, Response

from services.intake.domain.commands.base import Outcome
from services.intake.settings import IntakeSettings
from services.intake.web.texts.languages import TEXTS
from shared import site
from shared.database import Pool
from shared.errors import LianxinError
from shared.frame.pages import make_environment
from shared.identifiers import new_id
from shared.observability import correlation_id
from shared.reach import current

HOME: Final = "desk"
PUBLIC: Final = ("reception-days", "reception-bookings", "consultations")
NAVIGATION: Final = (
    ("desk", "worklist", "issue.read"),
    ("desk/contacts", "my_contacts", "contact.record"),
    ("desk/contacts/new", "new_contact", "contact.record"),
    ("desk/calls", "calls", "callback.read"),
    ("desk/reviews", "reviews", "contact.read_review"),
    ("desk/rating-cases", "rating_cases", "rating_case.read"),
)
TEMPLATES: Final = make_environment(Path(__file__).parent / "templates")


class Group(Protocol):
    async def submit(self, command: Any) -> Outcome: ...  # noqa: ANN401 - each group takes commands of its own


class Doors(Protocol):
    """The doors of the app that these pages stand on: the same commits that programs share."""

    pool: Pool
    settings: IntakeSettings
    contacts: Group
    amendments: Group
    voids: Group
    issues: Group
    steps: Group
    reviews: Group


def make_site(settings: IntakeSettings) -> site.Site:
    return site.Site(
        templates=TEMPLATES,
        texts=TEXTS,
        navigation=NAVIGATION,
        home=HOME,
        public_path=settings.public_path,
        identity_pages=settings.identity_pages,
    )


def doors_of(request: Request) -> Doors:
    return cast("Doors", request.app.state.doors)


def is_page(request: Request) -> bool:
    """Whether people look at what this answers; programs have everything below /v1 and the like."""
    return _first_part(request) in {"", HOME, *PUBLIC}


def render_nothing(request: Request, error: LianxinError) -> Response:
    return site.render_nothing(request, error, layout="staff.html" if _first_part(request) == HOME else "public.html")


def _first_part(request: Request) -> str:
    return request.url.path.strip("/").split("/", 1)[0]


def tell(record_id: Any = None) -> dict[str, Any]:  # noqa: ANN401 - a UUID or None
    """What every command has: its id, its correlation id and the sender's reach. The id stands for a key."""
    return {"id": record_id or new_id(), "correlation_id": correlation_id(), "reach": current()}


def today() -> date:
    return datetime.now(site.CHINA).date()
