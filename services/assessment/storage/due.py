"""What is due to be tallied and scored: read by a pass, and removed when it has really seen it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from psycopg.rows import class_row

from services.assessment.storage.arrays import to_array
from shared.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class DueCell:
    organisation_id: UUID
    cadre_id: UUID
    month: date
    revision: int
    correlation_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DueSubject:
    subject_kind: str
    subject_id: UUID
    revision: int
    correlation_id: str


def list_due_cells(connection: Connection, *, limit: int) -> list[DueCell]:
    """The cells longest due, on tally_due_order. Without locking: the consumer never waits for a pass under way."""
    with connection.cursor(row_factory=class_row(DueCell)) as cursor:
        return cursor.execute(
            """
            SELECT organisation_id, cadre_id, month, revision, correlation_id
              FROM tally_due
             ORDER BY marked_at, organisation_id, cadre_id, month
             LIMIT %s
            """,
            [limit],
        ).fetchall()


def list_due_cells_of(connection: Connection, cadre_ids: Sequence[UUID]) -> list[DueCell]:
    """On tally_due_cadre."""
    with connection.cursor(row_factory=class_row(DueCell)) as cursor:
        return cursor.execute(
            """
            SELECT organisation_id, cadre_id, month, revision, correlation_id
              FROM tally_due
             WHERE cadre_id = ANY(%s::uuid[])
             ORDER BY organisation_id, cadre_id, month
            """,
            [to_array(cadre_ids)],
            prepare=False,
        ).fetchall()


def list_due_cells_of_units(
    connection: Connection, months: Collection[tuple[UUID, date]], *, nobody: UUID
) -> list[DueCell]:
    """Nobody's cells, in which an organisation's month is due, as they stand now; a lookup each by the key."""
    if not months:
        return []
    with connection.cursor(row_factory=class_row(DueCell)) as cursor:
        return cursor.execute(
            """
            SELECT due.organisation_id, due.cadre_id, due.month, due.revision, due.correlation_id
              FROM unnest(%s::uuid[], %s::date[]) AS asked (organisation_id, month)
             CROSS JOIN LATERAL (
                       SELECT organisation_id, cadre_id, month, revision, correlation_id
                         FROM tally_due
                        WHERE organisation_id = asked.organisation_id
                          AND cadre_id = %s
                          AND month = asked.month
                       OFFSET 0) AS due
             ORDER BY due.organisation_id, due.month
            """,
            [to_array(one for one, _ in months), to_array(month for _, month in months), nobody],
            prepare=False,
        ).fetchall()


def list_due_subjects_among(connection: Connection, subject_ids: Sequence[UUID]) -> list[DueSubject]:
    """A lookup each by the key. Of a condition on many ids the planner reads the whole table, once for every shard."""
    with connection.cursor(row_factory=class_row(DueSubject)) as cursor:
        return cursor.execute(
            """
            SELECT due.subject_kind, due.subject_id, due.revision, due.correlation_id
              FROM unnest(%s::uuid[]) AS asked (subject_id)
             CROSS JOIN (VALUES ('cadre'), ('organisation')) AS kind (subject_kind)
             CROSS JOIN LATERAL (
                       SELECT subject_kind, subject_id, revision, correlation_id
                         FROM subject_due
                        WHERE subject_kind = kind.subject_kind
                          AND subject_id = asked.subject_id
                       OFFSET 0) AS due
             ORDER BY due.subject_id
            """,
            [to_array(subject_ids)],
            prepare=False,
        ).fetchall()


def list_due_cadres(connection: Connection, nobody: UUID) -> list[UUID]:
    """Of whom a cell is due, or all."""
    rows = connection.execute(
        """
        SELECT cadre_id
          FROM tally_due
         WHERE cadre_id <> %s
         UNION
        SELECT subject_id
          FROM subject_due
         WHERE subject_kind = 'cadre'
         ORDER BY 1
        """,
        [nobody],
    )
    return [row[0] for row in rows.fetchall()]  # type: ignore[misc] # the driver reads uuid as such


def list_due_units_alone(connection: Connection) -> list[UUID]:
    """The organisations due as a whole below which none ever stood, and none of whose cells is due."""
    rows = connection.execute(
        """
        SELECT subject_id
          FROM subject_due
         WHERE subject_kind = 'organisation'
           AND NOT EXISTS (SELECT FROM parentage WHERE parent_id = subject_id)
           AND NOT EXISTS (SELECT FROM tally_due WHERE organisation_id = subject_id)
         ORDER BY subject_id
        """
    )
    return [UUID(str(row[0])) for row in rows.fetchall()]


def list_units_waited_for(connection: Connection, organisation_ids: Sequence[UUID]) -> set[UUID]:
    """Those of these of which all that stands above, or stood, is due as a whole: a pass will sum it anyway."""
    if not organisation_ids:
        return set()
    rows = connection.execute(
        """
        SELECT one
          FROM unnest(%s::uuid[]) AS one
         WHERE NOT EXISTS (
                   SELECT FROM parentage
                    WHERE organisation_id = one
                      AND parent_id IS NOT NULL
                      AND NOT EXISTS (
                              SELECT FROM subject_due
                               WHERE subject_kind = 'organisation'
                                 AND subject_id = parent_id))
        """,
        [to_array(organisation_ids)],
        prepare=False,
    ).fetchall()
    return {UUID(str(row[0])) for row in rows}


def list_due_subjects(connection: Connection, *, limit: int) -> list[DueSubject]:
    with connection.cursor(row_factory=class_row(DueSubject)) as cursor:
        return cursor.execute(
            """
            SELECT subject_kind, subject_id, revision, correlation_id
              FROM subject_due
             ORDER BY marked_at, subject_kind, subject_id
             LIMIT %s
            """,
            [limit],
        ).fetchall()


def is_due_through(connection: Connection, month: date) -> bool:
    """Whether anything of this month, or of an earlier one, waits to be counted."""
    row = connection.execute("SELECT EXISTS (SELECT FROM tally_due WHERE month <= %s)", [month]).fetchone()
    return row is not None and row[0] is True


def remove_due(
    connection: Connection, cells: Sequence[DueCell], subjects: Sequence[DueSubject], *, seen_at: datetime
) -> None:
    """Remove what a pass has seen. What was marked again meanwhile stays due, since then and no longer since before.

    SKIP LOCKED: what a batch is marking at this moment stays due, and neither side waits for the other.
    """
    if cells:
        _remove_cells(connection, cells, seen_at=seen_at)
    if subjects:
        _remove_subjects(connection, subjects, seen_at=seen_at)


def _remove_cells(connection: Connection, cells: Sequence[DueCell], *, seen_at: datetime) -> None:
    connection.execute(
        """
        WITH seen AS MATERIALIZED (
            SELECT place, due.revision = row.revision AS unchanged
              FROM unnest(%s::uuid[], %s::uuid[], %s::date[], %s::bigint[])
                AS row (organisation_id, cadre_id, month, revision)
             CROSS JOIN LATERAL (
                       SELECT ctid AS place, revision
                         FROM tally_due
                        WHERE organisation_id = row.organisation_id
                          AND cadre_id = row.cadre_id
                          AND month = row.month
                          FOR UPDATE SKIP LOCKED) AS due
        ), removed AS (
            DELETE FROM tally_due
             WHERE ctid = ANY(ARRAY(SELECT place FROM seen WHERE unchanged))
        )
        UPDATE tally_due
           SET marked_at = greatest(marked_at, %s)
         WHERE ctid = ANY(ARRAY(SELECT place FROM seen WHERE NOT unchanged))
        """,
        [
            to_array(cell.organisation_id for cell in cells),
            to_array(cell.cadre_id for cell in cells),
            to_array(cell.month for cell in cells),
            to_array(cell.revision for cell in cells),
            seen_at,
        ],
        prepare=False,
    )


def _remove_subjects(connection: Connection, subjects: Sequence[DueSubject], *, seen_at: datetime) -> None:
    connection.execute(
        """
        WITH seen AS MATERIALIZED (
            SELECT place, due.revision = row.revision AS unchanged
              FROM unnest(%s::text[], %s::uuid[], %s::bigint[]) AS row (subject_kind, subject_id, revision)
             CROSS JOIN LATERAL (
                       SELECT ctid AS place, revision
                         FROM subject_due
                        WHERE subject_kind = row.subject_kind
                          AND subject_id = row.subject_id
                          FOR UPDATE SKIP LOCKED) AS due
        ), removed AS (
            DELETE FROM subject_due
             WHERE ctid = ANY(ARRAY(SELECT place FROM seen WHERE unchanged))
        )
        UPDATE subject_due
           SET marked_at = greatest(marked_at, %s)
         WHERE ctid = ANY(ARRAY(SELECT place FROM seen WHERE NOT unchanged))
        """,
        [
            [subject.subject_kind for subject in subjects],
            to_array(subject.subject_id for subject in subjects),
            to_array(subject.revision for subject in subjects),
            seen_at,
        ],
        prepare=False,
    )


def measure_due(connection: Connection, now: datetime) -> tuple[int, float]:
    """Return how many cells and subjects are due, and how many seconds the oldest has waited."""
    row = connection.execute(
        """
        SELECT count(*), coalesce(extract(epoch FROM %s - min(marked_at)), 0)::float8
          FROM (SELECT marked_at FROM tally_due UNION ALL SELECT marked_at FROM subject_due) AS due
        """,
        [now],
    ).fetchone()
    return (int(str(row[0])), max(0.0, float(str(row[1])))) if row else (0, 0.0)
