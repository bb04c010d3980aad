"""Shares of an issue: they sum to one, follow who held it, and cannot be handed on at the last moment."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.responsibility import RULE, WHOLE, Holder, Turn, share_out, sum_up

START = datetime(2026, 3, 2, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
UNITS = [UUID(int=number) for number in range(1, 6)]
WATER, ROADS, HOUSING = (Holder(organisation_id=unit, cadre_id=UUID(int=100 + unit.int)) for unit in UNITS[:3])


def totals(turns, *, until, rule=RULE):
    return {
        (holder.organisation_id.int, role): count
        for (holder, role), count in sum_up(share_out(turns, until=until, rule=rule)).items()
    }


def at(hours, lead, **more):
    return Turn(at=START + hours * HOUR, lead=lead, **{"due_at": START + 100 * HOUR, **more})


def test_who_alone_held_an_issue_answers_for_all_of_it():
    assert totals([at(0, WATER)], until=START + 30 * HOUR) == {(1, "lead"): WHOLE}


def test_an_issue_that_was_never_assigned_has_no_shares():
    assert share_out([], until=START) == ()


def test_time_divides_the_lead():
    shares = totals([at(0, WATER), at(10, ROADS)], until=START + 40 * HOUR)

    assert shares == {(1, "lead"): 250_000, (2, "lead"): 750_000}


def test_assisting_units_take_their_part_in_equal_shares_only_while_they_assist():
    turns = [at(0, WATER), at(20, WATER, assisting=(UNITS[3], UNITS[4]))]

    shares = totals(turns, until=START + 40 * HOUR)

    assert shares == {(1, "lead"): 850_000, (4, "assisting"): 75_000, (5, "assisting"): 75_000}


def test_calling_others_in_at_the_last_moment_moves_nothing():
    turns = [at(0, WATER), at(90, WATER, assisting=(UNITS[3],))]

    assert totals(turns, until=START + 200 * HOUR) == {(1, "lead"): WHOLE}


def test_a_unit_does_not_assist_itself_and_none_twice():
    turns = [at(0, WATER, assisting=(UNITS[0], UNITS[3], UNITS[3]))]

    assert totals(turns, until=START + HOUR) == {(1, "lead"): 700_000, (4, "assisting"): 300_000}


@pytest.mark.parametrize("hours", [75, 99, 150])
def test_handing_on_in_the_last_quarter_moves_nothing(hours):
    turns = [at(0, WATER), at(hours, ROADS)]

    assert totals(turns, until=START + 200 * HOUR) == {(1, "lead"): WHOLE}


def test_just_before_the_last_quarter_it_still_moves():
    turns = [at(0, WATER), replace(at(75, ROADS), at=START + 75 * HOUR - timedelta(microseconds=1))]

    assert totals(turns, until=START + 100 * HOUR) == {(1, "lead"): 750_000, (2, "lead"): 250_000}


def test_without_a_deadline_the_last_part_is_that_of_the_time_it_took():
    turns = [at(0, WATER, due_at=None), at(80, ROADS, due_at=None)]

    assert totals(turns, until=START + 100 * HOUR) == {(1, "lead"): WHOLE}
    assert totals(turns, until=START + 400 * HOUR) == {(1, "lead"): 200_000, (2, "lead"): 800_000}


def test_who_got_an_issue_too_late_cannot_hand_it_on_either():
    turns = [at(0, WATER), at(90, ROADS), at(95, HOUSING)]

    assert totals(turns, until=START + 120 * HOUR) == {(1, "lead"): WHOLE}


def test_a_wrong_assignment_counts_for_nobody():
    turns = [at(0, WATER, was_wrong=True), at(50, ROADS, is_ordered=True)]

    assert totals(turns, until=START + 60 * HOUR) == {(2, "lead"): WHOLE}


def test_an_ordered_change_counts_even_in_the_last_part():
    turns = [at(0, WATER), at(80, ROADS, is_ordered=True)]

    assert totals(turns, until=START + 100 * HOUR) == {(1, "lead"): 800_000, (2, "lead"): 200_000}


def test_an_issue_closed_in_the_instant_of_its_assignment_is_whose_it_was():
    assert totals([at(0, WATER)], until=START) == {(1, "lead"): WHOLE}


def test_where_every_assignment_was_wrong_the_last_one_answers():
    assert totals([at(0, WATER, was_wrong=True)], until=START + HOUR) == {(1, "lead"): WHOLE}


instants = st.integers(min_value=0, max_value=10_000_000_000).map(lambda value: START + timedelta(microseconds=value))
holders = st.sampled_from([WATER, ROADS, HOUSING])


@st.composite
def histories(draw):
    moments = sorted(draw(st.lists(instants, min_size=1, max_size=8, unique=True)))
    turns = [
        Turn(
            at=moment,
            lead=draw(holders),
            assisting=tuple(draw(st.lists(st.sampled_from(UNITS), max_size=3))),
            due_at=draw(st.none() | instants),
            was_wrong=draw(st.booleans()),
            is_ordered=draw(st.booleans()),
        )
        for moment in moments
    ]
    return turns, draw(instants)


@given(histories())
def test_shares_always_sum_to_one(history):
    turns, until = history

    shares = share_out(turns, until=until)

    assert sum(share.millionths for share in shares) == WHOLE
    assert all(share.millionths >= 0 for share in shares)


@given(histories())
def test_slices_lie_in_order_and_do_not_overlap(history):
    turns, until = history

    slices = list(dict.fromkeys((share.from_at, share.until_at) for share in share_out(turns, until=until)))

    assert all(start <= end for start, end in slices)
    assert all(earlier[1] <= later[0] for earlier, later in pairwise(slices))


@given(histories())
def test_every_share_is_within_a_millionth_of_its_part_of_the_time(history):
    turns, until = history
    shares = share_out([replace(turn, assisting=()) for turn in turns], until=until)
    whole = sum(((share.until_at - share.from_at) / timedelta(microseconds=1) for share in shares), start=0.0)

    for share in shares if whole else ():
        part = Fraction((share.until_at - share.from_at) // timedelta(microseconds=1)) / Fraction(whole)
        assert abs(share.millionths - part * WHOLE) <= 1


@given(histories(), st.integers(min_value=0, max_value=RULE.late_part))
def test_no_late_hand_over_changes_anybodys_shares(history, left):
    """The same history with one more hand-over in the last part of the last holder's time gives the same totals."""
    turns, _ = history
    due_at = turns[-1].at + timedelta(microseconds=10_000_000)
    window = (due_at - turns[0].at) // timedelta(microseconds=1)
    late_at = max(turns[-1].at, due_at - timedelta(microseconds=left * window // WHOLE))
    until = due_at + 5 * HOUR
    given_on = Turn(at=late_at, lead=Holder(organisation_id=UUID(int=9)), due_at=due_at)
    standing = [*turns[:-1], replace(turns[-1], was_wrong=False)]

    before = sum_up(share_out(standing, until=until))
    after = sum_up(share_out([*standing, given_on], until=until))

    assert {key: pytest.approx(value, abs=2) for key, value in before.items()} == after
