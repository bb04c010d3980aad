"""Warnings, missed deadlines and escalation: each once, to the right level, also after a month of downtime."""

import threading
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.intake.domain.commands.issue_steps import CloseIssue
from services.intake.handlers import alarms, issues, posts
from services.intake.handlers.alarms import sweep_alarms
from services.intake.handlers.issue_steps.batch import take_steps
from shared import crash
from tests.integration.intake.commands import a_post, an_issue
from tests.integration.intake.conftest import NOW
from tests.integration.intake.rules import agree_on_rules

ZONE = ZoneInfo("Asia/Shanghai")
WATCHED = {"warnings": ["48 hours", "24 hours"], "escalations": ["0 hours", "1 working_days", "3 working_days"]}


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=ZONE)


@pytest.fixture
def ruled(county, pool):
    """A county in which an issue is to be closed in five working days."""
    assert county["issues"]
    document = {"clock": "close", "limit": "5 working_days", "valid_from": "2025-01-01", **WATCHED}
    agree_on_rules(pool, {"close": document}, now=NOW - timedelta(hours=1))
    return pool


def receive(pool, count=1, **changes):
    commands = [an_issue(**changes) for _ in range(count)]
    outcomes = issues.receive_issues(pool, commands, now=NOW)
    assert {outcome.status for outcome in outcomes} == {"created"}
    return [command.id for command in commands]


@pytest.fixture
def raised(ask):
    """What was published of the deadlines of an issue, in order: short type, level, organisation, head."""

    def read(issue_id):
        rows = ask(
            """
            SELECT event_type, payload ->> 'level', organisation.code, cadre.staff_number
              FROM outbox
              LEFT JOIN organisation ON organisation.id = (payload ->> 'organisation_id')::uuid
              LEFT JOIN cadre ON cadre.id = (payload ->> 'cadre_id')::uuid
             WHERE aggregate_id = %s AND event_type ~ 'deadline|escalated'
             ORDER BY outbox.sequence
            """,
            issue_id,
        )
        return [(kind.split(".")[3], level, code, head) for kind, level, code, head in rows]

    return read


def test_warnings_come_in_time_and_each_once(ruled, raised):
    [issue_id] = receive(ruled, organisation_code="street")  # due at the end of Monday, 9 March

    for hours in range(0, 24 * 8, 3):
        sweep_alarms(ruled, now=NOW + timedelta(hours=hours))
        if NOW + timedelta(hours=hours) < at("03-08 00:00"):
            assert raised(issue_id) == []

    assert raised(issue_id)[:3] == [
        ("deadline_approached", "1", None, None),
        ("deadline_approached", "2", None, None),
        ("deadline_missed", None, None, None),
    ]


def test_who_is_late_goes_up_the_line_level_by_level(ruled, raised):
    posts.record_posts(
        ruled,
        [a_post(staff_number="S3", organisation_code="town"), a_post(staff_number="S2", organisation_code="county")],
        now=NOW,
    )
    [issue_id] = receive(ruled, organisation_code="street", staff_number="S1")

    for day in range(5, 20):
        sweep_alarms(ruled, now=NOW + timedelta(days=day))

    assert [told for told in raised(issue_id) if told[0] == "escalated"] == [
        ("escalated", "1", "street", "S1"),
        ("escalated", "2", "town", "S3"),
        ("escalated", "3", "county", "S2"),
    ]


def test_after_a_month_of_downtime_everything_is_found_once(ruled, raised, ask):
    [issue_id] = receive(ruled, organisation_code="street")

    first = sweep_alarms(ruled, now=NOW + timedelta(days=31))
    second = sweep_alarms(ruled, now=NOW + timedelta(days=32))

    assert (first, second) == (4, 0)  # a warning of what is past is none
    assert [told[:2] for told in raised(issue_id)] == [
        ("deadline_missed", None),
        ("escalated", "1"),
        ("escalated", "2"),
        ("escalated", "3"),
    ]
    [(alarm_at, sequence, level)] = ask(
        "SELECT alarm_at, sequence, escalation_level FROM issue WHERE id = %s", issue_id
    )
    assert (alarm_at, level) == (None, 3)
    assert ask("SELECT max(sequence) FROM outbox WHERE aggregate_id = %s", issue_id) == [(sequence,)]


def test_what_nobody_leads_is_put_before_the_department_at_the_root(ruled, raised):
    [issue_id] = receive(ruled)

    sweep_alarms(ruled, now=NOW + timedelta(days=31))

    assert [told[1:] for told in raised(issue_id) if told[0] == "escalated"] == [
        ("1", "county", None),
        ("2", "county", None),
        ("3", "county", None),
    ]


