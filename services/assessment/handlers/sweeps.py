"""What time alone makes due: deadlines that pass, duties whose days go by."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from services.assessment.storage import facts, sweeps
from shared.database import Pool, transaction
from shared.observability import correlation_id

BEGINNING = datetime(1900, 1, 1, tzinfo=UTC)


def sweep_overdue(pool: Pool, *, zone: ZoneInfo, now: datetime) -> int:
    """Mark the cells of issues whose deadline has passed since the last sweep; return how many."""
    with transaction(pool) as connection:
        facts.lock_projection(connection)
        swept_until = sweeps.lock_sweep(connection, "overdue", start=BEGINNING)
        if now <= swept_until:
            return 0
        marked = sweeps.mark_overdue(
            connection, after=swept_until, until=now, time_zone=zone.key, correlation_id=correlation_id()
        )
        sweeps.set_swept_until(connection, "overdue", now)
    return marked


def sweep_duties(pool: Pool, *, zone: ZoneInfo, now: datetime) -> int:
    """Once a day, mark the cells of posts that owed contact on the days gone by since the last sweep; return how many.

    Cadres whose next post has begun since are marked too.
    """
    today = now.astimezone(zone).date()
    with transaction(pool) as connection:
        facts.lock_projection(connection)
        swept_until = sweeps.lock_sweep(connection, "duty", start=BEGINNING)
        swept_day = swept_until.astimezone(zone).date()
        if today <= swept_day:
            return 0
        marked = sweeps.mark_elapsed_duties(
            connection,
            first=swept_day,
            last=today - timedelta(days=1),
            marked_at=now,
            correlation_id=correlation_id(),
        )
        sweeps.mark_begun_posts(
            connection, after=swept_day, until=today, marked_at=now, correlation_id=correlation_id()
        )
        sweeps.set_swept_until(connection, "duty", now)
    return marked
