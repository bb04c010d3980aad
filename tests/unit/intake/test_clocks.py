"""What a rule makes of an issue's log, in cases that people can check on their fingers."""

from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from services.intake.domain.clocks.evaluation import evaluate, read_clock
from services.intake.domain.clocks.events import ClockEvent, Told
from services.intake.domain.clocks.rules import ClockRule, Limit, Occurrence, Scope, choose
from shared.calendars import load_calendar

ZONE = ZoneInfo("Asia/Shanghai")
CALENDAR = load_calendar(None, zone=ZONE)
ALWAYS = Scope(valid_from=date(2000, 1, 1))


def at(text):
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=ZONE)


def rule(count, unit, **changes):
    standing = ClockRule(code="r", version=1, clock="close", limit=Limit(count=count, unit=unit), scope=ALWAYS)
    return replace(standing, **changes)


def event(kind, when, **details):
    return ClockEvent(kind=kind, at=at(when), **details)


def close_clock(rules, *events, now="12-31 00:00", told=None):
    """All turns of the clock `close`; `rules` is one, or one by occasion or urgency."""

    def rule_for(turn):
        if isinstance(rules, ClockRule):
            return rules
        return rules.get(turn.urgency) or rules.get(turn.occasion)

    return read_clock("close", list(events), rule_for, CALENDAR, now=at(now), told_due=told)


def due(*args, **kwargs):
    return close_clock(*args, **kwargs)[-1].due_at


RECEIVED = event("received", "03-02 10:00")  # a Monday
FIVE_DAYS = rule(5, "working_days")


@pytest.mark.parametrize(
    ("received", "limit", "expected"),
    [
        ("03-02 10:00", FIVE_DAYS, "03-10 00:00"),  # the end of Monday the 9th
        ("02-13 10:00", FIVE_DAYS, "02-28 00:00"),  # the 14th makes up for the festival; 24 to 27 follow it
        ("02-14 23:59", rule(1, "working_days"), "02-25 00:00"),
        ("03-07 10:00", rule(1, "working_days"), "03-10 00:00"),  # a Saturday
        ("03-02 10:00", rule(1, "working_days", counts_first_day=True), "03-03 00:00"),
        ("03-02 10:00", rule(5, "working_days", ends="end_of_working_day"), "03-09 17:30"),
        ("03-02 10:00", rule(5, "working_days", ends="same_time"), "03-09 10:00"),
        ("02-13 10:00", rule(7, "natural_days"), "02-21 00:00"),
        ("03-02 23:00", rule(2, "hours"), "03-03 01:00"),
        ("03-06 17:00", rule(1, "working_hours"), "03-09 09:00"),
        ("12-30 10:00", rule(2, "working_days"), "2027-01-05"),
    ],
)
def test_a_limit_is_counted_as_its_rule_says(received, limit, expected):
    expected_at = at(expected) if expected.count("-") == 1 else datetime(2027, 1, 5, tzinfo=ZONE)

    assert due(limit, event("received", received)) == expected_at


PAUSING = replace(FIVE_DAYS, pause_reasons=frozenset({"awaiting_citizen"}), pause_budget=2)


def test_a_pause_over_a_weekend_costs_the_working_days_at_whose_end_it_held():
    events = [RECEIVED, event("paused", "03-06 09:00", reason="awaiting_citizen"), event("resumed", "03-09 09:00")]

    [reading] = close_clock(PAUSING, *events, now="03-09 10:00")

    assert reading.due_at == at("03-11 00:00")  # Friday alone was lost
    assert (reading.state, reading.used, reading.paused, reading.budget_left) == ("running", 3, 1, 1)


def test_beyond_the_budget_the_clock_runs_again():
    paused = event("paused", "03-03 09:00", reason="awaiting_citizen")

    [early] = close_clock(PAUSING, RECEIVED, paused, now="03-04 12:00")
    [late] = close_clock(PAUSING, RECEIVED, paused, now="03-05 12:00")

    assert early.due_at == late.due_at == at("03-12 00:00")
    assert (early.state, late.state, late.budget_left) == ("paused", "running", 0)


def test_a_pause_without_a_budget_has_no_deadline_until_it_ends():
    endless = replace(PAUSING, pause_budget=None)
    paused = event("paused", "03-03 09:00", reason="awaiting_citizen")

    [reading] = close_clock(endless, RECEIVED, paused)

    assert (reading.state, reading.due_at) == ("paused", None)


