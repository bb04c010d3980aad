"""Contacts of a file entered column by column: each nothing but new, and given by as little as a file tells."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.errors import UniqueViolation

from services.intake.storage import columns
from services.intake.storage.columns import Bytes, Instants, Integers, Texts, Uuids
from shared.contracts.intake.contacts import ContactRecorded
from shared.database import Connection
from shared.errors import Conflict


class StandsAlready(Conflict):
    """One of the contacts has an id or a number that is taken; none was entered."""

    code = "stands-already"


@dataclass(frozen=True, slots=True, kw_only=True)
class Belongings:
    """Whose contacts there are: of which cadre for which organisation, or else for that of the cadre's post then."""

    staff_numbers: Texts
    organisation_codes: Texts
    instants: Instants


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactColumns:
    """`belongings` are places among the Belongings, from 1. Of `events` each lacks its opening brace and ids."""

    source: str
    correlation_id: str
    ids: Uuids
    source_numbers: Texts
    belongings: Integers
    kinds: Texts
    occurred_at: Instants
    recorded_at: Instants
    durations: Integers
    population_groups: Texts
    people_counts: Integers
    place_codes: Texts
    notes: Bytes
    content_hashes: Bytes
    event_ids: Uuids
    events: Texts


def enter_plain_contacts(
    connection: Connection, given: Belongings, contacts: ContactColumns, *, recorded_at: datetime
) -> set[int]:
    """Enter contacts with the event of each; return which of the belongings there are.

    Contacts of the others are left out: they name something unknown or are out of reach. Raises StandsAlready.
    """
    cursor = columns.cursor(connection)
    try:
        # Planned each time for as many rows as there are: a plan for any number takes it for ten.
        rows = cursor.execute(
            """
              WITH known AS MATERIALIZED (
                   SELECT given.place, cadre.id AS cadre_id, organisation.id AS organisation_id,
                          coalesce(organisation.id, post_organisation(cadre.id, given.instant)) AS owner_id
                     FROM unnest($1::text[], $2::text[], $3::timestamptz[])
                          WITH ORDINALITY AS given (staff_number, organisation_code, instant, place)
                     JOIN cadre ON cadre.staff_number = given.staff_number
                     LEFT JOIN organisation ON organisation.code = given.organisation_code
                    WHERE given.organisation_code IS NULL
                       OR organisation.id IS NOT NULL),
                   belonging AS MATERIALIZED (
                   SELECT place, cadre_id, organisation_id, owner_id,
                          '{"cadre_id":"' || cadre_id || '",'
                          || coalesce('"organisation_id":"' || organisation_id || '",', '') AS ids
                     FROM known
                    WHERE (SELECT reaches_everything()) -- the policy `entered` of contact
                       OR EXISTS (SELECT 1
                                    FROM organisation_line AS line
                                   WHERE line.organisation_id = known.owner_id
                                     AND line.ancestor_code = ANY ((SELECT acting_organisations())::text[]))
                       OR (cadre_id = (SELECT acting_cadre_id()) AND may_enter_contact(owner_id, cadre_id))),
                   made AS (
                   INSERT INTO contact (id, source, source_number, cadre_id, organisation_id, kind, occurred_at,
                                        recorded_at, duration_minutes, population_group, people_count, place_code,
                                        note_sealed, flags, content_hash, owner_organisation_id)
                   SELECT row.id, $18, row.source_number, belonging.cadre_id, belonging.organisation_id, row.kind,
                          row.occurred_at, row.recorded_at, row.duration_minutes, row.population_group,
                          row.people_count, row.place_code, row.note_sealed, '{}', row.content_hash, belonging.owner_id
                     FROM unnest($4::uuid[], $5::text[], $6::integer[], $7::text[], $8::timestamptz[],
                                 $9::timestamptz[], $10::integer[], $11::text[], $12::integer[], $13::text[],
                                 $14::bytea[], $15::bytea[])
                       AS row (id, source_number, place, kind, occurred_at, recorded_at, duration_minutes,
                               population_group, people_count, place_code, note_sealed, content_hash)
                     JOIN belonging ON belonging.place = row.place),
                   told AS (
                   INSERT INTO outbox (event_id, event_type, routing_key, aggregate, aggregate_id, sequence,
                                       recorded_at, correlation_id, payload)
                   SELECT row.event_id, $19, $20, $21, row.id, 1, $22, $23, (belonging.ids || row.event)::jsonb
                     FROM unnest($4::uuid[], $6::integer[], $16::uuid[], $17::text[])
                       AS row (id, place, event_id, event)
                     JOIN belonging ON belonging.place = row.place)
            SELECT place
              FROM belonging
            """,
            [
                given.staff_numbers,
                given.organisation_codes,
                given.instants,
                contacts.ids,
                contacts.source_numbers,
                contacts.belongings,
                contacts.kinds,
                contacts.occurred_at,
                contacts.recorded_at,
                contacts.durations,
                contacts.population_groups,
                contacts.people_counts,
                contacts.place_codes,
                contacts.notes,
                contacts.content_hashes,
                contacts.event_ids,
                contacts.events,
                contacts.source,
                ContactRecorded.type,
                ContactRecorded.key,
                ContactRecorded.aggregate,
                recorded_at,
                contacts.correlation_id,
            ],
            prepare=False,
        ).fetchall()
    except UniqueViolation:
        raise StandsAlready("a contact has an id or a number that is taken") from None
    return {int(str(row[0])) for row in rows}


def list_standing_numbers(connection: Connection, source: str, numbers: Sequence[str]) -> set[str]:
    """List which of a source's numbers contacts have, as far as these can be seen, on contact_source_number."""
    rows = connection.execute(
        """
        SELECT source_number
          FROM contact
         WHERE source = %s
           AND source_number = ANY(%s)
           AND source_number IS NOT NULL
        """,
        [source, list(numbers)],
    ).fetchall()
    return {str(row[0]) for row in rows}
