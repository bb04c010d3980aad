"""The steps of an issue over HTTP on PostgreSQL: who takes them, what they leave in the log, and what is refused."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.intake.domain.commands.registers import RegisterOrganisation
from services.intake.handlers import posts, registers
from shared.database import transaction
from shared.identifiers import new_id
from tests.fakes import machine, person
from tests.integration.intake.commands import a_post
from tests.integration.intake.conftest import NOW
from tests.integration.intake.door import Door

pytestmark = pytest.mark.integration


@pytest.fixture
def door(registered, tmp_path):
    """A county desk, a town's people with S1 among them, a second town, and officers who decide."""
    registers.register_organisations(
        registered,
        [
            RegisterOrganisation(
                id=new_id(), correlation_id="t", code=code, name=code, level="61", parent_code="county"
            )
            for code in ("north", "south", "west")
        ],
        now=NOW,
    )
    posts.record_posts(registered, [a_post(staff_number="S1", organisation_code="town")], now=NOW)
    people = {
        "desk": person("clerk", "county", name="desk"),
        "clerk": person("clerk", "town", name="clerk"),
        "cadre": person("cadre", "town", name="cadre", staff_number="S1"),
        "other": person("cadre", "town", name="other", staff_number="S2"),
        "officer": person("department_officer", "county", name="officer"),
        "approver": person("approver", "county", name="approver"),
        "portal": machine(organisation_code="county", name="portal"),
    }
    return Door(registered, people, tmp_path)


MIGRATIONS = Path(__file__).parents[3] / "services" / "intake" / "migrations"
NAMES = ("张三", "李四", "赵五")


def receive(door, who="desk", **changes):
    body = {
        "id": str(new_id()), "type": "help", "category": "roads", "channel": "phone", "title": "路灯不亮",
        "organisation_code": "county", **changes,
    }  # fmt: skip
    answer = door.post(who, "/v1/issues", body)
    assert answer.status_code == 201, answer.text
    return f"/v1/issues/{body['id']}"


def step(door, who, issue, path, body=None, **headers):
    method = "PUT" if path in {"urgency", "assisting-units"} else "POST"
    answer = door.ask(who, method, f"{issue}/{path}", {} if body is None else body, **headers)
    document = answer.json()
    return document.get("status") if answer.status_code == 200 else document["type"].rpartition(":")[2]


def show(door, issue, who="desk"):
    return door.get(who, issue).json()


def kinds(door, issue, who="desk"):
    return [item["kind"] for item in door.get(who, f"{issue}/steps").json()["items"]]


def test_a_whole_life_is_in_the_log_and_every_step_has_its_event(door, events_of):
    issue = receive(door, citizen={"name": "张三", "phone": "13812345678"})

    taken = [
        step(door, "desk", issue, "assignments", {"organisation_code": "town", "staff_number": "S1"}),
        step(door, "cadre", issue, "signature"),
        step(door, "cadre", issue, "responses"),
        step(door, "cadre", issue, "start"),
        step(door, "clerk", issue, "pauses", {"reason_code": "waiting_for_citizen", "note": "张三在外地"}),
        step(door, "clerk", issue, "resumption"),
        step(door, "desk", issue, "urgency", {"urgency": "urgent", "reason_code": "danger"}),
        step(door, "desk", issue, "assisting-units", {"organisation_codes": ["north", "south"]}),
        step(door, "cadre", issue, "replies", {"text": "已修好，张三", "means": "phone"}),
        step(door, "clerk", issue, "closure", {"outcome": "resolved"}),
        step(door, "portal", issue, "reopening", {"reason_code": "not_solved", "asked_by": "citizen"}),
        step(door, "clerk", issue, "closure", {"outcome": "resolved", "reply": "这次真修好了", "means": "sms"}),
        step(door, "officer", issue, "redos", {"reason_code": "failed_audit"}),
    ]

    assert taken == ["changed"] * len(taken)
    log = door.get("desk", f"{issue}/steps").json()["items"]
    assert [item["sequence"] for item in log] == list(range(1, len(log) + 1))
    assert [item["kind"] for item in log] == [
        "received", "assigned", "signed", "contacted", "started", "paused", "resumed", "urgency_set", "assisting_set",
        "replied", "closed", "reopened", "closed", "redo_ordered",
    ]  # fmt: skip
    assert [item["note"] for item in log if item["note"]] == ["张三在外地"]
    assert [item["reply"] for item in log if item["reply"]] == ["已修好，张三", "这次真修好了"]
    told = events_of(issue.rpartition("/")[2])
    assert [sequence for _, sequence in told] == [item["sequence"] for item in log]
    now = show(door, issue)
    assert (now["status"], now["redo_count"], now["urgency"]) == ("in_progress", 1, "urgent")
    assert (now["first_organisation_code"], now["first_staff_number"]) == ("county", None)
    assert set(now["assisting"]) == {"north", "south"}


