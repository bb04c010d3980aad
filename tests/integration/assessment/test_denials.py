"""What citizens who are called back know nothing of: how facts and the fair scheme take it, in whatever order."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from services.assessment.handlers.fair_reading import read_dossiers, read_places, window_until
from services.assessment.handlers.rebuilding import rebuild_facts
from services.assessment.storage.fair_records import list_holders_since
from shared.database import transaction
from shared.reach import SYSTEM
from tests.integration.assessment.conftest import NOW, ZONE, score_all, take
from tests.integration.assessment.story import Story

pytestmark = pytest.mark.integration
RECEIVED = datetime(2025, 3, 3, 2, tzinfo=UTC)
CALLED = RECEIVED + timedelta(days=30)


@pytest.fixture
def story():
    return Story()


@pytest.fixture
def issue(story):
    unit = story.organisation("T")
    cadre = story.cadre_id = story.cadre("S")
    story.post(cadre, unit)
    story.contact(cadre, RECEIVED)
    made = story.issue(unit, cadre, RECEIVED, due_at=RECEIVED + timedelta(days=5))
    story.close(made, RECEIVED + timedelta(days=2))
    return made


def counted(pool):
    score_all(pool)
    with transaction(pool, reach=SYSTEM) as connection:
        return connection.execute("SELECT sum(resolved), sum(denied), sum(ratings) FROM tally").fetchone()


def dossier_of(pool, *, now=NOW):
    score_all(pool)
    window = window_until(now, ZONE)
    with transaction(pool, reach=SYSTEM) as connection:
        [dossier] = read_dossiers(connection, window, read_places(connection, window, "50"))
    return dossier


def test_what_a_citizen_knows_nothing_of_is_not_resolved_and_no_rating(pool, story, issue):
    take(pool, story.take())
    before = counted(pool)
    story.deny(story.call(CALLED, issue_id=issue), issue, CALLED)
    take(pool, story.take())

    [found] = dossier_of(pool).issues

    assert (before, counted(pool)) == ((1, 0, 0), (0, 1, 0))
    assert (found.is_denied, found.is_checked, found.is_contradicted, found.is_disowned) == (True, True, True, True)
    assert dossier_of(pool).ratings == []


def test_in_whatever_order_it_is_told(new_assessment, story, issue):
    before = story.take()
    story.deny(story.call(CALLED, issue_id=issue), issue, CALLED)
    invited, denied = story.take()

    for order in permutations([before, [invited], [denied]]):
        pool = new_assessment()
        for batch in order:
            take(pool, batch)
            take(pool, batch)
        assert counted(pool) == (0, 1, 0)


def test_that_somebody_else_asked_denies_nothing(pool, story, issue):
    story.deny(story.call(CALLED, issue_id=issue), issue, CALLED, "did_not_ask")
    take(pool, story.take())

    assert counted(pool) == (1, 0, 0)
    [found] = dossier_of(pool).issues
    assert (found.is_denied, found.is_disowned) == (False, False)


def test_who_says_in_a_rating_that_it_was_not_solved_knows_of_it(pool, story, issue):
    story.rate(CALLED, 1, issue_id=issue, solved=False, method="callback")
    take(pool, story.take())

    [found] = dossier_of(pool).issues
    assert (found.is_denied, found.is_disowned) == (True, False)


@pytest.mark.usefixtures("issue")
@pytest.mark.parametrize(("denial", "is_disowned"), [("no_such_matter", True), ("did_not_ask", False)])
def test_a_contact_that_the_citizen_knows_nothing_of_is_disowned(pool, story, denial, is_disowned):
    """And not before the call, nor after another person's call overruled it."""
    visit, other = (story.contact(story.cadre_id, RECEIVED + timedelta(days=day)) for day in (1, 2))
    call = story.deny_contact(visit, CALLED, denial)
    take(pool, story.take())

    def disowned(now=NOW):
        return [one.contact for one in dossier_of(pool, now=now).contacts if one.is_disowned]

    assert disowned() == [str(visit)] * is_disowned
    assert disowned(CALLED - timedelta(seconds=1)) == []
    story.overrule_contact(call, visit, CALLED + timedelta(days=2))
    take(pool, story.take())
    assert disowned() == []
    assert disowned(CALLED + timedelta(days=1)) == [str(visit)] * is_disowned
    assert str(other) in {one.contact for one in dossier_of(pool).contacts}


