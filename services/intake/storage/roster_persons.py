"""Who the persons of cadre files are: matches that a person made, document numbers as digests, and candidates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import orjson
from psycopg.rows import class_row

from shared.database import Connection

Basis = Literal["name", "name_and_month"]
Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    id: UUID
    person: bytes
    name_and_month: bytes
    cadre_id: UUID
    staff_number: str
    basis: Basis
    person_sealed: bytes = field(repr=False)
    suggested_at: datetime
    is_same: bool | None


def insert_matches(connection: Connection, rows: Rows, *, recorded_at: datetime) -> set[bytes]:
    """Insert the persons that stand nowhere yet; return which these were."""
    inserted = connection.execute(
        """
        INSERT INTO roster_match (person, cadre_id, name_and_month, recorded_at)
        SELECT person, cadre_id, name_and_month, %s
          FROM json_to_recordset(%s::json) AS row (person bytea, cadre_id uuid, name_and_month bytea)
            ON CONFLICT DO NOTHING
        RETURNING person
        """,
        [recorded_at, orjson.dumps(rows).decode()],
    ).fetchall()
    return {bytes(row[0]) for row in inserted}  # type: ignore[call-overload] # psycopg types a row as objects


def list_matches(connection: Connection, persons: Sequence[bytes]) -> dict[bytes, UUID]:
    rows = connection.execute(
        "SELECT person, cadre_id FROM roster_match WHERE person = ANY(%s)", [list(set(persons))]
    ).fetchall()
    return {bytes(person): UUID(str(cadre_id)) for person, cadre_id in rows}  # type: ignore[call-overload] # as above


def insert_documents(connection: Connection, rows: Mapping[bytes, UUID], *, recorded_at: datetime) -> None:
    connection.execute(
        """
        INSERT INTO roster_document (document, cadre_id, recorded_at)
        SELECT document, cadre_id, %s
          FROM unnest(%s::bytea[], %s::uuid[]) AS row (document, cadre_id)
            ON CONFLICT DO NOTHING
        """,
        [recorded_at, list(rows), list(rows.values())],
    )


def list_documents(connection: Connection, documents: Sequence[bytes]) -> dict[bytes, UUID]:
    rows = connection.execute(
        "SELECT document, cadre_id FROM roster_document WHERE document = ANY(%s)", [list(set(documents))]
    ).fetchall()
    return {bytes(document): UUID(str(cadre_id)) for document, cadre_id in rows}  # type: ignore[call-overload] # as above


def list_staff_numbers(connection: Connection, cadre_ids: Sequence[UUID]) -> dict[UUID, str]:
    rows = connection.execute("SELECT id, staff_number FROM cadre WHERE id = ANY(%s)", [list(set(cadre_ids))])
    return dict(rows.fetchall())  # type: ignore[arg-type] # psycopg types a row as a tuple of objects


def suggest(connection: Connection, rows: Rows, *, suggested_at: datetime) -> None:
    """Note for persons whom nobody matched who they may be: cadres of the name, or matched before under another unit.

    Each once: what was refused is not suggested again.
    """
    connection.execute(
        """
        INSERT INTO roster_candidate (id, person, name_and_month, cadre_id, basis, person_sealed, suggested_at)
        SELECT gen_random_uuid(), asked.person, asked.name_and_month, candidate.cadre_id, candidate.basis,
               asked.person_sealed, %s
          FROM json_to_recordset(%s::json)
            AS asked (person bytea, name_and_month bytea, name text, person_sealed bytea)
         CROSS JOIN LATERAL (
                   SELECT DISTINCT ON (cadre_id) cadre_id, basis
                     FROM (SELECT cadre_id, 'name_and_month' AS basis
                             FROM roster_match
                            WHERE name_and_month = asked.name_and_month
                            UNION ALL
                           SELECT id, 'name' FROM cadre WHERE name = asked.name) AS known
                    ORDER BY cadre_id, basis DESC
                    LIMIT 20) AS candidate
            ON CONFLICT (person, cadre_id) DO NOTHING
        """,
        [suggested_at, orjson.dumps(rows).decode()],
    )


def list_open_candidates(connection: Connection, *, after: tuple[datetime, UUID] | None, limit: int) -> list[Candidate]:
    """On roster_candidate_open."""
    with connection.cursor(row_factory=class_row(Candidate)) as cursor:
        return cursor.execute(
            """
            SELECT candidate.id, person, name_and_month, cadre_id, staff_number, basis, person_sealed, suggested_at,
                   is_same
              FROM roster_candidate AS candidate
              JOIN cadre ON cadre.id = cadre_id
             WHERE decided_at IS NULL
               AND (%(at)s::timestamptz IS NULL OR (suggested_at, candidate.id) > (%(at)s, %(id)s::uuid))
             ORDER BY suggested_at, candidate.id
             LIMIT %(limit)s
            """,
            {"at": after[0] if after else None, "id": after[1] if after else None, "limit": limit},
        ).fetchall()


def lock_candidates(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, Candidate]:
    with connection.cursor(row_factory=class_row(Candidate)) as cursor:
        rows = cursor.execute(
            """
            SELECT candidate.id, person, name_and_month, cadre_id, staff_number, basis, person_sealed, suggested_at,
                   is_same
              FROM roster_candidate AS candidate
              JOIN cadre ON cadre.id = cadre_id
             WHERE candidate.id = ANY(%s)
             ORDER BY candidate.id
               FOR UPDATE OF candidate
            """,
            [list(ids)],
        ).fetchall()
    return {row.id: row for row in rows}


def set_decided(connection: Connection, decided: Mapping[UUID, bool], *, decided_at: datetime) -> None:
    """A person that was found is no more suggested to be anybody else."""
    connection.execute(
        """
        UPDATE roster_candidate AS candidate
           SET decided_at = %s, is_same = item.is_same,
               decided_by = nullif(current_setting('lianxin.account', true), '')::uuid
          FROM unnest(%s::uuid[], %s::boolean[]) AS item (id, is_same)
         WHERE candidate.id = item.id
        """,
        [decided_at, list(decided), list(decided.values())],
    )
    connection.execute(
        """
        DELETE FROM roster_candidate
         WHERE decided_at IS NULL
           AND person IN (SELECT person FROM roster_candidate WHERE id = ANY(%s) AND is_same)
        """,
        [list(decided)],
    )
