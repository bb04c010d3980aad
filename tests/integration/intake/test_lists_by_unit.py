"""Lists that go by the units within reach show what the row policies let see, all of it, in order and page by page."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import product
from typing import Any

import psycopg
import pytest

from services.intake.handlers.worklist import confine
from services.intake.storage import (
    by_unit,
    callbacks,
    citizen_messages,
    desk,
    rating_cases,
    rating_comments,
    rating_invitations,
    reviews,
    worklist,
)
from services.intake.storage.rating_links import Rated
from services.intake.storage.worklist import Wanted
from shared.database import migrate, transaction
from shared.reach import Reach
from tests.harness.waiting import wait_for
from tests.integration.intake.conftest import NOW
from tests.integration.intake.said import COUNT, fill, hand_over
from tests.stock import ROOT

pytestmark = pytest.mark.integration
SYSTEM = "-c lianxin.reach=system"
READERS = {
    "everything": Reach(kind="everywhere", person_id="reader"),
    "everything, as a cadre": Reach(kind="everywhere", actor_staff_number="S-street", person_id="reader"),
    "everything, with a grant": Reach(kind="everywhere", actor_organisation_codes=("harbour",), person_id="somebody"),
    "everything, as who recorded": Reach(kind="everywhere", actor_staff_number="S-market", person_id="recorder"),
    "the county": Reach(kind="scoped", organisation_codes=("county",), person_id="reader"),
    "the town": Reach(kind="scoped", organisation_codes=("town",), person_id="reader"),
    "the street": Reach(kind="scoped", organisation_codes=("street",), person_id="reader"),
    "the harbour alone": Reach(kind="scoped", organisation_codes=("harbour",), person_id="reader"),
    "two places": Reach(kind="scoped", organisation_codes=("market", "street"), person_id="reader"),
    "own records": Reach(kind="scoped", staff_number="S-harbour", actor_staff_number="S-harbour", person_id="reader"),
    "a place and own records": Reach(
        kind="scoped", organisation_codes=("town",), staff_number="S-harbour", person_id="reader"
    ),
    "nothing": Reach(kind="scoped", person_id="reader"),
}
PAGING = (
    "everything",
    "the county",
    "the town",
    "the harbour alone",
    "two places",
    "a place and own records",
    "nothing",
)
COMMENTS = "SELECT rating_id, recorded_at FROM rating_comment WHERE is_accusation = {} ORDER BY recorded_at, rating_id"
CASES = "SELECT id, opened_at FROM rating_case WHERE state = '{}' ORDER BY opened_at, id"
MESSAGES = "SELECT id, made_at FROM citizen_message WHERE {} ORDER BY made_at DESC, id DESC"
REVIEWS = "SELECT contact_id, noted_at FROM contact_review WHERE decision IS {} ORDER BY noted_at, contact_id"
CALLS = "SELECT id, created_at FROM callback_task WHERE state = 'open' ORDER BY created_at, id"
INVITATIONS = "SELECT id, due_at FROM rating_invitation WHERE state = 'due' ORDER BY due_at, id"
OPEN = "SELECT id FROM issue WHERE closed_at IS NULL ORDER BY due_at, received_at, id"
# Each list, and what a policy alone lets see of it.
LISTS: dict[str, tuple[Any, str]] = {
    "comments": (
        lambda c, after: [
            (one.rating_id, one.recorded_at)
            for one in rating_comments.list_comments(c, is_accusation=False, after=after, limit=9)
        ],
        COMMENTS.format("false"),
    ),
    "accusations": (
        lambda c, after: [
            (one.rating_id, one.recorded_at)
            for one in rating_comments.list_comments(c, is_accusation=True, after=after, limit=9)
        ],
        COMMENTS.format("true"),
    ),
    "open cases": (
        lambda c, after: [(one.id, one.opened_at) for one in rating_cases.list_cases(c, "open", after=after, limit=9)],
        CASES.format("open"),
    ),
    "decided cases": (
        lambda c, after: [
            (one.id, one.opened_at) for one in rating_cases.list_cases(c, "decided", after=after, limit=9)
        ],
        CASES.format("decided"),
    ),
    "messages": (
        lambda c, after: [
            (one.id, one.made_at) for one in citizen_messages.list_messages(c, state=None, after=after, limit=9)
        ],
        MESSAGES.format("true"),
    ),
    "failed messages": (
        lambda c, after: [
            (one.id, one.made_at) for one in citizen_messages.list_messages(c, state="failed", after=after, limit=9)
        ],
        MESSAGES.format("state = 'failed'"),
    ),
    "open reviews": (
        lambda c, after: [
            (one.contact_id, one.noted_at) for one in reviews.list_reviews(c, is_open=True, after=after, limit=9)
        ],
        REVIEWS.format("NULL"),
    ),
    "decided reviews": (
        lambda c, after: [
            (one.contact_id, one.noted_at) for one in reviews.list_reviews(c, is_open=False, after=after, limit=9)
        ],
        REVIEWS.format("NOT NULL"),
    ),
    "calls": (
        lambda c, after: [(one.id, one.created_at) for one in callbacks.list_tasks(c, after=after, limit=9)],
        CALLS,
    ),
    "invitations": (
        lambda c, after: [
            (one.id, one.due_at) for one in rating_invitations.list_due_invitations(c, after=after, limit=9)
        ],
        INVITATIONS,
    ),
}


@pytest.fixture
def said(pool):
    with transaction(pool) as connection:
        fill(connection)
    return pool


def read_through(connection, ask):
    """Page by page to the end."""
    found: list[Any] = []
    after = None
    while page := ask(connection, after):
        found += page
        after = (page[-1][1], page[-1][0])
    return found


def see(connection, query):
    return connection.execute(query.encode()).fetchall()


@pytest.mark.parametrize(
    "most", [0, 1, 8]
)  # by the order of all, by units where there is one, and where there are some
def test_pages_of_a_list_are_what_its_policy_lets_see(said, monkeypatch, most):
    """Also where a third of the issues went on to another unit after they were rated."""
    monkeypatch.setattr(by_unit, "MOST_MERGED", most)
    with transaction(said) as connection:
        hand_over(connection)
    counts = {}

    for reader, (name, (ask, query)) in product(PAGING, LISTS.items()):
        with transaction(said, reach=READERS[reader]) as connection:
            assert read_through(connection, ask) == see(connection, query), (reader, name)
            counts[reader, name] = len(see(connection, query))

    assert counts["nothing", "comments"] == counts["nothing", "messages"] == 0
    assert counts["a place and own records", "messages"] > counts["the town", "messages"] > 0
    assert 9 < counts["the town", "comments"] < counts["the county", "comments"] < COUNT
    assert 0 < counts["the harbour alone", "comments"] < counts["two places", "comments"]
    for name in ("calls", "invitations"):
        assert counts["nothing", name] == 0
        assert 9 < counts["the town", name] < counts["the county", name] < COUNT
        assert 0 < counts["the harbour alone", name] < counts["two places", name]


@pytest.mark.parametrize("most", [0, 8])
def test_the_desk_shows_what_is_due_first_of_what_a_policy_lets_see(said, monkeypatch, most):
    monkeypatch.setattr(by_unit, "MOST_MERGED", most)
    with transaction(said) as connection:
        hand_over(connection)
        connection.execute("UPDATE issue SET due_at = received_at + ascii(right(id::text, 1)) % 4 * interval '1 day'")
        connection.execute("UPDATE issue SET due_at = NULL WHERE organisation_id IS NULL")

    for reader in PAGING:
        with transaction(said, reach=READERS[reader]) as connection:
            shown = [(issue.id,) for issue in desk.list_open_issues(connection, limit=COUNT)]
            assert shown == see(connection, OPEN), reader
            assert [(issue.id,) for issue in desk.list_open_issues(connection, limit=5)] == shown[:5]


def test_the_worklist_shows_what_its_policy_lets_see(said):
    with transaction(said) as connection:
        hand_over(connection)
    wanted = Wanted(now=NOW, limit=8)

    for reader in PAGING:
        with transaction(said, reach=READERS[reader]) as connection:

            def ask(connection, after, reach=READERS[reader]):
                place = {"after_at": after[0], "after_id": after[1]} if after else {}
                items = worklist.list_items(connection, confine(replace(wanted, **place), reach))
                return [(item.id, item.received_at) for item in items[:8]]

            shown = read_through(connection, ask)
            assert shown == see(connection, "SELECT id, received_at FROM issue ORDER BY received_at, id"), reader
            assert (len(shown) > 8) is (reader != "nothing")


def test_what_went_on_to_another_unit_is_for_those_above_both(said):
    """The rating stays with the unit that was rated, and who reads it has to see the issue too."""
    query = "SELECT id FROM issue WHERE organisation_id = md5('market')::uuid AND cadre_id <> md5('cadre-market')::uuid"
    shown = {}
    with transaction(said) as connection:
        hand_over(connection)
        handed = {row[0] for row in see(connection, query)}
    for reader in ("the county", "the town", "two places"):
        with transaction(said, reach=READERS[reader]) as connection:
            for name in ("comments", "accusations"):
                shown[reader, name] = read_through(connection, LISTS[name][0])
    with transaction(said) as connection:
        issues = dict(see(connection, "SELECT id, issue_id FROM rating"))

    county, town, both = (
        {issues[rating] for name in ("comments", "accusations") for rating, _ in shown[reader, name]} & handed
        for reader in ("the county", "the town", "two places")
    )
    assert county
    assert not town
    assert both <= county


OWNERS = """
    SELECT 'comment', rating_comment.rating_id, rating_comment.owner_organisation_id, rating.owner_organisation_id
      FROM rating_comment
      JOIN rating ON rating.id = rating_id
     UNION ALL
    SELECT 'case', rating_case.id, rating_case.owner_organisation_id, rating.owner_organisation_id
      FROM rating_case
      JOIN rating ON rating.id = rating_id
     UNION ALL
    SELECT 'message', citizen_message.id, citizen_message.owner_organisation_id, issue.owner_organisation_id
      FROM citizen_message
      JOIN issue ON issue.id = issue_id
     UNION ALL
    SELECT 'review', contact_id, contact_review.owner_organisation_id, contact.owner_organisation_id
      FROM contact_review
      JOIN contact ON contact.id = contact_id
     UNION ALL
    SELECT 'call', task.id, task.owner_organisation_id,
           CASE WHEN task.issue_id IS NULL THEN contact.owner_organisation_id ELSE issue.owner_organisation_id END
      FROM callback_task AS task
      LEFT JOIN issue ON issue.id = task.issue_id
      LEFT JOIN contact ON contact.id = task.contact_id
     WHERE task.state = 'open'
     UNION ALL
    SELECT 'invitation', invitation.id, invitation.owner_organisation_id,
           CASE WHEN invitation.issue_id IS NULL THEN contact.owner_organisation_id ELSE issue.owner_organisation_id END
      FROM rating_invitation AS invitation
      LEFT JOIN issue ON issue.id = invitation.issue_id
      LEFT JOIN contact ON contact.id = invitation.contact_id
     WHERE invitation.state = 'due'
