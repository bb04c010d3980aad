"""The demo's few tricksters are found by the checks that look for what they do, on whatever day the county is told."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import cache

import pytest

from demo.county import Years, build_years
from demo.people import Post
from demo.tricks import EMPTY_REPLY, FRIENDS, PADDED_VISITS
from demo.workdays import at
from services.assessment.fair import records
from services.assessment.fair.engine import judge
from services.assessment.fair.records import Dossier, Outcome, Span
from services.assessment.fair.settings import FairSettings
from services.assessment.handlers.fair import read_fair_settings

TODAY = date(2026, 12, 1)
OUTCOMES: dict[str, Outcome] = {"": "", "resolved": "solved", "explained_policy": "explained"}
QUARTER = 3


@cache
def build_once(today: date) -> Years:
    return build_years(today=today)


@pytest.fixture
def years() -> Years:
    return build_once(TODAY)


@pytest.fixture(scope="module")
def settings() -> FairSettings:
    return read_fair_settings()


def seconds(moment: datetime) -> int:
    return int((moment - at(date(1970, 1, 1), 0, 0)).total_seconds())


def quarters_until(today: date) -> list[datetime]:
    """Where the three quarters before the running one begin, and where it ends."""
    begins = today.year * 12 + (today.month - 1) // QUARTER * QUARTER
    months = range(begins - 3 * QUARTER, begins + 2 * QUARTER, QUARTER)
    return [at(date(month // 12, month % 12 + 1, 1), 0, 0) for month in months]


def span_of(today: date) -> Span:
    first, *ends = map(seconds, quarters_until(today))
    return Span(starts_at=first, ends_at=ends[-1], as_of=seconds(at(today, 0, 0)), quarter_ends=tuple(ends))


def dossiers_of(years: Years) -> Iterator[Dossier]:
    """As assessment reads them of the quarter that is on and the three before it."""
    since = quarters_until(years.timeline.today)[0]
    dossiers = {
        post.staff_number: Dossier(cadre=cadre_of(post)) for post in years.roster.posts if post.until_on is None
    }
    issues = [issue for issue in years.issues if issue.arrival.received_at >= since]
    called = {
        rating.issue.source_number
        for rating in years.ratings
        if rating.issue is not None and rating.method == "callback"
    }
    denied = {rating.issue.source_number for rating in years.ratings if rating.issue and rating.solved is False}
    heard = {issue.arrival.contact.source_number for issue in issues if issue.arrival.contact}
    heard |= {rating.contact.source_number for rating in years.ratings if rating.contact}
    holders: dict[str, Dossier] = {}
    for issue in issues:
        own = dossiers.get(issue.assignment.cadre.staff_number)
        if own is not None:
            arrival, course, number = issue.arrival, issue.course, issue.source_number
            holders[number] = own
            own.issues.append(
                records.Issue(
                    issue=number,
                    category=arrival.situation.category.code,
                    complexity=arrival.situation.type,
                    channel=arrival.channel,
                    complainant=issue.citizen.phone if issue.citizen else "",
                    received_at=seconds(arrival.received_at),
                    answered_at=seconds(course.responded_at) if course.responded_at else None,
                    closed_at=seconds(course.closed_at) if course.closed_at else None,
                    answer_allowed=int((course.respond_by - arrival.received_at).total_seconds()),
                    close_allowed=int((course.due_at - arrival.received_at).total_seconds()),
                    outcome=OUTCOMES.get(course.outcome, "left_out"),
                    is_denied=number in denied,
                    is_checked=number in denied | called,
                    has_reply=len(issue.reply) >= 10 if course.closed_at else None,
                )
            )
    for contact in years.contacts:
        own = dossiers.get(contact.staff_number)
        if own is not None and contact.occurred_at >= since:
            holders[contact.source_number] = own
            own.contacts.append(
                records.Contact(
                    contact=contact.source_number,
                    kind=contact.kind,
                    occurred_at=seconds(contact.occurred_at),
                    recorded_at=seconds(contact.recorded_at),
                    duration_minutes=contact.duration_minutes,
                    is_confirmed=contact.source_number in heard,
                )
            )
    for place, rating in enumerate(years.ratings):
        subject = rating.issue or rating.contact
        if subject is not None and subject.source_number in holders:
            holders[subject.source_number].ratings.append(
                records.Rating(
                    rating=str(place),
                    subject_kind="issue" if rating.issue else "contact",
                    subject=subject.source_number,
                    method="callback"
                    if rating.method == "callback"
                    else "on_site"
                    if rating.method == "kiosk"
                    else "app",
                    level=rating.level,
                    rated_at=seconds(rating.rated_at),
                    is_public_device=rating.method == "kiosk",
                )
            )
    yield from dossiers.values()


def cadre_of(post: Post) -> records.Cadre:
    return records.Cadre(
        cadre=post.staff_number, peer_group=f"{post.level}.{post.kind}", region="county", unit=post.organisation.code
    )


@pytest.mark.parametrize(
    "today",
    [
        TODAY,
        pytest.param(date(2028, 2, 29), marks=pytest.mark.slow),
        pytest.param(date(2027, 1, 2), marks=pytest.mark.slow),
        pytest.param(date(2027, 4, 1), marks=pytest.mark.slow),
    ],
)
def test_the_checks_find_the_tricksters_and_hardly_anybody_else(today, settings):
    years = build_once(today)

    signals = judge(dossiers_of(years), span_of(today), settings).signals

    own = [post.staff_number for post in years.tricksters]
    found = {(signal.cadre, signal.check) for signal in signals}
    assert found >= set(zip(own, ("period_end_burst", "shared_circle", "empty_replies", "split_issues"), strict=False))
    assert len({cadre for cadre, _ in found} - set(own)) <= 8


def test_the_padded_visits_lie_at_the_ends_of_quarters_and_nothing_came_of_them(years):
    padded = [contact for contact in years.contacts if contact.is_for_show]

    ends = Counter((contact.occurred_at.year, contact.occurred_at.month) for contact in padded)
    heard = {id(issue.arrival.contact) for issue in years.issues} | {id(rating.contact) for rating in years.ratings}
    assert set(ends.values()) == {PADDED_VISITS}
    assert list(ends) == [(2025, 3), (2025, 6), (2025, 9), (2025, 12), (2026, 3), (2026, 6), (2026, 9)]
    assert not {id(contact) for contact in padded} & heard


def test_a_few_friends_bring_what_is_praised(years):
    arranged = [issue for issue in years.issues if issue.is_arranged]

    levels = {rating.level for rating in years.ratings if rating.issue is not None and rating.issue.is_arranged}
    assert len({issue.citizen for issue in arranged}) == FRIENDS
    assert levels == {5}


def test_what_is_split_off_follows_within_two_days_from_the_same_citizen(years):
    own = [
        issue
        for issue in years.issues
        if issue.assignment.cadre.staff_number == years.tricksters.splits_issues.staff_number
    ]
    split = [issue for issue in own if issue.source_number[12:].startswith("9")]

    assert split
    for issue in split:
        assert any(
            other.citizen == issue.citizen
            and other.title == issue.title
            and timedelta() < issue.arrival.received_at - other.arrival.received_at < timedelta(days=2)
            for other in own
        )


def test_nobody_else_replies_with_nothing(years):
    hasty = {issue.assignment.cadre.staff_number for issue in years.issues if issue.reply == EMPTY_REPLY}

    assert hasty == {years.tricksters.replies_nothing.staff_number}


def test_no_two_tricksters_are_one_and_none_signs_in(years):
    numbers = [post.staff_number for post in years.tricksters]

    assert len(set(numbers)) == len(numbers) == 5
    assert "AL00169" not in numbers
