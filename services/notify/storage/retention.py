"""What of notify's data is over, and its removal in small steps. What is held is left alone."""

from datetime import datetime

from shared.database import Connection
from shared.retention.jobs import Step, measured


def measure_content(connection: Connection, before: datetime) -> tuple[int, datetime | None]:
    return measured(
        connection.execute(
            """
            SELECT count(*), min(settled_at)
              FROM delivery
             WHERE settled_at < %s
               AND recipient_name <> ''
               AND NOT is_held('delivery', id::text)
            """,
            [before],
        ).fetchone()
    )


def remove_content(connection: Connection, before: datetime, batch: int, _: int) -> Step:
    """To whom and where it went, and its text where it lies in nobody's inbox and no other delivery is under way."""
    rows = connection.execute(
        """
           UPDATE delivery
              SET address = NULL,
                  recipient_name = '',
                  text_body = CASE WHEN text_body IS NOT NULL THEN '' END,
                  html_body = CASE WHEN html_body IS NOT NULL THEN '' END
            WHERE id IN (SELECT id
                           FROM delivery
                          WHERE settled_at < %s
                            AND recipient_name <> ''
                            AND NOT is_held('delivery', id::text)
                          ORDER BY settled_at
                          LIMIT %s
                            FOR UPDATE SKIP LOCKED)
        RETURNING digest_id
        """,
        [before, batch],
    ).fetchall()
    _empty_digests(connection, [row[0] for row in rows])
    return Step(removed=len(rows), seen=len(rows))


def measure_inbox(connection: Connection, before: datetime) -> tuple[int, datetime | None]:
    return measured(
        connection.execute(
            """
            SELECT count(*), min(digest.composed_at)
              FROM message
              JOIN digest ON digest.id = message.digest_id
             WHERE digest.composed_at < %s
               AND NOT is_held('message', message.id::text)
            """,
            [before],
        ).fetchone()
    )


def delete_messages(connection: Connection, before: datetime, batch: int, _: int) -> Step:
    rows = connection.execute(
        """
           DELETE FROM message
            WHERE id IN (SELECT message.id
                           FROM message
                           JOIN digest ON digest.id = message.digest_id
                          WHERE digest.composed_at < %s
                            AND NOT is_held('message', message.id::text)
                          ORDER BY digest.composed_at
                          LIMIT %s
                            FOR UPDATE OF message SKIP LOCKED)
        RETURNING digest_id
        """,
        [before, batch],
    ).fetchall()
    _empty_digests(connection, [row[0] for row in rows])
    return Step(removed=len(rows), seen=len(rows))


def measure_status(connection: Connection, before: datetime) -> tuple[int, datetime | None]:
    return measured(
        connection.execute(
            """
            SELECT count(*), min(settled_at)
              FROM delivery
             WHERE settled_at < %s
               AND NOT is_held('delivery', id::text)
            """,
            [before],
        ).fetchone()
    )


def delete_deliveries(connection: Connection, before: datetime, batch: int, _: int) -> Step:
    removed = connection.execute(
        """
        DELETE FROM delivery
         WHERE id IN (SELECT id
                        FROM delivery
                       WHERE settled_at < %s
                         AND NOT is_held('delivery', id::text)
                       ORDER BY settled_at
                       LIMIT %s
                         FOR UPDATE SKIP LOCKED)
        """,
        [before, batch],
    ).rowcount
    return Step(removed=removed, seen=removed)


def measure_events(connection: Connection, before: datetime) -> tuple[int, datetime | None]:
    return measured(
        connection.execute("SELECT count(*), min(heard_at) FROM event WHERE heard_at < %s", [before]).fetchone()
    )


def delete_events(connection: Connection, before: datetime, batch: int, _: int) -> Step:
    """From the beginning of the log, so that what is left has no gap."""
    removed = connection.execute(
        """
        DELETE FROM event
         WHERE position IN (SELECT position FROM event WHERE heard_at < %s ORDER BY position LIMIT %s)
        """,
        [before, batch],
    ).rowcount
    return Step(removed=removed, seen=removed)


def measure_notices(connection: Connection, before: datetime) -> tuple[int, datetime | None]:
    return measured(
        connection.execute("SELECT count(*), min(settled_at) FROM notice WHERE settled_at < %s", [before]).fetchone()
    )


def delete_notices(connection: Connection, before: datetime, batch: int, _: int) -> Step:
    removed = connection.execute(
        """
        DELETE FROM notice
         WHERE id IN (SELECT id
                        FROM notice
                       WHERE settled_at < %s
                       ORDER BY settled_at
                       LIMIT %s
                         FOR UPDATE SKIP LOCKED)
        """,
        [before, batch],
    ).rowcount
    return Step(removed=removed, seen=removed)


def _empty_digests(connection: Connection, digest_ids: list[object]) -> None:
    connection.execute(
        """
        UPDATE digest
           SET text_body = '', html_body = ''
         WHERE id = ANY (%s)
           AND NOT EXISTS (SELECT 1 FROM message WHERE message.digest_id = digest.id)
           AND NOT EXISTS (SELECT 1
                             FROM delivery
                            WHERE delivery.digest_id = digest.id
                              AND delivery.recipient_name <> '')
        """,
        [digest_ids],
    )
