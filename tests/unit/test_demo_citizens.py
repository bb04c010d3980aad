"""The demo's citizens: invented, told apart, some of them often there, and enough of them that ratings may be told."""

from collections import Counter
from datetime import date
from uuid import NAMESPACE_URL, UUID, uuid5

import pytest

from demo.county import Years, build_years
from demo.ratings import Rating
from demo.sign_ins import CADRE
from services.assessment.domain.periods import parse_period
from services.assessment.domain.releases import Answer, Holder, Question, Release, form_releases, tell_cadre
from services.intake.domain.citizens import normalise_phone

TODAY = date(2026, 12, 1)


@pytest.fixture(scope="module")
def years() -> Years:
    return build_years(today=TODAY)


def known_as(text: str) -> UUID:
    return uuid5(NAMESPACE_URL, text)


def test_phones_are_valid_and_of_a_range_that_nobody_has(years):
    phones = {issue.citizen.phone for issue in years.issues if issue.citizen is not None}

    assert all(normalise_phone(phone) == phone and phone.startswith("154") for phone in phones)


def test_a_phone_is_one_citizens_and_no_citizen_is_called_like_a_cadre(years):
    citizens = {issue.citizen for issue in years.issues if issue.citizen is not None}

    assert len({citizen.phone for citizen in citizens}) == len(citizens)
    assert not {citizen.name for citizen in citizens} & {cadre.name for cadre in years.roster.cadres.values()}


def test_some_citizens_raise_several_issues(years):
    raised = Counter(issue.citizen for issue in years.issues if issue.citizen is not None)

    several = sum(count > 1 for count in raised.values())
    assert 0.1 < several / len(raised) < 0.4
    assert max(raised.values()) < 50


def test_nobody_stands_behind_what_staff_noticed_and_some_reports(years):
    unnamed = [issue for issue in years.issues if issue.citizen is None]

    assert {issue.arrival.situation.type for issue in unnamed if issue.arrival.channel != "staff"} >= {"report"}
    assert 0 < len(unnamed) < 0.1 * len(years.issues)


def test_a_complaint_about_an_official_goes_to_another_unit(years):
    posts = [(post.staff_number, post.organisation.code) for post in years.roster.posts]

    about = [issue for issue in years.issues if issue.subject_staff_number]

    assert 50 < len(about) < 0.05 * len(years.issues)
    assert not [issue for issue in about if (issue.subject_staff_number, issue.assignment.organisation.code) in posts]


def test_the_demos_cadre_is_told_of_the_year_and_not_whether_matters_of_its_first_half_were_solved(years):
    told = {
        (question, label): tell_cadre(form_blocks(years, question), parse_period(f"{TODAY.year - 1}{label}"))
        is not None
        for question in ("level", "solved")
        for label in ("", "H1")
    }

    assert told["level", ""]
    assert told["solved", ""]
    assert not told["solved", "H1"]


def form_blocks(years: Years, question: Question) -> list[Release]:
    """Of the last full year, month by month."""
    year = years.timeline.last_year
    holder = Holder(kind="cadre", id=known_as(CADRE))
    answers = [
        (rating.rated_at.month, answer)
        for number, rating in enumerate(years.ratings)
        if rating.rated_at.year == year and (answer := answer_about(CADRE, number, rating, question)) is not None
    ]
    blocks: list[Release] = []
    told: set[UUID] = set()
    begun: dict[tuple[Question, Holder], date] = {}
    for month in range(1, 13):
        waiting = [answer for given_in, answer in answers if given_in <= month and answer.rating_id not in told]
        for block in form_releases(waiting, date(year, month, 1), begun=begun, parents={}, raters_needed=10):
            blocks.append(block)
            told |= set(block.rating_ids)
            begun[question, holder] = date(year + month // 12, month % 12 + 1, 1)
    return blocks


def answer_about(staff_number: str, number: int, rating: Rating, question: Question) -> Answer | None:
    """As assessment keeps it. Contacts of the demo name no citizen, so that nobody is known to have rated them."""
    issue, contact = rating.issue, rating.contact
    holder = issue.assignment.cadre.staff_number if issue else contact.staff_number if contact else ""
    if holder != staff_number or (question == "solved" and rating.solved is None):
        return None
    citizen = issue.citizen if issue else None
    return Answer(
        rating_id=known_as(str(number)),
        question=question,
        holder=Holder(kind="cadre", id=known_as(staff_number)),
        organisation_id=known_as("organisation"),
        rater=known_as(citizen.phone) if citizen is not None else None,
        positive=rating.level >= 3 if question == "level" else bool(rating.solved),
    )