def test_nothing_goes_to_whom_it_complains_about_nor_to_the_line(ruled, raised):
    posts.record_posts(ruled, [a_post(staff_number="S3", organisation_code="town")], now=NOW)
    [issue_id] = receive(ruled, organisation_code="harbour", subject_staff_number="S3")
    [above] = receive(ruled, subject_staff_number="S3")

    sweep_alarms(ruled, now=NOW + timedelta(days=31))

    told = [one for issue in (issue_id, above) for one in raised(issue) if one[0] == "escalated"]
    assert told
    assert all(code in {"harbour", "county"} and head != "S3" for _, _, code, head in told)


def test_the_head_of_the_root_who_is_complained_about_is_told_nothing(ruled, raised):
    posts.record_posts(ruled, [a_post(staff_number="S3", organisation_code="county")], now=NOW)
    [issue_id] = receive(ruled, subject_staff_number="S3")

    sweep_alarms(ruled, now=NOW + timedelta(days=31))

    assert {told[2:] for told in raised(issue_id) if told[0] == "escalated"} == {(None, None)}


def test_what_is_closed_in_time_alarms_nobody(ruled, raised):
    [issue_id] = receive(ruled, organisation_code="street")
    closure = CloseIssue(
        id=issue_id, correlation_id="t", outcome="resolved", reply="已修好", closed_at=at("03-05 10:00")
    )
    take_steps(ruled, [closure], now=at("03-05 10:00"))

    assert sweep_alarms(ruled, now=NOW + timedelta(days=31)) == 0
    assert raised(issue_id) == []


def test_what_was_closed_late_was_missed_and_goes_no_higher(ruled, raised):
    [issue_id] = receive(ruled, organisation_code="street")
    closure = CloseIssue(
        id=issue_id, correlation_id="t", outcome="resolved", reply="已修好", closed_at=at("03-20 10:00")
    )
    take_steps(ruled, [closure], now=at("03-20 10:00"))

    sweep_alarms(ruled, now=at("03-25 10:00"))

    assert [told[0] for told in raised(issue_id)] == ["deadline_missed"]


@pytest.mark.usefixtures("county")
def test_a_told_deadline_is_watched_as_well(pool, raised):
    [issue_id] = receive(pool, organisation_code="street", due_at=at("03-06 18:00"))

    for day in range(9):
        sweep_alarms(pool, now=NOW + timedelta(days=day))

    assert [told[:2] for told in raised(issue_id)] == [
        ("deadline_approached", "1"),
        ("deadline_missed", None),
        ("escalated", "1"),
        ("escalated", "2"),
    ]


def test_a_backlog_of_any_size_is_worked_off_in_bounded_batches(ruled, ask, monkeypatch):
    monkeypatch.setattr(alarms, "ISSUES_A_COMMIT", 7)
    receive(ruled, count=30, organisation_code="street")
    later = NOW + timedelta(days=31)

    first = sweep_alarms(ruled, now=later, commits=2)
    rest = [sweep_alarms(ruled, now=later, commits=2) for _ in range(3)]

    assert (first, sum(rest)) == (14 * 4, 16 * 4)
    assert ask("SELECT count(*) FROM outbox WHERE event_type ~ 'deadline_missed'") == [(30,)]


def test_two_sweeps_at_once_say_nothing_twice(ruled, ask, monkeypatch):
    monkeypatch.setattr(alarms, "ISSUES_A_COMMIT", 5)
    receive(ruled, count=40, organisation_code="street")
    later = NOW + timedelta(days=31)
    counts = []

    sweeps = [threading.Thread(target=lambda: counts.append(sweep_alarms(ruled, now=later))) for _ in range(3)]
    for sweep in sweeps:
        sweep.start()
    for sweep in sweeps:
        sweep.join()
    counts.append(sweep_alarms(ruled, now=later))

    assert sum(counts) == 40 * 4
    assert ask("SELECT count(*) FROM outbox WHERE event_type ~ 'deadline_missed'") == [(40,)]
    assert ask("SELECT count(*) FROM outbox WHERE event_type ~ 'escalated'") == [(120,)]


def test_a_sweep_that_dies_before_its_commit_has_said_nothing(ruled, ask, monkeypatch):
    receive(ruled, count=3, organisation_code="street")
    later = NOW + timedelta(days=31)

    class Killed(BaseException):
        pass

    def die(name):
        if name == "intake.before_commit":
            raise Killed

    monkeypatch.setattr(crash, "point", die)
    with pytest.raises(Killed):
        sweep_alarms(ruled, now=later)
    assert ask("SELECT count(*) FROM clock_alarm") == [(0,)]
    monkeypatch.undo()

    assert sweep_alarms(ruled, now=later) == 3 * 4
    assert sweep_alarms(ruled, now=later) == 0
