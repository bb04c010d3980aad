"""Tables from files, and the command that puts a scheme to one."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import openpyxl
import pytest

from services.assessment.domain.rules.faults import BadTable
from services.assessment.domain.rules.scheme_reading import read_rule_scheme
from services.assessment.importing.commands import check_command, evaluate_command, simulate_command
from services.assessment.importing.tables import read_table
from services.assessment.scoring.evaluating import evaluate
from tests.unit.assessment.rules.schemes import HEAD, points_of, scheme_of, told

RULE = (
    '[measures]\nrate = "办结率"\nn = { column = "件数", blank = 0 }\n[items.x]\nkind = "formula"\nformula = "rate"\n'
)
CSV = 'unit,办结率,件数\n甲,98.06%,"1,204"\n乙,９９．５,－\n'


def cells(data: bytes, rule: str = RULE) -> list[list[str | None]]:
    table, _ = read_table(data, scheme_of(rule))
    return [[told(value) for value in column] for column in table.columns.values()]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_table_is_read_in_the_encodings_of_the_country(encoding):
    assert cells(CSV.encode(encoding)) == [["98.06", "99.5"], ["1204", "0"]]


@pytest.mark.parametrize("separator", ["\t", ";"])
def test_other_separators_are_found(separator):
    text = CSV.replace('"1,204"', "1204").replace(",", separator)

    assert cells(text.encode()) == [["98.06", "99.5"], ["1204", "0"]]


def test_a_spreadsheet_gives_the_numbers_that_it_shows():
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in (["unit", "办结率", "件数"], ["甲", 98.06, 1204], ["乙", 0.1 + 0.2, None]):
        sheet.append(row)
    file = io.BytesIO()
    book.save(file)

    assert cells(file.getvalue()) == [["98.06", "0.3"], ["1204", "0"]]


def test_a_heading_that_comes_again_has_a_number_and_subjects_may_have_two_columns():
    rule = '[measures]\na = "得分"\nb = "得分#2"\n[values]\nx = "a + b"'
    scheme = read_rule_scheme(HEAD.replace('subject = "unit"', 'subject = ["区", "街道"]') + rule)

    table, _ = read_table("区,街道,得分,得分\n东,一街,1,2\n西,一街,3,4\n".encode(), scheme)

    assert table.subjects == ("东 一街", "西 一街")
    assert [[told(value) for value in column] for column in table.columns.values()] == [["1", "3"], ["2", "4"]]


def test_two_rows_of_headings_are_read_as_one():
    rule = 'header_row = [2, 3]\n[measures]\na = "办结率 得分"\nb = "满意率 得分"\nn = "件数"\n[values]\nx = "a + b"'
    scheme = read_rule_scheme(HEAD.replace('"unit"', '"单位"') + rule)
    text = "七月通报\n单位,件数,办结率,,满意率,\n,,数值,得分,数值,得分\n甲,7,99,10,98,9\n"

    table, _ = read_table(text.encode(), scheme)

    assert table.subjects == ("甲",)
    assert {name: told(column[0]) for name, column in table.columns.items()} == {"a": "10", "b": "9", "n": "7"}


def test_units_may_stand_side_by_side():
    rule = 'transposed = true\n[measures]\nrate = "办结率"\n[values]\nx = "rate"'
    scheme = read_rule_scheme(HEAD.replace('"unit"', '"指标"') + rule)

    table, _ = read_table("指标,甲县,乙县\n办结率,98.5%,97%\n".encode(), scheme)

    assert table.subjects == ("甲县", "乙县")
    assert [told(value) for value in table.columns["rate"]] == ["98.5", "97"]


def test_units_say_nothing_and_days_can_be_subtracted():
    rule = (
        '[measures]\nn = "n"\nfrom = { column = "from", type = "date" }\nto = { column = "to", type = "date" }\n'
        '[values]\nx = "to - from"'
    )
    scheme = scheme_of(rule)
    text = "unit,n,from,to\n甲,1 204件,2024-02-28,2024年3月1日\n乙,3.5分,2024/12/31,2025.1.1\n"

    outcome = evaluate(scheme, read_table(text.encode(), scheme)[0])

    assert [[told(value) for value in outcome.columns[name]] for name in ("n", "x")] == [["1204", "3.5"], ["2", "1"]]
    with pytest.raises(BadTable, match="'2024-02-30' is not a day"):
        read_table(text.replace("2024-02-28", "2024-02-30").encode(), scheme)


def test_title_rows_and_sums_are_passed_over():
    rule = 'header_row = 2\nskip_subjects = ["合计"]\n' + RULE
    text = "某市通报,,\nunit,办结率,件数\n甲,1,2\n,,\n合计,1,2\n"

    assert cells(text.encode(), rule) == [["1"], ["2"]]


def test_merged_cells_say_the_same_and_remarks_are_passed_over_by_their_beginning():
    rule = 'subject = ["区", "unit"]\nmerged = ["区", "组别", "系数"]\nskip_subjects = ["小计", "注*"]\n'
    rule = HEAD.replace('subject = "unit"\n', rule)
    rule += '[measures]\na = "件数"\nkind = { column = "组别", type = "text" }\nk = "系数"\n'
    rule += '[items.x]\nkind = "formula"\nformula = "a * k"\n'
    text = "区,unit,组别,系数,件数\n东,一街,A,2,1\n小计,,C,9,9\n,二街,,,2\n,小计,,,3\n"
    text += "西,一街,,-,\n,三街,B,,5\n注：截至六月,,,,\n,,注：另计,,\n"

    table, _ = read_table(text.encode(), read_rule_scheme(rule))

    assert table.subjects == ("东 一街", "东 二街", "西 一街", "西 三街")
    assert table.columns["kind"] == ("A", "A", "A", "B")
    assert [told(one) for one in table.columns["k"]] == ["2", "2", None, None]
    assert [told(one) for one in table.columns["a"]] == ["1", "2", None, "5"]
    with pytest.raises(BadTable, match="the header lacks 类别"):
        read_table(text.encode(), read_rule_scheme(rule.replace('"组别", "系数"]', '"类别"]')))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("unit,办结率\n甲,1\n", "the header lacks 件数; it has unit, 办结率"),
        ("unit,办结率,件数\n甲,一,2\n", r"row 2 \(甲\): 办结率: '一' is not a number"),
        ("unit,办结率,件数\n甲,1e5,2\n", "'1e5' is not a number"),
        ("unit,办结率,件数\n甲,NaN,2\n", "'NaN' is not a number"),
        ("unit,办结率,件数\n甲,1,2\n甲,1,2\n", "rows 2 and 3 are both of 甲; if the table has several periods"),
        ("unit,办结率,件数\n,1,2\n", "row 2: unit is empty"),
        ("unit,办结率,件数\n甲,1,2,3\n", "row 2 has 4 cells, the header 3"),
        ("unit,办结率,件数\n", "the table has no rows"),
        ("", "the file has no row 1"),
        ('unit,办结率,件数\n"甲,1,2\n', "the file is not CSV"),
        ("unit,办结率,件数\n甲,99999999999999999999,2\n", "beyond"),
        ("unit,办结率,件数\n甲,1,2\x00\n", "not a text table"),
    ],
)
def test_a_table_that_does_not_read_is_refused_with_its_row(text, complaint):
    with pytest.raises(BadTable, match=complaint):
        cells(text.encode())


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"\xff\xfe\x00\x81\x30", "neither UTF-8 nor GB 18030"),
        (b"PK\x03\x04broken", "not a spreadsheet that can be read"),
        (b"\xd0\xcf\x11\xe0old", "an old spreadsheet"),
    ],
    ids=["encoding", "broken", "old"],
)
def test_a_file_that_is_no_table_is_refused(data, complaint):
    with pytest.raises(BadTable, match=complaint):
        cells(data)


def test_a_workbook_that_unpacks_to_too_much_is_refused():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 201_000_000)

    with pytest.raises(BadTable, match="unpacks to too much"):
        cells(file.getvalue())


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    scheme, table = tmp_path / "scheme.toml", tmp_path / "table.csv"
    scheme.write_text(HEAD + RULE + '[[rankings]]\n[published]\ntotal = "得分"\n', "utf-8")
    table.write_text("unit,办结率,件数,得分\n甲,98.06,1,98.06\n=1+1,99.5,2,99\n", "utf-8")
    return scheme, table


def test_the_command_writes_the_result_and_says_what_differs(files, capsys):
    scheme, table = files
    out = table.with_name("out.csv")

    code = evaluate_command(["--scheme", str(scheme), "--table", str(table), "--out", str(out)])

    assert code == 1
    assert out.read_text("utf-8-sig").splitlines() == ["unit,x,总分,place", "甲,98.06,98.06,2", "'=1+1,99.5,99.5,1"]
    assert capsys.readouterr().err.splitlines() == [
        "total: 1 of 2 as published",
        "  =1+1: computed 99.5, published 99",
    ]


NOTICED = """
header_row = 1
[measures]
due = "应办"
done = "已办"
returned = "退单"
praise = { column = "表扬", type = "texts" }
[items.x]
name = { zh = "办结率", en = "closed" }
kind = "formula"
formula = "done / due * 100"
[items.y]
kind = "deduction"
count = "returned"
each = 1
[items.z]
kind = "bonus"
count = "sum(praise == '省')"
each = 1
[items.settled]
kind = "formula"
formula = "returned"
missing = "zero"
[[flags]]
when = "total < 60"
label = { zh = "黄牌", en = "yellow" }
[published]
flags = "结果"
"""


def test_the_command_says_what_may_have_been_overlooked(tmp_path, capsys):
    """Empty cells and rows that are no unit, unless the scheme says what they count; flags are compared."""
    scheme, table = tmp_path / "scheme.toml", tmp_path / "table.csv"
    scheme.write_text(HEAD + NOTICED, "utf-8")
    rows = ["甲,10,5,1,省,黄牌", "乙,0,0,,,黄牌", "丙,8,8,0,省；市,黄牌", *(f"丁{n},9,,1,市,-" for n in range(6))]
    table.write_text("\n".join(["unit,应办,已办,退单,表扬,结果", *rows, "合计,99,99,1,市,"]), "utf-8")

    assert evaluate_command(["--scheme", str(scheme), "--table", str(table), "--language", "en"]) == 1
    assert evaluate_command(["--scheme", str(scheme), "--table", str(table), "--out", str(tmp_path / "out.csv")]) == 1

    err = capsys.readouterr().err.splitlines()
    assert err[:7] == [
        "合计 is scored as a unit; if it is none, name it in skip_subjects of [table]",
        "closed: cannot be told (division by zero, condition not met, or no member of the group): no total for 乙; "
        "missing = ... says what counts then",
        "closed: 已办 has empty cells: no total for 丁0, 丁1, 丁2, 丁3, 丁4 and 1 more; "
        "if empty means 0, say blank = 0 in [measures]",
        "y: 退单 has empty cells: 0 points for 乙; if empty means 0, say blank = 0 in [measures]",
        "z: 表扬 has empty cells: 0 points for 乙; if empty means none, write coalesce(..., 0)",
        "flags: 1 of 3 as published",
        "  乙: computed nothing, published 黄牌",
    ]
    assert (
        err[10]
        == "办结率：“已办”有空格，丁0、丁1、丁2、丁3、丁4 等6个不计总分；空格就是 0 的，在 [measures] 中写 blank = 0"
    )


def test_the_command_explains_what_a_subject_lacks(tmp_path, capsys):
    scheme, table = tmp_path / "scheme.toml", tmp_path / "table.csv"
    scheme.write_text(HEAD + NOTICED, "utf-8")
    table.write_text("unit,应办,已办,退单,表扬,结果\n甲,10,5,,省,\n乙,,,,,\n", "utf-8")

    assert (
        evaluate_command(["--scheme", str(scheme), "--table", str(table), "--explain", "甲", "--language", "en"]) == 0
    )

    told_of = capsys.readouterr()
    assert "y: no data, or its condition is not met: by the scheme's rule 0" in told_of.out
    assert told_of.err == "y: 退单 has empty cells: 0 points for 甲; if empty means 0, say blank = 0 in [measures]\n"


def test_a_measure_is_empty_wherever_a_section_or_value_needs_it(tmp_path, capsys):
    scheme, table = tmp_path / "scheme.toml", tmp_path / "table.csv"
    scheme.write_text(
        HEAD + '[measures]\na = "a"\n[values]\nv = "s + 1"\n[sections.s]\n[items.x]\nsection = "s"\nkind = "formula"\n'
        'formula = "a"\n[items.y]\nkind = "formula"\nformula = "v"\n', "utf-8",
    )  # fmt: skip
    table.write_text("unit,a\n甲,\n乙,1\n", "utf-8")

    assert evaluate_command(["--scheme", str(scheme), "--table", str(table), "--language", "en"]) == 0

    ends = "a has empty cells: no total for 甲; if empty means 0, say blank = 0 in [measures]"
    assert capsys.readouterr().err.splitlines() == [f"x: {ends}", f"y: {ends}"]


SCALES = """
[measures]
a = "a"
b = "b"
[values.v]
kind = "proportional"
value = "a"
full = 10
[items.x]
kind = "target_slope"
value = "a"
target = 95
full = 10
slope = 1
[items.y]
kind = "proportional"
value = "b"
whole = 1
full = 10
[items.right]
kind = "proportional"
value = "b"
full = 10
[items.lower]
kind = "target_slope"
value = "a"
target = 60
full = 10
slope = 1
direction = "lower"
"""


def test_the_command_says_where_a_share_is_taken_for_per_cent(tmp_path, capsys):
    scheme, table = tmp_path / "scheme.toml", tmp_path / "table.csv"
    scheme.write_text(HEAD + SCALES, "utf-8")
    table.write_text("unit,a,b\n甲,0.98,95\n乙,1,2.5\n丙,0,99\n", "utf-8")

    assert evaluate_command(["--scheme", str(scheme), "--table", str(table), "--language", "en"]) == 0
    told_of = capsys.readouterr().err.splitlines()
    table.write_text("unit,a,b\n甲,0.98,1\n乙,1.01,99\n丙,0,3\n", "utf-8")
    assert evaluate_command(["--scheme", str(scheme), "--table", str(table)]) == 0

    assert told_of == [
        "v: no value is above 1, and they are set against 100: a share needs * 100, or whole = 1",
        "x: no value is above 1, and they are set against 95: a share needs * 100, or whole = 1",
        "y: whole is 1, and every value is above 2: a per cent needs no whole",
    ]
    assert capsys.readouterr().err == ""


BANDED = """
[measures]
a = "a"
[values.v]
kind = "bands"
value = "a"
bands = [{ at_most = 5, label = "few" }, { below = 5, label = "fewer" }, { at_least = 5, label = "many" }]
[items.x]
kind = "bands"
value = "a"
bands = [
  { at_least = 60, when = "a > 70", points = 1 }, { at_least = "30 + 30", points = 2 }, { above = 60, points = 3 },
  { at_least = 90, points = 4 }, { above = 60, points = 5 }, { at_least = 60, points = 6 }, { below = 60, points = 7 },
]
"""


def test_bands_that_nobody_can_be_in_are_named(tmp_path, capsys):
    scheme, table = tmp_path / "scheme.toml", tmp_path / "table.csv"
    scheme.write_text(HEAD + BANDED, "utf-8")
    table.write_text("unit,a\n甲,3\n", "utf-8")

    assert check_command([str(scheme)]) == 0
    told_of = capsys.readouterr().err.splitlines()
    assert evaluate_command(["--scheme", str(scheme), "--table", str(table), "--language", "en"]) == 0

    ends = "; the first that fits counts, so the most demanding comes first"
    english = [
        f"v: band 2 is never reached, since all of it is in band 1{ends}",
        f"x: band 4 is never reached, since all of it is in band 3{ends}",
        f"x: band 5 is never reached, since all of it is in band 3{ends}",
    ]
    assert capsys.readouterr().err.splitlines() == english
    assert told_of[0] == "v：第 2 档轮不到，第 1 档已包括它；先符合的算，要求高的写在前面"
    assert told_of[3:] == english


EVENTS = """
[measures]
n = "件数"
dead = { column = "死亡", type = "list" }
again = { column = "再次", type = "texts" }
[values]
price = "if(dead >= 6, 10, 5)"
guarded = "sum(if(dead >= 6, 10, 5)) * given(dead)"
asked = "if(given(dead), sum(if(dead >= 6, 10, 5)), 0)"
inside = "sum(price * given(dead)) + count(coalesce(dead, 0))"
half = "if(count(dead) > 2, 10, 4)"
[items.summed]
kind = "formula"
formula = "sum(price) + n"
[items.counted]
kind = "deduction"
lines = [{ count = "n", each = 1 }, { count = "if(again == '是', 2, 1)", each = 1 }]
[items.priced]
kind = "deduction"
count = "coalesce(sum(if(dead >= 6, 10, if(dead >= 3, 5, 0))), 0)"
each = 1
"""


def test_who_has_no_row_in_a_ledger_is_named_where_that_counts_nonetheless(tmp_path, capsys):
    scheme, units, ledger = tmp_path / "scheme.toml", tmp_path / "units.csv", tmp_path / "ledger.csv"
    scheme.write_text(HEAD + EVENTS, "utf-8")
    units.write_text("unit,件数\n甲,1\n乙,0\n", "utf-8")
    ledger.write_text("unit,死亡,再次\n甲,3,否\n甲,7,是\n", "utf-8")
    options = ["--scheme", str(scheme), "--table", str(units), "--table", str(ledger), "--language", "en"]

    assert evaluate_command(options) == 0

    told_of = capsys.readouterr().err.splitlines()
    assert [line.split(" (")[0] for line in told_of if "nonetheless" in line] == [
        "summed: 乙 has no price, and sum(price) + n comes to a number nonetheless",
        "counted: 乙 has no 再次, and if(again == '是', 2, 1) comes to a number nonetheless",
    ]


MONTHLY = """
period = "月份"
[measures]
kind = { column = "类别", type = "text" }
a = "办结率"
b = { column = "年终", optional = true }
[groups]
by = ["kind"]
[items.x]
kind = "formula"
formula = "a"
[overall]
round = 1
[published]
overall = "年均"
overall_place = "年名次"
"""
MONTHS = "unit,月份,类别,办结率,年均,年名次\n甲,1,县,90,,\n甲,2,县,91.1,90.6,1\n乙,1,县,90,90,2\n丙,2,区,70,71,1\n"


def test_a_year_is_compared_with_what_was_published_and_is_a_table_again(tmp_path, capsys):
    scheme, table, year = (tmp_path / name for name in ("scheme.toml", "table.csv", "year.csv"))
    scheme.write_text(HEAD + MONTHLY, "utf-8")
    table.write_text(MONTHS, "utf-8")

    assert evaluate_command(["--scheme", str(scheme), "--table", str(table), "--overall", "--out", str(year)]) == 1

    lines = year.read_text("utf-8-sig").splitlines()
    assert lines == ["unit,类别,总分,期数,名次", "甲,县,90.6,2,1", "乙,县,90.0,1,2", "丙,区,70.0,1,1"]
    assert capsys.readouterr().err.splitlines() == [
        "overall: 2 of 3 as published", "  丙: computed 70, published 71", "overall_place: 3 of 3 as published",
    ]  # fmt: skip


def test_further_tables_of_the_same_units_are_put_beside_the_first():
    scheme = scheme_of(MONTHLY)
    exams = "说明,unit,年终,办结率\n,乙,80,1\n,甲,85,1\n".encode()
    by_month = "unit,月份,年终\n甲,2,7\n".encode()

    table, _ = read_table(MONTHS.encode(), scheme, exams)
    monthly, _ = read_table(MONTHS.encode(), scheme, by_month)

    assert table.subjects == ("甲", "甲", "乙", "丙")
    assert [told(one) for one in table.columns["a"]] == ["90", "91.1", "90", "70"]
    assert [told(one) for one in table.columns["b"]] == ["85", "85", "80", None]
    assert [told(one) for one in monthly.columns["b"]] == [None, "7", None, None]


def test_a_ledger_with_a_row_for_each_event_becomes_lists():
    """Entries of one row stay together, and who has no event has none."""
    rule = '[measures]\na = "件数"\nlevels = { column = "级别", type = "texts" }\n'
    rule += 'costs = { column = "分值", type = "list", blank = 0 }\n[items.x]\nkind = "formula"\n'
    rule += "formula = \"sum(costs * if(levels == '国家', 2, 1))\"\n"
    ledger = "编号,unit,级别,分值\n1,甲,省,3\n2,丙,市,1\n3,甲,国家,5\n4,甲,市,1.5\n"
    scheme = scheme_of(rule)

    table, _ = read_table("unit,件数\n甲,9\n乙,8\n丙,7\n".encode(), scheme, ledger.encode())

    assert table.columns["levels"] == (("省", "国家", "市"), None, ("市",))
    assert [told(one) for one in evaluate(scheme, table).columns["x"]] == ["14.5", "0", "1"]


LEDGER = """
[measures]
a = "件数"
places = { column = "地点", type = "texts" }
costs = { column = "分值", type = "list", blank = 0 }
[items.x]
kind = "formula"
formula = "sum(costs * if(places == '街道、社区', 2, 1))"
"""


def test_what_parts_a_list_in_a_cell_parts_no_row_of_a_ledger():
    ledger = "unit,地点,分值\n甲,街道、社区,3\n甲,街道,\n乙,街道、社区,4\n"
    scheme = scheme_of(LEDGER)

    table, _ = read_table("unit,件数\n甲,9\n乙,8\n".encode(), scheme, ledger.encode())

    assert table.columns["places"] == (("街道、社区", "街道"), ("街道、社区",))
    assert repr(table.columns["costs"]) == "((Fraction(3, 1), None), (Fraction(4, 1),))"


def test_a_text_that_a_row_of_a_ledger_lacks_would_move_those_below_it_up():
    ledger = "unit,地点,分值\n甲,,3\n甲,街道,1\n"

    with pytest.raises(BadTable, match=r"row 2 \(甲\): 地点: is empty in one of several rows"):
        read_table("unit,件数\n甲,9\n".encode(), scheme_of(LEDGER), ledger.encode())


ORDERS = """
[measures]
n = "件数"
due = { column = "期限", type = "dates" }
closed = { column = "办结", type = "dates" }
[values]
late = "sum(closed > due)"
hours = "sum(at_least(closed - due, 0)) * 24"
since = "sum(closed >= date('2024-03-02'))"
"""


def test_a_ledger_has_days_and_times_of_day():
    orders = "unit,期限,办结\n甲,2024-03-01 18:00,2024/3/1 12:30:00\n甲,2024-03-01,2024年3月2日 6:00\n甲,2024-03-05,\n"
    scheme = scheme_of(ORDERS)

    outcome = evaluate(scheme, read_table("unit,件数\n甲,3\n乙,0\n".encode(), scheme, orders.encode())[0])

    assert {name: points_of(outcome, name) for name in ("late", "hours", "since")} == {
        "late": ["1", None], "hours": ["30", None], "since": ["1", None],
    }  # fmt: skip


def test_several_days_stand_in_a_cell():
    scheme = scheme_of('[measures]\nd = { column = "d", type = "dates" }\n[values]\nx = "last(d) - first(d)"')

    outcome = evaluate(scheme, read_table("unit,d\n甲,2024-02-28；2024-03-01\n".encode(), scheme)[0])

    assert points_of(outcome, "x") == ["2"]
    with pytest.raises(BadTable, match="d: '3月1日' is not a day such as 2024-03-05"):
        read_table("unit,d\n甲,2024-02-28；3月1日\n".encode(), scheme)


def test_a_further_table_with_a_row_a_unit_has_lists_in_its_cells():
    further = "unit,地点,分值\n甲,街道；社区,3；4\n"

    table, _ = read_table("unit,件数\n甲,9\n".encode(), scheme_of(LEDGER), further.encode())

    assert table.columns["places"] == (("街道", "社区"),)
    assert repr(table.columns["costs"]) == "((Fraction(3, 1), Fraction(4, 1)),)"


@pytest.mark.parametrize(
    ("further", "complaint"),
    [
        ("unit,年终\n丁,1\n", "a further table has 丁, which the first lacks"),
        ("unit,月份,年终\n甲,3,1\n", "a further table has 甲 3, which the first lacks"),
        (
            "unit,年终\n甲,1\n甲,2\n",
            r"row 2 \(甲\): 年终: stands in several rows; a ledger's columns have the type list, texts, dates",
        ),
        ("单位,年终\n甲,1\n", "the header lacks unit; it has 单位, 年终"),
    ],
)
def test_a_further_table_that_does_not_fit_is_refused(further, complaint):
    with pytest.raises(BadTable, match=complaint):
        read_table(MONTHS.encode(), scheme_of(MONTHLY), further.encode())


def test_headings_may_be_broken_into_lines_and_the_row_that_has_them_is_named():
    rule = '[measures]\na = "按时 办结数"\nb = "满意率"\n'
    rule += '[items.x]\nkind = "formula"\nformula = "a + b"\n'

    assert cells('unit,"按时办\n结数",满意 率\n甲,1,2\n'.encode(), rule) == [["1"], ["2"]]
    with pytest.raises(BadTable, match=r"the header lacks 满意率; it has unit, 按时 办结数, 满意 率, 满 意率"):
        cells("unit,按时 办结数,满意 率,满 意率\n甲,1,2,3\n".encode(), rule)
    with pytest.raises(BadTable, match=r"lacks unit, 按时 办结数, 满意率; row 2 has it: header_row = 2 in \[table\]"):
        cells("某市通报,,\nunit,按时 办结数,满意率\n甲,1,2\n".encode(), rule)


def test_the_command_explains_one_subject(files, capsys):
    scheme, table = files

    assert (
        evaluate_command(["--scheme", str(scheme), "--table", str(table), "--explain", "甲", "--language", "en"]) == 0
    )

    assert capsys.readouterr().out.splitlines() == [
        "甲 · scheme test version 1", "x: rate -> 98.06", "total 98.06", "place: 2",
    ]  # fmt: skip


def test_the_command_names_the_file_and_the_fault(files, capsys):
    scheme, table = files

    assert evaluate_command(["--scheme", str(scheme), "--table", str(table), "--explain", "丙"]) == 2
    assert evaluate_command(["--scheme", str(scheme.with_name("none")), "--table", str(table)]) == 2
    scheme.write_text("format = 9", "utf-8")
    assert check_command([str(scheme)]) == 2

    told_of = capsys.readouterr().err
    assert "table.csv: no row is of 丙" in told_of
    assert "cannot be read: No such file" in told_of
    assert "scheme.toml: format: only 1 is known, not 9" in told_of


def write_book(file: Path, sheets: Mapping[str, Sequence[Sequence[object]]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(file)
    return file


JULY: list[list[object]] = [["unit", "办结率", "件数"], ["甲", 98, 3], ["乙", 99, 4]]


@pytest.mark.parametrize(
    ("language", "told_first"),
    [
        ("zh", "只读了第一张工作表“七月”；“八月”“说明”也有内容，没有读。要用的不是第一张时，移到最前再试"),
        (
            "en",
            "the first sheet alone was read, 七月; 八月, 说明 has content, too, and was not read. Move the one that "
            "counts to the front",
        ),
    ],
)
def test_sheets_that_are_not_read_are_named_where_they_hold_anything(tmp_path, capsys, language, told_first):
    sheets: dict[str, list[list[object]]] = {
        "七月": JULY,
        "空": [],
        "八月": [["unit"], ["丙"]],
        "说明": [[None, "由县局填报"]],
    }
    book = write_book(tmp_path / "book.xlsx", sheets)
    scheme = tmp_path / "scheme.toml"
    scheme.write_text(HEAD + RULE, "utf-8")

    code = evaluate_command(["--scheme", str(scheme), "--table", str(book), "--language", language])

    told_all = capsys.readouterr()
    assert code == 0
    assert "甲,98" in told_all.out
    assert told_all.err.splitlines()[0] == f"{book}{'：' if language == 'zh' else ': '}{told_first}"


def test_a_table_that_stands_in_another_sheet_is_refused_and_that_one_named(tmp_path, capsys):
    book = write_book(tmp_path / "book.xlsx", {"封面": [], "七月": JULY})
    scheme = tmp_path / "scheme.toml"
    scheme.write_text(HEAD + RULE, "utf-8")

    code = evaluate_command(["--scheme", str(scheme), "--table", str(book)])

    assert code == 2
    assert "“七月”也有内容，没有读" in capsys.readouterr().err


def test_both_schemes_of_a_simulation_are_put_to_a_workbook_that_is_told_of_once(tmp_path, capsys):
    book = write_book(tmp_path / "book.xlsx", {"七月": JULY, "八月": JULY})
    scheme = tmp_path / "scheme.toml"
    scheme.write_text(HEAD + RULE, "utf-8")

    code = simulate_command(["--scheme", str(scheme), "--against", str(scheme), "--table", str(book)])

    assert code == 0
    assert capsys.readouterr().err.count("八月") == 1


def test_of_a_workbook_with_one_sheet_that_holds_anything_nothing_is_told(tmp_path, capsys):
    book = write_book(tmp_path / "book.xlsx", {"七月": JULY, "Sheet2": [], "Sheet3": []})
    scheme = tmp_path / "scheme.toml"
    scheme.write_text(HEAD + RULE, "utf-8")

    assert evaluate_command(["--scheme", str(scheme), "--table", str(book)]) == 0
    assert "Sheet" not in capsys.readouterr().err
