"""Who held an issue when, read from its log."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.intake.domain.issues.turns import ShapingStep, list_turns
from services.intake.domain.responsibility import WHOLE, share_out, sum_up

START = datetime(2026, 3, 2, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
DUE = START + 100 * HOUR
WATER, ROADS, HELPER = (UUID(int=number) for number in (1, 2, 3))


def step(hours, kind, **more):
    return ShapingStep(kind=kind, happened_at=START + hours * HOUR, **more)


def totals(steps, *, until):
    shares = share_out(list_turns(steps, due_at=DUE), until=START + until * HOUR)
    by_unit: dict[tuple[int, str], int] = {}
    for (holder, role), count in sum_up(shares).items():
        key = (holder.organisation_id.int, role)
        by_unit[key] = by_unit.get(key, 0) + count
    return by_unit


def test_what_was_never_assigned_is_nobodys():
    assert list_turns([step(0, "received"), step(4, "closed")], due_at=None) == []


def test_time_counts_from_the_first_assignment():
    steps = [
        step(0, "received"),
        step(10, "assigned", organisation_id=WATER),
        step(20, "assigned", organisation_id=ROADS),
        step(50, "closed"),
    ]

    assert totals(steps, until=50) == {(1, "lead"): 250_000, (2, "lead"): 750_000}


def test_a_new_cadre_of_the_same_unit_keeps_its_helpers_and_a_new_unit_does_not():
    steps = [
        step(0, "received", organisation_id=WATER),
        step(0, "assisting_set", assisting=(HELPER,)),
        step(10, "assigned", organisation_id=WATER, cadre_id=UUID(int=9)),
        step(20, "assigned", organisation_id=ROADS),
        step(40, "closed"),
    ]

    turns = list_turns(steps, due_at=DUE)

    assert [turn.assisting for turn in turns[:4]] == [(), (HELPER,), (HELPER,), ()]
    assert totals(steps, until=40) == {(1, "lead"): 350_000, (3, "assisting"): 150_000, (2, "lead"): 500_000}


def test_an_upheld_objection_undoes_the_assignment_with_all_that_was_arranged_under_it():
    steps = [
        step(0, "received", organisation_id=WATER),
        step(10, "assisting_set", assisting=(HELPER,)),
        step(90, "objection_decided", is_upheld=True),
        step(90, "assigned", organisation_id=ROADS),
        step(95, "closed"),
    ]

    assert totals(steps, until=95) == {(2, "lead"): WHOLE}


def test_a_dismissed_objection_changes_nothing():
    steps = [step(0, "received", organisation_id=WATER), step(5, "objection_decided"), step(9, "closed")]

    assert totals(steps, until=9) == {(1, "lead"): WHOLE}


def test_the_time_between_a_closing_and_its_taking_back_is_nobodys():
    steps = [
        step(0, "received", organisation_id=WATER),
        step(10, "closed"),
        step(60, "reopened"),
        step(60, "assigned", organisation_id=ROADS),
        step(90, "closed"),
    ]

    assert totals(steps, until=90) == {(1, "lead"): 250_000, (2, "lead"): 750_000}


def test_times_that_a_source_tells_out_of_order_never_run_backwards():
    steps = [step(5, "received", organisation_id=WATER), step(0, "assigned", organisation_id=ROADS), step(9, "closed")]

    turns = list_turns(steps, due_at=None)

    assert [turn.at for turn in turns] == [START + 5 * HOUR, START + 5 * HOUR, START + 9 * HOUR]
