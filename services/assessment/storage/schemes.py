"""Schemes as they were loaded; what stands under a name and version never changes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from psycopg.rows import class_row

from shared.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredScheme:
    name: str
    version: int
    definition: dict[str, Any]
    content_hash: bytes
    loaded_at: datetime


def insert_scheme(
    connection: Connection, name: str, version: int, *, definition: dict[str, Any], content_hash: bytes
) -> bool:
    """Return whether it was new."""
    return (
        connection.execute(
            """
            INSERT INTO scheme (name, version, definition, content_hash)
            VALUES (%s, %s, %s::jsonb, %s)
                ON CONFLICT (name, version) DO NOTHING
            """,
            [name, version, orjson.dumps(definition).decode(), content_hash],
        ).rowcount
        == 1
    )


def find_scheme(connection: Connection, name: str, version: int | None = None) -> StoredScheme | None:
    """Find this version, or without one the newest."""
    with connection.cursor(row_factory=class_row(StoredScheme)) as cursor:
        return cursor.execute(
            """
            SELECT name, version, definition, content_hash, loaded_at
              FROM scheme
             WHERE name = %(name)s
               AND (%(version)s::integer IS NULL OR version = %(version)s)
             ORDER BY version DESC
             LIMIT 1
            """,
            {"name": name, "version": version},
        ).fetchone()


def find_hash(connection: Connection, name: str) -> bytes | None:
    """Of the newest version."""
    row = connection.execute(
        "SELECT content_hash FROM scheme WHERE name = %s ORDER BY version DESC LIMIT 1", [name]
    ).fetchone()
    return row[0] if row is not None and isinstance(row[0], bytes) else None


def find_definition(connection: Connection, content_hash: bytes) -> dict[str, Any] | None:
    row = connection.execute(
        "SELECT definition FROM scheme WHERE content_hash = %s ORDER BY name, version LIMIT 1", [content_hash]
    ).fetchone()
    return row[0] if row is not None and isinstance(row[0], dict) else None


def list_schemes(connection: Connection) -> list[StoredScheme]:
    with connection.cursor(row_factory=class_row(StoredScheme)) as cursor:
        return cursor.execute(
            """
            SELECT name, version, definition, content_hash, loaded_at
              FROM scheme
             ORDER BY name, version
            """
        ).fetchall()
