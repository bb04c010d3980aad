"""The few cadres of the county who do what the checks look for: so that there is something to look into.

Each has one habit and goes about the rest as everybody does. Nobody else is bent.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from demo import chance, workdays
from demo.citizens import Citizen, Residents
from demo.issues import Issue
from demo.liaison import Contact
from demo.people import Post, Roster
from demo.places import County
from demo.timeline import Stretch

PADDED_DAYS = 3  # the last ones of a quarter
PADDED_VISITS = 13
FRIENDS, FRIENDS_SHARE = 3, 0.25
EMPTY_SHARE, EMPTY_REPLY = 0.7, "已办理。"
SPLIT_SHARE, SPLIT_WITHIN_HOURS = 0.4, 40
SPLIT_NUMBERS_FROM = 900_000  # of issues beside those that arrived by themselves


@dataclass(frozen=True, slots=True, kw_only=True)
class Tricksters:
    """Staff numbers. In a county generated small some are missing."""

    pads_visits: Post | None
    has_friends: Post | None
    replies_nothing: Post | None
    splits_issues: Post | None
    makes_up: Post | None  # of whose matters citizens who are called know nothing

    def __iter__(self) -> Iterator[Post]:
        own = (self.pads_visits, self.has_friends, self.replies_nothing, self.splits_issues, self.makes_up)
        return (post for post in own if post is not None)


def choose_tricksters(roster: Roster) -> Tricksters:
    """Who holds one post all the time, each in another organisation."""
    staying = [post for post in roster.posts if post.until_on is None and post.from_on.year < roster.year]
    townships = _one_of_each(staying, "township_deputy")
    offices = _one_of_each(staying, "department_deputy")
    villages = _one_of_each(staying, "village_secretary")
    padder, hasty = (*townships[1:3], None, None)[:2]
    friend, splitter = (*offices[1:3], None, None)[:2]
    return Tricksters(
        pads_visits=padder,
        has_friends=friend,
        replies_nothing=hasty,
        splits_issues=splitter,
        makes_up=villages[0] if villages else None,
    )


def _one_of_each(posts: Sequence[Post], kind: str) -> list[Post]:
    """The first of each organisation."""
    found: dict[str, Post] = {}
    for post in posts:
        if post.kind == kind:
            found.setdefault(post.organisation.code, post)
    return list(found.values())


def pad_visits(random: Random, post: Post, county: County, stretch: Stretch) -> list[Contact]:
    """Household visits by the dozen as a quarter ends, of which no citizen knows anything."""
    visits: list[Contact] = []
    for _, end in stretch.periods("quarter"):
        if end > stretch.last_day:
            continue
        days = workdays.days_between(end - timedelta(days=PADDED_DAYS - 1), end)
        visits += [
            _pad(random, post, county, days[number % len(days)], place_in_day=number // len(days))
            for number in range(PADDED_VISITS)
        ]
    return [replace(visit, source_number=f"LX{stretch.year}9{number:05}") for number, visit in enumerate(visits, 1)]


def _pad(random: Random, post: Post, county: County, day: date, *, place_in_day: int) -> Contact:
    occurred_at = workdays.at(day, 9 + place_in_day, random.randrange(0, 60, 5))
    return Contact(
        source_number="",
        staff_number=post.staff_number,
        organisation=post.organisation,
        kind="visit",
        occurred_at=occurred_at,
        recorded_at=workdays.at(day, 17, random.randint(0, 59), random.randint(0, 59)),
        duration_minutes=random.choice((10, 10, 15)),
        population_group="farmers",
        people_count=1,
        place=random.choice(county.villages[post.organisation.code]),
        note="入户走访，了解情况。",
        is_for_show=True,
    )


def bend_issues(random: Random, issues: Sequence[Issue], who: Tricksters, residents: Residents) -> list[Issue]:
    """In the order of their receipt, with those that were split off."""
    friends = [residents.draw_another() for _ in range(FRIENDS)]
    bent: list[Issue] = []
    for issue in issues:
        bent += _bend(random, issue, who, friends)
    return sorted(bent, key=lambda issue: (issue.arrival.received_at, issue.source_number))


def _bend(random: Random, issue: Issue, who: Tricksters, friends: Sequence[Citizen]) -> Iterator[Issue]:
    own = issue.assignment.cadre.staff_number
    is_resolved = issue.course.outcome == "resolved" and issue.citizen is not None
    if is_resolved and _is(who.has_friends, own) and chance.happens(random, FRIENDS_SHARE):
        yield replace(issue, citizen=random.choice(friends), is_arranged=True)
    elif is_resolved and _is(who.replies_nothing, own) and chance.happens(random, EMPTY_SHARE):
        yield _reply_nothing(random, issue)
    elif is_resolved and _is(who.splits_issues, own) and chance.happens(random, SPLIT_SHARE):
        yield issue
        yield _split_off(random, issue)
    else:
        yield issue


def _is(post: Post | None, staff_number: str) -> bool:
    return post is not None and post.staff_number == staff_number


def _reply_nothing(random: Random, issue: Issue) -> Issue:
    """Within minutes, at whatever hour, and closed as soon as that can be passed off as work."""
    received_at, due_at = issue.arrival.received_at, issue.course.due_at
    responded_at = received_at + timedelta(seconds=random.randint(40, 420))
    closed_at = workdays.in_office_hours(received_at + (due_at - received_at) * 0.42, random.randint(5, 90))
    course = replace(issue.course, responded_at=responded_at, closed_at=closed_at.replace(microsecond=0))
    return replace(issue, course=course, reply=EMPTY_REPLY)


def _split_off(random: Random, issue: Issue) -> Issue:
    """The same matter once more, entered as another one and closed within two days."""
    received_at = issue.arrival.received_at + timedelta(hours=random.uniform(2, SPLIT_WITHIN_HOURS))
    received_at = received_at.replace(microsecond=0)
    responded_at = received_at + timedelta(hours=random.uniform(3, 9))
    closed_at = workdays.in_office_hours(responded_at + timedelta(hours=random.uniform(9, 26)), random.randint(5, 60))
    later = received_at - issue.arrival.received_at
    course = replace(
        issue.course,
        respond_by=issue.course.respond_by + later,
        due_at=max(issue.course.due_at + later, closed_at),
        responded_at=responded_at,
        closed_at=closed_at.replace(microsecond=0),
    )
    number = SPLIT_NUMBERS_FROM + int(issue.source_number[-5:])
    return replace(
        issue,
        source_number=f"{received_at:%y%m%d%H%M%S}{number:06}",
        arrival=replace(issue.arrival, received_at=received_at, channel="phone", contact=None),
        course=course,
    )
