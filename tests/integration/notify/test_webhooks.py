"""Webhooks end to end on a real database and real sockets, with a clock of their own."""

import asyncio
import base64
from collections import defaultdict
from datetime import timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from psycopg.errors import InsufficientPrivilege

from services.notify.channels.webhooks import CallLimits
from services.notify.domain.attempts import PAUSES
from services.notify.handlers import agreements, endpoints
from services.notify.handlers.endpoints import Rotation
from services.notify.handlers.webhook_deliveries import PushRules, claim_errands, order_test
from shared.identifiers import new_id
from shared.reach import acting
from tests.integration.notify.conftest import Notify
from tests.integration.notify.receiving import (
    EVERYWHERE,
    OFFICER,
    Partners,
    Receiver,
    ids_of,
    make_partners,
    received_issue,
    reply,
    signed_issue,
)

pytestmark = pytest.mark.integration
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


@pytest.fixture
def partners(notify: Notify, keys_folder) -> Partners:
    return make_partners(notify.pool, keys_folder)


async def connected(partners: Partners, receiver: Receiver, **more):
    """An endpoint whose receiver has agreed already."""
    endpoint, key = partners.connect(partners.agree(**more.pop("agreed", {})), receiver.url, **more)
    await partners.push()
    return endpoint, key


def states(partners: Partners) -> list[tuple[object, ...]]:
    return partners.ask("SELECT status, attempts FROM webhook_delivery ORDER BY id")


def test_an_event_goes_to_an_endpoint_that_wants_it(notify, partners):
    async def story():
        receiver = await Receiver().start()
        endpoint, key = await connected(partners, receiver)
        notify.learn(received_issue(1))
        await partners.push()
        await receiver.stop()
        return receiver, partners.endpoint(endpoint.id), key

    receiver, endpoint, key = asyncio.run(story())

    assert endpoint.status == "active"
    [post] = receiver.posts
    assert post.headers["content-type"] == "application/cloudevents+json"
    assert post.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert post.headers["webhook-id"] == post.event["id"]
    assert post.event["type"] == "cn.lianxin.issue.received.v1"
    assert post.event["subject"] == f"issue/{UUID(int=1)}"
    assert post.event["data"]["category"] == "water_supply"
    assert "citizen_ref" not in post.event["data"]
    version, signature = post.headers["webhook-signature"].split(",")
    assert version == "v1a"
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key.shown.removeprefix("whpk_")))
    signed = f"{post.headers['webhook-id']}.{post.headers['webhook-timestamp']}.".encode() + post.body
    public.verify(base64.b64decode(signature), signed)
    assert states(partners) == [("delivered", 1)]


def test_an_agreement_on_ids_tells_ids_and_where_to_read(notify, partners):
    async def story():
        receiver = await Receiver().start()
        await connected(partners, receiver, agreed={"content": "ids"})
        notify.learn(received_issue(1))
        await partners.push()
        await receiver.stop()
        return receiver

    [post] = asyncio.run(story()).posts

    assert post.event["data"] == {"issue_id": str(UUID(int=1))}
    assert post.event["dataref"] == f"/intake/v1/issues/{UUID(int=1)}"


def test_no_event_goes_out_before_the_receiver_has_agreed(notify, partners):
    async def story():
        receiver = await Receiver(always=lambda _: reply(200)).start()
        endpoint, _ = await connected(partners, receiver)
        notify.learn(received_issue(1))
        await partners.push()
        refused = partners.endpoint(endpoint.id)
        receiver.always = None
        partners.wait(6 * SECOND)
        await partners.push()
        await receiver.stop()
        return receiver, refused

    receiver, refused = asyncio.run(story())

    assert (refused.status, refused.handshake_fault) == ("unverified", "no WebHook-Allowed-Origin")
    [asked, *_] = receiver.received
    assert (asked.method, asked.headers["webhook-request-origin"]) == ("OPTIONS", "lianxin.example.cn")
    assert len(receiver.posts) == 1


def test_a_receiver_that_never_agrees_is_given_up(partners):
    async def story():
        receiver = await Receiver(always=lambda _: reply(200, "WebHook-Allowed-Origin: somebody.example.cn")).start()
        endpoint, _ = partners.connect(partners.agree(), receiver.url)
        for pause in PAUSES:
            partners.wait(pause)
            await partners.push()
        partners.wait(48 * HOUR)
        await partners.push()
        await receiver.stop()
        return receiver, partners.endpoint(endpoint.id)

    receiver, endpoint = asyncio.run(story())

    assert (endpoint.status, endpoint.disabled_because) == ("disabled", "handshake")
    assert len(receiver.received) == len(PAUSES)


