"""A year of issues: each arrival with its unit, its course and its words; repeats are merged into the earlier one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from demo import chance, workdays
from demo.arrivals import Arrival
from demo.catalogue import Catalogue
from demo.handling import Assigner, Assignment, Course, run_course
from demo.places import COUNTY_NAME
from demo.wording import Wording

REPEATS_WITHIN = timedelta(days=20)
REPEATED_SHARE = 0.35


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    source_number: str
    arrival: Arrival
    assignment: Assignment
    course: Course
    title: str
    description: str
    reply: str

    @property
    def is_late(self) -> bool:
        return self.course.closed_at is not None and self.course.closed_at > self.course.due_at


def build_issues(
    random: Random, *, arrivals: Sequence[Arrival], assigner: Assigner, catalogue: Catalogue
) -> list[Issue]:
    wording = Wording(catalogue.phrases)
    recent: dict[tuple[str, str], Issue] = {}  # the latest of its kind from its place, which a repeat joins
    issues: list[Issue] = []
    for number, arrival in enumerate(arrivals, start=1):
        source_number = f"{arrival.received_at:%y%m%d%H%M%S}{number:06}"
        earlier = recent.get((arrival.village.code, arrival.situation.category.code))
        if earlier is not None and _repeats(random, arrival, earlier):
            issue = _repeat_of(random, earlier, arrival=arrival, source_number=source_number, wording=wording)
        else:
            issue = _first(random, arrival, source_number=source_number, assigner=assigner, wording=wording)
            recent[arrival.village.code, arrival.situation.category.code] = issue
        issues.append(issue)
    return issues


def _repeats(random: Random, arrival: Arrival, earlier: Issue) -> bool:
    is_soon = arrival.received_at - earlier.arrival.received_at < REPEATS_WITHIN
    was_open = earlier.course.closed_at is None or earlier.course.closed_at > arrival.received_at
    repeatable = earlier.arrival.situation.type in ("complaint", "help") and arrival.contact is None
    return is_soon and was_open and repeatable and chance.happens(random, REPEATED_SHARE)


def _first(random: Random, arrival: Arrival, *, source_number: str, assigner: Assigner, wording: Wording) -> Issue:
    assignment = assigner.assign(random, arrival)
    course = run_course(random, arrival, assignment)
    details = wording.details(random, arrival, unit=assignment.organisation.name.replace(COUNTY_NAME, "县"))
    return Issue(
        source_number=source_number,
        arrival=arrival,
        assignment=assignment,
        course=course,
        title=arrival.situation.title.format(**details),
        description=wording.describe(random, arrival, details),
        reply=wording.answer(random, arrival, outcome=course.outcome, details=details),
    )


def _repeat_of(random: Random, earlier: Issue, *, arrival: Arrival, source_number: str, wording: Wording) -> Issue:
    """The same matter once more, recognised within hours and joined to the order that is already being handled."""
    closed_at: datetime | None = workdays.in_office_hours(
        arrival.received_at + timedelta(minutes=random.randint(30, 300)), random.randint(0, 90)
    ).replace(second=random.randint(0, 59))
    if closed_at is not None and closed_at > workdays.END:
        closed_at = None
    again = replace(arrival, situation=earlier.arrival.situation)
    course = run_course(random, again, earlier.assignment)
    return Issue(
        source_number=source_number,
        arrival=again,
        assignment=earlier.assignment,
        course=replace(
            course, responded_at=None, closed_at=closed_at, outcome="merged" if closed_at is not None else ""
        ),
        title=earlier.title,
        description=wording.complain_again(earlier.description),
        reply=wording.merge(random, earlier.source_number) if closed_at is not None else "",
    )


def as_row(issue: Issue) -> Mapping[str, Any]:
    arrival, course = issue.arrival, issue.course
    return {
        "source_number": issue.source_number,
        "type": arrival.situation.type,
        "category": arrival.situation.category.code,
        "channel": arrival.channel,
        "urgency": course.urgency,
        "title": issue.title,
        "description": issue.description,
        "received_at": arrival.received_at,
        "respond_by": course.respond_by,
        "due_at": course.due_at,
        "organisation_code": issue.assignment.organisation.code,
        "staff_number": issue.assignment.cadre.staff_number,
        "responded_at": course.responded_at,
        "closed_at": course.closed_at,
        "outcome": course.outcome,
        "reply": issue.reply,
        "contact_source_number": arrival.contact.source_number if arrival.contact is not None else "",
    }
