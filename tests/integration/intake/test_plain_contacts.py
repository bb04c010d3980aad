"""Contacts of a file entered column by column: what they leave behind, what is left out, and under whose reach."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from services.intake.domain.commands.contacts import RecordContact
from services.intake.handlers import imports
from services.intake.handlers.contacts import get_contact, record_contacts
from services.intake.handlers.import_runs import ImportSettings
from services.intake.handlers.plain_contacts import prepare_plain, record_plain
from services.intake.importing.plain import PlainRows
from services.intake.storage import columns
from shared.contracts.intake.contacts import ContactRecorded
from shared.database import Pool, joined, transaction
from shared.identifiers import new_id
from shared.reach import Reach, acting
from tests.integration.intake.commands import a_contact
from tests.integration.intake.conftest import NOW

pytestmark = pytest.mark.integration
FIELDS = (
    "source_number",
    "staff_number",
    "organisation_code",
    "kind",
    "occurred_at",
    "recorded_at",
    "duration_minutes",
    "population_group",
    "people_count",
    "place_code",
    "note",
)
CONTACT = """
    SELECT to_jsonb(contact) - ARRAY['id', 'source', 'note_sealed'], contact.note_sealed IS NULL
      FROM contact
     WHERE source = %s
     ORDER BY source_number
"""
EVENT = """
    SELECT to_jsonb(outbox) - ARRAY['id', 'event_id', 'aggregate_id', 'payload', 'written_by'],
           payload - 'contact_id', payload ->> 'contact_id' = contact.id::text
      FROM outbox
      JOIN contact ON contact.id = outbox.aggregate_id
     WHERE contact.source = %s
     ORDER BY contact.source_number
