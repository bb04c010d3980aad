"""Contacts entered in one round trip: what one statement takes, what it leaves, and that it is a whole transaction."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest

from services.intake.domain.citizens import Citizen
from services.intake.domain.commands.base import IdempotencyKey, Outcome
from services.intake.domain.commands.contacts import RecordContact
from services.intake.handlers import entering
from services.intake.handlers.contacts import record_contacts
from shared.at_once import AtOnce
from shared.contracts.intake.contacts import ContactRecorded
from shared.database import Pool, open_pool
from shared.outbox import IdTaken
from shared.reach import SYSTEM, Reach
from tests.integration.intake.commands import a_contact
from tests.integration.intake.conftest import NOW
from tests.stock import Database

pytestmark = pytest.mark.integration
REFUSE_AT_COMMIT = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'at the commit'; END $$;
    CREATE CONSTRAINT TRIGGER refused AFTER INSERT ON contact
           DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse();
"""


@pytest.fixture
def database(new_database: Callable[[str], Database]) -> Database:
    return new_database("intake")


@pytest.fixture
def pool(database: Database) -> Iterator[Pool]:
    opened = open_pool(database.url, size=4, application="test", statement_timeout_seconds=30, system=True)
    yield opened
    opened.close()


def enter_contacts(pool: Pool, commands: Sequence[RecordContact]) -> list[Outcome | None]:
    """As the door does on its event loop; who has no reach of their own may do anything."""
    sent = [command if command.reach is not None else replace(command, reach=SYSTEM) for command in commands]

    async def enter() -> list[Outcome | None]:
        at_once = AtOnce(pool, most=1)
        try:
            return await entering.enter_contacts(at_once, sent, now=NOW)
        finally:
            at_once.close()

    return asyncio.run(enter())


def test_what_is_nothing_but_new_is_entered_with_its_event(county, pool, ask):
    assert county
    contact = a_contact(
        organisation_code="street",
        companions=("S2", "S3"),
        people_by_group={"farmers": 3, "elderly": 2},
        duration_minutes=45,
        place_code="street",
        note="走访低保户",
    )
    plain = a_contact(correlation_id="another")

    outcomes = enter_contacts(pool, [contact, plain])

    assert [outcome and (outcome.status, outcome.id) for outcome in outcomes] == [
        ("created", contact.id),
        ("created", plain.id),
    ]
    [(stored,)] = ask("SELECT to_jsonb(contact) FROM contact WHERE id = %s", contact.id)
    [(envelope, payload)] = ask(
        """
        SELECT ARRAY[event_type, routing_key, aggregate, sequence::text, correlation_id], payload
          FROM outbox
         WHERE aggregate_id = %s
        """,
        contact.id,
    )
    assert envelope == [ContactRecorded.type, ContactRecorded.key, "contact", "1", contact.correlation_id]
    event = ContactRecorded.model_validate(payload)
    assert (str(event.cadre_id), str(event.organisation_id)) == (stored["cadre_id"], stored["organisation_id"])
    assert [str(one) for one in event.companion_ids or ()] == stored["companion_ids"]
    assert len(stored["companion_ids"]) == 2
    assert (event.contact_id, event.people_by_group, event.place_code) == (
        contact.id,
        {"farmers": 3, "elderly": 2},
        "street",
    )
    assert event.recorded_at == NOW
    [(bare,)] = ask("SELECT payload FROM outbox WHERE aggregate_id = %s", plain.id)
    assert bare.keys() == {"contact_id", "cadre_id", "kind", "occurred_at", "recorded_at"}


def test_what_is_not_simple_is_left_and_nothing_of_it_written(registered, ask):
    key = IdempotencyKey(caller="clerk", key="k-1", fingerprint=b"a" * 16)
    twice = a_contact()
    left = [
        a_contact(staff_number="nobody"),
        a_contact(organisation_code="nowhere"),
        a_contact(companions=("nobody",)),
        a_contact(key=key),
        a_contact(citizen=Citizen(name="张秀兰", phone="15499990001")),
    ]

    outcomes = enter_contacts(registered, [*left, a_contact(occurred_at=NOW + timedelta(hours=1)), twice, twice])

    assert outcomes[: len(left)] == [None] * len(left)
    assert [outcome and (outcome.status, outcome.code) for outcome in outcomes[len(left) :]] == [
        ("rejected", "occurred-in-future"),
        ("created", ""),
        None,
    ]
    assert ask("SELECT id FROM contact") == [(twice.id,)]
    assert ask("SELECT count(*) FROM outbox WHERE aggregate = 'contact'") == [(1,)]
    assert ask("SELECT count(*) FROM idempotency_key") == [(0,)]
    assert ask("SELECT count(*) FROM citizen") == [(0,)]


