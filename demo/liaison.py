"""The contacts of a year: who met the public, how often against what the post owes, when, where and about what."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from demo import chance, texts, workdays
from demo.duties import Duty
from demo.people import Cadre, Post, Roster
from demo.places import County, Organisation
from demo.timeline import Stretch

# Visits peak before the Spring Festival and before the year ends; the harvest and the July heat thin them out.
SEASON = (1.15, 0.85, 1.0, 1.0, 1.0, 0.9, 0.9, 0.95, 1.0, 0.9, 1.05, 1.1)
USUAL_COMPLETION = 0.86
WEEKEND_WEIGHT = {"village": 0.45, "other": 0.12}
HOLIDAY_WEIGHT = 0.05
EXTRA_PER_POST = 1.6
EXTRA_KINDS = {"online": 5.0, "volunteer_service": 3.0, "discussion_meeting": 1.0, "visit": 2.0}
MINUTES = {
    "visit": 40,
    "reception": 150,
    "outreach_reception": 120,
    "field_stay": 480,
    "paired_assistance": 60,
    "discussion_meeting": 100,
    "field_study": 180,
    "volunteer_service": 120,
    "online": 15,
    "hotline_duty": 120,
}
PEOPLE = {
    "visit": 3,
    "reception": 7,
    "outreach_reception": 4,
    "field_stay": 15,
    "discussion_meeting": 16,
    "field_study": 9,
}
RURAL_GROUPS = {
    "farmers": 40,
    "needy_households": 16,
    "elderly_alone": 15,
    "left_behind_children": 8,
    "disabled": 6,
    "veterans": 5,
    "migrants": 4,
    "students": 3,
}
URBAN_GROUPS = {
    "workers": 20,
    "self_employed": 17,
    "elderly_alone": 16,
    "migrants": 12,
    "needy_households": 11,
    "delivery_workers": 8,
    "disabled": 6,
    "veterans": 5,
    "students": 5,
}
PAIRED_GROUPS = {"needy_households": 60, "elderly_alone": 20, "disabled": 12, "left_behind_children": 8}
PLACELESS = ("online", "hotline_duty")
AT_THE_OFFICE = ("reception",)
NOTED_SHARE = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    source_number: str
    staff_number: str
    organisation: Organisation
    kind: str
    occurred_at: datetime
    recorded_at: datetime
    duration_minutes: int
    population_group: str
    people_count: int
    place: Organisation | None
    note: str
    is_for_show: bool = False  # no citizen knows of it: nothing was raised at it, and nobody rates it


@dataclass(frozen=True, slots=True, kw_only=True)
class _Meeting:
    """A contact before it has its place in the year's numbering."""

    post: Post
    cadre: Cadre
    kind: str
    occurred_at: datetime


def build_contacts(
    random: Random, county: County, roster: Roster, duties: Sequence[Duty], stretch: Stretch
) -> list[Contact]:
    writer = _NoteWriter(random)
    meetings = [
        meeting
        for post in roster.posts
        for meeting in _meetings(random, post, roster.cadres[post.staff_number], duties, stretch)
    ]
    meetings.sort(key=lambda meeting: (meeting.occurred_at, meeting.cadre.staff_number, meeting.kind))
    contacts = [
        _describe(random, meeting, number=number, county=county, writer=writer)
        for number, meeting in enumerate(meetings, start=1)
    ]
    # What is written up later is not known yet.
    return [contact for contact in contacts if contact.recorded_at <= stretch.end]


def _meetings(random: Random, post: Post, cadre: Cadre, duties: Sequence[Duty], stretch: Stretch) -> Iterator[_Meeting]:
    for duty in duties:
        if duty.post_kind != post.kind:
            continue
        for start, end in stretch.periods(duty.per):
            if start < duty.valid_from or (duty.valid_until is not None and end > duty.valid_until):
                continue
            days = _days_of(post, start, min(end, stretch.last_day))
            owed = duty.required_count * len(days) / ((end - start).days + 1)
            completion = chance.clamp(USUAL_COMPLETION + 0.2 * cadre.diligence, 0.3, 1.5) * SEASON[start.month - 1]
            count = chance.rounded(random, owed * completion)
            yield from _spread(random, post, cadre, kind=duty.contact_kind, days=days, count=count)
    days = _days_of(post, stretch.first_day, stretch.last_day)
    extras = chance.rounded(random, EXTRA_PER_POST * len(days) / 365 * max(0.1, 1 + cadre.diligence))
    for _ in range(extras):
        yield from _spread(random, post, cadre, kind=chance.pick(random, EXTRA_KINDS), days=days, count=1)