@pytest.mark.parametrize(
    ("who", "is_told_before", "says"),
    [("cadre", True, [True, True]), ("cadre", False, [None, None]), ("portal", True, [None, True])],
)
def test_an_event_says_when_a_person_told_a_time_afterwards(door, ask, who, is_told_before, says):
    """What another system tells has that system's times."""
    issue = receive(door, received_at=(datetime.now(UTC) - timedelta(hours=1)).isoformat())
    earlier = (datetime.now(UTC) - timedelta(minutes=20)).isoformat()
    responded, closed = ({name: earlier} if is_told_before else {} for name in ("responded_at", "closed_at"))
    taken = [
        step(door, "desk", issue, "assignments", {"organisation_code": "town", "staff_number": "S1"}),
        step(door, who, issue, "responses", responded),
        step(door, "clerk", issue, "closure", {"outcome": "resolved", "reply": "修好了", "means": "sms", **closed}),
    ]
    assert taken == ["changed"] * len(taken)

    rows = ask(
        """
        SELECT (payload ->> 'recorded_at')::timestamptz = recorded_at
          FROM outbox
         WHERE aggregate_id::text = %s AND event_type ~ 'responded|closed'
         ORDER BY id
        """,
        issue.rpartition("/")[2],
    )

    assert [row[0] for row in rows] == says


def test_no_word_of_a_step_lies_in_clear(door, ask):
    issue = receive(door, organisation_code="town", citizen={"name": "张三", "phone": "13812345678"})
    step(door, "clerk", issue, "pauses", {"reason_code": "waiting_for_citizen", "note": "张三在外地"})
    step(door, "clerk", issue, "replies", {"text": "已修好，张三", "means": "phone"})
    step(door, "clerk", issue, "closure", {"outcome": "resolved"})

    rows = [str(row) for table in ("issue_step", "issue", "outbox") for row in ask(f"SELECT t::text FROM {table} AS t")]  # noqa: S608

    assert len(rows) > 4
    for text in ("张三在外地", "已修好，张三"):
        assert not [row for row in rows if text in row or text.encode().hex() in row]


def test_what_older_releases_told_becomes_the_log_that_stands(door, ask):
    """The statement that fills the log of older issues, read against issues whose log is known."""
    for outcome in ("resolved", "withdrawn"):
        issue = receive(door)
        step(door, "desk", issue, "assignments", {"organisation_code": "town", "staff_number": "S1"})
        step(door, "clerk", issue, "responses")
        step(door, "clerk", issue, "closure", {"outcome": outcome, "reply": "已修好"})
    filling = (MIGRATIONS / "0021_fill_issue_step.sql").read_text("utf-8")
    told = filling[filling.index("SELECT issue.id") :].rstrip().rstrip(";")

    names = "issue_id, sequence, kind, happened_at, recorded_at, details, reply_sealed"
    shown = names.replace("details", "details - 'assignment' - 'urgency'")  # which those did not tell
    logged = ask(f"SELECT {shown} FROM issue_step ORDER BY issue_id, sequence")  # noqa: S608
    filled = ask(f"SELECT {shown} FROM ({told}) AS f ({names}) ORDER BY issue_id, sequence")  # noqa: S608

    assert filled == logged
    assert len(filled) == 8


