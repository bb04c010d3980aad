"""The pages of public consultations: what is asked, saying what one thinks, and what became of it."""

from datetime import UTC, datetime
from typing import Final, get_args
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.intake.domain.consultations import Stance
from services.intake.handlers import consultations, opinions
from services.intake.handlers.opinions import Given
from services.intake.web.forms import TOLD, InvalidForm, Sent, read_id, read_place, read_text, refuse_foreign
from services.intake.web.rendering import doors_of
from shared.errors import LianxinError
from shared.frame.forms import Form
from shared.http import leave_open, network_behind
from shared.identifiers import new_id
from shared.site import go, render, render_with

router = APIRouter()
FORM_PATHS: Final = ("/consultations/opinion",)
MOST: Final = 100
LONGEST_TEXT: Final = 20_000
FIELDS: Final = ("id", "consultation_id", "stance", "text", "name", "phone")
STANCES: Final = get_args(Stance)
reading = Depends(leave_open("consultation.read"))
giving = Depends(leave_open("opinion.give"))


@router.get("/consultations", include_in_schema=False, dependencies=[reading])
def get_list(request: Request) -> Response:
    found = consultations.list_published(doors_of(request).pool, before=None, limit=MOST, now=datetime.now(UTC))
    return render(request, "consultations.html", consultations=found)


@router.get("/consultations/{consultation_id}", include_in_schema=False, dependencies=[reading])
def get_one(request: Request, consultation_id: str) -> Response:
    return _render_one(request, read_place(consultation_id), {**dict.fromkeys(FIELDS, ""), "id": str(new_id())})


@router.post("/consultations/opinion", include_in_schema=False, dependencies=[giving])
def post_opinion(request: Request, sent: Sent) -> Response:
    form, foreign = sent
    consultation_id, pool, now = read_id(form, "consultation_id"), doors_of(request).pool, datetime.now(UTC)
    opinions.count_try(pool, network_behind(request), now=now)
    try:
        refuse_foreign(foreign)
        opinions.give_opinion(pool, consultation_id, _read(form), channel="web", now=now)
    except TOLD as error:
        return _render_one(request, consultation_id, {name: form.get(name) for name in FIELDS}, error=error)
    return go(request, f"consultations/{consultation_id}?done=opinion")


def _read(form: Form) -> Given:
    """Raises InvalidForm."""
    stance = form.get("stance") or None
    if stance is not None and stance not in STANCES:
        raise InvalidForm("no such stance")
    return Given(
        id=read_id(form),
        stance=stance,  # type: ignore[arg-type] # one of the stances, as was just looked up
        text=read_text(form, "text", LONGEST_TEXT),
        name=read_text(form, "name", 200),
        phone=read_text(form, "phone", 60),
    )


def _render_one(
    request: Request, consultation_id: UUID, typed: dict[str, str], *, error: LianxinError | None = None
) -> Response:
    asked = consultations.get_published(doors_of(request).pool, consultation_id, now=datetime.now(UTC))
    values = {"asked": asked, "form": {**typed, "consultation_id": str(consultation_id)}}
    return render_with(request, "consultation.html", values, error)
