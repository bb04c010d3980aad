"""The months' keys: making the next, wrapping every citizen's key anew under it, and destroying what is over.

A wrapped key that lies in an old backup is of no use once its epoch is destroyed: so erasing reaches backups too.
"""

import time
from collections.abc import Callable
from datetime import datetime

from services.intake import metrics
from services.intake.sealing import EPOCH, TEXT, month_of, vault
from services.intake.storage import epochs as storage
from shared.crypto import LOOK_EVERY_SECONDS
from shared.database import Pool, transaction
from shared.keyfiles import KeyName, create_key, destroy_key
from shared.observability import get_logger
from shared.reach import SYSTEM

KEYS_A_COMMIT = 2_000
EPOCHS_KEPT = 2  # this one and the one before: a process that has not looked yet still writes with that

log = get_logger()


def rotate_keys(
    pool: Pool, *, now: datetime, at_once: bool = False, pause: Callable[[float], None] = time.sleep
) -> int:
    """Return how many keys were wrapped anew. Safe to be cut short and to run again; in the same month it does nothing.

    `at_once` makes a further epoch whatever the month, and leaves no earlier one: every older backup is locked with it.
    """
    ring = vault().ring
    newest = max(ring.key_ids(EPOCH))
    current = newest + 1 if at_once else max(newest, month_of(now))
    for purpose, kid in ((EPOCH, current), (TEXT, max(max(ring.key_ids(TEXT)), month_of(now)))):
        if create_key(ring.directory, KeyName(purpose=purpose, kid=kid)):
            log.info("key_made", purpose=purpose, kid=kid)
    ring.refresh()
    if at_once:
        pause(LOOK_EVERY_SECONDS * 2)  # until every process writes with the new epoch
    count = rewrap_keys(pool, epoch=current)
    _destroy_past(pool, kept=1 if at_once else EPOCHS_KEPT)
    return count


def list_epochs() -> list[int]:
    return vault().ring.key_ids(EPOCH)


def rewrap_keys(pool: Pool, *, epoch: int) -> int:
    """Wrap what lies under earlier epochs anew, in small transactions beside the running work."""
    total = 0
    while True:
        with transaction(pool, reach=SYSTEM) as connection:
            rows = storage.lock_wrapped_before(connection, epoch=epoch, limit=KEYS_A_COMMIT)
            storage.set_wrapped(
                connection,
                [
                    {"citizen_ref": ref, "wrapped": "\\x" + vault().rewrap(ref, wrapped, epoch).hex()}
                    for ref, wrapped in rows
                ],
                epoch=epoch,
            )
        total += len(rows)
        metrics.keys_rewrapped_total.inc(len(rows))
        if not rows:
            return total


def _destroy_past(pool: Pool, *, kept: int) -> None:
    """Never one that something still lies under."""
    ring = vault().ring
    past = ring.key_ids(EPOCH)[:-kept]
    with transaction(pool, reach=SYSTEM) as connection:
        in_use = storage.list_epochs(connection)
    for kid in past:
        if kid in in_use:
            log.error("epoch_still_in_use", kid=kid)
        elif destroy_key(ring.directory, KeyName(purpose=EPOCH, kid=kid)):
            log.info("epoch_destroyed", kid=kid)
    ring.refresh()