def test_a_step_taken_twice_is_one_step(door):
    issue = receive(door, organisation_code="town", staff_number="S1")
    later = datetime.now(UTC).isoformat()
    steps = [
        ("clerk", "signature", {"signed_at": later}),
        ("clerk", "start", {"started_at": later}),
        ("clerk", "responses", {"responded_at": later}),
        ("desk", "urgency", {"urgency": "critical", "reason_code": "danger"}),
        ("desk", "assisting-units", {"organisation_codes": ["north"]}),
        ("clerk", "exclusions", {"reason_code": "legal_channel"}),
        ("officer", "exclusions/decision", {"decision": "exclude", "reason_code": "judicial_matter"}),
        ("clerk", "replies", {"text": "已修好", "means": "phone"}),
        ("clerk", "closure", {"outcome": "resolved"}),
    ]

    answers = [(step(door, who, issue, path, body), step(door, who, issue, path, body)) for who, path, body in steps]
    keyed = [step(door, "officer", issue, "redos", {"reason_code": "not_solved"}, idempotency_key="k") for _ in "ab"]

    assert answers == [("changed", "unchanged")] * len(steps)
    assert keyed == ["changed", "unchanged"]
    assert len(kinds(door, issue)) == 1 + len(steps) + 1
    assert show(door, issue)["excluded"] == "rating"


def test_the_table_refuses_what_does_not_fit_the_state(door):
    issue = receive(door)
    assert step(door, "desk", issue, "resumption") == "not-paused"
    assert step(door, "desk", issue, "closure", {"outcome": "resolved"}) == "reply-missing"
    assert (
        step(door, "desk", issue, "closure", {"outcome": "not_accepted", "reply": "不属受理范围"}) == "reason-missing"
    )
    assert step(door, "desk", issue, "closure", {"outcome": "merged", "reply": "并单"}) == "merge-target-missing"
    assert step(door, "desk", issue, "redos", {"reason_code": "not_solved"}) == "step-not-allowed"
    assert step(door, "desk", issue, "return", {"reason_code": "not_our_duty"}) == "nobody-to-return-to"
    assert (
        step(door, "desk", issue, "extensions", {"due_at": "2030-01-01T00:00:00Z", "reason_code": "other"})
        == "no-deadline"
    )
    assert step(door, "desk", issue, "signature", {"signed_at": "2020-01-01T00:00:00Z"}) == "before-received"
    closing = {"outcome": "not_accepted", "reply": "不属受理范围", "reason_code": "legal_channel"}
    assert step(door, "desk", issue, "closure", closing) == "changed"
    assert step(door, "desk", issue, "start") == "already-closed"
    assert step(door, "desk", issue, "urgency", {"urgency": "urgent", "reason_code": "danger"}) == "already-closed"
    assert kinds(door, issue) == ["received", "closed"]


def test_a_return_goes_to_whom_it_came_from_and_out_of_the_senders_sight(door):
    issue = receive(door)
    step(door, "desk", issue, "assignments", {"organisation_code": "town", "reason_code": "by_area"})

    assert step(door, "clerk", issue, "return", {"reason_code": "not_our_area"}) == "changed"

    assert show(door, issue)["organisation_code"] == "county"
    assert door.get("clerk", issue).status_code == 404
    assert step(door, "clerk", issue, "return", {"reason_code": "not_our_area"}) == "issue-not-found"
    details = [item["details"] for item in door.get("desk", f"{issue}/steps").json()["items"]]
    assert [one.get("assignment") for one in details] == [None, "transfer", "return"]


