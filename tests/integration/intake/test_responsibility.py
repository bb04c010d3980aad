"""The ledger of responsibility on PostgreSQL: kept with the steps, told each time, and open to who sees the issue."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from services.intake.domain.commands.base import Actor
from services.intake.domain.commands.issue_steps import (
    AssignIssue,
    CloseIssue,
    DecideObjection,
    RaiseObjection,
    ReopenIssue,
    SetAssistingUnits,
)
from services.intake.domain.commands.registers import RegisterOrganisation
from services.intake.handlers import issues, registers, responsibility
from services.intake.handlers.issue_steps.batch import take_steps
from services.intake.storage.issues import IssueNotFound
from shared.database import transaction
from shared.identifiers import new_id
from shared.reach import Reach, acting
from tests.integration.intake.commands import an_issue
from tests.integration.intake.conftest import NOW

pytestmark = pytest.mark.integration
HOUR = timedelta(hours=1)
SOMEBODY, ANOTHER = (Actor(account_id=new_id(), person_id=name) for name in ("somebody", "another"))


@pytest.fixture
def take(registered):
    """Take one step so many hours after the beginning."""
    registers.register_organisations(
        registered,
        [
            RegisterOrganisation(
                id=new_id(), correlation_id="t", code=code, name=code, level="61", parent_code="county"
            )
            for code in ("north", "south")
        ],
        now=NOW,
    )

    def run(kind, issue_id, hours, *, actor=SOMEBODY, **said):
        command = kind(id=issue_id, correlation_id="a-test", actor=actor, **said)
        [outcome] = take_steps(registered, [command], now=NOW + hours * HOUR)
        assert outcome.status == "changed", outcome

    return run


@pytest.fixture
def issue_id(registered):
    command = an_issue(organisation_code="town", staff_number="S1", received_at=NOW, due_at=NOW + 100 * HOUR)
    [outcome] = issues.receive_issues(registered, [command], now=NOW)
    assert outcome.status == "created", outcome
    return command.id


@pytest.fixture
def told(ask):
    """What was published of an issue's shares, by code of the unit, and whether it was final."""

    def read(issue_id):
        rows = ask(
            """
            SELECT sequence, payload
              FROM outbox
             WHERE aggregate = 'responsibility' AND payload ->> 'issue_id' = %s
             ORDER BY id
            """,
            str(issue_id),
        )
        codes = {str(key): code for key, code in ask("SELECT id, code FROM organisation")}
        return [
            (
                sequence,
                {
                    (codes[unit], role): count
                    for unit, role, count in zip(
                        payload["organisation_ids"], payload["roles"], payload["millionths"], strict=True
                    )
                },
                payload["is_final"],
            )
            for sequence, payload in rows
        ]

    return read


def close(take, issue_id, hours):
    take(CloseIssue, issue_id, hours, outcome="resolved", reply="已修好", means="phone")


def test_what_one_unit_held_all_the_time_has_no_ledger(take, issue_id, told, ask):
    close(take, issue_id, 10)

    assert told(issue_id) == []
    assert ask("SELECT count(*) FROM responsibility") == [(0,)]


def test_a_transfer_is_told_as_it_would_stand_when_the_issue_falls_due_and_the_closing_as_it_stands(
    take, issue_id, told
):
    take(AssignIssue, issue_id, 20, organisation_code="north")
    close(take, issue_id, 80)

    assert told(issue_id) == [
        (1, {("town", "lead"): 200_000, ("north", "lead"): 800_000}, False),
        (2, {("town", "lead"): 250_000, ("north", "lead"): 750_000}, True),
    ]


def test_a_transfer_in_the_last_quarter_leaves_it_all_with_the_sender(take, issue_id, told, ask):
    take(AssignIssue, issue_id, 76, organisation_code="north")
    close(take, issue_id, 140)

    whole = {("town", "lead"): 1_000_000}
    assert told(issue_id) == [(1, whole, False), (2, whole, True)]
    assert ask("SELECT count(DISTINCT organisation_id), sum(millionths) FROM responsibility_share") == [(1, 1_000_000)]


def test_what_is_told_says_what_was_held_when(take, issue_id, ask):
    take(AssignIssue, issue_id, 20, organisation_code="north")
    close(take, issue_id, 80)

    [(payload,)] = ask("SELECT payload FROM outbox WHERE aggregate = 'responsibility' ORDER BY id DESC LIMIT 1")
    slices = zip(
        payload["slice_places"],
        *(map(datetime.fromisoformat, payload[name]) for name in ("slice_from_ats", "slice_until_ats")),
        payload["slice_millionths"],
        strict=True,
    )
    assert list(slices) == [
        (0, NOW, NOW + 20 * HOUR, 250_000),
        (1, NOW + 20 * HOUR, NOW + 80 * HOUR, 750_000),
    ]


