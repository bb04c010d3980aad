"""Categories in the database: as they stand, as they stood on a day, and which issues name none of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import class_row

from shared.database import Connection
from shared.errors import NotFound

CATEGORY_LOCK = 0x43617465  # one batch at a time, so that a tree is judged as it will stand


class CategoryNotFound(NotFound):
    code = "category-not-found"


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """`version` is the one that stands, whatever day is asked about; it may be sent back in If-Match with a change."""

    id: UUID
    organisation_code: str | None
    code: str
    name: str
    parent_code: str | None
    is_retired: bool
    from_on: date | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingCategory:
    """What judging a change needs. A category never ends: a retired one may come back."""

    id: UUID
    organisation_id: UUID | None
    code: str
    name: str
    parent_id: UUID | None
    parent_code: str | None
    is_retired: bool
    from_on: date
    ended_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenCategory:
    id: UUID
    organisation_id: UUID | None
    code: str
    name: str
    parent_id: UUID | None
    is_retired: bool
    from_on: date
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryVersion:
    sequence: int
    from_on: date | None
    name: str
    parent_code: str | None
    is_retired: bool
    recorded_at: datetime


def lock_categories(connection: Connection) -> None:
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [CATEGORY_LOCK])


def list_trees(connection: Connection, organisation_ids: Sequence[UUID]) -> list[StandingCategory]:
    """List all of these organisations' own categories and all of everywhere: a tree is small, and judged as a whole."""
    with connection.cursor(row_factory=class_row(StandingCategory)) as cursor:
        return cursor.execute(
            """
            SELECT category.id, category.organisation_id, category.code, category.name, category.parent_id,
                   parent.code AS parent_code, category.is_retired, category.from_on
              FROM category
              LEFT JOIN category AS parent ON parent.id = category.parent_id
             WHERE category.organisation_id IS NULL
                OR category.organisation_id = ANY(%s)
            """,
            [list(organisation_ids)],
        ).fetchall()


def upsert_categories(
    connection: Connection, rows: Sequence[Mapping[str, Any]], *, recorded_at: datetime
) -> list[WrittenCategory]:
    """Write under lock_categories. The table keeps what it said before."""
    with connection.cursor(row_factory=class_row(WrittenCategory)) as cursor:
        return cursor.execute(
            """
            INSERT INTO category (id, organisation_id, code, name, parent_id, is_retired, from_on, sequence,
                                  recorded_at)
            SELECT id, organisation_id, code, name, parent_id, is_retired, from_on, 1, %s
              FROM json_to_recordset(%s::json)
                AS item (id uuid, organisation_id uuid, code text, name text, parent_id uuid, is_retired boolean,
                         from_on date)
             ORDER BY code
                ON CONFLICT (organisation_id, code) DO UPDATE
               SET name = excluded.name, parent_id = excluded.parent_id, is_retired = excluded.is_retired,
                   from_on = excluded.from_on, sequence = category.sequence + 1, recorded_at = excluded.recorded_at
            RETURNING id, organisation_id, code, name, parent_id, is_retired, from_on, sequence
            """,
            [recorded_at, orjson.dumps(rows).decode()],
        ).fetchall()


def list_categories_on(
    connection: Connection, on: date, *, organisation_code: str | None, after: tuple[str, str], limit: int
) -> list[Category]:
    """List what was defined that day, all or what holds for one organisation, on category_code."""
    with connection.cursor(row_factory=class_row(Category)) as cursor:
        return cursor.execute(
            """
            SELECT category.id, organisation.code AS organisation_code, category.code, version.name,
                   parent.code AS parent_code, version.is_retired, nullif(version.from_on, '1900-01-01') AS from_on,
                   category.sequence AS version
              FROM category
             CROSS JOIN LATERAL (
                       SELECT name, parent_id, is_retired, from_on
                         FROM category_version
                        WHERE category_id = category.id
                          AND from_on <= %(on)s
                        ORDER BY from_on DESC, sequence DESC
                        LIMIT 1) AS version
              LEFT JOIN category AS parent ON parent.id = version.parent_id
              LEFT JOIN organisation ON organisation.id = category.organisation_id
             WHERE (category.code, category.id) > (%(after_code)s, %(after_id)s::uuid)
               AND (%(organisation)s::text IS NULL
                    OR category.organisation_id IS NULL
                    OR organisation.code IN (SELECT line.ancestor_code
                                               FROM organisation_line AS line
                                               JOIN organisation AS one ON one.id = line.organisation_id
                                              WHERE one.code = %(organisation)s))
             ORDER BY category.code, category.id
             LIMIT %(limit)s
            """,
            {
                "on": on,
                "organisation": organisation_code,
                "after_code": after[0],
                "after_id": after[1],
                "limit": limit,
            },
        ).fetchall()


def list_category_versions(connection: Connection, category_id: UUID) -> list[CategoryVersion]:
    """Raises CategoryNotFound."""
    with connection.cursor(row_factory=class_row(CategoryVersion)) as cursor:
        versions = cursor.execute(
            """
            SELECT version.sequence, nullif(version.from_on, '1900-01-01') AS from_on, version.name,
                   parent.code AS parent_code, version.is_retired, version.recorded_at
              FROM category_version AS version
              LEFT JOIN category AS parent ON parent.id = version.parent_id
             WHERE version.category_id = %s
             ORDER BY version.sequence
            """,
            [category_id],
        ).fetchall()
    if not versions:
        raise CategoryNotFound("there is no such category")
    return versions


def list_unknown(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> set[int]:
    """Return the positions of issues whose place has a tree of categories, in which theirs is not or is retired."""
    found = connection.execute(
        """
        SELECT item.position
          FROM json_to_recordset(%s::json)
            AS item (position integer, category text, organisation_code text, received_on date)
         WHERE EXISTS (SELECT 1
                         FROM category
                        WHERE category.organisation_id IS NULL
                           OR item.organisation_code IS NULL
                           OR category_covers(category.organisation_id, item.organisation_code))
           AND NOT EXISTS (SELECT 1
                             FROM category
                            WHERE category.code = item.category
                              AND NOT (category.is_retired AND category.from_on <= item.received_on)
                              AND (category.organisation_id IS NULL
                                   OR item.organisation_code IS NULL
                                   OR category_covers(category.organisation_id, item.organisation_code)))
        """,
        [orjson.dumps(rows).decode()],
    )
    return {int(str(row[0])) for row in found}
