"""A mail server with moods, and short ways to news, subscriptions and digests."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import default
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Session
from aiosmtpd.smtp import Envelope as SmtpEnvelope

from embedded.layout import free_port
from services.notify.channels.mail import MailChannel
from services.notify.channels.protocol import Channel, Channels
from services.notify.domain.messages import Rendering
from services.notify.domain.news import News
from services.notify.domain.subscriptions import Wish
from services.notify.handlers.delivering import Chances, DeliveryRules, deliver_batch, find_due
from services.notify.handlers.digests import DigestRules, compose_digests
from services.notify.handlers.events import take_events
from services.notify.handlers.noticing import NoticeRules, note_events
from services.notify.handlers.periods import note_periods
from services.notify.handlers.rules import load_rules
from services.notify.handlers.subscriptions import put_subscription
from services.notify.handlers.telling import TellingRules, tell_all
from services.notify.rendering.digests import Renderer
from services.notify.rendering.notices import Wordings
from services.notify.storage import deliveries, digests, subscriptions
from services.notify.storage.deliveries import NewDelivery
from services.notify.storage.digests import NewDigest
from services.notify.storage.directory import Directory, NoDirectory
from shared.calendars import load_calendar
from shared.contracts.assessment import ScoreComputed
from shared.contracts.base import Event
from shared.contracts.envelope import Envelope, decode, encode
from shared.database import Pool, transaction
from shared.gateways.backoff import Backoff
from shared.identifiers import new_id

ZONE = ZoneInfo("Asia/Shanghai")
OWED = Wish(name="owed", recipient_name="王建国", email=None, organisation_id=None, language="zh", channels=("inbox",))
CALENDAR = load_calendar(None, zone=ZONE)
NOW = datetime(2025, 4, 1, 1, 0, tzinfo=UTC)


@dataclass
class MailServer:
    """Answers to DATA from a script, then with 250. Can be down: then nothing listens on its port."""

    port: int
    answers: list[str] = field(default_factory=list)
    sessions: int = 0
    received: list[EmailMessage] = field(default_factory=list)
    refused_recipients: dict[str, str] = field(default_factory=dict)
    controller: Controller | None = None

    async def handle_EHLO(  # noqa: N802 - aiosmtpd finds it by this name
        self, _: SMTP, session: Session, __: SmtpEnvelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.sessions += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(self, _: SMTP, __: Session, envelope: SmtpEnvelope, address: str, ___: list[str]) -> str:  # noqa: N802 - aiosmtpd finds it by this name
        if address in self.refused_recipients:
            return self.refused_recipients[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _: SMTP, __: Session, envelope: SmtpEnvelope) -> str:  # noqa: N802 - aiosmtpd finds it by this name
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250"):
            assert isinstance(envelope.content, bytes)
            message = message_from_bytes(envelope.content, policy=default)
            assert isinstance(message, EmailMessage)
            self.received.append(message)
        return answer

    def start(self) -> None:
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self.controller.start()

    def stop(self) -> None:
        if self.controller is not None:
            self.controller.stop()
            self.controller = None


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    server = MailServer(port=free_port())
    server.start()
    yield server
    server.stop()


@dataclass
class Notify:
    """The service on a real database, with a clock of its own."""

    pool: Pool
    channel: MailChannel
    more_channels: dict[str, Channel] = field(default_factory=dict)
    now: datetime = NOW
    directory: Directory = field(default_factory=NoDirectory)
    groups: dict[str, list[str]] = field(default_factory=dict)
    interval: timedelta = timedelta(seconds=60)
    largest_digest: int = 20_000
    rules: DeliveryRules = field(
        default_factory=lambda: DeliveryRules(attempts_max=5, backoff=Backoff(shortest=timedelta(seconds=20)))
    )

    def subscribe(
        self,
        name: str = "county",
        *,
        email: str | None = "wang@example.org",
        organisation_id: UUID | None = None,
        language: str = "zh",
        channels: tuple[str, ...] = ("inbox", "email"),
    ) -> None:
        wish = Wish(
            name=name,
            recipient_name="王建国",
            email=email,
            organisation_id=organisation_id,
            language=language,  # type: ignore[arg-type] # checked by the domain's type in the product
            channels=channels,
        )
        put_subscription(self.pool, wish, expected=None, new_id=new_id())

    def hear(self, *news: News) -> int:
        return self.take("notify.events", *(envelope_of(score_of(item), sequence=item.sequence) for item in news))

    def take(self, consumer: str, *envelopes: Envelope) -> int:
        return take_events(self.pool, consumer, envelopes, zone=ZONE, now=self.now)

    def learn(self, *events: Event | tuple[Event, int]) -> int:
        """Take events of intake in, one batch; a plain one has the sequence 1."""
        pairs = [item if isinstance(item, tuple) else (item, 1) for item in events]
        return self.take("notify.intake", *(envelope_of(event, sequence=sequence) for event, sequence in pairs))

    def compose(self) -> int:
        rules = DigestRules(
            interval=self.interval,
            valid_for=timedelta(hours=48),
            mail_domain="example.org",
            largest=self.largest_digest,
        )
        return compose_digests(self.pool, Renderer(ZONE), rules, now=self.now, new_id=new_id)

    def note(self) -> int:
        rules = NoticeRules(rules=load_rules(), calendar=CALENDAR, groups=self.groups)
        return note_events(self.pool, rules, self.directory, now=self.now, new_id=new_id)

    def note_periods(self) -> int:
        rules = NoticeRules(rules=load_rules(), calendar=CALENDAR, groups=self.groups)
        return note_periods(self.pool, rules, self.directory, now=self.now, new_id=new_id)

    def tell(self, wordings: Wordings | None = None) -> int:
        """Note what was heard, and tell what is due by now."""
        self.note()
        rules = TellingRules(
            calendar=CALENDAR,
            channels=self.channels,
            while_open=frozenset(rule.code for rule in load_rules() if rule.while_open),
            wordings=wordings or Wordings({}, zone=ZONE, desk_url="https://lianxin.example.org/desk/issues/"),
            mail_domain="example.org",
        )
        return tell_all(self.pool, rules, now=self.now, new_id=new_id)

    def owe(
        self,
        channel: str,
        address: str,
        *,
        text: str = "您有一件诉求即将到期。",
        valid_for: timedelta = timedelta(hours=48),
    ) -> UUID:
        """One delivery is due, of a digest of its own."""
        digest_id, delivery_id = new_id(), new_id()
        rendering = Rendering(subject="【连心】提醒", text_body=text, html_body="")
        with transaction(self.pool) as connection:
            subscription = subscriptions.find_subscription(connection, "owed")
            if subscription is None:
                subscriptions.insert_subscription(connection, new_id(), OWED)
                subscription = subscriptions.find_subscription(connection, "owed")
            assert subscription is not None
            digests.insert_digest(
                connection,
                NewDigest(
                    id=digest_id,
                    subscription_id=subscription.id,
                    composed_at=self.now,
                    seen_through=1,
                    score_count=1,
                    language="zh",
                    rendering=rendering,
                    correlation_id="0123456789abcdef",
                ),
            )
            deliveries.insert_delivery(
                connection,
                NewDelivery(
                    id=delivery_id,
                    digest_id=digest_id,
                    channel=channel,
                    endpoint=self.channels[channel].endpoint_of(address),
                    recipient_name="王建国",
                    address=address,
                    message_id=f"<{delivery_id}@example.org>",
                    status="due",
                    created_at=self.now,
                    valid_until=self.now + valid_for,
                ),
            )
        return delivery_id

    def state_of(self, delivery_id: UUID) -> tuple[object, ...]:
        [state] = self.ask(f"SELECT status, attempts, reason FROM delivery WHERE id = '{delivery_id}'")  # noqa: S608
        return state

    def deliver(self) -> int:
        """Try one batch of everything that is due, one endpoint after the other; return how many were tried."""
        chances = Chances(clock=lambda: self.now, draw=lambda: 1.0)
        return sum(
            deliver_batch(self.pool, self.channels[name], endpoint, self.rules, chances)
            for name, endpoint in find_due(self.pool, self.channels, self.rules, now=self.now)
        )

    @property
    def channels(self) -> Channels:
        return {"email": self.channel, **self.more_channels}

    def wait(self, pause: timedelta) -> None:
        self.now += pause

    def ask(self, query: str) -> list[tuple[object, ...]]:
        with transaction(self.pool) as connection:
            return connection.execute(query.encode()).fetchall()

    def emails(self) -> list[tuple[object, ...]]:
        return self.ask("SELECT status, attempts, reason FROM delivery WHERE channel = 'email' ORDER BY id")


@pytest.fixture
def notify(new_pool: Callable[[str], Pool], mail_server: MailServer) -> Notify:
    sender = Address(display_name="连心", addr_spec="lianxin@example.org")
    channel = MailChannel(("smtp", "127.0.0.1", mail_server.port), None, sender=sender, timeout_seconds=5)
    return Notify(pool=new_pool("notify"), channel=channel)


def make_news(number: int = 1, *, sequence: int = 1, composite: str | None = "80", path: tuple[int, ...] = ()) -> News:
    """News of cadre `number` in the first quarter of 2025."""
    return News(
        score_id=UUID(int=1_000 + number),
        sequence=sequence,
        subject_kind="cadre",
        subject_id=UUID(int=number),
        subject_code=f"C{number:04}",
        subject_name=f"李{number}",
        organisation_path=tuple(UUID(int=step) for step in path),
        period_kind="quarter",
        period_start=date(2025, 1, 1),
        composite=None if composite is None else Decimal(composite),
        previous=None,
        scheme="county",
        scheme_version=1,
        computed_at=NOW,
        correlation_id="0123456789abcdef",
    )


def score_of(news: News) -> ScoreComputed:
    return ScoreComputed(
        score_id=news.score_id,
        subject_kind=news.subject_kind,
        subject_id=news.subject_id,
        subject_code=news.subject_code,
        subject_name=news.subject_name,
        organisation_path=list(news.organisation_path),
        period_kind=news.period_kind,
        period_start=news.period_start,
        composite=news.composite,
        previous=news.previous,
        scheme=news.scheme,
        scheme_version=news.scheme_version,
        computed_at=news.computed_at,
    )


def envelope_of(event: Event, *, sequence: int = 1, event_id: UUID | None = None, at: datetime = NOW) -> Envelope:
    return decode(
        encode(
            event_id=event_id or new_id(),
            event_type=event.type,
            source=f"/{event.key.partition('.')[0]}",
            subject=f"{event.aggregate}/{event.aggregate_id}",
            sequence=sequence,
            recorded_at=at,
            correlation_id="0123456789abcdef",
            data=event.model_dump(mode="json", exclude_none=True),
        )
    )
