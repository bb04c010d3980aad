"""Contacts in the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import orjson
from psycopg import RawCursor
from psycopg.rows import class_row

from services.intake.domain.commands.contacts import ContactKind
from services.intake.domain.repeats import Named
from services.intake.storage.citizens import with_citizen
from services.intake.storage.names import list_names
from shared.at_once import Statement
from shared.contracts.intake.contacts import ContactRecorded
from shared.database import Connection
from shared.errors import NotFound

# What of the event of a contact only the statement that enters it finds.
FOUND_ON_ENTRY: Final = frozenset({"cadre_id", "organisation_id", "companion_ids"})


class ContactNotFound(NotFound):
    code = "contact-not-found"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredContact:
    """What telling repeats apart and announcing a contact need of it."""

    id: UUID
    source: str
    source_number: str | None
    cadre_id: UUID
    organisation_id: UUID | None
    recorded_at: datetime
    content_hash: bytes
    citizen_ref: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedContact:
    """A contact as it stands, with codes in the place of ids and what is sealed still sealed."""

    id: UUID
    staff_number: str
    organisation_code: str | None
    kind: ContactKind
    occurred_at: datetime
    recorded_at: datetime
    duration_minutes: int | None
    population_group: str | None
    people_count: int | None
    people_by_group: dict[str, int] | None
    companions: list[str]
    first_on: date | None
    last_on: date | None
    place_code: str | None
    note: str | None = field(repr=False)
    note_sealed: bytes | None
    late_reason_sealed: bytes | None
    citizen_ref: UUID | None
    is_told_apart: bool
    citizen_name: bytes | None
    citizen_phone: bytes | None
    citizen_key: bytes | None
    source: str
    source_number: str | None
    flags: list[str]
    version: int
    counts: bool
    voided_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RaisedIssue:
    """An issue that came out of a contact, as far as a list tells of it."""

    id: UUID
    type: str
    category: str
    status: str
    received_at: datetime


def insert_contacts(
    connection: Connection, rows: Sequence[Mapping[str, Any]], *, recorded_at: datetime
) -> list[StoredContact]:
    """Insert contacts with the event of each, and return those that were inserted.

    Each goes into the organisation given, or else into that of the cadre's post on the day. Those whose id or number
    is taken, that name something unknown, that were before the cadre served, or that are out of reach, are left out.
    """
    # Raw, with PostgreSQL's own parameters: so long a text would be searched for ours anew each time.
    with RawCursor(connection, row_factory=class_row(StoredContact)) as cursor:
        return cursor.execute(_INSERT, [value.decode() for value in _values(rows, recorded_at)]).fetchall()


def insertion_of(rows: Sequence[Mapping[str, Any]], *, recorded_at: datetime) -> Statement:
    """The statement of `insert_contacts`; its first column is the id of what was inserted."""
    return Statement(text=_INSERT, parameters=_values(rows, recorded_at))


def _values(rows: Sequence[Mapping[str, Any]], recorded_at: datetime) -> list[bytes]:
    named = (ContactRecorded.type, ContactRecorded.key, ContactRecorded.aggregate, recorded_at.isoformat())
    return [orjson.dumps(rows), *(value.encode() for value in named)]


_INSERT: Final = b"""
      WITH item AS MATERIALIZED (
           SELECT *
             FROM ROWS FROM (json_to_recordset($1::json)
               AS (id uuid, source text, source_number text, staff_number text, organisation_code text,
                   kind text, occurred_at timestamptz, recorded_at timestamptz, duration_minutes integer,
                   population_group text, people_count integer, people_by_group jsonb, companions text[],
                   first_on date, last_on date, place_code text, note_sealed bytea, late_reason_sealed bytea,
                   citizen_ref uuid, flags text[], content_hash bytea, any_place boolean, any_day boolean,
                   event_id uuid, correlation_id text, event jsonb))
                  WITH ORDINALITY),
           made AS (
           INSERT INTO contact (id, source, source_number, cadre_id, organisation_id, kind, occurred_at,
                                recorded_at, duration_minutes, population_group, people_count, people_by_group,
                                companion_ids, first_on, last_on, place_code, note_sealed, late_reason_sealed,
                                citizen_ref, flags, content_hash, owner_organisation_id)
           SELECT item.id, item.source, item.source_number, cadre.id, organisation.id, item.kind,
                  item.occurred_at, item.recorded_at, item.duration_minutes, item.population_group,
                  item.people_count, item.people_by_group, companion.ids, item.first_on, item.last_on,
                  item.place_code, item.note_sealed, item.late_reason_sealed, item.citizen_ref, item.flags,
                  item.content_hash, owner.id
             FROM item
             JOIN cadre ON cadre.staff_number = item.staff_number
             LEFT JOIN organisation ON organisation.code = item.organisation_code
            CROSS JOIN LATERAL (
                  SELECT coalesce(organisation.id, post_organisation(cadre.id, item.occurred_at)) AS id
                  OFFSET 0) AS owner -- a fence: without it the function is asked wherever the name stands
            CROSS JOIN LATERAL (
                  SELECT CASE WHEN item.companions IS NULL THEN '{}'::uuid[]
                              ELSE officials_of(item.companions) END AS ids) AS companion
            WHERE (item.organisation_code IS NULL OR organisation.id IS NOT NULL)
              AND array_position(companion.ids, NULL) IS NULL
              AND CASE WHEN item.any_place OR item.place_code IS NULL THEN true ELSE is_place(item.place_code) END
              AND CASE WHEN item.any_day THEN true
                       WHEN item.organisation_code IS NULL AND owner.id IS NOT NULL THEN true -- by a post then
                       ELSE coalesce(served_since(cadre.id)
                                     <= (item.occurred_at AT TIME ZONE 'Asia/Shanghai')::date, true) END
              AND ((SELECT reaches_everything()) -- the policy `entered` of contact, which would refuse all of it
                   OR EXISTS (SELECT 1
                                FROM organisation_line AS line
                               WHERE line.organisation_id = owner.id
                                 AND line.ancestor_code = ANY ((SELECT acting_organisations())::text[]))
                   OR (cadre.id = (SELECT acting_cadre_id()) AND may_enter_contact(owner.id, cadre.id)))
            ORDER BY item.source_number, CASE WHEN item.source_number IS NULL THEN item.id END, item.ordinality
               ON CONFLICT DO NOTHING
           RETURNING id, source, source_number, cadre_id, organisation_id, recorded_at, content_hash, citizen_ref,
                     companion_ids),
           told AS (
           INSERT INTO outbox (event_id, event_type, routing_key, aggregate, aggregate_id, sequence, recorded_at,
                               correlation_id, payload)
           SELECT DISTINCT ON (made.id) -- of equal commands in one batch the first one made it
                  item.event_id, $2, $3, $4, made.id, 1, $5,
                  item.correlation_id,
                  item.event || jsonb_build_object('cadre_id', made.cadre_id)
                  || CASE WHEN made.organisation_id IS NULL THEN '{}'
                          ELSE jsonb_build_object('organisation_id', made.organisation_id) END
                  || CASE WHEN cardinality(made.companion_ids) = 0 THEN '{}'
                          ELSE jsonb_build_object('companion_ids', made.companion_ids) END
             FROM made
             JOIN item ON item.id = made.id AND item.content_hash = made.content_hash
            ORDER BY made.id, item.ordinality)
    SELECT id, source, source_number, cadre_id, organisation_id, recorded_at, content_hash, citizen_ref
      FROM made
    """


def list_standing_contacts(connection: Connection, wanted: Sequence[Named]) -> list[StoredContact]:
    """List the contacts that have the id of one of these commands, or its number of the source."""
    with connection.cursor(row_factory=class_row(StoredContact)) as cursor:
        return cursor.execute(
            """
            SELECT id, source, source_number, cadre_id, organisation_id, recorded_at, content_hash, citizen_ref
              FROM contact
             WHERE id = ANY(%s)
             UNION
            SELECT contact.id, contact.source, contact.source_number, contact.cadre_id, contact.organisation_id,
                   contact.recorded_at, contact.content_hash, contact.citizen_ref
              FROM unnest(%s::text[], %s::text[]) AS wanted (source, source_number)
              JOIN contact
                ON contact.source = wanted.source
               AND contact.source_number = wanted.source_number
               AND contact.source_number IS NOT NULL
            """,
            list_names(wanted),
        ).fetchall()


def get_contact(connection: Connection, contact_id: UUID) -> SealedContact:
    """Raises ContactNotFound."""
    with connection.cursor(row_factory=class_row(SealedContact)) as cursor:
        contact = cursor.execute(
            """
            SELECT contact.id, staff_number_of(contact.cadre_id) AS staff_number,
                   code_of(contact.organisation_id) AS organisation_code, contact.kind,
                   contact.occurred_at, contact.recorded_at, contact.duration_minutes, contact.population_group,
                   contact.people_count, contact.people_by_group,
                   ARRAY(SELECT staff_number_of(id) FROM unnest(contact.companion_ids) AS id) AS companions,
                   contact.first_on, contact.last_on, contact.place_code, contact.note, contact.note_sealed,
                   contact.late_reason_sealed, contact.citizen_ref,
                   contact.is_told_apart, contact.told_name AS citizen_name, contact.told_phone AS citizen_phone,
                   NULL::bytea AS citizen_key,
                   contact.source, contact.source_number, contact.flags, contact.sequence AS version, contact.counts,
                   contact.voided_at
              FROM contact
             WHERE contact.id = %s
            """,
            [contact_id],
        ).fetchone()
    if contact is None:
        raise ContactNotFound("there is no such contact")
    return with_citizen(connection, contact)


def list_raised_issues(connection: Connection, contact_id: UUID) -> list[RaisedIssue]:
    """List the issues that came out of a contact, as far as the reader may see them, on issue_contact."""
    with connection.cursor(row_factory=class_row(RaisedIssue)) as cursor:
        return cursor.execute(
            """
            SELECT id, type, category, status, received_at
              FROM issue
             WHERE contact_id = %s
             ORDER BY received_at, id
            """,
            [contact_id],
        ).fetchall()


def is_contact_missing(
    connection: Connection, *, contact_id: UUID | None, source: str, source_number: str | None
) -> bool:
    """Return whether a contact that is referred to, by id or by number, is not there."""
    row = connection.execute(
        """
        SELECT (%(id)s::uuid IS NOT NULL AND NOT EXISTS (SELECT 1 FROM contact WHERE id = %(id)s))
            OR (%(number)s::text IS NOT NULL AND NOT EXISTS (
               SELECT 1 FROM contact WHERE source = %(source)s AND source_number = %(number)s))
        """,
        {"id": contact_id, "source": source, "number": source_number},
    ).fetchone()
    return row is not None and bool(row[0])


def is_before_first_post(connection: Connection, *, staff_number: str, occurred_at: datetime) -> bool:
    row = connection.execute(
        """
        SELECT served_since(id) > (%s AT TIME ZONE 'Asia/Shanghai')::date
          FROM cadre
         WHERE staff_number = %s
        """,
        [occurred_at, staff_number],
    ).fetchone()
    return row is not None and bool(row[0])


def may_enter_contact(
    connection: Connection, *, staff_number: str, organisation_code: str | None, occurred_at: datetime
) -> bool:
    """Whether the contact would belong to an organisation, or to a cadre, that is within reach."""
    row = connection.execute(
        """
        SELECT may_enter_contact(coalesce(organisation.id, post_organisation(cadre.id, %s)), cadre.id)
          FROM cadre
          LEFT JOIN organisation ON organisation.code = %s
         WHERE cadre.staff_number = %s
        """,
        [occurred_at, organisation_code, staff_number],
    ).fetchone()
    return row is not None and bool(row[0])
