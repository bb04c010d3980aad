"""Contacts of a file that nothing is odd about: prepared column by column, and entered by one statement.

Whatever that statement leaves out is settled as every other contact is. Docs/decisions/0114-entered-by-columns.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import repeat
from uuid import UUID

from services.intake import metrics
from services.intake.domain.commands.base import Outcome
from services.intake.domain.contacts import CHINA, list_plainly_timed
from services.intake.handlers.contacts import record_contacts
from services.intake.handlers.plain_texts import digest_rows, tell_instants, write_events
from services.intake.importing.plain import PlainRows
from services.intake.sealing import vault
from services.intake.storage import columns
from services.intake.storage import plain_contacts as storage
from shared.database import Pool, transaction
from shared.identifiers import new_digits


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainContacts:
    """Contacts that only have to be sent, with the rows that they come from and the ids that they get."""

    rows: PlainRows
    ids: list[str]
    whose: list[int]  # of each, its place among the belongings
    belongings: storage.Belongings
    columns: storage.ContactColumns


def split_plain(rows: PlainRows, *, now: datetime) -> tuple[PlainRows, PlainRows]:
    """Those whose times nothing speaks against, and the others."""
    timed = list_plainly_timed(rows.column("occurred_at"), rows.column("recorded_at"), now=now)
    if len(timed) == len(rows):
        return rows, rows.take(())
    return rows.take(timed), rows.take(sorted(set(range(len(rows))).difference(timed)))


def prepare_plain(rows: PlainRows, *, now: datetime) -> PlainContacts:
    """All that needs no database, of rows whose times nothing speaks against."""
    ids = new_digits(len(rows))
    instants = tell_instants(rows)
    whose, belongings = _find_belongings(rows)
    entered = storage.ContactColumns(
        source=rows.source,
        correlation_id=rows.correlation_id,
        ids=columns.uuids(ids),
        source_numbers=columns.texts(rows.column("source_number")),
        belongings=columns.integers(whose),
        kinds=columns.recurring_texts(rows.column("kind")),
        occurred_at=columns.instants(rows.column("occurred_at")),
        recorded_at=columns.instants([instant or now for instant in rows.column("recorded_at")]),
        durations=columns.integers(rows.column("duration_minutes")),
        population_groups=columns.recurring_texts(rows.column("population_group")),
        people_counts=columns.integers(rows.column("people_count")),
        place_codes=columns.recurring_texts(rows.column("place_code")),
        notes=columns.byte_strings(vault().seal_all("contact", "note", ids, rows.column("note"))),
        content_hashes=columns.byte_strings(vault().keyed_all(digest_rows(rows, instants))),
        event_ids=columns.uuids(new_digits(len(rows))),
        events=columns.texts(write_events(rows, ids, instants, now=now)),
    )
    return PlainContacts(rows=rows, ids=ids, whose=whose, belongings=belongings, columns=entered)


def record_plain(pool: Pool, contacts: PlainContacts, *, now: datetime) -> tuple[int, dict[int, Outcome]]:
    """Enter what is nothing but new; return how many that were, and by line what became of the others."""
    if not contacts.rows:
        return 0, {}
    try:
        with transaction(pool) as connection:
            found = storage.enter_plain_contacts(connection, contacts.belongings, contacts.columns, recorded_at=now)
    except storage.StandsAlready:
        return _record_beside_standing(pool, contacts, now=now)
    left = [place for place, belonging in enumerate(contacts.whose) if belonging not in found]
    made = len(contacts.rows) - len(left)
    metrics.count_outcomes("record_contacts", repeat("created", made))
    metrics.contacts_recorded_total.inc(made)
    return made, _settle(pool, contacts, left, now=now, are_tried=True)


def _record_beside_standing(pool: Pool, contacts: PlainContacts, *, now: datetime) -> tuple[int, dict[int, Outcome]]:
    """Settle those whose numbers stand, and enter the others; where none is seen to stand, settle all one by one."""
    rows = contacts.rows
    numbers = rows.column("source_number")
    with transaction(pool) as connection:
        standing = storage.list_standing_numbers(connection, rows.source, numbers)
    met = [place for place, number in enumerate(numbers) if number in standing]
    if not met:
        return 0, _settle(pool, contacts, range(len(rows)), now=now, are_tried=False)
    settled = _settle(pool, contacts, met, now=now, are_tried=True)
    others = rows.take([place for place, number in enumerate(numbers) if number not in standing])
    made, outcomes = record_plain(pool, prepare_plain(others, now=now), now=now)
    return made, settled | outcomes


def _settle(
    pool: Pool, contacts: PlainContacts, places: Sequence[int], *, now: datetime, are_tried: bool
) -> dict[int, Outcome]:
    commands = [contacts.rows.command(place, UUID(hex=contacts.ids[place])) for place in places]
    outcomes = record_contacts(pool, commands, now=now, allow_odd=True, are_tried=are_tried)
    return dict(zip((contacts.rows.lines[place] for place in places), outcomes, strict=True))


def _find_belongings(rows: PlainRows) -> tuple[list[int], storage.Belongings]:
    """By cadre and organisation; where the file names none, by the day that the cadre's post is looked up for."""
    known: dict[tuple[str, str | None, date | None], int] = {}
    instants: list[datetime] = []
    whose: list[int] = []
    told = zip(rows.column("staff_number"), rows.column("organisation_code"), rows.column("occurred_at"), strict=True)
    for staff_number, code, occurred_at in told:
        day = None if code is not None else occurred_at.astimezone(CHINA).date()
        place = known.setdefault((staff_number, code, day), len(known) + 1)
        if place > len(instants):
            instants.append(occurred_at)
        whose.append(place)
    return whose, storage.Belongings(
        staff_numbers=columns.texts([staff_number for staff_number, _, _ in known]),
        organisation_codes=columns.texts([code for _, code, _ in known]),
        instants=columns.instants(instants),
    )