"""
OWNED = 4 * COUNT + 2 * (COUNT - COUNT // 4)  # of calls and invitations three in four wait


def others(rows):
    """Those whose unit is not that of what they are about."""
    return [(kind, found) for kind, found, unit, owner in rows if unit != owner]


def test_the_unit_of_what_it_is_about_stands_on_each(said):
    with transaction(said) as connection:
        entered = see(connection, OWNERS)
        hand_over(connection)
        handed_over = see(connection, OWNERS)
        connection.execute("UPDATE rating SET owner_organisation_id = NULL, issue_id = NULL WHERE issue_id IS NOT NULL")
        connection.execute(
            "UPDATE contact SET organisation_id = md5('harbour')::uuid, owner_organisation_id = md5('harbour')::uuid"
        )
        changed = see(connection, OWNERS)

    assert len(entered) == len(changed) == OWNED
    for rows in (entered, handed_over, changed):
        assert others(rows) == []
    before, after = ({row[:3] for row in rows} for rows in (entered, changed))
    assert {kind for kind, *_ in before - after} == {"comment", "case", "message", "review", "call", "invitation"}


MAKE = """
    INSERT INTO citizen_message (id, event_id, citizen_ref, issue_id, kind, state, made_at, next_attempt_at,
                                 valid_until, settled_at)
    SELECT gen_random_uuid(), gen_random_uuid(), citizen_ref, issue_id, 'answered', 'sent', made_at, made_at, made_at,
           made_at
      FROM citizen_message
     WHERE issue_id = md5('issue-3')::uuid
