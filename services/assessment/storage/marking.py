"""Marking what is due to be tallied and scored, with the facts that touch it, and finding whom they touch."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

import orjson

from shared.database import Connection


def mark_cells_of_facts(
    connection: Connection, correlations: Mapping[UUID, str], *, time_zone: str, marked_at: datetime
) -> None:
    """Mark the cells of these issues and of all who share them, of contacts, of ratings, and of the ratings of these.
    Marks again what is marked.

    Called before and after a change: where an assignment moves, the cell left and the cell entered are both due.
    The correlation id is that of the event that touched the fact. DO UPDATE and not DO NOTHING: a pass that has
    read the older mark must not remove the newer one.
    """
    if not correlations:
        return
    connection.execute(
        """
        WITH touched AS (
            SELECT fact_id, correlation_id
              FROM unnest(%(ids)s::uuid[], %(correlations)s::text[]) AS row (fact_id, correlation_id)
        ), cell AS (
            SELECT organisation_id, cadre_id, received_at AS at, correlation_id
              FROM touched JOIN issue_fact ON issue_id = fact_id
             WHERE received_at IS NOT NULL
             UNION ALL
            SELECT share.organisation_id, share.cadre_id, received_at, correlation_id
              FROM touched
              JOIN issue_share AS share ON share.issue_id = fact_id
              JOIN issue_fact AS issue ON issue.issue_id = fact_id
             WHERE received_at IS NOT NULL
             UNION ALL
            SELECT organisation_id, cadre_id, occurred_at, correlation_id
              FROM touched JOIN contact_fact ON contact_id = fact_id
             UNION ALL
            SELECT organisation_id, cadre_id, rated_at, correlation_id
              FROM touched JOIN rating_fact ON rating_id = fact_id
             WHERE rated_at IS NOT NULL
             UNION ALL
            SELECT organisation_id, cadre_id, rated_at, correlation_id
              FROM touched JOIN rating_fact ON issue_id = fact_id
             UNION ALL
            SELECT organisation_id, cadre_id, rated_at, correlation_id
              FROM touched JOIN rating_fact ON contact_id = fact_id
        )
        INSERT INTO tally_due AS due (organisation_id, cadre_id, month, marked_at, revision, correlation_id)
        SELECT organisation_id, cadre_id, date_trunc('month', at AT TIME ZONE %(time_zone)s::text)::date AS month,
               %(marked_at)s, 1, max(correlation_id)
          FROM cell
         GROUP BY organisation_id, cadre_id, month
         ORDER BY organisation_id, cadre_id, month
            ON CONFLICT (organisation_id, cadre_id, month) DO UPDATE
           SET revision = due.revision + 1,
               correlation_id = excluded.correlation_id
        """,
        {
            "ids": list(correlations),
            "correlations": list(correlations.values()),
            "time_zone": time_zone,
            "marked_at": marked_at,
        },
        prepare=False,
    )


def mark_cells_of_duties(
    connection: Connection, correlations: Mapping[UUID, str], *, today: date, marked_at: datetime
) -> None:
    """Mark the months in which these posts owe, or posts owe by these duties, as far as they have begun.

    From the January before: duties by the quarter and the year stand in the row of the unit's first month.
    """
    if not correlations:
        return
    connection.execute(
        """
        WITH touched AS (
            SELECT id, correlation_id
              FROM unnest(%(ids)s::uuid[], %(correlations)s::text[]) AS row (id, correlation_id)
        ), owing AS (
            SELECT post_id, duty_id, correlation_id
              FROM touched JOIN post ON post_id = id JOIN duty USING (post_kind)
             UNION
            SELECT post_id, duty_id, correlation_id
              FROM touched JOIN duty ON duty_id = id JOIN post USING (post_kind)
        )
        INSERT INTO tally_due AS due (organisation_id, cadre_id, month, marked_at, revision, correlation_id)
        SELECT post.organisation_id, post.cadre_id, month::date AS month, %(marked_at)s, 1, max(correlation_id)
          FROM owing
          JOIN post USING (post_id)
          JOIN duty USING (duty_id)
         CROSS JOIN generate_series(
                   date_trunc('year', greatest(from_on, valid_from)::timestamp),
                   least(until_on, valid_until, %(today)s)::timestamp,
                   interval '1 month') AS month
         WHERE greatest(from_on, valid_from) <= least(until_on, valid_until, %(today)s)
         GROUP BY post.organisation_id, post.cadre_id, month
         ORDER BY post.organisation_id, post.cadre_id, month
            ON CONFLICT (organisation_id, cadre_id, month) DO UPDATE
           SET revision = due.revision + 1,
               correlation_id = excluded.correlation_id
        """,
        {
            "ids": list(correlations),
            "correlations": list(correlations.values()),
            "today": today,
            "marked_at": marked_at,
        },
    )


def mark_subjects(connection: Connection, correlations: Mapping[tuple[str, UUID], str], *, marked_at: datetime) -> None:
    if not correlations:
        return
    rows = [
        {"subject_kind": kind, "subject_id": subject_id, "correlation_id": correlation_id}
        for (kind, subject_id), correlation_id in sorted(correlations.items())
    ]
    connection.execute(
        """
        INSERT INTO subject_due AS due (subject_kind, subject_id, marked_at, revision, correlation_id)
        SELECT subject_kind, subject_id, %s, 1, correlation_id
          FROM json_to_recordset(%s::json) AS row (subject_kind text, subject_id uuid, correlation_id text)
            ON CONFLICT (subject_kind, subject_id) DO UPDATE
           SET revision = due.revision + 1,
               correlation_id = excluded.correlation_id
        """,
        [marked_at, orjson.dumps(rows).decode()],
    )


def mark_all_subjects(connection: Connection, *, nobody: UUID, marked_at: datetime, correlation_id: str) -> int:
    """Return how many."""
    return connection.execute(
        """
        INSERT INTO subject_due AS due (subject_kind, subject_id, marked_at, revision, correlation_id)
        SELECT subject_kind, subject_id, %s::timestamptz, 1, %s
          FROM (SELECT DISTINCT 'cadre' AS subject_kind, cadre_id AS subject_id FROM tally
                 UNION ALL
                SELECT DISTINCT 'organisation', organisation_id FROM organisation_tally) AS subject
         WHERE subject_id <> %s
         ORDER BY subject_kind, subject_id
            ON CONFLICT (subject_kind, subject_id) DO UPDATE
           SET revision = due.revision + 1
        """,
        [marked_at, correlation_id, nobody],
    ).rowcount


def list_parents(connection: Connection, organisation_ids: Sequence[UUID]) -> list[UUID]:
    rows = connection.execute(
        """
        SELECT DISTINCT parent_id
          FROM parentage
         WHERE organisation_id = ANY(%s)
           AND parent_id IS NOT NULL
        """,
        [list(organisation_ids)],
    ).fetchall()
    return [UUID(str(row[0])) for row in rows]


def list_cadres_of_posts(connection: Connection, post_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Return the cadre by post."""
    rows = connection.execute("SELECT post_id, cadre_id FROM post WHERE post_id = ANY(%s)", [list(post_ids)]).fetchall()
    return {UUID(str(row[0])): UUID(str(row[1])) for row in rows}


