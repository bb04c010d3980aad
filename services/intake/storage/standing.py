"""Which version of a register's entry stands, for changes that are meant for one version alone."""

from collections.abc import Mapping
from typing import Final, Literal, LiteralString
from uuid import UUID

from psycopg import sql

from shared.database import Connection

Kind = Literal["cadre", "category", "organisation", "population_group", "post", "published_channel", "reception_day"]
# By what an entry is named in a request.
KEYS: Final[Mapping[Kind, LiteralString]] = {
    "cadre": "staff_number",
    "category": "code || '/' || coalesce(code_of(organisation_id), '')",
    "organisation": "code",
    "population_group": "code",
    "post": "id::text",
    "published_channel": "id::text",
    "reception_day": "id::text",
}


def lock_version(connection: Connection, kind: Kind, key: str) -> tuple[UUID, int] | None:
    """Return id and version of the entry, which nobody else changes until the transaction ends."""
    query = sql.SQL("SELECT id, sequence FROM {} WHERE {} = %s FOR UPDATE")
    row = connection.execute(query.format(sql.Identifier(kind), sql.SQL(KEYS[kind])), [key]).fetchone()
    return (row[0], row[1]) if row else None  # type: ignore[return-value] # psycopg types a row as objects


def find_version(connection: Connection, kind: Kind, key: str) -> int | None:
    query = sql.SQL("SELECT sequence FROM {} WHERE {} = %s")
    row = connection.execute(query.format(sql.Identifier(kind), sql.SQL(KEYS[kind])), [key]).fetchone()
    return int(str(row[0])) if row else None
