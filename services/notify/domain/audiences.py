"""Which events may leave for another system at all, and what of them never does. What is not in the table stays here.

An agreement chooses among what is open to partners; it opens nothing more.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

# partners: may be told to a system under an agreement that covers it. nobody: stays inside, whatever an agreement says.
Audience = Literal["partners", "nobody"]

PREFIX: Final = "cn.lianxin."
TEST_TYPE: Final = "cn.lianxin.webhook.tested.v1"

AUDIENCES: Final[Mapping[str, Audience]] = {
    # Registers are no secret, but of persons only what says where they work.
    "organisation.registered.v1": "partners",
    "organisation.merged.v1": "partners",
    "organisation.dissolved.v1": "partners",
    "cadre.registered.v1": "partners",
    "cadre.left.v1": "partners",
    "post.recorded.v1": "partners",
    "duty.defined.v1": "partners",
    "clock_rule.defined.v1": "partners",
    "category.defined.v1": "partners",
    "published_channel.published.v1": "partners",
    "reachability_check.recorded.v1": "partners",
    "population_group.defined.v1": "partners",
    "place_population.recorded.v1": "partners",
    "contact_point.registered.v1": "partners",
    # A household and who visits it lead to people in need; a grade is for the personnel file.
    "contact_household.registered.v1": "nobody",
    "liaison_assignment.recorded.v1": "nobody",
    "appraisal_result.recorded.v1": "nobody",
    "contact.recorded.v1": "partners",
    "contact.amended.v1": "partners",
    "contact.voided.v1": "partners",
    "contact.reviewed.v1": "nobody",  # that one looked odd is between the reviewers and whoever recorded it
    # Of an issue, unless it is a complaint or a report: those are told to no other system, from their first event on.
    "issue.received.v1": "partners",
    "issue.assigned.v1": "partners",
    "issue.responded.v1": "partners",
    "issue.closed.v1": "partners",
    "issue.signed.v1": "partners",
    "issue.started.v1": "partners",
    "issue.paused.v1": "partners",
    "issue.resumed.v1": "partners",
    "issue.assisting_set.v1": "partners",
    "issue.urgency_set.v1": "partners",
    "issue.extension_requested.v1": "partners",
    "issue.extension_decided.v1": "partners",
    "issue.objection_raised.v1": "partners",
    "issue.objection_decided.v1": "partners",
    "issue.exclusion_requested.v1": "nobody",  # what counts for whom is assessment's affair until it is published
    "issue.exclusion_decided.v1": "nobody",
    "issue.replied.v1": "partners",
    "issue.merged.v1": "partners",
    "issue.redo_ordered.v1": "partners",
    "issue.reopened.v1": "partners",
    "issue.supervised.v1": "partners",
    "issue.escalated.v1": "partners",
    "issue.problem_raised.v1": "partners",
    "issue.deadline_approached.v1": "partners",
    "issue.deadline_missed.v1": "partners",
    "issue.deadlines_moved.v1": "partners",
    "responsibility.shared.v1": "nobody",  # shares of persons, which a later hand-over may still move
    # Who rated, and when, must not be found out from outside either: ratings leave summed up, once they are published.
    "rating.submitted.v1": "nobody",
    "rating.amended.v1": "nobody",
    "rating.quarantined.v1": "nobody",
    "rating.reviewed.v1": "nobody",
    "rating_invitation.made.v1": "nobody",
    "rating_invitation.denied.v1": "nobody",
    "rating_invitation.denial_overruled.v1": "nobody",
    "score.computed.v1": "nobody",  # live figures move with every single rating
    # What a person has not done yet is between that person and the unit, until the period is over.
    "duty_shortfall.found.v1": "nobody",
    "duty_shortfall.counted.v1": "nobody",
    "suggestion.decided.v1": "partners",
    "reception_day.offered.v1": "partners",
    "reception_day.cancelled.v1": "partners",
    "reception_day.held.v1": "partners",
    "consultation.opened.v1": "partners",
    "consultation.answered.v1": "partners",
    "consultation.withdrawn.v1": "partners",
    "citizen.erased.v1": "nobody",  # no partner was ever given the pseudonym that it names
}
# Pseudonyms by which another system could put together what one citizen raised.
WITHHELD: Final = frozenset({"citizen_ref", "rater_ref"})
CONFIDENTIAL_ISSUES: Final = frozenset({"complaint", "report"})


def audience_of(event_type: str) -> Audience:
    return AUDIENCES.get(event_type.removeprefix(PREFIX), "nobody") if event_type.startswith(PREFIX) else "nobody"


def open_types() -> tuple[str, ...]:
    """Every type that an agreement may cover, in the order of the alphabet."""
    return tuple(sorted(PREFIX + name for name, audience in AUDIENCES.items() if audience == "partners"))


def without_withheld(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name not in WITHHELD}
