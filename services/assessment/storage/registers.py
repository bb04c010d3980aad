"""Registers as their events tell of them: the highest sequence of an aggregate wins, whenever it arrives."""

from collections.abc import Sequence
from typing import Any

import orjson

from shared.database import Connection

Row = dict[str, Any]


def upsert_organisations(connection: Connection, rows: Sequence[Row]) -> None:
    connection.execute(
        """
        INSERT INTO organisation AS known (organisation_id, code, name, level, parent_id, region_type, sequence)
        SELECT organisation_id, code, name, level, parent_id, region_type, sequence
          FROM json_to_recordset(%s::json)
            AS row (organisation_id uuid, code text, name text, level text, parent_id uuid, region_type text,
                    sequence integer)
            ON CONFLICT (organisation_id) DO UPDATE
           SET code = excluded.code,
               name = excluded.name,
               level = excluded.level,
               parent_id = excluded.parent_id,
               region_type = excluded.region_type,
               sequence = excluded.sequence
         WHERE known.sequence < excluded.sequence
        """,
        [orjson.dumps(rows).decode()],
    )


def insert_parents(connection: Connection, rows: Sequence[Row]) -> None:
    """Every entry that an organisation ever had says under which parent it stood from which day on."""
    connection.execute(
        """
        INSERT INTO parentage (organisation_id, sequence, from_on, parent_id)
        SELECT organisation_id, sequence, coalesce(from_on, '1900-01-01'), parent_id
          FROM json_to_recordset(%s::json)
            AS row (organisation_id uuid, sequence integer, from_on date, parent_id uuid)
            ON CONFLICT DO NOTHING
        """,
        [orjson.dumps(rows).decode()],
    )


def upsert_cadres(connection: Connection, rows: Sequence[Row]) -> None:
    connection.execute(
        """
        INSERT INTO cadre AS known (cadre_id, staff_number, name, sequence)
        SELECT cadre_id, staff_number, name, sequence
          FROM json_to_recordset(%s::json) AS row (cadre_id uuid, staff_number text, name text, sequence integer)
            ON CONFLICT (cadre_id) DO UPDATE
           SET staff_number = excluded.staff_number,
               name = excluded.name,
               sequence = excluded.sequence
         WHERE known.sequence < excluded.sequence
        """,
        [orjson.dumps(rows).decode()],
    )


def upsert_posts(connection: Connection, rows: Sequence[Row]) -> None:
    connection.execute(
        """
        INSERT INTO post AS known (post_id, cadre_id, organisation_id, post_kind, post_level, from_on, until_on,
                                   sequence)
        SELECT post_id, cadre_id, organisation_id, post_kind, post_level, from_on, until_on, sequence
          FROM json_to_recordset(%s::json)
            AS row (post_id uuid, cadre_id uuid, organisation_id uuid, post_kind text, post_level text, from_on date,
                    until_on date, sequence integer)
            ON CONFLICT (post_id) DO UPDATE
           SET cadre_id = excluded.cadre_id,
               organisation_id = excluded.organisation_id,
               post_kind = excluded.post_kind,
               post_level = excluded.post_level,
               from_on = excluded.from_on,
               until_on = excluded.until_on,
               sequence = excluded.sequence
         WHERE known.sequence < excluded.sequence
        """,
        [orjson.dumps(rows).decode()],
    )


def upsert_duties(connection: Connection, rows: Sequence[Row]) -> None:
    connection.execute(
        """
        INSERT INTO duty AS known (duty_id, organisation_id, post_kind, post_level, contact_kind, required_count, unit,
                                   per, valid_from, valid_until, sequence)
        SELECT duty_id, organisation_id, post_kind, post_level, contact_kind, required_count, unit, per, valid_from,
               valid_until, sequence
          FROM json_to_recordset(%s::json)
            AS row (duty_id uuid, organisation_id uuid, post_kind text, post_level text, contact_kind text,
                    required_count integer, unit text, per text, valid_from date, valid_until date,
                    sequence integer)
            ON CONFLICT (duty_id) DO UPDATE
           SET organisation_id = excluded.organisation_id,
               post_kind = excluded.post_kind,
               post_level = excluded.post_level,
               contact_kind = excluded.contact_kind,
               required_count = excluded.required_count,
               unit = excluded.unit,
               per = excluded.per,
               valid_from = excluded.valid_from,
               valid_until = excluded.valid_until,
               sequence = excluded.sequence
         WHERE known.sequence < excluded.sequence
        """,
        [orjson.dumps(rows).decode()],
    )
