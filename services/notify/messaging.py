"""The event door: which event is answered by which handler."""

from collections.abc import Sequence

from services.notify.domain.news import News
from services.notify.handlers import news
from shared.broker.topology import Subscription
from shared.contracts.assessment import ScoreComputed
from shared.contracts.envelope import Envelope
from shared.database import Pool

SUBSCRIPTION = Subscription(
    service="notify", queue="q.notify.events", exchange="evt.assessment", patterns=("assessment.#",)
)


def handle(pool: Pool, batch: Sequence[Envelope]) -> None:
    """Take in one batch. Events that say nothing to notify are noted as seen, and no more."""
    told = [
        (envelope.event_id, to_news(envelope, envelope.event))
        for envelope in batch
        if isinstance(envelope.event, ScoreComputed)
    ]
    news.record_news(pool, [envelope.event_id for envelope in batch], told)


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
