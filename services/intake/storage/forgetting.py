"""Citizens whose last case has ended long ago, and forgetting who they were: their cases stay, under the pseudonym."""

from datetime import datetime

from psycopg import sql

from shared.database import Connection
from shared.retention.jobs import Step, measured

# Over is whoever has no open case and came with nothing new since. Kept are those whom a restriction protects, whom a
# hold is about, and whoever complained of an official: what becomes of that is for the discipline body to say.
OVER = sql.SQL(
    """
    SELECT ref, ended_at
      FROM (SELECT ref,
                   greatest(recorded_at,
                            (SELECT max(closed_at) FROM issue WHERE issue.citizen_ref = ref),
                            (SELECT max(occurred_at) FROM contact WHERE contact.citizen_ref = ref),
                            (SELECT max(until_on) FROM contact_household WHERE contact_household.citizen_ref = ref),
                            (SELECT max(rated_at) FROM rating WHERE rating.rater_ref = ref)) AS ended_at
              FROM citizen
             WHERE state = 'active'
               AND recorded_at < %(before)s
               AND num_nonnulls(name, phone, id_number, address) > 0
               AND NOT is_held('citizen', ref::text)
               AND NOT EXISTS (SELECT 1
                                 FROM contact_household
                                WHERE contact_household.citizen_ref = ref
                                  AND until_on IS NULL)
               AND NOT EXISTS (SELECT 1
                                 FROM issue
                                WHERE issue.citizen_ref = ref
                                  AND (status <> 'closed' OR subject_id IS NOT NULL
                                       OR is_held('issue', issue.id::text)))) AS known
     WHERE ended_at < %(before)s
    """
)


def measure_citizens(connection: Connection, before: datetime) -> tuple[int, datetime | None]:
    query = sql.SQL("SELECT count(*), min(ended_at) FROM ({}) AS over").format(OVER)
    return measured(connection.execute(query, {"before": before}).fetchone())


def forget_citizens(connection: Connection, before: datetime, batch: int) -> Step:
    """The key stays, for it opens the words of the cases; what a citizen could be named or found by goes."""
    query = sql.SQL(
        """
        WITH over AS ({} LIMIT %(batch)s),
             unfindable AS (DELETE FROM citizen_handle
                             WHERE citizen_ref IN (SELECT ref FROM over)),
             untold AS (UPDATE issue SET told_name = NULL, told_phone = NULL
                         WHERE citizen_ref IN (SELECT ref FROM over) AND is_told_apart),
             unmet AS (UPDATE contact SET told_name = NULL, told_phone = NULL
                        WHERE citizen_ref IN (SELECT ref FROM over) AND is_told_apart)
        UPDATE citizen
           SET name = NULL, phone = NULL, id_number = NULL, id_kind = NULL, address = NULL
         WHERE ref IN (SELECT ref FROM over)
        """
    ).format(OVER)
    removed = connection.execute(query, {"before": before, "batch": batch}).rowcount
    return Step(removed=removed, seen=removed)
