"""Amending and voiding contacts against PostgreSQL: what stands, what stood, who may, and for how long."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.intake.domain.citizens import Citizen
from services.intake.domain.commands.corrections import AmendContact, VoidContact
from services.intake.handlers import contacts, corrections, issues
from shared.identifiers import new_id
from shared.reach import Reach
from tests.integration.intake.commands import a_contact, an_issue
from tests.integration.intake.conftest import NOW

pytestmark = pytest.mark.integration
WITHIN = timedelta(days=31)
CADRE = Reach(kind="scoped", staff_number="S1", actor_staff_number="S1", role="cadre", account_id=UUID(int=7))
CLERK = Reach(kind="scoped", organisation_codes=("street",), role="clerk", account_id=UUID(int=8))
ELSEWHERE = replace(CLERK, organisation_codes=("harbour",))
OFFICER = replace(CLERK, role="department_officer", account_id=UUID(int=9))


def an_amendment(contact, **changes: Any):
    content: dict[str, Any] = {"kind": contact.kind, "occurred_at": contact.occurred_at, "note": contact.note}
    told = {"reason_code": "mistyped", "correct_within": WITHIN, "record_within": WITHIN, **content, **changes}
    return AmendContact(id=contact.id, correlation_id="a-test", **told)


def a_void(contact, **changes: Any):
    told: dict[str, Any] = {"reason_code": "duplicate", "correct_within": WITHIN, **changes}
    return VoidContact(id=contact.id, correlation_id="a-test", **told)


def told(outcomes):
    return [(outcome.status, outcome.code) for outcome in outcomes]


@pytest.fixture
def met(registered):
    """A contact that was recorded at NOW."""
    contact = a_contact(note="走访低保户", organisation_code="town")
    contacts.record_contacts(registered, [contact], now=NOW)
    return contact


def test_who_was_met_and_who_came_along_are_kept(registered, ask):
    stay = a_contact(
        kind="field_stay",
        people_by_group={"farmers": 5, "students": 7, "elderly": 7},
        companions=("S2",),
        first_on=date(2026, 2, 25),
        last_on=date(2026, 3, 1),
        place_code="990101001001",
    )

    outcomes = contacts.record_contacts(registered, [stay, stay], now=NOW)
    found = contacts.get_contact(registered, stay.id)

    assert told(outcomes) == [("created", ""), ("unchanged", "")]
    assert (found.population_group, found.people_count, found.companions) == ("elderly", 19, ["S2"])
    assert found.people_by_group == {"farmers": 5, "students": 7, "elderly": 7}
    payload = ask("SELECT payload FROM outbox WHERE aggregate = 'contact'")[0][0]
    assert (payload["first_on"], payload["last_on"]) == ("2026-02-25", "2026-03-01")
    assert payload["companion_ids"] == [str(ask("SELECT id FROM cadre WHERE staff_number = 'S2'")[0][0])]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"companions": ("S1",)}, "companion-led"),
        ({"companions": ("S2", "S2")}, "companion-named-twice"),
        ({"companions": ("nobody",)}, "unknown-companion"),
        ({"place_code": "somewhere"}, "unknown-place"),
        ({"place_code": "99010100100"}, "unknown-place"),
        ({"people_by_group": {"farmers": 1}, "people_count": 1}, "people-said-twice"),
        ({"people_by_group": {"farmers": 100_000, "students": 1}}, "too-many-people"),
        ({"first_on": date(2026, 3, 1), "last_on": date(2026, 3, 1)}, "days-without-stay"),
        ({"kind": "field_stay", "first_on": date(2026, 3, 1)}, "stay-out-of-order"),
        ({"kind": "field_stay", "first_on": date(2026, 3, 2), "last_on": date(2026, 3, 1)}, "stay-out-of-order"),
        ({"kind": "field_stay", "first_on": date(2025, 2, 1), "last_on": date(2026, 3, 1)}, "stay-out-of-order"),
        ({"kind": "field_stay", "first_on": date(2026, 3, 1), "last_on": date(2026, 3, 3)}, "stay-in-future"),
        ({"kind": "field_stay", "first_on": date(2026, 2, 1), "last_on": date(2026, 2, 9)}, "occurred-outside-stay"),
        ({"occurred_at": NOW - timedelta(days=32)}, "too-long-ago"),
        ({"occurred_at": NOW + timedelta(days=1)}, "occurred-in-future"),
    ],
)
def test_what_contradicts_itself_is_refused_alone(registered, changes, code):
    bad = a_contact(record_within=WITHIN, **changes)

    outcomes = contacts.record_contacts(registered, [bad, a_contact()], now=NOW)

    assert told(outcomes) == [("rejected", code), ("created", "")]


@pytest.mark.usefixtures("county")
def test_what_is_entered_late_is_flagged_and_what_lies_long_back_needs_an_officer_and_a_reason(pool, ask):
    weeks_ago, years_ago = NOW - timedelta(days=8), NOW - timedelta(days=400)
    late = a_contact(occurred_at=weeks_ago, record_within=WITHIN, reach=CLERK)
    old = a_contact(occurred_at=years_ago, organisation_code="street", record_within=WITHIN)
    reasoned = replace(old, late_reason="整理档案时发现")

    outcomes = contacts.record_contacts(
        pool,
        [
            late,
            replace(old, reach=CLERK),
            replace(reasoned, reach=CLERK),
            replace(old, reach=OFFICER),
            replace(late, id=new_id(), reach=OFFICER),
            replace(reasoned, reach=OFFICER),
        ],
        now=NOW,
    )

    assert told(outcomes) == [
        ("created", ""),
        *[("rejected", "too-long-ago")] * 3,
        ("rejected", "late-reason-missing"),
        ("created", ""),
    ]
    assert outcomes[0].flags == outcomes[5].flags == ("recorded_late",)
    assert contacts.get_contact(pool, old.id).late_reason == "整理档案时发现"
    assert ask("SELECT count(*) FROM contact WHERE late_reason_sealed IS NOT NULL") == [(1,)]


@pytest.mark.usefixtures("county")
def test_nobody_met_the_public_before_the_first_post_but_by_an_officers_word(pool):
    before = a_contact(occurred_at=NOW - timedelta(days=800), organisation_code="street")

    outcomes = contacts.record_contacts(
        pool,
        [
            before,
            replace(before, id=new_id(), organisation_code=None),
            replace(before, reach=replace(OFFICER, role="clerk"), late_reason="无"),
            replace(before, reach=OFFICER, late_reason="任职记录补录中"),
        ],
        now=NOW,
    )

    assert told(outcomes) == [
        ("rejected", "before-first-post"),
        ("rejected", "before-first-post"),
        ("rejected", "before-first-post"),
        ("created", ""),
    ]


def test_an_amendment_keeps_the_original(registered, met, events_of, ask):
    amendment = an_amendment(met, kind="reception", people_by_group={"farmers": 2}, note="改了", reason="记错了")

    first = corrections.amend_contacts(registered, [amendment], now=NOW)
    again = corrections.amend_contacts(registered, [amendment], now=NOW + timedelta(days=1))

    assert told(first + again) == [("changed", ""), ("unchanged", "")]
    found = contacts.get_contact(registered, met.id)
    assert (found.kind, found.note, found.version, found.organisation_code) == ("reception", "改了", 2, "town")
    was, stands = corrections.list_versions(registered, met.id)
    assert (was.version, was.kind, was.note, was.change) == (1, "visit", "走访低保户", "amended")
    assert (was.reason_code, was.reason) == ("mistyped", "记错了")
    assert (stands.version, stands.kind, stands.change) == (2, "reception", None)
    assert events_of("contact") == [("contact.recorded", 1), ("contact.amended", 2)]
    assert "改了" not in str(ask("SELECT payload::text FROM outbox"))
    assert contacts.record_contacts(registered, [met], now=NOW)[0].status == "unchanged"  # its recording, sent again


def test_a_void_contact_stays_and_counts_for_nothing(registered, met, events_of):
    outcomes = [
        corrections.void_contacts(registered, [a_void(met, reason="重复")], now=NOW),
        corrections.void_contacts(registered, [a_void(met)], now=NOW),
        corrections.amend_contacts(registered, [an_amendment(met, kind="reception")], now=NOW),
        contacts.record_contacts(registered, [met], now=NOW),
    ]

    assert told([outcome for some in outcomes for outcome in some]) == [
        ("changed", ""),
        ("unchanged", ""),
        ("conflict", "already-voided"),
        ("unchanged", ""),
    ]
    found = contacts.get_contact(registered, met.id)
    assert (found.voided_at, found.counts, found.note) == (NOW, False, "走访低保户")
    assert events_of("contact") == [("contact.recorded", 1), ("contact.voided", 2)]


def test_several_corrections_in_one_batch_follow_one_another(registered, met, events_of):
    outcomes = corrections.amend_contacts(
        registered,
        [an_amendment(met, note="一"), an_amendment(met, note="二"), an_amendment(met, note="二")],
        now=NOW,
    )

    assert [outcome.status for outcome in outcomes] == ["changed", "changed", "unchanged"]
    notes = [version.note for version in corrections.list_versions(registered, met.id)]
    assert notes == ["走访低保户", "一", "二"]
    assert events_of("contact") == [("contact.recorded", 1), ("contact.amended", 2), ("contact.amended", 3)]


def test_what_was_seen_before_somebody_elses_change_is_not_written_over_it(registered, met):
    ours, theirs = an_amendment(met, note="我们", version=1), an_amendment(met, note="他们", version=1)

    outcomes = corrections.amend_contacts(registered, [ours, theirs, ours], now=NOW)

    assert told(outcomes) == [("changed", ""), ("conflict", "changed-meanwhile"), ("unchanged", "")]


def test_concurrent_copies_of_one_correction_make_one_change(registered, met, events_of):
    amendment, void = an_amendment(met, note="改"), a_void(met)

    with ThreadPoolExecutor(max_workers=8) as threads:
        runs = [threads.submit(corrections.amend_contacts, registered, [amendment], now=NOW) for _ in range(20)]
        amended = sorted(run.result()[0].status for run in runs)
        runs = [threads.submit(corrections.void_contacts, registered, [void], now=NOW) for _ in range(20)]
        voided = sorted(run.result()[0].status for run in runs)

    assert amended == voided == ["changed"] + ["unchanged"] * 19
    assert len(events_of("contact")) == 3


@pytest.mark.usefixtures("county")
def test_who_may_correct_and_for_how_long(pool):
    contact = a_contact(reach=CLERK)
    contacts.record_contacts(pool, [contact], now=NOW)
    late = NOW + timedelta(days=32)

    def amend(reach, note, now=NOW):
        return told(corrections.amend_contacts(pool, [an_amendment(contact, note=note, reach=reach)], now=now))[0]

    assert amend(ELSEWHERE, "一") == ("rejected", "contact-not-found")
    assert amend(replace(CADRE, staff_number="S2", actor_staff_number="S2"), "一") == ("rejected", "contact-not-found")
    assert amend(CADRE, "一") == ("changed", "")
    assert amend(CLERK, "二") == ("changed", "")
    assert amend(CLERK, "三", late) == ("rejected", "correction-closed")
    assert amend(CADRE, "三", late) == ("rejected", "correction-closed")
    assert amend(CLERK, "二", late) == ("unchanged", "")  # a repeat of what was done in time
    assert amend(OFFICER, "三", late) == ("changed", "")
    refused = corrections.void_contacts(pool, [a_void(contact, reach=CADRE), a_void(contact, reach=OFFICER)], now=late)
    assert told(refused) == [("rejected", "correction-closed"), ("changed", "")]
    versions = corrections.list_versions(pool, contact.id)
    assert [version.replaced_by for version in versions] == [
        CADRE.account_id, CLERK.account_id, OFFICER.account_id, OFFICER.account_id, None,
    ]  # fmt: skip


@pytest.mark.usefixtures("county")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"occurred_at": NOW - timedelta(days=32)}, "too-long-ago"),
        ({"occurred_at": NOW + timedelta(days=2)}, "occurred-in-future"),
        ({"companions": ("S1",)}, "companion-led"),
        ({"companions": ("nobody",)}, "unknown-companion"),
        ({"place_code": "somewhere"}, "unknown-place"),
        ({"first_on": date(2026, 3, 1), "last_on": date(2026, 3, 1)}, "days-without-stay"),
    ],
)
def test_an_amendment_is_held_to_what_a_recording_is(pool, changes, code):
    contact = a_contact(reach=CLERK)
    contacts.record_contacts(pool, [contact], now=NOW)

    outcomes = corrections.amend_contacts(pool, [an_amendment(contact, reach=CLERK, **changes)], now=NOW)

    assert told(outcomes) == [("rejected", code)]
    assert len(corrections.list_versions(pool, contact.id)) == 1


@pytest.mark.usefixtures("county")
def test_a_time_is_not_amended_to_before_the_first_post(pool):
    contact = a_contact(occurred_at=NOW - timedelta(days=425), reach=replace(OFFICER), late_reason="补录")
    contacts.record_contacts(pool, [contact], now=NOW)
    earlier = an_amendment(contact, occurred_at=NOW - timedelta(days=430), record_within=timedelta(days=5_000))

    outcomes = corrections.amend_contacts(
        pool, [replace(earlier, reach=CLERK), replace(earlier, reach=OFFICER)], now=NOW
    )

    assert told(outcomes) == [("rejected", "before-first-post"), ("changed", "")]


def test_the_issues_of_a_contact_are_listed_as_far_as_the_reader_may_see_them(registered, met):
    raised = [an_issue(contact_id=met.id, organisation_code="town"), an_issue(contact_id=met.id)]
    issues.receive_issues(registered, raised, now=NOW)

    found = contacts.get_contact(registered, met.id)

    assert {issue.id for issue in found.issues} == {issue.id for issue in raised}


def test_the_words_of_an_erased_citizen_are_gone_from_every_version(registered, ask):
    contact = a_contact(note="张秀兰说水费太高", citizen=Citizen(name="张秀兰", phone="15499990001"))
    contacts.record_contacts(registered, [contact], now=NOW)
    corrections.amend_contacts(
        registered, [an_amendment(contact, note="张秀兰说电费太高", reason="张秀兰来电更正")], now=NOW
    )

    ask("DELETE FROM citizen_key RETURNING 1")  # what erasing does to every copy of a text

    versions = corrections.list_versions(registered, contact.id)
    assert [(version.note, version.reason, version.texts_withheld) for version in versions] == [(None, None, True)] * 2
