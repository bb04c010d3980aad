"""Mail as state, against a real SMTP server: down and up, 4xx, 5xx, and a worker that dies on the way."""

import socket
import threading
from datetime import timedelta

import pytest

from services.notify.channels.mail import MailChannel
from services.notify.handlers.deliveries import measure_backlog
from services.notify.handlers.delivering import DeliveryRules
from services.notify.storage import claims as storage
from shared.database import transaction
from tests.integration.notify.conftest import make_news

pytestmark = pytest.mark.integration


@pytest.fixture
def owed(notify):
    """One mail is due."""
    notify.subscribe(channels=("email",))
    notify.hear(make_news())
    notify.compose()
    return notify


def test_a_mail_arrives_as_it_was_rendered(owed, mail_server):
    owed.deliver()

    [mail] = mail_server.received
    [(subject, text, html)] = owed.ask("SELECT subject, text_body, html_body FROM digest")
    assert mail["Subject"] == subject == "【连心】评价得分摘要：新增 1 项，变动 0 项"
    assert mail.get_body(("plain",)).get_content().replace("\r\n", "\n") == text
    assert mail.get_body(("html",)).get_content().replace("\r\n", "\n") == html
    assert [address.addr_spec for address in mail["To"].addresses] == ["wang@example.org"]
    assert owed.emails() == [("sent", 1, None)]


def test_delivering_twice_sends_one_mail(owed, mail_server):
    assert (owed.deliver(), owed.deliver()) == (1, 0)
    assert len(mail_server.received) == 1


def test_two_workers_send_every_mail_once_over_one_connection_each(notify, mail_server):
    for number in range(20):
        notify.subscribe(f"s{number:02}", email=f"s{number:02}@example.org", channels=("email",))
    notify.hear(make_news())
    notify.compose()
    workers = [threading.Thread(target=notify.deliver) for _ in range(2)]

    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sorted(str(mail["To"]) for mail in mail_server.received) == [
        f"王建国 <s{number:02}@example.org>" for number in range(20)
    ]
    assert mail_server.sessions <= 2


def test_a_server_that_is_down_gets_the_mail_when_it_is_up(owed, mail_server):
    mail_server.stop()
    owed.deliver()
    while_down = owed.emails()
    mail_server.start()
    at_once = owed.deliver()
    owed.wait(timedelta(seconds=20))

    owed.deliver()

    assert while_down == [("due", 1, "connection: ConnectionRefusedError")]
    assert at_once == 0
    assert owed.emails() == [("sent", 2, None)]
    assert len(mail_server.received) == 1


def test_a_day_of_outage_loses_nothing(owed, mail_server):
    owed.rules = DeliveryRules(attempts_max=200)
    mail_server.stop()
    for _ in range(24 * 4):
        owed.deliver()
        owed.wait(timedelta(minutes=15))
    mail_server.start()
    owed.wait(timedelta(minutes=30))

    owed.deliver()

    assert [row[0] for row in owed.emails()] == ["sent"]


def test_4xx_is_tried_again_later_with_the_same_message_id(owed, mail_server):
    mail_server.answers = ["451 4.3.0 try later"]
    [(message_id,)] = owed.ask("SELECT message_id FROM delivery")

    owed.deliver()
    after_first = owed.emails()
    owed.wait(timedelta(seconds=20))
    owed.deliver()

    assert after_first == [("due", 1, "smtp 451 4.3.0")]
    assert owed.emails() == [("sent", 2, None)]
    assert [mail["Message-ID"] for mail in mail_server.received] == [message_id]


def test_5xx_is_for_good_and_concerns_one_mail_only(notify, mail_server):
    notify.subscribe("a", email="gone@example.org", channels=("email",))
    notify.subscribe("b", email="here@example.org", channels=("email",))
    mail_server.refused_recipients = {"gone@example.org": "550 5.1.1 no such user gone@example.org"}
    notify.hear(make_news())
    notify.compose()

    notify.deliver()
    notify.wait(timedelta(hours=1))
    again = notify.deliver()

    assert sorted(notify.emails()) == [("failed", 1, "smtp 550 5.1.1"), ("sent", 1, None)]
    assert again == 0


