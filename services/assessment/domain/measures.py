"""The measures that indicators are built of, and which of them one fact counts for."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

NOBODY = UUID(int=0)  # stands where a fact names no organisation or no cadre
SATISFIED_LEVEL = 3  # of five levels, this one and better

# Counted from facts by the day, so that any days can be summed.
COUNTED = (
    "contacts",
    "issues_received",
    "responded",
    "response_overdue",
    "closed",
    "closed_on_time",
    "closed_late",
    "open_overdue",
    "resolved",
    "denied",
    "explained_policy",
    "not_accepted",
    "withdrawn",
    "merged",
    "ratings",
    "satisfied",
    "rating_level_sum",
)
# Duties are owed by the month, quarter, half-year or year, and count in periods that have the whole of it.
MEASURES = ("duties_owed", "duties_met", *COUNTED)
# What is made of facts that bear the day they happened on, and go on no further: known late, it is known better. The
# measures of issues change as the issues live on.
DATED = ("duties_owed", "duties_met", "contacts")

# Which answer of raters a measure is made of. What an indicator reads of these is told to cadres in releases only.
ANSWERS_BEHIND = {
    "resolved": "solved",
    "denied": "solved",
    "ratings": "level",
    "satisfied": "level",
    "rating_level_sum": "level",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueFact:
    issue_id: UUID
    organisation_id: UUID
    cadre_id: UUID
    category: str
    received_at: datetime
    respond_by: datetime | None
    due_at: datetime | None
    responded_at: datetime | None
    closed_at: datetime | None
    outcome: str | None
    denied: bool
    merged_into: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingFact:
    rating_id: UUID
    issue_id: UUID | None
    contact_id: UUID | None
    organisation_id: UUID
    cadre_id: UUID
    level: int
    solved: bool | None
    rated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactFact:
    contact_id: UUID
    organisation_id: UUID
    cadre_id: UUID
    kind: str
    occurred_at: datetime
    counts: bool


def measure_issue(issue: IssueFact, as_of: datetime) -> frozenset[str]:
    """What one issue counts for; one that is left out of assessment does not come here.

    What was merged into another issue is counted with that one alone. The tallies say the same in SQL, many issues at
    once; a test holds them together.
    """
    if issue.merged_into is not None and issue.outcome == "merged":
        return frozenset({"merged"})
    measures = {"issues_received"}
    if issue.closed_at is None:
        return frozenset(measures | _measure_open(issue, as_of))
    measures |= {"closed", "responded"}
    if issue.due_at is not None:
        measures.add("closed_on_time" if issue.closed_at <= issue.due_at else "closed_late")
    if issue.outcome == "resolved":
        measures.add("denied" if issue.denied else "resolved")
    elif issue.outcome is not None:
        measures.add(issue.outcome)
    return frozenset(measures)


def _measure_open(issue: IssueFact, as_of: datetime) -> set[str]:
    measures = set()
    if issue.due_at is not None and issue.due_at < as_of:
        measures.add("open_overdue")
    deadline = issue.respond_by or issue.due_at
    if issue.responded_at is not None:
        measures.add("responded")
    elif deadline is not None and deadline < as_of:
        measures.add("response_overdue")
    return measures


def measure_rating(rating: RatingFact) -> frozenset[str]:
    return frozenset({"ratings", "satisfied"} if rating.level >= SATISFIED_LEVEL else {"ratings"})


def measure_contact(contact: ContactFact, *, meets_duty: bool) -> frozenset[str]:
    """Nothing at all for one that was voided, or that a review found not to count."""
    if not contact.counts:
        return frozenset()
    return frozenset({"contacts", "duties_met"} if meets_duty else {"contacts"})
