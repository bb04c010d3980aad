"""Making all facts anew from the event log, a few aggregates at a time, while everything else goes on.

Each batch removes what was made of its aggregates and makes it again in one transaction, so that no reader and no
scoring pass ever finds less than the whole. It goes on where it was broken off.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from services.assessment.domain.measures import NOBODY
from services.assessment.handlers.facts import remake_facts
from services.assessment.storage import facts, marking, rebuilding, tallies
from services.assessment.storage.corrections import TakenEvent
from shared import crash
from shared.audit.chain import Line, note
from shared.contracts.envelope import BY_TYPE, Envelope
from shared.contracts.intake.responsibility import ResponsibilityShared
from shared.database import Pool, transaction
from shared.observability import correlation_id

AGGREGATES_A_BATCH: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    aggregates: int
    strays: int
    cells: int


def rebuild_facts(
    pool: Pool, *, zone: ZoneInfo, now: datetime, batch: int = AGGREGATES_A_BATCH, tell: Callable[[int], None]
) -> Rebuilt:
    """Everything from the first aggregate, or from where one was broken off. `tell` is told how many are done."""
    with transaction(pool) as connection:
        progress = rebuilding.find_progress(connection)
        if progress is None or progress.finished_at is not None:
            rebuilding.start_rebuild(connection, now=now)
    while done := _rebuild_next(pool, zone=zone, now=now, batch=batch):
        tell(done)
    with transaction(pool) as connection:
        facts.lock_projection(connection)
        strays = rebuilding.remove_strays(connection)
        tallies.lock_scoring(connection)
        cells = rebuilding.mark_all_cells(connection, marked_at=now, correlation_id=correlation_id())
        marking.mark_all_subjects(connection, nobody=NOBODY, marked_at=now, correlation_id=correlation_id())
        rebuilding.set_finished(connection, now=now)
        progress = rebuilding.find_progress(connection)
        aggregates = progress.done_count if progress is not None else 0
        details = {"aggregates": aggregates, "strays": strays, "cells": cells}
        note(connection, Line(action="facts.rebuilt", object_type="facts", object_id="all", details=details))
    return Rebuilt(aggregates=aggregates, strays=strays, cells=cells)


def measure_rebuild(pool: Pool, *, now: datetime) -> tuple[int, float]:
    """Return how many aggregates a rebuild under way has still to do, and since how many seconds it is under way."""
    with transaction(pool) as connection:
        progress = rebuilding.find_progress(connection)
        if progress is None or progress.finished_at is not None:
            return 0, 0.0
        left = rebuilding.count_aggregates_left(connection)
    return left, max(0.0, (now - progress.started_at).total_seconds())


def _rebuild_next(pool: Pool, *, zone: ZoneInfo, now: datetime, batch: int) -> int:
    """Return how many are done with this batch; 0 where there was nothing left."""
    with transaction(pool) as connection:
        facts.lock_projection(connection)
        progress = rebuilding.find_progress(connection)
        after = progress.after_id if progress is not None else None
        ids = rebuilding.list_aggregates(connection, after=after, limit=batch)
        if not ids:
            return 0
        told = rebuilding.list_lives(connection, ids)

        def remove() -> None:
            rebuilding.remove_made(connection, ids, ledger_issue_ids=_ledgers_of(told))

        remake_facts(connection, [_envelope(event) for event in told if event.event_type in BY_TYPE], remove, zone, now)
        rebuilding.set_progress(connection, after_id=ids[-1], done=len(ids))
        crash.point("assessment.mid_rebuild")
        return (progress.done_count if progress is not None else 0) + len(ids)


def _ledgers_of(told: list[TakenEvent]) -> list[UUID]:
    return [UUID(event.payload["issue_id"]) for event in told if event.event_type == ResponsibilityShared.type]


def _envelope(event: TakenEvent) -> Envelope:
    return Envelope(
        event_id=event.event_id,
        source="",
        event=BY_TYPE[event.event_type].model_validate(event.payload),
        sequence=event.sequence,
        recorded_at=event.recorded_at,
        correlation_id=event.correlation_id,
        raw_data=b"",
        body=b"",
    )
