"""The audit as it is read: filtered, newest first, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import sql
from psycopg.rows import class_row

from shared.audit.records import Record
from shared.database import Pool, transaction

# Whose records are about accounts and keys, and so concern who administers those.
SECURITY_TOPICS: Final = (
    "account", "approval", "audit", "client", "grant", "key", "login", "oidc", "password", "role", "scim", "session",
    "sign_in", "sign_out", "step_up", "token", "totp",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Filters, of which those that are not None must all hold. `topics` are the words before the point of an action."""

    since: datetime | None = None
    until: datetime | None = None
    actor: str | None = None
    account_id: UUID | None = None
    action: str | None = None
    object_type: str | None = None
    object_id: str | None = None
    decision: str | None = None
    before_seq: int | None = None
    topics: tuple[str, ...] | None = None


CONDITIONS: Final = {
    "since": sql.SQL("at >= %(since)s"),
    "until": sql.SQL("at < %(until)s"),
    "actor": sql.SQL("actor = %(actor)s"),
    "account_id": sql.SQL("account_id = %(account_id)s"),
    "action": sql.SQL("action = %(action)s"),
    "object_type": sql.SQL("object_type = %(object_type)s"),
    "object_id": sql.SQL("object_id = %(object_id)s"),
    "decision": sql.SQL("decision = %(decision)s"),
    "before_seq": sql.SQL("seq < %(before_seq)s"),
    "topics": sql.SQL("split_part(action, '.', 1) = ANY(%(topics)s)"),
}


def list_page(pool: Pool, wanted: Wanted, *, limit: int) -> Sequence[Record]:
    """Newest first. Row-level security leaves a scoped actor the records in the own name."""
    given: dict[str, Any] = {name: getattr(wanted, name) for name in CONDITIONS if getattr(wanted, name) is not None}
    if "topics" in given:
        given["topics"] = list(given["topics"])
    conditions = [CONDITIONS[name] for name in given] or [sql.SQL("true")]
    query = sql.SQL(
        """
        SELECT seq, prev_hash, hash, at, account_id, actor, role, organisation, action, object_type, object_id,
               decision, reason, correlation_id, details
          FROM audit_record
         WHERE {}
         ORDER BY seq DESC
         LIMIT %(limit)s
        """
    ).format(sql.SQL(" AND ").join(conditions))
    with transaction(pool) as connection, connection.cursor(row_factory=class_row(Record)) as cursor:
        return cursor.execute(query, {**given, "limit": limit}).fetchall()