def test_assisting_units_are_told(take, issue_id, told):
    take(SetAssistingUnits, issue_id, 0, assisting_codes=("north", "south"))
    close(take, issue_id, 50)

    assert told(issue_id)[-1] == (
        2,
        {("town", "lead"): 700_000, ("north", "assisting"): 150_000, ("south", "assisting"): 150_000},
        True,
    )


def test_an_upheld_objection_takes_the_wrong_assignment_out(take, issue_id, told):
    take(AssignIssue, issue_id, 10, organisation_code="north")
    take(RaiseObjection, issue_id, 12, reason_code="not_our_duty")
    take(DecideObjection, issue_id, 20, actor=ANOTHER, upheld=True)
    take(AssignIssue, issue_id, 20, organisation_code="south")
    close(take, issue_id, 50)

    assert told(issue_id)[-1] == (4, {("town", "lead"): 250_000, ("south", "lead"): 750_000}, True)


def test_what_is_reopened_is_shared_anew(take, issue_id, told):
    take(AssignIssue, issue_id, 20, organisation_code="north")
    close(take, issue_id, 40)
    take(ReopenIssue, issue_id, 50, reason_code="not_solved", asked_by="citizen")
    close(take, issue_id, 110)

    told_of = told(issue_id)

    assert [sequence for sequence, _, _ in told_of] == [1, 2, 3, 4]
    assert told_of[1][1:] == ({("town", "lead"): 500_000, ("north", "lead"): 500_000}, True)
    assert told_of[3][1:] == ({("town", "lead"): 200_000, ("north", "lead"): 800_000}, True)


def test_what_is_kept_equals_what_is_worked_out_anew(take, issue_id, registered, ask):
    take(AssignIssue, issue_id, 20, organisation_code="north", staff_number="S2")
    close(take, issue_id, 80)

    shown = responsibility.get_responsibility(registered, issue_id, now=NOW + 500 * HOUR)
    kept = ask(
        """
        SELECT code_of(organisation_id), staff_number_of(cadre_id), role, from_at, until_at, millionths
          FROM responsibility_share
         ORDER BY place
        """
    )

    assert shown.is_final
    assert kept == [
        (
            share.organisation_code,
            share.staff_number,
            share.role,
            share.from_at,
            share.until_at,
            share.millionths,
        )
        for share in shown.shares
    ]
    assert sum(share.millionths for share in shown.shares) == 1_000_000


def test_who_does_not_see_the_issue_does_not_see_its_shares(take, issue_id, registered):
    take(AssignIssue, issue_id, 20, organisation_code="north")
    beside = Reach(kind="scoped", organisation_codes=("south",), account_id=new_id(), actor="beside", role="clerk")

    with acting(beside):
        with pytest.raises(IssueNotFound):
            responsibility.get_responsibility(registered, issue_id, now=NOW)
        with transaction(registered) as connection:
            assert connection.execute("SELECT count(*) FROM responsibility").fetchone() == (0,)
            assert connection.execute("SELECT count(*) FROM responsibility_share").fetchone() == (0,)
    with acting(replace(beside, organisation_codes=("north",))):
        assert responsibility.get_responsibility(registered, issue_id, now=NOW + 21 * HOUR).shares


def test_a_batch_of_closings_is_shared_at_once(take, registered, told, ask):
    commands = [an_issue(organisation_code="town", received_at=NOW, due_at=NOW + 100 * HOUR) for _ in range(5)]
    issues.receive_issues(registered, commands, now=NOW)
    for command in commands[:3]:
        take(AssignIssue, command.id, 50, organisation_code="north")
    closings = [
        CloseIssue(id=command.id, correlation_id="t", outcome="resolved", reply="已修好", means="phone")
        for command in commands
    ]

    outcomes = take_steps(registered, closings, now=NOW + 100 * HOUR)

    assert {outcome.status for outcome in outcomes} == {"changed"}
    for command in commands[:3]:
        assert told(command.id)[-1][1:] == ({("town", "lead"): 500_000, ("north", "lead"): 500_000}, True)
    assert ask("SELECT count(*) FROM responsibility") == [(3,)]
