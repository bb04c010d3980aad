"""The audit's hourly duty: sign over what is new, write it into files, and say how far behind either is."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from prometheus_client import Gauge

from shared.audit.checkpoints import Signer, find_last_made_at, make_checkpoints
from shared.audit.exporting import ExportRefused, export
from shared.audit.records import ChainBroken
from shared.database import Connection, Pool, transaction
from shared.observability import get_logger

chain_sound = Gauge("audit_chain_sound", "0 once the chain did not hold when it was signed or exported.")
chain_sound.set(1)  # of a process that has not looked, nothing is known to be wrong
log = get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditKeeper:
    """Without a directory the checkpoints stay in the database, and no record ever leaves it."""

    pool: Pool
    signer: Signer
    directory: Path | None
    chain: str

    def keep_hourly(self, *, now: datetime) -> None:
        """Once in an hour of the clock, however often it is called; exported is whatever is left to export."""
        with transaction(self.pool) as connection:
            made_at = find_last_made_at(connection)
        is_due = made_at is None or made_at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1) <= now
        self.keep(now=now, may_sign=is_due)

    def keep(self, *, now: datetime, may_sign: bool = True) -> tuple[int, int]:
        """Return how many checkpoints were made and how many exported. Two at a time do no harm.

        Raises ChainBroken, ExportRefused: both mean that somebody has tampered, and set the figure that wakes people.
        """
        try:
            made = make_checkpoints(self.pool, self.signer, chain=self.chain, now=now) if may_sign else 0
            exported = export(self.pool, self.directory, now=now) if self.directory is not None else 0
        except (ChainBroken, ExportRefused):
            chain_sound.set(0)
            raise
        chain_sound.set(1)
        if made or exported:
            log.info("audit_kept", checkpoints=made, exported=exported)
        return made, exported


def measure_unsigned(pool: Pool) -> Callable[[], tuple[int, float]]:
    """How many records no checkpoint covers yet, and for how many seconds the oldest has waited for one."""
    return _measure(pool, "SELECT coalesce(max(last_seq), 0) FROM audit_checkpoint")


def measure_unexported(pool: Pool) -> Callable[[], tuple[int, float]]:
    """The same for the files: what is not in them would be lost with the database."""
    return _measure(pool, "SELECT coalesce(max(last_seq), 0) FROM audit_checkpoint WHERE exported_at IS NOT NULL")


def _measure(pool: Pool, last_seq: str) -> Callable[[], tuple[int, float]]:
    def measure() -> tuple[int, float]:
        with transaction(pool) as connection:
            (covered,) = connection.execute(last_seq).fetchone() or (0,)
            return _count_after(connection, int(str(covered)))

    return measure


def _count_after(connection: Connection, seq: int) -> tuple[int, float]:
    row = connection.execute(
        """
        SELECT count(*), coalesce(extract(epoch FROM now() - min(at)), 0)::float8
          FROM audit_record
         WHERE seq > %s
        """,
        [seq],
    ).fetchone()
    return (int(str(row[0])), max(0.0, float(str(row[1])))) if row else (0, 0.0)
