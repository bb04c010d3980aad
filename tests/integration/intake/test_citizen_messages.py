"""Citizens told by messages: who is, in which words, over a gateway with moods; and where a phone never shows."""

import hashlib
import hmac
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
import prometheus_client
import pytest

from services.intake.domain.citizen_messages import TellingRules
from services.intake.domain.citizens import Citizen, describe_citizen
from services.intake.domain.commands.issue_steps import CloseIssue, ReopenIssue
from services.intake.domain.ratings import Answers
from services.intake.handlers import citizen_messages, citizen_noting, issues, rating_links
from services.intake.handlers.citizen_rules import load_telling
from services.intake.handlers.citizen_sending import Chances, SendingRules, send_batch
from services.intake.handlers.issue_steps.batch import take_steps
from services.intake.handlers.rating_rules import load_rating_rules
from services.intake.settings import IntakeSettings
from services.intake.storage import citizen_sending
from services.intake.storage.rating_links import Rated
from services.intake.telling import Teller
from shared.database import Pool, transaction
from shared.errors import Transient
from shared.gateways.described import Gateway
from shared.gateways.files import load_file
from shared.reach import SYSTEM, acting
from tests.fakes import machine, person
from tests.harness.waiting import wait_for
from tests.integration.intake.commands import an_issue
from tests.integration.intake.door import Door
from tests.integration.notify.gateways import GatewayServer, says, serving

pytestmark = pytest.mark.integration

PHONE, OTHER_PHONE, LANDLINE = "13812345678", "13987654321", "057185215555"
NAME = "金丝雀"
ZONE = ZoneInfo("Asia/Shanghai")
MORNING = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)  # ten o'clock in China
SECRET = b"a-secret-shared-with-the-gateway"
FILE = """
url = "{url}/send"
fields = {{ mobile = "{{phone}}", content = "{{text}}", id = "{{reference}}" }}
per_minute = 6000
timeout_seconds = 2
answer = {{ code = "/code", accepted = ["0"], refused = ["15"], reference = "/sid" }}
[receipt]
secret_file = "{secret}"
items = "/reports"
reference = "/sid"
state = "/status"
delivered = ["DELIVRD"]
undelivered = ["UNDELIV"]
at = "/time"
"""


def settings(**changes: Any) -> IntakeSettings:
    return IntakeSettings(
        mode="test",
        database_url="postgresql://test_intake:runtime-of-the-tests-4711@127.0.0.1/unused",
        broker_url="amqp://test_intake:broker-of-the-tests-4711@127.0.0.1/unused",
        **changes,
    )


def a_citizen(phone: str | None = PHONE, name: str = NAME) -> Citizen:
    return describe_citizen(name=name, phone=phone, today=date(2026, 3, 2))


@dataclass
class Telling:
    """The rules, the clock and the gateway of one installation."""

    pool: Pool
    gateway: GatewayServer
    described: Gateway
    rules: TellingRules
    now: datetime = MORNING
    changes: dict[str, Any] = field(default_factory=dict)

    def raise_issue(self, citizen: Citizen | None = None, **changes: Any) -> UUID:
        command = an_issue(citizen=citizen or a_citizen(), received_at=self.now, **changes)
        [outcome] = issues.receive_issues(self.pool, [command], now=self.now)
        assert outcome.status == "created"
        return command.id

    def close_issue(self, issue_id: UUID, **changes: Any) -> None:
        step = {"outcome": "resolved", "reply": "井盖已换", **changes}
        [outcome] = take_steps(self.pool, [CloseIssue(id=issue_id, correlation_id="t", **step)], now=self.now)
        assert outcome.status == "changed", outcome

    def note(self) -> None:
        """Until nothing is left: transactions of other databases on the same server hold the log back for a moment."""

        def is_through() -> bool:
            while citizen_noting.note_citizens(self.pool, self.rules, now=self.now):
                pass
            return not self.ask(
                """
                SELECT 1 FROM outbox, citizen_gateway
                 WHERE aggregate = 'issue'
                   AND (written_by::text::bigint, id) > (read_until_transaction, read_until_event)
                """
            )

        with acting(SYSTEM):
            wait_for(is_through, "the log was not gone through", timeout_seconds=120)

    def send(self, **changes: Any) -> int:
        rules = SendingRules(gateway=self.described, telling=self.rules, **{**self.changes, **changes})
        with acting(SYSTEM):
            return send_batch(self.pool, rules, Chances(clock=lambda: self.now, draw=lambda: 1.0))

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with transaction(self.pool, reach=SYSTEM) as connection:
            cursor = connection.execute(query, list(values))
            return cursor.fetchall() if cursor.description else []

    def states(self) -> list[tuple[Any, ...]]:
        return self.ask("SELECT kind, state FROM citizen_message ORDER BY made_at, id")

    @property
    def sent(self) -> list[tuple[str, str]]:
        return [(asked.json["mobile"], asked.json["content"]) for asked in self.gateway.asked]


