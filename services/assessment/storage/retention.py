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
