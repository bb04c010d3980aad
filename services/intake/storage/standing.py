"""Which version of a register's entry stands, for changes that are meant for one version alone."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final, Literal, LiteralString
from uuid import UUID

from psycopg import sql

from shared.database import Connection

Kind = Literal[
    "cadre",
    "category",
    "contact_household",
    "contact_point",
    "liaison_assignment",
    "organisation",
    "place_population",
    "population_group",
    "post",
    "published_channel",
    "reception_day",
]
Key = Sequence[str | UUID | date | None]
# By what an entry is named in a request; each on the index of its key.
NAMED_BY: Final[Mapping[Kind, LiteralString]] = {
    "cadre": "staff_number = %s",
    "category": "code = %s AND code_of(organisation_id) IS NOT DISTINCT FROM %s",
    "contact_household": "number = %s AND from_on = %s",
    "contact_point": "code = %s AND from_on = %s",
    "liaison_assignment": """
        cadre_id = (SELECT id FROM cadre WHERE staff_number = %s)
        AND from_on = %s
        AND household_id IS NOT DISTINCT FROM (SELECT id
                                                 FROM contact_household
                                                WHERE number = %s
                                                  AND is_within_reach(organisation_id)
                                                ORDER BY from_on DESC
                                                LIMIT 1)
        AND contact_point_id IS NOT DISTINCT FROM (SELECT id
                                                     FROM contact_point
                                                    WHERE code = %s
                                                      AND is_within_reach(organisation_id)
                                                    ORDER BY from_on DESC
                                                    LIMIT 1)
    """,
    "organisation": "code = %s",
    "place_population": """
        organisation_id = (SELECT id FROM organisation WHERE code = %s)
        AND place_code = %s
        AND population_group IS NOT DISTINCT FROM %s
        AND counted_on = %s
    """,
    "population_group": "code = %s",
    "post": "id = %s",
    "published_channel": "id = %s",
    "reception_day": "id = %s",
}


def lock_version(connection: Connection, kind: Kind, key: Key) -> tuple[UUID, int] | None:
    """Return id and version of the entry, which nobody else changes until the transaction ends."""
    query = sql.SQL("SELECT id, sequence FROM {} WHERE {} FOR UPDATE")
    row = connection.execute(query.format(sql.Identifier(kind), sql.SQL(NAMED_BY[kind])), key).fetchone()
    return (row[0], row[1]) if row else None  # type: ignore[return-value] # psycopg types a row as objects


def find_version(connection: Connection, kind: Kind, key: Key) -> int | None:
    query = sql.SQL("SELECT sequence FROM {} WHERE {}")
    row = connection.execute(query.format(sql.Identifier(kind), sql.SQL(NAMED_BY[kind])), key).fetchone()
    return int(str(row[0])) if row else None
