"""Issues that come with the way they went elsewhere: each step at its time, and the clocks that follow from them."""

from datetime import timedelta
from typing import Any

import pytest

from services.intake.handlers import issues
from services.intake.handlers.clocks.reading import read_clocks
from shared.database import Pool
from shared.identifiers import new_id
from shared.reach import Reach, acting
from tests.integration.intake.commands import an_issue
from tests.integration.intake.conftest import NOW
from tests.integration.intake.test_clocks import a_rule, define

pytestmark = pytest.mark.integration
BEGIN = NOW - timedelta(days=20)
DAY = timedelta(days=1)


def told(**changes: Any) -> Any:
    """An issue of another system that went its whole way there, a step a day."""
    whole = {
        "id": new_id(),
        "source": "hotline",
        "source_number": "A1",
        "received_at": BEGIN,
        "organisation_code": "town",
        "staff_number": "S1",
        "assigned_at": BEGIN + DAY,
        "signed_at": BEGIN + 2 * DAY,
        "responded_at": BEGIN + 3 * DAY,
        "replied_at": BEGIN + 4 * DAY,
        "closed_at": BEGIN + 5 * DAY,
        "outcome": "resolved",
        "reply": "已修好",
        "return_count": 1,
        "redo_count": 2,
    }
    return an_issue(**whole | changes)


def receive(pool: Pool, *commands: Any) -> list[str]:
    outcomes = issues.receive_issues(pool, list(commands), now=NOW, allow_odd=True)
    return [outcome.code or outcome.status for outcome in outcomes]


def steps_of(ask, issue_id):
    return ask("SELECT kind, happened_at FROM issue_step WHERE issue_id = %s ORDER BY sequence", issue_id)


def test_every_step_that_a_source_tells_of_stands_in_the_log_at_its_time(registered: Pool, ask):
    command = told()

    assert receive(registered, command) == ["created"]

    kinds = ["received", "assigned", "signed", "contacted", "replied", "closed"]
    assert steps_of(ask, command.id) == [(kind, BEGIN + day * DAY) for day, kind in enumerate(kinds)]
    events = ask("SELECT event_type, sequence FROM outbox WHERE aggregate_id = %s ORDER BY sequence", command.id)
    assert [name.split(".")[3] for name, _ in events] == [
        "received",
        "assigned",
        "signed",
        "responded",
        "replied",
        "closed",
    ]
    assert [number for _, number in events] == list(range(1, 7))
    stands = issues.get_issue(registered, command.id)
    assert (stands.status, stands.organisation_code, stands.reply, stands.outcome) == (
        "closed",
        "town",
        "已修好",
        "resolved",
    )
    [(payload,)] = ask("SELECT payload FROM outbox WHERE aggregate_id = %s AND sequence = 1", command.id)
    assert (payload["told_return_count"], payload["told_redo_count"], "organisation_id" in payload) == (1, 2, False)


def test_its_clocks_run_from_the_dispatch_and_judge_its_steps(registered: Pool):
    define(
        registered,
        a_rule("sign", clock="sign_in", limit="2 hours"),
        a_rule("contact", clock="first_contact", limit="5 natural_days"),
        a_rule("reply", clock="reply", limit="2 natural_days"),
    )
    command = told()
    receive(registered, command)

    clocks = {view.clock: view for view in read_clocks(registered, command.id, now=NOW)}

    assert {name: view.state for name, view in clocks.items()} == {
        "sign_in": "missed",
        "first_contact": "met",
        "reply": "missed",
    }
    assert (clocks["sign_in"].started_at, clocks["sign_in"].stopped_at) == (BEGIN + DAY, BEGIN + 2 * DAY)


def test_the_same_again_changes_nothing_and_a_later_file_goes_on(registered: Pool, ask):
    later = {"closed_at": None, "outcome": None, "replied_at": None, "reply": None, "signed_at": None}
    begun = told(**later)
    assert receive(registered, begun) == ["created"]
    assert receive(registered, told(**later)) == ["unchanged"]

    assert receive(registered, told()) == ["changed"]
    assert receive(registered, told()) == ["unchanged"]

    assert [kind for kind, _ in steps_of(ask, begun.id)] == [
        "received",
        "assigned",
        "contacted",
        "signed",
        "replied",
        "closed",
    ]
    assert ask("SELECT flags FROM issue WHERE id = %s", begun.id) == [([],)]


def test_a_history_of_whom_nobody_knows_is_refused_whole(registered: Pool, ask):
    found = receive(
        registered,
        told(source_number="A1", organisation_code="nowhere"),
        told(source_number="A2", staff_number="S9"),
        told(source_number="A3"),
    )

    assert found == ["unknown-organisation", "unknown-cadre", "created"]
    assert ask("SELECT count(*) FROM issue") == [(1,)]


def test_a_history_goes_no_further_than_the_reach_of_whoever_brings_it(registered: Pool, ask):
    with acting(Reach(kind="scoped", organisation_codes=("town",), account_id=new_id(), actor="x", role="clerk")):
        found = receive(
            registered,
            told(source_number="A1", staff_number=None),
            told(source_number="A2", staff_number=None, organisation_code="county"),
        )

    assert found == ["created", "out-of-reach"]
    assert ask("SELECT count(*) FROM issue") == [(1,)]


def test_odd_times_are_taken_over_and_flagged(registered: Pool):
    command = told(signed_at=BEGIN + 9 * DAY)

    [outcome] = issues.receive_issues(registered, [command], now=NOW, allow_odd=True)

    assert (outcome.status, outcome.flags) == ("created", ("closed_before_signed",))


def test_two_rows_of_one_order_in_one_file_are_one_issue(registered: Pool, ask):
    found = receive(registered, told(closed_at=None, outcome=None, reply=None, replied_at=None), told(id=new_id()))

    assert found == ["created", "changed"]
    assert ask("SELECT count(*), max(status) FROM issue") == [(1, "closed")]
