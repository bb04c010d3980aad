"""What came of calling those who were drawn, in the database."""

from uuid import UUID

from psycopg.rows import class_row

from services.intake.domain.sample_findings import Called
from shared.database import Connection


def list_called(connection: Connection, sample_id: UUID) -> list[Called]:
    """Whoever called them, and why: a citizen is not asked again. On callback_attempt_issue.

    A rating that was taken out is none. What was denied and rated later, at another person's call, is rated.
    """
    with connection.cursor(row_factory=class_row(Called)) as cursor:
        return cursor.execute(
            """
            SELECT member.unit_id, member.is_self_attested, member.is_drawn, member.is_targeted, call.level,
                   CASE WHEN call.level IS NOT NULL THEN 'rated'
                        WHEN EXISTS (SELECT
                                       FROM callback_denial AS denial
                                      WHERE denial.issue_id = member.issue_id
                                        AND denial = 'no_such_matter'
                                        AND overruled_by IS NULL) THEN 'denied'
                        WHEN EXISTS (SELECT
                                       FROM callback_task AS task
                                      WHERE task.issue_id = member.issue_id AND task.state = 'open') THEN 'waiting'
                        WHEN call.leads_nowhere THEN 'unreachable'
                        ELSE 'silent' END AS answer
              FROM rating_sample_member AS member
             CROSS JOIN LATERAL (
                   SELECT max(rating.level) AS level,
                          bool_or(result IN ('wrong_number', 'no_such_number', 'no_number'))
                          AND NOT bool_or(result LIKE 'reached%%') AS leads_nowhere
                     FROM callback_attempt AS attempt
                     LEFT JOIN rating ON rating.id = attempt.rating_id AND rating.state <> 'removed'
                    WHERE attempt.issue_id = member.issue_id) AS call
             WHERE member.sample_id = %s
               AND (member.is_drawn OR member.is_targeted)
             ORDER BY member.unit_id, member.issue_id
            """,
            [sample_id],
            prepare=False,
        ).fetchall()