def test_a_receiver_that_fails_for_four_days_is_tried_on_schedule_and_then_switched_off(notify, partners):
    async def story():
        receiver = await Receiver().start()
        endpoint, _ = await connected(partners, receiver)
        receiver.always = lambda _: reply(500)
        notify.learn(received_issue(1))
        begun = partners.now
        for pause in PAUSES:
            partners.wait(pause - SECOND)
            if pause:
                await partners.push()
            partners.wait(SECOND)
            await partners.push()
        failed_after, disabled = partners.now - begun, partners.endpoint(endpoint.id)
        partners.wait(96 * HOUR)
        await partners.push()
        await receiver.stop()
        return receiver, disabled, failed_after

    receiver, disabled, _ = asyncio.run(story())

    assert len(receiver.posts) == len(PAUSES)
    times = [int(post.headers["webhook-timestamp"]) for post in receiver.posts]
    assert [after - before for before, after in pairwise(times)] == pytest.approx(
        [pause.total_seconds() for pause in PAUSES[1:]], abs=3
    )
    assert len(set(ids_of(receiver.posts))) == 1
    assert len({post.headers["webhook-signature"] for post in receiver.posts}) == len(PAUSES)
    assert (disabled.status, disabled.disabled_because) == ("disabled", "failing")
    assert disabled.owner_told_at is None  # that is the worker's: tests/integration/notify/test_owners.py
    assert partners.ask("SELECT count(*) FROM audit_record WHERE action = 'endpoint.disable'") == [(1,)]
    assert [row[0] for row in partners.ask("SELECT outcome FROM webhook_attempt ORDER BY number")] == ["failed"] * 10


def test_an_endpoint_switched_on_again_gets_all_that_it_missed(notify, partners):
    async def story():
        receiver = await Receiver().start()
        endpoint, _ = await connected(partners, receiver)
        receiver.answers = [reply(410)]
        notify.learn(received_issue(1))
        await partners.push()
        gone = partners.endpoint(endpoint.id)
        notify.learn(received_issue(2))
        partners.wait(HOUR)
        await partners.push()
        missed = len(receiver.posts)
        with acting(EVERYWHERE):
            endpoints.take_step(partners.pool, endpoint.id, "resume", expected=None, now=partners.now)
        await partners.push()
        await receiver.stop()
        return receiver, gone, missed

    receiver, gone, missed = asyncio.run(story())

    assert (gone.status, gone.disabled_because, missed) == ("disabled", "gone", 1)
    first, second, third = receiver.posts
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert third.event["subject"] == f"issue/{UUID(int=2)}"


def test_retry_after_holds_the_whole_endpoint(notify, partners):
    async def story():
        receiver = await Receiver().start()
        await connected(partners, receiver)
        receiver.answers = [reply(429, "Retry-After: 600")]
        notify.learn(received_issue(1))
        await partners.push()
        notify.learn(received_issue(2))
        partners.wait(599 * SECOND)
        await partners.push()
        held = len(receiver.posts)
        partners.wait(2 * SECOND)
        await partners.push()
        await receiver.stop()
        return receiver, held

    receiver, held = asyncio.run(story())

    assert held == 1
    assert len(receiver.posts) == 3
    assert states(partners) == [("delivered", 2), ("delivered", 1)]


def test_a_redirect_is_a_failure_and_is_never_followed(notify, partners):
    async def story():
        trap = await Receiver().start()
        receiver = await Receiver().start()
        await connected(partners, receiver)
        receiver.always = lambda _: reply(307, f"Location: {trap.url}")
        notify.learn(received_issue(1))
        await partners.push()
        await receiver.stop()
        await trap.stop()
        return trap

    assert asyncio.run(story()).connections == 0
    assert partners.ask("SELECT status, http_status FROM webhook_delivery") == [("due", 307)]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (reply(200, body=b"x" * 70_000), "too-large"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "protocol"),
        (b"nonsense\r\n\r\n", "protocol"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000, "protocol"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", "protocol"),
    ],
)
def test_an_answer_that_is_none_is_a_failure(notify, partners, answer, reason):
    async def story():
        receiver = await Receiver().start()
        await connected(partners, receiver)
        receiver.always = lambda _: answer
        notify.learn(received_issue(1))
        await partners.push()
        await receiver.stop()

    asyncio.run(story())

    assert partners.ask("SELECT status, reason FROM webhook_delivery") == [("due", reason)]


