"""What of intake's data is over, and its removal in small steps. What is held is left alone."""

from datetime import datetime

from shared.database import Connection
from shared.retention.jobs import Step, measured


def measure_keys(connection: Connection, before: datetime) -> tuple[int, datetime | None]:
    return measured(
        connection.execute(
            "SELECT count(*), min(created_at) FROM idempotency_key WHERE created_at < %s", [before]
        ).fetchone()
    )


def delete_keys(connection: Connection, before: datetime, batch: int, _: int) -> Step:
    removed = connection.execute(
        """
        DELETE FROM idempotency_key
         WHERE (caller, key) IN (SELECT caller, key
                                   FROM idempotency_key
                                  WHERE created_at < %s
                                  LIMIT %s
                                    FOR UPDATE SKIP LOCKED)
        """,
        [before, batch],
    ).rowcount
    return Step(removed=removed, seen=removed)


def measure_links(connection: Connection, before: datetime) -> tuple[int, datetime | None]:
    return measured(
        connection.execute(
            "SELECT count(*), min(expires_at) FROM citizen_link WHERE expires_at < %s", [before]
        ).fetchone()
    )


def delete_links(connection: Connection, before: datetime, batch: int, _: int) -> Step:
    """The ratings stay; what tells that one of them came by a link is its own method."""
    removed = connection.execute(
        """
        DELETE FROM citizen_link
         WHERE id IN (SELECT id
                        FROM citizen_link
                       WHERE expires_at < %s
                       LIMIT %s
                         FOR UPDATE SKIP LOCKED)
        """,
        [before, batch],
    ).rowcount
    return Step(removed=removed, seen=removed)


def measure_traces(connection: Connection, before: datetime) -> tuple[int, datetime | None]:
    return measured(
        connection.execute(
            "SELECT count(*), min(recorded_at) FROM rating_trace WHERE recorded_at < %s", [before]
        ).fetchone()
    )


def delete_traces(connection: Connection, before: datetime, batch: int, _: int) -> Step:
    removed = connection.execute(
        """
        DELETE FROM rating_trace
         WHERE rating_id IN (SELECT rating_id
                               FROM rating_trace
                              WHERE recorded_at < %s
                              LIMIT %s
                                FOR UPDATE SKIP LOCKED)
        """,
        [before, batch],
    ).rowcount
    return Step(removed=removed, seen=removed)


def measure_rating_links(connection: Connection, before: datetime) -> tuple[int, datetime | None]:
    return measured(
        connection.execute(
            """
            SELECT count(*), min(rated_at)
              FROM rating
             WHERE rated_at < %s
               AND num_nonnulls(issue_id, contact_id) = 1
               AND NOT is_held('rating', id::text)
               AND NOT is_held('issue', coalesce(issue_id::text, ''))
               AND NOT is_held('contact', coalesce(contact_id::text, ''))
            """,
            [before],
        ).fetchone()
    )


def unlink_ratings(connection: Connection, before: datetime, batch: int, _: int) -> Step:
    """The rating stays, without what it was about and so without a unit whose people may see it."""
    removed = connection.execute(
        """
        UPDATE rating
           SET issue_id = NULL, contact_id = NULL, source_number = NULL, owner_organisation_id = NULL
         WHERE id IN (SELECT id
                        FROM rating
                       WHERE rated_at < %s
                         AND num_nonnulls(issue_id, contact_id) = 1
                         AND NOT is_held('rating', id::text)
                         AND NOT is_held('issue', coalesce(issue_id::text, ''))
                         AND NOT is_held('contact', coalesce(contact_id::text, ''))
                       LIMIT %s
                         FOR UPDATE SKIP LOCKED)
        """,
        [before, batch],
    ).rowcount
    return Step(removed=removed, seen=removed)


def measure_import_files(connection: Connection, before: datetime) -> tuple[int, datetime | None]:
    return measured(
        connection.execute(
            """
            SELECT count(*), min(finished_at)
              FROM import_run
             WHERE storage_name IS NOT NULL
               AND state = 'failed'
               AND finished_at < %s
               AND NOT is_held('import', id::text)
            """,
            [before],
        ).fetchone()
    )


def forget_import_files(connection: Connection, before: datetime, batch: int, _: int) -> Step:
    """Runs whose file is over: the hourly sweep then finds that nobody wants the file."""
    removed = connection.execute(
        """
        UPDATE import_run
           SET storage_name = NULL
         WHERE id IN (SELECT id
                        FROM import_run
                       WHERE storage_name IS NOT NULL
                         AND state = 'failed'
                         AND finished_at < %s
                         AND NOT is_held('import', id::text)
                       LIMIT %s
                         FOR UPDATE SKIP LOCKED)
        """,
        [before, batch],
    ).rowcount
    return Step(removed=removed, seen=removed)


def measure_message_texts(connection: Connection, before: datetime) -> tuple[int, datetime | None]:
    return measured(
        connection.execute(
            """
            SELECT count(*), min(settled_at)
              FROM citizen_message
             WHERE settled_at < %s
               AND text_sealed IS NOT NULL
               AND NOT is_held('issue', issue_id::text)
            """,
            [before],
        ).fetchone()
    )


def forget_message_texts(connection: Connection, before: datetime, batch: int, _: int) -> Step:
    """That a citizen was told stays; with which words does not, and it cannot be sent again any more."""
    removed = connection.execute(
        """
        UPDATE citizen_message
           SET text_sealed = NULL
         WHERE id IN (SELECT id
                        FROM citizen_message
                       WHERE settled_at < %s
                         AND text_sealed IS NOT NULL
                         AND NOT is_held('issue', issue_id::text)
                       LIMIT %s
                         FOR UPDATE SKIP LOCKED)
        """,
        [before, batch],
    ).rowcount
    return Step(removed=removed, seen=removed)


def measure_messages(connection: Connection, before: datetime) -> tuple[int, datetime | None]:
    return measured(
        connection.execute(
            """
            SELECT count(*), min(settled_at)
              FROM citizen_message
             WHERE settled_at < %s
               AND NOT is_held('issue', issue_id::text)
            """,
            [before],
        ).fetchone()
    )


def delete_messages(connection: Connection, before: datetime, batch: int, _: int) -> Step:
    """With every attempt and receipt."""
    removed = connection.execute(
        """
        DELETE FROM citizen_message
         WHERE id IN (SELECT id
                        FROM citizen_message
                       WHERE settled_at < %s
                         AND NOT is_held('issue', issue_id::text)
                       LIMIT %s
                         FOR UPDATE SKIP LOCKED)
        """,
        [before, batch],
    ).rowcount
    return Step(removed=removed, seen=removed)
