"""Sessions, machine clients and token keys, read through the functions of the identity database and kept briefly.

What is read is believed for two seconds: a disabled account, a changed role and a log-out act everywhere within that.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any, Final, Generic, TypeVar, cast
from uuid import UUID

from psycopg.rows import dict_row

from shared.access.principal import Grant, Principal
from shared.access.refusals import KnownOnce
from shared.database import Pool, transaction

BELIEVED_SECONDS: Final = 2.0
MOST_REMEMBERED: Final = 10_000
TURNS: Final = 64

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenKey:
    """A key that tokens may be signed with, and by whom. The public key is the 32 bytes of Ed25519."""

    kid: str
    public_key: bytes
    not_after: datetime
    issuer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A machine client that is active, with all the scopes that it may ask for."""

    principal: Principal
    allowed_networks: tuple[str, ...]


class Remembered(Generic[Value]):
    """Answers kept for a short time, the oldest forgotten first. That something is not there is an answer too."""

    def __init__(self, *, seconds: float = BELIEVED_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._kept: OrderedDict[object, tuple[float, Value]] = OrderedDict()
        self._lock = Lock()
        self._turns = tuple(Lock() for _ in range(TURNS))

    def turn(self, key: object) -> Lock:
        """Hold it while asking: of many who miss the same answer at once, one asks and the others wait for it."""
        return self._turns[hash(key) % TURNS]

    def find(self, key: object) -> tuple[Value] | None:
        """In a tuple, so that a remembered None can be told from nothing."""
        kept = self._kept.get(key)
        return (kept[1],) if kept is not None and self._clock() < kept[0] else None

    def keep(self, key: object, value: Value, *, asked_at: float) -> Value:
        """Counted from when it was asked: an answer that was long under way is old already."""
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = (asked_at + self._seconds, value)
            while len(self._kept) > MOST_REMEMBERED:
                self._kept.popitem(last=False)
        return value

    def now(self) -> float:
        return self._clock()


class IdentityStore:
    """`find_...` look into the memory only; `get_...` ask the database, and belong on a thread."""

    def __init__(self, pool: Pool, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._pool = pool
        self._sessions: Remembered[Principal | None] = Remembered(clock=clock)
        self._clients: Remembered[Client | None] = Remembered(clock=clock)
        self._keys: Remembered[tuple[TokenKey, ...]] = Remembered(clock=clock)
        self._over: Remembered[KnownOnce | None] = Remembered(clock=clock)

    def find_session(self, digest: bytes) -> tuple[Principal | None] | None:
        return self._sessions.find(digest)

    def get_session(self, digest: bytes, *, now: datetime) -> Principal | None:
        """Return whose session it is, or None where there is none or it is over. Raises DatabaseAway."""
        with self._sessions.turn(digest):
            known = self._sessions.find(digest)
            if known is not None:
                return known[0]
            asked_at = self._sessions.now()
            row = self._ask_one("SELECT * FROM resolve_session(%s, %s)", [digest, now])
            return self._sessions.keep(digest, _person(row) if row else None, asked_at=asked_at)

    def explain_session(self, digest: bytes, *, now: datetime) -> KnownOnce | None:
        """Return whose session it was and why it is none any more; None for one that never was. Raises DatabaseAway."""
        with self._over.turn(digest):
            known = self._over.find(digest)
            if known is not None:
                return known[0]
            asked_at = self._over.now()
            row = self._ask_one("SELECT * FROM explain_session(%s, %s)", [digest, now])
            return self._over.keep(digest, _known_once(row) if row else None, asked_at=asked_at)

    def find_client(self, client_id: str) -> tuple[Client | None] | None:
        return self._clients.find(client_id)

    def get_client(self, client_id: str) -> Client | None:
        """Return the client where it is active. Raises DatabaseAway."""
        with self._clients.turn(client_id):
            known = self._clients.find(client_id)
            if known is not None:
                return known[0]
            asked_at = self._clients.now()
            row = self._ask_one("SELECT * FROM resolve_client(%s)", [client_id])
            return self._clients.keep(client_id, _client(row) if row else None, asked_at=asked_at)

    def list_token_keys(self) -> tuple[TokenKey, ...]:
        """Raises DatabaseAway."""
        with self._keys.turn(None):
            known = self._keys.find(None)
            if known is not None:
                return known[0]
            asked_at = self._keys.now()
            rows = self._ask("SELECT * FROM list_token_keys()", [])
            return self._keys.keep(None, tuple(_token_key(row) for row in rows), asked_at=asked_at)

    def _ask_one(self, query: str, parameters: Sequence[object]) -> dict[str, Any] | None:
        rows = self._ask(query, parameters)
        return rows[0] if rows else None

    def _ask(self, query: str, parameters: Sequence[object]) -> list[dict[str, Any]]:
        with transaction(self._pool) as connection, connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(cast("Any", query), parameters).fetchall()


def _token_key(row: dict[str, Any]) -> TokenKey:
    return TokenKey(
        kid=row["kid"], public_key=bytes(row["public_key"]), not_after=row["not_after"], issuer=row["issuer"]
    )


def _person(row: dict[str, Any]) -> Principal:
    return Principal(
        account_id=UUID(str(row["account_id"])),
        name=row["name"],
        person_id=row["person_id"],
        staff_number=row["staff_number"] or None,
        session_id=UUID(str(row["session_id"])),
        stepped_up_at=row["stepped_up_at"],
        grants=_grants(row["grants"]),
    )


def _known_once(row: dict[str, Any]) -> KnownOnce:
    return KnownOnce(
        reason=row["reason"],
        object_type="session",
        object_id=str(row["session_id"]),
        actor=row["name"],
        account_id=UUID(str(row["account_id"])),
    )


def _client(row: dict[str, Any]) -> Client:
    principal = Principal(
        account_id=UUID(str(row["account_id"])),
        name=row["name"],
        person_id=row["person_id"],
        kind="machine",
        scopes=frozenset(row["scopes"] or ()),
        grants=_grants(row["grants"]),
        requests_per_minute=row["requests_per_minute"],
    )
    return Client(principal=principal, allowed_networks=tuple(row["allowed_networks"] or ()))


def _grants(listed: list[dict[str, Any]] | None) -> tuple[Grant, ...]:
    return tuple(Grant(role=one["role"], organisation_code=one.get("organisation_code")) for one in listed or ())
