"""Times that a person told afterwards: since when the server knew of them, and what the fair scheme makes of it."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from services.assessment.handlers.fair_reading import read_dossiers, read_places, window_until
from services.assessment.handlers.rebuilding import rebuild_facts
from shared.database import transaction
from shared.reach import SYSTEM
from tests.integration.assessment.conftest import NOW, ZONE, score_all, take
from tests.integration.assessment.story import Story

pytestmark = pytest.mark.integration
RECEIVED = datetime(2025, 3, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def story():
    return Story()


@pytest.fixture
def issue(story):
    unit = story.organisation("T")
    cadre = story.cadre_id = story.cadre("S")
    story.post(cadre, unit)
    story.contact(cadre, RECEIVED)
    return story.issue(unit, cadre, RECEIVED, due_at=RECEIVED + 5 * DAY)


def times_of(pool, *, now=NOW):
    """Days from the receipt: answered and recorded, closed and recorded."""
    score_all(pool)
    window = window_until(now, ZONE)
    with transaction(pool, reach=SYSTEM) as connection:
        [dossier] = read_dossiers(connection, window, read_places(connection, window, "50"))
    [found] = dossier.issues
    times = (found.answered_at, found.answer_recorded_at, found.closed_at, found.closing_recorded_at)
    return [None if one is None else (one - found.received_at) / DAY.total_seconds() for one in times]


def tell(story, issue):
    story.respond(issue, RECEIVED + DAY, RECEIVED + 2 * DAY)
    story.close(issue, RECEIVED + 2 * DAY, recorded_at=RECEIVED + 4 * DAY)


def test_when_it_was_recorded_goes_with_what_was_told(pool, story, issue):
    tell(story, issue)
    take(pool, story.take())

    assert times_of(pool) == [1, 2, 2, 4]


def test_what_the_server_knew_at_once_was_recorded_then(pool, story, issue):
    story.respond(issue, RECEIVED + DAY)
    story.close(issue, RECEIVED + 2 * DAY, recorded_at=RECEIVED + 2 * DAY)
    take(pool, story.take())

    assert times_of(pool) == [1, None, 2, None]


def test_whoever_tells_an_earlier_answer_loses_nothing_that_was_known_before(pool, story, issue):
    story.respond(issue, RECEIVED + DAY)
    story.respond(issue, RECEIVED + DAY / 2, RECEIVED + 3 * DAY)
    take(pool, story.take())

    assert times_of(pool)[:2] == [0.5, 1]


def test_of_closings_the_last_stands_and_one_taken_back_has_no_time(pool, story, issue):
    tell(story, issue)
    story.reopen(issue, RECEIVED + 4.5 * DAY)
    take(pool, story.take())
    assert times_of(pool)[2:] == [None, None]

    story.close(issue, RECEIVED + 5 * DAY, recorded_at=RECEIVED + 6 * DAY)
    take(pool, story.take())
    assert times_of(pool)[2:] == [5, 6]
    assert times_of(pool, now=RECEIVED + 4.2 * DAY)[2:] == [2, 4]  # as it stood then, folded from the log


def test_in_whatever_order_it_is_told(new_assessment, story, issue):
    before = story.take()
    tell(story, issue)

    for order in permutations([before, *([one] for one in story.take())]):
        pool = new_assessment()
        for batch in order:
            take(pool, batch)
            take(pool, batch)
        assert times_of(pool) == [1, 2, 2, 4]


def test_made_anew_it_is_the_same(pool, story, issue):
    tell(story, issue)
    take(pool, story.take())

    rebuild_facts(pool, zone=ZONE, now=NOW, tell=lambda _: None)

    assert times_of(pool) == [1, 2, 2, 4]


def test_what_an_older_release_counted_is_taken_as_told(pool, story, issue):
    story.respond(issue, RECEIVED + DAY)
    story.close(issue, RECEIVED + 2 * DAY)
    take(pool, story.take())
    with transaction(pool, reach=SYSTEM) as connection:
        connection.execute("UPDATE issue_fact SET responded_known_at = NULL, closed_known_at = NULL")
    story.respond(issue, RECEIVED + DAY / 2, RECEIVED + 3 * DAY)
    take(pool, story.take())

    assert times_of(pool) == [0.5, 1, 2, None]
