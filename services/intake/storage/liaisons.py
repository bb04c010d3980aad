"""Contact points, contact households and who is assigned to them, in the database. Heads of households come sealed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import class_row

from services.intake.domain.commands.liaisons import PointKind
from shared.database import Connection
from shared.errors import NotFound


class HouseholdNotFound(NotFound):
    code = "household-not-found"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPoint:
    id: UUID
    organisation_id: UUID
    code: str
    kind: PointKind
    name: str
    place_code: str | None
    from_on: date
    until_on: date | None
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredHousehold:
    id: UUID
    organisation_id: UUID
    number: str
    place_code: str
    population_group: str
    from_on: date
    until_on: date | None
    head_hash: bytes | None
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAssignment:
    id: UUID
    household_id: UUID | None
    contact_point_id: UUID | None
    organisation_id: UUID
    cadre_id: UUID
    from_on: date
    until_on: date | None
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    id: UUID
    organisation_code: str
    code: str
    kind: PointKind
    name: str
    place_code: str | None
    from_on: date
    until_on: date | None
    version: int  # may be sent back in If-Match when the point is ended


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedHousehold:
    id: UUID
    organisation_code: str
    number: str
    place_code: str
    population_group: str
    from_on: date
    until_on: date | None
    version: int
    citizen_ref: UUID | None
    name: bytes | None = field(repr=False)
    phone: bytes | None = field(repr=False)
    address: bytes | None = field(repr=False)
    wrapped: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    id: UUID
    staff_number: str
    household_number: str | None
    point_code: str | None
    from_on: date
    until_on: date | None
    version: int  # may be sent back in If-Match when the assignment is ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a cadre can be assigned to, by its number or code; of several with the same one the newest."""

    id: UUID
    organisation_id: UUID


def insert_points(connection: Connection, rows: Sequence[StoredPoint], *, recorded_at: datetime) -> list[StoredPoint]:
    with connection.cursor(row_factory=class_row(StoredPoint)) as cursor:
        return cursor.execute(
            """
            INSERT INTO contact_point (id, organisation_id, code, kind, name, place_code, from_on, until_on, sequence,
                                       recorded_at)
            SELECT id, organisation_id, code, kind, name, place_code, from_on, until_on, 1, %s
              FROM ROWS FROM (json_to_recordset(%s::json)
                  AS (id uuid, organisation_id uuid, code text, kind text, name text, place_code text, from_on date,
                      until_on date)) WITH ORDINALITY AS item
             ORDER BY code, from_on, ordinality
                ON CONFLICT DO NOTHING
            RETURNING id, organisation_id, code, kind, name, place_code, from_on, until_on, sequence
            """,
            [recorded_at, orjson.dumps(rows).decode()],
        ).fetchall()


def lock_points(connection: Connection, rows: Sequence[StoredPoint]) -> list[StoredPoint]:
    with connection.cursor(row_factory=class_row(StoredPoint)) as cursor:
        return cursor.execute(
            """
            SELECT id, organisation_id, code, kind, name, place_code, from_on, until_on, sequence
              FROM contact_point
             WHERE id = ANY(%s)
                OR (code, from_on) IN (SELECT code, from_on FROM unnest(%s::text[], %s::date[]) AS row (code, from_on))
             ORDER BY id
               FOR UPDATE
            """,
            [[row.id for row in rows], [row.code for row in rows], [row.from_on for row in rows]],
        ).fetchall()


def end_points(connection: Connection, rows: Sequence[StoredPoint]) -> None:
    for row in rows:
        connection.execute(
            "UPDATE contact_point SET until_on = %s, sequence = %s WHERE id = %s", [row.until_on, row.sequence, row.id]
        )


def insert_households(
    connection: Connection, rows: Sequence[Mapping[str, Any]], *, recorded_at: datetime
) -> list[StoredHousehold]:
    """Insert households, still without their heads; those whose id or natural key is taken are left out."""
    with connection.cursor(row_factory=class_row(StoredHousehold)) as cursor:
        return cursor.execute(
            """
            INSERT INTO contact_household (id, organisation_id, number, place_code, population_group, from_on, until_on,
                                           head_hash, sequence, recorded_at)
            SELECT id, organisation_id, number, place_code, population_group, from_on, until_on, head_hash, 1, %s
              FROM ROWS FROM (json_to_recordset(%s::json)
                  AS (id uuid, organisation_id uuid, number text, place_code text, population_group text, from_on date,
                      until_on date, head_hash bytea)) WITH ORDINALITY AS item
             ORDER BY number, from_on, ordinality
                ON CONFLICT DO NOTHING
            RETURNING id, organisation_id, number, place_code, population_group, from_on, until_on, head_hash, sequence
            """,
            [recorded_at, orjson.dumps(rows).decode()],
        ).fetchall()


