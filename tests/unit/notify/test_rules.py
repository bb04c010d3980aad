"""When somebody is told: quiet hours, working-day digests, preferences, and rules as they are shipped."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.notify.domain.rules import Habits, Rule, choose_mode, due_at
from services.notify.handlers.rules import load_rules
from services.notify.rendering.notices import topics
from shared.calendars import load_calendar
from shared.settings import UnsafeSetting

ZONE = ZoneInfo("Asia/Shanghai")
CALENDAR = load_calendar(None, zone=ZONE)
HABITS = Habits(quiet_from=time(21), quiet_until=time(7, 30), digest_at=time(8, 30))


def rule(*, is_compulsory: bool = False) -> Rule:
    return Rule(
        code="r", event="e", to="clerks", topic="t", mode="at_once", valid_for=timedelta(1), is_compulsory=is_compulsory
    )


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2025-04-01T10:00", "2025-04-01T10:00"),
        ("2025-04-01T20:59", "2025-04-01T20:59"),
        ("2025-04-01T21:00", "2025-04-02T07:30"),
        ("2025-04-02T00:30", "2025-04-02T07:30"),
        ("2025-04-02T07:30", "2025-04-02T07:30"),
    ],
)
def test_nobody_is_told_in_quiet_hours(now, due):
    assert due_at("at_once", HABITS, CALENDAR, now=wall(now)) == wall(due)


def test_quiet_hours_may_lie_within_a_day():
    habits = Habits(quiet_from=time(12), quiet_until=time(14), digest_at=time(8, 30))

    assert due_at("at_once", habits, CALENDAR, now=wall("2025-04-01T13:00")) == wall("2025-04-01T14:00")


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2025-04-01T08:00", "2025-04-01T08:30"),
        ("2025-04-01T08:30", "2025-04-02T08:30"),
        ("2025-04-03T09:00", "2025-04-07T08:30"),  # the Qingming holiday, and a weekend
        ("2025-09-30T12:00", "2025-10-09T08:30"),  # the National Day holiday
        ("2025-09-27T12:00", "2025-09-28T08:30"),  # a Sunday that is worked
    ],
)
def test_digests_come_on_working_days(now, due):
    assert due_at("digest", HABITS, CALENDAR, now=wall(now)) == wall(due)


@pytest.mark.parametrize(
    ("own", "of_unit", "mode"),
    [
        (None, None, "at_once"),
        (None, "digest", "digest"),
        ("at_once", "digest", "at_once"),
        ("off", None, None),
        (None, "off", None),
    ],
)
def test_a_person_goes_before_the_unit(own, of_unit, mode):
    assert choose_mode(rule(), own, of_unit) == mode


def test_what_is_compulsory_is_never_off():
    assert choose_mode(rule(is_compulsory=True), "off", "off") == "at_once"
    assert choose_mode(rule(is_compulsory=True), "digest", None) == "digest"


def test_the_shipped_rules_are_whole_and_escalations_are_compulsory():
    rules = load_rules()

    assert {one.topic for one in rules} == topics().keys()
    assert {one.code for one in rules if one.is_compulsory} >= {"escalated", "deadline-missed", "supervised"}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('event = "cn.lianxin.nothing.v1"', "no such event"),
        ('topic = "nothing"', "no such topic"),
        ('to = "owner"', "events have no owner"),
        ('event = "cn.lianxin.rating.submitted.v1"', "not told of such events"),
        ('event = "cn.lianxin.rating_invitation.made.v1"', "not told of such events"),
        ('event = "cn.lianxin.score.computed.v1"', "not told of such events"),
        ('event = "cn.lianxin.appraisal_result.recorded.v1"', "not told of such events"),
        ('to = "everybody"', "rule.0.to"),
        ("unknown = 1", "rule.0.unknown"),
        ("valid_hours = 0", "rule.0.valid_hours"),
    ],
)
def test_a_rule_that_cannot_be_is_named_at_the_start(tmp_path, line, why):
    values = {
        "code": '"r"',
        "event": '"cn.lianxin.issue.assigned.v1"',
        "to": '"clerks"',
        "topic": '"issue_assigned"',
        "mode": '"digest"',
        "valid_hours": "1",
    }
    name, _, value = line.partition(" = ")
    file = tmp_path / "rules.toml"
    file.write_text("[[rule]]\n" + "".join(f"{key} = {text}\n" for key, text in (values | {name: value}).items()))

    with pytest.raises(UnsafeSetting, match=why):
        load_rules(file)
