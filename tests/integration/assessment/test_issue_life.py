"""What the later life of an issue does to figures: closures taken back, deadlines moved, exclusions, mergers."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.assessment.conftest import score_all, take
from tests.integration.assessment.story import Story
from tests.integration.assessment.test_scores import at, fractions

pytestmark = pytest.mark.integration
RATES = ("response_rate", "resolution_rate", "on_time_closure_rate", "satisfaction_rate")


@pytest.fixture
def county():
    story = Story()
    story.root = story.organisation("C")
    story.town = story.organisation("T", story.root)
    story.cadre_id = story.cadre("S001")
    story.post(story.cadre_id, story.town)
    return story


def figures(pool, story):
    """The fractions of the cadre in the month after what the story has told, with every shuffle of it."""
    told = story.take()
    take(pool, told)
    score_all(pool)
    found = fractions(pool, "cadre", "S001", "2025-03")
    return {rate: (int(found[rate][0]), int(found[rate][1])) for rate in RATES}


def an_issue(story, *, due=10):
    return story.issue(story.town, story.cadre_id, at(3, 1), due_at=at(3, due))


def test_a_reopened_issue_is_not_closed_until_it_is_closed_again(pool, county):
    issue_id = an_issue(county)
    county.close(issue_id, at(3, 5))
    assert figures(pool, county)["on_time_closure_rate"] == (1, 1)

    county.reopen(issue_id, at(3, 6))
    assert figures(pool, county)["on_time_closure_rate"] == (0, 1)

    county.close(issue_id, at(3, 20))
    assert figures(pool, county)["on_time_closure_rate"] == (0, 1)
    assert figures(pool, county)["resolution_rate"] == (1, 1)


def test_a_redo_takes_the_closure_back(pool, county):
    issue_id = an_issue(county)
    county.close(issue_id, at(3, 5))
    county.redo(issue_id, at(3, 6))
    assert figures(pool, county)["resolution_rate"] == (0, 1)

    county.close(issue_id, at(3, 8), "explained_policy")
    assert figures(pool, county)["resolution_rate"] == (0, 0)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(first=st.integers(2, 28), more=st.lists(st.integers(1, 9), max_size=4))
def test_opening_and_closing_again_never_improves_timeliness(new_assessment, first, more):
    """Each closure lies after the reopening before it, as intake holds it to."""
    pool, story = new_assessment(), Story()
    story.root = story.organisation("C")
    story.town = story.organisation("T", story.root)
    story.cadre_id = story.cadre("S001")
    issue_id = story.issue(story.town, story.cadre_id, at(3, 1), due_at=at(3, 15))
    closed_at = at(3, first)
    story.close(issue_id, closed_at)
    before = figures(pool, story)["on_time_closure_rate"]

    for days in more:
        story.reopen(issue_id, closed_at)
        closed_at += timedelta(days=days)
        story.close(issue_id, closed_at)

    after = figures(pool, story)["on_time_closure_rate"]
    assert after[0] <= before[0]
    assert after[1] == before[1]


def test_a_granted_extension_moves_the_deadline_and_a_refused_one_does_not(pool, county):
    granted, refused = an_issue(county), an_issue(county)
    county.extend(granted, at(3, 5), at(3, 20))
    county.extend(refused, at(3, 5), None)
    for issue_id in (granted, refused):
        county.close(issue_id, at(3, 15))

    assert figures(pool, county)["on_time_closure_rate"] == (1, 2)


def test_an_issue_is_judged_by_the_deadline_that_was_told_last(pool, county):
    paused, hastened = an_issue(county), an_issue(county)
    county.move_deadlines(paused, due_at=None)
    county.move_deadlines(hastened, due_at=at(3, 4))
    county.move_deadlines(paused, due_at=at(3, 20))
    for issue_id in (paused, hastened):
        county.close(issue_id, at(3, 15))

    assert figures(pool, county)["on_time_closure_rate"] == (1, 2)


def test_a_deadline_after_a_redo_makes_nobody_in_time_who_was_late_before(pool, county):
    late, prompt = an_issue(county), an_issue(county)
    county.close(late, at(3, 12))
    county.close(prompt, at(3, 8))
    for issue_id, missed in ((late, at(3, 10)), (prompt, None)):
        county.redo(issue_id, at(3, 13))
        county.move_deadlines(issue_id, due_at=at(3, 20), missed_due_at=missed)
        county.close(issue_id, at(3, 15))

    assert figures(pool, county)["on_time_closure_rate"] == (1, 2)


def test_who_was_not_contacted_is_judged_by_the_deadline_that_was_told_last(pool, county):
    issue_id = county.issue(county.town, county.cadre_id, at(3, 1), respond_by=at(3, 2))
    assert figures(pool, county)["response_rate"] == (0, 1)

    county.move_deadlines(issue_id, respond_by=at(12, 30))

    assert figures(pool, county)["response_rate"] == (0, 0)


def test_an_excluded_issue_leaves_every_denominator_and_comes_back(pool, county):
    counted, left_out = an_issue(county), an_issue(county)
    for issue_id in (counted, left_out):
        county.close(issue_id, at(3, 5))
        county.rate(at(3, 6), 5, issue_id=issue_id)
    assert figures(pool, county) == dict.fromkeys(RATES, (2, 2))

    county.exclude(left_out, "all")
    assert figures(pool, county) == dict.fromkeys(RATES, (1, 1))

    county.exclude(left_out, None)
    assert figures(pool, county) == dict.fromkeys(RATES, (2, 2))


def test_an_exclusion_of_ratings_leaves_the_issue_where_it_was(pool, county):
    issue_id = an_issue(county)
    county.close(issue_id, at(3, 5))
    county.rate(at(3, 6), 1, issue_id=issue_id, solved=False)
    assert figures(pool, county)["resolution_rate"] == (0, 1)

    county.exclude(issue_id, "rating")

    found = figures(pool, county)
    assert found["satisfaction_rate"] == (0, 0)
    assert found["resolution_rate"] == found["on_time_closure_rate"] == (1, 1)


def test_a_merged_issue_is_counted_with_the_one_that_goes_on(pool, county):
    goes_on, merged = an_issue(county), an_issue(county)
    county.merge(merged, goes_on, at(3, 2))
    county.close(goes_on, at(3, 12))

    found = figures(pool, county)
    assert (found["on_time_closure_rate"], found["response_rate"]) == ((0, 1), (1, 1))

    county.reopen(merged, at(3, 13))
    assert figures(pool, county)["on_time_closure_rate"] == (0, 2)


def test_a_duplicate_of_nobody_knows_what_is_counted_as_other_closures_are(pool, county):
    county.close(an_issue(county), at(3, 5), "merged")

    assert figures(pool, county)["on_time_closure_rate"] == (1, 1)
