"""Taking in what the other services tell: the log, the registers and the news of scores, in one transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from services.notify import metrics
from services.notify.domain.events import HeardEvent
from services.notify.domain.news import News
from services.notify.handlers import news
from services.notify.handlers.placing import place_events
from services.notify.storage import events as storage
from services.notify.storage import posts, registers
from shared import inbox
from shared.contracts.assessment import ScoreComputed
from shared.contracts.base import Event
from shared.contracts.envelope import Envelope
from shared.contracts.intake.registers import CadreRegistered, OrganisationRegistered, PostRecorded
from shared.database import Connection, Pool, transaction


def take_events(pool: Pool, consumer: str, batch: Sequence[Envelope], *, zone: ZoneInfo, now: datetime) -> int:
    """Return how many were new. A repeat, alone or in any company, changes nothing."""
    with transaction(pool) as connection:
        unseen = inbox.claim_new(connection, consumer, [envelope.event_id for envelope in batch])
        fresh = list({envelope.event_id: envelope for envelope in batch if envelope.event_id in unseen}.values())
        if not fresh:
            return 0
        _keep_registers(connection, fresh)
        placed = place_events(connection, fresh, today=now.astimezone(zone).date())
        scores = [to_news(envelope, envelope.event) for envelope in fresh if isinstance(envelope.event, ScoreComputed)]
        moved = news.keep_newest(connection, scores)
        # Last, since everybody else who takes events in waits for this lock.
        storage.append_events(connection, placed, heard_at=now)
    metrics.events_taken_total.inc(len(fresh))
    metrics.news_received_total.inc(len(scores))
    metrics.news_recorded_total.inc(moved)
    return len(fresh)


def list_events(pool: Pool, *, after: int, limit: int) -> list[HeardEvent]:
    """List what comes behind a position, within reach. Nothing is ever added before what was once read."""
    with transaction(pool) as connection:
        return storage.list_events(connection, after=after, limit=limit)


def _keep_registers(connection: Connection, fresh: Sequence[Envelope]) -> None:
    organisations = _newest(fresh, OrganisationRegistered)
    if organisations:
        registers.upsert_organisations(connection, organisations)
        registers.set_paths(connection, [row["organisation_id"] for row in organisations])
    posts.upsert_cadres(connection, _newest(fresh, CadreRegistered))
    posts.upsert_posts(connection, _newest(fresh, PostRecorded))


def _newest(fresh: Sequence[Envelope], kind: type[Event]) -> list[dict[str, Any]]:
    """One row an aggregate, as a statement can write it once only."""
    newest: dict[object, Envelope] = {}
    for envelope in fresh:
        if isinstance(envelope.event, kind):
            known = newest.get(envelope.event.aggregate_id)
            if known is None or known.sequence < envelope.sequence:
                newest[envelope.event.aggregate_id] = envelope
    return [{**dict(found.event), "sequence": found.sequence} for found in newest.values()]


def to_news(envelope: Envelope, event: ScoreComputed) -> News:
    return News(
        score_id=event.score_id,
        sequence=envelope.sequence,
        subject_kind=event.subject_kind,
        subject_id=event.subject_id,
        subject_code=event.subject_code,
        subject_name=event.subject_name,
        organisation_path=tuple(event.organisation_path),
        period_kind=event.period_kind,
        period_start=event.period_start,
        composite=event.composite,
        previous=event.previous,
        scheme=event.scheme,
        scheme_version=event.scheme_version,
        computed_at=event.computed_at,
        correlation_id=envelope.correlation_id,
    )
