"""Processes die at named points, several at once, and not one record is lost or counted twice."""

import pytest

from tests.harness.deaths import POINTS, die_under_load
from tests.harness.experiment import Experiment, require
from tests.harness.suite import Suite
from tests.harness.waiting import wait_for


@pytest.fixture(scope="module")
def _subscribers(suite: Suite) -> None:
    """Several, so that one round of digests makes several mails."""
    officer = suite.client("notify", "department_officer")
    for number in range(4):
        body = {
            "recipient_name": f"订阅人{number}",
            "email": f"subscriber-{number}@example.org",
            "channels": ["inbox", "email"],
        }
        assert officer.put(f"/v1/subscriptions/subscriber-{number}", body).is_success


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("_subscribers")
@pytest.mark.parametrize("hit", [1, 3], ids=["first", "third"])
def test_nothing_is_lost_or_counted_twice_where_processes_die(experiment: Experiment, hit: int) -> None:
    """Each at all of its points, life after life, and all side by side. One after another: the campaign."""
    die_under_load(experiment, POINTS, hit=hit, seed=hit, records=300)

    _, verdicts = experiment.wait_and_judge()
    require(verdicts)


@pytest.mark.usefixtures("_subscribers")
def test_every_mail_reaches_the_server_although_its_senders_died(suite: Suite, experiment: Experiment) -> None:
    experiment.wait_and_judge()

    def count_open() -> bool:
        suite.end_leases()
        with suite.database("notify") as notify:
            row = notify.execute("SELECT count(*) FROM delivery WHERE status IN ('due', 'claimed')").fetchone()
        return row == (0,)

    wait_for(count_open, "every delivery settled", timeout_seconds=60)

    with suite.database("notify") as notify:
        rows = notify.execute("SELECT message_id, status FROM delivery WHERE channel = 'email'").fetchall()
    received = {str(mail["Message-ID"]).strip() for mail in suite.mail.mails}
    assert {status for _, status in rows} == {"sent"}
    assert {message_id for message_id, _ in rows} <= received
