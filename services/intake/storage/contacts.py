"""Contacts in the database."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final
from uuid import UUID

from psycopg.rows import class_row

from services.intake.domain.commands.contacts import ContactKind
from services.intake.domain.repeats import Named
from services.intake.storage.citizens import with_citizen
from services.intake.storage.names import list_names
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