def test_a_dripping_receiver_is_cut_off_and_holds_up_nobody(notify, partners):
    """Its connections are its own: another endpoint's two hundred are through before it is even cut off."""
    partners.limits = CallLimits(total_seconds=15)
    signed, received = (f"cn.lianxin.issue.{name}.v1" for name in ("signed", "received"))

    async def story():
        slow, fast = await Receiver().start(), await Receiver().start()
        await connected(partners, slow, agreed={"event_types": (signed,)})
        await connected(partners, fast, agreed={"number": "2025-02", "event_types": (received,)})
        slow.always = lambda _: (reply(200, body=b"x" * 1_000), 0.2)
        notify.learn(*(received_issue(number) for number in range(1, 201)))
        notify.learn(*((signed_issue(number), 2) for number in range(1, 9)))
        pusher = partners.pusher()
        running = asyncio.create_task(pusher.run_until_idle())
        while len(fast.posts) < 200:
            await asyncio.sleep(0.01)
        cut_off = partners.ask("SELECT count(*) FROM webhook_attempt WHERE reason = 'timeout'")
        await running
        await pusher.close()
        await slow.stop()
        await fast.stop()
        return cut_off

    assert asyncio.run(story()) == [(0,)]
    [(least, most)] = partners.ask(
        "SELECT min(milliseconds), max(milliseconds) FROM webhook_attempt WHERE reason = 'timeout'"
    )
    assert 14_900 <= least <= most <= 25_000


def test_events_of_one_subject_arrive_in_order_whatever_fails(notify, partners):
    async def story():
        receiver = await Receiver().start()
        await connected(partners, receiver)
        fail = iter([True, False, True, True] + [False] * 100)
        receiver.always = lambda _: reply(500 if next(fail) else 204)
        notify.learn((received_issue(1), 1), *((signed_issue(1), sequence) for sequence in range(2, 11)))
        for pause in PAUSES[:6]:
            partners.wait(pause * 1.2)
            await partners.push()
        await receiver.stop()
        return receiver

    receiver = asyncio.run(story())

    arrived = [int(post.event["sequence"]) for post in receiver.posts]
    assert arrived == sorted(arrived), "none is tried before the one before it has arrived"
    assert len(arrived) == 13
    assert len(set(ids_of(receiver.posts))) == 10


def test_a_receiver_that_was_away_for_72_hours_gets_everything(notify, partners):
    async def story():
        receiver = await Receiver().start()
        port = receiver.port
        await connected(partners, receiver)
        await receiver.stop()
        told = 0
        for hour in range(72):
            notify.learn(
                *((received_issue(100 + hour), 1), *((signed_issue(100 + hour), step) for step in range(2, 6)))
            )
            told += 5
            await partners.push()
            partners.wait(HOUR)
        attempts = partners.ask("SELECT count(*) FROM webhook_attempt")[0][0]
        back = await Receiver(port=port).start()
        partners.wait(timedelta(minutes=6))
        for _ in range(10):
            await partners.push()
            partners.wait(SECOND)
        await back.stop()
        return back, told, attempts

    receiver, told, attempts = asyncio.run(story())

    assert told == len(set(ids_of(receiver.posts)))
    assert len(receiver.posts) == told, "nothing was handed over twice, for no answer was lost"
    sequences: dict[str, list[int]] = defaultdict(list)
    for post in receiver.posts:
        sequences[post.event["subject"]].append(int(post.event["sequence"]))
    assert all(found == sorted(found) for found in sequences.values())
    assert attempts < 2 * 72, "an endpoint that is away is looked at by one delivery at a time"
    assert {status for status, _ in states(partners)} == {"delivered"}


def test_a_receiver_that_fails_for_72_hours_gets_everything_under_the_same_ids(notify, partners):
    """It hears of attempts all the time, and can tell by their ids that they are the same events."""
    is_down = True

    async def story():
        nonlocal is_down
        receiver = await Receiver().start()
        await connected(partners, receiver)
        receiver.always = lambda _: reply(500 if is_down else 204)
        for hour in range(72):
            notify.learn((received_issue(100 + hour), 1), (signed_issue(100 + hour), 2))
            await partners.push()
            partners.wait(HOUR)
        failed = len(receiver.posts)
        is_down = False
        partners.wait(timedelta(minutes=6))
        for _ in range(10):
            await partners.push()
            partners.wait(SECOND)
        await receiver.stop()
        return receiver.posts[:failed], receiver.posts[failed:]

    failed, taken = asyncio.run(story())

    logged = {str(event_id) for (event_id,) in partners.ask("SELECT event_id FROM event")}
    assert {post.headers["webhook-id"] for post in taken} == logged
    assert len(taken) == len(logged) == 144, "each once, for no answer was lost"
    assert len(failed) >= 9, "the schedule of the first has come to its last step but one"
    attempts = defaultdict(list)
    for post in [*failed, *taken]:
        assert post.headers["webhook-id"] == post.event["id"]
        attempts[post.headers["webhook-id"]].append(post)
    for of_one in attempts.values():
        assert len({post.body for post in of_one}) == 1
        stamps = [int(post.headers["webhook-timestamp"]) for post in of_one]
        assert stamps == sorted(set(stamps)), "each attempt has a time of its own"
    sequences = defaultdict(list)
    for post in taken:
        sequences[post.event["subject"]].append(int(post.event["sequence"]))
    assert all(found == [1, 2] for found in sequences.values())


