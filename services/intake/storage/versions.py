"""What the registers said on a day, and every change of an entry: read from the versions that the tables keep."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row

from services.intake.storage.registers import Cadre, Organisation
from shared.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationVersion:
    """One change: what the entry says from that day on, until a later one says otherwise. Codes are today's."""

    sequence: int
    from_on: date | None
    name: str
    level: str
    parent_code: str | None
    region_type: str | None
    division_code: str | None
    credit_code: str | None
    ended_on: date | None
    successor_code: str | None
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CadreVersion:
    sequence: int
    from_on: date | None
    name: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    left_on: date
    reason_code: str


def list_organisations_on(connection: Connection, on: date, *, after_code: str, limit: int) -> list[Organisation]:
    """List what stood in the register of that day, on organisation_version_day."""
    with connection.cursor(row_factory=class_row(Organisation)) as cursor:
        return cursor.execute(
            """
            SELECT organisation.id, organisation.code, version.name, version.level, parent.code AS parent_code,
                   version.region_type, version.division_code, version.credit_code,
                   nullif(version.from_on, '1900-01-01') AS from_on, version.ended_on,
                   successor.code AS successor_code
              FROM organisation
             CROSS JOIN LATERAL (
                       SELECT name, level, parent_id, region_type, division_code, credit_code, from_on, ended_on,
                              successor_id
                         FROM organisation_version
                        WHERE organisation_id = organisation.id
                          AND from_on <= %(on)s
                        ORDER BY from_on DESC, sequence DESC
                        LIMIT 1) AS version
              LEFT JOIN organisation AS parent ON parent.id = version.parent_id
              LEFT JOIN organisation AS successor ON successor.id = version.successor_id
             WHERE organisation.code > %(after)s
             ORDER BY organisation.code
             LIMIT %(limit)s
            """,
            {"on": on, "after": after_code, "limit": limit},
        ).fetchall()


def find_organisation_on(connection: Connection, code: str, on: date) -> Organisation | None:
    """Find the entry as it stood that day; None also where there was none yet."""
    with connection.cursor(row_factory=class_row(Organisation)) as cursor:
        return cursor.execute(
            """
            SELECT organisation.id, organisation.code, version.name, version.level, parent.code AS parent_code,
                   version.region_type, version.division_code, version.credit_code,
                   nullif(version.from_on, '1900-01-01') AS from_on, version.ended_on,
                   successor.code AS successor_code
              FROM organisation
              JOIN organisation_version AS version ON version.organisation_id = organisation.id
              LEFT JOIN organisation AS parent ON parent.id = version.parent_id
              LEFT JOIN organisation AS successor ON successor.id = version.successor_id
             WHERE organisation.code = %s
               AND version.from_on <= %s
             ORDER BY version.from_on DESC, version.sequence DESC
             LIMIT 1
            """,
            [code, on],
        ).fetchone()


def list_organisation_versions(connection: Connection, organisation_id: UUID) -> list[OrganisationVersion]:
    with connection.cursor(row_factory=class_row(OrganisationVersion)) as cursor:
        return cursor.execute(
            """
            SELECT version.sequence, nullif(version.from_on, '1900-01-01') AS from_on, version.name, version.level,
                   parent.code AS parent_code, version.region_type, version.division_code, version.credit_code,
                   version.ended_on, successor.code AS successor_code, version.recorded_at
              FROM organisation_version AS version
              LEFT JOIN organisation AS parent ON parent.id = version.parent_id
              LEFT JOIN organisation AS successor ON successor.id = version.successor_id
             WHERE version.organisation_id = %s
             ORDER BY version.sequence
            """,
            [organisation_id],
        ).fetchall()


def list_cadres_on(connection: Connection, on: date, *, after_number: str, limit: int) -> list[Cadre]:
    """List cadres by the names they had that day, on cadre_version_day."""
    with connection.cursor(row_factory=class_row(Cadre)) as cursor:
        return cursor.execute(
            """
            SELECT cadre.id, cadre.staff_number, version.name, nullif(version.from_on, '1900-01-01') AS from_on
              FROM cadre
             CROSS JOIN LATERAL (
                       SELECT name, from_on
                         FROM cadre_version
                        WHERE cadre_id = cadre.id
                          AND from_on <= %(on)s
                        ORDER BY from_on DESC, sequence DESC
                        LIMIT 1) AS version
             WHERE cadre.staff_number > %(after)s
             ORDER BY cadre.staff_number
             LIMIT %(limit)s
            """,
            {"on": on, "after": after_number, "limit": limit},
        ).fetchall()


def list_cadre_versions(connection: Connection, cadre_id: UUID) -> list[CadreVersion]:
    with connection.cursor(row_factory=class_row(CadreVersion)) as cursor:
        return cursor.execute(
            """
            SELECT sequence, nullif(from_on, '1900-01-01') AS from_on, name, recorded_at
              FROM cadre_version
             WHERE cadre_id = %s
             ORDER BY sequence
            """,
            [cadre_id],
        ).fetchall()


def list_departures(connection: Connection, cadre_id: UUID) -> list[Departure]:
    with connection.cursor(row_factory=class_row(Departure)) as cursor:
        return cursor.execute(
            "SELECT left_on, reason_code FROM cadre_departure WHERE cadre_id = %s ORDER BY left_on", [cadre_id]
        ).fetchall()


def insert_departure(connection: Connection, row: dict[str, Any], *, recorded_at: datetime) -> bool:
    """Whether nothing was known of a departure on that day."""
    made = connection.execute(
        """
        INSERT INTO cadre_departure (id, cadre_id, left_on, reason_code, recorded_at)
        VALUES (%(id)s, %(cadre_id)s, %(left_on)s, %(reason_code)s, %(recorded_at)s)
            ON CONFLICT DO NOTHING
        """,
        {**row, "recorded_at": recorded_at},
    )
    return made.rowcount == 1


def advance_cadre(connection: Connection, cadre_id: UUID) -> int:
    """Take the next place among the cadre's events."""
    row = connection.execute(
        "UPDATE cadre SET sequence = sequence + 1 WHERE id = %s RETURNING sequence", [cadre_id]
    ).fetchone()
    return int(str(row[0])) if row else 0


def list_children_codes(connection: Connection, organisation_id: UUID) -> Sequence[str]:
    """List what stands directly below and has not ended."""
    rows = connection.execute(
        "SELECT code FROM organisation WHERE parent_id = %s AND ended_on IS NULL ORDER BY code", [organisation_id]
    )
    return [str(row[0]) for row in rows]
