"""The main job: what is recorded in intake becomes scores in assessment, and somebody is told."""

import json
import uuid
from email.message import EmailMessage
from typing import Any

import pytest

from tests.harness.experiment import Experiment, require
from tests.harness.quiescence import wait_until_quiet
from tests.harness.suite import Suite, process_names
from tests.harness.waiting import wait_for

COUNTY, TOWNSHIP, BUSY, QUIET = "330000", "330000-01", "330000-C1", "330000-C2"
CORRELATION = "a-request-to-follow-0001"
OWN_METRICS = {
    "identity-serve": "identity_sign_ins_total",
    "identity-keep": "identity_rows_removed_total",
    "intake-serve": "intake_contacts_recorded_total",
    "intake-relay": "intake_events_sent_total",
    "intake-work": "intake_import_runs_total",
    "assessment-serve": "http_requests_total",
    "assessment-consume": "assessment_events_taken_total",
    "assessment-relay": "python_info",
    "assessment-work": "assessment_scoring_passes_total",
    "notify-serve": "http_requests_total",
    "notify-consume": "notify_news_received_total",
    "notify-push": "notify_webhook_attempts_total",
    "notify-work": "notify_digests_composed_total",
}


class Township:
    """One cadre with five issues, and one with a single visit, in March 2025."""

    def __init__(self, experiment: Experiment) -> None:
        self._registrar = experiment.registrar

    def register(self) -> None:
        registrar = self._registrar
        registrar.organisation(COUNTY, name="清溪县", level="50", region_type="county")
        registrar.organisation(TOWNSHIP, name="清溪镇", level="61", parent_code=COUNTY)
        for staff_number, name in ((BUSY, "王强"), (QUIET, "赵敏")):
            registrar.cadre(staff_number, name)
            registrar.post(
                staff_number,
                organisation_code=TOWNSHIP,
                post_kind="village_secretary",
                post_level="150",
                from_on="2024-06-01",
            )
        registrar.duty(
            post_kind="village_secretary",
            contact_kind="visit",
            required_count=2,
            per="month",
            valid_from="2025-01-01",
            valid_until="2025-12-31",
        )

    def record(self) -> str:
        """Everything but one rating; return the issue that it is about."""
        visit = self._contact(BUSY, "visit", "2025-03-31T23:30:00+08:00")
        self._contact(BUSY, "visit", "2025-04-01T00:30:00+08:00")  # still March in UTC
        self._contact(BUSY, "reception", "2025-03-12T09:00:00+08:00")
        self._contact(QUIET, "visit", "2025-03-05T10:00:00+08:00")
        on_time = self._issue("resolved", closed_on=10, responded=True)
        late = self._issue("resolved", closed_on=25, responded=True)
        explained = self._issue("explained_policy", closed_on=10)
        denied = self._issue("resolved", closed_on=20)  # the last day still counts
        self._issue(None)
        self._rate(5, issue_id=on_time, solved=True)
        self._rate(2, issue_id=late)
        self._rate(1, issue_id=denied, solved=False)
        self._rate(4, contact_id=visit)
        return explained

    def rate_last(self, issue_id: str) -> None:
        self._rate(3, issue_id=issue_id, correlation_id=CORRELATION)

    def _contact(self, staff_number: str, kind: str, occurred_at: str) -> str:
        body = {
            "id": str(uuid.uuid4()),
            "staff_number": staff_number,
            "organisation_code": TOWNSHIP,
            "kind": kind,
            "occurred_at": occurred_at,
        }
        return str(self._registrar.send("contact", "/v1/contacts", body)["id"])

    def _issue(self, outcome: str | None, *, closed_on: int = 0, responded: bool = False) -> str:
        """Received on the 5th and due on the 20th, both of March."""
        body = {
            "id": str(uuid.uuid4()),
            "type": "help",
            "category": "roads",
            "channel": "phone",
            "title": "村口路灯不亮",
            "description": "联系电话写在这里也不会离开受理服务。",
            "received_at": "2025-03-05T09:00:00+08:00",
            "due_at": "2025-03-20T18:00:00+08:00",
        }
        issue_id = str(self._registrar.send("issue", "/v1/issues", body)["id"])
        responsible = {"organisation_code": TOWNSHIP, "staff_number": BUSY}
        self._registrar.send("assignment", f"/v1/issues/{issue_id}/assignments", responsible)
        if responded:
            when = {"responded_at": "2025-03-05T15:00:00+08:00"}
            self._registrar.send("response", f"/v1/issues/{issue_id}/responses", when)
        if outcome:
            closure = {
                "outcome": outcome,
                **({"reason_code": "policy_limits"} if outcome == "explained_policy" else {}),
                "reply": "已经处理，请您查看。",
                "closed_at": f"2025-03-{closed_on:02}T18:00:00+08:00",
            }
            self._registrar.send("closure", f"/v1/issues/{issue_id}/closure", closure)
        return issue_id

    def _rate(self, level: int, *, correlation_id: str = "rated-in-the-main-job", **more: Any) -> None:
        rated_at = "2025-03-28T12:00:00+08:00"
        body = {"id": str(uuid.uuid4()), "level": level, "method": "callback", "rated_at": rated_at, **more}
        self._registrar.send("rating", "/v1/ratings", body, correlation_id=correlation_id)


