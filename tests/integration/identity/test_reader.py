"""The role by which other services ask who somebody is: it may ask, and nothing else."""

import secrets
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from services.identity.domain.sessions import UnfinishedSignIn
from services.identity.handlers.desk import Caller, digest_of, system
from services.identity.handlers.opening import open_session
from services.identity.handlers.sign_ins import sign_in
from services.identity.storage.accounts import find_account
from tests.integration.identity.conftest import NOW, PASSWORD

pytestmark = pytest.mark.integration


@pytest.fixture
def asking(reader_url):
    with psycopg.connect(reader_url, autocommit=True) as connection:
        yield connection


def ask(connection, token, at=NOW):
    return connection.execute("SELECT * FROM resolve_session(%s, %s)", [digest_of(token), at]).fetchall()


def test_it_learns_whose_session_it_is(desk, add_account, caller, asking):
    account = add_account()
    token = sign_in(desk, "li.na", PASSWORD, caller=caller).session_token

    (found,) = ask(asking, token)

    assert (found[0], found[1], found[6]) == (account.id, "li.na", [])


def test_an_unknown_session_is_no_row(asking):
    assert ask(asking, "somebody's guess") == []


def test_it_can_read_and_write_no_table(asking, database):
    with psycopg.connect(database.owner_url) as owner:
        tables = [row[0] for row in owner.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    assert len(tables) > 10

    for table in tables:
        for statement in ("SELECT 1 FROM {}", "DELETE FROM {}"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                asking.execute(sql.SQL(statement).format(sql.Identifier(table)))


def test_the_reach_of_the_answer_does_not_outlive_it(asking):
    asking.execute("BEGIN")
    ask(asking, "somebody's guess")

    assert asking.execute("SELECT current_setting('lianxin.reach', true)").fetchone() == ("",)


def test_it_learns_who_holds_a_role_in_a_unit_and_nothing_else_of_them(desk, add_account, asking):
    clerk = add_account("li.na", staff_number="C7")
    add_account("wang.wu")
    gone = add_account("zhao.liu", status="disabled")
    with system(desk.pool) as connection:
        for account, role, code in (
            (clerk, "clerk", "town"),
            (clerk, "clerk", None),
            (clerk, "cadre", "town"),
            (gone, "clerk", "town"),
        ):
            connection.execute(
                """
                INSERT INTO role_grant (id, account_id, person_id, role, organisation_code, granted_at, granted_by)
                VALUES (%s, %s, %s, %s, %s, %s, 'a test')
                """,
                [uuid4(), account.id, account.person_id, role, code, NOW],
            )

    def held(role, *codes):
        return asking.execute("SELECT * FROM list_holders(%s, %s)", [role, list(codes)]).fetchall()

    assert held("clerk", "town", "village") == [(clerk.id, "C7", "town")]
    assert held("clerk", "village") == held("unit_head", "town") == []


def test_idle_time_is_counted_from_the_last_request(desk, add_account, caller, asking):
    add_account()
    token = sign_in(desk, "li.na", PASSWORD, caller=caller).session_token

    assert ask(asking, token, NOW + timedelta(minutes=14))
    assert ask(asking, token, NOW + timedelta(minutes=28))
    assert not ask(asking, token, NOW + timedelta(minutes=43))


def test_no_session_outlives_its_absolute_time(desk, add_account, caller, asking):
    add_account()
    token = sign_in(desk, "li.na", PASSWORD, caller=caller).session_token
    for minutes in range(10, 480, 10):
        assert ask(asking, token, NOW + timedelta(minutes=minutes))

    assert ask(asking, token, NOW + timedelta(hours=8) - timedelta(seconds=1))
    assert not ask(asking, token, NOW + timedelta(hours=8))


@given(gaps=st.lists(st.integers(1, 1_200), min_size=1, max_size=40))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_session_lives_by_its_two_limits_and_by_nothing_else(desk, asking, gaps):
    """Against a model in which requests come at any times: an end is an end, and no request revives."""
    account_id, token = uuid4(), secrets.token_urlsafe(32)
    with system(desk.pool) as connection:
        connection.execute(
            """
            INSERT INTO account (id, name, display_name, person_id, created_at, changed_at)
            VALUES (%s, %s, 'x', 'x', %s, %s)
            """,
            [account_id, f"a{account_id.hex}", NOW, NOW],
        )
        begun = UnfinishedSignIn(
            account_id=account_id, method="password", code_given=False, failed_tries=0, expires_at=NOW
        )
        account: Any = find_account(connection, account_id)
        tokens = iter([token, secrets.token_urlsafe(32)])
        opened = replace(desk, new_token=lambda: next(tokens))
        open_session(connection, opened, account, begun, caller=Caller(network="x", at=NOW, device=None))
    at = seen = 0

    for gap in gaps:
        at += gap
        is_alive = at < 8 * 3_600 and at < seen + 900
        assert bool(ask(asking, token, NOW + timedelta(seconds=at))) is is_alive
        if is_alive and at - seen >= 60:
            seen = at