@pytest.fixture
def telling(registered, tmp_path) -> Iterator[Telling]:
    (tmp_path / "secret").write_bytes(SECRET + b"\n")
    with serving(GatewayServer(answer=lambda _: says({"code": 0, "sid": 4711}))) as server:
        file = tmp_path / "gateway.toml"
        file.write_text(FILE.format(url=server.url, secret=tmp_path / "secret"))
        described = load_file(Gateway, file)
        told = Telling(registered, server, described, load_telling(settings(zone=ZONE)))
        with acting(SYSTEM):
            citizen_noting.note_citizens(registered, told.rules, now=MORNING)  # from here on
        yield told


def test_a_citizen_is_told_of_the_receipt_and_of_the_result_in_words_that_tell_nobody_anything(telling):
    issue_id = telling.raise_issue(title="路灯不亮")
    telling.note()
    assert telling.send() == 1
    telling.now += timedelta(hours=1)
    telling.close_issue(issue_id)
    telling.note()
    assert telling.send() == 1

    assert telling.sent == [
        (PHONE, "您于3月2日反映的事项已收到，我们将依规办理。如不愿再收到此类短信，请告知受理单位。"),
        (PHONE, "您于3月2日反映的事项已有办理结果。如有疑问，请联系受理单位。"),
    ]
    assert telling.states() == [("received", "sent"), ("answered", "sent")]


def test_going_through_the_log_twice_or_beside_one_another_tells_once(telling):
    for _ in range(3):
        telling.raise_issue()
    with acting(SYSTEM), ThreadPoolExecutor(4) as threads:
        list(
            threads.map(
                lambda _: citizen_noting.note_citizens(telling.pool, telling.rules, now=telling.now, limit=1), range(12)
            )
        )
    telling.note()
    telling.ask("UPDATE citizen_gateway SET read_until_transaction = 0, read_until_event = 0")
    telling.note()

    assert len(telling.states()) == 3


def test_nobody_is_told_of_what_happened_before_anybody_was_to_be_told(registered, telling):
    telling.ask("UPDATE citizen_gateway SET read_until_transaction = NULL, read_until_event = NULL")
    telling.raise_issue()
    [(newest,)] = telling.ask("SELECT max(written_by::text::bigint) FROM outbox")

    def begins_behind() -> bool:
        citizen_noting.note_citizens(registered, telling.rules, now=telling.now)
        [(until,)] = telling.ask("SELECT read_until_transaction FROM citizen_gateway")
        if until <= newest:
            telling.ask("UPDATE citizen_gateway SET read_until_transaction = NULL, read_until_event = NULL")
        return bool(until > newest)

    with acting(SYSTEM):
        wait_for(begins_behind, "other transactions of the server", timeout_seconds=120)
    telling.note()

    assert telling.states() == []


@pytest.mark.parametrize(
    ("changes", "phone"),
    [
        ({}, None),
        ({"source": "hotline", "source_number": "W1"}, PHONE),
        ({"type": "complaint"}, PHONE),
        ({"type": "report"}, PHONE),
    ],
    ids=["no phone", "of another system", "a complaint that nobody was asked about", "a report"],
)
def test_who_is_not_told(telling, changes, phone):
    telling.raise_issue(a_citizen(phone), **changes)

    telling.note()

    assert telling.states() == []


def test_a_complaint_is_told_of_to_whoever_said_yes(telling):
    first = telling.raise_issue(type="complaint")
    citizen_messages.set_wish(telling.pool, first, wants_messages=True, by=None, now=telling.now)
    telling.raise_issue(type="complaint")

    telling.note()

    assert telling.states() == [("received", "due")] * 2


