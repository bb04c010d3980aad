"""The pages at which officers decide: whether a contact that looks odd counts, and whether a rating counts."""

from datetime import UTC, datetime
from typing import Annotated, Final, get_args
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from services.intake.domain.commands.reviews import DecideReview, ReviewReason
from services.intake.domain.commands.reviews import Decision as ReviewDecision
from services.intake.handlers import desk, rating_cases, reviews
from services.intake.handlers.rating_cases import ReasonCode, Why
from services.intake.storage.rating_cases import Decision
from services.intake.web.forms import TOLD, InvalidForm, Sent, read_id, read_text, refuse_foreign
from services.intake.web.rendering import doors_of, tell, today
from shared.access.principal import Principal
from shared.errors import LianxinError
from shared.frame.forms import Form
from shared.site import for_staff, go, render_with

router = APIRouter()
FORM_PATHS: Final = ("/desk/reviews/decision", "/desk/rating-cases/decision")
MOST: Final = 100
LONGEST_REASON: Final = 2_000
Listing = Annotated[Principal, Depends(for_staff("contact.read_review"))]
Reviewing = Annotated[Principal, Depends(for_staff("contact.review"))]
ListingCases = Annotated[Principal, Depends(for_staff("rating_case.read"))]
Deciding = Annotated[Principal, Depends(for_staff("rating_case.decide"))]


@router.get("/desk/reviews", include_in_schema=False)
def get_reviews(request: Request, _: Listing) -> Response:
    return _render_reviews(request)


@router.post("/desk/reviews/decision", include_in_schema=False)
async def post_review(request: Request, _: Reviewing, sent: Sent) -> Response:
    form, foreign = sent
    try:
        refuse_foreign(foreign)
        outcome = await doors_of(request).reviews.submit(_read_review(form))
        desk.refuse(outcome)
    except TOLD as error:
        return await run_in_threadpool(_render_reviews, request, error=error)
    return go(request, f"desk/reviews?done={outcome.status}")


@router.get("/desk/rating-cases", include_in_schema=False)
def get_cases(request: Request, _: ListingCases) -> Response:
    return _render_cases(request)


@router.post("/desk/rating-cases/decision", include_in_schema=False)
def post_case(request: Request, principal: Deciding, sent: Sent) -> Response:
    form, foreign = sent
    try:
        refuse_foreign(foreign)
        case_id, decision, why = _read_case(form)
        rating_cases.decide_case(doors_of(request).pool, case_id, decision, why, principal, now=datetime.now(UTC))
    except TOLD as error:
        return _render_cases(request, error=error)
    return go(request, "desk/rating-cases?done=changed")


def _read_review(form: Form) -> DecideReview:
    """Raises InvalidForm."""
    decision, code = form.get("decision"), form.get("reason_code")
    if decision not in get_args(ReviewDecision) or code not in get_args(ReviewReason):
        raise InvalidForm("a decision has a reason of the list")
    return DecideReview(
        **tell(read_id(form)),
        decision=decision,  # type: ignore[arg-type] # one of them, as was just looked up
        reason_code=code,  # type: ignore[arg-type] # same
        reason=read_text(form, "reason", LONGEST_REASON),
    )


def _read_case(form: Form) -> tuple[UUID, Decision, Why]:
    """Raises InvalidForm."""
    decision, code, text = form.get("decision"), form.get("reason_code"), read_text(form, "reason", 200)
    if decision not in get_args(Decision) or code not in get_args(ReasonCode) or text is None:
        raise InvalidForm("a decision has a reason of the list, and words of its own")
    return read_id(form), decision, Why(code=code, text=text)  # type: ignore[return-value, arg-type] # as was just looked up


def _render_reviews(request: Request, *, error: LianxinError | None = None) -> Response:
    pool = doors_of(request).pool
    found = reviews.list_reviews(pool, is_open=True, after=None, limit=MOST)
    names = desk.find_names(
        pool,
        organisations=[one.organisation_code for one in found],
        cadres=[one.staff_number for one in found],
        on=today(),
    )
    return render_with(request, "reviews.html", {"reviews": found, "names": names}, error)


def _render_cases(request: Request, *, error: LianxinError | None = None) -> Response:
    found = rating_cases.list_cases(doors_of(request).pool, "open", after=None, limit=MOST)
    return render_with(request, "rating_cases.html", {"cases": found}, error)
