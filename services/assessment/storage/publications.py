"""Publications: written once at the close of a period, and read word for word ever after."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import class_row

from services.assessment.domain.periods import Period
from services.assessment.domain.scores import Subject, SubjectKind
from shared.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    subject_code: str
    scheme_name: str
    scheme_version: int
    document: str
    content_hash: bytes
    inputs: str | None
    inputs_hash: bytes | None
    channels: dict[str, int] | None  # of a cadre's issues, how many came by each


def list_cadres_at_work(connection: Connection, period: Period) -> list[Subject]:
    """Who held a post in the period, or of whom a contact or an issue is known. Ratings make nobody appear."""
    with connection.cursor(row_factory=class_row(Subject)) as cursor:
        return cursor.execute(
            """
            SELECT 'cadre' AS subject_kind, cadre_id AS subject_id, staff_number AS code, name
              FROM cadre
             WHERE EXISTS (
                       SELECT FROM post
                        WHERE post.cadre_id = cadre.cadre_id
                          AND from_on <= %(end)s
                          AND (until_on IS NULL OR until_on >= %(start)s))
                OR EXISTS (
                       SELECT FROM tally
                        WHERE tally.cadre_id = cadre.cadre_id
                          AND month BETWEEN date_trunc('month', %(start)s::timestamp) AND %(end)s
                          AND contacts + issues_received > 0)
             ORDER BY cadre_id
            """,
            {"start": period.start, "end": period.end},
            prepare=False,
        ).fetchall()


def list_organisations(connection: Connection) -> list[Subject]:
    with connection.cursor(row_factory=class_row(Subject)) as cursor:
        return cursor.execute(
            """
            SELECT 'organisation' AS subject_kind, organisation_id AS subject_id, code, name, organisation_id
              FROM organisation
             ORDER BY organisation_id
            """
        ).fetchall()


def list_parents(connection: Connection, *, on: date) -> dict[UUID, UUID | None]:
    """Under which parent each organisation stood that day."""
    rows = connection.execute("SELECT organisation_id, parent_on(organisation_id, %s) FROM organisation", [on])
    return {UUID(str(row[0])): row[1] if isinstance(row[1], UUID) else None for row in rows}


def count_channels(connection: Connection, period: Period, *, time_zone: str) -> dict[UUID, str]:
    """By cadre, how many of the issues that `issues_received` counts came by each channel, as a JSON object.

    Of all cadres at once: fetched cadre by cadre on an index, each issue costs several times as much.
    """
    rows = connection.execute(
        """
        SELECT cadre_id, json_object_agg(channel, issues)::text
          FROM (SELECT cadre_id, channel, count(*) AS issues
                  FROM issue_fact
                 WHERE received_at >= %(start)s::timestamp AT TIME ZONE %(time_zone)s::text
                   AND received_at < %(next_start)s::timestamp AT TIME ZONE %(time_zone)s::text
                   AND channel IS NOT NULL
                   AND excluded IS DISTINCT FROM 'all'
                   AND (merged_into IS NULL OR outcome IS DISTINCT FROM 'merged')
                 GROUP BY cadre_id, channel) AS counted
         GROUP BY cadre_id
        """,
        {"start": period.start, "next_start": period.next_start, "time_zone": time_zone},
        prepare=False,
    )
    return {UUID(str(cadre_id)): str(channels) for cadre_id, channels in rows}


def insert_publications(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    connection.execute(
        """
        INSERT INTO publication (subject_kind, subject_id, subject_code, organisation_id, period_kind, period_start,
                                 period_end, scheme_name, scheme_version, inputs, inputs_hash, document, content_hash,
                                 channels)
        SELECT subject_kind, subject_id, subject_code, organisation_id, period_kind, period_start, period_end,
               scheme_name, scheme_version, inputs, decode(inputs_hash, 'hex'), document, decode(content_hash, 'hex'),
               channels::jsonb
          FROM json_to_recordset(%s::json)
            AS row (subject_kind text, subject_id uuid, subject_code text, organisation_id uuid, period_kind text,
                    period_start date, period_end date, scheme_name text, scheme_version integer, inputs text,
                    inputs_hash text, document text, content_hash text, channels text)
        """,
        [orjson.dumps(rows).decode()],
    )


def find_publication(connection: Connection, kind: SubjectKind, code: str, period: Period) -> Publication | None:
    """On publication_by_code."""
    with connection.cursor(row_factory=class_row(Publication)) as cursor:
        return cursor.execute(
            """
            SELECT subject_code, scheme_name, scheme_version, document, content_hash, inputs, inputs_hash, channels
              FROM publication
             WHERE subject_kind = %s
               AND period_kind = %s
               AND period_start = %s
               AND period_end = %s
               AND subject_code COLLATE "C" = %s
             ORDER BY subject_id
             LIMIT 1
            """,
            [kind, period.kind, period.start, period.end, code],
        ).fetchone()


def list_publications(
    connection: Connection, kind: SubjectKind, period: Period, *, after: str | None, limit: int
) -> list[Publication]:
    """By code: an order that no rating moves. On publication_by_code, or where the reach is narrow on its own indexes.

    The reach is said again in the statement, since a policy alone would have every row of the period looked at.
    """
    reach = connection.execute(
        """
        SELECT ARRAY(SELECT acting_subtree()), ARRAY(SELECT acting_cadres(acting_staff_number()))
         WHERE acting_reach() = 'scoped'
        """
    ).fetchone()
    with connection.cursor(row_factory=class_row(Publication)) as cursor:
        return cursor.execute(
            """
            SELECT subject_code, scheme_name, scheme_version, document, content_hash, inputs, inputs_hash, channels
              FROM publication
             WHERE subject_kind = %(kind)s
               AND period_kind = %(period_kind)s
               AND period_start = %(period_start)s
               AND period_end = %(period_end)s
               AND (%(is_free)s
                    OR organisation_id = ANY(%(organisation_ids)s::uuid[])
                    OR (subject_kind = 'cadre' AND subject_id = ANY(%(cadre_ids)s::uuid[])))
               AND (%(after)s::text IS NULL OR subject_code COLLATE "C" > %(after)s)
             ORDER BY subject_code COLLATE "C", subject_id
             LIMIT %(limit)s
            """,
            {
                "kind": kind,
                "period_kind": period.kind,
                "period_start": period.start,
                "period_end": period.end,
                "is_free": reach is None,
                "organisation_ids": reach[0] if reach else [],
                "cadre_ids": reach[1] if reach else [],
                "after": after,
                "limit": limit,
            },
            prepare=False,
        ).fetchall()
