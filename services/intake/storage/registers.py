"""Organisations and cadres in the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import class_row

from shared.database import Connection
from shared.errors import NotFound

Rows = Sequence[Mapping[str, Any]]

REGISTER_LOCK = 0x4F726773  # one batch of organisations at a time, so that a tree is judged as it will stand


class OrganisationNotFound(NotFound):
    code = "organisation-not-found"


class CadreNotFound(NotFound):
    code = "cadre-not-found"


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    id: UUID
    code: str
    name: str
    level: str
    parent_code: str | None
    region_type: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadre:
    id: UUID
    staff_number: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenOrganisation:
    id: UUID
    code: str
    name: str
    level: str
    parent_id: UUID | None
    region_type: str | None
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenCadre:
    id: UUID
    staff_number: str
    name: str
    sequence: int


def lock_organisations(connection: Connection) -> None:
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [REGISTER_LOCK])


def list_organisations_upwards(connection: Connection, codes: Sequence[str]) -> dict[str, Organisation]:
    """List the organisations of these codes and all above them."""
    with connection.cursor(row_factory=class_row(Organisation)) as cursor:
        rows = cursor.execute(
            """
              WITH RECURSIVE above AS (
                   SELECT id, parent_id
                     FROM organisation
                    WHERE code = ANY(%s)
                    UNION
                   SELECT parent.id, parent.parent_id
                     FROM organisation AS parent
                     JOIN above ON above.parent_id = parent.id)
            SELECT organisation.id, organisation.code, organisation.name, organisation.level,
                   parent.code AS parent_code, organisation.region_type
              FROM above
              JOIN organisation ON organisation.id = above.id
              LEFT JOIN organisation AS parent ON parent.id = organisation.parent_id
            """,
            [list(codes)],
        )
        return {row.code: row for row in rows}


def upsert_organisations(connection: Connection, rows: Rows, *, recorded_at: datetime) -> list[WrittenOrganisation]:
    """Write new and changed entries under lock_organisations. An entry that stands keeps its id."""
    with connection.cursor(row_factory=class_row(WrittenOrganisation)) as cursor:
        return cursor.execute(
            """
            INSERT INTO organisation (id, code, name, level, parent_id, region_type, sequence, recorded_at)
            SELECT id, code, name, level, parent_id, region_type, 1, %s
              FROM json_to_recordset(%s::json)
                AS item (id uuid, code text, name text, level text, parent_id uuid, region_type text)
             ORDER BY code
                ON CONFLICT (code) DO UPDATE
               SET name = excluded.name, level = excluded.level, parent_id = excluded.parent_id,
                   region_type = excluded.region_type, sequence = organisation.sequence + 1
            RETURNING id, code, name, level, parent_id, region_type, sequence
            """,
            [recorded_at, orjson.dumps(rows).decode()],
        ).fetchall()


def list_cadres_by_number(connection: Connection, staff_numbers: Sequence[str]) -> dict[str, Cadre]:
    with connection.cursor(row_factory=class_row(Cadre)) as cursor:
        rows = cursor.execute(
            """
            SELECT id, staff_number, name
              FROM cadre
             WHERE staff_number = ANY(%s)
             ORDER BY staff_number
            """,
            [list(staff_numbers)],
        )
        return {row.staff_number: row for row in rows}


def upsert_cadres(connection: Connection, rows: Rows, *, recorded_at: datetime) -> list[WrittenCadre]:
    """Write entries; those that stand with the same name already are left alone and not returned."""
    with connection.cursor(row_factory=class_row(WrittenCadre)) as cursor:
        return cursor.execute(
            """
            INSERT INTO cadre (id, staff_number, name, sequence, recorded_at)
            SELECT id, staff_number, name, 1, %s
              FROM json_to_recordset(%s::json)
                AS item (id uuid, staff_number text, name text)
             ORDER BY staff_number
                ON CONFLICT (staff_number) DO UPDATE
               SET name = excluded.name, sequence = cadre.sequence + 1
             WHERE cadre.name <> excluded.name
            RETURNING id, staff_number, name, sequence
            """,
            [recorded_at, orjson.dumps(rows).decode()],
        ).fetchall()


def find_organisation_ids(connection: Connection, codes: Sequence[str]) -> dict[str, UUID]:
    rows = connection.execute("SELECT code, id FROM organisation WHERE code = ANY(%s)", [list(codes)])
    return dict(rows.fetchall())  # type: ignore[arg-type] # psycopg types a row as a tuple of objects


def find_cadre_ids(connection: Connection, staff_numbers: Sequence[str]) -> dict[str, UUID]:
    rows = connection.execute("SELECT staff_number, id FROM cadre WHERE staff_number = ANY(%s)", [list(staff_numbers)])
    return dict(rows.fetchall())  # type: ignore[arg-type] # psycopg types a row as a tuple of objects


def list_organisations_after(connection: Connection, *, after_code: str, limit: int) -> list[Organisation]:
    with connection.cursor(row_factory=class_row(Organisation)) as cursor:
        return cursor.execute(
            """
            SELECT organisation.id, organisation.code, organisation.name, organisation.level,
                   parent.code AS parent_code, organisation.region_type
              FROM organisation
              LEFT JOIN organisation AS parent ON parent.id = organisation.parent_id
             WHERE organisation.code > %s
             ORDER BY organisation.code
             LIMIT %s
            """,
            [after_code, limit],
        ).fetchall()


def list_cadres_after(connection: Connection, *, after_number: str, limit: int) -> list[Cadre]:
    with connection.cursor(row_factory=class_row(Cadre)) as cursor:
        return cursor.execute(
            """
            SELECT id, staff_number, name
              FROM cadre
             WHERE staff_number > %s
             ORDER BY staff_number
             LIMIT %s
            """,
            [after_number, limit],
        ).fetchall()


def get_organisation(connection: Connection, code: str) -> Organisation:
    """Raises OrganisationNotFound."""
    organisation = list_organisations_upwards(connection, [code]).get(code)
    if organisation is None:
        raise OrganisationNotFound("no organisation has this code")
    return organisation


def get_cadre(connection: Connection, staff_number: str) -> Cadre:
    """Raises CadreNotFound."""
    cadre = list_cadres_by_number(connection, [staff_number]).get(staff_number)
    if cadre is None:
        raise CadreNotFound("no cadre has this staff number")
    return cadre
