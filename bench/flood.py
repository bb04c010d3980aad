"""Events of intake at a steady rate, prepared beforehand and published as its relay does: only the doors are spared.

Of ten events four are an issue's life, two another's that was closed at once, and four are contacts; in towns of fifty
cadres below one county.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from uuid import UUID

from shared.broker.publisher import OutgoingMessage, Publisher
from shared.contracts.base import Event
from shared.contracts.envelope import CONTENT_TYPE, encode
from shared.contracts.intake.contacts import ContactRecorded
from shared.contracts.intake.issues import IssueClosed, IssueReceived, IssueResponded
from shared.contracts.intake.ratings import RatingSubmitted
from shared.contracts.intake.registers import CadreRegistered, OrganisationRegistered, PostRecorded
from shared.identifiers import new_id
from tests.harness.suite import Suite

CADRES = 2_000
CADRES_A_TOWN = 50
BEAT_SECONDS = 0.05  # as long as the relay waits when it has sent everything
Post = tuple[UUID, UUID]  # cadre and organisation
Told = tuple[Event, int]  # with its sequence


class Flood:
    """`sent` grows as the broker confirms."""

    def __init__(self, publisher: Publisher, messages: Sequence[OutgoingMessage], *, rate: int) -> None:
        self._publisher = publisher
        self._messages = messages
        self._rate = rate
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._failure: Exception | None = None
        self.sent = 0

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Raises what went wrong meanwhile: then nothing was measured."""
        self._stopping.set()
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            self._publish_at_rate()
        except Exception as error:  # noqa: BLE001 - it goes on to whoever stops this
            self._failure = error

    def _publish_at_rate(self) -> None:
        started = time.perf_counter()
        while not self._stopping.is_set() and self.sent < len(self._messages):
            due = min(len(self._messages), int((time.perf_counter() - started) * self._rate))
            if refused := self._publisher.publish(self._messages[self.sent : due]):
                raise RuntimeError(f"{len(refused)} events were refused")
            self.sent = max(self.sent, due)
            self._stopping.wait(BEAT_SECONDS)


@contextmanager
def flood(suite: Suite, *, rate: int, seconds: int) -> Iterator[Flood]:
    """Register the cadres, prepare as many events as are wanted, and publish them from now on."""
    publisher = Publisher(suite.urls["LIANXIN_INTAKE_BROKER_URL"], exchange="evt.intake", name="bench.flood")
    publisher.open()
    try:
        registers, posts = _invent_registers()
        _publish_all(publisher, [_message(suite, *told) for told in registers])
        now = datetime.now(UTC)
        messages = [_message(suite, *told) for told in islice(_invent_events(posts, now), rate * seconds)]
        running = Flood(publisher, messages, rate=rate)
        running.start()
        try:
            yield running
        finally:
            running.stop()
    finally:
        publisher.close()


def _publish_all(publisher: Publisher, messages: Sequence[OutgoingMessage]) -> None:
    for start in range(0, len(messages), 1_000):
        publisher.publish(messages[start : start + 1_000])


def _invent_registers() -> tuple[list[Told], list[Post]]:
    county = new_id()
    towns = [new_id() for _ in range(CADRES // CADRES_A_TOWN)]
    told: list[Event] = [OrganisationRegistered(organisation_id=county, code="F0", name="标尺县", level="50")]
    for number, town in enumerate(towns, start=1):
        name = f"标尺县第{number}镇"
        told.append(
            OrganisationRegistered(organisation_id=town, code=f"F{number}", name=name, level="62", parent_id=county)
        )
    posts = [(new_id(), towns[number // CADRES_A_TOWN]) for number in range(CADRES)]
    for number, (cadre, town) in enumerate(posts):
        told.append(CadreRegistered(cadre_id=cadre, staff_number=f"F{number:05}", name=f"干部{number}"))
        told.append(
            PostRecorded(
                post_id=new_id(),
                cadre_id=cadre,
                organisation_id=town,
                post_kind="township_deputy",
                post_level="142",
                from_on=date(2020, 1, 1),
            )
        )
    return [(event, 1) for event in told], posts


def _invent_events(posts: Sequence[Post], now: datetime) -> Iterator[Told]:
    """Without an end. Neighbours in time are of cadres far apart, so that a pass finds as many cells as it can."""
    number = 0
    while True:
        whose = [posts[(number + step) * 997 % len(posts)] for step in range(6)]
        number += 6
        yield from _live(whose[0], now, is_rated=True)
        yield from _live(whose[1], now, is_rated=False)
        for cadre, town in whose[2:]:
            yield (
                ContactRecorded(
                    contact_id=new_id(),
                    cadre_id=cadre,
                    organisation_id=town,
                    kind="visit",
                    occurred_at=now,
                    recorded_at=now,
                    duration_minutes=45,
                ),
                1,
            )


def _live(post: Post, now: datetime, *, is_rated: bool) -> Iterator[Told]:
    issue = new_id()
    yield (
        IssueReceived(
            issue_id=issue,
            issue_type="help",
            category="roads",
            channel="phone",
            source="bench",
            received_at=now - timedelta(minutes=30),
            respond_by=now + timedelta(days=1),
            due_at=now + timedelta(days=5),
            cadre_id=post[0],
            organisation_id=post[1],
        ),
        1,
    )
    if is_rated:
        yield IssueResponded(issue_id=issue, responded_at=now - timedelta(minutes=20)), 2
    yield IssueClosed(issue_id=issue, closed_at=now, outcome="resolved", due_at=now + timedelta(days=5)), 3
    if is_rated:
        yield RatingSubmitted(rating_id=new_id(), issue_id=issue, level=4, method="link", rated_at=now), 1


def _message(suite: Suite, event: Event, sequence: int) -> OutgoingMessage:
    message_id = str(new_id())
    body = encode(
        event_id=message_id,
        event_type=event.type,
        source="/lianxin/intake",
        subject=f"{event.aggregate}/{event.aggregate_id}",
        sequence=sequence,
        recorded_at=datetime.now(UTC),
        correlation_id="bench",
        data=event.model_dump(mode="json"),
    )
    return OutgoingMessage(
        message_id=message_id,
        routing_key=event.key,
        content_type=CONTENT_TYPE,
        message_type=event.type,
        correlation_id="bench",
        body=body,
        seal=suite.seals("intake").seal(
            message_id=message_id, message_type=event.type, content_type=CONTENT_TYPE, body=body
        ),
    )
