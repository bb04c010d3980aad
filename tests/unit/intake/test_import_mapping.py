"""Rows of other systems become commands of ours; what is wrong refuses a row, what is odd only marks it."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from services.intake.domain.citizens import Citizen
from services.intake.domain.commands.duties import DefineDuty
from services.intake.domain.commands.issues import ReceiveIssue
from services.intake.domain.commands.ratings import SubmitRating
from services.intake.domain.commands.registers import RecordPost, RegisterCadre, RegisterOrganisation
from services.intake.importing.codes import make_code
from services.intake.importing.findings import FileRefused
from services.intake.importing.instants import BadFormat, InstantParser, NotAnInstant, compile_format
from services.intake.importing.profile import load_profile
from services.intake.importing.seen import SeenRecords
from tests.unit.intake.import_files import HEADER, ROW, chunks_of, codes_of, issues_profile, map_rows

REGISTRATION = """
[registration.cadre]
column = "分类"
staff_number_prefix = "组-"
post_kind = "section_member"
post_level = "150"
from_on = 2020-01-01

[[registration.organisations]]
code = "town"
name = "某镇"
level = "62"

[[registration.organisations]]
column = "分类"
code_prefix = "town-"
level = "90"
"""
CHECKS = """
[[checks]]
column = "类型"
rule = "presence"
present = ["投诉"]
absent = ["咨询"]
"""


def test_a_row_becomes_an_issue_with_its_times_in_utc() -> None:
    commands, findings = map_rows(ROW)

    (issue,) = commands
    assert isinstance(issue, ReceiveIssue)
    assert (issue.source, issue.source_number, issue.type, issue.category) == ("town", "G1", "complaint", "道路")
    assert issue.received_at == datetime(2025, 3, 1, 1, 30, tzinfo=UTC)
    assert (issue.outcome, issue.reply, issue.urgency) == ("resolved", "已修复", "normal")
    assert findings == []


def test_every_fault_of_a_row_is_named_and_nothing_of_its_cells_repeated() -> None:
    commands, findings = map_rows(",投诉,道路,秘密标题,秘密时间,,,")

    assert commands == []
    assert [(item.code, item.column) for item in findings] == [
        ("missing-required", "工单编号"),
        ("bad-time", "受理时间"),
    ]
    assert "秘密" not in repr(findings)


def test_an_unknown_code_takes_the_default_and_is_flagged() -> None:
    commands, findings = map_rows(ROW.replace("投诉", "其他"))

    assert isinstance(commands[0], ReceiveIssue)
    assert commands[0].type == "help"
    assert [(item.severity, item.code, item.column) for item in findings] == [("flag", "code-defaulted", "类型")]


def test_an_unknown_code_without_a_default_refuses_the_row() -> None:
    profile = issues_profile().model_copy(
        update={
            "fields": {
                **issues_profile().fields,
                "type": issues_profile().fields["type"].model_copy(update={"default": None}),
            }
        }
    )

    commands, findings = map_rows(ROW.replace("投诉", "其他"), profile=profile)

    assert commands == []
    assert codes_of(findings) == [(2, "unknown-code")]


def test_patterns_choose_an_outcome_and_their_default_is_not_odd() -> None:
    commands, findings = map_rows(ROW.replace("已修复", "与另一工单重复"))

    assert isinstance(commands[0], ReceiveIssue)
    assert commands[0].outcome == "merged"
    assert findings == []


def test_a_closing_text_without_a_closing_time_is_flagged_and_closes_nothing() -> None:
    commands, findings = map_rows("G1,投诉,道路,路灯不亮,2025-03-01 09:30:00,,,已修复")

    assert isinstance(commands[0], ReceiveIssue)
    assert (commands[0].closed_at, commands[0].outcome, commands[0].reply) == (None, None, None)
    assert codes_of(findings) == [(2, "reply-without-closing")]


def test_a_number_that_comes_twice_counts_as_its_first_row_has_it() -> None:
    commands, findings = map_rows(ROW, ROW, ROW.replace("路灯不亮", "别的标题"))

    assert len(commands) == 1
    assert codes_of(findings) == [(4, "named-twice")]


def test_a_status_that_contradicts_the_dates_is_flagged() -> None:
    still_open = "G2,投诉,道路,路灯不亮,2025-03-01 09:30:00,,,"

    commands, findings = map_rows(ROW, still_open, profile=issues_profile(CHECKS))

    assert len(commands) == 2
    assert codes_of(findings) == [(3, "status-contradicts-dates")]


def test_handling_units_are_registered_once_with_their_teams() -> None:
    chunk = chunks_of("\n".join([HEADER, ROW, ROW.replace("G1", "G2")]), issues_profile(REGISTRATION))[0]

    units = [command for command in chunk.missing if isinstance(command, RegisterOrganisation)]
    assert [(unit.code, unit.parent_code) for unit in units] == [("town", None), ("town-道路", "town")]
    assert [command.name for command in chunk.missing if isinstance(command, RegisterCadre)] == ["道路"]
    assert [command.from_on for command in chunk.missing if isinstance(command, RecordPost)] == [date(2020, 1, 1)]
    issue = chunk.rows[1].commands[0]
    assert isinstance(issue, ReceiveIssue)
    assert (issue.organisation_code, issue.staff_number) == ("town-道路", "组-道路")


def test_a_text_that_is_too_long_is_shortened_and_flagged() -> None:
    commands, findings = map_rows(ROW.replace("路灯不亮", "灯" * 201))

    assert isinstance(commands[0], ReceiveIssue)
    assert commands[0].title == "灯" * 200
    assert codes_of(findings) == [(2, "text-shortened")]


def test_a_wrong_header_names_what_is_missing_and_what_was_found() -> None:
    with pytest.raises(FileRefused) as refusal:
        chunks_of("工单编号,类型,电话\nG1,投诉,13800000000\n")

    assert refusal.value.code == "wrong-header"
    assert "lacks 分类, 标题, 受理时间" in refusal.value.detail
    assert "found 工单编号, 类型 and 1 other columns" in refusal.value.detail
    assert "电话" not in refusal.value.detail


def test_a_header_that_names_a_column_twice_is_refused() -> None:
    with pytest.raises(FileRefused, match="more than once"):
        chunks_of(HEADER + ",标题\n")


def test_our_own_formats_map_registers_duties_and_ratings() -> None:
    cadres, _ = map_rows(
        "S1,李明,town,township_head,141,2024-01-01,",
        profile=load_profile("lianxin-cadres"),
        header="staff_number,name,organisation_code,post_kind,post_level,from_on,until_on",
    )
    duties, _ = map_rows(
        "township_head,visit,4,month,2025-01-01,",
        profile=load_profile("lianxin-duties"),
        header="post_kind,contact_kind,required_count,per,valid_from,valid_until",
    )
    ratings, findings = map_rows(
        "R1,G1,,5,true,callback,2025-03-03T09:00:00+08:00",
        "R2,G1,C1,5,true,callback,2025-03-03T09:00:00+08:00",
        "R3,G1,,6,maybe,callback,2025-03-03T09:00:00",
        profile=load_profile("lianxin-ratings"),
        header="source_number,issue_source_number,contact_source_number,level,solved,method,rated_at",
    )

    assert {type(command) for command in cadres} == {RegisterCadre, RecordPost}
    assert isinstance(duties[0], DefineDuty)
    assert [(rating.level, rating.solved) for rating in ratings if isinstance(rating, SubmitRating)] == [(5, True)]
    assert codes_of(findings) == [
        (3, "rates-one-thing"),
        (4, "bad-number"),
        (4, "bad-boolean"),
        (4, "bad-time"),
    ]


@pytest.mark.parametrize(
    ("text", "expected", "oddity"),
    [
        ("01/01/2015 12:20:09 AM", datetime(2015, 1, 1, 5, 20, 9, tzinfo=UTC), ""),
        ("07/04/2015 12:00:00 PM", datetime(2015, 7, 4, 16, tzinfo=UTC), ""),
        ("03/08/2015 02:30:00 AM", datetime(2015, 3, 8, 7, 30, tzinfo=UTC), "time-in-gap"),
        ("11/01/2015 01:30:00 AM", datetime(2015, 11, 1, 5, 30, tzinfo=UTC), "time-ambiguous"),
        ("11/01/2015 03:30:00 AM", datetime(2015, 11, 1, 8, 30, tzinfo=UTC), ""),
    ],
)
def test_local_times_follow_their_zone_through_the_year(text: str, expected: datetime, oddity: str) -> None:
    parser = InstantParser(["%m/%d/%Y %I:%M:%S %p"], ZoneInfo("America/New_York"))

    assert parser.parse(text) == (expected, oddity)
    assert parser.parse(text) == (expected, oddity)  # the second time from what was kept


@pytest.mark.parametrize(
    "text",
    ["", "02/30/2015 01:00:00 AM", "01/01/2015 13:00:00 PM", "01/01/2015 00:10:00 AM", "01/01/2015", "infinity",
     "01/01/0000 01:00:00 AM", "01/01/9999 01:00:00 AM", "01/01/2015 01:60:00 AM", "０1/01/2015 01:00:00 AM"],
)  # fmt: skip
def test_texts_that_are_no_time_are_refused(text: str) -> None:
    with pytest.raises(NotAnInstant):
        InstantParser(["%m/%d/%Y %I:%M:%S %p"], ZoneInfo("America/New_York")).parse(text)


def test_offsets_are_believed_and_a_time_without_one_needs_a_zone() -> None:
    parser = InstantParser(["iso"], None)

    assert parser.parse("2025-03-01T09:30:00+08:00")[0] == datetime(2025, 3, 1, 1, 30, tzinfo=UTC)
    with pytest.raises(NotAnInstant, match="no offset"):
        parser.parse("2025-03-01T09:30:00")


@pytest.mark.parametrize("text", ["%d/%m %H:%M", "%Y-%m-%d %I:%M", "%Y-%m-%d %Q:%M", "%Y-%Y-%m-%d", "%Y-%m-%d %H"])
def test_formats_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(BadFormat):
        compile_format(text)


def test_codes_are_kept_where_they_are_codes_and_never_collide() -> None:
    assert make_code("PWDx_Recycling") == "PWDx_Recycling"
    assert make_code("Street Light") != make_code("Street-Light")
    assert make_code("Street Light") == make_code("Street Light")
    assert make_code("x" * 100, "team-") != make_code("x" * 101, "team-")
    assert all(len(make_code(text, "team-")) <= 64 for text in ("x" * 100, "a/b " * 40, "路" * 90))


def test_seen_records_tell_repeats_from_other_content() -> None:
    seen = SeenRecords()

    assert {seen.add((str(number),), "content") for number in range(20_000)} == {None}
    assert {seen.add((str(number),), "content") for number in range(20_000)} == {True}
    assert seen.add(("7",), "other") is False


CITIZENS = """
citizen_name = { column = "姓名" }
citizen_phone = { column = "电话" }
citizen_id_number = { column = "证件" }
subject_staff_number = { column = "被反映人" }
"""
WITH_CITIZENS = f"{HEADER},姓名,电话,证件,被反映人"


def test_what_a_row_tells_of_the_citizen_becomes_one_citizen() -> None:
    commands, findings = map_rows(
        f"{ROW},张三,１３８-1234-5678,11010519491231002x,S9",
        ROW.replace("G1", "G2") + ",,,,",
        profile=issues_profile(CITIZENS),
        header=WITH_CITIZENS,
    )

    named, nobody = commands
    assert isinstance(named, ReceiveIssue)
    assert isinstance(nobody, ReceiveIssue)
    assert named.citizen == Citizen(
        name="张三", phone="13812345678", id_number="11010519491231002X", id_kind="resident_id"
    )
    assert named.subject_staff_number == "S9"
    assert nobody.citizen is None
    assert findings == []


def test_a_phone_or_number_that_cannot_be_one_is_left_out_and_the_issue_goes_in() -> None:
    commands, findings = map_rows(
        f"{ROW},张三,95588,110105194912310021,", profile=issues_profile(CITIZENS), header=WITH_CITIZENS
    )

    assert isinstance(commands[0], ReceiveIssue)
    assert commands[0].citizen == Citizen(name="张三")
    assert [(item.severity, item.code, item.column) for item in findings] == [
        ("flag", "not-of-a-citizen", "citizen_id_number"),
        ("flag", "not-of-a-citizen", "citizen_phone"),
    ]
    assert "95588" not in repr(findings)


def test_a_cell_that_recurs_is_read_alike_and_remarked_on_in_every_row() -> None:
    numbered = [ROW.replace("G1", f"G{number}") for number in range(4)]
    rows = [numbered[0], numbered[1], *(row.replace("投诉", "不明") for row in numbered[2:])]

    commands, findings = map_rows(*rows)

    assert [command.type for command in commands if isinstance(command, ReceiveIssue)][:2] == ["complaint"] * 2
    [first, second] = codes_of(findings)
    assert (first[0], second[0]) == (4, 5)
    assert first[1] == second[1]
