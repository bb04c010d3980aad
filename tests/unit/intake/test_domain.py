"""The pure rules of intake: the life of an issue, odd times, digests, trees and turns."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain import issues
from services.intake.domain.commands.contacts import RecordContact
from services.intake.domain.commands.registers import RegisterOrganisation
from services.intake.domain.contacts import check_contact, digest_contact
from services.intake.domain.issues import AlreadyClosed, AlreadyResponded, BeforeReceived, Issue, Progress
from services.intake.domain.registers import refuse_broken_trees, split_into_turns

NOW = datetime(2026, 3, 2, tzinfo=UTC)
TOWN, COUNTY, CADRE = (UUID(int=number) for number in (1, 2, 3))
ISSUE = Issue(
    id=UUID(int=9),
    source="lianxin",
    source_number=None,
    received_at=NOW,
    sequence=1,
    flags=[],
    content_hash=b"",
    progress_hash=b"",
)
LATER = NOW + timedelta(days=1)


def contact(**changes):
    command = RecordContact(id=UUID(int=5), correlation_id="t", staff_number="S1", kind="visit", occurred_at=NOW)
    return replace(command, **changes)


def test_each_step_moves_the_state_and_the_sequence_on():
    assigned = issues.assign(ISSUE, organisation_id=TOWN, cadre_id=CADRE, at=NOW)
    responded = issues.respond(assigned, responded_at=LATER)
    closed = issues.close(responded, outcome="resolved", reply="已修好", closed_at=LATER)

    steps = [ISSUE, assigned, responded, closed]
    assert [step.status for step in steps] == ["received", "assigned", "responded", "closed"]
    assert [step.sequence for step in steps] == [1, 2, 3, 4]


def test_a_repeated_step_returns_the_very_same_issue():
    assigned = issues.assign(ISSUE, organisation_id=TOWN, cadre_id=None, at=NOW)
    closed = issues.close(assigned, outcome="resolved", reply="已修好", closed_at=LATER)

    assert issues.assign(assigned, organisation_id=TOWN, cadre_id=None, at=LATER) is assigned
    assert issues.close(closed, outcome="resolved", reply="别的", closed_at=NOW) is closed
    assert issues.assign(closed, organisation_id=TOWN, cadre_id=None, at=LATER) is closed


def test_a_closed_issue_takes_no_new_step():
    closed = issues.close(ISSUE, outcome="resolved", reply="已修好", closed_at=LATER)

    with pytest.raises(AlreadyClosed):
        issues.assign(closed, organisation_id=TOWN, cadre_id=None, at=LATER)
    with pytest.raises(AlreadyClosed):
        issues.respond(closed, responded_at=LATER)
    with pytest.raises(AlreadyClosed):
        issues.close(closed, outcome="withdrawn", reply="撤回", closed_at=LATER)


def test_no_step_lies_before_the_receipt_and_a_first_contact_is_one():
    responded = issues.respond(ISSUE, responded_at=LATER)

    with pytest.raises(BeforeReceived):
        issues.close(ISSUE, outcome="resolved", reply="已修好", closed_at=NOW - timedelta(seconds=1))
    with pytest.raises(BeforeReceived):
        issues.respond(ISSUE, responded_at=NOW - timedelta(seconds=1))
    with pytest.raises(AlreadyResponded):
        issues.respond(responded, responded_at=LATER + timedelta(seconds=1))


@pytest.mark.parametrize(("unit", "cadre_id"), [(TOWN, CADRE), (COUNTY, None)])
def test_an_export_that_names_no_cadre_leaves_the_one_of_the_same_unit(unit, cadre_id):
    led = issues.assign(ISSUE, organisation_id=TOWN, cadre_id=CADRE, at=NOW)
    told = Progress(
        organisation_id=unit, cadre_id=None, responded_at=None, closed_at=LATER, outcome="resolved", reply="已办"
    )

    moved, _ = issues.catch_up(led, told, at=LATER)

    assert (moved.organisation_id, moved.cadre_id, moved.outcome) == (unit, cadre_id, "resolved")


progresses = st.builds(
    lambda organisation_id, cadre_id, responded_at, closure: Progress(
        organisation_id=organisation_id,
        cadre_id=cadre_id,
        responded_at=responded_at,
        closed_at=closure and closure[0],
        outcome=closure and closure[1],
        reply=closure and "已办",
    ),
    st.sampled_from([None, TOWN, COUNTY]),
    st.sampled_from([None, CADRE]),
    st.sampled_from([None, NOW, LATER]),
    st.sampled_from([None, (LATER, "resolved"), (LATER, "withdrawn")]),
)


@given(st.lists(progresses, max_size=6))
def test_catching_up_never_goes_back_and_a_repeat_changes_nothing(told):
    issue = ISSUE

    for progress in told:
        moved, _ = issues.catch_up(issue, progress, at=LATER)
        again, _ = issues.catch_up(moved, progress, at=LATER)

        assert again == moved
        assert moved.sequence - issue.sequence in {0, 1, 2, 3}
        assert issue.closed_at is None or moved is issue
        assert issue.responded_at is None or moved.responded_at == issue.responded_at
        issue = moved


def test_times_are_refused_flagged_or_fine():
    ahead = contact(occurred_at=NOW + timedelta(minutes=6))
    absurd = contact(occurred_at=datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))))

    strict = check_contact(ahead, now=NOW, allow_odd=False)
    lenient = check_contact(ahead, now=NOW, allow_odd=True)
    never = check_contact(absurd, now=NOW, allow_odd=True)
    fine = check_contact(contact(occurred_at=NOW + timedelta(minutes=5)), now=NOW, allow_odd=False)

    assert strict.refusal is not None
    assert strict.refusal.code == "occurred-in-future"
    assert (lenient.refusal, lenient.flags) == (None, ["occurred_in_future"])
    assert never.refusal is not None
    assert never.refusal.code == "time-out-of-range"
    assert (fine.refusal, fine.flags) == (None, [])


def test_a_digest_knows_instants_and_not_their_offsets():
    in_shanghai = contact(occurred_at=NOW.astimezone(timezone(timedelta(hours=8))))

    assert digest_contact(in_shanghai) == digest_contact(contact(id=UUID(int=6)))
    assert digest_contact(contact(people_count=1)) != digest_contact(contact(duration_minutes=1))
    assert digest_contact(contact(note="None")) != digest_contact(contact())


def organisation(code, parent_code=None):
    return RegisterOrganisation(
        id=UUID(int=7), correlation_id="t", code=code, name=code, level="61", parent_code=parent_code
    )


def test_a_move_may_not_close_a_circle_over_standing_entries():
    standing = {"a": None, "b": "a", "c": "b"}

    refusals = refuse_broken_trees([organisation("a", "c"), organisation("d", "c"), organisation("e")], standing)

    assert {code: refusal.code for code, refusal in refusals.items()} == {
        "a": "circular-organisation",
        "d": "circular-organisation",
    }


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 2)), max_size=12))
def test_turns_name_nothing_twice_and_lose_nothing(items):
    split = split_into_turns(items, key=lambda item: item[0], content=lambda item: item[1])

    for turn in split.turns:
        assert len({items[position][0] for position in turn}) == len(turn)
    positions = [position for turn in split.turns for position in turn]
    assert sorted([*positions, *split.copies]) == list(range(len(items)))