def test_one_event_that_is_refused_for_good_fails_alone(notify, partners):
    async def story():
        receiver = await Receiver().start()
        await connected(partners, receiver)
        poison = f"issue/{UUID(int=1)}"
        receiver.always = lambda one: reply(400 if one.event["subject"] == poison else 204)
        notify.learn(received_issue(1))
        for number, pause in enumerate(PAUSES, 2):
            partners.wait(pause)
            await partners.push()
            notify.learn(received_issue(number))
            await partners.push()
        await receiver.stop()

    asyncio.run(story())

    counts = partners.ask("SELECT status, count(*) FROM webhook_delivery GROUP BY status ORDER BY status")
    assert counts == [("delivered", 10), ("failed", 1)]
    assert partners.ask("SELECT status FROM webhook_endpoint") == [("active",)]


def test_a_new_key_and_the_old_one_sign_together_until_the_old_one_ends(notify, partners):
    async def story():
        receiver = await Receiver().start()
        endpoint, old = await connected(partners, receiver)
        with acting(EVERYWHERE):
            new = endpoints.rotate_key(
                partners.desk,
                endpoint.id,
                Rotation(kind="v1a", overlap=timedelta(hours=2)),
                by=OFFICER,
                new_id=new_id(),
                now=partners.now,
            )
        for number in (1, 2):
            notify.learn(received_issue(number))
            await partners.push()
            partners.wait(3 * HOUR)
        await receiver.stop()
        return receiver, old, new

    receiver, old, new = asyncio.run(story())

    both, one = (post.headers["webhook-signature"].split(" ") for post in receiver.posts)
    assert (len(both), len(one)) == (2, 1)
    assert old.shown != new.shown
    sealed = partners.ask("SELECT sealed FROM webhook_key")
    assert not any(
        base64.b64decode(key.shown.removeprefix("whpk_")) in bytes(row[0]) for key in (old, new) for row in sealed
    )


def test_types_and_organisations_narrow_what_is_told(notify, partners):
    async def story():
        receiver = await Receiver().start()
        await connected(partners, receiver, agreed={"event_types": ("cn.lianxin.issue.signed.v1",)})
        notify.learn((received_issue(1), 1), (signed_issue(1), 2))
        await partners.push()
        await receiver.stop()
        return receiver

    receiver = asyncio.run(story())

    assert [post.event["type"] for post in receiver.posts] == ["cn.lianxin.issue.signed.v1"]


@pytest.mark.parametrize("kind", ["complaint", "report"])
def test_nothing_of_a_complaint_is_told_from_its_first_event_on(notify, partners, kind):
    async def story():
        receiver = await Receiver().start()
        await connected(partners, receiver)
        notify.learn((received_issue(1, issue_type=kind), 1), (signed_issue(1), 2), (signed_issue(9), 2))
        await partners.push()
        await receiver.stop()
        return receiver

    assert asyncio.run(story()).posts == []
    assert states(partners) == []


def test_without_an_agreement_in_force_nothing_goes_out(notify, partners):
    async def story():
        receiver = await Receiver().start()
        over, ended = await Receiver().start(), await Receiver().start()
        await connected(partners, over, agreed={"valid_until": partners.now + HOUR})
        agreement = partners.agree("2025-02")
        partners.connect(agreement, ended.url)
        await connected(partners, receiver, agreed={"number": "2025-03"})
        partners.wait(2 * HOUR)
        with acting(EVERYWHERE):
            agreements.end_agreement(partners.pool, agreement.id, reason="协议终止", now=partners.now)
        notify.learn(received_issue(1))
        await partners.push()
        for one in (receiver, over, ended):
            await one.stop()
        return [len(one.posts) for one in (receiver, over, ended)]

    assert asyncio.run(story()) == [1, 0, 0]
    assert partners.ask("SELECT count(*) FROM disclosure") == [(1,)]


