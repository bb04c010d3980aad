"""The profiles for work orders that come along, over rows as the systems write them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.intake.domain.citizens import Citizen
from services.intake.domain.commands.base import Command
from services.intake.domain.commands.issues import ReceiveIssue
from services.intake.domain.commands.ratings import SubmitRating
from services.intake.domain.commands.registers import RegisterOrganisation
from services.intake.importing.findings import FileRefused, Finding
from services.intake.importing.profile import (
    ProfileRefused,
    check_profiles,
    list_profiles,
    load_profile,
    parse_profile,
)
from tests.unit.intake.import_files import ISSUES, chunks_of, codes_of

COLUMNS = [
    "工单编号",
    "受理员工号",
    "受理员",
    "来电人",
    "一级分类",
    "二级分类",
    "三级分类",
    "四级分类",
    "五级分类",
    "紧急程度",
    "来电类别",
    "受理渠道",
    "主要内容",
    "受理时间",
    "回复备注",
    "办理情况",
    "被催办单ID",
    "受理备注",
    "工单状态",
    "受理类型",
    "是否保密",
    "是否回复",
    "办理单位",
    "转办时间",
    "转办人姓名",
    "转办人工号",
    "转办意见",
    "办结时间",
]
ORDER = {
    "工单编号": "250301093000123456",
    "受理员工号": "8001",
    "受理员": "话务员甲",
    "来电人": "张秀兰",
    "一级分类": "城乡建设",
    "二级分类": "市政设施",
    "三级分类": "路灯",
    "四级分类": "NULL",
    "五级分类": "NULL",
    "紧急程度": "一般",
    "来电类别": "求助",
    "受理渠道": "来电",
    "主要内容": "某路路灯不亮",
    "受理时间": "2025-03-01 09:30:00",
    "回复备注": "已电话告知",
    "办理情况": "已修复",
    "被催办单ID": "NULL",
    "受理备注": "NULL",
    "工单状态": "办结",
    "受理类型": "转办",
    "是否保密": "否",
    "是否回复": "是",
    "办理单位": "某街道办事处",
    "转办时间": "2025-03-01 10:00:00",
    "转办人姓名": "话务员乙",
    "转办人工号": "8002",
    "转办意见": "请尽快办理",
    "办结时间": "2025-03-02 10:00:00",
}
Read = tuple[list[Command], list[Command], list[Finding]]


def read(profile: str, header: list[str], *rows: list[str]) -> Read:
    text = "\n".join(",".join(cells) for cells in (header, *rows))
    chunks = chunks_of(text, load_profile(profile))
    commands = [command for chunk in chunks for row in chunk.rows for command in row.commands]
    missing = [command for chunk in chunks for command in chunk.missing]
    return commands, missing, [finding for chunk in chunks for finding in chunk.findings]


def municipal(**changes: str) -> Read:
    order = {**ORDER, **changes}
    return read("municipal12345", COLUMNS, [order[column] for column in COLUMNS])


def the_issue(found: Read) -> ReceiveIssue:
    (command,) = found[0]
    assert isinstance(command, ReceiveIssue)
    return command


def test_every_profile_that_comes_along_can_be_used() -> None:
    assert check_profiles(()) == {}
    assert {"boston311", "municipal12345", "work-orders"} <= set(list_profiles())


def test_all_twenty_eight_columns_are_used_or_said_not_to_be() -> None:
    profile = load_profile("municipal12345")

    assert len(COLUMNS) == 28
    assert {*profile.named_columns, *profile.file.ignored} == set(COLUMNS)
    assert not {*profile.named_columns} & {*profile.file.ignored}


def test_a_work_order_of_the_municipal_export_becomes_an_issue() -> None:
    found = municipal()
    issue = the_issue(found)

    assert found[2] == []
    assert issue.source_number == "250301093000123456"
    assert (issue.type, issue.channel, issue.urgency, issue.outcome) == ("help", "phone", "normal", "resolved")
    assert issue.category.startswith("城乡建设-市政设施-路灯-")
    assert (issue.title, issue.description, issue.reply) == ("某路路灯不亮", "某路路灯不亮", "已修复\n已电话告知")
    assert issue.received_at == datetime(2025, 3, 1, 1, 30, tzinfo=UTC)
    assert issue.assigned_at == datetime(2025, 3, 1, 2, 0, tzinfo=UTC)
    assert issue.closed_at == datetime(2025, 3, 2, 2, 0, tzinfo=UTC)
    assert issue.organisation_code == "unit-某街道办事处"
    assert issue.citizen == Citizen(name="张秀兰")
    assert [unit.name for unit in found[1] if isinstance(unit, RegisterOrganisation)] == [
        "12345 热线承办单位",
        "某街道办事处",
    ]


def test_who_took_and_passed_the_call_is_nowhere() -> None:
    assert "话务员" not in repr(municipal()[:2])


@pytest.mark.parametrize(
    ("column", "text", "field", "value"),
    [
        ("来电类别", "咨询", "type", "enquiry"),
        ("来电类别", "投诉举报", "type", "complaint"),
        ("来电类别", "表扬", "type", "thanks"),
        ("紧急程度", "特急", "urgency", "critical"),
        ("紧急程度", "NULL", "urgency", "normal"),
        ("受理渠道", "微信", "channel", "social_media"),
        ("受理渠道", "NULL", "channel", "other_system"),
        ("办理情况", "该诉求不属于受理范围", "outcome", "not_accepted"),
        ("办理情况", "系重复工单", "outcome", "merged"),
        ("办理情况", "因政策原因暂不能办理", "outcome", "explained_policy"),
    ],
)
def test_the_words_of_the_export_are_ours(column: str, text: str, field: str, value: str) -> None:
    found = municipal(**{column: text})

    assert getattr(the_issue(found), field) == value
    assert found[2] == []


def test_an_unknown_word_falls_to_a_default_and_is_flagged() -> None:
    found = municipal(来电类别="其他", 受理渠道="省平台")

    assert (the_issue(found).type, the_issue(found).channel) == ("help", "other_system")
    assert codes_of(found[2]) == [(2, "code-defaulted"), (2, "code-defaulted")]


def test_a_citizen_who_asked_for_confidence_is_not_taken_over() -> None:
    found = municipal(是否保密="是")

    assert the_issue(found).citizen is None
    assert codes_of(found[2]) == [(2, "kept-confidential")]
    assert "张秀兰" not in repr(found)


def test_a_call_by_mistake_is_left_out_and_counted() -> None:
    commands, _, findings = municipal(来电类别="无效")

    assert commands == []
    assert codes_of(findings) == [(2, "left-out")]


def test_an_order_that_is_open_has_no_end_and_no_unit() -> None:
    found = municipal(办结时间="NULL", 办理情况="NULL", 回复备注="NULL", 工单状态="办理中", 办理单位="NULL")
    issue = the_issue(found)

    assert (issue.closed_at, issue.outcome, issue.organisation_code) == (None, None, None)
    assert codes_of(found[2]) == [(2, "no-handling-unit")]


def test_a_long_content_is_the_description_and_its_beginning_the_title() -> None:
    issue = the_issue(municipal(主要内容="长" * 900))

    assert (len(issue.title), len(issue.description or "")) == (200, 900)


@pytest.mark.parametrize(
    "header",
    [
        ["工单编号", "诉求类型", "内容", "受理时间", "诉求人", "联系电话"],
        ["受理编号", "类型", "主要内容", "登记时间", "来电人", "手机号"],
        ["Order No.", "TYPE", "Description", "received_at", "Caller", "Phone Number"],
        ["service_request_id", "request type", "details", "Requested  Datetime", "citizen name", "mobile"],
    ],
)
def test_a_work_order_is_known_under_chinese_and_english_headers(header: list[str]) -> None:
    found = read("work-orders", header, ["A1", "投诉", "路灯不亮", "2025/3/1 9:30", "张三", "13800001111"])
    issue = the_issue(found)

    assert found[2] == []
    assert (issue.source_number, issue.type, issue.title) == ("A1", "complaint", "路灯不亮")
    assert issue.received_at == datetime(2025, 3, 1, 1, 30, tzinfo=UTC)
    assert issue.citizen == Citizen(name="张三", phone="13800001111")


def test_the_steps_that_a_work_order_tells_of_have_their_times() -> None:
    header = [
        "编号",
        "受理时间",
        "转办时间",
        "签收时间",
        "先行联系时间",
        "回复时间",
        "办结时间",
        "退回次数",
        "返工次数",
    ]
    header += ["答复内容", "单位代码"]
    found = read(
        "work-orders",
        header,
        ["A1", "2025-03-01", *(f"2025-03-0{day} 08:00" for day in range(2, 7)), "1", "2", "已修好", "town"],
        ["A2", "2025-03-01", "", "", "", "", "", "", "", "", "town"],
        ["A3", "2025-03-01", "", "", "", "2025-03-04 08:00", "", "", "", "在办", "town"],
    )
    whole, bare, answered = (issue for issue in found[0] if isinstance(issue, ReceiveIssue))

    times = (whole.assigned_at, whole.signed_at, whole.responded_at, whole.replied_at, whole.closed_at)
    assert times == tuple(datetime(2025, 3, day, tzinfo=UTC) for day in range(2, 7))
    assert (whole.return_count, whole.redo_count, whole.has_history, bare.has_history) == (1, 2, True, False)
    assert (answered.reply, answered.closed_at, found[2]) == ("在办", None, [])


def test_a_column_that_nothing_reads_is_named() -> None:
    found = read("work-orders", ["编号", "受理时间", "领导批示", "", "export_mark"], ["A1", "2025-03-01", "阅", "", ""])

    assert [(one.line, one.severity, one.code, one.column) for one in found[2]] == [
        (1, "flag", "unread-column", "领导批示")
    ]
    assert len(found[0]) == 1


def test_what_citizens_said_of_work_orders_is_read_with_its_dimensions() -> None:
    header = ["工单号", "满意度", "服务态度", "办理时效", "是否解决", "回访时间"]
    found = read(
        "work-order-ratings",
        header,
        ["A1", "满意", "非常满意", "不满意", "已解决", "2025-03-08"],
        ["A2", "未评价", "", "", "", ""],
        ["A3", "2", "", "", "否", "2025-03-08"],
        ["A4", "尚可", "", "", "", "2025-03-08"],
    )

    ratings = [one for one in found[0] if isinstance(one, SubmitRating)]
    assert [(one.issue_source_number, one.level, one.attitude, one.speed, one.solved) for one in ratings] == [
        ("A1", 4, 5, 2, True),
        ("A3", 2, None, None, False),
    ]
    assert {(one.source, one.method) for one in ratings} == {("work-orders", "import")}
    assert [(one.line, one.code) for one in found[2]] == [(3, "left-out"), (5, "unknown-code")]


def test_what_a_file_must_have_is_asked_for_by_its_name() -> None:
    with pytest.raises(FileRefused) as refused:
        read("work-orders", ["编号", "内容"], ["A1", "x"])

    assert refused.value.code == "wrong-header"
    assert "受理时间" in refused.value.detail


def test_two_columns_that_are_one_are_refused() -> None:
    with pytest.raises(FileRefused) as refused:
        read("work-orders", ["编号", "received at", "Received_At"], ["A1", "", ""])

    assert "more than once" in refused.value.detail


def test_the_first_choice_goes_before_the_second() -> None:
    found = read(
        "work-orders",
        ["编号", "标题", "内容", "受理时间"],
        ["A1", "题", "文", "2025-03-01"],
        ["A2", "", "文", "2025-03-01"],
    )

    assert [issue.title for issue in found[0] if isinstance(issue, ReceiveIssue)] == ["题", "文"]


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ('[headers."没有"]\nalso = ["x"]', "read by no field"),
        ('[confidential]\ncolumn = "x"\nvalues = []', "values"),
        ('[[left_out]]\ncolumn = "x"', "values"),
        ('[headers."标题"]\noptional = "yes"', "optional"),
    ],
)
def test_a_profile_that_is_wrong_is_refused_with_the_key(more: str, complaint: str) -> None:
    with pytest.raises(ProfileRefused) as refused:
        parse_profile(f"{ISSUES}\n{more}\n")

    assert complaint in refused.value.detail


def test_a_folder_of_ones_own_goes_first_and_its_faults_are_named(tmp_path: Path) -> None:
    (tmp_path / "town.toml").write_text("\ufeff" + ISSUES, "utf-8")  # as an editor on Windows leaves it
    (tmp_path / "boston311.toml").write_text(ISSUES, "utf-8")
    (tmp_path / "gbk.toml").write_bytes("名称".encode("gb18030"))

    faults = check_profiles([tmp_path])

    assert load_profile("town", [tmp_path]).target == "issue"
    assert faults == {
        "boston311": "name: must be boston311, as the file is called",
        "gbk": "the profile is no UTF-8 text",
    }
