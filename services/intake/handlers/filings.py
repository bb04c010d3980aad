"""Open311: entering what was filed with its issue, and giving what the public may see. Reads act as nobody."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from services.intake.domain.commands.issues import ReceiveIssue
from services.intake.domain.filings import Catalogue, NoSuchRequest, PublicState, RequestQuery
from services.intake.handlers.citizens import KnownCitizen
from services.intake.sealing import vault
from services.intake.storage import filings as storage
from services.intake.storage.filings import PublicRequest, SealedUpdate
from services.intake.storage.issues import get_issue
from shared import limits
from shared.audit import chain
from shared.database import Connection, Pool, transaction
from shared.errors import Conflict
from shared.reach import SYSTEM
from shared.versions import Expected, check_version

READS_A_MINUTE = 300


class NotPublishable(Conflict):
    """Somebody is complained about or reported in it."""

    code = "not-publishable"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRequest:
    """A public request with the words that an officer released for everybody."""

    request: PublicRequest
    notes: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldUpdate:
    id: UUID
    status: PublicState
    told_at: datetime
    text: str | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledIssue:
    """What staff see of a filing: everything that came with it. Withheld where the citizen was erased or restricted.

    `version` may be sent back in If-Match when the issue is published or withdrawn.
    """

    issue_id: UUID
    service_code: str
    is_public: bool
    notes: str | None
    details: dict[str, Any] = field(repr=False)
    details_withheld: bool
    updates: list[ToldUpdate]
    changed_at: datetime
    version: int


def enter_filings(
    connection: Connection,
    received: Sequence[tuple[ReceiveIssue, KnownCitizen | None]],
    *,
    made: Collection[UUID],
    now: datetime,
) -> None:
    """Enter what those of these commands brought that made an issue, under the key of its citizen."""
    rows = [
        {
            "issue_id": command.id,
            "account_id": command.filing.account_id,
            "service_code": command.filing.service_code,
            "latitude": command.filing.latitude,
            "longitude": command.filing.longitude,
            "is_public": command.filing.is_public,
            "details_sealed": vault().seal_if(
                "filing",
                "details",
                command.id,
                orjson.dumps(command.filing.details).decode(),
                citizen.key if citizen else None,
            ),
        }
        for command, citizen in received
        if command.filing is not None and command.id in made
    ]
    if rows:
        storage.insert_filings(connection, rows, changed_at=now)


def offer(pool: Pool, catalogue: Catalogue) -> Catalogue:
    """The services that can be filed: where the register has categories, those it knows, under the names it has."""
    with transaction(pool, reach=SYSTEM) as connection:
        names = storage.list_category_names(connection)
    if not names:
        return catalogue
    offered = {
        code: replace(service, name=name)
        for code, service in catalogue.services.items()
        if (name := names.get(code)) is not None
    }
    return replace(catalogue, services=offered)


def count_read(pool: Pool, network: str, *, now: datetime) -> None:
    """Raises TooMany. Nobody has an account here: what is counted is the network."""
    limits.take(pool, f"open311:{network}", limit=READS_A_MINUTE, per_seconds=60, now=now)


def list_requests(pool: Pool, query: RequestQuery) -> list[ShownRequest]:
    with transaction(pool, reach=SYSTEM) as connection:
        return [_open(row) for row in storage.list_public(connection, query)]


def get_request(pool: Pool, request_id: UUID | None) -> ShownRequest:
    """Raises NoSuchRequest."""
    found = list_requests(pool, RequestQuery(ids=(request_id,))) if request_id is not None else []
    if not found:
        raise NoSuchRequest("there is no such request")
    return found[0]


def list_changed(pool: Pool, query: RequestQuery) -> list[ShownRequest]:
    with transaction(pool, reach=SYSTEM) as connection:
        rows = storage.list_publicly_changed(
            connection, start=query.start, end=query.end, offset=query.offset, limit=query.limit
        )
    return [_open(row) for row in rows]


def _open(row: PublicRequest) -> ShownRequest:
    return ShownRequest(request=row, notes=vault().open("filing", "notes", row.id, row.notes_sealed, None))


def tell_update(pool: Pool, issue_id: UUID | None, update: ToldUpdate, *, account_id: UUID, now: datetime) -> None:
    """Keep what a client tells anew of a request that it filed. Raises NoSuchRequest for any other."""
    with transaction(pool) as connection:
        if issue_id is None or not storage.is_filed_by(connection, issue_id, account_id):
            raise NoSuchRequest("there is no such request of this client")
        row = storage.get_filing(connection, issue_id)
        key = None if row.citizen_ref is None else vault().open_key(row.citizen_ref, row.citizen_key)
        sealed = SealedUpdate(
            id=update.id,
            status=update.status,
            told_at=update.told_at,
            text_sealed=vault().seal("filing_update", "text", update.id, update.text or "", key),
        )
        storage.insert_update(connection, issue_id, sealed, recorded_at=now)


def read_filing(pool: Pool, issue_id: UUID) -> FiledIssue:
    """Raises FilingNotFound."""
    with transaction(pool) as connection:
        row = storage.get_filing(connection, issue_id)
        updates = storage.list_updates(connection, issue_id)
    key = None if row.citizen_ref is None else vault().open_key(row.citizen_ref, row.citizen_key)
    details = vault().open("filing", "details", issue_id, row.details_sealed, key)
    return FiledIssue(
        issue_id=issue_id,
        service_code=row.service_code,
        is_public=row.is_public,
        notes=vault().open("filing", "notes", issue_id, row.notes_sealed, None),
        details=orjson.loads(details) if details is not None else {},
        details_withheld=row.details_sealed is not None and details is None,
        updates=[
            ToldUpdate(
                id=one.id,
                status=one.status,
                told_at=one.told_at,
                text=vault().open("filing_update", "text", one.id, one.text_sealed, key),
            )
            for one in updates
        ],
        changed_at=row.changed_at,
        version=row.version,
    )


def publish(
    pool: Pool, issue_id: UUID, *, is_public: bool, notes: str | None, expected: Expected, now: datetime
) -> None:
    """Show the issue to everybody, with these words, or no longer. Raises IssueNotFound, NotPublishable, Outdated."""
    sealed = None if notes is None else vault().seal("filing", "notes", issue_id, notes)
    with transaction(pool) as connection:
        get_issue(connection, issue_id)
        check_version(storage.lock_version(connection, issue_id), expected)
        if not storage.set_publication(connection, issue_id, is_public=is_public, notes_sealed=sealed, at=now):
            raise NotPublishable("an issue in which somebody is complained about or reported is never public")
        action = "issue.publish" if is_public else "issue.withdraw"
        chain.note(connection, chain.Line(action=action, object_type="issue", object_id=issue_id))


def make_key(pool: Pool, key: str, *, account_id: UUID, client_id: str, now: datetime) -> None:
    """Let this key file as this machine client, and no earlier one."""
    with transaction(pool) as connection:
        storage.put_key(connection, digest=_digest(key), account_id=account_id, client_id=client_id, made_at=now)
        chain.note(connection, chain.Line(action="open311.key", object_type="client", object_id=account_id))


def find_client(pool: Pool, key: str) -> str | None:
    """The id of the client that this key is of. Whether it may still file is asked of identity."""
    with transaction(pool, reach=SYSTEM) as connection:
        return storage.find_client_of(connection, _digest(key))


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
