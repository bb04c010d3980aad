"""Who is told by messages, in which words and hours, and files and addresses that cannot be."""

from dataclasses import replace
from datetime import UTC, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from services.intake.domain.citizen_messages import Matter, why_not, word
from services.intake.handlers.citizen_rules import SHIPPED, load_telling, open_citizen_gateway
from services.intake.settings import IntakeSettings
from shared.settings import UnsafeSetting

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
MATTER = Matter(
    issue_id=UUID(int=1),
    type="help",
    source="lianxin",
    received_at=NOW,
    closed_at=None,
    outcome=None,
    citizen_ref=UUID(int=2),
    has_phone=True,
    wish=None,
    told_today=0,
    may_rate=True,
)
CLOSED = replace(MATTER, closed_at=NOW, outcome="resolved")


def settings(**changes: object) -> IntakeSettings:
    return IntakeSettings.model_validate(
        {
            "mode": "test",
            "database_url": "postgresql://test_intake:runtime-of-the-tests-4711@127.0.0.1/unused",
            "broker_url": "amqp://test_intake:broker-of-the-tests-4711@127.0.0.1/unused",
            "zone": ZoneInfo("Asia/Shanghai"),
            **changes,
        }
    )


RULES = load_telling(settings())


@pytest.mark.parametrize(
    ("matter", "kind", "reason"),
    [
        (MATTER, "received", None),
        (CLOSED, "answered", None),
        (replace(MATTER, wish=True, type="report"), "received", None),
        (replace(MATTER, source="hotline"), "received", "elsewhere"),
        (MATTER, "answered", "moved_on"),
        (replace(CLOSED, outcome="merged"), "answered", "moved_on"),
        (replace(CLOSED, outcome="withdrawn"), "answered", "moved_on"),
        (replace(MATTER, citizen_ref=None), "received", "no_phone"),
        (replace(MATTER, has_phone=False), "received", "no_phone"),
        (replace(MATTER, wish=False), "received", "not_wanted"),
        (replace(MATTER, type="complaint"), "received", "not_wanted"),
        (replace(MATTER, type="report"), "received", "not_wanted"),
        (replace(MATTER, told_today=5), "received", "too_many"),
        (replace(MATTER, told_today=4), "received", None),
    ],
)
def test_who_is_told(matter, kind, reason):
    assert why_not(matter, kind, RULES) == reason


@pytest.mark.parametrize(
    ("wall", "quiet"), [("20:59", False), ("21:00", True), ("03:00", True), ("07:59", True), ("08:00", False)]
)
def test_quiet_hours_go_over_midnight(wall, quiet):
    now = datetime.combine(NOW, time.fromisoformat(wall), ZoneInfo("Asia/Shanghai"))

    assert RULES.is_quiet(now) is quiet


def test_quiet_hours_of_one_day_end_on_it():
    rules = replace(RULES, quiet_from=time(12), quiet_until=time(14))

    assert [rules.is_quiet(datetime(2026, 3, 2, hour, tzinfo=UTC)) for hour in (3, 4, 5, 6)] == [
        False,
        True,
        True,
        False,
    ]


def test_words_name_the_day_and_the_link_and_nothing_else():
    late = datetime(2026, 3, 1, 17, 0, tzinfo=UTC)  # the second of March in China

    assert word("received", RULES, received_at=late, link=None).startswith("您于3月2日反映的事项已收到")
    assert word("answered", RULES, received_at=late, link="https://x/rate#T").endswith("https://x/rate#T")


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("{date}反映的事项已收到", "{category}反映的事项已收到", "received.*names date, and nothing else"),
        ("{date}反映的事项已收到", "{date!r}反映的事项已收到", "names date"),
        ("{date}反映的事项已收到", "{date:>99}反映的事项已收到", "names date"),
        ("{date}反映的事项已收到", "{date.year}反映的事项已收到", "names date"),
        ("：{link}", "", "link stands nowhere"),
        ("valid_hours = 48", "valid_hours = 0", "valid_hours"),
        ("valid_hours = 48", "hours = 48", "hours"),
        ('"complaint", "report"', '"gossip"', "asked_first"),
        ("quiet_from = 21:00:00", "quiet_from = 25:00:00", "TOMLDecodeError"),
    ],
)
def test_a_file_that_cannot_be_is_named_at_the_start(tmp_path, old, new, why):
    text = SHIPPED.read_text("utf-8")
    assert old in text
    file = tmp_path / "messages.toml"
    file.write_text(text.replace(old, new), "utf-8")

    with pytest.raises(UnsafeSetting, match=why):
        load_telling(settings(citizen_messages=file))


def test_english_is_told_where_the_installation_says_so(tmp_path):
    file = tmp_path / "messages.toml"
    file.write_text(SHIPPED.read_text("utf-8").replace('language = "zh"', 'language = "en"'), "utf-8")

    rules = load_telling(settings(citizen_messages=file))

    assert word("received", rules, received_at=NOW, link=None).startswith("What you raised on 2026-03-02")


def test_what_is_not_to_be_told_of_has_no_words(tmp_path):
    file = tmp_path / "messages.toml"
    file.write_text(SHIPPED.read_text("utf-8").replace("is_told = true", "is_told = false", 1), "utf-8")

    assert set(load_telling(settings(citizen_messages=file)).wordings) == {"answered"}


def test_without_a_file_there_is_no_gateway():
    assert open_citizen_gateway(settings()) is None


@pytest.mark.parametrize("text", ["", "url = 1", 'url = "https://x"\nfields = { a = "{phone}" }'])
def test_a_gateway_that_cannot_be_is_named_at_the_start(tmp_path, text):
    file = tmp_path / "gateway.toml"
    file.write_text(text)

    with pytest.raises(UnsafeSetting, match=r"LIANXIN_INTAKE_CITIZEN_GATEWAY: gateway\.toml"):
        open_citizen_gateway(settings(citizen_gateway=file))


@pytest.mark.parametrize("url", ["ftp://x/rate", "https://x/rate#y", "https://x/ra te", "https://"])
def test_an_address_to_rate_by_that_cannot_be_is_refused(url):
    with pytest.raises(ValidationError):
        settings(citizen_rating_url=url)
