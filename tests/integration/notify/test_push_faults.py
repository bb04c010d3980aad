"""The database goes away in the midst of pushing, again and again: nothing is lost, nor what came back meanwhile."""

import threading
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from tests.integration.notify.receiving import Receiver, make_partners
from tests.integration.notify.test_doors import wait_for
from tests.integration.notify.test_push_process import connect, database, ids, in_a_thread, pool, tell

__all__ = ["database", "pool"]  # fixtures
pytestmark = pytest.mark.integration
EVENTS = 300
CUTS = 6


def cut(url: str) -> None:
    """End every connection of the pusher's, whatever it is in the midst of."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            """
            SELECT pg_terminate_backend(pid)
              FROM pg_stat_activity
             WHERE application_name = 'test' AND datname = current_database()
            """
        )


def settled(url: str) -> int:
    with psycopg.connect(url, options="-c lianxin.reach=system") as connection:
        row = connection.execute("SELECT count(*) FROM webhook_delivery WHERE status = 'delivered'").fetchone()
    return row[0] if row else 0


def test_a_database_that_breaks_off_loses_nothing(database, pool, keys_folder):
    partners = make_partners(pool, keys_folder)
    with in_a_thread(Receiver()) as receiver:
        connect(partners, receiver)
        tell(pool, 1, EVENTS)
        pusher = partners.pusher()
        thread = threading.Thread(target=pusher.run)
        thread.start()
        try:
            for number in range(CUTS):
                enough = number * EVENTS // (CUTS + 1)
                wait_for(lambda enough=enough: len(set(ids(receiver))) > enough, seconds=90)
                cut(database.url)
                partners.now = datetime.now(UTC) + timedelta(minutes=2 * (number + 1))  # leases run out
            wait_for(lambda: settled(database.url) == EVENTS, seconds=120)
        finally:
            pusher.stop()
            thread.join(60)

    assert not thread.is_alive()
    assert len(set(ids(receiver))) == EVENTS