def test_a_later_deadline_is_granted_by_another_person_and_within_bounds(door):
    due_at = datetime.now(UTC) + timedelta(days=5)
    issue = receive(door, organisation_code="town", staff_number="S1", due_at=due_at.isoformat())
    ask = {"reason_code": "complex_case"}
    wanted = {**ask, "due_at": (due_at + timedelta(days=10)).isoformat()}

    assert step(door, "cadre", issue, "extensions", {**ask, "due_at": (due_at + timedelta(days=31)).isoformat()}) == (
        "extension-out-of-bounds"
    )
    assert step(door, "cadre", issue, "extensions", wanted) == "changed"
    assert step(door, "cadre", issue, "extensions", wanted) == "unchanged"
    assert step(door, "clerk", issue, "extensions", wanted) == "already-asked"
    assert step(door, "officer", issue, "extensions/decision", {"decision": "grant"}) == "changed"
    assert step(door, "officer", issue, "extensions/decision", {"decision": "grant"}) == "unchanged"
    assert step(door, "approver", issue, "extensions/decision", {"decision": "refuse"}) == "already-decided"
    assert datetime.fromisoformat(show(door, issue)["due_at"]) == due_at + timedelta(days=10)


def test_nobody_decides_on_the_own_request_not_even_by_a_second_account(door):
    issue = receive(door, who="desk")
    people = door.people.principals
    people["clerk again"] = replace(
        person("department_officer", "county", name="clerk again"), person_id=people["desk"].person_id
    )

    assert step(door, "desk", issue, "exclusions", {"reason_code": "outside_duties"}) == "changed"
    assert step(door, "clerk again", issue, "exclusions/decision", {"decision": "refuse"}) == "own-request"
    assert step(door, "officer", issue, "exclusions/decision", {"decision": "refuse"}) == "changed"
    assert step(door, "officer", issue, "exclusions/decision", {"decision": "refuse"}) == "unchanged"
    assert show(door, issue)["excluded"] is None


def test_duplicates_go_on_as_one_and_both_citizens_are_answered(door):
    one, two, three = (
        receive(door, citizen={"name": name, "phone": "13812345678"}) for name in ("张三", "李四", "王五")
    )
    into = {"into_id": one.rpartition("/")[2], "reply": "与另一诉求并案办理"}

    assert step(door, "desk", one, "merger", into) == "merge-refused"
    assert step(door, "desk", two, "merger", into) == "changed"
    assert step(door, "desk", two, "merger", into) == "unchanged"
    assert step(door, "desk", three, "merger", {**into, "into_id": two.rpartition("/")[2]}) == "merge-refused"
    assert step(door, "desk", one, "merger", {**into, "into_id": three.rpartition("/")[2]}) == "merge-refused"
    assert step(door, "desk", three, "merger", {**into, "into_id": str(new_id())}) == "other-issue-unknown"
    closing = {"outcome": "resolved", "reply": "张三您好，已修好", "means": "phone"}
    assert step(door, "desk", one, "closure", closing) == "merged-reply-missing"
    assert step(door, "desk", one, "closure", {**closing, "reply_to_merged": "已修好"}) == "changed"

    assert (show(door, two)["status"], show(door, two)["outcome"], show(door, two)["reply"]) == (
        "closed", "merged", "已修好",
    )  # fmt: skip
    assert kinds(door, two) == ["received", "merged", "closed", "replied"]
    assert step(door, "desk", two, "reopening", {"reason_code": "not_solved", "asked_by": "clerk"}) == "unknown-reason"
    assert step(door, "desk", two, "reopening", {"reason_code": "wrongly_merged", "asked_by": "clerk"}) == "changed"
    assert show(door, two)["merged_into"] is None


