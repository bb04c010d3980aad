"""What a process refuses to build upon: a database that forgets or is open, a broker with a well-known account."""

import psycopg
import pytest
from psycopg import sql

from shared.settings import UnsafeSetting
from shared.startup import check_broker, check_database

pytestmark = pytest.mark.integration


@pytest.fixture
def durable(monkeypatch):
    """The server of the tests may run without fsync; that check has a test of its own below."""
    monkeypatch.setattr("shared.startup.check_durability", lambda _: None)


@pytest.mark.usefixtures("durable")
@pytest.mark.parametrize("service", ["intake", "assessment", "notify", "identity"])
def test_a_migrated_database_is_sound_for_its_runtime_role(new_database, service):
    with psycopg.connect(new_database(service).url) as connection:
        check_database(connection)


@pytest.mark.usefixtures("durable")
def test_the_owner_is_no_account_to_run_with(new_database):
    with psycopg.connect(new_database("notify").owner_url) as connection, pytest.raises(UnsafeSetting, match="owns"):
        check_database(connection)


@pytest.mark.usefixtures("durable")
@pytest.mark.parametrize(("right", "fault"), [("SUPERUSER", "superuser"), ("BYPASSRLS", "bypass")])
def test_a_role_that_sees_past_the_policies_is_refused(postgres_admin_url, new_database, right, fault):
    name = new_database("notify").name
    with psycopg.connect(psycopg.conninfo.make_conninfo(postgres_admin_url, dbname=name)) as admin:
        admin.execute(sql.SQL("CREATE ROLE too_mighty {}").format(sql.SQL(right)))
        admin.execute("SET ROLE too_mighty")
        with pytest.raises(UnsafeSetting, match=fault):
            check_database(admin)
        admin.rollback()


@pytest.mark.usefixtures("durable")
@pytest.mark.parametrize("change", ["NO FORCE", "DISABLE"])
def test_a_table_that_is_open_to_all_is_named(new_database, change):
    database = new_database("notify")
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute(sql.SQL("ALTER TABLE delivery {} ROW LEVEL SECURITY").format(sql.SQL(change)))

    with psycopg.connect(database.url) as connection, pytest.raises(UnsafeSetting, match="delivery"):
        check_database(connection)


def test_a_server_that_forgets_commits_is_refused(new_database):
    with psycopg.connect(new_database("notify").url) as connection:
        connection.execute("SET synchronous_commit = off")
        with pytest.raises(UnsafeSetting, match="synchronous_commit"):
            check_database(connection)


def test_a_broker_that_is_away_is_no_fault():
    check_broker("amqp://somebody:a-long-password-1234@127.0.0.1:1/x")
