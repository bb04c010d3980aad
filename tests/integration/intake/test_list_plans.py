"""Lists are read in the order of an index, and none of their row policies reads a table whole."""

import psycopg
import pytest
from psycopg import sql

from services.intake.storage import (
    callbacks,
    citizen_messages,
    desk,
    rating_cases,
    rating_comments,
    rating_invitations,
    reviews,
)
from shared.database import transaction
from shared.identifiers import new_id
from shared.reach import Reach
from tests.integration.intake.conftest import NOW
from tests.integration.intake.said import fill
from tests.integration.plans import Explaining

pytestmark = pytest.mark.integration
EVERYWHERE = Reach(kind="everywhere")
AFTER = (NOW, new_id())
TABLES = (
    "callback_task",
    "citizen_message",
    "contact_review",
    "rating_case",
    "rating_comment",
    "rating_invitation",
)


@pytest.fixture
def town(stock, new_database):
    """What a plan goes by are its rows alone, and not how much room the tests before it have left."""
    database = new_database("intake")
    pool = stock.pool(database.url, system=True)
    with transaction(pool) as connection:
        fill(connection)
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        for table in TABLES:
            owner.execute(sql.SQL("VACUUM (FULL) {}").format(sql.Identifier(table)))
    return pool


def list_own_work(connection, issue_ids):
    asked = "SELECT is_own_work(issue_id, NULL) FROM unnest(%s::uuid[]) AS issue_id"
    return connection.execute(asked, [issue_ids]).fetchall()


@pytest.mark.parametrize(
    ("ask", "index"),
    [
        (lambda c: citizen_messages.list_messages(c, state=None, after=AFTER, limit=10), "citizen_message_made"),
        (lambda c: citizen_messages.list_messages(c, state="failed", after=AFTER, limit=10), "citizen_message_state"),
        (lambda c: rating_comments.list_comments(c, is_accusation=False, after=AFTER, limit=9), "rating_comment_plain"),
        (lambda c: rating_comments.list_comments(c, is_accusation=True, after=AFTER, limit=10), "rating_comment_queue"),
        (lambda c: rating_cases.list_cases(c, "decided", after=AFTER, limit=10), "rating_case_queue"),
        (lambda c: reviews.list_reviews(c, is_open=True, after=AFTER, limit=10), "contact_review_open"),
        (lambda c: reviews.list_reviews(c, is_open=False, after=AFTER, limit=10), "contact_review_decided"),
        (lambda c: callbacks.list_tasks(c, after=AFTER, limit=10), "callback_task_queue"),
        (lambda c: callbacks.list_tasks(c, after=AFTER, limit=10), "callback_attempt_task"),
        (lambda c: rating_invitations.list_due_invitations(c, after=AFTER, limit=10), "rating_invitation_queue"),
        (lambda c: desk.list_open_issues(c, limit=10), "issue_open_due"),
    ],
)
def test_a_list_has_an_index_in_its_order(pool, monkeypatch, ask, index):
    """On a table this small any plan is fast: what is asked is whether the index fits the question at all."""
    with transaction(pool, reach=EVERYWHERE) as connection:
        for method in ("seqscan", "sort", "bitmapscan"):
            connection.execute(f"SET LOCAL enable_{method} = off")
        monkeypatch.setattr(connection, "cursor_factory", Explaining)
        ask(connection)

    assert f"using {index} " in str(Explaining.plan)
    assert not [line for line in Explaining.plan if "Sort" in line]


@pytest.mark.parametrize(
    ("ask", "index"),
    [
        (lambda c: citizen_messages.list_messages(c, state=None, after=AFTER, limit=10), "citizen_message_owner"),
        (
            lambda c: citizen_messages.list_messages(c, state="sent", after=AFTER, limit=9),
            "citizen_message_owner_state",
        ),
        (lambda c: rating_comments.list_comments(c, is_accusation=False, after=AFTER, limit=9), "rating_comment_owner"),
        (lambda c: rating_cases.list_cases(c, "decided", after=AFTER, limit=10), "rating_case_owner"),
        (lambda c: reviews.list_reviews(c, is_open=True, after=AFTER, limit=10), "contact_review_owner_open"),
        (lambda c: reviews.list_reviews(c, is_open=False, after=AFTER, limit=9), "contact_review_owner_decided"),
        (lambda c: callbacks.list_tasks(c, after=AFTER, limit=10), "callback_task_owner"),
        (lambda c: rating_invitations.list_due_invitations(c, after=AFTER, limit=9), "rating_invitation_owner"),
    ],
)
def test_a_list_has_an_index_by_the_units_of_a_reader(town, monkeypatch, ask, index):
    """Of the town, and of the street and the village below it.

    For the few without a unit one of the whole list is as good.
    """
    plan = explain_as("town", town, monkeypatch, ask)

    assert plan.count(f"using {index} ") == 3
    assert "Merge Append" in plan


def test_the_desk_has_an_index_by_the_units_of_a_reader(pool, monkeypatch):
    with transaction(pool) as connection:
        fill(connection)
        connection.execute(
            """
            INSERT INTO issue (id, source, type, category, channel, urgency, title, received_at, status, sequence,
                               recorded_at, flags, content_hash, progress_hash, owner_organisation_id)
            SELECT gen_random_uuid(), source, type, category, channel, urgency, title, received_at, status, sequence,
                   recorded_at, flags, content_hash, progress_hash, owner_organisation_id
              FROM issue
             CROSS JOIN generate_series(1, 30)
            """
        )

    plan = explain_as("town", pool, monkeypatch, lambda c: desk.list_open_issues(c, limit=10))

    assert plan.count("using issue_open_owner ") == 3
    assert "Merge Append" in plan


def explain_as(code, pool, monkeypatch, ask):
    with transaction(pool, reach=Reach(kind="scoped", organisation_codes=(code,))) as connection:
        for method in ("seqscan", "sort", "bitmapscan"):
            connection.execute(f"SET LOCAL enable_{method} = off")
        monkeypatch.setattr(connection, "cursor_factory", Explaining)
        ask(connection)
    return "\n".join(Explaining.plan)


def test_whose_work_was_rated_is_looked_up_by_keys(pool, county):
    issue_ids = [command.id for command in county["issues"]]

    with transaction(pool, reach=EVERYWHERE) as connection:
        connection.execute("SET LOCAL enable_seqscan = off")
        before = count_scans(connection)
        rows = list_own_work(connection, issue_ids)
        after = count_scans(connection)

    assert len(rows) == len(issue_ids) > 0
    assert after == before


def count_scans(connection):
    """Of whole tables, in this transaction."""
    return connection.execute(
        """
        SELECT relname, seq_scan
          FROM pg_stat_xact_user_tables
         WHERE relname IN ('issue', 'contact', 'issue_step')
         ORDER BY relname
        """
    ).fetchall()
