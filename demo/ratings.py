"""Ratings by citizens: voluntary, after the closure or the contact, better where it was solved and in time."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from demo import chance
from demo.issues import Issue
from demo.liaison import Contact
from demo.people import Cadre

RATED_SHARE = {"resolved": 0.54, "explained_policy": 0.5, "not_accepted": 0.3}
CONTACT_RATED_SHARE = 0.36  # so many that visits of which no citizen knows are something to look at
UNRATED_KINDS = ("field_study", "volunteer_service", "hotline_duty")
# Where a person stands between very dissatisfied and very satisfied before the five levels are cut.
CONTENT = {"resolved": 0.95, "explained_policy": -0.35, "not_accepted": -1.1}
CUTS = (-1.75, -1.05, -0.25, 0.75)
LATE, SLOW = 0.8, 0.35
PHONE_METHODS = {"callback": 86.0, "link": 12.0, "import": 2.0}
ONLINE_METHODS = {"app": 34.0, "link": 14.0, "callback": 52.0}
IN_PERSON_METHODS = {"callback": 72.0, "kiosk": 24.0, "link": 4.0}
# The median time until it is rated: a link is tapped at once or never, a call-back is planned.
HOURS_UNTIL_RATED = {"callback": 44.0, "link": 5.0, "app": 9.0, "kiosk": 0.2, "import": 72.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    issue: Issue | None
    contact: Contact | None
    level: int
    solved: bool | None
    method: str
    rated_at: datetime


def list_given(ratings: Iterable[Rating], end: datetime) -> list[Rating]:
    """Those given by then, in the order in which they were given."""
    given = (rating for rating in ratings if rating.rated_at <= end)
    return sorted(given, key=lambda rating: (rating.rated_at, _subject(rating)))


def _subject(rating: Rating) -> str:
    subject = rating.issue or rating.contact
    return subject.source_number if subject is not None else ""


def rate_issues(random: Random, issues: Sequence[Issue]) -> Iterator[Rating]:
    for issue in issues:
        course = issue.course
        if issue.is_arranged and course.closed_at is not None:
            yield _praise(random, issue, course.closed_at)
            continue
        if course.closed_at is None or not chance.happens(random, RATED_SHARE.get(course.outcome, 0.0)):
            continue
        slow = course.responded_at is not None and course.responded_at > course.respond_by
        content = (
            CONTENT[course.outcome]
            + 0.4 * issue.assignment.cadre.skill
            - 0.5 * issue.arrival.situation.category.hardship
            - LATE * issue.is_late
            - SLOW * slow
        )
        level = 5 if issue.arrival.situation.type == "thanks" else _level(random, content)
        method = chance.pick(random, _methods(issue.arrival.channel))
        yield Rating(
            issue=issue,
            contact=None,
            level=level,
            solved=_solved(random, level, course.outcome),
            method=method,
            rated_at=_rated_at(random, course.closed_at, method),
        )


def _praise(random: Random, issue: Issue, closed_at: datetime) -> Rating:
    """At the counter, within the hour."""
    rated_at = closed_at + timedelta(minutes=random.randint(3, 55))
    return Rating(issue=issue, contact=None, level=5, solved=True, method="kiosk", rated_at=rated_at)


def rate_contacts(random: Random, contacts: Sequence[Contact], cadres: dict[str, Cadre]) -> Iterator[Rating]:
    for contact in contacts:
        is_asked = contact.kind not in UNRATED_KINDS and not contact.is_for_show
        if not is_asked or not chance.happens(random, CONTACT_RATED_SHARE):
            continue
        method = chance.pick(random, ONLINE_METHODS if contact.kind == "online" else IN_PERSON_METHODS)
        yield Rating(
            issue=None,
            contact=contact,
            level=_level(random, 1.1 + 0.4 * cadres[contact.staff_number].skill),
            solved=None,
            method=method,
            rated_at=_rated_at(random, contact.recorded_at, method),
        )


def _methods(channel: str) -> dict[str, float]:
    if channel in ("app", "web", "social_media", "mailbox"):
        return ONLINE_METHODS
    return IN_PERSON_METHODS if channel in ("contact", "reception") else PHONE_METHODS


def _level(random: Random, content: float) -> int:
    feeling = content + random.gauss(0, 0.9)
    return 1 + sum(feeling > cut for cut in CUTS)


def _solved(random: Random, level: int, outcome: str) -> bool | None:
    if chance.happens(random, 0.12):
        return None
    if outcome == "resolved":
        return level >= 3 or chance.happens(random, 0.3)
    return level == 5 and chance.happens(random, 0.4)


def _rated_at(random: Random, after: datetime, method: str) -> datetime:
    rated = after + timedelta(hours=chance.around(random, HOURS_UNTIL_RATED[method], 0.7), seconds=30)
    if method == "callback" and not 8 <= rated.hour < 20:
        rated = rated.replace(hour=9, minute=random.randint(0, 59)) + timedelta(days=1 if rated.hour >= 20 else 0)
    return max(rated, after + timedelta(seconds=30)).replace(microsecond=0)
