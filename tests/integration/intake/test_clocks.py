"""Deadlines in the suite: kept with every step, explained, counted again, and their rules."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.intake.domain.clocks.documents import BadRule
from services.intake.domain.commands.categories import DefineCategory
from services.intake.domain.commands.issue_steps import (
    AssignIssue,
    CloseIssue,
    OrderRedo,
    PauseIssue,
    RespondToIssue,
    ResumeIssue,
    SignIssue,
)
from services.intake.domain.issues.steps import Details, Step
from services.intake.domain.issues.steps import take as fold
from services.intake.handlers import issues
from services.intake.handlers.categories import define_categories
from services.intake.handlers.clocks import recounting
from services.intake.handlers.clocks.reading import read_clocks
from services.intake.handlers.clocks.rules import Standing, list_clock_rules, propose_preset
from services.intake.handlers.issue_steps.batch import take_steps
from services.intake.handlers.issue_steps.taking import Taken, write_taken
from services.intake.handlers.texts import hold
from services.intake.storage import issue_steps
from services.intake.storage.issues import IssueNotFound
from shared import calendars, outbox
from shared.database import transaction
from shared.identifiers import new_id
from shared.outbox import OutgoingEvent
from shared.reach import Reach, acting
from tests.integration.intake.commands import an_issue
from tests.integration.intake.conftest import NOW  # Monday, 2 March 2026, 10:00 in China
from tests.integration.intake.rules import agree_on_rules, approve

ZONE = ZoneInfo("Asia/Shanghai")


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=ZONE)


def a_rule(code="close", **changes):
    return code, {"clock": "close", "limit": "5 working_days", "valid_from": "2025-01-01"} | changes


def define(pool, *rules):
    agree_on_rules(pool, dict(rules), now=NOW - timedelta(hours=1))


def receive(pool, now=NOW, **changes):
    command = an_issue(respond_within=timedelta(hours=24), **changes)
    [outcome] = issues.receive_issues(pool, [command], now=now)
    assert outcome.status == "created", outcome
    return command.id


def take(pool, issue_id, *steps, now):
    """Steps of which no request asks here."""
    with transaction(pool) as connection:
        held = hold(issue_steps.lock_issues(connection, [issue_id]))
        issue = held.before[issue_id]
        taken = [Taken(before=issue, steps=steps, correlation_id="a-test")]
        events = list[OutgoingEvent]()
        write_taken(connection, held, {issue_id: fold(issue, steps)}, taken, events, now=now)
        outbox.append(connection, events, recorded_at=now, correlation_id="a-test")


def deadlines(ask, issue_id):
    [row] = ask("SELECT sign_by, respond_by, due_at, reply_by FROM issue WHERE id = %s", issue_id)
    return row


def test_an_issue_is_received_with_the_deadlines_of_its_rules(registered, ask):
    define(
        registered,
        a_rule(),
        a_rule("sign", clock="sign_in", limit="1 working_days"),
        a_rule("contact", clock="first_contact", limit="4 hours"),
        a_rule("reply", clock="reply", limit="7 natural_days"),
    )

    issue_id = receive(registered, organisation_code="town", staff_number="S1")

    assert deadlines(ask, issue_id) == (at("03-04 00:00"), at("03-02 14:00"), at("03-10 00:00"), at("03-10 00:00"))
    [payload] = ask("SELECT payload FROM outbox WHERE aggregate_id = %s", issue_id)[0]
    assert datetime.fromisoformat(payload["due_at"]) == at("03-10 00:00")
    assert datetime.fromisoformat(payload["respond_by"]) == at("03-02 14:00")


def test_without_a_rule_the_setting_gives_the_first_contact_its_deadline(registered, ask):
    issue_id = receive(registered, organisation_code="town")
    take_steps(
        registered, [AssignIssue(id=issue_id, correlation_id="t", organisation_code="county")], now=at("03-02 12:00")
    )

    assert deadlines(ask, issue_id) == (None, NOW + timedelta(hours=24), None, None)


def test_a_rule_for_a_category_holds_below_it_and_the_most_specific_wins(registered, ask):
    def category(code, parent_code=None):
        return DefineCategory(id=new_id(), correlation_id="t", code=code, name=code, parent_code=parent_code)

    tree = [category("works"), category("roads", "works"), category("potholes", "roads"), category("parks", "works")]
    assert {outcome.status for outcome in define_categories(registered, tree, now=NOW - timedelta(days=1))} == {
        "created"
    }
    define(
        registered,
        a_rule(limit="20 natural_days"),
        a_rule("works", limit="10 natural_days", categories=["works"]),
        a_rule("roads", limit="3 natural_days", categories=["roads"]),
    )
    issue_ids = {code: receive(registered, category=code) for code in ("potholes", "roads", "parks", "other")}

    due = {code: deadlines(ask, issue_id)[2] for code, issue_id in issue_ids.items()}
    assert due == {
        "potholes": at("03-06 00:00"),
        "roads": at("03-06 00:00"),
        "parks": at("03-13 00:00"),
        "other": at("03-23 00:00"),
    }
    define_categories(registered, [category("potholes", "works")], now=NOW)
    [outcome] = take_steps(registered, [RespondToIssue(id=issue_ids["potholes"], correlation_id="t")], now=NOW)
    assert outcome.status == "changed"
    assert deadlines(ask, issue_ids["potholes"])[2] == at("03-06 00:00")  # as it was promised
    assert recounting.recount(registered, now=NOW).differing == 0


def test_what_another_system_told_stands(registered, ask):
    define(registered, a_rule(), a_rule("contact", clock="first_contact", limit="4 hours"))

    issue_id = receive(
        registered, organisation_code="town", due_at=at("04-01 12:00"), respond_by=at("03-05 12:00"), source="hotline"
    )
    take_steps(registered, [RespondToIssue(id=issue_id, correlation_id="t")], now=at("03-02 12:00"))

    assert deadlines(ask, issue_id)[1:3] == (at("03-05 12:00"), at("04-01 12:00"))
    close = next(view for view in read_clocks(registered, issue_id, now=NOW) if view.clock == "close")
    assert (close.rule, [reason.code for reason in close.explanation]) == (None, ["started", "told", "due"])


def test_the_nearest_place_decides_as_soon_as_a_unit_leads(registered, ask):
    define(registered, a_rule(), a_rule("town-close", organisation_code="town", limit="2 working_days"))
    issue_id = receive(registered)
    assert deadlines(ask, issue_id)[2] == at("03-10 00:00")

    take_steps(registered, [AssignIssue(id=issue_id, correlation_id="t", organisation_code="town")], now=NOW)
    assert deadlines(ask, issue_id)[2] == at("03-05 00:00")
    take_steps(registered, [AssignIssue(id=issue_id, correlation_id="t", organisation_code="county")], now=NOW)
    assert deadlines(ask, issue_id)[2] == at("03-05 00:00")  # a transfer to somewhere easier moves nothing


def test_pauses_urgency_and_granted_extensions_move_the_deadline(registered, ask):
    define(
        registered,
        a_rule(pause_reasons=["waiting_for_citizen"], pause_budget=3, extension_most=10),
        a_rule("critical", limit="2 hours", urgencies=["critical"]),
    )
    issue_id = receive(registered, organisation_code="town")

    paused = Step(kind="paused", happened_at=at("03-03 09:00"), reason_code="waiting_for_citizen")
    take(registered, issue_id, paused, now=at("03-03 09:00"))
    assert deadlines(ask, issue_id)[2] == at("03-13 00:00")  # as long as the budget lasts
    take(registered, issue_id, Step(kind="resumed", happened_at=at("03-04 09:00")), now=at("03-04 09:00"))
    assert deadlines(ask, issue_id)[2] == at("03-11 00:00")
    asked = Step(
        kind="extension_requested",
        happened_at=at("03-05 09:00"),
        reason_code="complex_case",
        details=Details(due_at=at("03-20 18:00")),
    )
    granted = Step(
        kind="extension_decided",
        happened_at=at("03-05 10:00"),
        details=Details(due_at=at("03-20 18:00"), decision="granted"),
    )
    take(registered, issue_id, asked, granted, now=at("03-05 10:00"))
    assert deadlines(ask, issue_id)[2] == at("03-20 18:00")
    urgent = Step(
        kind="urgency_set",
        happened_at=at("03-06 10:00"),
        reason_code="danger",
        details=Details(urgency="critical"),
    )
    take(registered, issue_id, urgent, now=at("03-06 10:00"))
    assert deadlines(ask, issue_id)[2] == at("03-06 12:00")
    assert recounting.recount(registered, now=at("03-06 13:00")).differing == 0


def told(ask, issue_id, kind):
    rows = ask(
        "SELECT sequence, payload, correlation_id FROM outbox WHERE aggregate_id = %s AND event_type = %s ORDER BY id",
        issue_id,
        f"cn.lianxin.issue.{kind}.v1",
    )
    return [(sequence, payload, correlation_id) for sequence, payload, correlation_id in rows]


def instant(payload, name):
    return datetime.fromisoformat(payload[name]) if name in payload else None


def test_deadlines_that_move_are_told_once_with_their_rules_and_calendar(registered, ask):
    define(
        registered,
        a_rule(pause_reasons=["waiting_for_citizen"], pause_budget=3, extension_most=10),
        a_rule("sign", clock="sign_in", limit="1 working_days"),
        a_rule("town-reply", clock="reply", limit="7 natural_days", organisation_code="town"),
    )
    issue_id = receive(registered)
    steps = (
        AssignIssue(id=issue_id, correlation_id="assigned", organisation_code="town"),
        SignIssue(id=issue_id, correlation_id="signed"),
        PauseIssue(id=issue_id, correlation_id="paused", reason_code="waiting_for_citizen"),
        ResumeIssue(id=issue_id, correlation_id="resumed"),
    )
    for day, step in enumerate(steps, start=3):
        [outcome] = take_steps(registered, [step], now=at(f"03-0{day} 09:00"))
        assert outcome.status == "changed", outcome

    moved = told(ask, issue_id, "deadlines_moved")
    assert [correlation_id for _, _, correlation_id in moved] == ["assigned", "paused", "resumed"]
    assert [instant(payload, "due_at") for _, payload, _ in moved] == [
        at("03-10 00:00"),
        at("03-13 00:00"),
        at("03-11 00:00"),
    ]
    _, last, _ = moved[-1]
    assert instant(last, "reply_by") == at("03-10 00:00")
    assert (last["due_rule"], last["due_rule_version"], last["reply_rule"]) == ("close", 1, "town-reply")
    assert (last["sign_rule"], "respond_rule" in last) == ("sign", False)
    assert last["calendar"] == calendars.current().version
    numbers = ask("SELECT sequence FROM outbox WHERE aggregate_id = %s ORDER BY sequence", issue_id)
    assert [number for (number,) in numbers] == list(range(1, 9))
    assert ask("SELECT sequence FROM issue WHERE id = %s", issue_id) == [(8,)]


def test_a_closure_names_the_deadlines_it_is_judged_by_and_a_redo_what_was_missed(registered, ask):
    define(registered, a_rule(restarts_on=["redo_ordered"]))
    issue_id = receive(registered, organisation_code="town")
    late = CloseIssue(id=issue_id, correlation_id="t", outcome="resolved", reply="已修好")
    take_steps(registered, [late], now=at("03-10 09:00"))
    redo = OrderRedo(id=issue_id, correlation_id="t", reason_code="not_solved")
    again = CloseIssue(id=issue_id, correlation_id="t", outcome="resolved", reply="又修好了")
    outcomes = take_steps(registered, [redo, again], now=at("03-11 09:00"))
    assert [outcome.status for outcome in outcomes] == ["changed", "changed"]

    first, second = (payload for _, payload, _ in told(ask, issue_id, "closed"))
    assert (instant(first, "due_at"), instant(first, "missed_due_at")) == (at("03-10 00:00"), None)
    assert (instant(second, "due_at"), instant(second, "missed_due_at")) == (at("03-19 00:00"), at("03-10 00:00"))
    [(_, moved, _)] = told(ask, issue_id, "deadlines_moved")
    assert (instant(moved, "due_at"), instant(moved, "missed_due_at")) == (at("03-19 00:00"), at("03-10 00:00"))


def test_what_moves_no_deadline_tells_of_none(registered, ask):
    define(registered, a_rule(extension_most=10))
    issue_id = receive(registered, organisation_code="town")
    for _ in range(2):
        take_steps(registered, [RespondToIssue(id=issue_id, correlation_id="t")], now=at("03-02 12:00"))
    recounting.recount(registered, now=at("03-02 12:00"), apply=True)

    assert told(ask, issue_id, "deadlines_moved") == []


def test_a_granted_extension_is_told_though_no_rule_counts_the_issue(registered, ask):
    issue_id = receive(registered, organisation_code="town", due_at=at("03-10 12:00"), source="hotline")
    granted = Step(
        kind="extension_decided",
        happened_at=at("03-05 10:00"),
        details=Details(due_at=at("03-20 18:00"), decision="granted"),
    )
    asked = replace(granted, kind="extension_requested", reason_code="complex_case")
    take(registered, issue_id, asked, granted, now=at("03-05 10:00"))

    [(sequence, moved, _)] = told(ask, issue_id, "deadlines_moved")
    assert (sequence, instant(moved, "due_at"), "due_rule" in moved) == (4, at("03-20 18:00"), False)


def test_a_grant_that_came_too_late_is_told_not_to_have_moved_anything(registered, ask):
    issue_id = receive(registered, organisation_code="town", due_at=at("03-10 12:00"), source="hotline")
    granted = Step(
        kind="extension_decided",
        happened_at=at("03-11 10:00"),
        details=Details(due_at=at("03-20 18:00"), decision="granted"),
    )
    asked = replace(granted, kind="extension_requested", reason_code="complex_case")
    take(registered, issue_id, asked, granted, now=at("03-11 10:00"))

    [(_, moved, _)] = told(ask, issue_id, "deadlines_moved")
    assert instant(moved, "due_at") == at("03-10 12:00")


def test_a_later_version_holds_for_what_is_counted_after_it(registered, ask):
    define(registered, a_rule())
    before = receive(registered, organisation_code="town")
    define(registered, a_rule(limit="3 working_days"))
    after = receive(registered, organisation_code="town")

    for issue_id in (before, after):
        take_steps(registered, [RespondToIssue(id=issue_id, correlation_id="t")], now=at("03-02 11:00"))

    assert deadlines(ask, before)[2] == at("03-10 00:00")
    assert deadlines(ask, after)[2] == at("03-06 00:00")
    versions = {
        view.rule_version for issue_id in (before, after) for view in read_clocks(registered, issue_id, now=NOW)
    }
    assert versions >= {1, 2}


def test_a_closure_is_judged_by_a_named_version_and_calendar(registered):
    define(registered, a_rule(source="县条例"))
    issue_id = receive(registered, organisation_code="town")
    closure = CloseIssue(
        id=issue_id, correlation_id="t", outcome="resolved", reply="已修好", closed_at=at("03-10 00:01")
    )
    take_steps(registered, [closure], now=at("03-10 00:01"))

    close = next(view for view in read_clocks(registered, issue_id, now=at("03-20 00:00")) if view.clock == "close")

    assert (close.state, close.rule, close.rule_version) == ("missed", "close", 1)
    assert close.calendar == calendars.current().version
    counted = [reason.on for reason in close.explanation if reason.code == "counted"]
    assert counted == [date(2026, 3, day) for day in (3, 4, 5, 6, 9)]
    weekend = [reason.on for reason in close.explanation if reason.code == "weekend"]
    assert weekend == [date(2026, 3, 7), date(2026, 3, 8)]


def test_everything_counts_the_same_again_also_after_the_calendar_has_changed(registered, tmp_path, ask):
    define(registered, a_rule(), a_rule("sign", clock="sign_in", limit="8 working_hours"))
    recounting.keep_calendar(registered, now=NOW)
    issue_ids = [receive(registered, organisation_code="town") for _ in range(5)]
    shipped = calendars.current()
    (tmp_path / "own.toml").write_text("days_off = [2026-03-04]\n", "utf-8")
    calendars.use(calendars.load_calendar(tmp_path / "own.toml", zone=ZONE))
    try:
        recounting.keep_calendar(registered, now=NOW)
        unchanged = recounting.recount(registered, now=NOW)
        applied = recounting.recount(registered, now=NOW, apply=True)
        again = recounting.recount(registered, now=NOW)
    finally:
        calendars.use(shipped)

    assert (unchanged.counted, unchanged.differing) == (5, 0)
    assert (applied.differing, again.differing) == (5, 0)
    assert {deadlines(ask, issue_id)[2] for issue_id in issue_ids} == {at("03-11 00:00")}
    for issue_id in issue_ids:
        [(sequence, moved, _)] = told(ask, issue_id, "deadlines_moved")
        assert (sequence, instant(moved, "due_at")) == (2, at("03-11 00:00"))


def test_a_tampered_deadline_is_found(registered, ask):
    define(registered, a_rule())
    issue_id = receive(registered, organisation_code="town")
    ask("UPDATE issue SET due_at = due_at + interval '1 day' WHERE id = %s RETURNING id", issue_id)

    assert recounting.recount(registered, now=NOW).differing == 1


def test_an_issue_far_in_the_future_has_no_deadline_and_harms_nobody(registered, ask):
    define(registered, a_rule(), a_rule("contact", clock="first_contact", limit="72 hours"))
    far = an_issue(received_at=datetime(2199, 12, 31, tzinfo=UTC), organisation_code="town")

    [outcome] = issues.receive_issues(registered, [far], now=NOW, allow_odd=True)

    assert outcome.status == "created"
    assert deadlines(ask, far.id) == (None, None, None, None)


def test_no_version_can_be_changed_or_removed(registered, ask):
    define(registered, a_rule())

    assert ask("UPDATE clock_rule SET version = 9 RETURNING code") == []
    assert ask("DELETE FROM clock_rule RETURNING code") == []
    assert len(list_clock_rules(registered, after=("", 0), limit=10)) == 1


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"clock": "x"}, "clock"),
        ({"limit": "5 days"}, "limit"),
        ({"limit": "0 hours"}, "limit"),
        ({"limit": 5}, "limit"),
        ({"valid_from": "2026-02-30"}, "valid_from"),
        ({"valid_until": "2024-12-31"}, "valid_until"),
        ({"pause_budget": -1}, "pause_budget"),
        ({"pause_budget": True}, "pause_budget"),
        ({"warnings": ["5 minutes"]}, "warnings"),
        ({"escalations": ["1 hours"] * 11}, "escalations"),
        ({"categories": []}, "categories"),
        ({"urgencies": ["most"]}, "urgencies"),
        ({"surprise": 1}, "surprise"),
        ({"source": "a\nb"}, "source"),
    ],
)
def test_a_bad_rule_is_refused_and_the_key_is_named(registered, changes, key):
    with pytest.raises(BadRule, match=f"^{key}: "):
        define(registered, a_rule(**changes))

    assert list_clock_rules(registered, after=("", 0), limit=10) == []


def test_a_shipped_set_is_put_for_a_place(registered, ask):
    asked = propose_preset(registered, "bengbu", organisation_code="town", now=NOW)
    approve(registered, asked, now=NOW)

    assert isinstance(propose_preset(registered, "bengbu", organisation_code="town", now=NOW), Standing)
    here = receive(registered, organisation_code="town", channel="web")
    elsewhere = receive(registered, organisation_code="county", channel="web")
    assert deadlines(ask, here)[2] == at("03-06 00:00")
    assert deadlines(ask, elsewhere)[2] is None


@pytest.mark.usefixtures("county")
def test_clocks_are_for_whoever_sees_the_issue(pool):
    define(pool, a_rule(organisation_code="county"))
    issue_id = receive(pool, organisation_code="street", staff_number="S1")
    of_the_town = Reach(kind="scoped", organisation_codes=("town",))
    of_the_harbour = Reach(kind="scoped", organisation_codes=("harbour",))

    with acting(of_the_town):
        assert [view.due_at for view in read_clocks(pool, issue_id, now=NOW) if view.rule] == [at("03-10 00:00")]
    with acting(of_the_harbour), pytest.raises(IssueNotFound):
        read_clocks(pool, issue_id, now=NOW)
