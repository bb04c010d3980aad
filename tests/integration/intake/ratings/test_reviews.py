"""Odd ratings are set aside, and whether one counts is for another person to say than anybody who had a part in it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.intake.domain.citizens import describe_citizen
from services.intake.domain.ratings import Answers
from services.intake.handlers import contacts, issues, rating_links, rating_signals, ratings
from services.intake.handlers.rating_rules import load_rating_rules
from services.intake.storage.rating_links import Rated
from shared.identifiers import new_id
from shared.policy import decide
from shared.settings import UnsafeSetting
from tests.integration.intake.commands import a_contact, a_rating, an_issue
from tests.integration.intake.conftest import NOW
from tests.integration.intake.ratings.conftest import PEOPLE

pytestmark = pytest.mark.integration
MALICIOUS = {"reason_code": "malicious_review", "reason": "与事项无关，专门攻击"}
GENUINE = {"reason_code": "genuine", "reason": "已核实为本人所评"}


@pytest.fixture
def states(rows):
    return lambda: rows("SELECT state, count(*) FROM rating GROUP BY state ORDER BY state")


@pytest.fixture
def signals_of(rows):
    def read(rating_id):
        found = rows("SELECT signals FROM rating_case WHERE rating_id = %s AND kind = 'quarantine'", rating_id)
        return found[0][0] if found else []

    return read


@pytest.fixture
def make(pool, rules):
    """Submit a rating under the rules, now unless told."""

    def run(now=None, **changes):
        command = a_rating(**{"method": "app", "level": 5, **changes})
        [outcome] = ratings.submit_ratings(pool, [command], rules=rules, now=now or datetime.now(UTC))
        assert outcome.status == "created", outcome
        return command.id

    return run


@pytest.fixture
def traced(pool, county):
    """A contact that left more than a line in the book."""
    assert county

    def run(**changes):
        command = a_contact(note="走访了解灌溉情况", **changes)
        [outcome] = contacts.record_contacts(pool, [command], now=NOW)
        assert outcome.status == "created"
        return command.id

    return run


def a_citizen(phone, name="张三"):
    return describe_citizen(name=name, phone=phone, today=NOW.date())


def told_of(rows, rating_id):
    found = rows("SELECT event_type, sequence FROM outbox WHERE aggregate_id = %s ORDER BY sequence", rating_id)
    return [(kind.split(".")[3], sequence) for kind, sequence in found]


def test_a_plain_rating_counts(make, traced, states, signals_of):
    rating_id = make(contact_id=traced())

    assert signals_of(rating_id) == []
    assert ("quarantined", 1) not in states()


def test_what_was_filled_in_faster_than_it_can_be_read_is_set_aside(rate, token, rows, closed, signals_of):
    assert rate(token, seconds_ago=1).status_code == 201
    [[rating_id, state]] = rows("SELECT id, state FROM rating WHERE issue_id = %s", closed)

    assert (state, signals_of(rating_id)) == ("quarantined", ["too_fast"])
    assert told_of(rows, rating_id) == [("submitted", 1), ("quarantined", 2)]
    [[payload]] = rows(
        "SELECT payload FROM outbox WHERE aggregate_id = %s AND event_type LIKE '%%quarantined%%'", rating_id
    )
    assert payload["rules"] == "default-2"
    assert set(payload) == {"rating_id", "signals", "rules", "quarantined_at"}
    assert rows("SELECT reason FROM audit_record WHERE action = 'rating.quarantine'") == [("too_fast",)]


def test_many_from_one_network_count_up_to_the_threshold_and_the_rest_waits(pool, county, rules, rows):
    """Five count, the rest is kept and waits for a person. The door itself takes ten tries a minute."""
    assert county
    commands = [
        replace(an_issue(staff_number="S1", organisation_code="street"), outcome="resolved", reply="好", closed_at=NOW)
        for _ in range(9)
    ]
    issues.receive_issues(pool, commands, now=NOW)
    started = datetime.now(UTC)
    for number, command in enumerate(commands):
        at = started + timedelta(seconds=30 * number)
        rating_links.issue_link(pool, Rated(issue_id=command.id), f"token-{number}", now=at)
        given = rating_links.GivenRating(
            token=f"token-{number}",
            answers=Answers(level=5),
            opened_at=at - timedelta(seconds=20),
            network="192.0.2.0/24",
        )
        rating_links.rate_by_link(pool, given, rules=rules, correlation_id="many", now=at)

    assert rows(
        "SELECT state, count(*) FROM rating WHERE issue_id = ANY(%s) GROUP BY state ORDER BY state",
        [command.id for command in commands],
    ) == [("counted", 5), ("quarantined", 4)]


def test_a_rater_with_a_telephone_of_the_staff_is_set_aside(ask, pool, county, make, signals_of, rows):
    assert county
    told = ask("PUT", "/v1/cadres/S3/phones", {"phones": ["138 1234 5678", "１３９１２３４５６７８"]}, who="registrar")
    issue = an_issue(staff_number="S1", organisation_code="street", citizen=a_citizen("13912345678"))
    issues.receive_issues(pool, [issue], now=NOW)

    assert told.json() == {"status": "changed", "count": 2}
    assert signals_of(make(issue_id=issue.id)) == ["staff_phone"]
    assert "13912345678" not in str(rows("SELECT array_agg(row_to_json(t)::text) FROM staff_phone AS t"))
    assert ask("PUT", "/v1/cadres/S3/phones", {"phones": ["12345"]}, who="registrar").status_code == 422
    assert ask("PUT", "/v1/cadres/S9/phones", {"phones": []}, who="registrar").status_code == 404


def test_one_telephone_rates_a_cadre_three_times_in_ninety_days(pool, county, make, signals_of):
    """Also under several names: a clerk who makes contacts up gives the own number with them."""
    assert county
    found = []
    for number in range(5):
        contact = a_contact(note="走访", citizen=a_citizen("13712345678", name=f"张三{'甲乙丙丁戊'[number]}"))
        contacts.record_contacts(pool, [contact], now=NOW)
        found.append(signals_of(make(contact_id=contact.id)))

    assert found == [[], [], [], ["phone_too_often"], ["phone_too_often"]]


def test_a_contact_that_left_no_other_trace_is_set_aside(pool, county, make, signals_of):
    assert county
    contact = a_contact()
    contacts.record_contacts(pool, [contact], now=NOW)

    assert signals_of(make(contact_id=contact.id)) == ["contact_without_trace"]
    assert signals_of(make(contact_id=contact.id, method="callback")) == []  # somebody else has asked


@pytest.mark.parametrize(
    ("hour", "who", "found"), [(15, "kiosk", True), (15, "county-kiosk", False), (2, "kiosk", False)]
)
def test_who_records_and_rates_at_night_is_looked_at(pool, county, make, signals_of, hour, who, found):  # noqa: PLR0917
    """15 UTC is 23 o'clock in China, 2 UTC is 10 o'clock on a Monday."""
    assert county
    at = datetime(2026, 3, 2, hour, 0, tzinfo=UTC)
    contact = a_contact(note="走访", reach=decide(PEOPLE["kiosk"], "contact.record", now=at), occurred_at=NOW)
    [outcome] = contacts.record_contacts(pool, [contact], now=at)
    assert outcome.status == "created", outcome

    rating_id = make(now=at, contact_id=contact.id, reach=decide(PEOPLE[who], "rating.submit", now=at))

    assert ("same_hand_after_hours" in signals_of(rating_id)) == found


def test_a_cadre_with_far_more_top_ratings_than_all_others_is_looked_at(pool, traced, make, rules, rows):
    signals = replace(rules.signals, share_ratings=2, share_cadres=2, share_z_score=0.9)
    strange = replace(rules, signals=signals)
    for number, level in (("S1", 5), ("S2", 2)):
        for _ in range(3):
            make(contact_id=traced(staff_number=number), level=level)
    now = datetime.now(UTC)

    moved = rating_signals.sweep_outliers(pool, strange, now=now)
    again = rating_signals.sweep_outliers(pool, strange, now=now)

    assert (moved > 0, again) == (True, 0)
    assert rows("SELECT DISTINCT signals, rating.level FROM rating_case JOIN rating ON rating.id = rating_id") == [
        (["share_z_score"], 5)
    ]
    assert rating_signals.sweep_outliers(pool, rules, now=now) == 0  # too few of each for the shipped thresholds


def test_what_a_person_lets_count_again_counts(ask, rate, token, rows):
    rate(token, 1, seconds_ago=1)
    [case] = ask("GET", "/v1/rating-cases", who="county-officer").json()["items"]

    shown = ask("GET", f"/v1/rating-cases/{case['id']}", who="auditor").json()
    decided = ask(
        "POST", f"/v1/rating-cases/{case['id']}/decision", {"decision": "count", **GENUINE}, who="county-officer"
    )
    again = ask(
        "POST", f"/v1/rating-cases/{case['id']}/decision", {"decision": "remove", **MALICIOUS}, who="county-approver"
    )

    assert (shown["signals"], shown["state"], shown["rules"]) == (["too_fast"], "open", "default-2")
    assert decided.json()["rating_state"] == "counted"
    assert (again.status_code, again.json()["title"]) == (409, "rating-case-decided")
    assert told_of(rows, case["rating_id"]) == [("submitted", 1), ("quarantined", 2), ("reviewed", 3)]
    [[reason, details]] = rows("SELECT reason, details FROM audit_record WHERE action = 'rating_case.decide'")
    assert reason == "genuine"
    assert (details["decision"], details["opened_for"]) == ("count", "too_fast")
    assert "核实" not in str(rows("SELECT array_agg(row_to_json(t)::text) FROM rating_case AS t"))


def test_a_rating_leaves_only_by_two_persons_and_comes_back_the_same_way(ask, rate, token, rows, closed):
    rate(token, 1)
    [[rating_id]] = rows("SELECT id FROM rating WHERE issue_id = %s", closed)
    path = f"/v1/ratings/{rating_id}/cases"

    opened = ask("POST", path, {"kind": "removal", **MALICIOUS}, who="county-officer")
    twice = ask("POST", path, {"kind": "removal", **MALICIOUS}, who="town-officer")
    waiting = rows("SELECT state FROM rating WHERE id = %s", rating_id)
    decision = f"/v1/rating-cases/{opened.json()['id']}/decision"
    alone = ask("POST", decision, {"decision": "remove", **MALICIOUS}, who="county-officer")
    second_account = ask("POST", decision, {"decision": "remove", **MALICIOUS}, who="county-officer-again")
    removed = ask("POST", decision, {"decision": "remove", **MALICIOUS}, who="county-approver")

    assert (opened.status_code, twice.status_code, waiting) == (201, 409, [("counted",)])
    assert [(one.status_code, one.json()["title"]) for one in (alone, second_account)] == [(409, "own-case")] * 2
    assert removed.json()["rating_state"] == "removed"
    assert ask("POST", path, {"kind": "removal", **MALICIOUS}, who="county-officer").status_code == 409
    back = ask("POST", path, {"kind": "restoration", **GENUINE}, who="county-officer").json()["id"]
    restored = ask("POST", f"/v1/rating-cases/{back}/decision", {"decision": "count", **GENUINE}, who="county-approver")
    assert restored.json()["rating_state"] == "counted"
    assert told_of(rows, rating_id) == [("submitted", 1), ("reviewed", 2), ("reviewed", 3)]


def test_whoever_had_a_part_in_it_finds_no_such_rating(ask, rate, token, rows, closed):
    rate(token, 1, seconds_ago=1)
    [[rating_id]] = rows("SELECT id FROM rating WHERE issue_id = %s", closed)
    [case] = ask("GET", "/v1/rating-cases", who="county-officer").json()["items"]
    body = {"decision": "remove", **MALICIOUS}

    for who in ("street-officer", "harbour-officer"):  # the unit's own line, and another unit
        assert ask("GET", "/v1/rating-cases", who=who).json()["items"] == []
        assert ask("GET", f"/v1/rating-cases/{case['id']}", who=who).status_code == 404
        assert ask("POST", f"/v1/rating-cases/{case['id']}/decision", body, who=who).status_code == 404
        assert (
            ask("POST", f"/v1/ratings/{rating_id}/cases", {"kind": "removal", **MALICIOUS}, who=who).status_code == 404
        )
    for who in ("town-clerk", "first", "town-head", "gateway", "kiosk"):
        assert ask("GET", "/v1/rating-cases", who=who).status_code == 403
        assert ask("POST", f"/v1/rating-cases/{case['id']}/decision", body, who=who).status_code == 403
    rows("UPDATE issue SET assisting = ARRAY[(SELECT id FROM organisation WHERE code = 'town')] WHERE id = %s", closed)
    assert ask("GET", f"/v1/rating-cases/{case['id']}", who="town-officer").status_code == 404  # assists by now
    assert ask("GET", f"/v1/rating-cases/{case['id']}", who="county-officer").status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "quarantine", **MALICIOUS},
        {"kind": "removal", "reason_code": "disliked", "reason": "x"},
        {"kind": "removal", "reason_code": "malicious_review"},
        {"kind": "removal", **MALICIOUS, "state": "decided"},
        {"kind": "removal", **MALICIOUS, "decided_by": str(new_id())},
        {"kind": "removal", **MALICIOUS, "reason": "a\u202eb"},
    ],
)
def test_a_case_without_a_reason_that_can_be_kept_is_none(ask, rate, token, rows, closed, body):
    rate(token, 1)
    [[rating_id]] = rows("SELECT id FROM rating WHERE issue_id = %s", closed)

    assert ask("POST", f"/v1/ratings/{rating_id}/cases", body, who="county-officer").status_code == 422
    assert rows("SELECT count(*) FROM rating_case") == [(0,)]


def test_rules_that_do_not_read_start_nothing(settings, tmp_path):
    file = tmp_path / "rules.toml"
    for text in ("", "x = ", 'name = "a"\nversion = 1\n[signals]\nphone_most = 3', "\x00"):
        file.write_text(text)
        with pytest.raises(UnsafeSetting):
            load_rating_rules(settings.model_copy(update={"rating_rules": file}))
    shipped = load_rating_rules(settings)
    assert (shipped.label, shipped.signals.phone_most, shipped.signals.network_an_hour) == ("default-2", 3, 5)


def test_a_cadre_sees_the_same_whatever_becomes_of_a_rating(ask, rate, token, closed):
    """Rated, amended, set aside, let count: not a byte of what cadre, clerk and head are shown moves."""
    paths = [f"/v1/issues/{closed}", "/v1/issues", "/v1/organisations", "/v1/cadres/S1"]

    def shown():
        answers = [
            (who, path, ask("GET", path, who=who)) for who in ("first", "town-clerk", "town-head") for path in paths
        ]
        volatile = {"x-correlation-id", "date"}
        return [
            (who, path, one.status_code, one.content, {k: v for k, v in one.headers.items() if k not in volatile})
            for who, path, one in answers
        ]

    before = shown()
    rate(token, 1, seconds_ago=1, comment="索要好处费")
    assert shown() == before
    rate(token, 5)
    [case] = ask("GET", "/v1/rating-cases", who="county-officer").json()["items"]
    ask("POST", f"/v1/rating-cases/{case['id']}/decision", {"decision": "count", **GENUINE}, who="county-officer")
    assert shown() == before
