"""Contacts and ratings against PostgreSQL: repeats, conflicts, mixed batches, keys and concurrency."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from services.intake.domain.commands.base import IdempotencyKey
from services.intake.handlers import contacts, issues, ratings
from shared.identifiers import new_id
from tests.fakes import person
from tests.integration.intake.commands import a_contact, a_rating, an_issue
from tests.integration.intake.conftest import NOW
from tests.integration.intake.door import Door

pytestmark = pytest.mark.integration


def told(outcomes):
    return [(outcome.status, outcome.code) for outcome in outcomes]


def test_a_repeat_changes_nothing_and_other_content_is_a_conflict(registered, events_of):
    contact = a_contact(organisation_code="town", note="走访低保户")

    first = contacts.record_contacts(registered, [contact], now=NOW)
    second = contacts.record_contacts(registered, [contact, replace(contact, note="改了")], now=NOW)

    assert told(first) == [("created", "")]
    assert told(second) == [("unchanged", ""), ("conflict", "other-content")]
    assert events_of("contact") == [("contact.recorded", 1)]
    assert contacts.get_contact(registered, contact.id).organisation_code == "town"


def test_bad_items_do_not_harm_their_neighbours(registered, events_of):
    good = a_contact()

    outcomes = contacts.record_contacts(
        registered,
        [
            a_contact(staff_number="nobody"),
            good,
            a_contact(organisation_code="nowhere"),
            a_contact(occurred_at=NOW + timedelta(minutes=6)),
            good,
            replace(good, kind="reception"),
            a_contact(occurred_at=NOW + timedelta(minutes=4)),
        ],
        now=NOW,
    )

    assert told(outcomes) == [
        ("rejected", "unknown-cadre"),
        ("created", ""),
        ("rejected", "unknown-organisation"),
        ("rejected", "occurred-in-future"),
        ("unchanged", ""),
        ("conflict", "other-content"),
        ("created", ""),
    ]
    assert events_of("contact") == [("contact.recorded", 1)] * 2


def test_the_sources_number_names_a_contact_for_ever(registered, ask):
    contact = a_contact(source="old-system", source_number="N-1")

    first = contacts.record_contacts(registered, [contact, replace(contact, id=new_id())], now=NOW)
    again = contacts.record_contacts(registered, [replace(contact, id=new_id())], now=NOW)
    other = contacts.record_contacts(
        registered, [replace(contact, id=new_id(), people_count=3), replace(contact, source_number=None)], now=NOW
    )

    assert told(first) == [("created", ""), ("unchanged", "")]
    assert again[0].id == first[0].id
    assert told(other) == [("conflict", "other-content"), ("conflict", "other-content")]
    assert ask("SELECT count(*) FROM contact") == [(1,)]


def test_odd_times_are_flagged_where_the_caller_is_lenient(registered, ask):
    odd = a_contact(occurred_at=NOW + timedelta(days=1), recorded_at=NOW)

    outcomes = contacts.record_contacts(registered, [odd], now=NOW, allow_odd=True)

    assert outcomes[0].flags == ("occurred_in_future", "recorded_before_occurred")
    assert ask("SELECT flags FROM contact") == [(["occurred_in_future", "recorded_before_occurred"],)]


def test_sixty_concurrent_copies_make_one_contact_and_one_event(registered, ask, events_of):
    contact = a_contact()

    with ThreadPoolExecutor(max_workers=8) as threads:
        runs = [threads.submit(contacts.record_contacts, registered, [contact], now=NOW) for _ in range(60)]
        outcomes = [run.result()[0].status for run in runs]

    assert sorted(outcomes) == ["created"] + ["unchanged"] * 59
    assert ask("SELECT count(*) FROM contact") == [(1,)]
    assert events_of("contact") == [("contact.recorded", 1)]


def test_a_key_stands_for_one_request(registered, events_of):
    key = IdempotencyKey(caller="clerk", key="k-1", fingerprint=b"a" * 16)
    contact = a_contact(key=key)
    reused = a_contact(key=replace(key, fingerprint=b"b" * 16))
    of_another = a_contact(key=replace(key, caller="machine", fingerprint=b"b" * 16))

    first = contacts.record_contacts(registered, [contact, replace(contact, id=new_id())], now=NOW)
    second = contacts.record_contacts(registered, [replace(contact, id=new_id()), reused, of_another], now=NOW)

    assert told(first) == [("created", ""), ("unchanged", "")]
    assert told(second) == [("unchanged", ""), ("rejected", "key-reused"), ("created", "")]
    assert second[0].id == contact.id
    assert events_of("contact") == [("contact.recorded", 1)] * 2


def test_sixty_concurrent_requests_with_one_key_make_one_contact(registered, ask):
    key = IdempotencyKey(caller="clerk", key="k-1", fingerprint=b"a" * 16)

    with ThreadPoolExecutor(max_workers=8) as threads:
        runs = [threads.submit(contacts.record_contacts, registered, [a_contact(key=key)], now=NOW) for _ in range(60)]
        ids = {run.result()[0].id for run in runs}

    assert len(ids) == 1
    assert ask("SELECT count(*) FROM contact") == [(1,)]


def test_the_key_of_a_refused_request_may_be_used_again(registered):
    key = IdempotencyKey(caller="clerk", key="k-1", fingerprint=b"a" * 16)
    refused = a_contact(key=key, staff_number="nobody")
    corrected = a_contact(key=replace(key, fingerprint=b"b" * 16))

    outcomes = [contacts.record_contacts(registered, [command], now=NOW)[0] for command in (refused, corrected)]

    assert told(outcomes) == [("rejected", "unknown-cadre"), ("created", "")]


def test_ratings_name_what_they_rate_by_id_or_by_the_sources_number(registered, events_of):
    contact = a_contact(source="old", source_number="C-1")
    issue = an_issue(source="old", source_number="I-1")
    contacts.record_contacts(registered, [contact], now=NOW)
    issues.receive_issues(registered, [issue], now=NOW)
    rating = a_rating(issue_id=issue.id, solved=True)
    numbered = a_rating(source="old", source_number="R-1", issue_source_number="I-1", level=2)
    batch = [
        rating,
        numbered,
        a_rating(source="old", source_number="R-2", contact_source_number="C-1"),
        a_rating(contact_id=contact.id),
        a_rating(issue_id=new_id()),
        a_rating(source="old", source_number="R-3", contact_source_number="C-9"),
        replace(rating, level=1),
    ]

    first = ratings.submit_ratings(registered, batch, now=NOW)
    second = ratings.submit_ratings(registered, [rating, replace(numbered, id=new_id())], now=NOW)

    assert told(first) == [
        *[("created", "")] * 4,
        ("rejected", "unknown-issue"),
        ("rejected", "unknown-contact"),
        ("conflict", "other-content"),
    ]
    assert told(second) == [("unchanged", ""), ("unchanged", "")]
    assert events_of("rating") == [("rating.submitted", 1)] * 4


def test_what_else_stands_beside_contacts_is_no_contact(pool, tmp_path):
    door = Door(pool, {"clerk": person("clerk", name="clerk")}, tmp_path)

    refused = door.get("clerk", "/v1/contacts/batch")

    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
    assert door.get("clerk", "/v1/contacts/nonsense").status_code == 404
    assert door.get("clerk", f"/v1/contacts/{new_id()}").status_code == 404