def test_a_reason_that_the_rule_does_not_name_stops_nothing():
    paused = event("paused", "03-03 09:00", reason="leave")

    assert due(PAUSING, RECEIVED, paused) == due(PAUSING, RECEIVED)


def test_hours_outside_working_hours_are_lost_once():
    hours = rule(7, "working_hours", pause_reasons=frozenset({"hearing"}), pause_budget=7)
    paused = event("paused", "03-06 17:00", reason="hearing")

    assert due(hours, event("received", "03-06 08:30"), paused, event("resumed", "03-09 09:00")) == at("03-09 09:30")


EXTENSION = event("extended", "03-05 12:00", clock="close", extension=Limit(count=10, unit="working_days"))


def test_an_extension_lengthens_the_limit_as_far_as_the_rule_goes():
    generous = replace(FIVE_DAYS, extension_most=10)
    strict = replace(FIVE_DAYS, extension_most=2)

    assert due(generous, RECEIVED, EXTENSION) == at("03-24 00:00")
    assert due(strict, RECEIVED, EXTENSION) == at("03-12 00:00")
    assert close_clock(strict, RECEIVED, EXTENSION)[0].notes == ("extension_beyond_rule",)


def test_an_extension_after_the_deadline_comes_too_late_unless_asked_for_in_time():
    late = replace(EXTENSION, at=at("03-12 12:00"), asked_at=at("03-06 12:00"))
    by_decision = replace(FIVE_DAYS, extension_most=10)
    by_request = replace(by_decision, extension_counts_from="request")

    [missed] = close_clock(by_decision, RECEIVED, late, now="03-13 00:00")
    [kept] = close_clock(by_request, RECEIVED, late, now="03-13 00:00")

    assert (missed.state, missed.notes) == ("missed", ("extension_too_late",))
    assert (kept.state, kept.due_at) == ("running", at("03-24 00:00"))


TIERS = {"normal": rule(7, "natural_days", code="n"), "critical": rule(2, "hours", code="c")}


def test_a_tighter_limit_counts_from_when_it_was_set_and_never_beyond_the_old_one():
    assert due(TIERS, RECEIVED, event("urgency_set", "03-04 12:00", urgency="critical")) == at("03-04 14:00")
    assert due(TIERS, RECEIVED, event("urgency_set", "03-09 23:30", urgency="critical")) == at("03-10 00:00")


def test_a_wider_limit_counts_from_the_start():
    hasty = replace(RECEIVED, urgency="critical")
    back = event("urgency_set", "03-02 11:00", urgency="normal")

    assert due(TIERS, hasty, back) == due(TIERS, RECEIVED)


def test_what_was_missed_stays_missed():
    calmed = event("urgency_set", "03-02 13:00", urgency="normal")

    [reading] = close_clock(TIERS, replace(RECEIVED, urgency="critical"), calmed, event("closed", "03-03 10:00"))

    assert (reading.state, reading.due_at) == ("missed", at("03-02 12:00"))


def test_a_transfer_does_not_restart_the_close_clock_unless_the_rule_says_so():
    events = [RECEIVED, event("assigned", "03-02 11:00", organisation="a"), event("transferred", "03-06 09:00")]
    restarting = replace(FIVE_DAYS, restarts_on=frozenset({"transferred"}))

    assert [turn.due_at for turn in close_clock(FIVE_DAYS, *events)] == [at("03-10 00:00")]
    assert [turn.due_at for turn in close_clock(restarting, *events)] == [at("03-10 00:00"), at("03-14 00:00")]
    assert [turn.state for turn in close_clock(restarting, *events, now="03-07 00:00")] == ["ended", "running"]


def test_a_redo_is_a_turn_with_a_rule_of_its_own():
    rules = {
        "first": replace(FIVE_DAYS, restarts_on=frozenset({"redo_ordered"})),
        "redo_ordered": rule(3, "working_days"),
    }
    events = [
        RECEIVED,
        event("closed", "03-09 23:00", outcome="resolved"),
        event("redo_ordered", "03-12 09:00"),
        event("closed", "03-18 09:00", outcome="resolved"),
    ]

    first, again = close_clock(rules, *events)

    assert (first.state, first.stopped_at) == ("met", at("03-09 23:00"))
    assert (again.turn, again.occasion, again.due_at, again.state) == (
        2,
        "redo_ordered",
        at("03-18 00:00"),
        "missed",
    )