def test_who_says_no_is_not_told_and_what_waits_is_withdrawn(telling):
    first = telling.raise_issue()
    telling.note()
    citizen_messages.set_wish(telling.pool, first, wants_messages=False, by=None, now=telling.now)
    telling.raise_issue()
    telling.raise_issue(a_citizen(name="金丝雀二"))  # the same phone under another name
    telling.note()

    assert telling.send() == 0
    assert telling.states() == [("received", "withdrawn")]
    assert telling.sent == []
    assert telling.ask("SELECT text_sealed FROM citizen_message") == [(None,)]


def test_a_landline_is_found_out_at_the_call_and_called_by_nobody(telling):
    telling.raise_issue(a_citizen(LANDLINE))
    telling.note()

    telling.send()

    assert telling.states() == [("received", "withdrawn")]
    assert telling.sent == []


def test_one_phone_is_told_so_often_a_day_whoever_says_that_it_is_theirs(telling):
    for number in range(7):
        telling.raise_issue(a_citizen(name=f"某{number}"))
    telling.note()
    assert len(telling.states()) == 5

    telling.now += timedelta(hours=25)
    telling.raise_issue()
    telling.note()
    assert len(telling.states()) == 6


def test_what_was_merged_withdrawn_or_opened_again_meanwhile_is_no_result(telling):
    withdrawn, reopened = telling.raise_issue(), telling.raise_issue()
    telling.close_issue(withdrawn, outcome="withdrawn")
    telling.close_issue(reopened)
    [outcome] = take_steps(
        telling.pool,
        [ReopenIssue(id=reopened, correlation_id="t", reason_code="not_solved", asked_by="citizen")],
        now=telling.now,
    )
    assert outcome.status == "changed", outcome

    telling.note()

    assert {kind for kind, _ in telling.states()} == {"received"}


def test_nothing_is_sent_in_quiet_hours(telling):
    telling.raise_issue()
    telling.note()
    telling.now = MORNING + timedelta(hours=11, minutes=30)  # half past nine in the evening
    assert telling.send() == 0
    telling.now = MORNING + timedelta(hours=22)  # eight the next morning
    assert telling.send() == 1


def test_what_is_too_old_is_not_sent(telling):
    telling.raise_issue()
    telling.note()
    telling.now += timedelta(hours=48)

    assert telling.send() == 0
    assert telling.states() == [("received", "expired")]


def test_what_the_gateway_refuses_for_now_is_tried_again_under_the_same_reference(telling):
    telling.gateway.script = [says({"code": 7}), (503, {"Retry-After": "90"}, b""), "lost"]
    telling.raise_issue()
    telling.note()

    for _ in range(4):
        assert telling.send() == 1
        assert telling.send() == 0  # not before its time
        telling.now += timedelta(minutes=10)

    assert telling.states() == [("received", "sent")]
    assert len({asked.json["id"] for asked in telling.gateway.asked}) == 1
    assert len({asked.json["content"] for asked in telling.gateway.asked}) == 1
    outcomes = telling.ask("SELECT number, outcome, reason FROM citizen_message_attempt ORDER BY number")
    assert [(number, outcome) for number, outcome, _ in outcomes] == [
        (1, "retry"),
        (2, "retry"),
        (3, "retry"),
        (4, "sent"),
    ]
    assert telling.ask("SELECT reference FROM citizen_message") == [("4711",)]


def test_what_is_refused_for_good_fails_is_seen_and_is_sent_again_by_a_person(telling, tmp_path):
    telling.gateway.script = [says({"code": 15})]
    issue_id = telling.raise_issue()
    telling.note()
    telling.send()
    door = Door(telling.pool, {"officer": person("department_officer", name="officer")}, tmp_path)

    [listed] = door.get("officer", "/v1/citizen-messages?state=failed").json()["items"]
    replayed = door.post("officer", f"/v1/citizen-messages/{listed['id']}/replay")
    again = door.post("officer", f"/v1/citizen-messages/{listed['id']}/replay")
    telling.now = datetime.now(UTC) + timedelta(seconds=1)
    telling.rules = replace(telling.rules, quiet_from=time(0), quiet_until=time(0))
    telling.send()

    assert (listed["issue_id"], listed["reason"]) == (str(issue_id), "gateway 15")
    assert (replayed.status_code, replayed.json()["state"]) == (200, "due")
    assert (again.status_code, again.json()["title"]) == (409, "not-replayable")
    assert telling.states() == [("received", "sent")]
    assert telling.ask("SELECT action FROM audit_record WHERE object_type = 'citizen_message'") == [
        ("citizen_message.replay",)
    ]


