"""Samples for call-backs in the database: the list that was drawn from, and what there is to call."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from psycopg.rows import class_row

from services.intake.domain.rating_samples import Member
from shared.database import Connection
from shared.errors import NotFound


class OrganisationNotFound(NotFound):
    """Also for the acting person's own unit and those above it: nobody draws whom of the own work to ask about."""

    code = "organisation-not-found"


class SampleNotFound(NotFound):
    code = "rating-sample-not-found"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    id: UUID
    organisation_code: str
    period: str
    seed: str
    algorithm: str
    share: Decimal
    list_hash: bytes
    drawn_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownMember:
    unit_code: str
    unit_id: UUID
    issue_id: UUID
    is_drawn: bool


_SAMPLE = """
    SELECT sample.id, code_of(sample.organisation_id) AS organisation_code, sample.period, sample.seed,
           sample.algorithm, sample.share, sample.list_hash, sample.drawn_at
      FROM rating_sample AS sample
"""


def find_organisation(connection: Connection, code: str) -> UUID | None:
    """One within reach that is neither the acting person's own nor above it."""
    row = connection.execute(
        "SELECT id FROM organisation WHERE code = %s AND is_within_reach(id) AND NOT is_in_units(ARRAY[id])", [code]
    ).fetchone()
    return UUID(str(row[0])) if row else None


def lock_sampling(connection: Connection, organisation_id: UUID) -> None:
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 11))", [str(organisation_id)])


def find_sample(connection: Connection, organisation_id: UUID, period: str) -> Sample | None:
    with connection.cursor(row_factory=class_row(Sample)) as cursor:
        return cursor.execute(
            f"{_SAMPLE} WHERE sample.organisation_id = %s AND sample.period = %s", [organisation_id, period]
        ).fetchone()


def get_sample(connection: Connection, sample_id: UUID) -> Sample:
    """Raises SampleNotFound."""
    with connection.cursor(row_factory=class_row(Sample)) as cursor:
        sample = cursor.execute(f"{_SAMPLE} WHERE sample.id = %s", [sample_id]).fetchone()
    if sample is None:
        raise SampleNotFound("there is no such sample")
    return sample


def list_closed(connection: Connection, organisation_id: UUID, begins_at: datetime, ends_at: datetime) -> list[Member]:
    """What was closed there and below in that time, on issue_closed. Merged ones have another that stands for them."""
    with connection.cursor(row_factory=class_row(Member)) as cursor:
        return cursor.execute(
            """
            SELECT issue.owner_organisation_id AS unit_id, issue.id AS issue_id
              FROM issue
              JOIN organisation_line AS line ON line.organisation_id = issue.owner_organisation_id
              JOIN organisation AS root ON root.code = line.ancestor_code
             WHERE root.id = %s
               AND issue.closed_at >= %s
               AND issue.closed_at < %s
               AND issue.status = 'closed'
               AND issue.outcome <> 'merged'
             ORDER BY 1, 2
            """,
            [organisation_id, begins_at, ends_at],
            prepare=False,
        ).fetchall()


def insert_sample(
    connection: Connection, sample: Mapping[str, Any], members: Sequence[Member], drawn: set[UUID]
) -> None:
    connection.execute(
        """
        INSERT INTO rating_sample (id, organisation_id, period, begins_at, ends_at, seed, algorithm, share, list_hash,
                                   drawn_by, drawn_at)
        VALUES (%(id)s, %(organisation_id)s, %(period)s, %(begins_at)s, %(ends_at)s, %(seed)s, %(algorithm)s,
                %(share)s, %(list_hash)s, %(drawn_by)s, %(drawn_at)s)
        """,
        sample,
    )
    connection.execute(
        """
        INSERT INTO rating_sample_member (sample_id, unit_id, issue_id, is_drawn)
        SELECT %s, unit_id, issue_id, is_drawn
          FROM unnest(%s::uuid[], %s::uuid[], %s::boolean[]) AS row (unit_id, issue_id, is_drawn)
        """,
        [
            sample["id"],
            [member.unit_id for member in members],
            [member.issue_id for member in members],
            [member.issue_id in drawn for member in members],
        ],
    )


def insert_tasks(connection: Connection, sample: Mapping[str, Any], *, lowest_level: int) -> int:
    """One call a drawn issue, and one each that was rated lowest, unless a call about it is open; return how many."""
    made = connection.execute(
        """
        WITH wanted AS (
            SELECT issue_id, NULL::uuid AS contact_id, 'sample' AS origin
              FROM rating_sample_member
             WHERE sample_id = %(id)s AND is_drawn
             UNION ALL
            SELECT DISTINCT rating.issue_id, rating.contact_id, 'lowest'
              FROM rating
              JOIN organisation_line AS line ON line.organisation_id = rating.owner_organisation_id
              JOIN organisation AS root ON root.code = line.ancestor_code
             WHERE root.id = %(organisation_id)s
               AND rating.rated_at >= %(begins_at)s
               AND rating.rated_at < %(ends_at)s
               AND rating.level <= %(lowest)s
               AND rating.state <> 'removed'
               AND rating.method <> 'callback'
               AND num_nonnulls(rating.issue_id, rating.contact_id) = 1
        )
        INSERT INTO callback_task (id, issue_id, contact_id, origin, sample_id, state, created_at)
        SELECT gen_random_uuid(), issue_id, contact_id, min(origin), %(id)s, 'open', %(drawn_at)s
          FROM wanted
         GROUP BY issue_id, contact_id
            ON CONFLICT DO NOTHING
        """,
        {**sample, "lowest": lowest_level},
        prepare=False,
    )
    return made.rowcount


def list_members(
    connection: Connection, sample_id: UUID, *, after: tuple[UUID, UUID] | None, limit: int
) -> list[ShownMember]:
    """By unit and issue, on the key."""
    with connection.cursor(row_factory=class_row(ShownMember)) as cursor:
        return cursor.execute(
            """
            SELECT code_of(unit_id) AS unit_code, unit_id, issue_id, is_drawn
              FROM rating_sample_member
             WHERE sample_id = %(sample)s
               AND (%(unit)s::uuid IS NULL OR (unit_id, issue_id) > (%(unit)s, %(issue)s))
             ORDER BY unit_id, issue_id
             LIMIT %(limit)s
            """,
            {
                "sample": sample_id,
                "unit": after[0] if after else None,
                "issue": after[1] if after else None,
                "limit": limit,
            },
        ).fetchall()


def list_drawn(connection: Connection, sample_id: UUID) -> list[UUID]:
    rows = connection.execute(
        "SELECT issue_id FROM rating_sample_member WHERE sample_id = %s AND is_drawn ORDER BY issue_id", [sample_id]
    ).fetchall()
    return [UUID(str(row[0])) for row in rows]
