"""Rules of the clocks, and the calendars that were used, in the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import class_row

from services.intake.domain.clocks.documents import read_rule
from services.intake.domain.clocks.rules import ClockRule
from shared.database import Connection

RULE_LOCK = 0x436C6B52  # one batch of rules at a time, so that versions follow one another


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRule:
    id: UUID
    code: str
    version: int
    document: Mapping[str, Any]
    recorded_at: datetime


def lock_rules(connection: Connection) -> None:
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [RULE_LOCK])


def are_there_rules(connection: Connection) -> bool:
    return connection.execute("SELECT 1 FROM clock_rule LIMIT 1").fetchone() is not None


def list_rules(connection: Connection) -> list[ClockRule]:
    rows = connection.execute("SELECT code, version, document FROM clock_rule ORDER BY code, version")
    return [read_rule(str(row[0]), int(str(row[1])), row[2]) for row in rows]  # type: ignore[arg-type] # a JSON object


def list_newest_rules(connection: Connection, codes: Sequence[str]) -> dict[str, StoredRule]:
    with connection.cursor(row_factory=class_row(StoredRule)) as cursor:
        rows = cursor.execute(
            """
            SELECT DISTINCT ON (code) id, code, version, document, recorded_at
              FROM clock_rule
             WHERE code = ANY(%s)
             ORDER BY code, version DESC
            """,
            [list(codes)],
        )
        return {row.code: row for row in rows}


def list_rules_after(connection: Connection, *, after: tuple[str, int], limit: int) -> list[StoredRule]:
    with connection.cursor(row_factory=class_row(StoredRule)) as cursor:
        return cursor.execute(
            """
            SELECT id, code, version, document, recorded_at
              FROM clock_rule
             WHERE (code, version) > (%s, %s)
             ORDER BY code, version
             LIMIT %s
            """,
            [*after, limit],
        ).fetchall()


def insert_rules(connection: Connection, rows: Sequence[Mapping[str, Any]], *, recorded_at: datetime) -> None:
    connection.execute(
        """
        INSERT INTO clock_rule (id, code, version, document, recorded_at)
        SELECT id, code, version, document, %s
          FROM json_to_recordset(%s::json) AS item (id uuid, code text, version integer, document jsonb)
        """,
        [recorded_at, orjson.dumps(rows).decode()],
    )


def keep_calendar(connection: Connection, version: str, document: Mapping[str, Any], *, recorded_at: datetime) -> None:
    connection.execute(
        "INSERT INTO calendar_version (version, document, recorded_at) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        [version, orjson.dumps(document).decode(), recorded_at],
    )


def find_calendar(connection: Connection, version: str) -> Mapping[str, Any] | None:
    row = connection.execute("SELECT document FROM calendar_version WHERE version = %s", [version]).fetchone()
    return None if row is None else row[0]  # type: ignore[return-value] # a JSON object