def test_a_gateway_that_is_away_is_left_alone_and_nothing_is_lost(telling):
    telling.rules = replace(telling.rules, most_a_day=100)
    for _ in range(12):
        telling.raise_issue()
    telling.note()
    telling.gateway.answer = lambda _: (503, {}, b"")
    tried = 0
    for _ in range(180):  # fifteen hours, of which eleven are not quiet
        tried += telling.send()
        telling.now += timedelta(minutes=5)
    telling.gateway.answer = lambda _: says({"code": 0})
    while any(state == "due" for _, state in telling.states()):
        telling.send()
        telling.now += timedelta(minutes=1)

    assert 60 < tried < 100  # one call that tries, every ten minutes
    assert telling.states() == [("received", "sent")] * 12


def test_an_attempt_of_which_nobody_heard_is_made_again_after_its_lease(telling, monkeypatch):
    telling.raise_issue()
    telling.note()

    def die(*_: object, **__: object) -> None:
        raise SystemExit

    monkeypatch.setattr(citizen_sending, "end_attempt", die)
    with pytest.raises(SystemExit):
        telling.send()
    monkeypatch.undo()
    assert telling.states() == [("received", "claimed")]
    assert telling.send() == 0
    telling.now += timedelta(minutes=5)

    assert telling.send() == 1
    assert telling.ask("SELECT number, outcome FROM citizen_message_attempt ORDER BY number") == [
        (1, "lost"),
        (2, "sent"),
    ]
    assert len({asked.json["id"] for asked in telling.gateway.asked}) == 1


def test_two_processes_send_each_message_once(telling):
    telling.rules = replace(telling.rules, most_a_day=100)
    for _ in range(10):
        telling.raise_issue()
    telling.note()

    with ThreadPoolExecutor(3) as threads:
        while any(state != "sent" for _, state in telling.states()):
            list(threads.map(lambda _: telling.send(), range(3)))
            telling.now += timedelta(seconds=1)

    assert len(telling.gateway.asked) == 10


def test_the_result_brings_a_link_that_rates_once_and_none_where_the_citizen_has_rated(telling):
    telling.rules = replace(telling.rules, rating_url="https://lianxin.example.org/intake/rate")
    issue_id, rated = telling.raise_issue(), telling.raise_issue()
    for one in (issue_id, rated):
        telling.close_issue(one)
    with acting(SYSTEM):
        rating_links.issue_link(telling.pool, Rated(issue_id=rated), "asked-otherwise", now=telling.now)
    telling.note()
    telling.send()
    [with_link] = [text for _, text in telling.sent if "#" in text]
    token = with_link.partition("https://lianxin.example.org/intake/rate#")[2]
    given = rating_links.GivenRating(token=token, answers=Answers(level=4), opened_at=telling.now, network="n")
    rules = load_rating_rules(settings())

    assert rating_links.rate_by_link(telling.pool, given, rules=rules, correlation_id="t", now=telling.now) == "created"
    assert telling.ask("SELECT issue_id, level FROM rating") == [(issue_id, 4)]
    assert len(telling.sent) == 4
    assert rating_links.look_at_link(telling.pool, "asked-otherwise", now=telling.now) > telling.now


def test_receipts_count_in_any_order_and_prove_where_they_come_from(telling, tmp_path):
    telling.raise_issue()
    telling.note()
    telling.send()
    door = Door(telling.pool, {}, tmp_path, citizen_gateway=tmp_path / "gateway.toml")
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)

    def report(*told: tuple[str, int], proof: bytes | None = None):
        reports = [
            {"sid": "4711", "status": status, "time": (at + timedelta(minutes=minute)).isoformat()}
            for status, minute in told
        ]
        body = orjson.dumps({"reports": reports})
        signature = hmac.digest(SECRET, body, hashlib.sha256).hex() if proof is None else proof.decode()
        return door.ask("nobody", "POST", "/v1/receipts/sms", body, x_signature=signature)

    assert report(("UNDELIV", 5)).json() == {"taken": 1}
    assert report(("DELIVRD", 1), ("DELIVRD", 1)).json() == {"taken": 1}
    assert telling.ask("SELECT receipt FROM citizen_message") == [("undelivered",)]
    assert report(("DELIVRD", 9)).json() == {"taken": 1}
    assert telling.ask("SELECT receipt, state FROM citizen_message") == [("delivered", "sent")]
    assert report(("DELIVRD", 10), proof=b"00" * 32).status_code == 401
    assert door.ask("nobody", "POST", "/v1/receipts/sms", b"{", x_signature="").status_code in {400, 401}


