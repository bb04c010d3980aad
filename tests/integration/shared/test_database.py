"""Transactions, migrations and the outbox against a real PostgreSQL."""

import logging
import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime

import orjson
import psycopg
import pytest
import structlog

from shared import inbox, outbox
from shared.contracts.intake.issues import IssueResponded
from shared.database import DatabaseAway, migrate, open_pool, transaction
from shared.identifiers import new_id
from shared.observability import configure_logging, get_logger

NOW = datetime(2025, 3, 1, tzinfo=UTC)


def events(count):
    return [
        outbox.OutgoingEvent(event=IssueResponded(issue_id=new_id(), responded_at=NOW), sequence=1)
        for _ in range(count)
    ]


def append(connection, count=1):
    outbox.append(connection, events(count), recorded_at=NOW, correlation_id="correlation-1")


def test_an_event_is_written_with_its_change_or_not_at_all(new_pool):
    pool = new_pool("intake")

    def fail_after_writing():
        with transaction(pool) as connection:
            append(connection)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_writing()

    with transaction(pool) as connection:
        assert outbox.list_unsent(connection, limit=10) == []


def test_an_event_committed_late_is_not_skipped(new_pool):
    pool = new_pool("intake")
    with pool.connection() as slow:
        slow.execute("BEGIN")
        append(slow)
        with transaction(pool) as quick:
            append(quick)
        with transaction(pool) as relay:
            first = outbox.list_unsent(relay, limit=10)
            outbox.mark_sent(relay, [event.id for event in first])
        slow.commit()

    with transaction(pool) as relay:
        second = outbox.list_unsent(relay, limit=10)

    assert len(first) == len(second) == 1
    assert second[0].id < first[0].id


def test_the_backlog_is_measured_by_number_and_age(new_pool):
    pool = new_pool("intake")
    with transaction(pool) as connection:
        append(connection, 3)

        count, age_seconds = outbox.measure_backlog(connection)

    assert count == 3
    assert age_seconds > 0


def test_concurrent_duplicates_are_claimed_once(new_pool):
    pool = new_pool("assessment")
    event_ids = [new_id() for _ in range(5)]
    claimed = []

    def claim():
        with transaction(pool) as connection:
            claimed.append(inbox.claim_new(connection, "a-consumer", event_ids))

    threads = [threading.Thread(target=claim) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(len(new) for new in claimed) == 5


def test_failures_of_a_message_are_counted(new_pool):
    pool = new_pool("assessment")

    with transaction(pool) as connection:
        counts = [inbox.record_failure(connection, "a-consumer", "m1", "ValueError") for _ in range(3)]
        inbox.forget_failures(connection, "a-consumer", ["m1"])
        again = inbox.record_failure(connection, "a-consumer", "m1", "ValueError")

    assert counts == [1, 2, 3]
    assert again == 1


def test_a_database_that_is_away_is_told_as_transient():
    pool = open_pool("postgresql://nobody:nothing-at-all-here@127.0.0.1:1/none", size=1, application="test")
    pool.timeout = 0.2

    with pytest.raises(DatabaseAway), transaction(pool):
        pass
    pool.close()


def test_a_statement_that_takes_too_long_is_told_as_transient(new_database):
    pool = open_pool(new_database("intake").url, size=1, application="test", statement_timeout_seconds=0.1)

    with pytest.raises(DatabaseAway), transaction(pool) as connection:
        connection.execute("SELECT pg_sleep(5)")
    pool.close()


@pytest.mark.parametrize(
    "turn", ["SET TRANSACTION READ ONLY", "SET idle_in_transaction_session_timeout = '50ms'"], ids=["standby", "idle"]
)
def test_what_the_server_ends_on_its_own_is_told_as_transient(new_pool, turn):
    def write_too_late():
        with transaction(new_pool("intake")) as connection:
            connection.execute(turn)
            time.sleep(0.5)
            append(connection)

    with pytest.raises(DatabaseAway):
        write_too_late()


def test_a_restarted_server_costs_no_request_its_answer(new_database):
    """Of the sessions that a pool kept all are dead then, and looking at each in turn takes longer than it may."""
    database = new_database("intake")
    pool = open_pool(database.url, size=8, application="restarted", system=True)
    with ExitStack() as held:
        for _ in range(8):
            held.enter_context(transaction(pool))
    with psycopg.connect(database.url, autocommit=True) as other:
        ended = other.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'restarted'"
        ).fetchall()

    with transaction(pool) as connection:
        answer = connection.execute("SELECT 1").fetchone()
    pool.close()

    assert ended == [(True,)] * 8
    assert answer == (1,)


