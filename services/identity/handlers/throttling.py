"""How failures slow further attempts down, without ever letting a stranger lock the owner out.

Attempts are counted before the password is looked at and given back when it was right. Three buckets fill: of the name
within one network, of the network, and of the name as a whole. The last one refuses nothing: while it is full, every
network has one attempt a minute instead of five at once. The owner's first attempt is therefore always heard, and a
browser that has signed in to this account before counts by itself, whatever others do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from services.identity.domain.accounts import normalise_name
from services.identity.handlers.desk import Caller, digest_of
from services.identity.storage import sessions
from shared import limits
from shared.database import Connection, Pool
from shared.errors import TooMany
from shared.limits import Rate

HERE: Final = Rate(limit=5, per_seconds=300)
HERE_UNDER_ATTACK: Final = Rate(limit=1, per_seconds=60)  # the same pace, nothing in advance
ANYWHERE: Final = Rate(limit=20, per_seconds=3_600)
FAMILIAR: Final = Rate(limit=10, per_seconds=600)
PROOFS: Final = Rate(limit=5, per_seconds=300)
NETWORK_SECONDS: Final = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What one attempt took from which bucket."""

    key: str
    rate: Rate


def admit(connection: Connection, name: str, caller: Caller, *, failures_per_network: int) -> list[Taken]:
    """Count one attempt to sign in. Raises TooMany; then the transaction must be rolled back, and nothing counts."""
    name = normalise_name(name)
    if caller.device is not None:
        digest = digest_of(caller.device)
        if sessions.find_device_account_name(connection, digest, now=caller.at) == name:
            return [_take(connection, f"sign-in:device:{digest.hex()}", FAMILIAR, now=caller.at)]
    network = Rate(limit=failures_per_network, per_seconds=NETWORK_SECONDS)
    taken = [_take(connection, f"sign-in:network:{caller.network}", network, now=caller.at)]
    anywhere = Taken(key=f"sign-in:name:{name}", rate=ANYWHERE)
    is_attacked = limits.take_in(connection, anywhere.key, anywhere.rate, count=1, now=caller.at) is not None
    if not is_attacked:
        taken.append(anywhere)
    here = HERE_UNDER_ATTACK if is_attacked else HERE
    taken.append(_take(connection, f"sign-in:here:{name}:{caller.network}", here, now=caller.at))
    return taken


def give_back(connection: Connection, taken: Sequence[Taken]) -> None:
    """The attempt was no failure."""
    for one in taken:
        limits.give_back_in(connection, one.key, one.rate, count=1)


def take_proof(pool: Pool, account_id: UUID, *, now: datetime) -> None:
    """Count one proof that somebody signed in, or half signed in, gives. Raises TooMany."""
    limits.take(pool, f"proof:{account_id}", limit=PROOFS.limit, per_seconds=PROOFS.per_seconds, now=now)


def give_proof_back(connection: Connection, account_id: UUID) -> None:
    limits.give_back_in(connection, f"proof:{account_id}", PROOFS, count=1)


def _take(connection: Connection, key: str, rate: Rate, *, now: datetime) -> Taken:
    wait = limits.take_in(connection, key, rate, count=1, now=now)
    if wait is not None:
        raise TooMany("too many attempts; try again after a while", retry_after_seconds=wait)
    return Taken(key=key, rate=rate)
