"""What looks odd about contacts: it is noted in the background, a person decides, and only the decision counts."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.intake.domain.citizens import Citizen
from services.intake.domain.commands.corrections import VoidContact
from services.intake.domain.commands.reviews import DecideReview
from services.intake.handlers import contacts, corrections, reviews, staff_phones
from shared.identifiers import new_id
from shared.reach import Reach
from tests.fakes import person
from tests.integration.intake.commands import a_contact, lately
from tests.integration.intake.conftest import NOW
from tests.integration.intake.door import Door

pytestmark = pytest.mark.integration
NOTE = "走访困难家庭三户，了解生活情况，群众反映灌溉渠淤堵、村口路灯不亮，已记录并转有关单位办理。"
CITIZEN = Citizen(name="张秀兰", phone="15499990001")
LATER = itertools.count()  # each is recorded after the one before
OFFICER = Reach(kind="everywhere", role="department_officer", account_id=UUID(int=9))


def record(pool, **changes: Any) -> UUID:
    contact = a_contact(**changes)
    [outcome] = contacts.record_contacts(pool, [contact], now=NOW + timedelta(milliseconds=next(LATER)))
    assert outcome.status == "created", outcome
    return contact.id


def noted(pool) -> dict[UUID, Any]:
    while reviews.examine_contacts(pool, now=NOW, limit=2):
        pass
    return {one.contact_id: one for one in reviews.list_reviews(pool, is_open=True, after=None, limit=100)}


def decide(pool, contact_id, decision, reach=OFFICER):
    command = DecideReview(
        id=contact_id,
        correlation_id="a-test",
        reach=reach,
        decision=decision,
        reason_code="split_up",
        reason="同一次走访",
    )
    [outcome] = reviews.decide_reviews(pool, [command], now=NOW)
    return outcome.status, outcome.code


def test_one_contact_that_was_split_into_several_is_noted_for_each_after_the_first(registered):
    first = record(registered, citizen=CITIZEN)
    second = record(registered, citizen=CITIZEN, occurred_at=datetime(2026, 3, 1, 1, 45, tzinfo=UTC))
    record(registered, citizen=CITIZEN, occurred_at=NOW - timedelta(days=2))
    record(registered, citizen=CITIZEN, staff_number="S2")
    record(registered)

    found = noted(registered)

    assert list(found) == [second]
    assert (found[second].signals, found[second].other_contact_ids) == (["same_citizen_day"], [first])


def test_a_day_is_one_of_china(registered):
    late = datetime(2026, 3, 1, 15, 59, tzinfo=UTC)  # the last minute of a day there
    record(registered, citizen=CITIZEN, occurred_at=late)
    record(registered, citizen=CITIZEN, occurred_at=late + timedelta(minutes=1))

    assert noted(registered) == {}


def test_a_citizen_with_the_phone_of_a_cadre_is_noted(registered):
    staff_phones.put_phones(registered, "S2", ["+86 154-9999-0001"])
    suspicious = record(registered, citizen=Citizen(name="李四", phone="15499990001"))
    record(registered, citizen=Citizen(name="王五", phone="15499990002"))

    found = noted(registered)

    assert {one: review.signals for one, review in found.items()} == {suspicious: ["staff_phone"]}


def test_a_copied_note_is_noted_and_stands_nowhere_in_clear(registered, ask):
    first = record(registered, note=NOTE)
    copied = record(registered, note=NOTE.replace("三户", "5户"), occurred_at=NOW - timedelta(days=20))
    record(registered, note=NOTE, staff_number="S2")
    record(registered, note="召开座谈会，听取企业负责人对营商环境的意见，现场答复用工问题，会后形成清单逐项落实。")

    found = noted(registered)

    assert {one: (review.signals, review.other_contact_ids) for one, review in found.items()} == {
        copied: (["similar_note"], [first])
    }
    assert "路灯" not in str(ask("SELECT * FROM contact_sketch")) + str(ask("SELECT * FROM contact_review"))


def test_a_sign_alone_changes_nothing_and_a_decision_is_an_event(registered, events_of):
    record(registered, citizen=CITIZEN)
    second = record(registered, citizen=CITIZEN)
    assert second in noted(registered)
    assert contacts.get_contact(registered, second).counts

    outcomes = [decide(registered, second, decision) for decision in ("counts", "does_not_count", "does_not_count")]

    assert outcomes == [("unchanged", ""), ("changed", ""), ("unchanged", "")]
    assert not contacts.get_contact(registered, second).counts
    assert events_of(second) == [("contact.recorded", 1), ("contact.reviewed", 2)]
    was, stands = corrections.list_versions(registered, second)
    assert (was.change, was.reason_code, was.reason, was.counts, stands.counts) == (
        "reviewed", "split_up", "同一次走访", True, False,
    )  # fmt: skip
    assert noted(registered) == {}
    [decided] = reviews.list_reviews(registered, is_open=False, after=None, limit=10)
    assert (decided.contact_id, decided.decision, decided.decided_by) == (second, "does_not_count", OFFICER.account_id)
    assert decide(registered, second, "counts") == ("changed", "")  # somebody sees that it was wrong
    assert contacts.get_contact(registered, second).counts


def test_nobody_decides_about_the_own_and_nothing_is_decided_that_nobody_noted(registered):
    clerk = Reach(kind="everywhere", role="clerk", account_id=UUID(int=8))
    odd = record(registered, citizen=CITIZEN), record(registered, citizen=CITIZEN, reach=clerk)
    plain = record(registered)
    assert set(noted(registered)) == {odd[1]}

    recorder = replace(OFFICER, account_id=UUID(int=8))
    leader = replace(OFFICER, actor_staff_number="S1")

    assert decide(registered, odd[1], "counts", recorder) == ("rejected", "own-review")
    assert decide(registered, odd[1], "counts", leader) == ("rejected", "own-review")
    assert decide(registered, plain, "counts") == ("rejected", "review-not-found")
    assert decide(registered, new_id(), "counts") == ("rejected", "contact-not-found")


def test_what_is_void_resembles_nothing_and_needs_no_decision(registered):
    first, second = record(registered, citizen=CITIZEN), record(registered, citizen=CITIZEN)
    corrections.void_contacts(
        registered, [VoidContact(id=first, correlation_id="a-test", reason_code="duplicate")], now=NOW
    )

    assert noted(registered) == {}
    third = record(registered, citizen=CITIZEN)
    assert set(noted(registered)) == {third}
    assert contacts.get_contact(registered, second).counts


def test_contacts_are_looked_at_once_and_imported_ones_not_at_all(registered, ask):
    for _ in range(5):
        record(registered)
    record(registered, source="old-system", source_number="N-1")

    turns = [reviews.examine_contacts(registered, now=NOW, limit=2) for _ in range(5)]

    assert turns == [2, 2, 1, 0, 0]
    assert ask("SELECT count(*) FROM contact WHERE NOT is_examined") == [(1,)]


def test_the_list_is_for_officers_and_goes_on_page_by_page(pool, county, tmp_path):
    assert county
    people = {
        "officer": person("department_officer", "street", name="the officer"),
        "elsewhere": person("department_officer", "harbour", name="another officer"),
        "clerk": person("clerk", "street"),
        "cadre": person("cadre", staff_number="S1"),
    }
    door = Door(pool, people, tmp_path)
    visit = {"staff_number": "S1", "kind": "visit", "occurred_at": lately(), "note": NOTE}
    for _ in range(4):
        assert door.post("clerk", "/v1/contacts", visit).status_code == 201
    while reviews.examine_contacts(pool, now=NOW):
        pass

    first = door.get("officer", "/v1/contacts/reviews?limit=2").json()
    second = door.get("officer", f"/v1/contacts/reviews?limit=2&cursor={first['next_cursor']}").json()
    listed = [item["contact_id"] for item in first["items"] + second["items"]]
    decision = {"decision": "does_not_count", "reason_code": "copied"}

    assert (len(set(listed)), second["next_cursor"]) == (3, None)
    assert door.get("elsewhere", "/v1/contacts/reviews").json()["items"] == []
    assert door.get("officer", "/v1/contacts/reviews?cursor=WzEsMl0").status_code == 422
    assert {door.get(who, "/v1/contacts/reviews").status_code for who in ("clerk", "cadre")} == {403}
    assert door.post("elsewhere", f"/v1/contacts/reviews/{listed[0]}/decision", decision).status_code == 404
    assert door.post("officer", f"/v1/contacts/reviews/{listed[0]}/decision", decision).json()["status"] == "changed"
    assert len(door.get("officer", "/v1/contacts/reviews").json()["items"]) == 2
    assert door.get("officer", "/v1/contacts/reviews?state=decided").json()["items"][0]["counts"] is False
