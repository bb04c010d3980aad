"""Who wants to be told, and how far each has been told."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.rows import class_row

from services.notify.domain.messages import Language
from services.notify.domain.subscriptions import Wish
from shared.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    id: UUID
    name: str
    recipient_name: str
    email: str | None
    organisation_id: UUID | None
    language: Language
    channels: list[str]
    seen_through: int
    digested_at: datetime | None
    version: int


def insert_subscription(connection: Connection, subscription_id: UUID, wish: Wish) -> bool:
    """Return whether it is new. False where the name is taken."""
    return (
        connection.execute(
            """
            INSERT INTO subscription (id, name, recipient_name, email, organisation_id, language, channels)
            VALUES (%s, %s, %s, %s, %s, %s, %s)
                ON CONFLICT (name) DO NOTHING
            """,
            [
                subscription_id,
                wish.name,
                wish.recipient_name,
                wish.email,
                wish.organisation_id,
                wish.language,
                list(wish.channels),
            ],
        ).rowcount
        == 1
    )


def lock_version(connection: Connection, name: str) -> int | None:
    row = connection.execute("SELECT version FROM subscription WHERE name = %s FOR UPDATE", [name]).fetchone()
    return None if row is None else int(str(row[0]))


def is_within_reach(connection: Connection, organisation_id: UUID | None) -> bool:
    row = connection.execute("SELECT is_within_reach(%s)", [organisation_id]).fetchone()
    return row is not None and bool(row[0])


def set_subscription(connection: Connection, wish: Wish) -> bool:
    """Replace what is wanted. For another organisation all news are looked at again; what was told stays told.

    Return whether it was there to be replaced: one out of reach is not.
    """
    return (
        connection.execute(
            """
            UPDATE subscription
               SET recipient_name = %s,
                   email = %s,
                   language = %s,
                   channels = %s,
                   seen_through = CASE WHEN organisation_id IS DISTINCT FROM %s THEN 0 ELSE seen_through END,
                   organisation_id = %s,
                   version = version + 1
             WHERE name = %s
            """,
            [
                wish.recipient_name,
                wish.email,
                wish.language,
                list(wish.channels),
                wish.organisation_id,
                wish.organisation_id,
                wish.name,
            ],
        ).rowcount
        == 1
    )


def find_subscription(connection: Connection, name: str) -> Subscription | None:
    with connection.cursor(row_factory=class_row(Subscription)) as cursor:
        return cursor.execute(
            """
            SELECT id, name, recipient_name, email, organisation_id, language, channels, seen_through, digested_at,
                   version
              FROM subscription
             WHERE name = %s
            """,
            [name],
        ).fetchone()


def list_subscriptions(connection: Connection, *, after: str, limit: int) -> list[Subscription]:
    with connection.cursor(row_factory=class_row(Subscription)) as cursor:
        return cursor.execute(
            """
            SELECT id, name, recipient_name, email, organisation_id, language, channels, seen_through, digested_at,
                   version
              FROM subscription
             WHERE name > %s
             ORDER BY name
             LIMIT %s
            """,
            [after, limit],
        ).fetchall()


def lock_waiting_subscription(connection: Connection, *, now: datetime, interval: timedelta) -> Subscription | None:
    """Lock one subscription that has news to look at and had no digest within the interval; skip what others hold."""
    with connection.cursor(row_factory=class_row(Subscription)) as cursor:
        return cursor.execute(
            """
            SELECT id, name, recipient_name, email, organisation_id, language, channels, seen_through, digested_at,
                   version
              FROM subscription
             WHERE (digested_at IS NULL OR digested_at <= %s)
               AND seen_through < (SELECT max(change) FROM score_news)
             ORDER BY digested_at NULLS FIRST, id
             LIMIT 1
               FOR UPDATE SKIP LOCKED
            """,
            [now - interval],
        ).fetchone()


def set_seen(connection: Connection, subscription_id: UUID, *, through: int) -> None:
    connection.execute("UPDATE subscription SET seen_through = %s WHERE id = %s", [through, subscription_id])


def set_digested(connection: Connection, subscription_id: UUID, *, at: datetime) -> None:
    connection.execute("UPDATE subscription SET digested_at = %s WHERE id = %s", [at, subscription_id])
