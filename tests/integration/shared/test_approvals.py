"""The rule of two persons over PostgreSQL: one proposes, another decides, once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from shared.approvals import (
    OPEN_FOR,
    AlreadyDecided,
    AlreadyProposed,
    NewProposal,
    OwnProposal,
    Person,
    ProposalNotFound,
    approve,
    list_open,
    propose,
    refuse,
)
from shared.database import transaction
from shared.identifiers import new_id
from shared.reach import Reach

pytestmark = pytest.mark.integration
NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)


def somebody(person_id, name=None):
    return Person(account_id=new_id(), name=name or person_id, person_id=person_id)


@pytest.fixture
def pool(new_pool):
    return new_pool("intake")


@pytest.fixture
def proposed(pool):
    """A proposal of Li's to erase somebody."""
    proposal = NewProposal(id=new_id(), kind="erase", subject="a-ref", reason="asked for it", details={"n": 1})
    with transaction(pool) as connection:
        propose(connection, proposal, by=somebody("li"), now=NOW)
    return proposal


def decide(pool, step, proposal, by, *, now=NOW, reach=None):
    with transaction(pool, reach=reach) as connection:
        return step(connection, proposal.id, kind=proposal.kind, by=by, reason="checked", now=now)


def test_a_second_person_approves(pool, proposed):
    approved = decide(pool, approve, proposed, somebody("wang"))

    assert (approved.status, approved.details, approved.proposer_person) == ("approved", {"n": 1}, "li")
    with pytest.raises(AlreadyDecided):
        decide(pool, approve, proposed, somebody("zhao"))


def test_nobody_approves_an_own_proposal_not_under_a_second_account_either(pool, proposed):
    with pytest.raises(OwnProposal) as refusal:
        decide(pool, approve, proposed, somebody("li", name="li.second-account"))

    assert refusal.value.code == "own-proposal"
    assert decide(pool, refuse, proposed, somebody("li")).status == "refused"


def test_the_database_holds_the_rule_by_itself(pool, proposed):
    with pytest.raises(psycopg.errors.CheckViolation), transaction(pool) as connection:
        connection.execute(
            """
            UPDATE proposal
               SET status = 'approved', decided_by = 'li', decider_person = 'li', decided_at = now(),
                   decision_reason = 'because'
             WHERE id = %s
            """,
            [proposed.id],
        )


def test_the_same_is_proposed_once_at_a_time_and_a_repeat_is_no_second(pool, proposed):
    with transaction(pool) as connection:
        propose(connection, proposed, by=somebody("li"), now=NOW)
        assert len(list_open(connection, kinds=["erase"], now=NOW, limit=10)) == 1
    again = NewProposal(id=new_id(), kind="erase", subject="a-ref", reason="once more", details={})
    with pytest.raises(AlreadyProposed), transaction(pool) as connection:
        propose(connection, again, by=somebody("wang"), now=NOW)


def test_what_nobody_decides_in_time_is_over(pool, proposed):
    late = NOW + OPEN_FOR

    decide(pool, refuse, proposed, somebody("wang"), now=late - timedelta(seconds=1))
    again = NewProposal(id=new_id(), kind="erase", subject="a-ref", reason="once more", details={})
    with transaction(pool) as connection:
        propose(connection, again, by=somebody("li"), now=NOW)
    with pytest.raises(AlreadyDecided):
        decide(pool, approve, again, somebody("wang"), now=late)


def test_of_many_who_decide_at_once_one_does(pool, proposed):
    def try_it(number):
        try:
            return decide(pool, approve, proposed, somebody(f"person-{number}")).decider_person
        except AlreadyDecided:
            return None

    with ThreadPoolExecutor(8) as threads:
        deciders = list(threads.map(try_it, range(8)))

    assert sum(decider is not None for decider in deciders) == 1


def test_a_proposal_of_another_kind_or_out_of_reach_is_none(pool, proposed):
    other_kind = NewProposal(id=proposed.id, kind="reveal", subject="a-ref", reason="-", details={})
    elsewhere = Reach(kind="scoped", organisation_codes=("town",), account_id=new_id())

    with pytest.raises(ProposalNotFound):
        decide(pool, approve, other_kind, somebody("wang"))
    with pytest.raises(ProposalNotFound):
        decide(pool, approve, proposed, somebody("wang"), reach=elsewhere)
