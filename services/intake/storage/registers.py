"""Organisations and cadres in the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
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
    """`from_on`: the first day on which the entry says so; None: it always did. From `ended_on` it is no more."""

    id: UUID
    code: str
    name: str
    level: str
    parent_code: str | None
    region_type: str | None
    division_code: str | None = None
    credit_code: str | None = None
    from_on: date | None = None
    ended_on: date | None = None
    successor_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadre:
    id: UUID
    staff_number: str
    name: str
    from_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenOrganisation:
    id: UUID
    code: str
    name: str
    level: str
    parent_id: UUID | None
    region_type: str | None
    division_code: str | None
    credit_code: str | None
    from_on: date
    ended_on: date | None
    successor_id: UUID | None
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenCadre:
    id: UUID
    staff_number: str
    name: str
    from_on: date
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
                   parent.code AS parent_code, organisation.region_type, organisation.division_code,
                   organisation.credit_code, nullif(organisation.from_on, '1900-01-01') AS from_on,
                   organisation.ended_on, successor.code AS successor_code
              FROM above
              JOIN organisation ON organisation.id = above.id
              LEFT JOIN organisation AS parent ON parent.id = organisation.parent_id
              LEFT JOIN organisation AS successor ON successor.id = organisation.successor_id
            """,
            [list(codes)],
        )
        return {row.code: row for row in rows}


def upsert_organisations(connection: Connection, rows: Rows, *, recorded_at: datetime) -> list[WrittenOrganisation]:
    """Write new and changed entries under lock_organisations. An entry that stands keeps its id.

    The table keeps what it said before. A row's `steps` is how many events tell of it: 1 for a new entry.
    """
    with connection.cursor(row_factory=class_row(WrittenOrganisation)) as cursor:
        return cursor.execute(
            """
            INSERT INTO organisation (id, code, name, level, parent_id, region_type, division_code, credit_code,
                                      from_on, ended_on, successor_id, sequence, recorded_at)
            SELECT id, code, name, level, parent_id, region_type, division_code, credit_code, from_on, ended_on,
                   successor_id, steps, %s
              FROM json_to_recordset(%s::json)
                AS item (id uuid, code text, name text, level text, parent_id uuid, region_type text,
                         division_code text, credit_code text, from_on date, ended_on date, successor_id uuid,
                         steps integer)
             ORDER BY code
                ON CONFLICT (code) DO UPDATE
               SET name = excluded.name, level = excluded.level, parent_id = excluded.parent_id,
                   region_type = excluded.region_type, division_code = excluded.division_code,
                   credit_code = excluded.credit_code, from_on = excluded.from_on, ended_on = excluded.ended_on,
                   successor_id = excluded.successor_id, sequence = organisation.sequence + excluded.sequence,
                   recorded_at = excluded.recorded_at
            RETURNING id, code, name, level, parent_id, region_type, division_code, credit_code, from_on, ended_on,
                      successor_id, sequence
            """,
            [recorded_at, orjson.dumps(rows).decode()],
        ).fetchall()


def list_credit_code_holders(connection: Connection, credit_codes: Sequence[str]) -> dict[str, str]:
    """Return the organisation's code by credit code, for those that are held."""
    rows = connection.execute(
        "SELECT credit_code, code FROM organisation WHERE credit_code = ANY(%s::text[])", [list(credit_codes)]
    )
    return dict(rows.fetchall())  # type: ignore[arg-type] # psycopg types a row as a tuple of objects


def list_ended(connection: Connection, codes: Sequence[str]) -> dict[str, date]:
    """Return the first day on which an organisation is no more, for those that have ended."""
    rows = connection.execute(
        "SELECT code, ended_on FROM organisation WHERE code = ANY(%s) AND ended_on IS NOT NULL", [list(codes)]
    )
    return dict(rows.fetchall())  # type: ignore[arg-type] # psycopg types a row as a tuple of objects


def list_cadres_by_number(connection: Connection, staff_numbers: Sequence[str]) -> dict[str, Cadre]:
    with connection.cursor(row_factory=class_row(Cadre)) as cursor:
        rows = cursor.execute(
            """
            SELECT id, staff_number, name, nullif(from_on, '1900-01-01') AS from_on
              FROM cadre
             WHERE staff_number = ANY(%s)
             ORDER BY staff_number
            """,
            [list(staff_numbers)],
        )
        return {row.staff_number: row for row in rows}


def upsert_cadres(connection: Connection, rows: Rows, *, today: date, recorded_at: datetime) -> list[WrittenCadre]:
    """Write entries; those that stand with the same name, or with a later one, are left alone and not returned."""
    with connection.cursor(row_factory=class_row(WrittenCadre)) as cursor:
        return cursor.execute(
            """
            INSERT INTO cadre (id, staff_number, name, from_on, sequence, recorded_at)
            SELECT id, staff_number, name, coalesce(from_on, '1900-01-01'), 1, %(recorded_at)s
              FROM json_to_recordset(%(rows)s::json)
                AS item (id uuid, staff_number text, name text, from_on date)
             ORDER BY staff_number
                ON CONFLICT (staff_number) DO UPDATE
               SET name = excluded.name,
                   from_on = coalesce(nullif(excluded.from_on, '1900-01-01'), %(today)s),
                   sequence = cadre.sequence + 1,
                   recorded_at = excluded.recorded_at
             WHERE cadre.name <> excluded.name
               AND coalesce(nullif(excluded.from_on, '1900-01-01'), %(today)s) >= cadre.from_on
            RETURNING id, staff_number, name, from_on, sequence
            """,
            {"recorded_at": recorded_at, "today": today, "rows": orjson.dumps(rows).decode()},
        ).fetchall()


def find_organisation_ids(connection: Connection, codes: Sequence[str]) -> dict[str, UUID]:
    rows = connection.execute("SELECT code, id FROM organisation WHERE code = ANY(%s)", [list(codes)])
    return dict(rows.fetchall())  # type: ignore[arg-type] # psycopg types a row as a tuple of objects


def find_cadre_ids(connection: Connection, staff_numbers: Sequence[str]) -> dict[str, UUID]:
    rows = connection.execute("SELECT staff_number, id FROM cadre WHERE staff_number = ANY(%s)", [list(staff_numbers)])
    return dict(rows.fetchall())  # type: ignore[arg-type] # psycopg types a row as a tuple of objects


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
