"""Samples for call-backs in the database: the list that was drawn from, and what there is to call."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from psycopg.rows import class_row

from services.intake.domain.rating_samples import Member, UnitCounts
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
    self_attested_share: Decimal | None
    secret: str | None = field(repr=False)
    list_hash: bytes
    drawn_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownMember:
    unit_code: str
    unit_id: UUID
    issue_id: UUID
    is_self_attested: bool
    is_drawn: bool
    is_targeted: bool


_SAMPLE = """
    SELECT sample.id, code_of(sample.organisation_id) AS organisation_code, sample.period, sample.seed,
           sample.algorithm, sample.share, sample.self_attested_share, sample.secret, sample.list_hash, sample.drawn_at
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
    """What was closed there and below in that time, on issue_closed. Merged ones have another that stands for them.

    Self-attested is what was entered here by an account that handles issues of the same unit, was never opened again,
    and of whose citizen nothing has been heard since: no rating that counts, and nobody who was called.
    """
    with connection.cursor(row_factory=class_row(Member)) as cursor:
        return cursor.execute(
            """
            WITH closed AS (
            SELECT issue.owner_organisation_id AS unit_id, issue.id, issue.source, issue.recorded_by, issue.reopened_at
              FROM issue
              JOIN organisation_line AS line ON line.organisation_id = issue.owner_organisation_id
              JOIN organisation AS root ON root.code = line.ancestor_code
             WHERE root.id = %s
               AND issue.closed_at >= %s
               AND issue.closed_at < %s
               AND issue.status = 'closed'
               AND issue.outcome <> 'merged'
            ), hand AS (
            SELECT DISTINCT unit_id, actor_id
              FROM closed
              JOIN issue_step ON issue_id = closed.id
             WHERE kind IN ('contacted', 'started', 'paused', 'resumed', 'replied', 'closed')
            )
            SELECT unit_id, id AS issue_id,
                   source = 'lianxin'
                   AND (unit_id, recorded_by) IN (SELECT unit_id, actor_id FROM hand WHERE actor_id IS NOT NULL)
                   IS TRUE
                   AND reopened_at IS NULL
                   AND NOT EXISTS (SELECT FROM rating WHERE rating.issue_id = closed.id AND rating.state = 'counted')
                   AND NOT EXISTS (SELECT
                                     FROM callback_attempt AS call
                                    WHERE call.issue_id = closed.id AND call.result LIKE 'reached%%')
                   AS is_self_attested
              FROM closed
             ORDER BY unit_id, issue_id
            """,
            [organisation_id, begins_at, ends_at],
            prepare=False,
        ).fetchall()


def insert_sample(
    connection: Connection,
    sample: Mapping[str, Any],
    members: Sequence[Member],
    *,
    drawn: set[UUID],
    targeted: set[UUID],
) -> None:
    connection.execute(
        """
        INSERT INTO rating_sample (id, organisation_id, period, begins_at, ends_at, seed, secret, algorithm, share,
                                   self_attested_share, list_hash, drawn_by, drawn_at)
        VALUES (%(id)s, %(organisation_id)s, %(period)s, %(begins_at)s, %(ends_at)s, %(seed)s, %(secret)s,
                %(algorithm)s, %(share)s, %(self_attested_share)s, %(list_hash)s, %(drawn_by)s, %(drawn_at)s)
        """,
        sample,
    )
    connection.execute(
        """
        INSERT INTO rating_sample_member (sample_id, unit_id, issue_id, is_self_attested, is_drawn, is_targeted)
        SELECT %s, unit_id, issue_id, is_self_attested, is_drawn, is_targeted
          FROM unnest(%s::uuid[], %s::uuid[], %s::boolean[], %s::boolean[], %s::boolean[])
            AS row (unit_id, issue_id, is_self_attested, is_drawn, is_targeted)
        """,
        [
            sample["id"],
            [member.unit_id for member in members],
            [member.issue_id for member in members],
            [member.is_self_attested for member in members],
            [member.issue_id in drawn for member in members],
            [member.issue_id in targeted for member in members],
        ],
    )


