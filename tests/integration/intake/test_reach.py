"""Row-level security of intake: what a statement that forgot its filter still does not see, and what is not let in."""

from datetime import UTC, date, datetime

import psycopg
import pytest

from services.intake.domain.commands.base import IdempotencyKey
from services.intake.domain.commands.issue_steps import AssignIssue
from services.intake.domain.commands.registers import EndPost, RegisterOrganisation
from services.intake.handlers import contacts, posts, registers
from services.intake.handlers.issue_steps.batch import take_steps
from services.intake.storage.contacts import ContactNotFound
from shared.database import _beginning, open_pool, transaction
from shared.identifiers import new_id
from shared.reach import SYSTEM, Reach, acting
from tests.integration.intake.commands import a_contact, a_post
from tests.integration.intake.conftest import NOW

pytestmark = pytest.mark.integration

TABLES = (
    *("organisation", "organisation_line", "cadre", "post", "duty", "contact", "issue", "rating", "outbox"),
    *("idempotency_key", "import_run", "import_finding"),
)

SHARED_BY_ALL = ("organisation_line", "duty")  # who acts at all may see them: the shape of the tree, and rules


def within(*codes, **more):
    return Reach(kind="scoped", organisation_codes=codes, account_id=new_id(), **more)


def oneself(staff_number):
    return Reach(kind="scoped", staff_number=staff_number, actor_staff_number=staff_number, account_id=new_id())


EVERYWHERE = Reach(kind="everywhere", account_id=new_id())


@pytest.fixture
def see(pool, county):
    """The values of one column that a reach sees, in order, by a statement without any filter."""
    assert county

    def ask(reach, table, column):
        with transaction(pool, reach=reach) as connection:
            return sorted(str(row[0]) for row in connection.execute(f"SELECT {column} FROM {table}"))  # noqa: S608

    return ask


def test_a_reach_sees_its_organisations_those_below_and_the_way_up_to_them(see):
    assert see(within("town"), "organisation", "code") == ["county", "street", "town"]
    assert see(within("harbour", "street"), "organisation", "code") == ["county", "harbour", "street", "town"]
    assert see(oneself("S1"), "organisation", "code") == ["county", "street", "town"]
    assert see(EVERYWHERE, "organisation", "code") == ["county", "harbour", "street", "town"]


def test_a_reach_sees_the_cadres_and_records_of_its_organisations(see, county):
    first_contact, second_contact = (str(one.id) for one in county["contacts"])
    first_issue, second_issue = (str(one.id) for one in county["issues"])

    assert see(within("town"), "cadre", "staff_number") == ["S1"]
    assert see(within("town"), "contact", "id") == [first_contact]
    assert see(within("town"), "issue", "id") == [first_issue]
    assert len(see(within("town"), "rating", "id")) == 2
    assert see(within("harbour"), "contact", "id") == [second_contact]
    assert see(within("county"), "contact", "id") == sorted([first_contact, second_contact])
    assert see(EVERYWHERE, "issue", "id") == sorted([first_issue, second_issue])
    assert see(within("county"), "cadre", "staff_number") == ["S1", "S2"]
    assert see(EVERYWHERE, "cadre", "staff_number") == ["S1", "S2", "S3"]


def test_cadres_see_their_own_records_and_never_who_rated_them(see, county):
    assert see(oneself("S1"), "cadre", "staff_number") == ["S1"]
    assert see(oneself("S1"), "contact", "id") == [str(county["contacts"][0].id)]
    assert see(oneself("S1"), "issue", "id") == [str(county["issues"][0].id)]
    assert see(oneself("S1"), "rating", "id") == []
    assert see(oneself("S9"), "contact", "id") == []


@pytest.mark.parametrize("table", TABLES)
def test_a_forgotten_reach_sees_nothing_and_nowhere_is_nothing(new_database, table):
    pool = open_pool(new_database("intake").url, size=1, application="test")
    try:
        with transaction(pool, reach=SYSTEM) as connection:
            connection.execute(
                "INSERT INTO organisation (id, code, name, level, sequence, recorded_at) "
                "VALUES (gen_random_uuid(), 'o', 'o', '61', 1, now())"
            )
        nowhere = () if table in SHARED_BY_ALL else (within(), within("nowhere"), within(""))
        for reach in (None, *nowhere):
            with transaction(pool, reach=reach) as connection:
                assert connection.execute(f"SELECT * FROM {table}").fetchall() == []  # noqa: S608
    finally:
        pool.close()


