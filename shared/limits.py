"""How often something may be done: buckets in the database, so that a limit holds across processes and hosts."""

import hashlib
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.database import Connection, Pool, transaction
from shared.errors import TooMany

MOST_REMEMBERED = 10_000
LEASE_SECONDS = 10.0
TURNS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """So many in so many seconds: all at once if need be, and from then on evenly."""

    limit: int
    per_seconds: int

    @property
    def span(self) -> timedelta:
        return timedelta(seconds=self.per_seconds)


def take(pool: Pool, key: str, *, limit: int, per_seconds: int, now: datetime) -> None:
    """Take one from the bucket of this key, in a transaction of its own. Raises TooMany."""
    with transaction(pool) as connection:
        wait = take_in(connection, key, Rate(limit=limit, per_seconds=per_seconds), count=1, now=now)
    if wait is not None:
        raise TooMany("too many requests of this kind in a short time", retry_after_seconds=wait)


def take_in(connection: Connection, key: str, rate: Rate, *, count: int, now: datetime) -> float | None:
    """Take `count` from the bucket; None, or the seconds after which it would have worked.

    A bucket is one instant: when everything that was taken will have come back. Only a digest of the key is kept.
    """
    if not 1 <= count <= rate.limit:
        raise ValueError("a bucket never holds that many")
    cost = rate.span * count / rate.limit
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
    taken = connection.execute(
        """
           INSERT INTO rate_bucket AS bucket (key_digest, full_at)
           VALUES (%(digest)s, %(now)s + %(cost)s)
               ON CONFLICT (key_digest) DO UPDATE
              SET full_at = greatest(bucket.full_at, %(now)s) + %(cost)s
            WHERE greatest(bucket.full_at, %(now)s) + %(cost)s <= %(now)s + %(span)s
        RETURNING full_at
        """,
        {"digest": digest, "now": now, "cost": cost, "span": rate.span},
    ).fetchone()
    if taken is not None:
        return None
    row = connection.execute(
        "SELECT extract(epoch FROM full_at - %s)::float8 FROM rate_bucket WHERE key_digest = %s",
        [now + rate.span - cost, digest],
    ).fetchone()
    return max(0.001, float(str(row[0]))) if row else 0.001


def give_back_in(connection: Connection, key: str, rate: Rate, *, count: int) -> None:
    """Undo a taking that turned out to be none. In a bucket that is full again meanwhile nothing changes."""
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
    connection.execute(
        "UPDATE rate_bucket SET full_at = full_at - %s WHERE key_digest = %s",
        [rate.span * count / rate.limit, digest],
    )


def forget_full(connection: Connection, *, now: datetime, limit: int = 10_000) -> int:
    """Delete buckets that are full again, which says the same as no bucket; return how many."""
    return connection.execute(
        """
        DELETE FROM rate_bucket
         WHERE key_digest IN (SELECT key_digest
                                FROM rate_bucket
                               WHERE full_at < %s
                               LIMIT %s
                                 FOR UPDATE SKIP LOCKED)
        """,
        [now, limit],
    ).rowcount


@dataclass(slots=True, kw_only=True)
class _Lease:
    left: int
    ends_at: datetime
    wait_until: datetime | None = None


class Allowance:
    """Spends from buckets in leases, so that most requests of a busy caller cost no statement at all.

    What a process leased and did not spend within a few seconds is lost to the caller: the limit is never exceeded.
    """

    def __init__(self, pool: Pool, *, share: int = 20) -> None:
        self._pool = pool
        self._share = share  # a lease is this fraction of the bucket
        self._lock = threading.Lock()
        self._turns = tuple(threading.Lock() for _ in range(TURNS))
        self._leases: dict[tuple[str, Rate], _Lease] = {}

    def try_spend(self, key: str, rate: Rate, *, now: datetime) -> bool:
        """Spend without any statement; False where a lease must be taken first. Raises TooMany."""
        with self._lock:
            lease = self._leases.get((key, rate))
            if lease is None:
                return False
            if lease.wait_until is not None and now < lease.wait_until:
                raise _too_many((lease.wait_until - now).total_seconds())
            if lease.left < 1 or now >= lease.ends_at:
                return False
            lease.left -= 1
            return True

    def spend(self, key: str, rate: Rate, *, now: datetime) -> None:
        """Raises TooMany, and remembers it for as long as it holds.

        Of many who find no lease at once one takes it: if each took one, they would have emptied the bucket.
        """
        with self._turns[hash((key, rate)) % TURNS]:
            if not self.try_spend(key, rate, now=now):
                self._lease(key, rate, now)

    def _lease(self, key: str, rate: Rate, now: datetime) -> None:
        count = max(1, rate.limit // self._share)
        with transaction(self._pool) as connection:
            wait = take_in(connection, key, rate, count=count, now=now)
            if wait is not None and count > 1:  # the rest of a bucket is given out one by one
                count = 1
                wait = take_in(connection, key, rate, count=1, now=now)
        lease_seconds = min(LEASE_SECONDS, rate.per_seconds / 2)
        lease = _Lease(left=count - 1, ends_at=now + timedelta(seconds=lease_seconds))
        if wait is not None:
            lease = _Lease(left=0, ends_at=now, wait_until=now + timedelta(seconds=wait))
        with self._lock:
            if len(self._leases) >= MOST_REMEMBERED:
                self._leases.clear()  # what is lost is a moment's lease of each
            self._leases[key, rate] = lease
        if wait is not None:
            raise _too_many(wait)


def _too_many(seconds: float) -> TooMany:
    return TooMany("too many requests of this kind in a short time", retry_after_seconds=seconds)
