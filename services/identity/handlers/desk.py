"""What the handlers of sign-ins work with, and as whom they act before anybody is signed in."""

import hashlib
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from services.identity.credentials import PasswordHashing
from services.identity.domain.accounts import Account
from services.identity.domain.passwords import PasswordRules
from services.identity.domain.sessions import SessionRules
from shared.crypto import CryptoProvider
from shared.database import Connection, Pool, transaction
from shared.identifiers import new_id
from shared.reach import Reach, acting


def new_token() -> str:
    """256 bits that nobody can guess, as text for a cookie or an address."""
    return secrets.token_urlsafe(32)


def digest_of(token: str) -> bytes:
    """By which a token is stored and found; the token itself stays with the browser."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    pool: Pool
    hashing: PasswordHashing
    keys: CryptoProvider | None = None  # without them no second factor can be kept
    sessions: SessionRules = field(default_factory=SessionRules)
    passwords: PasswordRules = field(default_factory=PasswordRules)
    failures_per_network: int = 50
    second_factor_roles: frozenset[str] = frozenset()
    new_token: Callable[[], str] = new_token
    new_id: Callable[[], UUID] = new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Where a request of nobody yet comes from: its network, and what its browser holds of earlier visits."""

    network: str
    at: datetime
    device: str | None = None
    session: str | None = None


@contextmanager
def system(pool: Pool, account: Account | None = None) -> Iterator[Connection]:
    """A transaction of the service itself, on behalf of the account where it is known whose."""
    reach = Reach(
        kind="system",
        account_id=account.id if account else None,
        actor=account.name if account else "nobody",
        role="self" if account else "nobody",
    )
    with acting(reach), transaction(pool, reach=reach) as connection:
        yield connection