def test_421_ends_the_connection_and_the_next_mail_opens_another(notify, mail_server):
    for name in ("a", "b"):
        notify.subscribe(name, email=f"{name}@example.org", channels=("email",))
    mail_server.answers = ["421 4.3.2 going down"]
    notify.hear(make_news())
    notify.compose()

    notify.deliver()

    assert sorted(notify.emails()) == [("due", 1, "smtp 421 4.3.2"), ("sent", 1, None)]
    assert mail_server.sessions == 2


def test_a_worker_that_died_after_its_claim_is_followed_by_another(owed):
    with transaction(owed.pool) as connection:
        storage.claim_due(connection, "email", now=owed.now, lease=owed.rules.lease, limit=10)
    within_lease = owed.deliver()
    owed.wait(owed.rules.lease)

    owed.deliver()

    assert within_lease == 0
    assert owed.emails() == [("sent", 2, None)]


def test_a_worker_that_died_before_its_mark_makes_a_repeat_with_the_same_message_id(owed, mail_server):
    with transaction(owed.pool) as connection:
        mails = storage.claim_due(connection, "email", now=owed.now, lease=owed.rules.lease, limit=10)
    list(owed.channel.send(mails, within_seconds=5))
    owed.wait(owed.rules.lease)

    owed.deliver()

    first, second = mail_server.received
    assert first["Message-ID"] == second["Message-ID"]
    assert owed.emails() == [("sent", 2, None)]


def test_a_late_answer_never_undoes_a_later_attempt(owed):
    with transaction(owed.pool) as connection:
        [slow] = storage.claim_due(connection, "email", now=owed.now, lease=owed.rules.lease, limit=10)
    owed.wait(owed.rules.lease)
    owed.deliver()

    with transaction(owed.pool) as connection:
        changed = (
            storage.set_due_again(connection, slow, next_attempt_at=owed.now, reason="late"),
            storage.set_failed(connection, slow, at=owed.now, reason="late"),
            storage.set_sent(connection, slow.delivery_id, at=owed.now),
        )

    assert changed == (False, False, False)
    assert owed.emails() == [("sent", 2, None)]


def test_after_the_last_attempt_a_delivery_fails_with_its_reason(owed, mail_server):
    mail_server.answers = ["451 4.7.1 greylisted"] * 10
    for _ in range(6):
        owed.deliver()
        owed.wait(timedelta(hours=1))

    assert owed.emails() == [("failed", 5, "attempts exhausted, last: smtp 451 4.7.1")]
    assert len(mail_server.answers) == 5


def test_what_is_too_old_is_not_sent(owed, mail_server):
    owed.wait(timedelta(hours=48))

    owed.deliver()

    assert owed.emails() == [("expired", 0, "expired")]
    assert mail_server.received == []


def test_a_server_that_only_drips_is_cut_off(owed):
    with socket.create_server(("127.0.0.1", 0)) as dripping:
        stopped = threading.Event()

        def drip() -> None:
            connection, _ = dripping.accept()
            with connection:
                while not stopped.wait(0.1):
                    try:
                        connection.send(b"2")
                    except OSError:
                        return

        dripper = threading.Thread(target=drip)
        dripper.start()
        port = dripping.getsockname()[1]
        owed.channel = MailChannel(("smtp", "127.0.0.1", port), None, sender=owed.channel._sender, timeout_seconds=1)
        owed.rules = DeliveryRules(attempts_max=5, batch_seconds=0.7)

        owed.deliver()

        stopped.set()
        dripper.join()
    [(status, attempts, reason)] = owed.emails()
    assert (status, attempts) == ("due", 1)
    assert str(reason).startswith("connection: ")


def test_mails_for_which_no_time_was_left_are_given_back_uncounted(owed, mail_server):
    owed.rules = DeliveryRules(attempts_max=5, batch_seconds=0)

    owed.deliver()

    assert owed.emails() == [("due", 0, None)]
    assert mail_server.received == []


def test_the_backlog_is_measured(owed):
    count, oldest_seconds = measure_backlog(owed.pool)
    owed.deliver()

    assert count == 1
    assert oldest_seconds > 0
    assert measure_backlog(owed.pool) == (0, 0.0)
