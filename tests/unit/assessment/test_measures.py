"""Which measures a rating, a contact and a merged issue count for."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.assessment.domain.measures import (
    NOBODY,
    ContactFact,
    IssueFact,
    RatingFact,
    measure_contact,
    measure_issue,
    measure_rating,
)

NOON = datetime(2025, 3, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ID = UUID(int=1)
RATING = RatingFact(
    rating_id=ID, issue_id=ID, contact_id=None, organisation_id=ID, cadre_id=NOBODY, level=5, solved=None, rated_at=NOON
)
CONTACT = ContactFact(contact_id=ID, organisation_id=ID, cadre_id=ID, kind="reception", occurred_at=NOON, counts=True)
ISSUE = IssueFact(
    issue_id=ID,
    organisation_id=ID,
    cadre_id=NOBODY,
    category="roads",
    received_at=NOON,
    respond_by=None,
    due_at=None,
    responded_at=None,
    closed_at=None,
    outcome=None,
    denied=False,
)


@pytest.mark.parametrize(
    ("given", "measures"),
    [
        ({"level": 3}, {"ratings", "satisfied"}),
        ({"level": 2}, {"ratings"}),
        (
            {"level": 1, "attitude": 3, "speed": 2},
            {"ratings", "attitude_answers", "attitude_satisfied", "speed_answers"},
        ),
        ({"attitude": 2, "speed": 3}, {"ratings", "satisfied", "attitude_answers", "speed_answers", "speed_satisfied"}),
    ],
)
def test_from_the_third_of_five_levels_on_people_are_satisfied(given, measures):
    assert measure_rating(replace(RATING, **given)) == measures


@pytest.mark.parametrize(
    ("kind", "meets_duty", "measures"),
    [
        ("reception", False, {"contacts"}),
        ("reception", True, {"contacts", "duties_met"}),
        ("visit", False, {"contacts", "household_visits"}),
        ("paired_assistance", True, {"contacts", "duties_met", "household_visits"}),
        ("field_stay", False, {"contacts", "field_stay_days"}),
    ],
)
def test_a_contact_counts_by_its_kind_and_for_the_duty_that_it_meets(kind, meets_duty, measures):
    assert measure_contact(replace(CONTACT, kind=kind), meets_duty=meets_duty) == measures


def test_a_contact_that_was_voided_counts_for_nothing():
    assert measure_contact(replace(CONTACT, counts=False), meets_duty=True) == frozenset()


def test_only_what_ended_by_merging_counts_as_merged():
    reopened = replace(ISSUE, merged_into=ID)
    elsewhere = replace(ISSUE, outcome="merged", closed_at=NOON)

    assert measure_issue(reopened, NOON) == {"issues_received"}
    assert "issues_received" in measure_issue(elsewhere, NOON)


@pytest.mark.parametrize(("responded", "closed", "in_time"), [(0, 2, True), (2, 0, True), (2, 3, False)])
def test_the_first_that_citizens_hear_is_what_counts_as_contacting_them(responded, closed, in_time):
    issue = replace(ISSUE, respond_by=NOON + HOUR, responded_at=NOON + responded * HOUR, closed_at=NOON + closed * HOUR)

    measures = measure_issue(issue, NOON + 9 * HOUR)

    assert ("contacted_on_time" in measures, "contacted_late" in measures) == (in_time, not in_time)


def test_what_is_done_again_has_ended_before():
    assert measure_issue(replace(ISSUE, is_redone=True), NOON) == {"issues_received", "ended", "redone"}


def test_what_was_closed_without_an_outcome_has_none():
    assert measure_issue(replace(ISSUE, closed_at=NOON), NOON) == {
        "issues_received", "ended", "closed_first_time", "closed", "responded",
    }  # fmt: skip


def test_a_suggestion_counts_as_one_beside_all_that_became_of_it():
    returned = replace(ISSUE, issue_type="suggestion", is_returned=True, is_reopened=True)

    assert measure_issue(returned, NOON) == {"issues_received", "returned", "ended", "reopened", "suggestions"}
    assert measure_issue(replace(returned, suggestion_answered_at=NOON), NOON) == {
        "issues_received", "returned", "ended", "reopened", "suggestions", "suggestions_answered",
    }  # fmt: skip
