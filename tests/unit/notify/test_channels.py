"""What a mail looks like when it leaves us."""

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.policy import default
from uuid import UUID

import pytest

from services.notify.channels.mail_writing import UnsafeMail, build_message
from services.notify.domain.deliveries import Outgoing

SENDER = Address(display_name="连心", addr_spec="lianxin@example.org")
MAIL = Outgoing(
    delivery_id=UUID(int=7),
    attempt=1,
    message_id="<00000000-0000-0000-0000-000000000007@example.org>",
    recipient_name="王建国",
    address="wang@example.org",
    language="zh",
    subject="【连心】评价得分摘要：新增 3 项，变动 2 项，" + "很长的主题" * 20,
    text_body="王建国，您好：\n.\n" + "长" * 2_000 + "\n",
    html_body="<p>王建国，您好</p>",
    composed_at=datetime(2025, 3, 1, tzinfo=UTC),
    correlation_id="none",
)


def test_chinese_subject_name_and_bodies_come_back_as_they_were():
    message = message_from_bytes(build_message(MAIL, SENDER), policy=default)

    assert message["Subject"] == MAIL.subject
    assert message["To"].addresses == (Address(display_name="王建国", addr_spec="wang@example.org"),)
    text, html = message.iter_parts()
    assert text.get_content().replace("\r\n", "\n") == MAIL.text_body
    assert html.get_content().strip() == MAIL.html_body


def test_what_leaves_is_ascii_in_short_lines_and_the_same_every_time():
    content = build_message(MAIL, SENDER)

    assert content.isascii()
    assert max(map(len, content.split(b"\r\n"))) <= 998
    assert build_message(MAIL, SENDER) == content


@pytest.mark.parametrize("length", range(1, 80))
def test_no_space_is_lost_wherever_a_line_is_broken(length):
    """Read with the older decoder: the newer one of Python 3.11 itself puts spaces between the words of a name."""
    subject = "【连心】新增 43 项，变动 " * 3 + "长" * length + " 2 项 " + "5" * length + " 项"
    name = "长" * length + " 买 提"

    message = message_from_bytes(build_message(replace(MAIL, subject=subject, recipient_name=name), SENDER))

    assert str(make_header(decode_header(message["Subject"]))) == subject
    assert str(make_header(decode_header(message["To"]))) == f"{name} <wang@example.org>"


@pytest.mark.parametrize("name", ["Wang, Jianguo (HR)", 'the "chief"', "a@b", "王" * 100, "<x@y>"])
def test_odd_names_stay_one_recipient(name):
    message = message_from_bytes(build_message(replace(MAIL, recipient_name=name), SENDER), policy=default)

    assert [address.addr_spec for address in message["To"].addresses] == ["wang@example.org"]


@pytest.mark.parametrize(
    "change",
    [
        {"subject": "a\r\nBcc: c@d"},
        {"subject": "a\nb"},
        {"recipient_name": "a\r\nBcc: c@d"},
        {"recipient_name": "=?utf-8?q?a=0D=0ABcc:_c@d?="},
        {"subject": "=?utf-8?q?a=0D=0ABcc:_c@d?="},
        {"address": "a@b\r\nBcc: c@d"},
        {"address": "a@b, c@d"},
        {"message_id": "<a@b>\r\nBcc: c@d"},
    ],
)
def test_a_line_break_can_never_make_a_header(change):
    with pytest.raises(UnsafeMail):
        build_message(replace(MAIL, **change), SENDER)
