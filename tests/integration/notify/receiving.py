"""A partner's receiver with moods, on this machine, and short ways to agreements and endpoints."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from services.notify.channels.webhooks import CallLimits, WebhookChannel, make_context
from services.notify.domain.agreements import Agreement, Terms
from services.notify.domain.destinations import EgressRules, read_networks
from services.notify.domain.endpoints import Endpoint, EndpointWish
from services.notify.handlers import agreements, endpoints
from services.notify.handlers.endpoints import EndpointDesk, MadeKey
from services.notify.handlers.webhook_deliveries import PushRules
from services.notify.pushing import Pusher, PusherSettings
from shared.contracts.intake.issue_work import IssueSigned
from shared.contracts.intake.issues import IssueReceived
from shared.crypto import KeyRing
from shared.database import Pool, transaction
from shared.identifiers import new_id
from shared.reach import Reach, acting
from tests.fakes import person
from tests.integration.notify.conftest import NOW

TRUSTING = make_context()  # once: to read all authorities takes longer than most pushes
ORIGIN = "lianxin.example.cn"
LOOPBACK_RULES = EgressRules(networks=read_networks(["127.0.0.0/8"]), plain_loopback=True)
OFFICER = person("department_officer", name="officer")
APPROVER = person("approver", name="approver")
EVERYWHERE = Reach(kind="everywhere", actor="officer", role="department_officer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(self.body)
        return read


Script = Callable[[Received], bytes | tuple[bytes, float]]


def reply(status: int, *headers: str, body: bytes = b"") -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def agree_to_handshakes(received: Received) -> bytes | None:
    if received.method != "OPTIONS":
        return None
    return reply(200, f"WebHook-Allowed-Origin: {ORIGIN}", "WebHook-Allowed-Rate: *")


@dataclass
class Receiver:
    """Answers from a script, else 204. A script's answer may come with the seconds between two of its bytes."""

    answers: list[bytes] = field(default_factory=list)
    always: Script | None = None
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    server: asyncio.Server | None = None
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def posts(self) -> list[Received]:
        return [one for one in self.received if one.method == "POST"]

    async def start(self) -> "Receiver":
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = int(self.server.sockets[0].getsockname()[1])
        return self

    async def stop(self) -> None:
        if self.server is not None:
            self.server.close()
            for writer in list(self._writers):
                writer.close()
            await self.server.wait_closed()
            self.server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        try:
            while True:
                received = await self._read(reader)
                self.received.append(received)
                await self._answer(writer, self._choose(received))
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass  # the other side hung up, or the story is over
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> Received:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        return Received(method=method, path=path, headers=headers, body=body)

    def _choose(self, received: Received) -> bytes | tuple[bytes, float]:
        agreed = agree_to_handshakes(received)
        if agreed is not None and self.always is None:
            return agreed
        if self.answers and received.method == "POST":
            return self.answers.pop(0)
        return self.always(received) if self.always is not None else reply(204)

    async def _answer(self, writer: asyncio.StreamWriter, answer: bytes | tuple[bytes, float]) -> None:
        if isinstance(answer, bytes):
            writer.write(answer)
            await writer.drain()
            return
        content, seconds = answer
        for position in range(len(content)):
            writer.write(content[position : position + 1])
            await writer.drain()
            await asyncio.sleep(seconds)


@dataclass
class Partners:
    """Agreements and endpoints of a notify with a clock of its own, and a pusher that keeps that clock."""

    pool: Pool
    crypto: KeyRing
    now: datetime = NOW
    limits: CallLimits = field(default_factory=CallLimits)
    rules: PushRules = field(default_factory=PushRules)
    in_flight: int = 8
    draw: float = 0.0

    @property
    def desk(self) -> EndpointDesk:
        return EndpointDesk(pool=self.pool, crypto=self.crypto, rules=LOOPBACK_RULES)

    def wait(self, pause: timedelta) -> None:
        self.now += pause

    def agree(self, number: str = "2025-01", **more: Any) -> Agreement:
        terms = Terms(
            **{
                "number": number,
                "partner": "市12345平台",
                "client_id": None,
                "event_types": (),
                "organisation_id": None,
                "content": "facts",
                "valid_from": self.now - timedelta(days=1),
                "valid_until": self.now + timedelta(days=300),
                **more,
            }
        )
        with acting(EVERYWHERE):
            made = agreements.propose_agreement(self.pool, terms, by=OFFICER, new_id=new_id(), now=self.now)
            return agreements.decide_agreement(self.pool, made.id, "agreed", by=APPROVER, now=self.now)

    def propose(self, agreement: Agreement, url: str, **more: Any) -> tuple[Endpoint, MadeKey]:
        wish = EndpointWish(url=url, **more)
        with acting(EVERYWHERE):
            return endpoints.propose_endpoint(self.desk, agreement.id, wish, by=OFFICER, new_id=new_id, now=self.now)

    def connect(self, agreement: Agreement, url: str, **more: Any) -> tuple[Endpoint, MadeKey]:
        """An endpoint that two persons agreed to; its receiver has not been asked yet."""
        endpoint, key = self.propose(agreement, url, **more)
        with acting(EVERYWHERE):
            decided = endpoints.decide_endpoint(self.pool, endpoint.id, "approve", by=APPROVER, now=self.now)
        return decided, key

    def pusher(self, **more: Any) -> Pusher:
        return Pusher(
            self.pool,
            WebhookChannel(more.pop("egress", LOOPBACK_RULES), limits=self.limits, **{"tls": TRUSTING, **more}),
            self.crypto,
            PusherSettings(origin=ORIGIN, in_flight=self.in_flight, rules=self.rules, turn_seconds=0),
            clock=lambda: self.now,
            draw=lambda: self.draw,
        )

    async def push(self) -> None:
        """Everything that is due now, with a process of its own."""
        pusher = self.pusher()
        try:
            await pusher.run_until_idle()
        finally:
            await pusher.close()

    def endpoint(self, endpoint_id: UUID) -> Endpoint:
        with acting(EVERYWHERE):
            return endpoints.get_endpoint(self.pool, endpoint_id, now=self.now)[0]

    def ask(self, query: str, *values: object) -> list[tuple[object, ...]]:
        with transaction(self.pool) as connection:
            return connection.execute(query.encode(), values).fetchall()


def make_partners(pool: Pool, keys_folder: Path) -> Partners:
    return Partners(pool=pool, crypto=KeyRing(keys_folder / "notify"))


def received_issue(number: int, *, organisation_id: UUID | None = None, issue_type: str = "help") -> IssueReceived:
    return IssueReceived(
        issue_id=UUID(int=number),
        issue_type=issue_type,
        category="water_supply",
        channel="phone",
        source="county",
        received_at=datetime(2025, 3, 31, tzinfo=UTC),
        organisation_id=organisation_id,
        citizen_ref=UUID(int=77),
    )


def signed_issue(number: int) -> IssueSigned:
    return IssueSigned(issue_id=UUID(int=number), signed_at=datetime(2025, 3, 31, 1, tzinfo=UTC))


def ids_of(posts: Sequence[Received]) -> list[str]:
    return [post.headers["webhook-id"] for post in posts]
