"""From events to people: who is told by which rule, when, how often, and what is not told any more."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.notify.channels.groups import GroupChannel, WeCom
from services.notify.channels.robots import Robot
from services.notify.domain.notices import Key
from services.notify.domain.rules import Preferred
from services.notify.handlers.telling import TOGETHER
from services.notify.storage import recipients
from services.notify.storage.directory import Holder
from shared.contracts.assessment import DutyShortfallFound, DutyShortfallsCounted
from shared.contracts.intake.deadlines import DeadlineApproached, DeadlineMissed
from shared.contracts.intake.issue_endings import IssueReopened, RedoOrdered
from shared.contracts.intake.issue_supervision import IssueEscalated
from shared.contracts.intake.issues import IssueClosed
from shared.contracts.intake.registers import CadreRegistered
from shared.database import transaction
from shared.identifiers import new_id
from shared.reach import SYSTEM
from tests.integration.notify.conftest import Notify, envelope_of
from tests.integration.notify.gateways import GatewayServer, says, serving
from tests.integration.notify.test_events import COUNTY, HARBOUR, ISSUE, STREET, TOWN, TREE, WANG, assigned, received
from tests.integration.notify.test_outages import sms_through

pytestmark = pytest.mark.integration

MORNING = datetime(2025, 4, 1, 2, 0, tzinfo=UTC)  # ten o'clock on a Tuesday in China
LI = UUID(int=101)
CLERK, OFFICER = UUID(int=501), UUID(int=502)


@dataclass(frozen=True)
class People:
    """A directory of those who hold roles."""

    held: Sequence[tuple[str, Holder]]

    def list_holders(self, role: str, organisation_codes: Sequence[str]) -> list[Holder]:
        return [holder for held, holder in self.held if held == role and holder.organisation_code in organisation_codes]


@pytest.fixture
def told(notify):
    """A street has an issue, which Wang handles; the town has a clerk in the street and an officer."""
    notify.now = MORNING
    notify.directory = People(
        [
            ("clerk", Holder(account_id=CLERK, staff_number=None, organisation_code="street")),
            ("clerk", Holder(account_id=new_id(), staff_number=None, organisation_code="town")),
            ("department_officer", Holder(account_id=OFFICER, staff_number="D1", organisation_code="town")),
            ("department_officer", Holder(account_id=new_id(), staff_number="D0", organisation_code="county")),
        ]
    )
    notify.learn(
        *TREE,
        CadreRegistered(cadre_id=WANG, staff_number="C100", name="王建国"),
        CadreRegistered(cadre_id=LI, staff_number="C101", name="李"),
        received(received_at=MORNING - timedelta(days=9)),
        (assigned(STREET).model_copy(update={"assigned_at": MORNING - timedelta(days=9)}), 2),
    )
    notify.note()
    return notify


def near(*, turn: int = 1, at: datetime = MORNING, issue: UUID = ISSUE) -> DeadlineApproached:
    return DeadlineApproached(
        issue_id=issue,
        warned_at=at,
        clock="close",
        turn=turn,
        level=1,
        due_at=at + timedelta(days=1),
        calendar="2025",
    )


def missed(*, turn: int = 1, at: datetime = MORNING) -> DeadlineMissed:
    return DeadlineMissed(
        issue_id=ISSUE, missed_at=at, found_at=at, clock="close", turn=turn, due_at=at, calendar="2025"
    )


def notices(notify: Notify) -> list[tuple[object, ...]]:
    return notify.ask(
        """
        SELECT coalesce(staff_number, account_id::text, robot), rule, mode
          FROM notice JOIN recipient ON recipient.id = recipient_id
         ORDER BY rule, 1
        """
    )


def inbox(notify: Notify, staff_number: str = "C100") -> list[str]:
    return [
        str(row[0])
        for row in notify.ask(
            f"""
            SELECT text_body FROM message JOIN digest ON digest.id = digest_id
              JOIN recipient ON recipient.id = message.recipient_id
             WHERE staff_number = '{staff_number}' ORDER BY number
            """  # noqa: S608
        )
    ]


def settle(notify: Notify, **changes: Any) -> None:
    """Have Wang want it otherwise."""
    with transaction(notify.pool, reach=SYSTEM) as connection:
        [found] = recipients.upsert_recipients(connection, [(new_id(), Key(staff_number="C100"))])
        recipients.set_recipient(connection, replace(found, **changes))


def prefer(notify: Notify, preferred: dict[str, Preferred], *, unit: UUID | None = None) -> None:
    with transaction(notify.pool, reach=SYSTEM) as connection:
        [found] = recipients.upsert_recipients(connection, [(new_id(), Key(staff_number="C100"))])
        recipients.replace_preferences(
            connection, preferred, recipient_id=None if unit else found.id, organisation_id=unit
        )


def test_a_warning_goes_to_whoever_has_the_issue_and_waits_for_the_clerks_digest(told):
    told.learn((near(), 3))

    assert told.tell() == 1

    assert notices(told) == [("C100", "deadline-near", "at_once"), (str(CLERK), "deadline-near-unit", "digest")]
    [text] = inbox(told)
    assert text.startswith(
        f"诉求 {ISSUE} 的办结时限为 2025-04-02 10:00，请及时办理。\nhttps://lianxin.example.org/desk/"
    )
    told.wait(timedelta(hours=22, minutes=30))
    assert told.tell() == 1


def test_an_escalation_goes_to_whom_it_names_and_to_the_nearest_officers(told):
    told.learn(
        (
            IssueEscalated(
                issue_id=ISSUE, escalated_at=MORNING, level=2, reason_code="missed", organisation_id=TOWN, cadre_id=LI
            ),
            3,
        )
    )

    told.tell()

    assert notices(told) == [("C101", "escalated", "at_once"), ("D1", "escalated-officers", "digest")]
    assert "已提级督办至您" in inbox(told, "C101")[0]


def test_an_event_is_gone_through_once(told):
    told.learn((near(), 3))

    assert (told.note(), told.note()) == (1, 0)
    assert (told.tell(), told.tell()) == (1, 0)


def test_two_who_go_through_the_log_at_once_tell_once(told):
    told.learn((near(), 3), (missed(), 4))
    both = [threading.Thread(target=told.tell) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    told.tell()

    assert len(notices(told)) == 4
    assert len(inbox(told)) == 2


def test_nobody_is_told_at_night(told):
    told.now = MORNING + timedelta(hours=13)
    told.learn((near(at=told.now), 3))

    at_night = told.tell()
    told.wait(timedelta(hours=8, minutes=30))

    assert (at_night, told.tell()) == (0, 1)


def test_what_gathered_in_quiet_hours_is_one_message(told):
    told.now = MORNING + timedelta(hours=13)
    told.learn(*((near(turn=turn, at=told.now), 2 + turn) for turn in range(1, 5)))
    told.tell()
    told.wait(timedelta(hours=8, minutes=30))

    told.tell()

    [text] = inbox(told)
    assert text.count("- 诉求") == 4


def test_beyond_a_days_cap_it_joins_the_digest_and_the_compulsory_comes_all_the_same(told):
    settle(told, daily_cap=2)
    for turn in range(1, 6):
        told.learn((near(turn=turn), 2 + turn))
        told.tell()
    after_cap = len(inbox(told))
    told.learn((missed(), 9))
    told.tell()
    with_compulsory = len(inbox(told))
    told.wait(timedelta(hours=22, minutes=30))
    told.tell()

    assert (after_cap, with_compulsory) == (2, 3)
    assert inbox(told)[-1].count("- 诉求") == 3


def test_over_a_holiday_nothing_is_lost(told):
    told.now = datetime(2025, 9, 30, 8, 0, tzinfo=UTC)
    told.learn((near(at=told.now), 3))
    told.tell()
    told.now = datetime(2025, 10, 9, 0, 31, tzinfo=UTC)
    told.tell()

    assert told.ask("SELECT count(*) FROM notice WHERE rule = 'deadline-near-unit' AND digest_id IS NOT NULL") == [(1,)]


def test_of_a_closed_issue_nobody_is_reminded(told):
    told.learn((near(), 3))
    told.note()
    told.learn((IssueClosed(issue_id=ISSUE, closed_at=MORNING, outcome="resolved"), 4))

    told.tell()

    assert inbox(told) == []
    assert told.ask("SELECT dropped FROM notice WHERE rule = 'deadline-near'") == [("settled",)]


def test_what_is_old_when_it_is_heard_is_not_told(told):
    told.learn((near(at=MORNING - timedelta(days=5)), 3))

    told.tell()

    assert notices(told) == []


def test_what_has_gone_to_another_unit_is_not_told_to_the_first(told):
    told.learn((assigned(HARBOUR).model_copy(update={"assigned_at": MORNING, "cadre_id": LI}), 4))
    told.learn((assigned(TOWN).model_copy(update={"assigned_at": MORNING}), 3))

    told.tell()

    assert notices(told) == [("C101", "issue-assigned", "at_once")]


def test_a_person_says_how_and_the_unit_says_so_for_everybody_else(told):
    prefer(told, {"deadline-near": "off", "deadline-missed": "off"})
    prefer(told, {"deadline-near-unit": "off"}, unit=COUNTY)
    prefer(told, {"deadline-missed-unit": "digest"}, unit=TOWN)
    told.learn((near(), 3), (missed(), 4))

    told.tell()

    assert notices(told) == [("C100", "deadline-missed", "at_once"), (str(CLERK), "deadline-missed-unit", "digest")]


def test_whoever_gave_an_address_gets_a_mail_and_its_wording_is_kept(told, mail_server):
    settle(told, email="wang@example.org", channels=["inbox", "email"])
    told.learn((near(), 3))
    told.tell()

    told.deliver()

    [mail] = mail_server.received
    assert mail["Subject"] == "【连心】诉求办结时限将至"
    assert mail.get_body(("plain",)).get_content().replace("\r\n", "\n") == inbox(told)[0]


def test_a_group_is_told_by_its_robot_without_a_number_or_a_name(told, tmp_path):
    key = tmp_path / "key"
    key.write_text("a-key-of-a-robot-0001")
    server = GatewayServer(answer=lambda _: says({"errcode": 0}))
    with serving(server):
        robot = Robot(name="town", channel="wecom", organisation_code="town", key_file=key, url=f"{server.url}/x")
        told.more_channels["wecom"] = GroupChannel("wecom", WeCom(), {"town": robot})
        told.groups = {"town": ["town"], "county": ["elsewhere"]}
        told.learn((missed(), 3))
        told.tell()
        told.wait(timedelta(hours=22, minutes=30))
        told.tell()
        told.deliver()

    [asked] = server.asked
    content = asked.json["markdown"]["content"]
    assert "street有一件诉求的办结已超时" in content
    assert str(ISSUE) not in content
    assert "王" not in content


def test_a_phone_gets_a_short_text(told, tmp_path):

    server = GatewayServer()
    with serving(server):
        told.more_channels["sms"] = sms_through(server, tmp_path)
        settle(told, mobile="13800000001", channels=["inbox", "sms"])
        told.learn((near(), 3))
        told.tell()
        told.deliver()

    [asked] = server.asked
    assert asked.json["c"] == f"诉求 {ISSUE} 的办结时限为 2025-04-02 10:00，请及时办理。"


def test_a_month_and_a_quarter_are_summed_up_once_for_those_who_head_a_unit(told):
    heads = [
        ("unit_head", Holder(account_id=new_id(), staff_number=number, organisation_code=code))
        for number, code in (("H1", "town"), ("H2", "street"), ("H3", "harbour"))
    ]
    told.directory = People(heads)
    told.learn((missed(at=MORNING - timedelta(days=3)), 3), (missed(turn=2, at=MORNING - timedelta(days=2)), 4))

    made = [told.note_periods() for _ in range(2)]
    told.wait(timedelta(hours=22, minutes=30))
    told.tell()

    assert made == [4, 0]
    [text] = inbox(told, "H1")
    assert "- town（含下级）2025-03：接办诉求 1 件，办结 0 件，超时 1 件，提级督办 0 件。" in text
    assert "2025Q1：" in text
    assert inbox(told, "H3") == []


def test_in_the_middle_of_a_month_nothing_is_summed_up(told):
    told.wait(timedelta(days=14))

    assert told.note_periods() == 0


def unmet(*, at: datetime = MORNING) -> tuple[DutyShortfallFound, DutyShortfallsCounted]:
    about: dict[str, Any] = {
        "organisation_id": STREET,
        "per": "month",
        "period_start": date(2025, 4, 1),
        "ends_on": date(2025, 4, 30),
        "days_before": 7,
    }
    return (
        DutyShortfallFound(
            duty_shortfall_id=UUID(int=701), cadre_id=WANG, found_at=at, duties_short=2, missing_count=5, **about
        ),
        DutyShortfallsCounted(
            duty_shortfall_count_id=UUID(int=702), counted_at=at, cadres_owing=9, cadres_short=4, **about
        ),
    )


def test_who_has_not_met_duties_is_reminded_and_the_unit_is_told_how_many(told):
    told.directory.held.append(
        ("unit_head", Holder(account_id=new_id(), staff_number="H1", organisation_code="street")),
    )
    heard = [envelope_of(event) for event in unmet()]

    told.take("notify.events", *heard)
    told.take("notify.events", *heard)
    told.tell()

    assert notices(told) == [
        ("C100", "duties-unmet", "at_once"),
        ("H1", "duties-unmet-heads", "digest"),
        (str(CLERK), "duties-unmet-unit", "digest"),
    ]
    [text] = inbox(told)
    assert "2 项联系任务尚未完成（2025-04，截至 2025-04-30）" in text
    assert inbox(told, "H1") == []
    told.wait(timedelta(days=1))
    told.tell()
    [text] = inbox(told, "H1")
    assert "有联系任务的干部 9 名，其中 4 名尚未完成（2025-04，截至 2025-04-30）" in text


def test_a_reminder_of_duties_waits_for_the_end_of_quiet_hours(told):
    told.now = MORNING - timedelta(hours=4)  # six o'clock
    told.take("notify.events", *map(envelope_of, unmet(at=told.now)))

    told.tell()
    assert inbox(told) == []
    told.wait(timedelta(hours=2))
    told.tell()
    assert len(inbox(told)) == 1


def test_a_reminder_of_duties_that_is_old_is_not_told(told):
    told.take("notify.events", *map(envelope_of, unmet(at=MORNING - timedelta(days=4))))

    told.tell()

    assert notices(told) == []


def test_many_recipients_are_told_a_few_at_a_time_each_in_the_order_of_what_happened(told):
    cadres = [UUID(int=1_000 + number) for number in range(TOGETHER * 2 + 5)]
    told.learn(*(CadreRegistered(cadre_id=one, staff_number=f"M{one.int}", name="干部") for one in cadres))
    for step in (1, 2):
        told.learn(
            *(
                (
                    IssueEscalated(
                        issue_id=ISSUE,
                        escalated_at=MORNING,
                        level=step,
                        reason_code="missed",
                        organisation_id=TOWN,
                        cadre_id=one,
                    ),
                    step,
                )
                for one in cadres
            )
        )

    assert told.tell() == 2 * len(cadres)

    rows = told.ask(
        """
        SELECT staff_number, array_agg(number ORDER BY number), count(DISTINCT digest_id)
          FROM message JOIN recipient ON recipient.id = recipient_id
         WHERE staff_number LIKE 'M%' GROUP BY 1
        """
    )
    assert {(tuple(numbers), digests) for _, numbers, digests in rows} == {((1, 2), 2)}
    assert len(rows) == len(cadres)
    assert told.tell() == 0


BOSS, HIGHER = "B1", "B2"


def heads(told: Any, *held: tuple[str, str | None]) -> None:
    told.directory.held.extend(
        ("unit_head", Holder(account_id=new_id(), staff_number=number, organisation_code=code)) for code, number in held
    )


def superiors(told: Notify) -> list[object]:
    return [who for who, rule, _ in notices(told) if str(rule).endswith("-superior")]


def test_the_head_of_the_unit_is_told_as_the_superior_of_who_has_an_issue(told):
    heads(told, ("street", BOSS), ("town", HIGHER))
    told.learn((missed(), 3))

    told.tell()

    assert superiors(told) == [BOSS]
    told.wait(timedelta(days=1))
    told.tell()
    [text] = inbox(told, BOSS)
    assert "已过，尚未完成" in text


@pytest.mark.parametrize(
    "held", [[("town", HIGHER)], [("street", "C100"), ("town", HIGHER)]], ids=["no head", "the cadre is the head"]
)
def test_where_a_unit_has_no_other_head_the_one_above_is_the_superior(told, held):
    heads(told, *held)
    told.learn((missed(), 3))

    told.tell()

    assert superiors(told) == [HIGHER]


def test_nobody_above_means_nobody_is_told(told):
    heads(told, ("harbour", BOSS))
    told.learn((missed(), 3))

    told.tell()

    assert superiors(told) == []


@pytest.mark.parametrize("issue_type", ["complaint", "report"])
def test_of_complaints_and_reports_superiors_are_told_by_escalations_alone(told, issue_type):
    heads(told, ("street", BOSS))
    confidential = UUID(int=977)
    told.learn(
        (received(received_at=MORNING).model_copy(update={"issue_id": confidential, "issue_type": issue_type}), 1),
        (assigned(STREET).model_copy(update={"issue_id": confidential, "assigned_at": MORNING}), 2),
        (missed().model_copy(update={"issue_id": confidential}), 3),
    )

    told.tell()

    assert {rule for _, rule, _ in notices(told)} >= {"deadline-missed", "deadline-missed-unit"}
    assert superiors(told) == []


def test_an_issue_of_which_nobody_knows_what_it_is_is_told_to_no_superior(told):
    heads(told, ("street", BOSS))
    unknown = UUID(int=978)
    told.learn(
        (assigned(STREET).model_copy(update={"issue_id": unknown, "assigned_at": MORNING}), 2),
        (missed().model_copy(update={"issue_id": unknown}), 3),
    )

    told.tell()

    assert superiors(told) == []


def test_superiors_hear_of_issues_that_come_back(told):
    heads(told, ("street", BOSS))
    told.learn(
        (IssueReopened(issue_id=ISSUE, reopened_at=MORNING, reason_code="not_solved", asked_by="citizen"), 4),
        (RedoOrdered(issue_id=ISSUE, ordered_at=MORNING, reason_code="not_solved", redo_count=1), 5),
    )

    told.tell()

    assert [rule for who, rule, _ in notices(told) if who == BOSS] == ["issue-redo-superior", "issue-reopened-superior"]
