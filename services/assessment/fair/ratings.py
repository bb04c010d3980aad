"""What a rating is worth: by the way it was collected, by who gave it, and never more for more of the same hand."""

from collections import Counter
from collections.abc import Iterator, Mapping

from services.assessment.fair.counting import HOUR
from services.assessment.fair.marks import Cell, Mark, cell_of
from services.assessment.fair.records import MICRO, Contact, Issue, Rating
from services.assessment.fair.settings import FairSettings

QUARTER_STEP = MICRO // 4


def mark_ratings(
    ratings: list[Rating], issues: Mapping[str, Issue], contacts: Mapping[str, Contact], settings: FairSettings
) -> Iterator[Mark]:
    """Of the ratings that count; issues and contacts by id are those of the same cadre."""
    by_rater = Counter(rating.rater for rating in ratings if rating.rater)
    by_device = Counter(rating.device for rating in ratings if rating.device and rating.method != "callback")
    by_hour = Counter(rating.rated_at // HOUR for rating in ratings if rating.method != "callback")
    crowd = _weigh_crowd(ratings, issues, settings)
    for rating in ratings:
        issue = issues.get(rating.subject) if rating.subject_kind == "issue" else None
        known = _is_known(rating, issue, contacts)
        weight = int(getattr(settings.ratings, rating.method)) if known else 0
        limit = MICRO // (by_rater[rating.rater] or 1)
        if rating.method != "callback":
            if rating.device and not rating.is_public_device:
                limit = min(limit, MICRO // by_device[rating.device])
            limit = min(limit, settings.ratings.hour_limit // by_hour[rating.rated_at // HOUR])
        if _is_own(rating):
            weight = weight * crowd // MICRO
        weight = weight * min(MICRO, limit) // MICRO
        yield Mark(
            record=rating.rating,
            indicator="satisfaction",
            cell=_cell_of(rating, issue),
            value=(rating.level - 1) * QUARTER_STEP,
            weight=weight * (issue.share if issue else MICRO) // MICRO,
            note="" if known else "not_the_complainant",
            rater=rating.rater,
        )


def _weigh_crowd(ratings: list[Rating], issues: Mapping[str, Issue], settings: FairSettings) -> int:
    """What each rating of an issue on own channels weighs where there are more than citizens usually give unasked."""
    own = sum(_is_own(rating) for rating in ratings)
    closed = sum(issue.share for issue in issues.values() if issue.closed_at is not None)
    return min(MICRO, max(MICRO, closed * settings.ratings.own_share // MICRO) // own) if own else MICRO


def _is_own(rating: Rating) -> bool:
    return rating.method != "callback" and rating.subject_kind == "issue"


def _cell_of(rating: Rating, issue: Issue | None) -> Cell:
    """Not by outcome: who solves a matter would else be expected to please more, and could stand worse for it."""
    if issue is None:
        return cell_of(rating.subject_kind, "", rating.method)
    return cell_of(issue.category, issue.complexity, rating.method)


def _is_known(rating: Rating, issue: Issue | None, contacts: Mapping[str, Contact]) -> bool:
    """The complainant, or the citizen of a contact that was confirmed. A call-back calls nobody else."""
    if rating.is_complainant is not None:
        return rating.is_complainant
    if rating.subject_kind == "contact":
        contact = contacts.get(rating.subject)
        return contact is not None and contact.is_confirmed and rating.rater in ("", contact.citizen)
    if issue is None:
        return False
    return rating.rater == issue.complainant != "" or (rating.method == "callback" and rating.rater == "")
