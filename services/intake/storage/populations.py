"""Groups of the population, and counts of who lives where, in the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import class_row

from shared.database import Connection
from shared.errors import NotFound


class GroupNotFound(NotFound):
    code = "population-group-not-found"


class PopulationNotFound(NotFound):
    code = "place-population-not-found"


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenGroup:
    id: UUID
    code: str
    name: str
    is_retired: bool
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PopulationGroup:
    """`version` may be sent back in If-Match with a change."""

    code: str
    name: str
    is_retired: bool
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupVersion:
    sequence: int
    from_on: date | None
    name: str
    is_retired: bool
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PopulationVersion:
    """A count as it was told first, and each correction of it."""

    sequence: int
    people_count: int
    household_count: int | None
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPopulation:
    id: UUID
    organisation_id: UUID
    place_code: str
    population_group: str | None
    counted_on: date
    people_count: int
    household_count: int | None
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacePopulation:
    id: UUID
    organisation_code: str
    place_code: str
    population_group: str | None
    counted_on: date
    people_count: int
    household_count: int | None
    version: int  # may be sent back in If-Match with a correction


def upsert_groups(
    connection: Connection, rows: Sequence[Mapping[str, Any]], *, recorded_at: datetime
) -> list[WrittenGroup]:
    """Write entries; those that say the same already are left alone and not returned."""
    with connection.cursor(row_factory=class_row(WrittenGroup)) as cursor:
        return cursor.execute(
            """
            INSERT INTO population_group (id, code, name, is_retired, sequence, recorded_at)
            SELECT id, code, name, is_retired, 1, %s
              FROM json_to_recordset(%s::json) AS item (id uuid, code text, name text, is_retired boolean)
             ORDER BY code
                ON CONFLICT (code) DO UPDATE
               SET name = excluded.name, is_retired = excluded.is_retired,
                   sequence = population_group.sequence + 1, recorded_at = excluded.recorded_at
             WHERE (population_group.name, population_group.is_retired) <> (excluded.name, excluded.is_retired)
            RETURNING id, code, name, is_retired, sequence
            """,
            [recorded_at, orjson.dumps(rows).decode()],
        ).fetchall()


def list_groups(connection: Connection) -> list[PopulationGroup]:
    with connection.cursor(row_factory=class_row(PopulationGroup)) as cursor:
        return cursor.execute(
            "SELECT code, name, is_retired, sequence AS version FROM population_group ORDER BY code"
        ).fetchall()


def list_groups_on(connection: Connection, on: date) -> list[PopulationGroup]:
    """List the groups by the names of that day, on the key of their versions."""
    with connection.cursor(row_factory=class_row(PopulationGroup)) as cursor:
        return cursor.execute(
            """
            SELECT code, version.name, version.is_retired, version.sequence AS version
              FROM population_group
             CROSS JOIN LATERAL (
                       SELECT name, is_retired, sequence
                         FROM population_group_version
                        WHERE population_group_id = population_group.id
                          AND from_on <= %s
                        ORDER BY from_on DESC, sequence DESC
                        LIMIT 1) AS version
             ORDER BY code
            """,
            [on],
        ).fetchall()


def list_group_versions(connection: Connection, code: str) -> list[GroupVersion]:
    """Raises GroupNotFound."""
    with connection.cursor(row_factory=class_row(GroupVersion)) as cursor:
        versions = cursor.execute(
            """
            SELECT version.sequence, nullif(version.from_on, '1900-01-01') AS from_on, version.name,
                   version.is_retired, version.recorded_at
              FROM population_group
              JOIN population_group_version AS version ON version.population_group_id = population_group.id
             WHERE code = %s
             ORDER BY version.sequence
            """,
            [code],
        ).fetchall()
    if not versions:
        raise GroupNotFound("there is no such group")
    return versions


def list_population_versions(connection: Connection, population_id: UUID) -> list[PopulationVersion]:
    """Raises PopulationNotFound."""
    with connection.cursor(row_factory=class_row(PopulationVersion)) as cursor:
        versions = cursor.execute(
            """
            SELECT sequence, people_count, household_count, recorded_at
              FROM place_population_version
             WHERE place_population_id = %s
             ORDER BY sequence
            """,
            [population_id],
        ).fetchall()
    if not versions:
        raise PopulationNotFound("there is no such count")
    return versions


def find_group_ids(connection: Connection, codes: Sequence[str]) -> dict[str, UUID]:
    rows = connection.execute("SELECT code, id FROM population_group WHERE code = ANY(%s)", [list(codes)])
    return dict(rows.fetchall())  # type: ignore[arg-type] # psycopg types a row as a tuple of objects


def upsert_populations(
    connection: Connection, rows: Sequence[Mapping[str, Any]], *, recorded_at: datetime
) -> list[StoredPopulation]:
    """Write counts and corrections of them; those that say the same already are left alone and not returned."""
    with connection.cursor(row_factory=class_row(StoredPopulation)) as cursor:
        return cursor.execute(
            """
            INSERT INTO place_population AS known (id, organisation_id, place_code, population_group, counted_on,
                                                   people_count, household_count, sequence, recorded_at)
            SELECT id, organisation_id, place_code, population_group, counted_on, people_count, household_count, 1, %s
              FROM json_to_recordset(%s::json)
                AS item (id uuid, organisation_id uuid, place_code text, population_group text, counted_on date,
                         people_count integer, household_count integer)
             ORDER BY organisation_id, place_code, population_group, counted_on
                ON CONFLICT (organisation_id, place_code, population_group, counted_on) DO UPDATE
               SET people_count = excluded.people_count, household_count = excluded.household_count,
                   sequence = known.sequence + 1, recorded_at = excluded.recorded_at
             WHERE known.people_count <> excluded.people_count
                OR known.household_count IS DISTINCT FROM excluded.household_count
            RETURNING id, organisation_id, place_code, population_group, counted_on, people_count, household_count,
                      sequence
            """,
            [recorded_at, orjson.dumps(rows).decode()],
        ).fetchall()


def list_populations(
    connection: Connection, *, organisation_code: str | None, on: date | None, after: UUID, limit: int
) -> list[PlacePopulation]:
    """List counts of an organisation and all below it, or of all within reach; of a day the last ones by then."""
    with connection.cursor(row_factory=class_row(PlacePopulation)) as cursor:
        return cursor.execute(
            """
            SELECT counted.id, code_of(counted.organisation_id) AS organisation_code, counted.place_code,
                   counted.population_group, counted.counted_on, counted.people_count, counted.household_count,
                   counted.sequence AS version
              FROM place_population AS counted
             WHERE counted.id > %(after)s
               AND (%(organisation)s::text IS NULL
                    OR EXISTS (SELECT 1
                                 FROM organisation_line AS line
                                WHERE line.organisation_id = counted.organisation_id
                                  AND line.ancestor_code = %(organisation)s))
               AND (%(on)s::date IS NULL
                    OR (counted.counted_on <= %(on)s
                        AND NOT EXISTS (SELECT 1
                                          FROM place_population AS later
                                         WHERE later.organisation_id = counted.organisation_id
                                           AND later.place_code = counted.place_code
                                           AND later.population_group IS NOT DISTINCT FROM counted.population_group
                                           AND later.counted_on > counted.counted_on
                                           AND later.counted_on <= %(on)s)))
             ORDER BY counted.id
             LIMIT %(limit)s
            """,
            {"organisation": organisation_code, "on": on, "after": after, "limit": limit},
        ).fetchall()