def lock_households(
    connection: Connection, ids: Sequence[UUID], keys: Sequence[tuple[str, date]]
) -> list[StoredHousehold]:
    with connection.cursor(row_factory=class_row(StoredHousehold)) as cursor:
        return cursor.execute(
            """
            SELECT id, organisation_id, number, place_code, population_group, from_on, until_on, head_hash, sequence
              FROM contact_household
             WHERE id = ANY(%s)
                OR (number, from_on) IN (SELECT number, from_on
                                           FROM unnest(%s::text[], %s::date[]) AS row (number, from_on))
             ORDER BY id
               FOR UPDATE
            """,
            [list(ids), [number for number, _ in keys], [day for _, day in keys]],
        ).fetchall()


def set_heads(connection: Connection, heads: Mapping[UUID, UUID]) -> None:
    """Say which citizens head these households, by household."""
    connection.execute(
        """
        UPDATE contact_household
           SET citizen_ref = item.citizen_ref
          FROM unnest(%s::uuid[], %s::uuid[]) AS item (id, citizen_ref)
         WHERE contact_household.id = item.id
        """,
        [list(heads), list(heads.values())],
    )


def end_households(connection: Connection, rows: Sequence[StoredHousehold]) -> None:
    for row in rows:
        connection.execute(
            "UPDATE contact_household SET until_on = %s, sequence = %s WHERE id = %s",
            [row.until_on, row.sequence, row.id],
        )


def insert_assignments(
    connection: Connection, rows: Sequence[StoredAssignment], *, recorded_at: datetime
) -> list[StoredAssignment]:
    with connection.cursor(row_factory=class_row(StoredAssignment)) as cursor:
        return cursor.execute(
            """
            INSERT INTO liaison_assignment (id, household_id, contact_point_id, organisation_id, cadre_id, from_on,
                                            until_on, sequence, recorded_at)
            SELECT id, household_id, contact_point_id, organisation_id, cadre_id, from_on, until_on, 1, %s
              FROM ROWS FROM (json_to_recordset(%s::json)
                  AS (id uuid, household_id uuid, contact_point_id uuid, organisation_id uuid, cadre_id uuid,
                      from_on date, until_on date)) WITH ORDINALITY AS item
             ORDER BY household_id, contact_point_id, cadre_id, from_on, ordinality
                ON CONFLICT DO NOTHING
            RETURNING id, household_id, contact_point_id, organisation_id, cadre_id, from_on, until_on, sequence
            """,
            [recorded_at, orjson.dumps(rows).decode()],
        ).fetchall()


def lock_assignments(connection: Connection, rows: Sequence[StoredAssignment]) -> list[StoredAssignment]:
    with connection.cursor(row_factory=class_row(StoredAssignment)) as cursor:
        return cursor.execute(
            """
            SELECT known.id, known.household_id, known.contact_point_id, known.organisation_id, known.cadre_id,
                   known.from_on, known.until_on, known.sequence
              FROM liaison_assignment AS known
             WHERE EXISTS (SELECT 1
                             FROM json_to_recordset(%s::json)
                               AS item (id uuid, household_id uuid, contact_point_id uuid, cadre_id uuid, from_on date)
                            WHERE item.id = known.id
                               OR (item.cadre_id = known.cadre_id
                                   AND item.from_on = known.from_on
                                   AND item.household_id IS NOT DISTINCT FROM known.household_id
                                   AND item.contact_point_id IS NOT DISTINCT FROM known.contact_point_id))
             ORDER BY known.id
               FOR UPDATE
            """,
            [orjson.dumps(rows).decode()],
        ).fetchall()


def end_assignments(connection: Connection, rows: Sequence[StoredAssignment]) -> None:
    for row in rows:
        connection.execute(
            "UPDATE liaison_assignment SET until_on = %s, sequence = %s WHERE id = %s",
            [row.until_on, row.sequence, row.id],
        )


