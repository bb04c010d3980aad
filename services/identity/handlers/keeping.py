"""What holds again by the clock alone: rows whose time is over are removed, and the settings stand in the database."""

from collections.abc import Collection
from datetime import datetime

from services.identity import metrics
from services.identity.handlers.desk import system
from services.identity.storage import provider_visits, second_factors, sessions, unfinished
from shared import limits
from shared.database import Pool


def remove_what_is_over(pool: Pool, *, now: datetime) -> None:
    """A repeat finds nothing more."""
    with system(pool) as connection:
        removed = {
            "device": sessions.delete_expired_devices(connection, now=now),
            "sign-in": unfinished.delete_expired_unfinished(connection, now=now),
            "visit": provider_visits.delete_expired_visits(connection, now=now),
            "bucket": limits.forget_full(connection, now=now),
        }
    for kind, count in removed.items():
        metrics.kept_total.labels(kind).inc(count)


def demand_second_factors(pool: Pool, roles: Collection[str]) -> None:
    """Whoever holds one of these roles is nobody from now on by a session that a password alone has opened."""
    with system(pool) as connection:
        second_factors.put_roles(connection, roles)
