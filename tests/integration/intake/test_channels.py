"""Published channels, and checks of whether they can be reached."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from services.intake.domain.commands.channels import CheckChannel, EndChannel, PublishChannel
from services.intake.handlers import channels
from services.intake.storage.channels import ChannelNotFound
from shared.database import Pool
from shared.identifiers import new_id
from shared.reach import Reach, acting
from tests.integration.intake.conftest import NOW

pytestmark = pytest.mark.integration
UNTIL = date(2026, 1, 31)
NOBODY = new_id().__class__(int=0)


def a_channel(**changes):
    command = PublishChannel(
        id=new_id(),
        correlation_id="a-test",
        organisation_code="town",
        kind="phone",
        address="0571-87654321",
        hours="工作日 9:00-17:00",
        from_on=date(2025, 1, 1),
    )
    return replace(command, **changes)


def a_check(channel, **changes):
    command = CheckChannel(
        id=new_id(),
        correlation_id="a-test",
        channel_id=channel.id,
        checked_at=datetime(2026, 3, 1, tzinfo=UTC),
        is_reached=True,
        waited_seconds=14,
    )
    return replace(command, **changes)


def results(outcomes):
    return [(one.status, one.code) for one in outcomes]


def listed(pool: Pool, on=None):
    return channels.list_channels(pool, on=on, organisation_code="town", after=NOBODY, limit=9)


def test_a_channel_is_published_once_and_taken_back_once(registered, events_of):
    channel = a_channel()
    end = EndChannel(id=channel.id, correlation_id="a-test", until_on=UNTIL)

    published = channels.publish_channels(registered, [channel, replace(channel, id=new_id())], now=NOW)
    ended = channels.end_channels(registered, [end, end, replace(end, until_on=date(2026, 2, 1))], now=NOW)

    assert results(published) == [("created", ""), ("unchanged", "")]
    assert results(ended) == [("changed", ""), ("unchanged", ""), ("conflict", "other-content")]
    assert events_of(channel.id) == [("published_channel.published", 1), ("published_channel.published", 2)]
    assert [one.until_on for one in listed(registered, on=UNTIL)] == [UNTIL]
    assert listed(registered, on=date(2026, 2, 1)) == []


def test_what_nobody_gets_through_by_is_refused(registered):
    outcomes = channels.publish_channels(
        registered,
        [
            a_channel(address="12345"),
            a_channel(address="call us"),
            a_channel(kind="mailbox", address="town@example.gov.cn"),
            a_channel(kind="mailbox", address="a@b,c@d.cn"),
            a_channel(kind="web", address="https://town.example.gov.cn/mail"),
            a_channel(kind="web", address="javascript:alert(1)"),
            a_channel(kind="office", address="人民路1号一楼接待室"),
            a_channel(organisation_code="nowhere"),
            a_channel(until_on=date(2024, 1, 1)),
        ],
        now=NOW,
    )

    assert [one.code for one in outcomes] == [
        "",
        "unusable-channel",
        "",
        "unusable-channel",
        "",
        "unusable-channel",
        "",
        "unknown-organisation",
        "ends-before-begin",
    ]


def test_a_check_is_a_fact_that_stays(registered, events_of):
    channel = a_channel()
    channels.publish_channels(registered, [channel], now=NOW)
    check = a_check(channel)
    missed = a_check(channel, checked_at=datetime(2026, 3, 2, tzinfo=UTC), is_reached=False, waited_seconds=None)

    first = channels.check_channels(registered, [check, missed, check], now=NOW)
    second = channels.check_channels(registered, [check, replace(check, is_reached=False)], now=NOW)

    assert results(first) == [("created", ""), ("created", ""), ("unchanged", "")]
    assert results(second) == [("unchanged", ""), ("conflict", "other-content")]
    assert events_of(check.id) == [("reachability_check.recorded", 1)]
    assert [one.is_reached for one in channels.list_checks(registered, channel.id, limit=9)] == [False, True]
    assert [(one.last_is_reached, one.hours) for one in listed(registered)] == [(False, "工作日 9:00-17:00")]


def test_nobody_checks_beyond_reach_or_in_the_future(registered):
    channel = a_channel(organisation_code="county")
    channels.publish_channels(registered, [channel], now=NOW)
    town = Reach(kind="scoped", organisation_codes=("town",), account_id=new_id())

    [beyond] = channels.check_channels(registered, [a_check(channel, reach=town)], now=NOW)
    [ahead] = channels.check_channels(
        registered, [a_check(channel, checked_at=datetime(2026, 3, 9, tzinfo=UTC))], now=NOW
    )

    assert (beyond.code, ahead.code) == ("channel-not-found", "checked-in-future")
    with acting(town), pytest.raises(ChannelNotFound):
        channels.list_checks(registered, channel.id, limit=9)
