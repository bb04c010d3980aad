"""What may stand in a mail header, which news count, and when to try again."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from services.notify.domain.addresses import UnsafeAddress, UnsafeName, check_address, check_display_name
from services.notify.domain.news import News, newest_per_score
from services.notify.domain.subscriptions import MissingAddress, Wish
from shared.gateways.backoff import Backoff

NEWS = News(
    score_id=UUID(int=1),
    sequence=1,
    subject_kind="cadre",
    subject_id=UUID(int=2),
    subject_code="C0001",
    subject_name="王建国",
    organisation_path=(),
    period_kind="year",
    period_start=date(2025, 1, 1),
    composite=Decimal(80),
    previous=None,
    scheme="county",
    scheme_version=1,
    computed_at=datetime(2025, 3, 1, tzinfo=UTC),
    correlation_id="none",
)


@pytest.mark.parametrize(
    "address", ["a@b", "wang.jianguo@zzb.example.gov.cn", "o'neil+digest@example.org", "x@127-0-0-1"]
)
def test_a_plain_address_passes(address):
    check_address(address)


@pytest.mark.parametrize(
    "address",
    [
        "a@b\r\nBcc: c@d",
        "a@b\n",
        "a@b,c@d",
        "a@b;c@d",
        "a@b c@d",
        "<a@b>",
        "王@example.org",
        "a@@b",
        "a@",
        "@b",
        "a b@c",
        "a@b\0",
        ".a@b",
        "a@-b",
        "x" * 65 + "@b",
        "a@" + "b." * 130 + "cn",
    ],
)
def test_anything_but_one_plain_address_is_refused(address):
    with pytest.raises(UnsafeAddress):
        check_address(address)


@pytest.mark.parametrize("name", ["王建国", "Wang, Jianguo (HR)", "艾尼瓦尔·买买提", "𠮷野"])
def test_a_plain_name_passes(name):
    check_display_name(name)


@pytest.mark.parametrize(
    "name", ["", "  ", "a\r\nBcc: c@d", "a\nb", "x" * 2_000, "a\u202eb", "=?utf-8?q?a=0D=0ABcc:_c@d?=", "\ud800"]
)
def test_a_name_that_could_break_a_header_is_refused(name):
    with pytest.raises(UnsafeName):
        check_display_name(name)


def test_mail_without_an_address_is_refused():
    wish = Wish(
        name="county", recipient_name="王建国", email=None, organisation_id=None, language="zh", channels=("email",)
    )

    with pytest.raises(MissingAddress):
        wish.check()


def test_of_each_score_the_highest_sequence_counts_in_whatever_order():
    second, third, other = replace(NEWS, sequence=2), replace(NEWS, sequence=3), replace(NEWS, score_id=UUID(int=0))

    assert newest_per_score([third, NEWS, other, second, third]) == [other, third]


def test_pauses_grow_to_a_limit_and_are_spread():
    backoff = Backoff(shortest=timedelta(seconds=20), longest=timedelta(minutes=30))

    assert backoff.pause(1, draw=1.0) == timedelta(seconds=20)
    assert backoff.pause(1, draw=0.0) == timedelta(seconds=10)
    assert backoff.pause(3, draw=1.0) == timedelta(seconds=80)
    assert backoff.pause(5_000, draw=1.0) == timedelta(minutes=30)
