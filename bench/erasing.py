"""How long it takes to erase many citizens whom two persons have agreed to erase, and what readers notice meanwhile.

Run as a program: python -m bench.erasing [--citizens 100000]. It brings a durable PostgreSQL of its own.
"""

import argparse
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from deploy.keys import create_all
from embedded.postgres import PrivatePostgres
from services.intake import sealing
from services.intake.domain.citizens import describe_citizen
from services.intake.handlers import erasures, issues
from services.intake.storage.issues import get_issue
from shared.crypto import KeyRing
from shared.database import Pool, open_pool, transaction
from shared.identifiers import new_id
from tests.integration.intake.commands import an_issue
from tests.stock import Stock

BATCH = 500
MOST_SECONDS = 600  # for 100,000 citizens


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.erasing")
    parser.add_argument("--citizens", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        create_all(folder / "keys")
        sealing.use(sealing.Vault(KeyRing(folder / "keys" / "intake")))
        server = PrivatePostgres(folder / "postgres")
        server.start()
        try:
            url = Stock(server.admin_url).take("intake").url
            pool = open_pool(url, size=4, application="bench", statement_timeout_seconds=60, system=True)
            measure(pool, options.citizens)
            pool.close()
        finally:
            server.remove()


def measure(pool: Pool, count: int) -> None:
    some = fill(pool, count)
    before = read_for(pool, some, lambda reads: reads >= 2_000)
    is_done = threading.Event()
    meanwhile: list[float] = []
    reader = threading.Thread(target=lambda: meanwhile.extend(read_for(pool, some, lambda _: is_done.is_set())))
    reader.start()
    began, done = time.monotonic(), 0
    while done < count:
        done += erasures.carry_out_approved(pool, now=datetime.now(UTC))
    seconds = time.monotonic() - began
    is_done.set()
    reader.join()
    slow, usual = (statistics.quantiles(times, n=100)[98] * 1_000 for times in (meanwhile, before))
    print(f"{count} citizens erased in {seconds:.0f} s: {count / seconds:.0f} a second")
    print(f"100,000 would take {100_000 * seconds / count:.0f} s (bar {MOST_SECONDS} s)")
    print(f"reads meanwhile: p99 {slow:.1f} ms, before {usual:.1f} ms: {slow / usual:.1f} times (bar 2)")


def fill(pool: Pool, count: int) -> list[UUID]:
    """Citizens with a closed case each, and for each an erasure that was agreed to; return some of the cases."""
    some: list[UUID] = []
    now = datetime.now(UTC)
    for start in range(0, count, BATCH):
        commands = [
            an_issue(
                citizen=describe_citizen(name="李四", phone=f"138{number:08}", today=now.date()),
                closed_at=now,
                outcome="resolved",
                reply="已换",
            )
            for number in range(start, min(count, start + BATCH))
        ]
        outcomes = issues.receive_issues(pool, commands, now=now)
        if {outcome.status for outcome in outcomes} != {"created"}:
            raise RuntimeError(f"not entered: {outcomes[0]}")
        some += [command.id for command in commands[:20]]
    with transaction(pool) as connection:
        connection.execute(
            """
            INSERT INTO citizen_proposal (id, kind, citizen_ref, issue_ids, reason_code, reason, proposed_by,
                                          proposer_person, proposed_at, state, decided_by, decider_person, decided_at)
            SELECT gen_random_uuid(), 'erase', ref, '{}', 'own_request', name, %s, 'one', %s, 'approved', %s, 'two', %s
              FROM citizen
            """,
            [new_id(), now, new_id(), now],
        )
    return some


def read_for(pool: Pool, some: list[UUID], is_enough: Callable[[int], bool]) -> list[float]:
    times: list[float] = []
    while not is_enough(len(times)):
        began = time.perf_counter()
        with transaction(pool) as connection:
            get_issue(connection, some[len(times) % len(some)])
        times.append(time.perf_counter() - began)
    return times


if __name__ == "__main__":
    main()
