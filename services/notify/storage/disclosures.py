"""The ledger of what other systems were told: written before it goes, read by officers and auditors."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from psycopg.rows import class_row

from services.notify.domain.agreements import Content
from shared.database import Connection
from shared.retention.jobs import Step, measured

Via = Literal["webhook", "feed"]
EXPORT_BATCH = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """Whom something is about to be told to, by which way, and under what."""

    agreement_id: UUID
    via: Via
    recipient: str
    content: Content


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """`recipient` is the endpoint of a webhook, or the machine client that read the feed."""

    number: int
    at: datetime
    agreement_id: UUID
    agreement_number: str
    partner: str
    via: Via
    recipient: str
    event_id: UUID
    event_type: str
    subject: str
    organisation_ids: list[UUID]
    content: Content


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What of the ledger is asked for; what is None does not matter."""

    agreement_id: UUID | None = None
    subject: str | None = None
    event_id: UUID | None = None
    from_at: datetime | None = None
    until_at: datetime | None = None


def insert_disclosures(connection: Connection, telling: Telling, event_ids: Sequence[UUID], *, now: datetime) -> int:
    """Return how many were new: what the same system was told before under the same agreement stands there once."""
    return connection.execute(
        """
        INSERT INTO disclosure (agreement_id, via, recipient, event_id, at, event_type, subject, organisation_ids,
                                content)
        SELECT %s, %s, %s, event.event_id, %s, event.type, event.aggregate || '/' || event.aggregate_id,
               event.organisation_ids, %s
          FROM event
         WHERE event.event_id = ANY (%s)
         ORDER BY event.position
            ON CONFLICT DO NOTHING
        """,
        [telling.agreement_id, telling.via, telling.recipient, now, telling.content, list(event_ids)],
    ).rowcount


def list_disclosures(connection: Connection, wanted: Wanted, *, before: int | None, limit: int) -> list[Disclosure]:
    """The newest first."""
    with connection.cursor(row_factory=class_row(Disclosure)) as cursor:
        return cursor.execute(
            """
            SELECT disclosure.number, disclosure.at, disclosure.agreement_id, agreement.number AS agreement_number,
                   agreement.partner, disclosure.via, disclosure.recipient, disclosure.event_id, disclosure.event_type,
                   disclosure.subject, disclosure.organisation_ids, disclosure.content
              FROM disclosure
              JOIN agreement ON agreement.id = disclosure.agreement_id
             WHERE (%(before)s::bigint IS NULL OR disclosure.number < %(before)s)
               AND (%(agreement)s::uuid IS NULL OR disclosure.agreement_id = %(agreement)s)
               AND (%(subject)s::text IS NULL OR disclosure.subject = %(subject)s)
               AND (%(event)s::uuid IS NULL OR disclosure.event_id = %(event)s)
               AND (%(from_at)s::timestamptz IS NULL OR disclosure.at >= %(from_at)s)
               AND (%(until_at)s::timestamptz IS NULL OR disclosure.at < %(until_at)s)
             ORDER BY disclosure.number DESC
             LIMIT %(limit)s
            """,
            {
                "before": before,
                "agreement": wanted.agreement_id,
                "subject": wanted.subject,
                "event": wanted.event_id,
                "from_at": wanted.from_at,
                "until_at": wanted.until_at,
                "limit": limit,
            },
        ).fetchall()


def read_all(connection: Connection, wanted: Wanted) -> Iterator[Disclosure]:
    """Everything that is wanted, the newest first, a batch at a time."""
    before: int | None = None
    while batch := list_disclosures(connection, wanted, before=before, limit=EXPORT_BATCH):
        yield from batch
        before = batch[-1].number


def measure_disclosures(connection: Connection, before: datetime) -> tuple[int, datetime | None]:
    return measured(connection.execute("SELECT count(*), min(at) FROM disclosure WHERE at < %s", [before]).fetchone())


def delete_disclosures(connection: Connection, before: datetime, batch: int, _: int) -> Step:
    removed = connection.execute(
        """
        DELETE FROM disclosure
         WHERE number IN (SELECT number FROM disclosure WHERE at < %s ORDER BY at LIMIT %s FOR UPDATE SKIP LOCKED)
        """,
        [before, batch],
    ).rowcount
    return Step(removed=removed, seen=removed)


def measure_deliveries(connection: Connection, before: datetime) -> tuple[int, datetime | None]:
    return measured(
        connection.execute(
            """
            SELECT count(*), min(settled_at)
              FROM webhook_delivery
             WHERE settled_at < %s
               AND NOT is_held('webhook_delivery', id::text)
            """,
            [before],
        ).fetchone()
    )


def delete_deliveries(connection: Connection, before: datetime, batch: int, _: int) -> Step:
    """Of what was settled, with its attempts; that it went out stays in the ledger."""
    removed = connection.execute(
        """
        DELETE FROM webhook_delivery
         WHERE id IN (SELECT id
                        FROM webhook_delivery
                       WHERE settled_at < %s
                         AND NOT is_held('webhook_delivery', id::text)
                       ORDER BY settled_at
                       LIMIT %s
                         FOR UPDATE SKIP LOCKED)
        """,
        [before, batch],
    ).rowcount
    return Step(removed=removed, seen=removed)