def test_a_reach_is_gone_with_its_transaction(new_database):
    pool = open_pool(new_database("intake").url, size=1, application="test")
    names = "reach", "organisations", "staff_number", "actor_staff_number", "account"
    look = f"SELECT {', '.join(f'''coalesce(current_setting('lianxin.{name}', true), '')''' for name in names)}"
    try:
        with transaction(pool, reach=within("town", staff_number="S1", actor_staff_number="S1")) as connection:
            [during] = connection.execute(look).fetchall()
        with pytest.raises(RuntimeError), transaction(pool, reach=EVERYWHERE):
            raise RuntimeError
        with transaction(pool) as connection:
            [after] = connection.execute(look).fetchall()
    finally:
        pool.close()

    assert during[:4] == ("scoped", '{"town"}', "S1", "S1")
    assert after == ("",) * len(names)


@pytest.mark.parametrize("code", ['a"b', "a\\b", "a,b", "{a}", "a'b; DROP TABLE contact; --", "𠮷", "NULL"])
def test_a_code_of_any_letters_is_one_root_and_nothing_else(pool, code):
    with transaction(pool, reach=within(code, "town")) as connection:
        assert connection.execute("SELECT acting_organisations()").fetchone() == ([code, "town"],)


@pytest.mark.usefixtures("county")
def test_what_lies_out_of_reach_is_neither_changed_nor_removed(pool):
    with transaction(pool, reach=within("harbour")) as connection:
        changed = connection.execute("UPDATE issue SET title = 'x'").rowcount
        removed = connection.execute("DELETE FROM contact").rowcount

    assert (changed, removed) == (1, 0)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE issue SET owner_organisation_id = (SELECT id FROM organisation WHERE code = 'county')",
        "INSERT INTO organisation (id, code, name, level, sequence, recorded_at) "
        "VALUES (gen_random_uuid(), 'own', 'own', '61', 1, now())",
        "INSERT INTO cadre (id, staff_number, name, sequence, recorded_at) "
        "VALUES (gen_random_uuid(), 'S8', 'own', 1, now())",
        "INSERT INTO idempotency_key (caller, key, fingerprint, record_id, created_at) "
        "VALUES ('somebody', 'k', decode(repeat('00', 16), 'hex'), gen_random_uuid(), now())",
    ],
)
def test_nothing_is_put_out_of_reach(pool, county, statement):
    assert county
    with pytest.raises(psycopg.errors.InsufficientPrivilege), transaction(pool, reach=within("town")) as connection:
        connection.execute(statement)


def test_a_moved_organisation_takes_what_is_below_it_along(pool, see):
    move = RegisterOrganisation(
        id=new_id(), correlation_id="a-test", code="street", name="street", level="61", parent_code="harbour"
    )

    registers.register_organisations(pool, [move], now=NOW)

    assert see(within("town"), "contact", "id") == []
    assert len(see(within("harbour"), "contact", "id")) == 2


def test_a_record_stays_where_it_was_made_when_the_post_ends(pool, county, see):
    ended = EndPost(id=county["posts"][0].id, correlation_id="a-test", until_on=date(2026, 3, 1))
    posts.end_posts(pool, [ended], now=NOW)
    moved = a_post(organisation_code="harbour", from_on=date(2026, 3, 2))
    posts.record_posts(pool, [moved], now=NOW)

    [outcome] = contacts.record_contacts(pool, [a_contact(occurred_at=datetime(2026, 3, 2, 1, 0, tzinfo=UTC))], now=NOW)

    assert see(within("town"), "contact", "id") == [str(county["contacts"][0].id)]
    assert see(within("harbour"), "contact", "id") == sorted([str(county["contacts"][1].id), str(outcome.id)])


def test_a_record_of_nowhere_is_for_those_who_reach_everything(pool, see):
    contact = a_contact(staff_number="S3")
    contacts.record_contacts(pool, [contact], now=NOW)

    assert str(contact.id) in see(EVERYWHERE, "contact", "id")
    assert str(contact.id) not in see(within("county"), "contact", "id")
    assert see(oneself("S3"), "contact", "id") == [str(contact.id)]