def insert_tasks(connection: Connection, sample: Mapping[str, Any], *, lowest_level: int) -> int:
    """One call a drawn issue, and one each that was rated lowest, unless a call about it is open or was answered.

    Return how many there are.
    An open call that was asked for on account of a sign is one of the random part where its issue was drawn for that.
    """
    adopted = connection.execute(
        """
        UPDATE callback_task AS task
           SET origin = 'sample', sample_id = %(id)s
          FROM rating_sample_member AS member
         WHERE member.sample_id = %(id)s
           AND member.is_drawn
           AND task.issue_id = member.issue_id
           AND task.state = 'open'
           AND task.origin <> 'sample'
        """,
        sample,
    )
    made = connection.execute(
        """
        WITH wanted AS (
            SELECT issue_id, NULL::uuid AS contact_id, CASE WHEN is_drawn THEN 'sample' ELSE 'targeted' END AS origin,
                   CASE WHEN is_drawn THEN 1 ELSE 3 END AS place
              FROM rating_sample_member
             WHERE sample_id = %(id)s AND (is_drawn OR is_targeted)
             UNION ALL
            SELECT DISTINCT rating.issue_id, rating.contact_id, 'lowest', 2
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
        SELECT DISTINCT ON (issue_id, contact_id)
               gen_random_uuid(), issue_id, contact_id, origin, %(id)s::uuid, 'open', %(drawn_at)s::timestamptz
          FROM wanted
         WHERE NOT EXISTS (SELECT
                             FROM callback_attempt AS call
                            WHERE (call.issue_id = wanted.issue_id OR call.contact_id = wanted.contact_id)
                              AND call.result IN ('reached_rated', 'reached_no_such_matter'))
         ORDER BY issue_id, contact_id, place
            ON CONFLICT DO NOTHING
        """,
        {**sample, "lowest": lowest_level},
        prepare=False,
    )
    return adopted.rowcount + made.rowcount


def is_over(connection: Connection, sample_id: UUID) -> bool:
    """Whether nobody of those who were drawn is still to be called. Under the system's reach."""
    row = connection.execute(
        """
        SELECT NOT EXISTS (SELECT
                             FROM rating_sample_member AS member
                             JOIN callback_task AS task ON task.issue_id = member.issue_id
                            WHERE member.sample_id = %s
                              AND (member.is_drawn OR member.is_targeted)
                              AND task.state = 'open')
        """,
        [sample_id],
        prepare=False,
    ).fetchone()
    return row is not None and bool(row[0])


def count_units(connection: Connection, sample_id: UUID) -> dict[UUID, UnitCounts]:
    rows = connection.execute(
        """
        SELECT unit_id, count(*), count(*) FILTER (WHERE is_drawn), count(*) FILTER (WHERE is_self_attested),
               count(*) FILTER (WHERE is_targeted)
          FROM rating_sample_member
         WHERE sample_id = %s
         GROUP BY unit_id
        """,
        [sample_id],
    ).fetchall()
    return {
        UUID(str(unit_id)): UnitCounts(
            members=int(str(members)),
            drawn=int(str(drawn)),
            self_attested=int(str(self_attested)),
            targeted=int(str(targeted)),
        )
        for unit_id, members, drawn, self_attested, targeted in rows
    }


def list_members(
    connection: Connection, sample_id: UUID, *, after: tuple[UUID, UUID] | None, limit: int
) -> list[ShownMember]:
    """By unit and issue, on the key."""
    with connection.cursor(row_factory=class_row(ShownMember)) as cursor:
        return cursor.execute(
            """
            SELECT code_of(unit_id) AS unit_code, unit_id, issue_id, is_self_attested, is_drawn, is_targeted
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
        """
        SELECT issue_id
          FROM rating_sample_member
         WHERE sample_id = %s AND (is_drawn OR is_targeted)
         ORDER BY issue_id
        """,
        [sample_id],
    ).fetchall()
    return [UUID(str(row[0])) for row in rows]
