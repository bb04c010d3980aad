"""The issues of the county: arrivals with citizen, unit, course and words; repeats are merged into the earlier one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from demo import chance, workdays
from demo.arrivals import Arrival
from demo.catalogue import Catalogue
from demo.citizens import Citizen, Residents
from demo.handling import Assigner, Assignment, Course, run_course
from demo.places import COUNTY_NAME
from demo.wording import Wording

REPEATS_WITHIN = timedelta(days=20)
REPEATED_SHARE = 0.35


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    source_number: str
    arrival: Arrival
    citizen: Citizen | None
    subject_staff_number: str  # the official whom it complains about, mostly empty
    assignment: Assignment
    course: Course
    title: str
    description: str
    reply: str
    is_arranged: bool = False  # by a friend of whoever is responsible, who praises what becomes of it

    @property
    def is_late(self) -> bool:
        return self.course.closed_at is not None and self.course.closed_at > self.course.due_at

    def until(self, end: datetime) -> "Issue":
        """As far as it is known by then."""
        course = self.course.until(end)
        return replace(self, course=course, reply=self.reply if course.closed_at is not None else "")


class _Desk:
    """Writes the issues down one after the other, and remembers what a repeat may join."""

    def __init__(self, random: Random, *, residents: Residents, assigner: Assigner, wording: Wording) -> None:
        self._random = random
        self._residents = residents
        self._assigner = assigner
        self._wording = wording
        self._recent: dict[tuple[str, str], Issue] = {}  # the latest of its kind from its place

    def write(self, arrival: Arrival, *, source_number: str) -> Issue:
        kind = arrival.village.code, arrival.situation.category.code
        earlier = self._recent.get(kind)
        if earlier is not None and _repeats(self._random, arrival, earlier):
            return self._repeat_of(earlier, arrival, source_number=source_number)
        self._recent[kind] = self._first(arrival, source_number=source_number)
        return self._recent[kind]

    def _first(self, arrival: Arrival, *, source_number: str) -> Issue:
        random, wording = self._random, self._wording
        assignment = self._assigner.assign(random, arrival)
        course = run_course(random, arrival, assignment)
        details = wording.details(random, arrival, unit=assignment.organisation.name.replace(COUNTY_NAME, "县"))
        return Issue(
            source_number=source_number,
            arrival=arrival,
            citizen=self._residents.who_raises(arrival),
            subject_staff_number=self._assigner.find_subject(arrival),
            assignment=assignment,
            course=course,
            title=arrival.situation.title.format(**details),
            description=wording.describe(random, arrival, details),
            reply=wording.answer(random, arrival, outcome=course.outcome, details=details),
        )

    def _repeat_of(self, earlier: Issue, arrival: Arrival, *, source_number: str) -> Issue:
        """The same matter once more, recognised within hours and joined to the order that is already being handled."""
        random = self._random
        closed_at = workdays.in_office_hours(
            arrival.received_at + timedelta(minutes=random.randint(30, 300)), random.randint(0, 90)
        ).replace(second=random.randint(0, 59))
        again = replace(arrival, situation=earlier.arrival.situation)
        course = run_course(random, again, earlier.assignment)
        return Issue(
            source_number=source_number,
            arrival=again,
            citizen=earlier.citizen,
            subject_staff_number=earlier.subject_staff_number,
            assignment=earlier.assignment,
            course=replace(course, responded_at=None, closed_at=closed_at, outcome="merged"),
            title=earlier.title,
            description=self._wording.complain_again(earlier.description),
            reply=self._wording.merge(random, earlier.source_number),
        )


def build_issues(
    random: Random, *, arrivals: Sequence[Arrival], residents: Residents, assigner: Assigner, catalogue: Catalogue
) -> list[Issue]:
    """With all that becomes of them, whenever that is."""
    desk = _Desk(random, residents=residents, assigner=assigner, wording=Wording(catalogue.phrases))
    return [
        desk.write(arrival, source_number=f"{arrival.received_at:%y%m%d%H%M%S}{number:06}")
        for number, arrival in enumerate(arrivals, start=1)
    ]


def _repeats(random: Random, arrival: Arrival, earlier: Issue) -> bool:
    is_soon = arrival.received_at - earlier.arrival.received_at < REPEATS_WITHIN
    was_open = earlier.course.closed_at is None or earlier.course.closed_at > arrival.received_at
    repeatable = earlier.arrival.situation.type in ("complaint", "help") and arrival.contact is None
    return is_soon and was_open and repeatable and chance.happens(random, REPEATED_SHARE)


def as_row(issue: Issue) -> Mapping[str, Any]:
    arrival, course, citizen = issue.arrival, issue.course, issue.citizen
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
        "subject_staff_number": issue.subject_staff_number,
        "citizen_name": citizen.name if citizen is not None else "",
        "citizen_phone": citizen.phone if citizen is not None else "",
    }