def test_callers_of_different_reach_share_a_commit_and_nothing_else(pool, county, ask):
    town, harbour, first = within("town"), within("harbour"), oneself("S1")
    commands = [
        a_contact(staff_number="S1", reach=town),
        a_contact(staff_number="S1", reach=harbour),
        a_contact(staff_number="S2", reach=harbour),
        a_contact(staff_number="S2", reach=first),
        a_contact(staff_number="S1", reach=first),
        a_contact(staff_number="S2", organisation_code="harbour", reach=town),
        a_contact(staff_number="S1", organisation_code="harbour", reach=town),
        a_contact(staff_number="S1", organisation_code="county", reach=town),
        a_contact(id=county["contacts"][1].id, staff_number="S1", reach=town),
        a_contact(staff_number="S3"),
    ]

    outcomes = contacts.record_contacts(pool, commands, now=NOW)

    assert [(outcome.status, outcome.code) for outcome in outcomes] == [
        ("created", ""),
        ("rejected", "unknown-cadre"),
        ("created", ""),
        ("rejected", "unknown-cadre"),
        ("created", ""),
        ("rejected", "unknown-cadre"),
        ("rejected", "unknown-organisation"),
        ("rejected", "out-of-reach"),
        ("conflict", "id-taken"),
        ("created", ""),
    ]
    written = {row[0] for row in ask("SELECT xmin::text FROM contact WHERE id = ANY(%s)", [one.id for one in commands])}
    assert len(written) == 2  # the contact that stood, and one transaction for all others


def test_a_step_on_an_issue_out_of_reach_is_a_step_on_none(pool, county):
    near, far = county["issues"]
    commands = [
        AssignIssue(id=near.id, correlation_id="a-test", organisation_code="town", reach=within("town")),
        AssignIssue(id=far.id, correlation_id="a-test", organisation_code="town", reach=within("town")),
        AssignIssue(id=new_id(), correlation_id="a-test", organisation_code="town", reach=within("town")),
        AssignIssue(id=near.id, correlation_id="a-test", organisation_code="harbour", reach=within("town")),
        AssignIssue(id=near.id, correlation_id="a-test", organisation_code="county", reach=within("town")),
    ]

    mine, strange, absent, away, up = take_steps(pool, commands, now=NOW)

    assert mine.status == "changed"
    assert strange == absent
    assert {(one.status, one.code) for one in (away, up)} == {("rejected", "unknown-organisation")}


def test_an_assigned_issue_goes_over_to_who_leads_it_now(pool, county, see):
    far = county["issues"][1]
    command = AssignIssue(id=far.id, correlation_id="a-test", organisation_code="street", reach=within("county"))

    [outcome] = take_steps(pool, [command], now=NOW)

    assert outcome.status == "changed"
    assert str(far.id) in see(within("street"), "issue", "id")
    assert str(far.id) not in see(within("harbour"), "issue", "id")


def test_a_key_belongs_to_one_caller_also_within_one_batch(pool, county):
    assert county
    callers = within("town"), within("town")
    commands = [
        a_contact(reach=reach, key=IdempotencyKey(caller=str(reach.account_id), key="the same", fingerprint=b"0" * 16))
        for reach in callers
    ]

    outcomes = contacts.record_contacts(pool, commands, now=NOW)

    assert [outcome.status for outcome in outcomes] == ["created", "created"]
    assert outcomes[0].id != outcomes[1].id


def test_reading_one_contact_takes_the_reach_of_the_request(pool, county):
    near, far = county["contacts"]

    with acting(within("town")):
        assert contacts.get_contact(pool, near.id).staff_number == "S1"
        with pytest.raises(ContactNotFound):
            contacts.get_contact(pool, far.id)


@pytest.mark.parametrize("reach", [None, EVERYWHERE, within("town"), oneself("S1")])
def test_finding_one_record_by_its_id_stays_one_probe_of_its_index(pool, reach):
    with transaction(pool, reach=reach) as connection:
        connection.execute("SET LOCAL enable_seqscan = off")
        rows = connection.execute(f"EXPLAIN SELECT id FROM issue WHERE id = '{new_id()}'").fetchall()  # noqa: S608
    plan = "\n".join(str(row[0]) for row in rows)

    assert "issue_pkey" in plan
    assert "InitPlan" in plan  # the reach is asked once a statement and not once a row


def test_who_acts_for_nobody_begins_as_ever(pool):
    assert _beginning(None) == b"BEGIN"
    with transaction(pool) as connection:
        assert connection.execute("SELECT acting_reach()").fetchone() == ("system",)
