"""The feed of changes: what was told by events, again and from any position, to those who see what they tell of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.intake.domain.changes import FOLLOWED, FOR_PEOPLE, WITHHELD, BadPosition, Position, PositionExpired
from services.intake.storage import changes as storage
from shared.database import Pool, transaction
from shared.reach import current


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One event. `position` is the place right behind it."""

    position: str
    id: UUID
    type: str
    aggregate: str
    aggregate_id: UUID
    sequence: int
    recorded_at: datetime
    data: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePage:
    """`next_position` is where to ask next, also where there was nothing: it moves on past what nobody showed."""

    items: list[Change]
    next_position: str
    is_complete: bool


def list_changes(pool: Pool, *, after: Position | None, limit: int, kept_since: datetime, now: datetime) -> ChangePage:
    """Raises PositionExpired, BadPosition for one of another database.

    Without a position the feed begins with the oldest event that is kept.
    """
    if after is not None and after.at < kept_since:
        raise PositionExpired("what came after this position is not all kept any more")
    with transaction(pool) as connection:
        horizon = storage.get_horizon(connection)
        if after is not None and after.transaction > horizon.next:
            raise BadPosition("the position is of another database, or of one before it was restored")
        rows = storage.list_changes(
            connection,
            after=(after.transaction, after.event) if after is not None else (0, 0),
            before=horizon.settled,
            aggregates=_aggregates(),
            limit=limit,
        )
    settled = Position(transaction=horizon.settled, event=0, at=now)
    if after is not None and (settled.transaction, settled.event) < (after.transaction, after.event):
        settled = after
    following = _behind(rows[-1], now) if len(rows) == limit else settled
    return ChangePage(
        items=[_show(row, now) for row in rows],
        next_position=following.written(),
        is_complete=len(rows) < limit,
    )


def renumber_restored(pool: Pool) -> int:
    """Call before any door opens. Return how many events a restored database had to be renumbered for."""
    with transaction(pool) as connection:
        return storage.renumber_restored(connection)


def _aggregates() -> Sequence[str]:
    acting = current()
    is_machine = acting is not None and "machine_client" in acting.role.split(",")
    return [name for name in FOLLOWED if not (is_machine and name in FOR_PEOPLE)]


def _behind(row: storage.Change, now: datetime) -> Position:
    return Position(transaction=row.written_by, event=row.id, at=now)


def _show(row: storage.Change, now: datetime) -> Change:
    return Change(
        position=_behind(row, now).written(),
        id=row.event_id,
        type=row.event_type,
        aggregate=row.aggregate,
        aggregate_id=row.aggregate_id,
        sequence=row.sequence,
        recorded_at=row.recorded_at,
        data={name: value for name, value in row.payload.items() if name not in WITHHELD},
    )
