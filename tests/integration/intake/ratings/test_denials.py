"""Citizens who know of no such matter: what is kept and told of it, who else is called, how a mistake is undone."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.intake.domain.citizens import Citizen
from services.intake.domain.rating_rules import BadRules, read_rules
from services.intake.handlers import callbacks, contacts, issues
from services.intake.handlers.rating_rules import SHIPPED
from services.intake.storage.rating_links import Rated
from shared.identifiers import new_id
from shared.reach import Reach, acting
from tests.fakes import person
from tests.integration.intake.commands import a_contact, an_issue
from tests.integration.intake.ratings.conftest import PEOPLE

pytestmark = pytest.mark.integration
DENIED = {"result": "reached_no_such_matter"}
RATED = {"result": "reached_rated", "level": 5, "solved": True}
CALLERS = {
    "county-desk": person("clerk", "county", name="county-desk"),
    "second-desk": person("clerk", "county", name="second-desk"),
    "county-desk-again": replace(person("clerk", "county", name="county-desk-again"), person_id="county-desk"),
    "street-clerk": person("clerk", "street", name="street-clerk"),
}


@pytest.fixture(autouse=True)
def callers(monkeypatch):
    for name, principal in CALLERS.items():
        monkeypatch.setitem(PEOPLE, name, principal)


@pytest.fixture
def close(pool, county):
    """A further issue of a citizen of its own, closed some days ago."""
    assert county
    numbers = iter(range(100, 1000))

    def run(*, days_ago=10, staff_number="S1", **changes):
        closed_at = datetime.now(UTC) - timedelta(days=days_ago)
        number = next(numbers)
        command = replace(
            an_issue(staff_number=staff_number, organisation_code="street"),
            **{
                "citizen": Citizen(name=f"居民{number}", phone=f"15400000{number}"),
                "received_at": closed_at - timedelta(days=1),
                "closed_at": closed_at,
                "outcome": "resolved",
                "reply": "已修好",
                **changes,
            },
        )
        [outcome] = issues.receive_issues(pool, [command], now=datetime.now(UTC), allow_odd=True)
        assert outcome.status == "created", outcome
        return command.id

    return run


@pytest.fixture
def call(ask):
    def run(issue_id, body, who="county-desk", kind="issues"):
        return ask("POST", f"/v1/{kind}/{issue_id}/callback-attempts", body, who=who)

    return run


@pytest.fixture
def told(rows):
    def run():
        return rows(
            "SELECT event_type, sequence, payload FROM outbox"
            " WHERE aggregate = 'rating_invitation' AND sequence > 1 ORDER BY id"
        )

    return run


def waiting(rows, origin="follow_up"):
    found = rows(
        "SELECT coalesce(issue_id, contact_id) FROM callback_task WHERE origin = %s AND state = 'open'", origin
    )
    return {record_id for (record_id,) in found}


def test_that_there_was_no_such_matter_is_kept_told_and_no_rating(close, call, rows, told):
    issue = close()

    answer = call(issue, DENIED)

    assert (answer.status_code, answer.json()["rating_id"], answer.json()["follow_up_count"]) == (201, None, 0)
    assert rows("SELECT count(*) FROM rating WHERE issue_id = %s", issue) == [(0,)]
    assert rows("SELECT denial, overruled_by FROM callback_denial WHERE issue_id = %s", issue) == [
        ("no_such_matter", None)
    ]
    [(kind, sequence, payload)] = told()
    assert (kind, sequence) == ("cn.lianxin.rating_invitation.denied.v1", 2)
    assert set(payload) == {"invitation_id", "issue_id", "denial", "denied_at"}
    assert (payload["issue_id"], payload["denial"]) == (str(issue), "no_such_matter")
    assert rows("SELECT id::text FROM rating_invitation WHERE issue_id = %s", issue) == [(payload["invitation_id"],)]


def test_that_somebody_else_asked_is_told_and_nobody_is_called_for_it(close, call, rows, told):
    issue, other = close(), close()

    answer = call(issue, {"result": "reached_did_not_ask"})

    assert answer.json()["follow_up_count"] == 0
    assert [payload["denial"] for _, _, payload in told()] == ["did_not_ask"]
    assert other not in waiting(rows)


def test_then_everybody_is_called_whose_matter_the_same_cadre_closed(close, call, rows, ask):
    found, fresh, old = close(), [close() for _ in range(3)], close(days_ago=400)
    others, nameless = close(staff_number="S2"), close(citizen=None)
    merged = close()
    rows("UPDATE issue SET outcome = 'merged' WHERE id = %s", merged)
    asked, vain = close(), close()
    call(asked, RATED, "second-desk")
    for _ in range(3):
        call(vain, {"result": "not_reached"}, "second-desk")

    answer = call(found, DENIED)

    assert answer.json()["follow_up_count"] == 3
    assert waiting(rows) == set(fresh)
    assert {old, others, nameless, merged, asked, vain}.isdisjoint(waiting(rows))
    listed = ask("GET", "/v1/callback-tasks", who="county-desk").json()["items"]
    assert {one["origin"] for one in listed} == {"follow_up"}
    assert rows("SELECT details FROM audit_record WHERE action = 'callback.follow_up'") == [({"tasks": 3},)]


def test_a_call_that_is_recorded_twice_draws_once(close, call, rows):
    found = close()
    close()
    body = {**DENIED, "id": str(new_id())}

    first, repeat = call(found, body), call(found, body)

    assert [one.json()["follow_up_count"] for one in (first, repeat)] == [1, 1]
    assert (first.status_code, repeat.status_code) == (201, 200)
    assert len(waiting(rows)) == 1
    assert rows("SELECT count(*) FROM callback_denial") == [(1,)]


def test_a_second_finding_calls_only_those_who_were_not_called(close, call, rows):
    issues_of_s1 = [close() for _ in range(4)]
    call(issues_of_s1[0], DENIED)

    second = call(issues_of_s1[1], DENIED)

    assert second.json()["follow_up_count"] == 0
    assert waiting(rows) == set(issues_of_s1[2:])
    assert rows("SELECT state FROM callback_task WHERE issue_id = %s", issues_of_s1[1]) == [("done",)]


def test_an_invented_number_hides_nothing_the_second_one_is_followed_up(close, call, rows):
    """Whoever makes up the citizen as well is never told that there was no such matter."""
    first, second, third = close(), close(), close()

    once = call(first, {"result": "no_such_number"})
    again = call(second, {"result": "wrong_number"})

    assert (once.json()["follow_up_count"], again.json()["follow_up_count"]) == (0, 1)
    assert waiting(rows) == {third}


def test_one_number_that_does_not_hold_twice_is_one(close, call):
    first = close()
    close()

    answers = [call(first, {"result": result}) for result in ("no_such_number", "no_number", "wrong_number")]

    assert [answer.json()["follow_up_count"] for answer in answers] == [0, 0, 0]


def test_a_visit_that_never_was_leads_to_the_others(pool, county, call, rows):
    assert county
    visits = [
        a_contact(
            note="走访", occurred_at=datetime.now(UTC) - timedelta(days=3), citizen=Citizen(phone=f"1540000020{number}")
        )
        for number in range(3)
    ]
    contacts.record_contacts(pool, visits, now=datetime.now(UTC))

    answer = call(visits[0].id, DENIED, kind="contacts")

    assert answer.json()["follow_up_count"] == 2
    assert waiting(rows) == {visits[1].id, visits[2].id}


def test_whoever_was_told_so_does_not_undo_it_but_another_persons_call_does(close, call, rows, told):
    issue = close()
    call(issue, DENIED)

    own = [call(issue, RATED, who) for who in ("county-desk", "county-desk-again")]
    declined = call(issue, {"result": "reached_declined"}, "second-desk")
    other = call(issue, RATED, "second-desk")
    late = call(issue, DENIED, "county-desk")

    assert [(one.status_code, one.json()["title"]) for one in own] == [(409, "own-denial")] * 2
    assert declined.status_code == other.status_code == 201
    assert (late.status_code, late.json()["title"]) == (409, "already-rated")
    assert rows("SELECT overruled_by IS NOT NULL FROM callback_denial") == [(True,)]
    assert [(kind.removeprefix("cn.lianxin.rating_invitation."), sequence) for kind, sequence, _ in told()] == [
        ("denied.v1", 2),
        ("denial_overruled.v1", 3),
    ]
    [(denied, overruled)] = [[payload["invitation_id"] for _, _, payload in told()]]
    assert denied == overruled
    assert rows("SELECT count(*) FROM audit_record WHERE action = 'callback.overrule'") == [(1,)]


def test_what_is_denied_is_denied_once(close, call, told):
    issue = close()
    call(issue, DENIED)

    again = call(issue, DENIED, "second-desk")

    assert (again.status_code, again.json()["title"]) == (409, "already-denied")
    assert len(told()) == 1


@pytest.mark.parametrize("who", ["street-clerk", "street-officer", "first", "kiosk", "auditor"])
def test_nobody_with_a_part_in_it_denies_or_undoes(close, call, rows, who):
    issue = close()
    assert call(issue, DENIED, who).status_code == 403
    call(issue, DENIED)

    assert call(issue, RATED, who).status_code == 403
    assert rows("SELECT count(*) FROM callback_denial WHERE overruled_by IS NULL") == [(1,)]


@pytest.mark.parametrize("extra", [{"level": 1}, {"solved": False}, {"comment": "没有这事"}, {"origin": "sample"}])
def test_a_denial_carries_no_answers(close, call, rows, extra):
    assert call(close(), {**DENIED, **extra}).status_code == 422
    assert rows("SELECT count(*) FROM callback_attempt") == [(0,)]


def test_a_rating_says_why_its_citizen_was_called(close, call, rows):
    found, followed, by_hand = close(), close(), close(staff_number="S2")
    call(found, DENIED)
    call(followed, RATED)
    call(by_hand, RATED)

    told = rows("SELECT payload FROM outbox WHERE event_type = 'cn.lianxin.rating.submitted.v1'")

    called = {payload["issue_id"]: payload.get("call_origin") for (payload,) in told if "issue_id" in payload}
    assert (called[str(followed)], called[str(by_hand)]) == ("follow_up", None)


def test_the_cadre_is_shown_nothing_of_calls_to_come_or_denials(close, call, ask, rows):
    """Called, denied, others drawn: not a byte of what the cadre and those around are shown moves."""
    found, other = close(), close()
    readers = ("first", "street-clerk", "street-officer", "town-head")
    paths = [f"/v1/issues/{found}", f"/v1/issues/{other}", "/v1/issues", "/v1/cadres/S1", "/v1/changes"]
    paths += ["/v1/callback-tasks", "/v1/rating-invitations", f"/v1/issues/{other}/steps"]

    def shown():
        return [
            (who, path, one.status_code, _entries(one))
            for who in readers
            for path in paths
            for one in [ask("GET", path, who=who)]
        ]

    before = shown()
    assert call(found, DENIED).json()["follow_up_count"] == 1

    assert shown() == before
    assert [status for who, path, status, _ in before if path == "/v1/issues" and who == "first"] == [200]
    assert waiting(rows) == {other}


def _entries(answer):
    """Without the positions of the feed, which tell the time at which they were given."""
    body = answer.json()
    return [{name: value for name, value in one.items() if name != "position"} for one in body.get("items", [body])]


def test_follow_ups_of_two_findings_at_once_do_not_double(pool, close, rules, rows):
    found, others = [close(), close()], [close() for _ in range(5)]

    def deny(issue_id):
        reach = Reach(kind="everywhere", person_id="county-desk", role="clerk", account_id=new_id())
        one = callbacks.Call(
            id=new_id(), rated=Rated(issue_id=issue_id), result="reached_no_such_matter", attempted_at=None
        )
        with acting(reach):
            return callbacks.record_call(pool, one, CALLERS["county-desk"], rules=rules, now=datetime.now(UTC))

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(deny, found))

    assert waiting(rows) - set(found) == set(others)
    assert rows("SELECT count(*) FROM callback_task WHERE issue_id = ANY(%s)", others) == [(5,)]


def test_rules_of_an_older_release_follow_nothing_up():
    text = SHIPPED.read_text("utf-8")
    begins, ends = text.index("[follow_up]"), text.index("[comment]")
    old = text[:begins] + text[ends:]
    old = "\n".join(line for line in old.splitlines() if not line.startswith("self_attested_share"))

    rules = read_rules(old)

    assert (rules.follow_up, rules.self_attested_share) == (None, None)


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ('after = ["no_such_matter"]', 'after = ["busy"]'),
        ('after = ["no_such_matter"]', "after = 3"),
        ("vain_numbers = 2", "vain_numbers = -1"),
        ("vain_numbers = 2", "vain_numbers = true"),
        ("vain_numbers = 2", ""),
        ("days = 365", "days = 0"),
        ("days = 365", "days = 1.5"),
        ("days = 365", "days = 365\nmost = 5"),
        ("self_attested_share = 0.1", "self_attested_share = 0"),
        ("self_attested_share = 0.1", "self_attested_share = 1.01"),
        ("self_attested_share = 0.1", 'self_attested_share = "all"'),
    ],
)
def test_rules_that_follow_up_nonsense_do_not_read(line, instead):
    text = SHIPPED.read_text("utf-8")
    assert line in text

    with pytest.raises(BadRules):
        read_rules(text.replace(line, instead))