def list_posts_owing_by_place(connection: Connection, organisation_ids: Sequence[UUID]) -> list[UUID]:
    """List the posts in these organisations, or ever below them, to whose kind some place's own duty applies.

    What they owe depends on what stands above them, and that may be told after the duty and the post.
    """
    rows = connection.execute(
        """
        WITH RECURSIVE below AS (
            SELECT unnest(%s::uuid[]) AS organisation_id
             UNION
            SELECT child.organisation_id
              FROM below
              JOIN parentage AS child ON child.parent_id = below.organisation_id
        )
        SELECT post_id
          FROM below
          JOIN post USING (organisation_id)
         WHERE EXISTS (SELECT 1
                         FROM duty
                        WHERE duty.post_kind = post.post_kind
                          AND duty.organisation_id IS NOT NULL)
        """,
        [list(organisation_ids)],
    ).fetchall()
    return [UUID(str(row[0])) for row in rows]


def mark_organisation_months(
    connection: Connection, months: Mapping[tuple[UUID, date], str], *, nobody: UUID, marked_at: datetime
) -> None:
    """Have these organisations summed anew by the next pass: by the cell in which nobody stands."""
    if not months:
        return
    connection.execute(
        """
        INSERT INTO tally_due AS due (organisation_id, cadre_id, month, marked_at, revision, correlation_id)
        SELECT organisation_id, %s, month, %s, 1, correlation_id
          FROM unnest(%s::uuid[], %s::date[], %s::text[]) AS row (organisation_id, month, correlation_id)
         ORDER BY organisation_id, month
            ON CONFLICT (organisation_id, cadre_id, month) DO UPDATE
           SET revision = due.revision + 1
        """,
        [nobody, marked_at, [one for one, _ in months], [month for _, month in months], list(months.values())],
        prepare=False,
    )
