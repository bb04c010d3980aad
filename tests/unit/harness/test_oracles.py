"""Every oracle holds over a sound history and breaks over each way in which it can be wrong."""

import copy
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.harness.evidence import Evidence, LoggedEvent, Record
from tests.harness.journal import Entry, History, Journal, read_history
from tests.harness.oracles import (
    CLOSED,
    RECEIVED,
    check_dead_letters,
    check_exactly_once,
    check_no_invention,
    check_no_loss,
    judge,
)

MOMENT = datetime(2025, 3, 1, tzinfo=UTC)


def asked(kind, reference, key, *, named=True):
    return [
        Entry(what="attempted", kind=kind, key=key, reference=reference if named else None),
        Entry(what="acked", kind=kind, key=key, reference=reference, status=201),
    ]


def sound_history():
    history = History()
    for entry in [
        *asked("organisation", "county", "o1"),
        *asked("contact", "c1", "k1"),
        *asked("contact", "c2", "k2", named=False),
        *asked("contact", "c3", "k7", named=False),
        *asked("issue", "i1", "k3"),
        *asked("closure", "i1", "k4"),
        *asked("rating", "r1", "k5"),
        Entry(what="attempted", kind="contact", key="k6", reference="c9"),  # never answered, and not stored
    ]:
        history.add(entry)
    return history


def record(identifier, *content, sequence=1):
    return Record(id=identifier, reference=identifier, sequence=sequence, content=(identifier, *content))


def event(number, event_type, aggregate_id, sequence=1):
    return LoggedEvent(event_id=f"e{number}", event_type=event_type, aggregate_id=aggregate_id, sequence=sequence)


def sound_evidence():
    contacts = [record(name, "o", "p", "visit", MOMENT) for name in ("c1", "c2", "c3")]
    issues = [record("i1", "o", "p", MOMENT, None, None, MOMENT, "resolved", sequence=2)]
    ratings = [record("r1", "i1", None, 4, "solved", MOMENT)]
    events = [
        event(1, "cn.lianxin.organisation.registered.v1", "o"),
        event(2, "cn.lianxin.contact.recorded.v1", "c1"),
        event(3, "cn.lianxin.contact.recorded.v1", "c2"),
        event(4, RECEIVED, "i1"),
        event(5, CLOSED, "i1", 2),
        event(6, "cn.lianxin.rating.submitted.v1", "r1"),
        event(7, "cn.lianxin.contact.recorded.v1", "c3"),
    ]
    return Evidence(
        organisations=["county"],
        registers=[("o", 1)],
        contacts=contacts,
        issues=issues,
        ratings=ratings,
        keys=[("k1", "c1"), ("k2", "c2"), ("k7", "c3"), ("k3", "i1"), ("k4", "i1"), ("k5", "r1")],
        outbox=list(events),
        inbox=[one.event_id for one in events],
        log=list(events),
        contact_facts=[one.content for one in contacts],
        issue_facts=[one.content for one in issues],
        rating_facts=[one.content for one in ratings],
        counted={"contacts": 3, "issues": 1, "closed issues": 1, "ratings": 1, "rating levels": 4},
        scores=[("s1", 2, "60.00"), ("s2", 2, None), ("s3", 0, None)],  # s2 lost its evidence; s3 never had enough
        told_scores=[("s1", 1, "50.00"), ("s1", 2, "60.00"), ("s2", 1, "50.00"), ("s2", 2, None)],
    )


def test_a_sound_history_is_found_sound():
    verdicts = judge(sound_history(), sound_evidence())

    assert all(verdict.holds for verdict in verdicts), verdicts
    assert all(verdict.checked for verdict in verdicts)


@pytest.mark.parametrize(
    "place", ["organisations", "contacts", "issues", "ratings", "keys"], ids=lambda place: f"from {place}"
)
def test_a_lost_row_breaks_no_loss(place):
    whole = sound_evidence()
    for position in range(len(getattr(whole, place))):
        evidence = copy.deepcopy(whole)
        del getattr(evidence, place)[position]

        verdict = check_no_loss(sound_history(), evidence)

        assert not verdict.holds
        assert verdict.lost == 1


@pytest.mark.parametrize("place", ["contacts", "issues", "ratings"])
def test_a_record_that_nobody_asked_for_breaks_no_invention(place):
    evidence = sound_evidence()
    rows = getattr(evidence, place)
    rows.append(replace(rows[0], id="strange", reference="strange"))

    verdict = check_no_invention(sound_history(), evidence)

    assert (verdict.holds, verdict.invented) == (False, 1)


@pytest.mark.parametrize("place", ["contacts", "issues", "ratings", "keys"])
def test_a_row_that_is_there_twice_breaks_no_invention(place):
    evidence = sound_evidence()
    rows = getattr(evidence, place)
    rows.append(rows[0])

    verdict = check_no_invention(sound_history(), evidence)

    assert (verdict.holds, verdict.doubled) == (False, 1)


def test_a_second_record_of_a_request_without_an_id_breaks_no_invention():
    evidence = sound_evidence()
    evidence.contacts.append(replace(evidence.contacts[1], id="again", reference="again"))

    assert not check_no_invention(sound_history(), evidence).holds