@pytest.mark.parametrize("change", [{}, {"kind": "reception"}])
def test_of_contacts_one_of_which_stands_all_are_left(registered, ask, change):
    standing, fresh = a_contact(), a_contact()
    enter_contacts(registered, [standing])

    outcomes = enter_contacts(registered, [fresh, replace(standing, **change)])
    settled = record_contacts(registered, [fresh, replace(standing, **change)], now=NOW)

    assert outcomes == [None, None]
    assert [outcome.status for outcome in settled] == ["created", "conflict" if change else "unchanged"]
    assert ask("SELECT count(*) FROM outbox WHERE aggregate = 'contact'") == [(2,)]


def test_each_sender_enters_under_a_reach_of_their_own_in_one_transaction(county, pool, ask):
    assert county

    def within(code: str) -> Reach:
        return Reach(kind="scoped", organisation_codes=(code,), account_id=uuid4(), person_id=code, role="clerk")

    street, harbour = within("street"), within("harbour")
    commands = [
        a_contact(staff_number="S1", reach=street),
        a_contact(staff_number="S2", reach=street),
        a_contact(staff_number="S2", reach=harbour),
        a_contact(staff_number="S1", reach=harbour),
    ]

    outcomes = enter_contacts(pool, commands)

    assert [outcome and outcome.status for outcome in outcomes] == ["created", None, "created", None]
    rows = ask("SELECT id, recorded_by, xmin::text FROM contact WHERE id = ANY(%s)", [one.id for one in commands])
    assert {(row[0], row[1]) for row in rows} == {
        (commands[0].id, street.account_id),
        (commands[2].id, harbour.account_id),
    }
    assert len({row[2] for row in rows}) == 1
    with pool.connection() as connection:  # the last sender's reach ended with the transaction
        assert connection.execute("SELECT current_setting('lianxin.reach')").fetchone() == ("system",)
        assert connection.execute("SELECT current_setting('lianxin.account', true)").fetchone() in {("",), (None,)}


def test_what_fails_at_the_very_commit_is_not_answered_as_made(registered, database, ask):
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute(REFUSE_AT_COMMIT)
        try:
            with pytest.raises(psycopg.errors.RaiseException, match="at the commit"):
                enter_contacts(registered, [a_contact()])
        finally:
            owner.execute("DROP FUNCTION refuse() CASCADE")

    assert ask("SELECT count(*) FROM contact") == [(0,)]
    assert ask("SELECT count(*) FROM outbox WHERE aggregate = 'contact'") == [(0,)]
    [later] = enter_contacts(registered, [a_contact()])
    assert later is not None
    assert later.status == "created"


def test_an_id_that_another_thing_has_is_taken(registered, ask):
    [(taken,)] = ask("SELECT aggregate_id FROM outbox WHERE aggregate = 'cadre' LIMIT 1")

    assert enter_contacts(registered, [a_contact(id=taken), a_contact()]) == [None, None]
    with pytest.raises(IdTaken):
        record_contacts(registered, [a_contact(id=taken)], now=NOW)

    assert ask("SELECT count(*) FROM contact") == [(0,)]


def test_a_contact_before_the_first_post_is_left_to_be_refused(county, pool, ask):
    assert county
    early = a_contact(occurred_at=NOW.replace(year=2024), staff_number="S1")

    [left] = enter_contacts(pool, [early])
    [refused] = record_contacts(pool, [early], now=NOW)

    assert left is None
    assert refused.code == "before-first-post"
    assert ask("SELECT count(*) FROM contact WHERE id = %s", early.id) == [(0,)]