"""
Ask = Callable[..., list[tuple[Any, ...]]]


def told(number: str, **changes: Any) -> RecordContact:
    return a_contact(source="file", source_number=number, organisation_code="street", **changes)


def plain(*commands: RecordContact) -> PlainRows:
    values = {name: [getattr(command, name) for command in commands] for name in FIELDS}
    return PlainRows("file", "a-test", list(range(2, len(commands) + 2)), values)


def enter(pool: Pool, *commands: RecordContact) -> tuple[int, dict[int, str]]:
    made, outcomes = record_plain(pool, prepare_plain(plain(*commands), now=NOW), now=NOW)
    return made, {line: outcome.code or outcome.status for line, outcome in outcomes.items()}


def test_they_leave_what_contacts_leave_that_are_entered_one_by_one(county, pool, ask: Ask):
    assert county
    contacts = [
        told("1"),
        told("2", note="走访低保户 'x' \\ \"y\"", duration_minutes=45, population_group="farmers", people_count=3),
        told("3", recorded_at=NOW - timedelta(hours=1), place_code="一村\t\\"),
        replace(told("4"), organisation_code=None),
        replace(told("5", staff_number="S2", kind="online"), organisation_code=None),
        replace(told("6", occurred_at=datetime(1999, 12, 31, 16, 0, 0, 1, tzinfo=UTC)), organisation_code=None),
        replace(told("7", staff_number="S3"), organisation_code=None),
    ]
    others = [replace(contact, id=new_id(), source="one-by-one") for contact in contacts]

    made = enter(pool, *contacts)
    record_contacts(pool, others, now=NOW, allow_odd=True)

    assert made == (len(contacts), {})
    assert ask(CONTACT, "file") == ask(CONTACT, "one-by-one")
    assert ask(EVENT, "file") == ask(EVENT, "one-by-one")
    payloads = ask("SELECT payload FROM outbox JOIN contact ON aggregate_id = contact.id WHERE source = 'file'")
    assert all(ContactRecorded.model_validate(payload) for (payload,) in payloads)


def test_their_notes_can_be_read_by_whoever_may(county, pool, ask: Ask):
    assert county
    enter(pool, told("1", note="走访低保户"), told("2"))

    ids = [row[0] for row in ask("SELECT id FROM contact WHERE source = 'file' ORDER BY source_number")]

    assert [get_contact(pool, contact_id).note for contact_id in ids] == ["走访低保户", None]


def test_what_names_something_unknown_is_refused_and_the_rest_goes_in(county, pool):
    assert county

    made, refused = enter(
        pool, told("1"), told("2", staff_number="S9"), replace(told("3"), organisation_code="nowhere"), told("4")
    )

    assert (made, refused) == (2, {3: "unknown-cadre", 4: "unknown-organisation"})


def test_a_repeat_changes_nothing_and_other_content_is_a_conflict(county, pool, ask: Ask):
    assert county
    enter(pool, told("1"), told("2"))

    again = enter(pool, told("1"), told("2", duration_minutes=5), told("3"))

    assert again == (1, {2: "unchanged", 3: "other-content"})
    assert ask("SELECT count(*) FROM contact WHERE source = 'file'") == [(3,)]
    assert ask("SELECT count(*) FROM outbox JOIN contact ON aggregate_id = contact.id WHERE source = 'file'") == [(3,)]


def test_they_go_only_where_the_sender_reaches(county, pool, ask: Ask):
    assert county
    enter(pool, replace(told("1", staff_number="S2"), organisation_code="harbour"))
    reach = Reach(kind="scoped", organisation_codes=("street",), account_id=new_id(), actor="clerk")
    above = replace(told("4"), organisation_code="town")
    beside = replace(told("5"), organisation_code="harbour")

    with transaction(pool, reach=reach) as connection, acting(reach):
        made = enter(joined(connection), told("3"), above, beside)
        seen_by_others = enter(joined(connection), told("6"), told("1"))

    assert made == (1, {3: "out-of-reach", 4: "unknown-organisation"})
    assert seen_by_others == (0, {2: "created", 3: "number-taken"})
    assert ask("SELECT source_number, recorded_by FROM contact WHERE recorded_by IS NOT NULL ORDER BY 1") == [
        ("3", reach.account_id),
        ("6", reach.account_id),
    ]


@pytest.mark.parametrize(("organisation", "owner"), [("nowhere", "nowhere"), ("town", "street"), ("town", "")])
def test_a_contact_names_no_organisation_that_is_not_there_or_that_it_does_not_belong_to(
    county, ask: Ask, organisation: str, owner: str
):
    assert county
    known = dict(ask("SELECT code, id FROM organisation")) | {"nowhere": new_id()}
    copied = """
        INSERT INTO contact (id, source, cadre_id, kind, occurred_at, recorded_at, flags, content_hash,
                             organisation_id, owner_organisation_id)
        SELECT gen_random_uuid(), 'copied', cadre_id, kind, occurred_at, recorded_at, flags, content_hash, %s, %s
          FROM contact
         LIMIT 1
        RETURNING id
        """

    with pytest.raises(psycopg.IntegrityError):
        ask(copied, known[organisation], known.get(owner))

    assert len(ask(copied, known["town"], known["town"])) == 1


READ = "SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bytea[], $5::integer[], $6::timestamptz[])"


def test_columns_are_read_as_they_were_written(pool):
    digits = [new_id().hex for _ in range(3)]
    times = [
        datetime(1900, 1, 1, tzinfo=UTC),
        datetime(2026, 3, 1, 1, 2, 3, 4, tzinfo=UTC),
        datetime(2200, 1, 1, tzinfo=UTC),
    ]
    with transaction(pool) as connection:
        given = [
            columns.uuids(digits),
            columns.texts(["群众", None, ""]),
            columns.recurring_texts(["a", "a", None]),
            columns.byte_strings([b"", b"\0\xff", None]),
            columns.integers([-1, None, 2_000_000_000]),
            columns.instants(times),
        ]
        rows = columns.cursor(connection).execute(READ, given).fetchall()

    assert [str(row[0]).replace("-", "") for row in rows] == digits
    assert [row[1:] for row in rows] == [
        ("群众", "a", b"", -1, times[0]),
        (None, "a", b"\0\xff", None, times[1]),
        ("", None, None, 2_000_000_000, times[2]),
    ]


def test_a_file_of_contacts_is_counted_row_by_row(county, pool, ask: Ask, tmp_path: Path):
    """Plain rows, odd ones, refused ones and repeats, in one file and then once more."""
    assert county
    row = "{},{},street,visit,{},,45,farmers,3,,走访"
    rows = [row.format(number, "S1", "2026-03-01T09:00:00+08:00") for number in range(1, 6)]
    rows += [
        row.format(6, "S1", "2199-01-01T09:00:00+08:00"),
        row.format(7, "S9", "2026-03-01T09:00:00+08:00"),
        row.format(1, "S2", "2026-03-01T09:00:00+08:00"),
        row.format(8, "S1", "yesterday"),
    ]
    file = tmp_path / "contacts.csv"
    file.write_text("\n".join([",".join(FIELDS), *rows]), "utf-8")
    settings = ImportSettings(directory=tmp_path, most_bytes=1 << 20)

    def bring() -> tuple[int, int, int, int, dict[str, int]]:
        run = imports.import_for_command(pool, file, "lianxin-contacts", settings, dry_run=False, report=lambda _: None)
        assert run.rows_read == len(rows)
        return run.created_count, run.unchanged_count, run.refused_count, run.flagged_count, run.tallies

    remarks = {"flag:named-twice": 1, "error:bad-time": 1, "error:unknown-cadre": 1, "flag:occurred-in-future": 1}
    assert bring() == (6, 1, 2, 2, remarks)
    assert bring()[:3] == (0, 7, 2)
    assert ask("SELECT count(*) FROM contact WHERE source = 'lianxin-files'") == [(6,)]