def find_points(connection: Connection, codes: Sequence[str]) -> dict[str, Target]:
    rows = connection.execute(
        """
        SELECT DISTINCT ON (code) code, id, organisation_id
          FROM contact_point
         WHERE code = ANY(%s)
           AND is_within_reach(organisation_id)
         ORDER BY code, from_on DESC
        """,
        [list(codes)],
    )
    return {str(code): Target(id=id_, organisation_id=organisation) for code, id_, organisation in rows}  # type: ignore[arg-type] # psycopg types a row as a tuple of objects


def find_households(connection: Connection, numbers: Sequence[str]) -> dict[str, Target]:
    rows = connection.execute(
        """
        SELECT DISTINCT ON (number) number, id, organisation_id
          FROM contact_household
         WHERE number = ANY(%s)
           AND is_within_reach(organisation_id)
         ORDER BY number, from_on DESC
        """,
        [list(numbers)],
    )
    return {str(number): Target(id=id_, organisation_id=organisation) for number, id_, organisation in rows}  # type: ignore[arg-type] # psycopg types a row as a tuple of objects


def list_points(connection: Connection, on: date | None, *, after: UUID, limit: int) -> list[Point]:
    with connection.cursor(row_factory=class_row(Point)) as cursor:
        return cursor.execute(
            """
            SELECT id, code_of(organisation_id) AS organisation_code, code, kind, name, place_code, from_on, until_on,
                   sequence AS version
              FROM contact_point
             WHERE id > %(after)s
               AND (%(on)s::date IS NULL OR (from_on <= %(on)s AND (until_on IS NULL OR until_on >= %(on)s)))
             ORDER BY id
             LIMIT %(limit)s
            """,
            {"after": after, "on": on, "limit": limit},
        ).fetchall()


def list_households(connection: Connection, *, after: UUID, limit: int) -> list[SealedHousehold]:
    with connection.cursor(row_factory=class_row(SealedHousehold)) as cursor:
        return cursor.execute(
            """
            SELECT household.id, code_of(household.organisation_id) AS organisation_code, household.number,
                   household.place_code, household.population_group, household.from_on, household.until_on,
                   household.sequence AS version, citizen.ref AS citizen_ref, citizen.name, citizen.phone,
                   citizen.address, citizen_key.wrapped
              FROM contact_household AS household
              LEFT JOIN citizen ON citizen.ref = household.citizen_ref
              LEFT JOIN citizen_key ON citizen_key.citizen_ref = citizen.ref
             WHERE household.id > %s
             ORDER BY household.id
             LIMIT %s
            """,
            [after, limit],
        ).fetchall()


def get_household(connection: Connection, household_id: UUID) -> SealedHousehold:
    """Raises HouseholdNotFound."""
    with connection.cursor(row_factory=class_row(SealedHousehold)) as cursor:
        household = cursor.execute(
            """
            SELECT household.id, code_of(household.organisation_id) AS organisation_code, household.number,
                   household.place_code, household.population_group, household.from_on, household.until_on,
                   household.sequence AS version, citizen.ref AS citizen_ref, citizen.name, citizen.phone,
                   citizen.address, citizen_key.wrapped
              FROM contact_household AS household
              LEFT JOIN citizen ON citizen.ref = household.citizen_ref
              LEFT JOIN citizen_key ON citizen_key.citizen_ref = citizen.ref
             WHERE household.id = %s
            """,
            [household_id],
        ).fetchone()
    if household is None:
        raise HouseholdNotFound("there is no such household")
    return household


def list_assignments(connection: Connection, *, after: UUID, limit: int) -> list[Assignment]:
    with connection.cursor(row_factory=class_row(Assignment)) as cursor:
        return cursor.execute(
            """
            SELECT assignment.id, staff_number_of(assignment.cadre_id) AS staff_number,
                   household.number AS household_number, point.code AS point_code, assignment.from_on,
                   assignment.until_on, assignment.sequence AS version
              FROM liaison_assignment AS assignment
              LEFT JOIN contact_household AS household ON household.id = assignment.household_id
              LEFT JOIN contact_point AS point ON point.id = assignment.contact_point_id
             WHERE assignment.id > %s
             ORDER BY assignment.id
             LIMIT %s
            """,
            [after, limit],
        ).fetchall()
