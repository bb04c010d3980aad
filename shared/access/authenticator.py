"""The authenticator of every service: a person's session cookie or a machine's bearer token, and nothing else."""

import asyncio
import hashlib
import ipaddress
import re
from collections.abc import Callable, Collection, Hashable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool

from shared.access import tokens
from shared.access.principal import Asked, Principal
from shared.access.refusals import KnownOnce, NoLonger, Reason
from shared.access.store import Client, IdentityStore, Remembered
from shared.access.tokens import VerifiedToken
from shared.errors import Forbidden, Unauthenticated

SESSION_COOKIE: Final = "__Host-lianxin"
REQUEST_HEADER: Final = "x-lianxin-request"
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
LONGEST_TOKEN: Final = 4_096
Answer = TypeVar("Answer")
_SESSION_ID = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)  # 256 bits as base64url


class CrossSite(Forbidden):
    """A page that is not ours made the browser send this."""

    code = "cross-site"


def digest_of(session_id: str) -> bytes:
    """By which a session is stored and found: SHA-256 of the text in the cookie."""
    return hashlib.sha256(session_id.encode("ascii")).digest()


class SessionsAndTokens:
    """Raises Unauthenticated for everybody else. Not a word of a refusal tells what was wrong with a credential."""

    def __init__(
        self,
        store: IdentityStore,
        *,
        audience: str,
        allowed_origins: Collection[str] = (),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._audience = audience
        self._allowed_origins = frozenset(allowed_origins)
        self._clock = clock
        self._verified: Remembered[VerifiedToken] = Remembered()
        self._under_way: dict[Hashable, asyncio.Task[Any]] = {}

    async def authenticate(self, asked: Asked) -> Principal:
        """Raises Unauthenticated, Forbidden, DatabaseAway. A bearer token goes before a cookie, even a bad one."""
        authorization = asked.headers.get("authorization")
        if authorization is not None:
            return await self._authenticate_machine(authorization, asked.address)
        session_id = read_session_cookie(asked)
        if session_id is None:
            raise Unauthenticated("a session or a bearer token is needed")
        self._refuse_cross_site(asked)
        digest = digest_of(session_id)
        known = self._store.find_session(digest)
        principal = (
            known[0]
            if known is not None
            else await self._ask(("session", digest), lambda: self._store.get_session(digest, now=self._clock()))
        )
        if principal is None:
            over = await self._ask(("over", digest), lambda: self._store.explain_session(digest, now=self._clock()))
            detail = "the session is not known here or is over"
            raise Unauthenticated(detail) if over is None else NoLonger(detail, over)
        return principal

    async def _authenticate_machine(self, authorization: str, address: str | None) -> Principal:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not 20 <= len(token) <= LONGEST_TOKEN or not token.isascii():
            raise Unauthenticated("a session or a bearer token is needed")
        key = hashlib.sha256(token.encode("ascii")).digest()
        verified = self._verified.find(key)
        client = self._store.find_client(verified[0].client_id) if verified is not None else None
        if verified is not None and client is not None:
            return self._admit(verified[0], client[0], address)
        return self._admit(*await self._ask(("token", key), lambda: self._resolve_machine(key, token)), address)

    async def authenticate_client(self, client_id: str, address: str | None) -> Principal:
        """Raises Unauthenticated for one that is disabled, over, or asks from where it may not. Raises DatabaseAway."""
        known = self._store.find_client(client_id)
        client = (
            known[0]
            if known is not None
            else await self._ask(("client", client_id), lambda: self._store.get_client(client_id))
        )
        if client is None or not _is_within(address, client.allowed_networks):
            raise Unauthenticated("the client is not active, or not here")
        return client.principal

    async def _ask(self, key: Hashable, ask: Callable[[], Answer]) -> Answer:
        """On a thread, which one of many who miss the same answer at once takes; the others wait without one."""
        under_way = self._under_way.get(key)
        if under_way is None:
            under_way = asyncio.create_task(run_in_threadpool(ask))
            self._under_way[key] = under_way
            under_way.add_done_callback(lambda _: self._under_way.pop(key, None))
        answer: Answer = await asyncio.shield(under_way)  # whoever goes away leaves it to the others
        return answer

    def _admit(self, token: VerifiedToken, client: Client | None, address: str | None) -> Principal:
        """Raises Unauthenticated. What the token and the client both allow is allowed."""
        reason: Reason | None = None
        if client is None:
            reason = "client-not-active"
        elif self._clock().timestamp() >= token.expires_at:
            reason = "token-expired"
        elif not _is_within(address, client.allowed_networks):
            reason = "wrong-network"
        if client is None or reason is not None:
            raise NoLonger(tokens.REFUSED, _of_client(token.client_id, reason or "client-not-active"))
        if client.principal.scopes <= token.scopes:
            return client.principal
        return replace(client.principal, scopes=client.principal.scopes & token.scopes)

    def _resolve_machine(self, key: bytes, token: str) -> tuple[VerifiedToken, Client | None]:
        asked_at = self._verified.now()
        keys, now = self._store.list_token_keys(), self._clock()
        try:
            verified = tokens.verify(token, keys, audience=self._audience, now=now)
        except Unauthenticated as refusal:
            explained = tokens.explain(token, keys, audience=self._audience)
            if explained is None:
                raise
            raise NoLonger(refusal.detail, _of_client(*explained)) from None
        self._verified.keep(key, verified, asked_at=asked_at)
        return verified, self._store.get_client(verified.client_id)

    def _refuse_cross_site(self, asked: Asked) -> None:
        """Raises CrossSite for a change that no page of ours can have asked for."""
        if asked.method in SAFE_METHODS:
            return
        if asked.headers.get(REQUEST_HEADER) != "1":
            raise CrossSite("a change with a session needs the header X-Lianxin-Request: 1")
        origin = asked.headers.get("origin")
        if origin is not None and origin in self._allowed_origins:
            return
        if origin is not None and _host_of(origin) != asked.headers.get("host"):
            raise CrossSite("the request comes from a page that is not ours")
        if asked.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            raise CrossSite("the request comes from a page that is not ours")


def _of_client(client_id: str, reason: Reason) -> KnownOnce:
    return KnownOnce(reason=reason, object_type="machine_client", object_id=client_id, actor=client_id)


def _host_of(origin: str) -> str | None:
    """None for what is no origin of a page, such as a bracket without its end."""
    try:
        return urlsplit(origin).netloc or None
    except ValueError:
        return None


def read_session_cookie(asked: Asked) -> str | None:
    """Return the session's id; None where there is none, more than one, or none that we could have made."""
    pairs = [pair.strip().partition("=") for header in asked.cookies for pair in header.split(";")]
    found = [value for name, _, value in pairs if name == SESSION_COOKIE]
    return found[0] if len(found) == 1 and _SESSION_ID.fullmatch(found[0]) else None


def _is_within(address: str | None, networks: tuple[str, ...]) -> bool:
    if not networks:
        return True
    try:
        own = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    mapped = own.ipv4_mapped if isinstance(own, ipaddress.IPv6Address) else None
    return any((mapped or own) in ipaddress.ip_network(network, strict=False) for network in networks)
