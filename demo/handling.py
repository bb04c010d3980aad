"""How an issue is handled: by whom, by when it is due, when it is answered and closed, and with what outcome."""

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from random import Random

from demo import chance, workdays
from demo.arrivals import Arrival
from demo.people import Cadre, Post, Roster
from demo.places import County, Organisation

# By urgency: how often it comes, and within how many hours the citizen must be contacted.
URGENCIES = {"normal": 97.0, "urgent": 3.0}
PRESSING_URGENCIES = {"normal": 66.0, "urgent": 30.0, "critical": 4.0}
RESPOND_WITHIN_HOURS = {"normal": 24.0, "urgent": 4.0, "critical": 1.0}
QUICK_TYPES = ("enquiry", "thanks")
RESPONSIBLE = {
    "department": {"department_deputy": 5.0, "section_member": 3.0, "department_head": 2.0},
    # Heads of townships lead so much themselves that some of their half-years have ten people's ratings.
    "township": {"township_deputy": 8.0, "township_head": 18.0, "township_secretary": 3.0},
    "village": {"village_secretary": 1.0},
}
# There are so many villages that each would have too little of what they handle to say anything about.
VILLAGES_SHARE = 2.0
FORGOTTEN_SHARE = 0.012
DUE_BY = time(18, 0)
LUNCH_HOURS = (12, 13)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    organisation: Organisation
    cadre: Cadre


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What becomes of an issue. What never happens is absent."""

    urgency: str
    respond_by: datetime
    due_at: datetime
    responded_at: datetime | None
    closed_at: datetime | None
    outcome: str

    def until(self, end: datetime) -> "Course":
        """As far as it is known by then."""
        is_closed = self.closed_at is not None and self.closed_at <= end
        return replace(
            self,
            responded_at=self.responded_at if self.responded_at is not None and self.responded_at <= end else None,
            closed_at=self.closed_at if is_closed else None,
            outcome=self.outcome if is_closed else "",
        )


class Assigner:
    """Finds the unit for an issue, and among those who hold a post there on that day the one responsible."""

    def __init__(self, county: County, roster: Roster) -> None:
        self._county = county
        self._roster = roster
        self._posts: dict[str, list[Post]] = {}
        for post in roster.posts:
            self._posts.setdefault(post.organisation.code, []).append(post)

    def assign(self, random: Random, arrival: Arrival) -> Assignment:
        level, organisation = self._unit(random, arrival)
        present = [
            post
            for post in self._posts[organisation.code]
            if post.kind in RESPONSIBLE[level] and post.holds_on(arrival.received_at.date())
        ]
        weights = [RESPONSIBLE[level][post.kind] for post in present]
        post = random.choices(present, weights=weights)[0]
        return Assignment(organisation=organisation, cadre=self._roster.cadres[post.staff_number])

    def find_subject(self, arrival: Arrival) -> str:
        """The staff number of the official whom the citizen complains about, or nothing."""
        day = arrival.received_at.date()
        blamed = (
            post.staff_number
            for post in self._posts[arrival.village.code]
            if post.kind == arrival.situation.about and post.holds_on(day)
        )
        return next(blamed, "")

    def _unit(self, random: Random, arrival: Arrival) -> tuple[str, Organisation]:
        department, township, village = arrival.situation.levels
        level = chance.pick(
            random, {"department": department, "township": township, "village": VILLAGES_SHARE * village}
        )
        if level == "village":
            return level, arrival.village
        if level == "township":
            return level, arrival.township
        departments = self._county.departments
        existing = [departments[key] for key in arrival.situation.departments if key in departments]
        # A county generated small lacks most departments; its petition office then stands in for them.
        return level, existing[0] if existing else departments["petition"]


def run_course(random: Random, arrival: Arrival, assignment: Assignment) -> Course:
    category, cadre = arrival.situation.category, assignment.cadre
    urgency = _urgency(random, arrival)
    respond_within = RESPOND_WITHIN_HOURS[urgency]
    due_at = _due_at(arrival, urgency)
    difficulty = (category.hardship + arrival.village.difficulty + assignment.organisation.difficulty) / 3
    responded_at = _responded_at(random, arrival, cadre, respond_within=respond_within)
    closed_at = _closed_at(random, arrival, cadre, due_at=due_at, difficulty=difficulty, not_before=responded_at)
    outcome = _outcome(random, arrival, cadre, difficulty=difficulty)
    is_forgotten = chance.happens(random, FORGOTTEN_SHARE * (0.5 + 2 * difficulty))
    return Course(
        urgency=urgency,
        respond_by=arrival.received_at + timedelta(hours=respond_within),
        due_at=due_at,
        responded_at=responded_at,
        closed_at=None if is_forgotten else closed_at,
        outcome="" if is_forgotten else outcome,
    )


def _urgency(random: Random, arrival: Arrival) -> str:
    if arrival.situation.type not in ("help", "complaint"):
        return "normal"
    return chance.pick(random, PRESSING_URGENCIES if arrival.situation.pressing else URGENCIES)


def _due_at(arrival: Arrival, urgency: str) -> datetime:
    if urgency == "critical":
        return arrival.received_at + timedelta(hours=24)
    days = arrival.situation.category.working_days
    days = min(days, 2) if arrival.situation.type in QUICK_TYPES or urgency == "urgent" else days
    return datetime.combine(workdays.add_working_days(arrival.received_at.date(), days), DUE_BY, tzinfo=workdays.ZONE)


def _responded_at(random: Random, arrival: Arrival, cadre: Cadre, *, respond_within: float) -> datetime:
    hours = chance.around(random, respond_within * 0.3, 0.75) * 2.0 ** (-0.3 * cadre.promptness)
    moment = arrival.received_at + timedelta(hours=max(0.05, hours))
    if 0 <= moment.hour < 7:
        # Nobody is called back in the small hours; the first thing in the morning is soon enough.
        moment = moment.replace(hour=7) + timedelta(minutes=random.randint(30, 150))
    return moment.replace(microsecond=0)


def _closed_at(
    random: Random, arrival: Arrival, cadre: Cadre, *, due_at: datetime, difficulty: float, not_before: datetime
) -> datetime:
    part = chance.around(random, 0.5 + 0.25 * difficulty, 0.42) * 2.0 ** (-0.2 * cadre.promptness)
    # A due date close by makes people hurry: half of what would be a little late is done on the last day.
    if 1.0 < part < 1.35 and chance.happens(random, 0.55):
        part = 0.97
    moment = arrival.received_at + (due_at - arrival.received_at) * part
    moment = max(moment, not_before + timedelta(minutes=random.randint(10, 120)))
    closed_at = workdays.in_office_hours(moment, round(random.triangular(0, 480, 60)))
    if closed_at.hour in LUNCH_HOURS and chance.happens(random, 0.8):
        closed_at += timedelta(hours=len(LUNCH_HOURS))
    return closed_at.replace(second=random.randint(0, 59), microsecond=0) + timedelta(minutes=1)


def _outcome(random: Random, arrival: Arrival, cadre: Cadre, *, difficulty: float) -> str:
    if arrival.situation.type in QUICK_TYPES and not arrival.situation.policy:
        return "resolved"
    unsolved = chance.clamp(0.55 * difficulty - 0.08 * cadre.skill, 0.02, 0.7)
    weights = {
        "resolved": 1.0 - unsolved,
        "explained_policy": unsolved * (1.25 if arrival.situation.policy else 0.0),
        "not_accepted": unsolved * 0.09,
        "withdrawn": 0.02,
    }
    return chance.pick(random, weights)