def test_a_told_deadline_stands_whatever_the_rule_says():
    closed = event("closed", "03-20 10:00", outcome="resolved")

    [reading] = close_clock(FIVE_DAYS, RECEIVED, closed, told=at("03-20 10:00"))

    assert (reading.state, reading.due_at, reading.rule, reading.notes) == ("met", at("03-20 10:00"), None, ("told",))


def test_a_later_step_stands_for_one_that_was_skipped():
    rules = {clock: replace(FIVE_DAYS, clock=clock) for clock in ("dispatch", "sign_in", "first_contact", "reply")}
    rules["sign_in"] = replace(rules["sign_in"], starts_on="assigned")
    events = [
        RECEIVED,
        event("assigned", "03-02 10:30", organisation="a"),
        event("contacted", "03-03 10:00"),
        event("closed", "03-04 10:00", outcome="withdrawn"),
    ]

    readings = evaluate(events, lambda turn: rules.get(turn.clock), CALENDAR, now=at("03-05 00:00"))

    assert {reading.clock: reading.state for reading in readings} == {
        "dispatch": "met",
        "sign_in": "met",
        "first_contact": "met",
        "reply": "ended",
    }


def test_the_order_of_rules_and_of_events_changes_nothing():
    events = [RECEIVED, EXTENSION, event("closed", "03-24 00:00", outcome="resolved")]
    generous = replace(FIVE_DAYS, extension_most=10)

    forwards = evaluate(events, lambda _: generous, CALENDAR, now=at("04-01 00:00"), told=Told())
    backwards = evaluate(events[::-1], lambda _: generous, CALENDAR, now=at("04-01 00:00"))

    assert forwards == backwards
    assert {reading.clock: reading.state for reading in forwards}["close"] == "met"


def scope(**changes):
    return replace(ALWAYS, **changes)


@pytest.mark.parametrize(
    ("nearer", "farther"),
    [
        (scope(organisation_code="town"), scope(organisation_code="county", categories=frozenset({"roads"}))),
        (scope(organisation_code="county"), scope()),
        (scope(categories=frozenset({"potholes"})), scope(categories=frozenset({"roads"}))),
        (scope(categories=frozenset({"roads"})), scope(issue_types=frozenset({"help"}))),
        (scope(issue_types=frozenset({"help"})), scope(channels=frozenset({"phone"}))),
        (scope(channels=frozenset({"phone"})), scope(urgencies=frozenset({"normal"}))),
        (scope(occasions=frozenset({"first"})), scope()),
        (scope(valid_from=date(2026, 1, 1)), scope()),
    ],
)
def test_the_nearest_rule_is_chosen(nearer, farther):
    case = Occurrence(
        clock="close",
        occasion="first",
        on=date(2026, 3, 2),
        issue_type="help",
        channel="phone",
        urgency="normal",
        categories=("potholes", "roads"),
        line=("town", "county"),
    )
    near, far = replace(FIVE_DAYS, code="z", scope=nearer), replace(FIVE_DAYS, code="a", scope=farther)
    strangers = [
        replace(FIVE_DAYS, code="0", scope=scope(organisation_code="elsewhere")),
        replace(FIVE_DAYS, code="1", scope=scope(valid_until=date(2026, 3, 1))),
        replace(FIVE_DAYS, code="2", scope=scope(valid_from=date(2026, 3, 3))),
        replace(FIVE_DAYS, code="3", clock="reply"),
        replace(FIVE_DAYS, code="4", scope=scope(urgencies=frozenset({"urgent"}))),
    ]

    assert choose([far, near, *strangers], case) == near
    assert choose([*strangers, near, far], case) == near
    assert choose(strangers, case) is None


def test_the_newest_version_of_a_rule_is_chosen():
    case = Occurrence(
        clock="close",
        occasion="first",
        on=date(2026, 3, 2),
        issue_type="help",
        channel="phone",
        urgency="normal",
        categories=("roads",),
    )
    rules = [FIVE_DAYS, replace(FIVE_DAYS, version=2)]

    assert choose(rules, case) is rules[1]


def test_deadlines_beyond_the_storable_years_are_none():
    last = replace(RECEIVED, at=datetime(2199, 12, 30, tzinfo=ZONE))

    for unit in ("hours", "working_hours", "natural_days", "working_days"):
        assert due(rule(900, unit), last) is None
