"""Who is told, how each wants it, and what is preferred by whom."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from services.notify.domain.notices import Key, Recipient
from services.notify.domain.rules import Preferred
from shared.database import Connection

Preferences = dict[tuple[UUID, str], Preferred]


def upsert_recipients(connection: Connection, keys: Sequence[tuple[UUID, Key]]) -> list[Recipient]:
    """Return the recipients of these keys, making those that are new under the ids beside them."""
    ids = [new_id for new_id, _ in keys]
    columns = (
        [key.staff_number for _, key in keys],
        [key.account_id for _, key in keys],
        [key.robot for _, key in keys],
    )
    connection.execute(
        """
        INSERT INTO recipient (id, staff_number, account_id, robot, channels)
        SELECT id, staff_number, account_id, robot,
               CASE WHEN robot IS NULL THEN '{inbox}'::text[] ELSE '{group}'::text[] END
          FROM unnest(%s::uuid[], %s::text[], %s::uuid[], %s::text[]) AS row (id, staff_number, account_id, robot)
            ON CONFLICT DO NOTHING
        """,
        [ids, *columns],
    )
    with connection.cursor(row_factory=class_row(Recipient)) as cursor:
        return cursor.execute(
            """
            SELECT id, staff_number, account_id, robot, language, email, mobile, channels, quiet_from, quiet_until,
                   digest_at, daily_cap, version
              FROM recipient
             WHERE staff_number = ANY (%s) OR account_id = ANY (%s) OR robot = ANY (%s)
            """,
            list(columns),
        ).fetchall()


def find_recipient(connection: Connection, key: Key) -> Recipient | None:
    with connection.cursor(row_factory=class_row(Recipient)) as cursor:
        return cursor.execute(
            """
            SELECT id, staff_number, account_id, robot, language, email, mobile, channels, quiet_from, quiet_until,
                   digest_at, daily_cap, version
              FROM recipient
             WHERE staff_number = %s OR account_id = %s
            """,
            [key.staff_number, key.account_id],
        ).fetchone()


def lock_waiting_recipients(connection: Connection, *, now: datetime, limit: int) -> list[Recipient]:
    """Lock a few recipients for whom something is due; skip what others hold. On the index notice_due."""
    with connection.cursor(row_factory=class_row(Recipient)) as cursor:
        return cursor.execute(
            """
            SELECT id, staff_number, account_id, robot, language, email, mobile, channels, quiet_from, quiet_until,
                   digest_at, daily_cap, version
              FROM recipient
             WHERE id IN (SELECT recipient_id FROM notice WHERE settled_at IS NULL AND due_at <= %s)
             LIMIT %s
               FOR UPDATE SKIP LOCKED
            """,
            [now, limit],
        ).fetchall()


def lock_recipient(connection: Connection, recipient_id: UUID) -> int:
    """Return its version."""
    row = connection.execute("SELECT version FROM recipient WHERE id = %s FOR UPDATE", [recipient_id]).fetchone()
    if row is None:
        raise LookupError("a recipient that was just made is gone")
    return int(str(row[0]))


def set_recipient(connection: Connection, recipient: Recipient) -> None:
    connection.execute(
        """
        UPDATE recipient
           SET language = %s, email = %s, mobile = %s, channels = %s, quiet_from = %s, quiet_until = %s,
               digest_at = %s, daily_cap = %s, version = version + 1
         WHERE id = %s
        """,
        [
            recipient.language,
            recipient.email,
            recipient.mobile,
            recipient.channels,
            recipient.quiet_from,
            recipient.quiet_until,
            recipient.digest_at,
            recipient.daily_cap,
            recipient.id,
        ],
    )


def list_own_preferences(connection: Connection, recipient_ids: Sequence[UUID]) -> Preferences:
    rows = connection.execute(
        "SELECT recipient_id, rule, mode FROM preference WHERE recipient_id = ANY (%s)", [list(recipient_ids)]
    ).fetchall()
    return {(UUID(str(row[0])), str(row[1])): str(row[2]) for row in rows}  # type: ignore[misc] # by the check


def list_unit_preferences(connection: Connection, organisation_ids: Sequence[UUID]) -> Preferences:
    """Of each organisation what the nearest at or above it prefers."""
    rows = connection.execute(
        """
        SELECT DISTINCT ON (organisation.id, preference.rule) organisation.id, preference.rule, preference.mode
          FROM organisation
          JOIN preference ON preference.organisation_id = ANY (organisation.path)
         WHERE organisation.id = ANY (%s)
         ORDER BY organisation.id, preference.rule, array_position(organisation.path, preference.organisation_id) DESC
        """,
        [list(organisation_ids)],
    ).fetchall()
    return {(UUID(str(row[0])), str(row[1])): str(row[2]) for row in rows}  # type: ignore[misc] # same


def replace_preferences(
    connection: Connection,
    preferred: dict[str, Preferred],
    *,
    recipient_id: UUID | None = None,
    organisation_id: UUID | None = None,
) -> None:
    connection.execute(
        "DELETE FROM preference WHERE recipient_id = %s OR organisation_id = %s", [recipient_id, organisation_id]
    )
    connection.execute(
        """
        INSERT INTO preference (recipient_id, organisation_id, rule, mode)
        SELECT %s, %s, rule, mode FROM unnest(%s::text[], %s::text[]) AS row (rule, mode)
        """,
        [recipient_id, organisation_id, list(preferred), list(preferred.values())],
    )


def find_unit_version(connection: Connection, organisation_id: UUID) -> int:
    """0 for a unit that never stated anything."""
    row = connection.execute(
        "SELECT version FROM unit_preference WHERE organisation_id = %s", [organisation_id]
    ).fetchone()
    return 0 if row is None else int(str(row[0]))


def move_unit_version(connection: Connection, organisation_id: UUID) -> int:
    """Return the new version. From here on nobody else states anything for this unit until the transaction ends."""
    row = connection.execute(
        """
        INSERT INTO unit_preference (organisation_id, version)
        VALUES (%s, 1)
            ON CONFLICT (organisation_id) DO UPDATE
           SET version = unit_preference.version + 1
        RETURNING version
        """,
        [organisation_id],
    ).fetchone()
    if row is None:
        raise LookupError("a row that was just written is gone")
    return int(str(row[0]))


def list_stated(connection: Connection, organisation_id: UUID) -> dict[str, Preferred]:
    """What is stated for this unit itself."""
    rows = connection.execute(
        "SELECT rule, mode FROM preference WHERE organisation_id = %s ORDER BY rule", [organisation_id]
    ).fetchall()
    return {str(row[0]): str(row[1]) for row in rows}  # type: ignore[misc] # by the check
