"""What of assessment's data is over, and its removal in small steps. What is held is left alone."""

from datetime import datetime

from shared.database import Connection
from shared.retention.jobs import Step, measured


def measure_scores(connection: Connection, before: datetime) -> tuple[int, datetime | None]:
    """By the beginning of their period, so that one that is computed anew is not taken for a new one."""
    return measured(
        connection.execute(
            """
            SELECT count(*), min(period_start)::timestamptz
              FROM score
             WHERE period_start < %s
               AND NOT is_held('score', score_id::text)
            """,
            [before.date()],
        ).fetchone()
    )


def delete_scores(connection: Connection, before: datetime, batch: int, _: int) -> Step:
    removed = connection.execute(
        """
          WITH over AS (SELECT score_id
                          FROM score
                         WHERE period_start < %s
                           AND NOT is_held('score', score_id::text)
                         LIMIT %s
                           FOR UPDATE SKIP LOCKED)
        DELETE FROM score
         WHERE score_id IN (SELECT score_id FROM over)
        """,
        [before.date(), batch],
    ).rowcount
    return Step(removed=removed, seen=removed)


def measure_signals(connection: Connection, before: datetime) -> tuple[int, datetime | None]:
    """What was decided or lapsed; what is open waits for a person, however long."""
    return measured(
        connection.execute(
            """
            SELECT count(*), min(coalesce(decided_at, found_at))
              FROM signal
             WHERE state <> 'open'
               AND coalesce(decided_at, found_at) < %s
               AND NOT is_held('signal', signal_id::text)
            """,
            [before],
        ).fetchone()
    )


def delete_signals(connection: Connection, before: datetime, batch: int, _: int) -> Step:
    removed = connection.execute(
        """
        DELETE FROM signal
         WHERE signal_id IN (SELECT signal_id
                               FROM signal
                              WHERE state <> 'open'
                                AND coalesce(decided_at, found_at) < %s
                                AND NOT is_held('signal', signal_id::text)
                              LIMIT %s
                                FOR UPDATE SKIP LOCKED)
        """,
        [before, batch],
    ).rowcount
    return Step(removed=removed, seen=removed)
