"""The life of an issue, step by step, without a database."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.issues import chart, ending, leading, working
from services.intake.domain.issues.life import AlreadyClosed, BeforeReceived, Issue
from services.intake.domain.issues.receiving import Progress, catch_up
from services.intake.domain.issues.steps import take
from services.intake.domain.issues.working import AlreadyResponded

NOW = datetime(2026, 3, 2, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
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


def after(issue, move, **said):
    return take(issue, move(issue, **said))


def test_each_step_moves_the_state_and_the_sequence_on():
    assigned = after(ISSUE, leading.assign, organisation_id=TOWN, cadre_id=CADRE, at=NOW)
    responded = after(assigned, working.respond, responded_at=LATER)
    closed = after(responded, ending.close, outcome="resolved", reply="已修好", closed_at=LATER)

    steps = [ISSUE, assigned, responded, closed]
    assert [step.status for step in steps] == ["received", "assigned", "responded", "closed"]
    assert [step.sequence for step in steps] == [1, 2, 3, 4]


def test_a_repeated_step_is_no_step():
    assigned = after(ISSUE, leading.assign, organisation_id=TOWN, cadre_id=None, at=NOW)
    closed = after(assigned, ending.close, outcome="resolved", reply="已修好", closed_at=LATER)

    assert leading.assign(assigned, organisation_id=TOWN, cadre_id=None, at=LATER) == ()
    assert ending.close(closed, outcome="resolved", reply="别的", closed_at=NOW) == ()
    assert leading.assign(closed, organisation_id=TOWN, cadre_id=None, at=LATER) == ()


def test_a_closed_issue_takes_no_new_step():
    closed = after(ISSUE, ending.close, outcome="resolved", reply="已修好", closed_at=LATER)

    with pytest.raises(AlreadyClosed):
        leading.assign(closed, organisation_id=TOWN, cadre_id=None, at=LATER)
    with pytest.raises(AlreadyClosed):
        working.respond(closed, responded_at=LATER)
    with pytest.raises(AlreadyClosed):
        ending.close(closed, outcome="withdrawn", reply="撤回", closed_at=LATER)


def test_no_step_lies_before_the_receipt_and_a_first_contact_is_one():
    responded = after(ISSUE, working.respond, responded_at=LATER)

    with pytest.raises(BeforeReceived):
        ending.close(ISSUE, outcome="resolved", reply="已修好", closed_at=NOW - timedelta(seconds=1))
    with pytest.raises(BeforeReceived):
        working.respond(ISSUE, responded_at=NOW - timedelta(seconds=1))
    with pytest.raises(AlreadyResponded):
        working.respond(responded, responded_at=LATER + timedelta(seconds=1))


@pytest.mark.parametrize(("unit", "cadre_id"), [(TOWN, CADRE), (COUNTY, None)])
def test_an_export_that_names_no_cadre_leaves_the_one_of_the_same_unit(unit, cadre_id):
    led = after(ISSUE, leading.assign, organisation_id=TOWN, cadre_id=CADRE, at=NOW)
    told = Progress(
        organisation_id=unit, cadre_id=None, responded_at=None, closed_at=LATER, outcome="resolved", reply="已办"
    )

    steps, _ = catch_up(led, told, at=LATER)
    moved = take(led, steps)

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
        steps, _ = catch_up(issue, progress, at=LATER)
        moved = take(issue, steps)
        again, _ = catch_up(moved, progress, at=LATER)

        assert again == ()
        assert moved.sequence - issue.sequence in {0, 1, 2, 3}
        assert issue.closed_at is None or moved is issue
        assert issue.responded_at is None or moved.responded_at == issue.responded_at
        issue = moved


def test_the_page_shows_the_table_as_it_is():
    page = (Path(__file__).parents[3] / chart.PAGE).read_text("utf-8")

    assert page == chart.insert(page)
