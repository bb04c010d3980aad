"""Whoever looks after an endpoint is told what becomes of it: once, by the ordinary rules, and nobody else."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from services.notify.domain.notices import Key
from services.notify.handlers import endpoints
from services.notify.handlers.endpoints import Rotation
from services.notify.handlers.noticing import NoticeRules
from services.notify.handlers.owners import note_owners
from services.notify.handlers.rules import load_rules
from services.notify.storage import recipients
from shared.database import transaction
from shared.identifiers import new_id
from shared.reach import SYSTEM, acting
from tests.fakes import machine
from tests.integration.notify import receiving
from tests.integration.notify.conftest import CALENDAR, Notify
from tests.integration.notify.receiving import (
    EVERYWHERE,
    OFFICER,
    Partners,
    Receiver,
    make_partners,
    received_issue,
    reply,
)

pytestmark = pytest.mark.integration

URL = "http://127.0.0.1:9/hook?token=a-secret-of-the-receivers"
HOUR = timedelta(hours=1)


@pytest.fixture
def partners(notify: Notify, keys_folder) -> Partners:
    notify.now = notify.now.replace(hour=2, minute=0)  # ten o'clock in China
    made = make_partners(notify.pool, keys_folder)
    made.now = notify.now
    return made


def tell(notify: Notify) -> list[tuple[str, str]]:
    """Tell what is due, and give what everybody has in the inbox."""
    rules = NoticeRules(rules=load_rules(), calendar=CALENDAR)
    with acting(SYSTEM):
        note_owners(notify.pool, rules, now=notify.now, new_id=new_id)
        note_owners(notify.pool, rules, now=notify.now, new_id=new_id)
        notify.tell()
    rows = notify.ask(
        """
        SELECT coalesce(staff_number, account_id::text), text_body
          FROM message JOIN digest ON digest.id = digest_id JOIN recipient ON recipient.id = message.recipient_id
         ORDER BY number
        """
    )
    return [(str(who), str(text)) for who, text in rows]


def active(partners: Partners, **more):
    endpoint, _ = partners.connect(partners.agree(**more), URL)
    partners.ask("UPDATE webhook_endpoint SET status = 'active' RETURNING id")
    return endpoint


def disable(partners: Partners, because: str) -> None:
    partners.ask(
        "UPDATE webhook_endpoint SET status = 'disabled', disabled_because = %s, disabled_at = %s RETURNING id",
        because,
        partners.now,
    )


def test_the_owner_is_told_once_that_an_endpoint_was_switched_off(notify, partners):
    endpoint = active(partners)
    assert tell(notify) == []
    disable(partners, "gone")
    assert partners.endpoint(endpoint.id).owner_told_at is None

    [(who, text)] = tell(notify)
    notify.wait(HOUR * 50)
    again = tell(notify)

    assert who == str(OFFICER.account_id)
    assert "协议 2025-01 的推送地址 127.0.0.1 已于" in text
    assert "对方已注销该地址" in text
    assert "a-secret-of-the-receivers" not in text
    assert len(again) == 1
    assert partners.endpoint(endpoint.id).owner_told_at == partners.now


def test_what_is_switched_off_a_second_time_is_told_of_a_second_time(notify, partners):
    active(partners)
    disable(partners, "failing")
    tell(notify)
    partners.ask(
        "UPDATE webhook_endpoint SET status = 'active', disabled_because = NULL, disabled_at = NULL RETURNING id"
    )
    notify.wait(HOUR * 24)
    partners.wait(HOUR * 24)
    disable(partners, "failing")

    assert len(tell(notify)) == 2


def test_the_owner_is_mailed_where_the_owner_wants_mail(notify, partners, mail_server):
    active(partners)
    disable(partners, "handshake")
    with acting(SYSTEM), transaction(notify.pool) as connection:
        [recipient] = recipients.upsert_recipients(connection, [(new_id(), Key(account_id=OFFICER.account_id))])
        connection.execute(
            "UPDATE recipient SET email = 'officer@example.org', channels = '{inbox,email}' WHERE id = %s",
            [recipient.id],
        )

    tell(notify)
    notify.deliver()

    [mail] = mail_server.received
    assert "对方未同意接收" in mail.get_body(("plain",)).get_content()


@pytest.mark.parametrize(
    ("failures", "hours", "told"),
    [(4, 3, 0), (5, 0.5, 0), (5, 1, 1), (9, 30, 1)],
    ids=["few", "new", "an hour", "long"],
)
def test_an_endpoint_that_stays_away_is_told_of_once_an_outage(notify, partners, failures, hours, told):
    active(partners)
    partners.ask(
        "UPDATE webhook_endpoint SET failures = %s, failing_since = %s RETURNING id",
        failures,
        partners.now - HOUR * hours,
    )

    assert len(tell(notify)) == told
    notify.wait(HOUR)
    partners.ask("UPDATE webhook_endpoint SET failures = failures + 1 WHERE failures > 4 RETURNING id")
    assert len(tell(notify)) == (told or int(failures > 4))


def test_an_old_key_is_told_of_before_it_ends_and_not_at_once(notify, partners):
    endpoint = active(partners)
    with acting(EVERYWHERE):
        endpoints.rotate_key(
            partners.desk, endpoint.id, Rotation(kind="v1a"), by=OFFICER, new_id=new_id(), now=partners.now
        )
    assert tell(notify) == []
    notify.wait(HOUR * 13)
    assert tell(notify) == []  # it is night
    notify.wait(HOUR * 9)
    [(_, text)] = tell(notify)
    notify.wait(HOUR)

    assert "旧密钥（v1a）将于" in text
    assert len(tell(notify)) == 1


def test_of_an_endpoint_that_a_machine_proposed_whoever_proposed_the_agreement_is_told(notify, partners, monkeypatch):
    agreement = partners.agree()
    monkeypatch.setattr(receiving, "OFFICER", machine(name="partner"))
    partners.connect(agreement, URL)
    partners.ask("UPDATE webhook_endpoint SET status = 'active' RETURNING id")
    disable(partners, "gone")

    assert [who for who, _ in tell(notify)] == [str(OFFICER.account_id)]


def test_an_owner_with_a_staff_number_is_told_in_the_one_inbox_of_all_accounts(notify, partners, monkeypatch):
    monkeypatch.setattr(receiving, "OFFICER", replace(OFFICER, staff_number="D7"))
    active(partners)
    disable(partners, "gone")

    assert [who for who, _ in tell(notify)] == ["D7"]


def test_nobody_is_told_of_what_an_agreement_that_has_ended_was_for(notify, partners):
    active(partners)
    disable(partners, "gone")
    partners.ask("UPDATE agreement SET status = 'ended', ended_at = now() RETURNING id")

    assert tell(notify) == []


def test_what_failed_long_ago_is_no_news(notify, partners):
    active(partners)
    disable(partners, "gone")
    notify.wait(timedelta(days=8))

    assert tell(notify) == []


def test_who_does_not_want_to_hear_of_outages_does_not_and_of_switching_off_does(notify, partners):
    active(partners)
    partners.ask("UPDATE webhook_endpoint SET failures = 9, failing_since = %s RETURNING id", partners.now - HOUR * 9)
    with acting(SYSTEM), transaction(notify.pool) as connection:
        [recipient] = recipients.upsert_recipients(connection, [(new_id(), Key(account_id=OFFICER.account_id))])
        for rule in ("endpoint-failing", "endpoint-disabled"):
            connection.execute(
                "INSERT INTO preference (recipient_id, rule, mode) VALUES (%s, %s, 'off')", [recipient.id, rule]
            )
    assert tell(notify) == []
    disable(partners, "failing")

    assert len(tell(notify)) == 1


def test_an_endpoint_that_says_410_is_told_of_from_end_to_end(notify, partners):
    async def story() -> None:
        receiver = await Receiver().start()
        endpoint, _ = partners.connect(partners.agree(), receiver.url)
        await partners.push()
        assert partners.endpoint(endpoint.id).status == "active"
        receiver.answers = [reply(410)]
        notify.learn(received_issue(1))
        await partners.push()
        await receiver.stop()

    asyncio.run(story())

    [(who, text)] = tell(notify)
    assert who == str(OFFICER.account_id)
    assert "对方已注销该地址" in text
