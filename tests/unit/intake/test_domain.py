"""The pure rules of intake: odd times, digests, trees and turns."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.commands.contacts import RecordContact
from services.intake.domain.commands.registers import RegisterOrganisation
from services.intake.domain.contacts import check_contact, digest_contact
from services.intake.domain.registers import refuse_broken_trees, split_into_turns

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def contact(**changes):
    command = RecordContact(id=UUID(int=5), correlation_id="t", staff_number="S1", kind="visit", occurred_at=NOW)
    return replace(command, **changes)


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
