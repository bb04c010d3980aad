"""What comes to be due by time alone: deadlines that pass and duties whose days go by."""

from datetime import date, datetime

from shared.database import Connection


def lock_sweep(connection: Connection, name: str, *, start: datetime) -> datetime:
    """How far the sweep has come, locked until the transaction ends."""
    connection.execute(
        "INSERT INTO sweep (name, swept_until) VALUES (%s, %s) ON CONFLICT (name) DO NOTHING", [name, start]
    )
    row = connection.execute("SELECT swept_until FROM sweep WHERE name = %s FOR UPDATE", [name]).fetchone()
    if row is None or not isinstance(row[0], datetime):
        raise TypeError("a sweep has an instant")
    return row[0]


def find_swept_until(connection: Connection, name: str) -> datetime | None:
    row = connection.execute("SELECT swept_until FROM sweep WHERE name = %s", [name]).fetchone()
    return row[0] if row is not None and isinstance(row[0], datetime) else None


def set_swept_until(connection: Connection, name: str, swept_until: datetime) -> None:
    connection.execute("UPDATE sweep SET swept_until = %s WHERE name = %s", [swept_until, name])


def mark_overdue(
    connection: Connection, *, after: datetime, until: datetime, time_zone: str, correlation_id: str
) -> int:
    """Mark the cells of open issues whose deadline passed in this time, on issue_fact_due and issue_fact_respond."""
    return connection.execute(
        """
        WITH passed AS (
            SELECT organisation_id, cadre_id, received_at
              FROM issue_fact
             WHERE due_at >= %(after)s AND due_at < %(until)s
               AND closed_at IS NULL
               AND received_at IS NOT NULL
             UNION ALL
            SELECT organisation_id, cadre_id, received_at
              FROM issue_fact
             WHERE respond_by >= %(after)s AND respond_by < %(until)s
               AND closed_at IS NULL AND responded_at IS NULL
               AND received_at IS NOT NULL
        )
        INSERT INTO tally_due AS due (organisation_id, cadre_id, month, marked_at, revision, correlation_id)
        SELECT organisation_id, cadre_id,
               date_trunc('month', received_at AT TIME ZONE %(time_zone)s::text)::date AS month,
               %(until)s, 1, %(correlation_id)s
          FROM passed
         GROUP BY organisation_id, cadre_id, month
         ORDER BY organisation_id, cadre_id, month
            ON CONFLICT (organisation_id, cadre_id, month) DO UPDATE
           SET revision = due.revision + 1
        """,
        {"after": after, "until": until, "time_zone": time_zone, "correlation_id": correlation_id},
    ).rowcount


def mark_elapsed_duties(
    connection: Connection, *, first: date, last: date, marked_at: datetime, correlation_id: str
) -> int:
    """Mark the months of the days from first to last for every post that owed contact on one of them."""
    return connection.execute(
        """
        INSERT INTO tally_due AS due (organisation_id, cadre_id, month, marked_at, revision, correlation_id)
        SELECT post.organisation_id, cadre_id, month::date AS month, %(marked_at)s, 1, %(correlation_id)s
          FROM post
          JOIN duty USING (post_kind)
         CROSS JOIN generate_series(
                   date_trunc('month', greatest(from_on, valid_from, %(first)s)::timestamp),
                   least(until_on, valid_until, %(last)s)::timestamp,
                   interval '1 month') AS month
         WHERE greatest(from_on, valid_from, %(first)s) <= least(until_on, valid_until, %(last)s)
         GROUP BY post.organisation_id, cadre_id, month
         ORDER BY post.organisation_id, cadre_id, month
            ON CONFLICT (organisation_id, cadre_id, month) DO UPDATE
           SET revision = due.revision + 1
        """,
        {"first": first, "last": last, "marked_at": marked_at, "correlation_id": correlation_id},
    ).rowcount


def mark_begun_posts(
    connection: Connection, *, after: date, until: date, marked_at: datetime, correlation_id: str
) -> int:
    """Mark the cadres who took up a post on a day after the one and up to the other: they stand elsewhere now."""
    return connection.execute(
        """
        INSERT INTO subject_due AS due (subject_kind, subject_id, marked_at, revision, correlation_id)
        SELECT DISTINCT 'cadre', cadre_id, %(marked_at)s::timestamptz, 1, %(correlation_id)s
          FROM post
         WHERE from_on > %(after)s AND from_on <= %(until)s
         ORDER BY cadre_id
            ON CONFLICT (subject_kind, subject_id) DO UPDATE
           SET revision = due.revision + 1
        """,
        {"after": after, "until": until, "marked_at": marked_at, "correlation_id": correlation_id},
    ).rowcount
