"""What of assessment's data is over, and its removal in small steps. What is held is left alone."""

from datetime import datetime

from services.assessment.storage import partitions
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
    """Years that are over go whole, unless anything of scores is held; the rest row by row."""
    dropped = partitions.drop_score_years(connection, before.date())
    removed = connection.execute(
        """
          WITH over AS (SELECT subject_kind, subject_id, period_kind, period_start
                          FROM score
                         WHERE period_start < %s
                           AND NOT is_held('score', score_id::text)
                         LIMIT %s
                           FOR UPDATE SKIP LOCKED)
        DELETE FROM score
         USING over
         WHERE score.subject_kind = over.subject_kind
           AND score.subject_id = over.subject_id
           AND score.period_kind = over.period_kind
           AND score.period_start = over.period_start
        """,
        [before.date(), batch],
    ).rowcount
    return Step(removed=dropped + removed, seen=removed)


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