def test_a_key_that_was_answered_for_with_two_records_breaks_no_invention():
    history = sound_history()
    history.add(Entry(what="acked", kind="contact", key="k2", reference="other", status=201))

    assert not check_no_invention(history, sound_evidence()).holds


def test_two_requests_that_share_a_record_break_no_invention():
    history = sound_history()
    history.acked_keys["k7"] = {"c2"}

    assert not check_no_invention(history, sound_evidence()).holds


EFFECTS = ["registers", "contacts", "issues", "ratings", "outbox", "inbox", "log"]
FACTS = ["contact_facts", "issue_facts", "rating_facts"]


@pytest.mark.parametrize("place", EFFECTS + FACTS)
def test_a_lost_row_breaks_exactly_once(place):
    whole = sound_evidence()
    for position in range(len(getattr(whole, place))):
        evidence = copy.deepcopy(whole)
        del getattr(evidence, place)[position]

        assert not check_exactly_once(evidence).holds


@pytest.mark.parametrize("place", EFFECTS + FACTS)
def test_a_doubled_row_breaks_exactly_once(place):
    whole = sound_evidence()
    for position in range(len(getattr(whole, place))):
        evidence = copy.deepcopy(whole)
        getattr(evidence, place).append(getattr(evidence, place)[position])

        assert not check_exactly_once(evidence).holds


@pytest.mark.parametrize("place", ["outbox", "log"])
def test_an_invented_event_breaks_exactly_once(place):
    evidence = sound_evidence()
    getattr(evidence, place).append(event(99, "cn.lianxin.contact.recorded.v1", "strange"))

    verdict = check_exactly_once(evidence)

    assert not verdict.holds
    assert verdict.invented


def test_an_invented_inbox_row_breaks_exactly_once():
    evidence = sound_evidence()
    evidence.inbox.append("e99")

    assert not check_exactly_once(evidence).holds


@pytest.mark.parametrize("place", FACTS)
def test_a_fact_with_other_content_breaks_exactly_once(place):
    evidence = sound_evidence()
    rows = getattr(evidence, place)
    rows[0] = (*rows[0][:-1], "otherwise")

    assert not check_exactly_once(evidence).holds


def test_an_event_of_the_wrong_type_breaks_exactly_once():
    evidence = sound_evidence()
    wrong = replace(evidence.outbox[4], event_type=RECEIVED)
    evidence.outbox[4] = evidence.log[4] = wrong

    assert not check_exactly_once(evidence).holds


@pytest.mark.parametrize("name", ["contacts", "issues", "closed issues", "ratings", "rating levels"])
@pytest.mark.parametrize(("by", "field"), [(1, "doubled"), (-1, "lost")], ids=["too many", "too few"])
def test_a_wrong_count_breaks_exactly_once(name, by, field):
    evidence = sound_evidence()
    evidence.counted[name] += by

    verdict = check_exactly_once(evidence)

    assert not verdict.holds
    assert getattr(verdict, field) == 1


@pytest.mark.parametrize(
    "told",
    [
        [("s1", 2, "60.00"), ("s2", 1, "50.00"), ("s2", 2, None)],
        [("s1", 1, "50.00"), ("s1", 2, "60.00"), ("s1", 2, "60.00"), ("s2", 1, "50.00"), ("s2", 2, None)],
        [("s1", 1, "50.00"), ("s1", 2, "50.00"), ("s2", 1, "50.00"), ("s2", 2, None)],
        [("s1", 1, "50.00"), ("s1", 2, "60.00"), ("s2", 1, "50.00")],
        [("s1", 1, "50.00"), ("s1", 2, "60.00"), ("s2", 1, "50.00"), ("s2", 2, None), ("s3", 1, "1.00")],
    ],
    ids=["left out", "twice", "otherwise than it stands", "loss untold", "invented"],
)
def test_a_score_that_is_told_wrongly_breaks_exactly_once(told):
    evidence = sound_evidence()
    evidence.told_scores = told

    assert not check_exactly_once(evidence).holds


def test_a_score_that_was_never_told_breaks_exactly_once():
    evidence = sound_evidence()
    evidence.scores.append(("s4", 0, "60.00"))

    assert not check_exactly_once(evidence).holds


def test_dead_letters_must_be_the_poison_and_nothing_else():
    assert check_dead_letters(["a", "b"], ["b", "a"]).holds
    assert not check_dead_letters(["a"], ["a", "b"]).holds
    assert not check_dead_letters(["a", "b"], ["a"]).holds
    assert not check_dead_letters(["a", "a"], ["a"]).holds


def test_a_journal_whose_writer_died_in_the_middle_of_a_line_is_read_up_to_there(tmp_path):
    journal = Journal(tmp_path / "journal.jsonl")
    for entry in asked("contact", "c1", "k1"):
        journal.write(entry)
    journal.close()
    whole = journal.file.read_bytes()
    journal.file.write_bytes(whole[:-5])

    history = read_history([journal.file])

    assert history.attempted["contact"] == {"c1"}
    assert history.acked == {}
