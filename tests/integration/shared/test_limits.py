"""Limits that hold across processes: buckets in a real database, taken from at the same time."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from shared.database import transaction
from shared.errors import TooMany
from shared.limits import Allowance, Rate, forget_full, take

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
TEN_A_MINUTE = Rate(limit=10, per_seconds=60)
SPEND_EVERYTHING = """
import sys
from datetime import datetime
from shared.database import open_pool
from shared.errors import TooMany
from shared.limits import Allowance, Rate

pool = open_pool(sys.argv[1], size=1, application="test")
allowance, rate = Allowance(pool), Rate(limit=200, per_seconds=3600)
spent = 0
while True:
    try:
        allowance.spend("client:7", rate, now=datetime.fromisoformat(sys.argv[2]))
        spent += 1
    except TooMany:
        break
pool.close()
print(spent)
"""


def count_taken(pool, key, *, tries, now=NOW):
    taken = 0
    for _ in range(tries):
        try:
            take(pool, key, limit=10, per_seconds=60, now=now)
            taken += 1
        except TooMany:
            pass
    return taken


@pytest.mark.parametrize("service", ["intake", "assessment", "notify"])
def test_a_bucket_gives_as_much_as_it_holds(new_pool, service):
    assert count_taken(new_pool(service), "sign-in:a", tries=30) == 10


def test_a_refusal_tells_how_long_to_wait_and_is_true(new_pool):
    pool = new_pool("intake")
    count_taken(pool, "a", tries=10)

    with pytest.raises(TooMany) as refused:
        take(pool, "a", limit=10, per_seconds=60, now=NOW)

    wait = refused.value.retry_after_seconds
    assert wait == pytest.approx(6, abs=0.01)
    assert count_taken(pool, "a", tries=5, now=NOW + timedelta(seconds=wait - 0.1)) == 0
    assert count_taken(pool, "a", tries=5, now=NOW + timedelta(seconds=wait + 0.1)) == 1


def test_a_refused_attempt_does_not_lengthen_the_wait(new_pool):
    pool = new_pool("intake")
    count_taken(pool, "a", tries=500)

    assert count_taken(pool, "a", tries=20, now=NOW + timedelta(seconds=60)) == 10


def test_each_key_has_a_bucket_of_its_own(new_pool):
    pool = new_pool("intake")

    assert count_taken(pool, "a", tries=12) + count_taken(pool, "b\0\ud800长", tries=12) == 20


def test_many_at_once_get_no_more_than_there_is(new_pool):
    pool = new_pool("intake")

    with ThreadPoolExecutor(8) as threads:
        taken = sum(threads.map(lambda _: count_taken(pool, "a", tries=10), range(8)))

    assert taken == 10


def test_two_processes_share_one_limit(new_database):
    url = new_database("intake").url
    command = [sys.executable, "-c", SPEND_EVERYTHING, url, NOW.isoformat()]

    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    spent = [int(process.communicate(timeout=60)[0]) for process in both]

    assert sum(spent) == 200


def test_a_busy_caller_costs_one_statement_for_many_requests(new_pool):
    pool = new_pool("intake")
    allowance, rate = Allowance(pool), Rate(limit=600, per_seconds=60)
    allowance.spend("a", rate, now=NOW)

    assert all(allowance.try_spend("a", rate, now=NOW) for _ in range(29))
    assert not allowance.try_spend("a", rate, now=NOW)


def test_many_who_begin_at_once_share_one_lease(new_pool):
    allowance, rate = Allowance(new_pool("intake")), Rate(limit=600, per_seconds=60)

    with ThreadPoolExecutor(40) as threads:
        list(threads.map(lambda _: allowance.spend("somebody", rate, now=NOW), range(200)))

    assert allowance.try_spend("somebody", rate, now=NOW)  # of 600; with a lease for each there were none left


def test_a_refusal_is_remembered_without_asking_again(new_pool):
    pool = new_pool("intake")
    allowance = Allowance(pool)
    for _ in range(10):
        allowance.spend("a", TEN_A_MINUTE, now=NOW)
    with pytest.raises(TooMany):
        allowance.spend("a", TEN_A_MINUTE, now=NOW)

    with pytest.raises(TooMany):
        allowance.try_spend("a", TEN_A_MINUTE, now=NOW)
    allowance.spend("a", TEN_A_MINUTE, now=NOW + timedelta(seconds=6.1))


def test_a_lease_that_was_not_used_does_not_add_up(new_pool):
    pool = new_pool("intake")
    allowance, rate = Allowance(pool), Rate(limit=600, per_seconds=60)
    allowance.spend("a", rate, now=NOW)

    assert not allowance.try_spend("a", rate, now=NOW + timedelta(seconds=11))


def test_full_buckets_are_forgotten_and_others_kept(new_pool):
    pool = new_pool("intake")
    count_taken(pool, "a", tries=10)
    count_taken(pool, "b", tries=1)

    with transaction(pool) as connection:
        assert forget_full(connection, now=NOW + timedelta(seconds=10)) == 1
        assert forget_full(connection, now=NOW + timedelta(seconds=10)) == 0
    assert count_taken(pool, "a", tries=10, now=NOW + timedelta(seconds=10)) == 1
