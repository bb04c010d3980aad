"""Who was told of what: the ledger of disclosures, read by page and as a file."""

from collections.abc import Iterator

from services.notify.storage import disclosures as storage
from services.notify.storage.disclosures import Disclosure, Wanted
from shared.database import Pool, transaction
from shared.reach import Reach


def list_disclosures(pool: Pool, wanted: Wanted, *, before: int | None, limit: int) -> list[Disclosure]:
    with transaction(pool) as connection:
        return storage.list_disclosures(connection, wanted, before=before, limit=limit)


def read_all(pool: Pool, wanted: Wanted, *, reach: Reach | None) -> Iterator[list[Disclosure]]:
    """Everything that is wanted, a batch and a transaction at a time: nobody's slow reading holds one open."""
    before: int | None = None
    while True:
        with transaction(pool, reach=reach) as connection:
            batch = storage.list_disclosures(connection, wanted, before=before, limit=storage.EXPORT_BATCH)
        if not batch:
            return
        yield batch
        before = batch[-1].number
