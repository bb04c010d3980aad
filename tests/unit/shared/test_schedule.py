"""How long things are kept: periods of the calendar, and what an installation may not change."""

from datetime import UTC, datetime

import pytest

from services.notify.settings import NotifySettings
from shared.schedule import FLOORS, BadSchedule, Period, load_schedule
from shared.settings import UnsafeSetting, load


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("period", "now", "before"),
    [
        ("72 hours", "2026-03-31T12:00:00", "2026-03-28T12:00:00"),
        ("7 days", "2026-03-01T00:00:01", "2026-02-22T00:00:01"),
        ("1 months", "2026-03-31T12:00:00", "2026-02-28T12:00:00"),
        ("24 months", "2026-03-31T12:00:00", "2024-03-31T12:00:00"),
        ("12 months", "2024-02-29T12:00:00", "2023-02-28T12:00:00"),
        ("10 years", "2026-01-01T00:00:00", "2016-01-01T00:00:00"),
    ],
)
def test_a_period_goes_back_by_the_calendar(period, now, before):
    assert Period.read(period).before(at(now)) == at(before)


@pytest.mark.parametrize(
    "text", ["", "7", "7 day", "-7 days", "7.5 days", "٧ days", "7 days\n", "999999 days", "99999 years", "for ever"]
)
def test_what_is_no_period_is_refused(text):
    with pytest.raises(BadSchedule):
        Period.read(text)


def test_what_is_shipped_is_complete_and_above_every_floor():
    shipped = load_schedule()

    assert FLOORS.keys() <= shipped.keep.keys()
    assert not [name for name, floor in FLOORS.items() if shipped.keep[name] < floor]
    assert shipped.changed == frozenset()


def test_an_installation_states_only_what_is_otherwise(tmp_path):
    file = tmp_path / "retention.toml"
    file.write_text('[keep]\nsessions = "90 days"\nscores = "10 years"\n')

    schedule = load_schedule(file)

    assert schedule.keep["sessions"] == Period(90, "days")
    assert schedule.keep["idempotency_keys"] == Period(72, "hours")
    assert schedule.changed == {"sessions"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[keep]\naudit_records = "5 months"', "audit_records: 5 months is below the floor of 6 months"),
        ('[keep]\nscores = "119 months"', "scores: 119 months is below the floor of 10 years"),
        ('[keep]\nscores = "3649 days"', "scores"),
        ('[keep]\nidempotency_keys = "23 hours"', "idempotency_keys"),
        ('[keep]\nunheard_of = "7 days"', "unheard_of: there is no such class"),
        ("[keep]\nscores = 10", "holds one table"),
        ('[floors]\nscores = "1 days"', "holds one table"),
        ('[keep]\nscores = "soon"', "is no period"),
        ("[keep", "cannot be read"),
    ],
)
def test_a_process_refuses_to_start_below_a_floor_and_names_the_setting(tmp_path, monkeypatch, text, said):
    file = tmp_path / "retention.toml"
    file.write_text(text)
    monkeypatch.setenv("LIANXIN_NOTIFY_DATABASE_URL", "postgresql://somebody:a-long-password-1234@localhost/x")
    monkeypatch.setenv("LIANXIN_NOTIFY_BROKER_URL", "amqp://somebody:another-password-5678@localhost/x")
    monkeypatch.setenv("LIANXIN_NOTIFY_RETENTION_SCHEDULE", str(file))

    with pytest.raises(UnsafeSetting, match="LIANXIN_NOTIFY_RETENTION_SCHEDULE") as refusal:
        load(NotifySettings)

    assert said in str(refusal.value)


def test_a_schedule_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(BadSchedule, match="cannot be read"):
        load_schedule(tmp_path / "none.toml")
