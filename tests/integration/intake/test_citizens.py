"""Citizens behind the records: sealed, found again, never merged by a shared phone, masked for readers."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import orjson
import pytest

from services.intake import metrics, sealing
from services.intake.domain.citizens import Citizen, describe_citizen
from services.intake.domain.commands.issue_steps import CloseIssue
from services.intake.handlers import contacts, issues, ratings
from services.intake.handlers.issue_steps.batch import take_steps
from services.intake.sealing import Vault
from shared.ciphers import Undecipherable
from shared.crypto import KeyRing
from shared.database import Pool
from shared.identifiers import new_id
from shared.reach import Reach
from tests.fakes import one_of_each_role
from tests.integration.intake.commands import a_contact, a_rating, an_issue, lately
from tests.integration.intake.conftest import NOW
from tests.integration.intake.door import Door

pytestmark = pytest.mark.integration

PHONE, OTHER_PHONE = "13812345678", "13987654321"
FATHER, SON = "11010519491231002X", "110105198001010012"
CANARIES = ("金丝雀", PHONE, FATHER, "幸福路", "井盖", "走访")


def a_citizen(**changes: str) -> Citizen:
    return describe_citizen(**{"name": "金丝雀", "phone": PHONE, **changes}, today=date(2026, 3, 2))  # type: ignore[arg-type]


def check(number: str) -> str:
    from services.intake.domain.citizens import check_digit

    return number[:17] + check_digit(number[:17])


@pytest.fixture
def ref_of(ask):
    def find(record_id, table="issue"):
        return ask(f"SELECT citizen_ref FROM {table} WHERE id = %s", record_id)[0][0]  # noqa: S608 - a name of ours

    return find


def receive(pool: Pool, *citizens: Citizen | None, **changes: object) -> list[UUID]:
    commands = [an_issue(citizen=citizen, **changes) for citizen in citizens]
    outcomes = issues.receive_issues(pool, commands, now=NOW)

    assert [outcome.status for outcome in outcomes] == ["created"] * len(commands)
    return [command.id for command in commands]


def test_nothing_that_a_citizen_says_or_is_lies_in_clear(registered, ask):
    citizen = a_citizen(id_number=FATHER, address="幸福路1号")
    issue, contact = (
        an_issue(title="井盖坏了", description="井盖", citizen=citizen),
        a_contact(note="走访", citizen=citizen),
    )
    issues.receive_issues(registered, [issue], now=NOW)
    contacts.record_contacts(registered, [contact], now=NOW)
    take_steps(registered, [CloseIssue(id=issue.id, correlation_id="t", outcome="resolved", reply="井盖已换")], now=NOW)
    ratings.submit_ratings(registered, [a_rating(issue_id=issue.id)], now=NOW)

    tables = [
        row[0]
        for row in ask(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            " AND has_table_privilege(oid, 'SELECT')"
        )
    ]
    everything = [str(row) for table in tables for row in ask(f"SELECT t::text FROM {table} AS t")]  # noqa: S608

    assert len(everything) > 10
    for canary in CANARIES:
        hidden = {canary, canary.encode().hex(), *orjson.dumps(canary).decode().strip('"').split()}
        assert not [row for row in everything if any(text in row for text in hidden)]
    assert issues.get_issue(registered, issue.id).reply == "井盖已换"
    assert contacts.get_contact(registered, contact.id).note == "走访"


def test_readers_see_masks_only(registered, tmp_path):
    door = Door(registered, one_of_each_role().principals, tmp_path)
    body = {"type": "help", "category": "roads", "channel": "phone", "title": "路灯不亮", "id": str(new_id())}
    citizen = {"name": "金丝雀", "phone": "+86 138-1234-5678", "id_number": FATHER, "address": "幸福路1号"}
    contact = {"staff_number": "S1", "kind": "visit", "occurred_at": lately(), "id": str(new_id())}

    assert door.post("clerk", "/v1/issues", {**body, "citizen": citizen}).status_code == 201
    assert door.post("clerk", "/v1/contacts", {**contact, "citizen": {"name": "Zoe Li"}}).status_code == 201

    for who in ("clerk", "department_officer", "approver", "machine_client"):
        answer = door.get(who, f"/v1/issues/{body['id']}")
        assert answer.json()["citizen"] == {"name": "金**", "phone": "138****5678"}
        assert not any(text in answer.text for text in ("金丝雀", PHONE, FATHER, "幸福路"))
    assert door.get("clerk", f"/v1/contacts/{contact['id']}").json()["citizen"] == {"name": "Z**", "phone": None}


@pytest.mark.parametrize(
    "citizen",
    [
        {"phone": "13812345678x9"},
        {"name": "张三", "id_number": "110105194912310021"},
        {"name": "张三", "id_number": FATHER, "id_kind": "residence_permit"},
        {"name": "张三", "id_number": "E12345678", "id_kind": "shopping_card"},
        {"name": "张三\x00"},
        {"name": "张\ud800三"},
        {"name": "张三\u202e"},
        {"name": "张三", "state": "active"},
        {"name": "张三", "ref": str(new_id())},
        {"name": 7},
        {"address": "幸福路1号"},
        {},
    ],
)
def test_a_wrong_citizen_is_refused_without_being_repeated(registered, tmp_path, ask, citizen):
    door = Door(registered, one_of_each_role().principals, tmp_path)
    body = {"type": "help", "category": "roads", "channel": "phone", "title": "路灯不亮", "citizen": citizen}

    answer = door.post("clerk", "/v1/issues", body)

    assert answer.status_code in {400, 422}
    assert not any(isinstance(value, str) and value in answer.text for value in citizen.values() if value != "active")
    assert ask("SELECT (SELECT count(*) FROM issue), (SELECT count(*) FROM citizen)") == [(0, 0)]


def test_the_same_citizen_is_found_again_however_the_phone_is_written(registered, ref_of):
    first, again, contact = a_citizen(), a_citizen(phone="１３８-１２３４-５６７８"), a_contact(citizen=a_citizen())
    one, two = receive(registered, first)[0], receive(registered, again)[0]
    contacts.record_contacts(registered, [contact], now=NOW)

    assert ref_of(one) == ref_of(two) == ref_of(contact.id, "contact") != None  # noqa: E711


def test_a_shared_phone_does_not_merge_citizens(registered, ref_of, ask):
    father, son, neighbour = a_citizen(name="张大"), a_citizen(name="张小"), a_citizen(name="李四")
    family = receive(registered, father, son, neighbour)
    again = receive(registered, son)

    assert len({ref_of(issue) for issue in family}) == 3
    assert ref_of(again[0]) == ref_of(family[1])
    assert ask("SELECT count(*) FROM citizen_handle WHERE kind = 'phone'") == [(3,)]


def test_the_document_decides_before_phone_and_name(registered, ref_of):
    senior, junior = a_citizen(id_number=FATHER), a_citizen(id_number=check(SON))
    first, second = receive(registered, senior, junior)
    moved = receive(registered, a_citizen(id_number=FATHER, phone=OTHER_PHONE, name="改名"))[0]
    by_new_phone = receive(registered, a_citizen(phone=OTHER_PHONE, name="改名"))[0]
    ambiguous = receive(registered, a_citizen())[0]
    ambiguous_again = receive(registered, a_citizen())[0]

    assert ref_of(first) != ref_of(second)
    assert ref_of(moved) == ref_of(first) != ref_of(by_new_phone)  # a document alone adds no way to be found by
    assert ref_of(ambiguous) not in {ref_of(first), ref_of(second)}
    assert ref_of(ambiguous_again) == ref_of(ambiguous)


def test_a_document_told_later_joins_whom_phone_and_name_know(registered, ref_of):
    first = receive(registered, a_citizen())[0]
    with_document = receive(registered, a_citizen(id_number="110105491231002"))[0]
    without_phone = receive(registered, describe_citizen(id_number=FATHER, today=date(2026, 3, 2)))[0]

    assert ref_of(first) == ref_of(with_document) == ref_of(without_phone)


def test_a_cadre_does_not_tell_anew_who_somebody_is(registered, ask):
    def known():
        return ask("SELECT ref, name, phone, id_number, address FROM citizen"), ask("SELECT digest FROM citizen_handle")

    receive(registered, a_citizen(id_number=FATHER))
    before = known()
    own = Reach(kind="scoped", staff_number="S1", actor_staff_number="S1", account_id=new_id())
    other = a_citizen(name="骗子", phone=OTHER_PHONE, id_number=FATHER)
    [met] = contacts.record_contacts(registered, [a_contact(citizen=other, reach=own)], now=NOW)

    assert met.status == "created"
    assert known() == before
    receive(registered, other)  # nor does anybody who has the document alone
    assert known() == before
    receive(registered, a_citizen(id_number=FATHER, address="新址"))
    assert known() != before


def test_one_batch_with_many_of_one_citizen_enters_one(registered, ask):
    receive(registered, *[a_citizen() for _ in range(50)], None, a_citizen(name="另一个"))

    assert ask("SELECT count(*) FROM citizen") == [(2,)]
    assert ask("SELECT count(*) FROM citizen_key") == [(2,)]


def test_refused_records_leave_no_citizen_behind(registered, ask):
    command = an_issue(citizen=a_citizen(), organisation_code="nowhere")

    assert issues.receive_issues(registered, [command], now=NOW)[0].status == "rejected"
    assert ask("SELECT (SELECT count(*) FROM citizen), (SELECT count(*) FROM citizen_handle)") == [(0, 0)]


def test_a_repeat_changes_nothing_and_another_citizen_contradicts(registered, ask):
    command = an_issue(citizen=a_citizen())
    issues.receive_issues(registered, [command], now=NOW)

    repeat = issues.receive_issues(registered, [command], now=NOW)
    other = issues.receive_issues(registered, [an_issue(id=command.id, citizen=a_citizen(name="另一个"))], now=NOW)

    assert [repeat[0].status, other[0].status] == ["unchanged", "conflict"]
    assert ask("SELECT count(*) FROM citizen") == [(1,)]


def test_events_name_citizens_and_raters_by_pseudonym_and_nothing_else(registered, ask, ref_of):
    issue = receive(registered, a_citizen(id_number=FATHER))[0]
    ratings.submit_ratings(registered, [a_rating(issue_id=issue)], now=NOW)

    payloads = ask("SELECT event_type, payload FROM outbox WHERE aggregate IN ('issue', 'rating') ORDER BY id")

    assert payloads[0][1]["citizen_ref"] == payloads[1][1]["rater_ref"] == str(ref_of(issue))
    assert not any(canary in str(payloads) for canary in CANARIES)


def test_ciphertexts_of_two_citizens_cannot_be_swapped(registered, ask):
    one, two = receive(registered, a_citizen(), a_citizen(name="李四", phone=OTHER_PHONE))
    before = metrics.undecipherable_total._value.get()

    ask(
        "UPDATE citizen SET name = other.name, phone = other.phone FROM citizen AS other"
        " WHERE citizen.ref <> other.ref RETURNING citizen.ref"
    )
    with pytest.raises(Undecipherable):
        issues.get_issue(registered, one)

    ask("UPDATE issue SET title_sealed = o.title_sealed FROM issue AS o WHERE issue.id <> o.id RETURNING issue.id")
    with pytest.raises(Undecipherable):
        issues.get_issue(registered, two)
    assert metrics.undecipherable_total._value.get() == before + 2


def test_digests_of_content_cannot_be_recomputed_without_the_key(registered, ask):
    from services.intake.domain.issues.receiving import digest_content, digest_progress

    command = an_issue(title="短")
    issues.receive_issues(registered, [command], now=NOW)

    stored = ask("SELECT content_hash, progress_hash FROM issue")[0]

    assert stored == tuple(sealing.vault().keyed(digest(command)) for digest in (digest_content, digest_progress))
    assert digest_content(command) not in stored


def test_records_of_both_ciphers_are_read_while_either_writes(registered, keys_folder, ask):
    rings = {cipher: Vault(KeyRing(keys_folder / "intake", cipher=cipher)) for cipher in ("aes256gcm", "sm4gcm")}
    written: list[UUID] = []
    repeated = an_issue(citizen=a_citizen(name="重复"))
    try:
        for vault in rings.values():
            sealing.use(vault)
            written += receive(registered, *[a_citizen() for _ in range(500)], None, title="井盖坏了")
            assert issues.receive_issues(registered, [repeated], now=NOW)[0].status in {"created", "unchanged"}
        for vault in rings.values():
            sealing.use(vault)
            assert {issues.get_issue(registered, issue).title for issue in written} == {"井盖坏了"}
    finally:
        sealing.use(rings["aes256gcm"])

    assert ask("SELECT count(DISTINCT citizen_ref) FROM issue") == [(2,)]
    assert {row[0] for row in ask("SELECT get_byte(title_sealed, 1) FROM issue")} == {1, 2}


def test_what_older_releases_wrote_in_clear_is_sealed_and_still_known(registered, ask):
    from services.intake.domain.contacts import digest_contact
    from services.intake.domain.issues.receiving import digest_content, digest_progress
    from services.intake.handlers.backlog import seal_backlog

    issue, contact = an_issue(description="很长的说明"), a_contact()
    issues.receive_issues(registered, [issue], now=NOW)
    contacts.record_contacts(registered, [contact], now=NOW)
    ask(
        "UPDATE issue SET title = %s, description = %s, title_sealed = NULL, description_sealed = NULL,"
        " content_hash = %s, progress_hash = %s RETURNING id",
        issue.title,
        issue.description,
        digest_content(issue),
        digest_progress(issue),
    )
    ask("UPDATE contact SET content_hash = %s, is_keyed = false RETURNING id", digest_contact(contact))

    assert seal_backlog(registered) == 2
    assert seal_backlog(registered) == 0

    assert ask("SELECT title, description FROM issue") == [(None, None)]
    assert issues.get_issue(registered, issue.id).description == "很长的说明"
    assert issues.receive_issues(registered, [issue], now=NOW)[0].status == "unchanged"
    assert contacts.record_contacts(registered, [contact], now=NOW)[0].status == "unchanged"


def test_two_batches_that_bring_the_same_new_citizen_enter_one(registered, ask):
    from concurrent.futures import ThreadPoolExecutor

    def bring(_: int) -> str:
        return issues.receive_issues(
            registered, [an_issue(citizen=a_citizen()), an_issue(citizen=a_citizen(name="李四"))], now=NOW
        )[0].status

    with ThreadPoolExecutor(6) as threads:
        assert list(threads.map(bring, range(24))) == ["created"] * 24
    assert ask("SELECT count(*) FROM citizen") == [(2,)]


def test_the_month_decides_which_key_a_text_lies_under(registered, ask):
    receive(registered, None)

    header = ask("SELECT substring(title_sealed FOR 6) FROM issue")[0][0]

    assert int.from_bytes(header[2:], "big") == sealing.month_of(datetime.now(UTC) + timedelta())