@pytest.mark.usefixtures("issue")
def test_whose_contact_is_denied_is_looked_at_again(pool, story):
    visit = story.contact(story.cadre_id, RECEIVED)
    take(pool, story.take())
    with transaction(pool, reach=SYSTEM) as connection:
        position, _ = list_holders_since(connection, 0, limit=1_000)
    story.deny_contact(visit, CALLED)
    take(pool, story.take())

    with transaction(pool, reach=SYSTEM) as connection:
        assert list_holders_since(connection, position, limit=1_000)[1] == [story.cadre_id]


def test_a_later_call_overrules_it_also_where_that_is_heard_first(new_assessment, story, issue):
    call = story.call(CALLED, issue_id=issue)
    before = story.take()
    story.deny(call, issue, CALLED)
    denied = story.take()
    story.overrule(call, issue, CALLED + timedelta(days=2))
    overruled = story.take()

    for order in ((denied, overruled), (overruled, denied)):
        pool = new_assessment()
        for batch in (before, *order):
            take(pool, batch)
        assert counted(pool) == (1, 0, 0)
        assert not dossier_of(pool).issues[0].is_denied


@pytest.mark.parametrize("effect", ["rating", "all"])
def test_what_was_left_out_of_assessment_is_not_denied(pool, story, issue, effect):
    story.deny(story.call(CALLED, issue_id=issue), issue, CALLED)
    take(pool, story.take())
    assert counted(pool) == (0, 1, 0)

    story.exclude(issue, effect)
    take(pool, story.take())

    assert counted(pool)[1] == 0
    story.exclude(issue, None)
    take(pool, story.take())
    assert counted(pool) == (0, 1, 0)


def test_it_stands_after_facts_were_made_anew(pool, story, issue):
    story.deny(story.call(CALLED, issue_id=issue), issue, CALLED)
    take(pool, story.take())
    with transaction(pool, reach=SYSTEM) as connection:
        connection.execute("UPDATE issue_fact SET denied = false")

    rebuild_facts(pool, zone=ZONE, now=NOW, tell=lambda _: None)

    assert counted(pool) == (0, 1, 0)


def test_of_a_moment_before_the_call_nothing_is_known(pool, story, issue):
    story.deny(story.call(CALLED, issue_id=issue), issue, CALLED)
    take(pool, story.take())

    assert not dossier_of(pool, now=CALLED - timedelta(seconds=1)).issues[0].is_denied
    assert dossier_of(pool, now=CALLED + timedelta(days=1)).issues[0].is_denied


@pytest.mark.parametrize(
    ("origin", "levels"), [("sample", [2]), ("lowest", [2]), (None, [2]), ("targeted", []), ("follow_up", [])]
)
def test_whoever_was_called_on_account_of_a_sign_says_whether_it_was_solved_and_no_more(
    pool, story, issue, origin, levels
):
    """Satisfaction is that of those who were drawn, or who rate by themselves."""
    story.rate(CALLED, 2, issue_id=issue, solved=False, method="callback", call_origin=origin)
    take(pool, story.take())

    found = dossier_of(pool)

    assert [rating.level for rating in found.ratings] == levels
    assert (found.issues[0].is_denied, found.issues[0].is_checked) == (True, True)


def test_a_link_that_claims_to_be_a_call_is_a_link(pool, story, issue):
    story.rate(CALLED, 5, issue_id=issue, solved=True, method="link", call_origin="targeted")
    take(pool, story.take())

    assert [rating.level for rating in dossier_of(pool).ratings] == [5]