def test_what_went_out_stands_in_the_ledger_once_however_often_it_was_tried(notify, partners):
    async def story():
        receiver = await Receiver(answers=[reply(500), reply(500)]).start()
        endpoint, _ = await connected(partners, receiver)
        notify.learn(received_issue(1))
        for pause in PAUSES[:3]:
            partners.wait(pause)
            await partners.push()
        await receiver.stop()
        return endpoint

    endpoint = asyncio.run(story())

    [row] = partners.ask("SELECT via, recipient, event_type, subject, content FROM disclosure")
    assert row == ("webhook", str(endpoint.id), "cn.lianxin.issue.received.v1", f"issue/{UUID(int=1)}", "facts")


@pytest.mark.parametrize("change", ["UPDATE disclosure SET recipient = 'x'", "DELETE FROM disclosure"])
def test_the_ledger_is_added_to_and_never_changed(notify, partners, change):
    async def story():
        receiver = await Receiver().start()
        await connected(partners, receiver)
        notify.learn(received_issue(1))
        await partners.push()
        await receiver.stop()

    asyncio.run(story())

    with pytest.raises(InsufficientPrivilege):
        partners.ask(f"{change} RETURNING 1")


def test_a_test_delivery_tells_of_nothing_and_is_tried_once(partners):
    async def story():
        receiver = await Receiver().start()
        endpoint, _ = await connected(partners, receiver)
        receiver.answers = [reply(500)]
        with acting(EVERYWHERE):
            order_test(partners.pool, endpoint.id, "cn.lianxin.webhook.tested.v1", event_id=new_id(), now=partners.now)
        await partners.push()
        partners.wait(HOUR)
        await partners.push()
        await receiver.stop()
        return receiver

    [post] = asyncio.run(story()).posts

    assert post.event["data"] == {}
    assert partners.ask("SELECT status, http_status FROM webhook_delivery") == [("failed", 500)]
    assert partners.ask("SELECT failures FROM webhook_endpoint") == [(0,)]


def test_the_rate_that_a_receiver_allows_is_kept(notify, partners):
    once_a_second = reply(200, "WebHook-Allowed-Origin: *", "WebHook-Allowed-Rate: 60")

    async def story():
        receiver = await Receiver(always=lambda _: once_a_second).start()
        await connected(partners, receiver)
        notify.learn(*(received_issue(number) for number in range(1, 31)))
        counts = []
        for _ in range(10):
            await partners.push()
            counts.append(len(receiver.posts))
            partners.wait(SECOND)
        await receiver.stop()
        return counts

    counts = asyncio.run(story())

    assert counts[-1] <= 11
    assert counts[-1] >= 9


def test_what_a_dead_process_had_claimed_is_found_by_its_lease(notify, partners):
    async def story():
        receiver = await Receiver().start()
        await connected(partners, receiver)
        notify.learn(*(received_issue(number) for number in range(1, 6)))
        claim_errands(partners.pool, partners.rules, {}, room=100, clock=lambda: partners.now)
        await partners.push()
        early = len(receiver.posts)
        partners.wait(timedelta(seconds=61))
        await partners.push()
        await receiver.stop()
        return receiver, early

    receiver, early = asyncio.run(story())

    assert (early, len(receiver.posts)) == (0, 5)
    assert partners.ask("SELECT outcome, count(*) FROM webhook_attempt GROUP BY 1 ORDER BY 1") == [
        ("delivered", 5),
        ("unknown", 5),
    ]


def test_what_a_dead_process_had_claimed_holds_up_nothing_else(notify, partners):
    partners.rules = PushRules(claimed_most=5)

    async def story():
        receiver = await Receiver().start()
        await connected(partners, receiver)
        notify.learn(*(received_issue(number) for number in range(1, 21)))
        claim_errands(partners.pool, partners.rules, {}, room=100, clock=lambda: partners.now)
        await partners.push()
        await receiver.stop()
        return receiver

    receiver = asyncio.run(story())

    assert len(receiver.posts) == 15
    assert states(partners).count(("claimed", 1)) == 5


def test_two_pushers_at_once_hand_everything_over_once(notify, partners):
    async def story():
        receiver = await Receiver().start()
        await connected(partners, receiver)
        notify.learn(*(received_issue(number) for number in range(1, 101)))
        await asyncio.gather(partners.push(), partners.push())
        await partners.push()
        await receiver.stop()
        return receiver

    receiver = asyncio.run(story())

    assert len(receiver.posts) == 100 == len(set(ids_of(receiver.posts)))