def test_an_installation_without_a_gateway_takes_no_receipts(telling, tmp_path):
    assert Door(telling.pool, {}, tmp_path).ask("nobody", "POST", "/v1/receipts/sms", b"{}").status_code == 404


def test_who_sees_the_issue_says_whether_its_citizen_wants_messages(telling, tmp_path):
    issue_id = telling.raise_issue(organisation_code="town")
    nobody = telling.raise_issue(organisation_code="town", citizen=None)
    telling.ask("UPDATE issue SET citizen_ref = NULL WHERE id = %s", nobody)
    telling.note()
    door = Door(
        telling.pool,
        {
            "clerk": person("clerk", "town", name="clerk"),
            "stranger": person("clerk", "elsewhere", name="stranger"),
            "portal": machine("intake.write", organisation_code="town", name="portal"),
        },
        tmp_path,
    )
    path = f"/v1/issues/{issue_id}/citizen-messages"

    before = door.get("clerk", path).json()
    answers = [door.ask(who, "PUT", path, {"wanted": False}) for who in ("clerk", "portal", "stranger")]
    after = door.get("clerk", path).json()
    nowhere = door.ask("clerk", "PUT", f"/v1/issues/{nobody}/citizen-messages", {"wanted": False})

    assert (before["wanted"], [item["kind"] for item in before["items"]]) == (None, ["received"])
    assert [answer.status_code for answer in answers] == [200, 200, 404]
    assert after["wanted"] is False
    assert (nowhere.status_code, nowhere.json()["title"]) == (409, "nobody-to-tell")
    assert door.get("stranger", path).status_code == 404
    assert door.get("stranger", "/v1/citizen-messages").json()["items"] == []
    assert telling.ask("SELECT count(*) FROM audit_record WHERE action = 'citizen.set_wish'") == [(1,)]


def test_whoever_was_erased_is_told_nothing_and_what_was_written_cannot_be_read(telling):
    telling.raise_issue()
    telling.note()
    telling.ask("UPDATE citizen SET state = 'erased', erased_at = now(), name = NULL, phone = NULL")
    telling.ask("DELETE FROM citizen_key")

    telling.send()

    assert telling.states() == [("received", "withdrawn")]
    assert telling.sent == []


def test_the_phone_leaves_over_the_gateway_alone(telling, tmp_path, capfd, caplog):
    """Not in a row, an event, a log line, a measure or an answer, whatever becomes of the call."""
    telling.rules = replace(telling.rules, rating_url="https://lianxin.example.org/intake/rate")
    telling.gateway.script = [says({"code": 7, "echo": PHONE}), (500, {}, PHONE.encode()), "lost", says({"code": 15})]
    door = Door(telling.pool, {"officer": person("department_officer", name="officer")}, tmp_path)
    with caplog.at_level(logging.DEBUG):
        issue_id = telling.raise_issue()
        telling.close_issue(issue_id)
        telling.note()
        for _ in range(8):
            telling.send()
            telling.now += timedelta(minutes=40)
    answers = [
        door.get("officer", path).text for path in ("/v1/citizen-messages", f"/v1/issues/{issue_id}/citizen-messages")
    ]
    tables = telling.ask(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        " AND has_table_privilege(oid, 'SELECT')"
    )
    rows = [str(row) for (table,) in tables for row in telling.ask(f"SELECT t::text FROM {table} AS t")]  # noqa: S608
    printed = capfd.readouterr()
    words = [text for _, text in telling.sent]

    assert {phone for phone, _ in telling.sent} == {PHONE}
    assert {state for _, state in telling.states()} <= {"sent", "failed"}
    seen = "\n".join(
        [*answers, *rows, printed.out, printed.err, caplog.text, prometheus_client.generate_latest().decode()]
    )
    assert str(issue_id) in seen
    for canary in (
        PHONE,
        NAME,
        PHONE.encode().hex(),
        *words,
        *(word.partition("#")[2] for word in words if "#" in word),
    ):
        assert canary not in seen


def test_the_loop_goes_on_while_the_database_is_away():
    counts = iter([0, 3, 0])
    faults = iter([Transient("away"), None, None])

    def note() -> int:
        if fault := next(faults):
            raise fault
        return next(counts)

    teller = Teller(note=note, send=lambda: 0)

    assert [teller.go_round() for _ in range(3)] == [0, 0, 3]
