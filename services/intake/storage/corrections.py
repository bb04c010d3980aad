"""Corrections of contacts in the database: holding a contact, keeping what it was, and what it was before."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import class_row, dict_row

from services.intake.domain.corrections import Contact, Content
from shared.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedContact:
    """A contact as it stands, held for this transaction; its note is still sealed."""

    contact: Contact
    note_sealed: bytes | None
    citizen_ref: UUID | None
    citizen_key: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedVersion:
    """A contact as it stood at one version, with what replaced it; of the one that stands nothing did."""

    version: int
    kind: str
    occurred_at: datetime
    first_on: date | None
    last_on: date | None
    duration_minutes: int | None
    population_group: str | None
    people_count: int | None
    people_by_group: dict[str, int] | None
    companions: list[str]
    place_code: str | None
    note_sealed: bytes | None
    counts: bool
    change: str | None
    replaced_at: datetime | None
    replaced_by: UUID | None
    reason_code: str | None
    reason_sealed: bytes | None


def lock_contacts(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, LockedContact]:
    """List contacts and hold them until the transaction ends; in order of id, so that two batches cannot deadlock."""
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            """
            SELECT contact.id, cadre_id, organisation_id, recorded_at, sequence, counts, voided_at, kind, occurred_at,
                   duration_minutes, population_group, people_count, people_by_group, companion_ids, first_on, last_on,
                   place_code, note, note_sealed, contact.citizen_ref, citizen_key.wrapped AS citizen_key
              FROM contact
              LEFT JOIN citizen_key ON citizen_key.citizen_ref = contact.citizen_ref
             WHERE contact.id = ANY(%s)
             ORDER BY contact.id
               FOR UPDATE OF contact
            """,
            [list(ids)],
        )
        return {row["id"]: _locked(row) for row in rows}


def _locked(row: dict[str, Any]) -> LockedContact:
    sealed = {name: row.pop(name) for name in ("note_sealed", "citizen_ref", "citizen_key")}
    own = {
        name: row.pop(name)
        for name in ("id", "cadre_id", "organisation_id", "recorded_at", "sequence", "counts", "voided_at")
    }
    content = Content(**{**row, "companion_ids": tuple(sorted(row["companion_ids"]))})
    return LockedContact(contact=Contact(**own, content=content, citizen_ref=sealed["citizen_ref"]), **sealed)


def find_companion_ids(connection: Connection, numbers: Iterable[str]) -> dict[str, UUID]:
    """By staff number, the cadres whom somebody names as having come along; they may serve anywhere."""
    rows = connection.execute(
        "SELECT number, official_of(number) FROM unnest(%s::text[]) AS number WHERE official_of(number) IS NOT NULL",
        [sorted(set(numbers))],
    )
    return dict(rows.fetchall())  # type: ignore[arg-type] # psycopg types a row as a tuple of objects


def list_places(connection: Connection, codes: Iterable[str]) -> set[str]:
    """List which of these codes are places."""
    rows = connection.execute("SELECT code FROM unnest(%s::text[]) AS code WHERE is_place(code)", [sorted(set(codes))])
    return {str(row[0]) for row in rows}


def find_served_since(connection: Connection, cadre_ids: Iterable[UUID]) -> dict[UUID, date]:
    """By cadre, the first day of the first post; cadres without any post are left out."""
    rows = connection.execute(
        "SELECT id, served_since(id) FROM unnest(%s::uuid[]) AS id WHERE served_since(id) IS NOT NULL",
        [sorted(set(cadre_ids))],
    )
    return dict(rows.fetchall())  # type: ignore[arg-type] # psycopg types a row as a tuple of objects


def keep_versions(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep these contacts as they stand in the database or, where one changes twice in a batch, as the row says.

    The account is that of the transaction. `note_sealed` goes over as it is: it is bound to the contact.
    """
    if not rows:
        return
    connection.execute(
        """
        INSERT INTO contact_version (contact_id, version, kind, occurred_at, first_on, last_on, duration_minutes,
                                     population_group, people_count, people_by_group, companion_ids, place_code,
                                     note_sealed, counts, change, replaced_at, replaced_by, reason_code, reason_sealed)
        SELECT contact_id, version, kind, occurred_at, first_on, last_on, duration_minutes, population_group,
               people_count, people_by_group, companion_ids, place_code, note_sealed, counts, change, replaced_at,
               acting_account()::uuid, reason_code, reason_sealed
          FROM json_to_recordset(%s::json)
            AS item (contact_id uuid, version integer, kind text, occurred_at timestamptz, first_on date, last_on date,
                     duration_minutes integer, population_group text, people_count integer, people_by_group jsonb,
                     companion_ids uuid[], place_code text, note_sealed bytea, counts boolean, change text,
                     replaced_at timestamptz, reason_code text, reason_sealed bytea)
        """,
        [orjson.dumps(rows).decode()],
    )


def set_contents(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    connection.execute(
        """
        UPDATE contact
           SET sequence = item.sequence, counts = item.counts, voided_at = item.voided_at, kind = item.kind,
               occurred_at = item.occurred_at, first_on = item.first_on, last_on = item.last_on,
               duration_minutes = item.duration_minutes, population_group = item.population_group,
               people_count = item.people_count, people_by_group = item.people_by_group,
               companion_ids = item.companion_ids, place_code = item.place_code, note_sealed = item.note_sealed
          FROM json_to_recordset(%s::json)
            AS item (contact_id uuid, sequence integer, counts boolean, voided_at timestamptz, kind text,
                     occurred_at timestamptz, first_on date, last_on date, duration_minutes integer,
                     population_group text, people_count integer, people_by_group jsonb, companion_ids uuid[],
                     place_code text, note_sealed bytea)
         WHERE contact.id = item.contact_id
        """,
        [orjson.dumps(rows).decode()],
    )


def list_versions(connection: Connection, contact_id: UUID) -> list[SealedVersion]:
    """List a contact as it was and, last, as it is."""
    with connection.cursor(row_factory=class_row(SealedVersion)) as cursor:
        return cursor.execute(
            """
            SELECT version, kind, occurred_at, first_on, last_on, duration_minutes, population_group, people_count,
                   people_by_group, ARRAY(SELECT staff_number_of(id) FROM unnest(companion_ids) AS id) AS companions,
                   place_code, note_sealed, counts, change, replaced_at, replaced_by, reason_code, reason_sealed
              FROM contact_version
             WHERE contact_id = %(id)s
             UNION ALL
            SELECT sequence, kind, occurred_at, first_on, last_on, duration_minutes, population_group, people_count,
                   people_by_group, ARRAY(SELECT staff_number_of(id) FROM unnest(companion_ids) AS id), place_code,
                   note_sealed, counts, NULL, NULL, NULL, NULL, NULL
              FROM contact
             WHERE id = %(id)s
             ORDER BY version
            """,
            {"id": contact_id},
        ).fetchall()
