"""Issues against PostgreSQL: their life, finished ones from imports, catching up, and racing steps."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from services.intake.domain.commands.issue_steps import AssignIssue, CloseIssue, RespondToIssue
from services.intake.handlers import contacts, issues
from services.intake.handlers.issue_steps.batch import take_steps
from shared.identifiers import new_id
from tests.integration.intake.commands import a_contact, an_issue
from tests.integration.intake.conftest import NOW

pytestmark = pytest.mark.integration

EARLIER = NOW - timedelta(days=10)


def told(outcomes):
    return [(outcome.status, outcome.code) for outcome in outcomes]


def imported(number="I-1", **changes):
    return an_issue(source="boston311", source_number=number, received_at=EARLIER, **changes)


def finished(number="I-1", **changes):
    story = {
        "responded_at": EARLIER + timedelta(days=1),
        "closed_at": EARLIER + timedelta(days=3),
        "outcome": "resolved",
        "reply": "已修好",
    }
    return imported(number, **{**story, **changes})


def test_an_issue_goes_its_way_from_receipt_to_closure(registered, events_of):
    issue = an_issue(respond_within=timedelta(hours=24))
    assign = AssignIssue(id=issue.id, correlation_id="t", organisation_code="town", staff_number="S1")
    respond = RespondToIssue(id=issue.id, correlation_id="t")
    close = CloseIssue(id=issue.id, correlation_id="t", outcome="resolved", reply="已修好")

    for _ in range(2):
        issues.receive_issues(registered, [issue], now=NOW)
        take_steps(registered, [assign], now=NOW)
        take_steps(registered, [respond], now=NOW + timedelta(hours=1))
        take_steps(registered, [close], now=NOW + timedelta(hours=2))

    record = issues.get_issue(registered, issue.id)
    assert (record.status, record.organisation_code, record.staff_number) == ("closed", "town", "S1")
    assert record.respond_by == NOW + timedelta(hours=24)
    assert events_of(issue.id) == [
        ("issue.received", 1),
        ("issue.assigned", 2),
        ("issue.responded", 3),
        ("issue.closed", 4),
    ]


def test_a_closure_tells_how_long_its_reply_is_also_where_a_file_told_it(registered, ask):
    closed, silent = finished(), finished("I-2", reply=None)
    issues.receive_issues(registered, [closed, silent], now=NOW, allow_odd=True)
    by_hand = an_issue()
    close = CloseIssue(id=by_hand.id, correlation_id="t", outcome="resolved", reply="已 修好\n了")
    issues.receive_issues(registered, [by_hand], now=NOW)
    take_steps(registered, [close], now=NOW)

    for issue, characters in ((closed, 3), (silent, None), (by_hand, 4)):
        told = ask(
            "SELECT payload ->> 'reply_characters' FROM outbox WHERE aggregate_id = %s AND event_type ~ 'issue.closed'",
            issue.id,
        )
        assert told == [(None if characters is None else str(characters),)]


def test_what_contradicts_the_life_of_an_issue_is_refused(registered, events_of):
    issue = an_issue(received_at=EARLIER)
    closed = CloseIssue(id=issue.id, correlation_id="t", outcome="resolved", reply="已修好")
    issues.receive_issues(registered, [issue], now=NOW)

    outcomes = take_steps(
        registered,
        [
            replace(closed, closed_at=EARLIER - timedelta(seconds=1)),
            replace(closed, closed_at=NOW + timedelta(minutes=6)),
            replace(closed, id=new_id()),
            closed,
            closed,
            replace(closed, outcome="withdrawn"),
        ],
        now=NOW,
    )
    late = take_steps(registered, [AssignIssue(id=issue.id, correlation_id="t", organisation_code="town")], now=NOW)
    unknown = take_steps(
        registered,
        [
            AssignIssue(id=issue.id, correlation_id="t", organisation_code="nowhere"),
            AssignIssue(id=issue.id, correlation_id="t", organisation_code="town", staff_number="nobody"),
        ],
        now=NOW,
    )

    assert told(outcomes) == [
        ("rejected", "before-received"),
        ("rejected", "closed-in-future"),
        ("rejected", "issue-not-found"),
        ("changed", ""),
        ("unchanged", ""),
        ("conflict", "already-closed"),
    ]
    assert told(late) == [("conflict", "already-closed")]
    assert told(unknown) == [("rejected", "unknown-organisation"), ("rejected", "unknown-cadre")]
    assert events_of(issue.id) == [("issue.received", 1), ("issue.closed", 2)]


def test_a_finished_case_arrives_with_its_whole_story(registered, events_of):
    case = finished(organisation_code="town", staff_number="S1")

    first = issues.receive_issues(registered, [case, replace(case, id=new_id())], now=NOW)
    second = issues.receive_issues(registered, [replace(case, id=new_id())], now=NOW)

    assert told(first) == [("created", ""), ("unchanged", "")]
    assert told(second) == [("unchanged", "")]
    assert events_of(case.id) == [("issue.received", 1), ("issue.responded", 2), ("issue.closed", 3)]


def test_a_later_export_brings_an_issue_forward(registered, events_of):
    opened = imported(organisation_code="town", staff_number="S1")
    issues.receive_issues(registered, [opened], now=NOW)

    reassigned = issues.receive_issues(registered, [replace(opened, id=new_id(), staff_number="S2")], now=NOW)
    closed = issues.receive_issues(registered, [finished(organisation_code="town", staff_number="S2")], now=NOW)
    repeated = issues.receive_issues(registered, [finished(organisation_code="town", staff_number="S2")], now=NOW)

    assert [told(outcomes) for outcomes in (reassigned, closed, repeated)] == [
        [("changed", "")],
        [("changed", "")],
        [("unchanged", "")],
    ]
    assert {outcome[0].id for outcome in (reassigned, closed, repeated)} == {opened.id}
    assert events_of(opened.id) == [
        ("issue.received", 1),
        ("issue.assigned", 2),
        ("issue.responded", 3),
        ("issue.closed", 4),
    ]


def test_what_an_export_takes_back_or_rewrites_is_only_flagged(registered, events_of):
    case = finished(organisation_code="town")
    issues.receive_issues(registered, [case], now=NOW)

    outcomes = issues.receive_issues(
        registered,
        [
            imported(organisation_code="town"),
            finished(organisation_code="town", outcome="withdrawn"),
            finished(organisation_code="town", title="另一个题目"),
            finished(organisation_code="nowhere"),
        ],
        now=NOW,
    )

    assert [(outcome.status, outcome.flags) for outcome in outcomes[:3]] == [("unchanged", ("differs",))] * 3
    assert told(outcomes)[3] == ("rejected", "unknown-organisation")
    assert len(events_of(case.id)) == 3


def test_odd_cases_are_refused_from_people_and_flagged_from_files(registered):
    odd = finished(closed_at=EARLIER - timedelta(days=1), due_at=EARLIER - timedelta(days=2), responded_at=None)

    refused = issues.receive_issues(registered, [odd], now=NOW)
    accepted = issues.receive_issues(
        registered, [odd, finished("I-2", reply=None), finished("I-3", outcome=None)], now=NOW, allow_odd=True
    )

    assert told(refused) == [("rejected", "closed-before-received")]
    assert told(accepted) == [("created", ""), ("created", ""), ("rejected", "incomplete-closure")]
    assert accepted[0].flags == ("closed_before_received", "due_before_received")
    assert accepted[1].flags == ("closed_without_reply",)


def test_bad_items_do_not_harm_their_neighbours(registered, events_of):
    contact = a_contact(source="boston311", source_number="C-1")
    contacts.record_contacts(registered, [contact], now=NOW)
    good = an_issue(contact_id=contact.id)

    outcomes = issues.receive_issues(
        registered,
        [
            an_issue(organisation_code="nowhere"),
            an_issue(staff_number="nobody"),
            an_issue(contact_id=new_id()),
            good,
            imported(contact_source_number="C-1"),
            imported("I-2", contact_source_number="C-2"),
            replace(good, title="别的"),
            an_issue(received_at=NOW + timedelta(hours=1)),
        ],
        now=NOW,
    )

    assert told(outcomes) == [
        ("rejected", "unknown-organisation"),
        ("rejected", "unknown-cadre"),
        ("rejected", "unknown-contact"),
        ("created", ""),
        ("created", ""),
        ("rejected", "unknown-contact"),
        ("conflict", "other-content"),
        ("rejected", "received-in-future"),
    ]
    assert events_of("issue") == [("issue.received", 1)] * 2


def test_racing_steps_number_their_events_one_after_another(registered, ask):
    issue = an_issue()
    issues.receive_issues(registered, [issue], now=NOW)
    steps = [
        AssignIssue(id=issue.id, correlation_id="t", organisation_code=code, staff_number=number)
        for code in ("town", "county")
        for number in ("S1", "S2")
    ] * 10

    with ThreadPoolExecutor(max_workers=8) as threads:
        runs = [threads.submit(take_steps, registered, [step], now=NOW) for step in steps]
        changed = sum(run.result()[0].status == "changed" for run in runs)

    sequences = [row[0] for row in ask("SELECT sequence FROM outbox WHERE aggregate_id = %s ORDER BY id", issue.id)]
    assert sequences == list(range(1, changed + 2))


def test_sixty_concurrent_closures_make_one_event(registered, events_of):
    issue = an_issue()
    issues.receive_issues(registered, [issue], now=NOW)
    close = CloseIssue(id=issue.id, correlation_id="t", outcome="resolved", reply="已修好")

    with ThreadPoolExecutor(max_workers=8) as threads:
        runs = [threads.submit(take_steps, registered, [close], now=NOW) for _ in range(60)]
        statuses = sorted(run.result()[0].status for run in runs)

    assert statuses == ["changed"] + ["unchanged"] * 59
    assert events_of(issue.id) == [("issue.received", 1), ("issue.closed", 2)]
