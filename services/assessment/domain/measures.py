"""The measures that indicators are built of, and which of them one fact counts for."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

NOBODY = UUID(int=0)  # stands where a fact names no organisation or no cadre
SATISFIED_LEVEL = 3  # of five levels, this one and better

HOUSEHOLD_KINDS = ("visit", "paired_assistance")
CONTACT_KINDS = (
    "visit",
    "reception",
    "outreach_reception",
    "field_stay",
    "paired_assistance",
    "discussion_meeting",
    "field_study",
    "volunteer_service",
    "online",
    "hotline_duty",
)

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
    "contacted_on_time",
    "contacted_late",
    "contact_overdue",
    "replied",
    "ended",
    "reopened",
    "redone",
    "closed_first_time",
    "returned",
    "suggestions",
    "suggestions_answered",
    "attitude_answers",
    "attitude_satisfied",
    "speed_answers",
    "speed_satisfied",
    "household_visits",
    "field_stay_days",
)
# Duties are owed by the month, quarter, half-year or year, and count in periods that have the whole of it.
MEASURES = ("duties_owed", "duties_met", *COUNTED)
# What is made of facts that bear the day they happened on, and go on no further: known late, it is known better. The
# measures of issues change as the issues live on.
DATED = ("duties_owed", "duties_met", "contacts", "household_visits", "field_stay_days")
# Counted when somebody asks, from facts and registers: they do not add up over months, or are of few facts. A scheme
# cannot weigh them.
SPANNED = (
    "recurring",
    "invitations",
    "invitations_rated",
    "groups_reached",
    "groups_living",
    "villages_reached",
    "villages_living",
    "households_living",
    "spans_active",
    "spans_held",
    "reception_days_held",
    "reception_days_due",
    "channels_reached",
    "channels_checked",
    *(f"{what}_{kind}" for kind in CONTACT_KINDS for what in ("owed", "met")),
)

# Which answer of raters a measure is made of. What an indicator reads of these is told to cadres in releases only.
ANSWERS_BEHIND = {
    "resolved": "solved",
    "denied": "solved",
    "ratings": "level",
    "satisfied": "level",
    "rating_level_sum": "level",
    # Of these nothing is released, so that whatever reads them is withheld from cadres, units and machines.
    "attitude_answers": "attitude",
    "attitude_satisfied": "attitude",
    "speed_answers": "speed",
    "speed_satisfied": "speed",
    "invitations": "participation",
    "invitations_rated": "participation",
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
    issue_type: str | None = None
    replied_at: datetime | None = None
    is_reopened: bool = False
    is_redone: bool = False
    is_returned: bool = False
    suggestion_answered_at: datetime | None = None


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
    attitude: int | None = None
    speed: int | None = None


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
    measures = {"issues_received"} | _measure_course(issue, as_of)
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


def _measure_course(issue: IssueFact, as_of: datetime) -> set[str]:
    """What became of it on the way, whether or not it is closed."""
    measures = {"returned"} if issue.is_returned else set()
    if issue.closed_at is not None or issue.is_reopened or issue.is_redone:
        measures.add("ended")
        again = {name for name, is_so in (("reopened", issue.is_reopened), ("redone", issue.is_redone)) if is_so}
        measures |= again or {"closed_first_time"}
    if issue.closed_at is not None and issue.replied_at is not None:
        measures.add("replied")
    if issue.issue_type == "suggestion":
        measures |= {"suggestions", "suggestions_answered"} if issue.suggestion_answered_at else {"suggestions"}
    contacted_at = min(filter(None, (issue.responded_at, issue.closed_at)), default=None)
    if issue.respond_by is not None and contacted_at is not None:
        measures.add("contacted_on_time" if contacted_at <= issue.respond_by else "contacted_late")
    elif issue.respond_by is not None and issue.respond_by < as_of:
        measures.add("contact_overdue")
    return measures


def measure_rating(rating: RatingFact) -> frozenset[str]:
    measures = {"ratings", "satisfied"} if rating.level >= SATISFIED_LEVEL else {"ratings"}
    for name, level in (("attitude", rating.attitude), ("speed", rating.speed)):
        if level is not None:
            measures |= {f"{name}_answers", f"{name}_satisfied"} if level >= SATISFIED_LEVEL else {f"{name}_answers"}
    return frozenset(measures)


def measure_contact(contact: ContactFact, *, meets_duty: bool) -> frozenset[str]:
    """Nothing at all for one that was voided, or that a review found not to count."""
    if not contact.counts:
        return frozenset()
    measures = {"contacts", "duties_met"} if meets_duty else {"contacts"}
    if contact.kind in HOUSEHOLD_KINDS:
        measures.add("household_visits")
    if contact.kind == "field_stay":
        measures.add("field_stay_days")
    return frozenset(measures)