def _days_of(post: Post, start: date, end: date) -> list[date]:
    return list(workdays.days_between(max(start, post.from_on), min(end, post.until_on or end)))


def _spread(random: Random, post: Post, cadre: Cadre, *, kind: str, days: list[date], count: int) -> Iterator[_Meeting]:
    if not days or not count:
        return
    weekend = WEEKEND_WEIGHT["village" if post.kind == "village_secretary" and kind != "reception" else "other"]
    weights = [
        1.0 if workdays.is_working_day(day) else HOLIDAY_WEIGHT if workdays.is_holiday(day) else weekend for day in days
    ]
    for day in random.choices(days, weights=weights, k=count):
        hour = 8 if kind == "field_stay" else random.choice((8, 9, 9, 10, 10, 14, 15, 15, 16))
        if kind == "visit" and post.kind == "village_secretary" and chance.happens(random, 0.25):
            hour = random.choice((18, 19))
        # People write the time to the nearest five minutes.
        minute = 30 if hour == 8 else random.randrange(0, 60, 5)
        yield _Meeting(post=post, cadre=cadre, kind=kind, occurred_at=workdays.at(day, hour, minute))


def _describe(random: Random, meeting: _Meeting, *, number: int, county: County, writer: "_NoteWriter") -> Contact:
    post, kind = meeting.post, meeting.kind
    place = None if kind in PLACELESS else post.organisation if kind in AT_THE_OFFICE else _where(random, county, post)
    minutes = max(5, 5 * round(chance.around(random, MINUTES[kind], 0.3) / 5))
    people = max(1, round(chance.around(random, PEOPLE.get(kind, 2), 0.4)))
    urban = place.is_urban if place is not None and place.level in {"71", "72"} else chance.happens(random, 0.3)
    group = chance.pick(
        random, PAIRED_GROUPS if kind == "paired_assistance" else URBAN_GROUPS if urban else RURAL_GROUPS
    )
    return Contact(
        source_number=f"LX{meeting.occurred_at.year}{number:06}",
        staff_number=post.staff_number,
        organisation=post.organisation,
        kind=kind,
        occurred_at=meeting.occurred_at,
        recorded_at=_recorded_at(random, meeting, minutes),
        duration_minutes=minutes,
        population_group=group,
        people_count=people,
        place=place,
        note=writer.write(meeting, place=place, group=group, people=people)
        if chance.happens(random, NOTED_SHARE)
        else "",
    )


def _where(random: Random, county: County, post: Post) -> Organisation:
    """Own village, a village of the own township, or for county people mostly one of their contact point."""
    home = post.organisation
    if home.level in {"71", "72"}:
        return home
    township = home.code if home.code in county.villages else post.contact_point
    if township == post.contact_point and home.code != township and chance.happens(random, 0.3):
        township = random.choice(county.townships).code
    return random.choice(county.villages[township])


def _recorded_at(random: Random, meeting: _Meeting, minutes: int) -> datetime:
    ended = meeting.occurred_at + timedelta(minutes=minutes)
    if meeting.cadre.writes_up_late:
        friday = ended.date() + timedelta(days=(4 - ended.weekday()) % 7)
        written = max(ended, workdays.at(friday, 16, random.randint(0, 59)))
        written += timedelta(minutes=random.randint(1, 40))
    else:
        written = ended + timedelta(minutes=chance.around(random, 90, 1.1))
    if not 7 <= written.hour < 23:
        morning = written.date() + timedelta(days=written.hour >= 23)
        written = workdays.at(morning, 8, random.randint(0, 59))
    return written.replace(second=random.randint(0, 59), microsecond=0)


class _NoteWriter:
    def __init__(self, random: Random) -> None:
        self._random = random
        book = texts.read("contacts")
        self._topics: list[str] = book["topics"]
        self._whom: dict[str, str] = book["whom"]
        self._notes: dict[str, list[dict[str, object]]] = {}
        for note in book["note"]:
            self._notes.setdefault(note["kind"], []).append(note)

    def write(self, meeting: _Meeting, *, place: Organisation | None, group: str, people: int) -> str:
        area = "urban" if place is not None and place.is_urban else "rural"
        fitting = [
            str(note["text"])
            for note in self._notes[meeting.kind]
            if self._in_season(note, meeting.occurred_at.month) and note.get("area", area) == area
        ]
        return self._random.choice(fitting).format(
            place=place.name if place is not None else "",
            whom=self._whom[group],
            count=people,
            few=self._random.randint(2, 6),
            topic=self._random.choice(self._topics),
        )

    @staticmethod
    def _in_season(note: dict[str, object], month: int) -> bool:
        months = note.get("months")
        return not isinstance(months, list) or month in months