"""
MAKE_WAIT = (
    """
    INSERT INTO callback_task (id, issue_id, origin, sample_id, state, created_at)
    VALUES (md5('made')::uuid, md5('issue-3')::uuid, 'lowest', md5('sample')::uuid, 'open', '2026-01-07')
    """,
    """
    INSERT INTO rating_invitation (id, issue_id, state, due_at)
    VALUES (md5('made')::uuid, md5('issue-3')::uuid, 'due', '2026-01-07')
    """,
)
LACKING = """
    SELECT 'call', id FROM callback_task WHERE owner_organisation_id IS NULL AND state = 'open'
     UNION ALL
    SELECT 'invitation', id FROM rating_invitation WHERE owner_organisation_id IS NULL AND state = 'due'
"""
WAITING = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


@pytest.fixture
def cleared(said):
    """Nothing waits of the third issue, which is handed over."""
    with transaction(said) as connection:
        connection.execute("DELETE FROM callback_task WHERE issue_id = md5('issue-3')::uuid")
        connection.execute("DELETE FROM rating_invitation WHERE issue_id = md5('issue-3')::uuid")
    return said


def run(pool, statement):
    with transaction(pool) as connection:
        connection.execute(statement)


def is_waiting(pool):
    with transaction(pool) as connection:
        return see(connection, WAITING)


def test_a_message_that_is_made_while_its_issue_is_handed_over_is_the_new_units(said):
    with ThreadPoolExecutor(1) as other:
        with transaction(said) as connection:
            hand_over(connection)
            made = other.submit(run, said, MAKE)
            wait_for(lambda: is_waiting(said), "a message that waits for its issue")
        made.result()

    with transaction(said) as connection:
        rows = see(connection, OWNERS)
    assert len(rows) == OWNED + 1
    assert others(rows) == []


@pytest.mark.parametrize("most", [0, 8])
@pytest.mark.parametrize(("statement", "name"), [*zip(MAKE_WAIT, ("calls", "invitations"), strict=True)])
def test_what_is_made_while_its_issue_is_handed_over_waits_for_nobody_and_is_listed(
    cleared, monkeypatch, statement, name, most
):
    monkeypatch.setattr(by_unit, "MOST_MERGED", most)
    ask, query = LISTS[name]
    with transaction(cleared) as connection:
        hand_over(connection)
        run(cleared, statement)

    with transaction(cleared) as connection:
        (lacking,) = see(connection, LACKING)
    seen = set()
    for reader in PAGING:
        with transaction(cleared, reach=READERS[reader]) as connection:
            shown = read_through(connection, ask)
            assert shown == see(connection, query), reader
            seen |= {reader} if lacking[1] in dict(shown) else set()
    assert "the county" in seen
    assert "the harbour alone" not in seen
    with transaction(cleared) as connection:
        connection.execute("UPDATE issue SET owner_organisation_id = md5('street')::uuid")
        assert see(connection, LACKING) == others(see(connection, OWNERS)) == []


def test_an_invitation_without_a_unit_has_that_of_its_issue_once_it_is_made(cleared):
    with transaction(cleared) as connection:
        hand_over(connection)
        run(cleared, MAKE_WAIT[1])
    with transaction(cleared) as connection:
        ((_, invitation),) = see(connection, LACKING)
        ((issue, market),) = see(
            connection, "SELECT id, owner_organisation_id FROM issue WHERE id = md5('issue-3')::uuid"
        )

        made = rating_invitations.make_invitation(
            connection, Rated(issue_id=issue), "kiosk", invitation_id=invitation, by=None, at=NOW
        )

        query = "SELECT owner_organisation_id FROM rating_invitation WHERE id = %s AND state = 'made'"
        assert connection.execute(query, [made]).fetchall() == [(market,)]
    assert made == invitation


@pytest.mark.parametrize("statement", MAKE_WAIT, ids=["call", "invitation"])
def test_who_hands_an_issue_over_waits_for_what_is_just_made_of_it(cleared, statement):
    def hand():
        with transaction(cleared) as connection:
            hand_over(connection)

    with ThreadPoolExecutor(1) as other:
        with transaction(cleared) as connection:
            connection.execute(statement)
            connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
            handed = other.submit(hand)
            wait_for(lambda: is_waiting(cleared), "an issue that waits to be handed over")
        handed.result()

    with transaction(cleared) as connection:
        assert see(connection, LACKING) == others(see(connection, OWNERS)) == []


def test_an_invitation_that_is_made_and_a_call_that_ended_stay_where_they_were(said):
    query = """
        SELECT 'call', id, owner_organisation_id FROM callback_task WHERE state <> 'open'
         UNION ALL
        SELECT 'invitation', id, owner_organisation_id FROM rating_invitation WHERE state = 'made'
         ORDER BY 1, 2
    """
    with transaction(said) as connection:
        connection.execute("UPDATE rating_invitation SET state = 'made', method = 'kiosk', invited_at = due_at")
        connection.execute("UPDATE callback_task SET state = 'done', ended_at = created_at")
        before = see(connection, query)

        hand_over(connection)

        assert see(connection, query) == before
    assert len(before) == 2 * COUNT


def test_whoever_enters_what_is_said_need_not_see_its_unit(said):
    """A unit that somebody was told of by the request is looked up for everybody."""
    with transaction(said) as connection:
        connection.execute("DELETE FROM rating_comment")
        connection.execute("DELETE FROM rating_case")
    with transaction(said, reach=READERS["the town"]) as connection:
        connection.execute(
            "INSERT INTO rating_comment (rating_id, is_accusation, recorded_at) SELECT id, false, now() FROM rating"
        )
    with transaction(said) as connection:
        rows = see(
            connection,
            """
            SELECT DISTINCT rating.owner_organisation_id = rating_comment.owner_organisation_id
              FROM rating_comment
              JOIN rating ON rating.id = rating_id
            """,
        )
    assert rows == [(True,)]


ASKED = """
    SELECT n, is_own_work(md5('issue-' || n)::uuid, NULL), is_own_work(NULL, md5('contact-' || n)::uuid),
           is_own_work(md5('issue-' || n)::uuid, md5('contact-' || n + 1)::uuid)
      FROM generate_series(1, 84) AS n