def read_inbox(suite: Suite) -> list[dict[str, Any]]:
    answer = suite.client("notify", "department_officer").get("/v1/inbox/main-job/messages")
    messages: list[dict[str, Any]] = answer.document["items"]
    return messages


def mails_to_the_subscriber(suite: Suite) -> list[EmailMessage]:
    return [mail for mail in suite.mail.mails if "main-job@example.org" in str(mail["To"])]


def is_told_everything(suite: Suite) -> bool:
    """Whether no score has moved that the subscriber was not told of."""
    with suite.database("notify") as notify:
        [(is_told,)] = notify.execute(
            """
            SELECT seen_through >= (SELECT max(change) FROM score_news)
              FROM subscription
             WHERE name = 'main-job'
            """
        ).fetchall()
    return is_told is True


@pytest.fixture(scope="module")
def told(suite: Suite, experiment: Experiment) -> None:
    """The county is registered, its subscriber waits, its records are in, and all is quiet."""
    township = Township(experiment)
    township.register()
    wait_until_quiet(suite)
    county = suite.client("intake", "machine_client").get(f"/v1/organisations/{COUNTY}").document
    answer = suite.client("notify", "department_officer").put(
        "/v1/subscriptions/main-job",
        {
            "recipient_name": "李主任",
            "email": "main-job@example.org",
            "organisation_id": county["id"],
            "language": "zh",
            "channels": ["inbox", "email"],
        },
    )
    assert answer.is_success, answer.body
    last = township.record()
    wait_until_quiet(suite)
    wait_for(lambda: is_told_everything(suite), "a digest of all that came first")
    township.rate_last(last)
    wait_until_quiet(suite)


def read_score(suite: Suite, kind: str, code: str, period: str) -> dict[str, Any]:
    answer = suite.client("assessment", "department_officer").get(f"/v1/scores/{kind}/{code}?period={period}")
    assert answer.status == 200, answer.body
    document: dict[str, Any] = answer.document
    return document


def fractions(score: dict[str, Any]) -> dict[str, tuple[int, int, str | None, str | None]]:
    return {
        row["key"]: (row["numerator"], row["denominator"], row["value"], row["points"]) for row in score["indicators"]
    }


@pytest.mark.usefixtures("told")
def test_a_score_is_what_a_person_computes_by_hand(suite: Suite) -> None:
    score = read_score(suite, "cadre", BUSY, "2025-03")

    assert fractions(score) == {
        "contact_duty": (1, 2, "0.5000", "12.50"),
        "response_rate": (4, 5, "0.8000", "8.00"),
        "resolution_rate": (2, 4, "0.5000", "15.00"),
        "on_time_closure_rate": (3, 5, "0.6000", "9.00"),
        "satisfaction_rate": (3, 5, "0.6000", "12.00"),
    }
    assert score["composite"] == "56.50"
    assert score["subject"] == {"kind": "cadre", "code": BUSY, "name": "王强"}


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize(
    ("period", "duty", "composite"),
    [("2025Q1", (1, 6, "0.1667", "4.17"), "48.17"), ("2025", (2, 24, "0.0833", "2.08"), "46.08")],
)
def test_longer_periods_count_the_duties_of_all_their_months(
    suite: Suite, period: str, duty: tuple[int, int, str, str], composite: str
) -> None:
    score = read_score(suite, "cadre", BUSY, period)

    assert fractions(score)["contact_duty"] == duty
    assert score["composite"] == composite


