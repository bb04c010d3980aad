"""Showing who a citizen is: who may, when, how often, with whose consent, and what stays on record."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from services.intake.domain.citizens import describe_citizen
from services.intake.handlers import contacts, issues
from shared.database import transaction
from shared.identifiers import new_id
from tests.fakes import machine, person
from tests.integration.intake.commands import a_contact, an_issue
from tests.integration.intake.door import Door

pytestmark = pytest.mark.integration

PHONE, DOCUMENT = "13812345678", "11010519491231002X"
CALL = {"reason_code": "call_back", "reason": "回访核实"}


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def door(registered, tmp_path):
    fresh = now()
    return Door(
        registered,
        {
            "clerk": person("clerk", "town", name="clerk"),
            "other_clerk": person("clerk", "elsewhere", name="other_clerk"),
            "officer": person("department_officer", "county", name="officer", stepped_up_at=fresh),
            "officer_not_stepped_up": person("department_officer", "county", name="officer2"),
            "officer_second_account": replace(
                person("approver", "county", name="officer3", stepped_up_at=fresh), person_id="officer"
            ),
            "approver": person("approver", "county", name="approver", stepped_up_at=fresh),
            "approver_elsewhere": person("approver", "elsewhere", name="approver2", stepped_up_at=fresh),
            "cadre": person("cadre", "town", name="cadre", staff_number="S1"),
            "auditor": person("auditor", name="auditor"),
            "machine": machine(organisation_code="town"),
        },
        tmp_path,
    )


@pytest.fixture
def receive(registered):
    def run(name: str = "金丝雀", **changes):
        citizen = describe_citizen(
            name=name,
            phone=PHONE,
            id_number=DOCUMENT if name == "金丝雀" else None,
            address="幸福路1号",
            today=date(2026, 3, 2),
        )
        command = an_issue(**{"citizen": citizen, "organisation_code": "town", "staff_number": "S1", **changes})
        assert issues.receive_issues(registered, [command], now=now())[0].status == "created"
        return command.id

    return run


def test_a_clerk_sees_the_citizen_of_an_open_case_and_it_is_on_record(door, receive, ask):
    issue = receive()

    shown = door.post("clerk", f"/v1/issues/{issue}/citizen/reveal", CALL)

    assert shown.status_code == 200
    assert {name: shown.json()[name] for name in ("name", "phone", "id_number", "id_kind", "address")} == {
        "name": "金丝雀",
        "phone": PHONE,
        "id_number": DOCUMENT,
        "id_kind": "resident_id",
        "address": "幸福路1号",
    }
    assert ask("SELECT reason_code, citizen_ref::text FROM reveal") == [("call_back", shown.json()["citizen_ref"])]
    lines = ask("SELECT action, object_id, reason, details::text FROM audit_record WHERE action = 'citizen.reveal'")
    assert (str(issue), "call_back") in {line[1:3] for line in lines}
    assert not any(text in str(lines) for text in ("金丝雀", PHONE, "回访核实"))


@pytest.mark.parametrize("days", [6, 8])
def test_a_clerk_has_seven_days(door, receive, days):
    issue = receive(received_at=now() - timedelta(days=days))

    answer = door.post("clerk", f"/v1/issues/{issue}/citizen/reveal", CALL)

    assert answer.status_code == (200 if days == 6 else 403)


NAMED = {"name": "金丝雀", "phone": PHONE}
WITHHELD = {**NAMED, "id_number": None, "id_kind": None, "address": None, "withheld": True}


def tell(door, who, organisation, **citizen):
    body = {"type": "help", "category": "roads", "channel": "phone", "title": "路灯不亮"}
    citizen = {name: value for name, value in {**NAMED, **citizen}.items() if value is not None}
    answer = door.post(who, "/v1/issues", {**body, "organisation_code": organisation, "citizen": citizen})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def shown_to(door, who, issue):
    answer = door.post(who, f"/v1/issues/{issue}/citizen/reveal", CALL)
    assert answer.status_code == 200
    return {name: answer.json()[name] for name in WITHHELD}


def test_naming_whom_others_know_shows_nothing_that_others_were_told(door, receive):
    receive(organisation_code="county")

    own = tell(door, "clerk", "town")

    assert shown_to(door, "clerk", own) == WITHHELD
    assert shown_to(door, "officer", own)["id_number"] == DOCUMENT  # who sees the county as well


def test_naming_a_document_finds_nobody(door, receive):
    """The citizen is the same person; but this record was told nothing of them, and that is what it shows."""
    receive(organisation_code="county")

    probe = tell(door, "clerk", "town", name=None, phone=None, id_number=DOCUMENT)

    assert shown_to(door, "clerk", probe) == {**WITHHELD, "name": None, "phone": None}
    assert door.get("clerk", f"/v1/issues/{probe}").json()["citizen"] == {"name": None, "phone": None}
    assert shown_to(door, "officer", probe)["phone"] == PHONE  # who sees the county as well


def test_naming_a_document_of_an_own_citizen_shows_the_clerk_no_closed_case(door, receive):
    receive(
        received_at=now() - timedelta(days=30), closed_at=now() - timedelta(days=29), outcome="resolved", reply="好"
    )

    probe = tell(door, "clerk", "town", name=None, phone=None, id_number=DOCUMENT)

    assert shown_to(door, "clerk", probe) == {**WITHHELD, "name": None, "phone": None}


def test_a_record_shows_the_phone_it_was_told_and_not_that_of_others(door, receive, ask):
    receive(organisation_code="county")

    own = tell(door, "clerk", "town", phone="13987654321", id_number=DOCUMENT)

    assert shown_to(door, "clerk", own)["phone"] == "13987654321"
    assert door.get("clerk", f"/v1/issues/{own}").json()["citizen"]["phone"] == "139****4321"
    assert ask("SELECT count(DISTINCT citizen_ref) FROM issue") == [(1,)]


def test_what_citizens_are_told_of_themselves_is_what_the_officer_may_know(registered, receive, tmp_path):
    people = {
        "clerk": person("clerk", "town", name="clerk"),
        "officer": person("department_officer", "town", name="officer", stepped_up_at=now()),
        "county_officer": person("department_officer", "county", name="county_officer", stepped_up_at=now()),
    }
    door = Door(registered, people, tmp_path)
    receive(organisation_code="county")
    ref = shown_ref(door, tell(door, "clerk", "town", phone="13987654321", id_number=DOCUMENT))

    part, whole = (door.get(who, f"/v1/citizens/{ref}/export").json() for who in ("officer", "county_officer"))

    assert {name: part["citizen"][name] for name in ("phone", "id_number", "id_kind", "address", "withheld")} == {
        "phone": "13987654321", "id_number": None, "id_kind": None, "address": None, "withheld": True,
    }  # fmt: skip
    assert len(part["issues"]) == 1
    assert (whole["citizen"]["phone"], whole["citizen"]["id_number"]) == (PHONE, DOCUMENT)
    assert (whole["citizen"]["withheld"], len(whole["issues"])) == (False, 2)


def shown_ref(door, issue):
    return door.post("clerk", f"/v1/issues/{issue}/citizen/reveal", CALL).json()["citizen_ref"]


def test_a_clerk_sees_all_of_whom_only_own_records_name(door):
    tell(door, "clerk", "town")

    shown = shown_to(door, "clerk", tell(door, "clerk", "town", id_number=DOCUMENT, address="幸福路1号"))

    assert (shown["id_number"], shown["address"], shown["withheld"]) == (DOCUMENT, "幸福路1号", False)


def test_a_document_with_a_made_up_name_shows_and_changes_nothing_even_within_reach(door, ask):
    def known():
        return ask("SELECT ref, name, phone, id_number, address FROM citizen"), ask("SELECT digest FROM citizen_handle")

    told = {"name": "金丝雀", "phone": PHONE, "id_number": DOCUMENT, "address": "幸福路1号"}
    tell(door, "clerk", "town", **told)
    before = known()

    guessed = tell(door, "clerk", "town", name="骗子", phone="13987654321", id_number=DOCUMENT)
    by_what_was_guessed = tell(door, "clerk", "town", name="骗子", phone="13987654321")

    assert known()[0][0] == before[0][0]
    for issue in (guessed, by_what_was_guessed):
        shown = shown_to(door, "clerk", issue)
        assert (shown["name"], shown["phone"], shown["address"]) == ("骗子", "13987654321", None)


@pytest.mark.parametrize("who", ["clerk", "machine"])
def test_naming_whom_others_know_changes_nothing_of_them(door, receive, ask, who):
    def known():
        return ask("SELECT ref, name, phone, id_number, address FROM citizen"), ask("SELECT digest FROM citizen_handle")

    receive(organisation_code="county")
    before = known()

    tell(door, who, "town", name="骗子", phone="13987654321", id_number=DOCUMENT, address="别处")

    assert known() == before
    moved = describe_citizen(name="金丝雀", phone=PHONE, id_number=DOCUMENT, address="别处", today=date(2026, 3, 2))
    receive(citizen=moved)  # under the pool's own reach, which sees both
    assert known() != before


def test_a_contact_out_of_reach_counts_like_an_issue(door, registered):
    own = tell(door, "clerk", "town", id_number=DOCUMENT)
    assert shown_to(door, "clerk", own)["withheld"] is False
    citizen = describe_citizen(id_number=DOCUMENT, today=date(2026, 3, 2))

    contacts.record_contacts(registered, [a_contact(citizen=citizen, organisation_code="county")], now=now())

    assert shown_to(door, "clerk", own) == WITHHELD


def test_a_list_withholds_what_one_reveal_would(registered, receive, tmp_path):
    people = {
        "clerk": person("clerk", "town", name="clerk"),
        "officer": person("department_officer", "town", name="officer", stepped_up_at=now()),
        "approver": person("approver", "county", name="approver", stepped_up_at=now()),
    }
    door = Door(registered, people, tmp_path)
    receive(organisation_code="county")
    own, other = tell(door, "clerk", "town"), receive("李四")
    path = "/v1/citizen-proposals/" + propose(door, "officer", own, other).json()["id"]
    assert door.post("approver", f"{path}/decision", {"decision": "approve"}).status_code == 200

    items = door.post("officer", f"{path}/result").json()["items"]

    assert {name: items[0][name] for name in WITHHELD} == WITHHELD
    assert (items[1]["address"], items[1]["withheld"]) == ("幸福路1号", False)


def test_a_clerk_does_not_see_the_citizen_of_a_closed_case(door, receive):
    issue = receive(received_at=now() - timedelta(days=1), closed_at=now(), outcome="resolved", reply="好")

    assert door.post("clerk", f"/v1/issues/{issue}/citizen/reveal", CALL).status_code == 403
    assert door.post("officer", f"/v1/issues/{issue}/citizen/reveal", CALL).status_code == 200


def test_an_officer_gives_the_second_factor_first(door, receive):
    issue = receive(received_at=now() - timedelta(days=30))

    refused = door.post("officer_not_stepped_up", f"/v1/issues/{issue}/citizen/reveal", CALL)

    assert (refused.status_code, refused.json()["title"]) == (403, "step-up-needed")
    assert door.post("officer", f"/v1/issues/{issue}/citizen/reveal", CALL).status_code == 200


@pytest.mark.parametrize(
    ("who", "status"),
    [("other_clerk", 404), ("cadre", 403), ("auditor", 403), ("machine", 403), ("approver", 403)],
)
def test_nobody_else_sees_a_citizen(door, receive, who, status):
    assert door.post(who, f"/v1/issues/{receive()}/citizen/reveal", CALL).status_code == status


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"reason_code": "call_back"},
        {"reason": "好奇"},
        {**CALL, "reason_code": "curiosity"},
        {**CALL, "reason": ""},
        {**CALL, "issue_ids": []},
    ],
)
def test_there_is_no_reveal_without_a_reason(door, receive, ask, body):
    assert door.post("clerk", f"/v1/issues/{receive()}/citizen/reveal", body).status_code == 422
    assert ask("SELECT count(*) FROM reveal") == [(0,)]


def test_nobody_is_known_of_an_issue_without_a_citizen(door, receive):
    assert door.post("clerk", f"/v1/issues/{receive(citizen=None)}/citizen/reveal", CALL).status_code == 404


def test_the_twenty_first_of_a_day_is_refused_and_another_account_is_not(door, receive, ask):
    issue = receive()
    answers = [door.post("clerk", f"/v1/issues/{issue}/citizen/reveal", CALL) for _ in range(21)]

    assert [answer.status_code for answer in answers] == [200] * 20 + [429]
    assert int(answers[-1].headers["retry-after"]) > 80_000
    assert door.post("officer", f"/v1/issues/{issue}/citizen/reveal", CALL).status_code == 200
    ask("UPDATE reveal SET revealed_at = revealed_at - interval '1 day' RETURNING id")
    assert door.post("clerk", f"/v1/issues/{issue}/citizen/reveal", CALL).status_code == 200


def propose(door, who, *issue_ids):
    return door.post(
        who, "/v1/citizen-proposals", {"kind": "reveal", "issue_ids": [str(one) for one in issue_ids], **CALL}
    )


def test_many_are_shown_only_with_a_second_person_and_once(door, receive, ask):
    first, second, nobody = receive(), receive("李四"), receive(citizen=None)
    path = "/v1/citizen-proposals/" + propose(door, "officer", first, second, nobody).json()["id"]
    approval = {"decision": "approve"}

    early = door.post("officer", f"{path}/result")
    own = door.post("officer_second_account", f"{path}/decision", approval)
    elsewhere = door.post("approver_elsewhere", f"{path}/decision", approval)
    seen = door.get("approver", path)
    approved = door.post("approver", f"{path}/decision", approval)
    twice = door.post("approver", f"{path}/decision", {"decision": "refuse"})
    not_mine = door.post("approver", f"{path}/result")
    fetched = door.post("officer", f"{path}/result")
    again = door.post("officer", f"{path}/result")

    assert [each.status_code for each in (early, own, elsewhere, seen, approved, twice, not_mine, fetched, again)] == [
        409,
        409,
        404,
        200,
        200,
        409,
        403,
        200,
        409,
    ]
    assert own.json()["title"] == "own-proposal"
    assert seen.json()["reason"] == "回访核实"
    assert [item["name"] for item in fetched.json()["items"]] == ["金丝雀", "李四"]
    assert ask("SELECT count(*) FROM reveal WHERE proposal_id IS NOT NULL") == [(2,)]
    assert not any(text in str(ask("SELECT * FROM citizen_proposal")) for text in ("回访核实", "李四"))


def test_a_refused_list_is_never_shown(door, receive):
    path = "/v1/citizen-proposals/" + propose(door, "officer", receive()).json()["id"]

    assert door.post("approver", f"{path}/decision", {"decision": "refuse"}).status_code == 200
    assert door.post("officer", f"{path}/result").status_code == 409


def test_a_list_names_only_what_is_within_reach(door, receive):
    assert propose(door, "officer", receive(), new_id()).status_code == 404
    assert propose(door, "officer").status_code == 422
    assert propose(door, "officer", *[new_id() for _ in range(501)]).status_code == 422
    assert propose(door, "clerk", receive()).status_code == 403
    assert propose(door, "officer_not_stepped_up", receive()).status_code == 403


def test_a_citizen_gets_their_own_data_and_no_notes_of_staff(door, receive, registered, ask):
    issue, other = receive(description="井盖坏了三天"), receive("李四", title="别人的事")
    citizen = describe_citizen(id_number=DOCUMENT, today=date(2026, 3, 2))
    contacts.record_contacts(
        registered, [a_contact(citizen=citizen, note="此人难缠", organisation_code="town")], now=now()
    )
    ref = door.post("officer", f"/v1/issues/{issue}/citizen/reveal", CALL).json()["citizen_ref"]

    export = door.get("officer", f"/v1/citizens/{ref}/export")

    assert export.status_code == 200
    assert export.json()["citizen"]["name"] == "金丝雀"
    assert [item["description"] for item in export.json()["issues"]] == ["井盖坏了三天"]
    assert len(export.json()["contacts"]) == 1
    assert not any(text in export.text for text in ("此人难缠", "别人的事", str(other), "S1", "李明"))
    assert door.get("clerk", f"/v1/citizens/{ref}/export").status_code == 403
    assert door.get("officer", f"/v1/citizens/{new_id()}/export").status_code == 404
    assert ask("SELECT count(*) FROM audit_record WHERE action = 'citizen.disclose' AND details ? 'issues'") == [(1,)]


def test_row_security_hides_identities_of_records_out_of_reach(registered, receive):
    from shared.policy import decide

    receive()
    reach = decide(person("clerk", "elsewhere"), "citizen.reveal", now=now())

    with transaction(registered, reach=reach) as connection:
        for table in ("citizen", "citizen_key", "citizen_handle", "reveal", "erasure"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table  # noqa: S608