"""
LINES = """
    SELECT code, is_in_units(ARRAY[md5(code)::uuid]), is_in_units(ARRAY[md5(code)::uuid, NULL]), is_in_units(NULL),
           is_recused(md5('cadre-' || code)::uuid, '2026-01-02'), is_recused(md5('cadre-' || code)::uuid, '2028-01-01')
      FROM unnest(ARRAY['county', 'town', 'street', 'village', 'harbour', 'market', 'unknown']) AS code
"""


def answer(url, reach, queries):
    """As the service asks, under this reach."""
    with psycopg.connect(url) as connection:
        settings = {
            "reach": reach.kind,
            "organisations": "{" + ",".join(reach.organisation_codes) + "}",
            "staff_number": reach.staff_number or "",
            "actor_staff_number": reach.actor_staff_number or "",
            "actor_organisations": "{" + ",".join(reach.actor_organisation_codes) + "}",
            "person": reach.person_id or "",
        }
        for name, value in settings.items():
            connection.execute("SELECT set_config(%s, %s, false)", [f"lianxin.{name}", value])
        return [see(connection, query) for query in queries]


def test_nobody_sees_anything_else_after_the_migration(stock):
    queries = [*(query for _, query in LISTS.values()), ASKED, LINES]
    with stock.older("intake", before="0134") as database:
        with psycopg.connect(database.owner_url, options=SYSTEM) as connection:
            fill(connection)
            hand_over(connection)
        before = {reader: answer(database.url, reach, queries) for reader, reach in READERS.items()}

        migrate(database.owner_url, ROOT / "services" / "intake" / "migrations")

        after = {reader: answer(database.url, reach, queries) for reader, reach in READERS.items()}
        with psycopg.connect(database.owner_url, options=SYSTEM) as connection:
            filled = see(connection, OWNERS)
    for reader, shown in before.items():
        assert after[reader] == shown, reader
    assert {row[1] for row in before["the town"][-2]} == {False, True}
    assert len(filled) == OWNED
    assert others(filled) == []
    assert len({unit for _, _, unit, _ in filled}) == 5
