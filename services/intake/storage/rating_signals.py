"""What stands around ratings in the database, as far as thresholds ask for it. Under the system's reach."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.rows import class_row

from services.intake.domain.rating_rules import Signals
from services.intake.domain.rating_signals import Measured, Share
from shared.database import Connection

TOP_LEVEL = 5


def list_measured(
    connection: Connection, rating_ids: Sequence[UUID], signals: Signals, *, now: datetime
) -> list[Measured]:
    """On rating_rater, rating_trace_network, rating_trace_device and citizen_handle's key."""
    with connection.cursor(row_factory=class_row(Measured)) as cursor:
        return cursor.execute(
            """
            SELECT rating.id AS rating_id, rating.method, rating.recorded_at,
                   phones.has_staff_phone, phones.phone_count, places.network_count, places.device_count,
                   trace.fill_seconds,
                   CASE WHEN contact.recorded_by = rating.recorded_by THEN contact.recorded_at END
                       AS contact_recorded_at,
                   rating.contact_id IS NOT NULL
                       AND num_nonnulls(contact.citizen_ref, contact.note_sealed, contact.place_code) = 0
                       AND NOT EXISTS (SELECT FROM issue AS raised WHERE raised.contact_id = contact.id)
                       AS is_traceless_contact
              FROM rating
              LEFT JOIN issue ON issue.id = rating.issue_id
              LEFT JOIN contact ON contact.id = coalesce(rating.contact_id, issue.contact_id)
              LEFT JOIN rating_trace AS trace ON trace.rating_id = rating.id
             CROSS JOIN LATERAL (
                   SELECT EXISTS (SELECT
                                    FROM citizen_handle AS handle
                                    JOIN staff_phone ON staff_phone.digest = handle.digest
                                   WHERE handle.citizen_ref = rating.rater_ref AND handle.kind = 'phone')
                              AS has_staff_phone,
                          (SELECT count(DISTINCT other.id)
                             FROM citizen_handle AS own
                             JOIN citizen_handle AS same ON same.digest = own.digest AND same.kind = 'phone'
                             JOIN rating AS other ON other.rater_ref = same.citizen_ref
                             LEFT JOIN issue AS other_issue ON other_issue.id = other.issue_id
                             LEFT JOIN contact AS other_contact ON other_contact.id = other.contact_id
                            WHERE own.citizen_ref = rating.rater_ref
                              AND own.kind = 'phone'
                              AND other.rated_at > rating.rated_at - %(phone_span)s
                              AND other.rated_at <= rating.rated_at
                              AND coalesce(other_issue.cadre_id, other_contact.cadre_id)
                                  = coalesce(issue.cadre_id, contact.cadre_id)) AS phone_count) AS phones
             CROSS JOIN LATERAL (
                   SELECT (SELECT count(*)
                             FROM rating_trace AS other
                            WHERE other.network = trace.network
                              AND other.recorded_at > %(now)s - interval '1 hour') AS network_count,
                          (SELECT count(*)
                             FROM rating_trace AS other
                            WHERE other.device = trace.device
                              AND other.recorded_at > %(now)s - interval '1 hour') AS device_count) AS places
             WHERE rating.id = ANY(%(ids)s)
             ORDER BY rating.id
            """,
            {"ids": list(rating_ids), "now": now, "phone_span": timedelta(days=signals.phone_days)},
            prepare=False,
        ).fetchall()


def list_shares(connection: Connection, *, since: datetime) -> list[Share]:
    """The top levels of each cadre's ratings since then, of those that count."""
    with connection.cursor(row_factory=class_row(Share)) as cursor:
        return cursor.execute(
            """
            SELECT coalesce(issue.cadre_id, contact.cadre_id) AS cadre_id, count(*) AS ratings,
                   count(*) FILTER (WHERE rating.level = %s) AS top
              FROM rating
              LEFT JOIN issue ON issue.id = rating.issue_id
              LEFT JOIN contact ON contact.id = rating.contact_id
             WHERE rating.rated_at > %s
               AND rating.state <> 'removed'
               AND coalesce(issue.cadre_id, contact.cadre_id) IS NOT NULL
             GROUP BY 1
            """,
            [TOP_LEVEL, since],
            prepare=False,
        ).fetchall()


def list_top_ratings(connection: Connection, cadre_ids: Sequence[UUID], *, since: datetime) -> list[UUID]:
    """The top ratings of these cadres since then that count and that nobody has looked at for the same reason."""
    rows = connection.execute(
        """
        SELECT rating.id
          FROM rating
          LEFT JOIN issue ON issue.id = rating.issue_id
          LEFT JOIN contact ON contact.id = rating.contact_id
         WHERE rating.rated_at > %s
           AND rating.level = %s
           AND rating.state = 'counted'
           AND rating.method <> 'import'
           AND coalesce(issue.cadre_id, contact.cadre_id) = ANY(%s)
           AND NOT EXISTS (SELECT
                             FROM rating_case
                            WHERE rating_case.rating_id = rating.id
                              AND (state = 'open' OR 'share_z_score' = ANY (signals)))
         ORDER BY rating.id
        """,
        [since, TOP_LEVEL, list(cadre_ids)],
        prepare=False,
    ).fetchall()
    return [UUID(str(row[0])) for row in rows]
