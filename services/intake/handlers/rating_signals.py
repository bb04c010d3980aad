"""Setting ratings aside that thresholds find odd, at once or by a sweep. A person decides what becomes of them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from services.intake import metrics
from services.intake.domain.rating_rules import RatingRules
from services.intake.domain.rating_signals import find_outliers, find_signals
from services.intake.storage import rating_cases
from services.intake.storage import rating_signals as storage
from shared import outbox
from shared.audit import chain
from shared.contracts.intake.ratings import RatingQuarantined
from shared.database import Connection, Pool, transaction
from shared.identifiers import new_id
from shared.observability import correlation_id
from shared.outbox import OutgoingEvent


def set_odd_ones_aside(
    connection: Connection, correlations: Mapping[UUID, str], rules: RatingRules, *, now: datetime
) -> list[OutgoingEvent]:
    """Hold these new ratings against the thresholds. Under the system's reach; return what is to be told."""
    measured = storage.list_measured(connection, list(correlations), rules.signals, now=now)
    odd = {one.rating_id: signals for one in measured if (signals := find_signals(one, rules.signals))}
    return _set_aside(connection, odd, correlations, rules, now=now)


def sweep_outliers(pool: Pool, rules: RatingRules, *, now: datetime) -> int:
    """Set the newest top ratings of cadres aside who have far more of them than anybody else; return how many."""
    since = now - timedelta(days=rules.signals.share_days)
    with transaction(pool) as connection:
        shares = {share.cadre_id: share for share in storage.list_shares(connection, since=since)}
        outliers = find_outliers(shares, rules.signals)
        if not outliers:
            return 0
        odd = {
            rating_id: ["share_z_score"]
            for rating_id in storage.list_top_ratings(connection, list(outliers), since=since)
        }
        events = _set_aside(connection, odd, dict.fromkeys(odd, correlation_id()), rules, now=now)
        outbox.append(connection, events, recorded_at=now, correlation_id=correlation_id())
    return len(events)


def _set_aside(
    connection: Connection,
    odd: Mapping[UUID, list[str]],
    correlations: Mapping[UUID, str],
    rules: RatingRules,
    *,
    now: datetime,
) -> list[OutgoingEvent]:
    if not odd:
        return []
    cases = {rating_id: new_id() for rating_id in odd}
    rows = [
        {"id": cases[rating_id], "rating_id": rating_id, "signals": signals, "rules": rules.label}
        for rating_id, signals in odd.items()
    ]
    sequences = rating_cases.set_aside(connection, rows, at=now)
    lines = [
        chain.Line(
            action="rating.quarantine",
            object_type="rating_case",
            object_id=cases[rating_id],
            reason=",".join(odd[rating_id]),
            details={"rules": rules.label},
        )
        for rating_id in sequences
    ]
    chain.append(connection, [chain.as_row(line) for line in lines])
    metrics.ratings_quarantined_total.inc(len(sequences))
    return [
        OutgoingEvent(
            event=RatingQuarantined(rating_id=rating_id, signals=odd[rating_id], rules=rules.label, quarantined_at=now),
            sequence=sequence,
            correlation_id=correlations[rating_id],
        )
        for rating_id, sequence in sequences.items()
    ]
