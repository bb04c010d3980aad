"""How often an account may ask for what: counted for every request that names its sender, and for things not found."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from uuid import UUID

from fastapi import FastAPI
from prometheus_client import Counter
from starlette.concurrency import run_in_threadpool

from shared import reach
from shared.access.principal import Principal
from shared.audit import chain
from shared.database import Pool, transaction
from shared.errors import TooMany, Transient
from shared.limits import Allowance, Rate, forget_full, take_in
from shared.observability import get_logger
from shared.policy import POLICY

IMPORTS: Final = Rate(limit=120, per_seconds=3_600)
NOT_FOUND: Final = Rate(limit=20, per_seconds=60)
NOTED_AGAIN_AFTER: Final = timedelta(minutes=1)
TIDIED_AGAIN_AFTER: Final = timedelta(minutes=10)
# What reads by the list or searches is counted together: a search in disguise of many reads is one all the same.
READING: Final = frozenset(action for action in POLICY if action.endswith((".read", ".read_findings")))

Buckets = tuple[tuple[str, str, Rate], ...]

requests_throttled_total = Counter("requests_throttled_total", "Requests refused for their number.", ["bucket"])
not_found_floods_total = Counter(
    "not_found_floods_total",
    "Accounts that asked for more things which are not there, or not for them, than anybody does.",
)
log = get_logger()


class Throttle:
    """Counts in leases: most requests cost a look into the memory, and no statement."""

    def __init__(self, pool: Pool, *, reads_per_minute: int) -> None:
        self._pool = pool
        self._allowance = Allowance(pool)
        self._reads = Rate(limit=reads_per_minute, per_seconds=60)
        self._buckets = lru_cache(maxsize=4_096)(self._find_buckets)
        self._noted: dict[str, datetime] = {}
        self._tidied_at = datetime.min.replace(tzinfo=UTC)

    async def count(self, principal: Principal, action: str, *, now: datetime) -> None:
        """Raises TooMany, DatabaseAway."""
        for bucket, key, rate in self._buckets(principal.account_id, principal.requests_per_minute, action):
            try:
                if not self._allowance.try_spend(key, rate, now=now):
                    await run_in_threadpool(self._spend, key, rate, now)
            except TooMany:
                requests_throttled_total.labels(bucket).inc()
                raise

    async def note_not_found(self, principal: Principal, *, now: datetime) -> None:
        """Call for every thing that was not found. Tells once a minute of an account that seems to try out ids."""
        await run_in_threadpool(self._note_not_found, principal, now)

    def _find_buckets(self, account_id: UUID, requests_per_minute: int | None, action: str) -> Buckets:
        """By name and key, what this account may do in this action. The same for every request, and so remembered."""
        rates = {}
        if requests_per_minute is not None:
            rates["machine"] = Rate(limit=requests_per_minute, per_seconds=60)
        if action in READING:
            rates["reading"] = self._reads
        if action == "import.run":
            rates["import"] = IMPORTS
        return tuple((bucket, f"{bucket}:{account_id}", rate) for bucket, rate in rates.items())

    def _spend(self, key: str, rate: Rate, now: datetime) -> None:
        self._allowance.spend(key, rate, now=now)
        if now - self._tidied_at > TIDIED_AGAIN_AFTER:
            self._tidied_at = now
            with transaction(self._pool, reach=reach.SYSTEM) as connection:
                forget_full(connection, now=now)

    def _note_not_found(self, principal: Principal, now: datetime) -> None:
        key = f"not-found:{principal.account_id}"
        last = self._noted.get(key)
        if last is not None and now - last < NOTED_AGAIN_AFTER:
            return
        try:
            with transaction(self._pool, reach=reach.SYSTEM) as connection:
                if take_in(connection, key, NOT_FOUND, count=1, now=now) is None:
                    return
                self._noted = {known: at for known, at in self._noted.items() if now - at < NOTED_AGAIN_AFTER}
                self._noted[key] = now
                chain.note(connection, _line_of(principal))
        except Transient as error:
            log.warning("not_found_uncounted", code=error.code)  # the answer has left already
            return
        not_found_floods_total.inc()
        log.warning("not_found_flood", account_id=str(principal.account_id))


def _line_of(principal: Principal) -> chain.Line:
    return chain.Line(
        action="account.try_ids",
        object_type="account",
        object_id=principal.account_id,
        decision="denied",
        reason="not-found-flood",
        details={"limit": NOT_FOUND.limit, "per_seconds": NOT_FOUND.per_seconds},
        actor=principal.name,
        account_id=principal.account_id,
        role=",".join(sorted({grant.role for grant in principal.grants})) or "none",
    )


def throttle_of(app: FastAPI) -> Throttle | None:
    """None in an app that has no database; no such app is ever served."""
    return getattr(app.state, "throttle", None)