def test_migrations_run_once_and_together(new_database, tmp_path):
    database = new_database("notify")
    (tmp_path / "9001_create_thing.sql").write_text("CREATE TABLE thing (id int);")
    (tmp_path / "9002_break.sql").write_text("CREATE TABLE other (id int); SELECT 1/0;")

    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate(database.owner_url, tmp_path)
    (tmp_path / "9002_break.sql").write_text("CREATE TABLE other (id int);")
    applied = migrate(database.owner_url, tmp_path)

    assert applied == ["9002_break.sql"]
    assert migrate(database.owner_url, tmp_path) == []


@pytest.mark.parametrize("service", ["intake", "assessment", "notify"])
def test_the_running_service_owns_nothing(new_pool, service):
    with transaction(new_pool(service)) as connection:
        owned = connection.execute("SELECT count(*) FROM pg_class WHERE relowner = current_user::regrole").fetchone()

        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DROP TABLE migration")

    assert owned == (0,)


@pytest.mark.parametrize("service", ["intake", "assessment", "notify", "identity"])
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO migration (name) VALUES ('9999_later.sql')",
        "UPDATE migration SET name = '9999_later.sql'",
        "DELETE FROM migration",
        "TRUNCATE migration",
    ],
)
def test_the_running_service_cannot_say_what_was_applied(new_pool, service, statement):
    with transaction(new_pool(service)) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)


def test_rights_of_an_older_release_are_taken_back_and_a_reader_keeps_its_own(new_database, tmp_path):
    database = new_database("notify")
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON migration TO test_notify")
        owner.execute("GRANT INSERT ON migration TO PUBLIC")
        owner.execute("GRANT SELECT ON migration TO pg_monitor")

        migrate(database.owner_url, tmp_path)

        left = owner.execute(
            """
            SELECT DISTINCT grantee::regrole::text
              FROM pg_class, aclexplode(relacl)
             WHERE pg_class.oid = 'migration'::regclass
            """
        ).fetchall()
    assert {name for (name,) in left} == {"test_notify_owner", "pg_monitor"}


def test_a_logged_failure_does_not_quote_the_row(new_pool, capsys):
    pool = new_pool("notify")
    capsys.readouterr()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logging(service="notify", process="test", level="info")
    try:
        try:
            with transaction(pool) as connection:
                inbox.record_failure(connection, "c" * 10, "m", "words of a citizen\nin two lines")
                connection.execute("UPDATE processing_failure SET attempts = 0")
        except psycopg.Error as error:
            get_logger().exception("a_bug")
            message = f"a task raised: {error!r}"  # as Celery words it
            logging.getLogger("a.library").exception(message)
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()

    lines = [orjson.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["exception"].count("violates check constraint") for line in lines] == [1, 1]
    assert not any("citizen" in str(line) or "two lines" in str(line) for line in lines)


@pytest.mark.parametrize("message_id", ["unnamed", "a\0b", "字" * 300])
def test_failures_are_counted_whatever_a_message_is_called(new_pool, message_id):
    pool = new_pool("notify")
    book = inbox.FailureBook(pool, "q.notify.events")
    counts = [book.record(message_id, "a bug") for _ in range(2)]
    with transaction(pool) as connection:
        connection.execute("UPDATE processing_failure SET attempts = 1000")

    most = book.record(message_id, "a bug")
    book.forget([message_id])

    assert (counts, most) == ([1, 2], 1_000)
    assert book.record(message_id, "a bug") == 1