@pytest.mark.usefixtures("told")
def test_too_little_evidence_gives_no_composite(suite: Suite) -> None:
    score = read_score(suite, "cadre", QUIET, "2025-03")

    assert fractions(score)["contact_duty"][:2] == (1, 2)
    assert (score["composite"], score["withheld"]) == (None, "not_enough_evidence")


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("code", [TOWNSHIP, COUNTY])
def test_an_organisation_is_the_sum_of_what_lies_below_it(suite: Suite, code: str) -> None:
    score = read_score(suite, "organisation", code, "2025-03")

    assert fractions(score)["contact_duty"][:2] == (2, 4)
    assert fractions(score)["resolution_rate"][:2] == (2, 4)
    assert score["composite"] == "56.50"


@pytest.mark.usefixtures("told")
def test_the_list_of_a_subtree_has_every_cadre_in_it_and_no_other(suite: Suite) -> None:
    officer = suite.client("assessment", "department_officer")

    page = officer.get(f"/v1/scores?subject=cadre&period=2025-03&organisation={COUNTY}&sort=-composite").document

    assert [(item["subject"]["code"], item["composite"]) for item in page["items"]] == [(BUSY, "56.50"), (QUIET, None)]


@pytest.mark.usefixtures("told")
def test_the_events_behind_an_indicator_say_what_counted(suite: Suite) -> None:
    officer = suite.client("assessment", "department_officer")

    page = officer.get(f"/v1/scores/cadre/{BUSY}/indicators/resolution_rate/events?period=2025-03").document

    counted = [(item["in_numerator"], item["in_denominator"]) for item in page["items"]]
    assert sorted(counted) == [(False, False), (False, True), (False, True), (True, True), (True, True)]
    assert all(item["events"] for item in page["items"])


@pytest.mark.usefixtures("told")
def test_the_correlation_id_of_a_request_reaches_its_score_and_the_logs_on_the_way(suite: Suite) -> None:
    score = read_score(suite, "cadre", BUSY, "2025-03")
    scoring = suite.log_file("assessment-work").read_text().splitlines()
    with suite.database("assessment") as assessment:
        logged = assessment.execute("SELECT event_type FROM event WHERE correlation_id = %s", [CORRELATION]).fetchall()

    assert score["correlation_id"] == CORRELATION
    assert logged == [("cn.lianxin.rating.submitted.v1",)]
    passes = [json.loads(line) for line in scoring if CORRELATION in line]
    assert [line["event"] for line in passes] == ["scores_computed"]


@pytest.mark.usefixtures("told")
def test_the_subscriber_finds_a_digest_in_the_inbox_and_in_the_mail(suite: Suite) -> None:
    # The last rating was the fifth: from four indicators, 44.50 of 80, to five.
    movement = f"王强（{BUSY}）2025年3月：55.63 → 56.50"

    message = wait_for(
        lambda: next((message for message in read_inbox(suite) if movement in message["text"]), None),
        "a digest that tells of the change",
    )
    mail = wait_for(
        lambda: next((mail for mail in mails_to_the_subscriber(suite) if movement in plain_text_of(mail)), None),
        "the same digest by mail",
    )

    assert mail["Subject"] == message["subject"]
    assert "联系电话写在这里" not in mail.as_string()


def plain_text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    return str(body.get_content()) if body is not None else ""


@pytest.mark.parametrize("process", process_names())
def test_every_process_says_how_it_is_and_what_it_does(suite: Suite, process: str) -> None:
    door = suite.management(process)

    assert door.get("/healthz").status == 200
    assert door.get("/readyz").document == {"status": "ready", "failing": {}}
    assert OWN_METRICS[process] in door.get("/metrics").body.decode()


@pytest.mark.usefixtures("told")
def test_nothing_was_lost_or_counted_twice_on_the_way(experiment: Experiment) -> None:
    _, verdicts = experiment.wait_and_judge()

    require(verdicts)
