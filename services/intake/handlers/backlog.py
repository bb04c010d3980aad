"""Sealing what older releases wrote in clear text, in small transactions, until nothing is left."""

from services.intake.sealing import vault
from services.intake.storage import backlog as storage
from shared.database import Pool, transaction
from shared.observability import get_logger
from shared.reach import SYSTEM

ROWS_A_COMMIT = 1_000

log = get_logger()


def seal_backlog(pool: Pool) -> int:
    """Return how many records were sealed. Safe to be cut short and to run again."""
    total = 0
    while sealed := _seal_some(pool):
        total += sealed
    if total:
        log.info("texts_sealed", count=total)
    return total


def _seal_some(pool: Pool) -> int:
    """Digests of content are keyed with the texts that could be guessed from them."""
    with transaction(pool, reach=SYSTEM) as connection:
        issues = storage.lock_clear_issues(connection, limit=ROWS_A_COMMIT)
        storage.set_sealed_issues(
            connection,
            [
                {
                    "id": row.id,
                    "title_sealed": vault().seal_if("issue", "title", row.id, row.title),
                    "description_sealed": vault().seal_if("issue", "description", row.id, row.description),
                    "reply_sealed": vault().seal_if("issue", "reply", row.id, row.reply),
                    "content_hash": "\\x" + vault().keyed(row.content_hash).hex(),
                    "progress_hash": "\\x" + vault().keyed(row.progress_hash).hex(),
                }
                for row in issues
            ],
        )
        contacts = storage.lock_clear_contacts(connection, limit=ROWS_A_COMMIT)
        storage.set_sealed_contacts(
            connection,
            [
                {
                    "id": row.id,
                    "note_sealed": vault().seal_if("contact", "note", row.id, row.note),
                    "content_hash": "\\x" + vault().keyed(row.content_hash).hex(),
                }
                for row in contacts
            ],
        )
    return len(issues) + len(contacts)
