"""New contacts with their events, entered by one statement: the one that leaves out what stands, or the quicker one.

Both find what a contact names, and whether it may be entered there, by the same text.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

import orjson
from psycopg import RawCursor
from psycopg.errors import UniqueViolation
from psycopg.rows import class_row

from services.intake.storage.contacts import StoredContact
from shared.at_once import Statement
from shared.contracts.intake.contacts import ContactRecorded
from shared.database import Connection
from shared.errors import Conflict


class StandsAlready(Conflict):
    """One of the contacts stands already, or something else under its id, so that none was entered."""

    code = "stands-already"


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


def entry_of(rows: Sequence[Mapping[str, Any]], *, recorded_at: datetime) -> Statement:
    """A statement that does the same and returns the ids, but enters nothing at all where one of the contacts stands.

    No two may have the same id. A plan that need not tell what stands is half as large, and a plan's making ready is
    most of what a lone contact costs PostgreSQL. What runs it goes into `telling_standing`.
    """
    return Statement(text=_ENTER, parameters=_values(rows, recorded_at))


@contextmanager
def telling_standing() -> Iterator[None]:
    """Raises StandsAlready, also where an id is that of something else: which of both it is has to be looked up."""
    try:
        yield
    except UniqueViolation:
        raise StandsAlready("one of the contacts, or something else under its id, stands already") from None


def _values(rows: Sequence[Mapping[str, Any]], recorded_at: datetime) -> list[bytes]:
    named = (ContactRecorded.type, ContactRecorded.key, ContactRecorded.aggregate, recorded_at.isoformat())
    return [orjson.dumps(rows), *(value.encode() for value in named)]


# The contacts that may be entered, with the ids of what they name.
_ITEMS: Final = b"""
          WITH item AS MATERIALIZED (
               SELECT row.*, cadre.id AS cadre_id, organisation.id AS organisation_id, owner.id AS owner_id,
                      companion.ids AS companion_ids,
                      jsonb_build_object('cadre_id', cadre.id) -- what only this statement finds of the event
                      || CASE WHEN organisation.id IS NULL THEN '{}'
                              ELSE jsonb_build_object('organisation_id', organisation.id) END
                      || CASE WHEN cardinality(companion.ids) = 0 THEN '{}'
                              ELSE jsonb_build_object('companion_ids', companion.ids) END AS found
                 FROM ROWS FROM (json_to_recordset($1::json)
                   AS (id uuid, source text, source_number text, staff_number text, organisation_code text,
                       kind text, occurred_at timestamptz, recorded_at timestamptz, duration_minutes integer,
                       population_group text, people_count integer, people_by_group jsonb, companions text[],
                       first_on date, last_on date, place_code text, note_sealed bytea, late_reason_sealed bytea,
                       citizen_ref uuid, flags text[], content_hash bytea, any_place boolean, any_day boolean,
                       event_id uuid, correlation_id text, event jsonb))
                      WITH ORDINALITY AS row
                 JOIN cadre ON cadre.staff_number = row.staff_number
                 LEFT JOIN organisation ON organisation.code = row.organisation_code
                CROSS JOIN LATERAL (
                      SELECT coalesce(organisation.id, post_organisation(cadre.id, row.occurred_at)) AS id
                      OFFSET 0) AS owner -- a fence: without it the function is asked wherever the name stands
                CROSS JOIN LATERAL (
                      SELECT CASE WHEN row.companions IS NULL THEN '{}'::uuid[]
                                  ELSE officials_of(row.companions) END AS ids) AS companion
                WHERE (row.organisation_code IS NULL OR organisation.id IS NOT NULL)
                  AND array_position(companion.ids, NULL) IS NULL
                  AND CASE WHEN row.any_place OR row.place_code IS NULL THEN true ELSE is_place(row.place_code) END
                  AND CASE WHEN row.any_day THEN true
                           WHEN row.organisation_code IS NULL AND owner.id IS NOT NULL THEN true -- by a post then
                           ELSE coalesce(served_since(cadre.id)
                                         <= (row.occurred_at AT TIME ZONE 'Asia/Shanghai')::date, true) END
                  AND ((SELECT reaches_everything()) -- the policy `entered` of contact, which would refuse all of it
                       OR EXISTS (SELECT 1
                                    FROM organisation_line AS line
                                   WHERE line.organisation_id = owner.id
                                     AND line.ancestor_code = ANY ((SELECT acting_organisations())::text[]))
                       OR (cadre.id = (SELECT acting_cadre_id()) AND may_enter_contact(owner.id, cadre.id)))
                ORDER BY row.source_number, CASE WHEN row.source_number IS NULL THEN row.id END, row.ordinality),
    """
_MADE: Final = (
    _ITEMS
    + b"""
               made AS (
               INSERT INTO contact (id, source, source_number, cadre_id, organisation_id, kind, occurred_at,
                                    recorded_at, duration_minutes, population_group, people_count, people_by_group,
                                    companion_ids, first_on, last_on, place_code, note_sealed, late_reason_sealed,
                                    citizen_ref, flags, content_hash, owner_organisation_id)
               SELECT id, source, source_number, cadre_id, organisation_id, kind, occurred_at, recorded_at,
                      duration_minutes, population_group, people_count, people_by_group, companion_ids, first_on,
                      last_on, place_code, note_sealed, late_reason_sealed, citizen_ref, flags, content_hash, owner_id
                 FROM item"""
)
_INSERT: Final = (
    _MADE
    + b"""
                   ON CONFLICT DO NOTHING
               RETURNING id, source, source_number, cadre_id, organisation_id, recorded_at, content_hash, citizen_ref,
                         companion_ids),
               told AS (
               INSERT INTO outbox (event_id, event_type, routing_key, aggregate, aggregate_id, sequence, recorded_at,
                                   correlation_id, payload)
               SELECT DISTINCT ON (made.id) -- of equal commands in one batch the first one made it
                      item.event_id, $2, $3, $4, made.id, 1, $5, item.correlation_id,
                      item.event || item.found
                 FROM made
                 JOIN item ON item.id = made.id AND item.content_hash = made.content_hash
                ORDER BY made.id, item.ordinality)
        SELECT id, source, source_number, cadre_id, organisation_id, recorded_at, content_hash, citizen_ref
          FROM made
    """
)
_ENTER: Final = (
    _MADE
    + b"""),
               told AS (
               INSERT INTO outbox (event_id, event_type, routing_key, aggregate, aggregate_id, sequence, recorded_at,
                                   correlation_id, payload)
               SELECT event_id, $2, $3, $4, id, 1, $5, correlation_id, event || found
                 FROM item)
        SELECT id
          FROM item
    """
)