def test_problem_orders_surface_by_themselves(door, events_of):
    redone = receive(door)
    for _ in range(3):
        step(door, "desk", redone, "closure", {"outcome": "resolved", "reply": "已修好"})
        step(door, "desk", redone, "redos", {"reason_code": "not_solved"})
    passed = receive(door)
    for code in ("town", "north", "south", "west"):
        step(door, "desk", passed, "assignments", {"organisation_code": code})
    circling = receive(door, organisation_code="town")
    for _ in range(2):
        step(door, "clerk", circling, "objections", {"reason_code": "not_our_duty"})
        step(door, "officer", circling, "objections/decision", {"decision": "dismiss"})
    calm = receive(door)

    listed = door.get("desk", "/v1/issues?problem=true").json()["items"]

    assert {item["id"]: item["problem_code"] for item in listed} == {
        redone.rpartition("/")[2]: "redone_too_often",
        passed.rpartition("/")[2]: "no_lead",
        circling.rpartition("/")[2]: "objections_in_circles",
    }
    assert calm.rpartition("/")[2] not in {item["id"] for item in listed}
    assert [kind for kind, _ in events_of(redone.rpartition("/")[2])][-2:] == [
        "issue.redo_ordered", "issue.problem_raised",
    ]  # fmt: skip
    assert door.get("cadre", "/v1/issues?problem=true").json()["items"] == []


def test_an_upheld_objection_leads_to_another_unit_and_the_first_receiver_stays(door):
    issue = receive(door, organisation_code="town", staff_number="S1")

    assert step(door, "clerk", issue, "objections", {"reason_code": "not_our_area", "note": "属北街"}) == "changed"
    assert step(door, "officer", issue, "objections/decision", {"decision": "uphold"}) == "changed"
    moved = {"organisation_code": "north", "kind": "redispatch"}
    assert step(door, "desk", issue, "assignments", moved) == "changed"

    now = show(door, issue)
    assert (now["organisation_code"], now["first_organisation_code"], now["first_staff_number"]) == (
        "north", "town", "S1",
    )  # fmt: skip


def test_a_closed_issue_opens_again_within_the_window_only(door, registered):
    issue = receive(door)
    step(door, "desk", issue, "closure", {"outcome": "resolved", "reply": "已修好"})

    with transaction(registered) as connection:
        connection.execute(
            "UPDATE issue SET received_at = received_at - interval '20 days',"
            " closed_at = closed_at - interval '16 days'"
        )

    body = {"reason_code": "not_solved", "asked_by": "citizen"}
    assert step(door, "portal", issue, "reopening", body) == "window-passed"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("pauses", {}),
        ("pauses", {"reason_code": "because"}),
        ("pauses", {"reason_code": "other", "actor_id": "x"}),
        ("escalations", {"level": 0, "reason_code": "overdue"}),
        ("escalations", {"level": True, "reason_code": "overdue"}),
        ("escalations", {"level": 10**9, "reason_code": "overdue"}),
        ("closure", {"outcome": "resolved", "reply": ""}),
        ("closure", {"outcome": "solved", "reply": "已修好"}),
        ("exclusions", {"reason_code": "x" * 65}),
        ("exclusions", {"reason_code": "no-such"}),
        ("reopening", {"reason_code": "not_solved", "asked_by": "nobody"}),
        ("signature", {"signed_at": "infinity"}),
        ("signature", {"signed_at": "2999-01-01T00:00:00Z"}),
        ("signature", {"decided_by": "me"}),
        ("merger", {"into_id": "1", "reply": "x"}),
        ("replies", {"text": "x" * 20_001, "means": "phone"}),
        ("replies", {"text": "x", "means": "pigeon"}),
    ],
)
def test_what_does_not_fit_is_refused_and_leaves_nothing(door, path, body):
    issue = receive(door)

    answer = door.post("desk", f"{issue}/{path}", body)

    assert answer.status_code == 422, answer.text
    assert kinds(door, issue) == ["received"]
