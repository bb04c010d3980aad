"""Every fault of a scheme or a table is told in Chinese too, whatever numbers and names it has."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

from services.assessment.domain.rules.chinese import PHRASES, translate
from services.assessment.domain.rules.faults import BadRules, BadTable
from services.assessment.domain.rules.scheme_reading import read_rule_scheme

HOME = Path(__file__).parents[4] / "services" / "assessment"
ROOMS = ("domain/rules", "scoring", "importing", "handlers")
CHINESE = re.compile("[\u4e00-\u9fff]")
# What makes a fault, and what stands before its words when it is told; the last is the reader of TOML's own.
RAISED = {"BadRules": "", "BadTable": "", "Misfit": "7: ", "_fault": "the formula ", "suffixed_err": ""}
TOML_READER = Path(tomllib.__file__).with_name("_parser.py")


def faults_in(file: Path) -> list[str]:
    """What the code raises, with a word in each hole; a fault that passes another's words on is that one's."""
    found = []
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Call) and (maker := name_of(node.func)) in RAISED:
            text = node.args[-1]
            if isinstance(text, ast.Constant):
                found.append(RAISED[maker] + str(text.value))
            elif isinstance(text, ast.JoinedStr):
                words = (str(part.value) if isinstance(part, ast.Constant) else "7" for part in text.values)
                found.append(RAISED[maker] + "".join(words))
    return found


def name_of(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def is_in_chinese(fault: str) -> bool:
    """No two words of it are left in English."""
    told = translate(fault)
    return told is not None and not re.search("[A-Za-z]+ [a-z]+ ", f"{told} ".replace(" TOML", ""))


FILES = [*sorted(file for room in ROOMS for file in (HOME / room).glob("*.py")), TOML_READER]


@pytest.mark.parametrize("file", [file for file in FILES if faults_in(file)], ids=lambda file: file.stem)
def test_no_fault_is_without_its_chinese(file: Path) -> None:
    passed_on = {"7: 7"}  # a fault of a formula, with its place before it

    missing = [one for one in faults_in(file) if one not in passed_on and not is_in_chinese(one)]

    assert not missing


def test_each_phrase_has_as_many_holes_in_both_languages() -> None:
    for english, chinese in PHRASES:
        assert english.count("{}") == chinese.count("{}"), english
        assert CHINESE.search(chinese), english


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("the formula lacks a closing bracket", "公式有误：缺少右括号"),
        ("the formula sqrt(...) takes 1 arguments, not 2", "公式有误：sqrt(...) 应有1个参数，而不是2个"),
        ("the formula round(...) takes 1 to 2 arguments, not 3", "公式有误：round(...) 应有1至2个参数，而不是3个"),
        (
            "the formula coalesce(...) takes at least 2 arguments, not 1",
            "公式有误：coalesce(...) 应有至少2个参数，而不是1个",
        ),
        ("cannot read the formula from '%' on: write 95 or 0.95 for 95%", "公式从'%'起无法识读：95% 请写 95 或 0.95"),
        ("cannot read the formula from '&&' on: write and", "公式从'&&'起无法识读：请写 and"),
        ("cannot read the formula from ';' on: arguments are parted by commas", "公式从';'起无法识读：参数之间用逗号"),
        ("cannot read the formula from '“' on: the quote is not closed", "公式从'“'起无法识读：引号没有成对"),
        (
            "the formula uses avg(...), which is no function; there is mean(...)",
            "公式有误：没有 avg(...) 这个函数；可用 mean(...)",
        ),
        ("uses dues, which nothing here is named; there is due", "用到dues，但此处没有这个名称；有 due"),
        (
            "uses 县, which nothing here is named; a text in a formula stands in quotes",
            "用到县，但此处没有这个名称；公式中的文本应加引号",
        ),
        (
            "uses 应办, which nothing here is named; the column 应办 has the name due in [measures]",
            "用到应办，但此处没有这个名称；列“应办”在 [measures] 中的名称是 due",
        ),
        ("lacks slope; is that what slop is meant to be?", "缺少slope；slop是否应为它？"),
        ("lacks name; it stands above the first [heading]", "缺少name；它应写在第一个 [标题] 之上"),
        ("is not TOML: Invalid value; write 0.5 for .5", "不是 TOML（值无效）：.5 请写 0.5"),
        (
            "is not TOML: Illegal character '\\n'; the quote is not closed",
            "不是 TOML（有不允许的字符 '\\n'）：引号没有成对",
        ),
        ("a: u1: needs a number and finds a list", "a：u1：需要数字，却是列表"),
        ("a: u1: needs a number and finds a text", "a：u1：需要数字，却是文本"),
        ("no row is of 甲 2月", "没有甲 2月的行"),
        ("the header lacks 按时\n办结; it has unit, 按期\n办结", "标题缺少按时\n办结；有：unit, 按期\n办结"),
        (
            "rows 2 and 3 are both of 甲; if the table has several periods, name their column in table.period",
            "第2行和第3行同为甲；表中有几个周期的，在 table.period 中写明周期所在的列",
        ),
    ],
)
def test_what_a_fault_passes_on_is_in_chinese_too(english: str, chinese: str) -> None:
    assert translate(english) == chinese


def test_a_fault_keeps_its_place_and_its_words() -> None:
    with pytest.raises(BadRules) as caught:
        read_rule_scheme('format = 1\nname = "a"\nversion = 1\n[measures]\nx = "x"\n')

    assert caught.value.detail_zh == "方案：需要 values 或 items"
    assert translate("does not know weird; known here: a, b") == "不认识weird；此处可用：a, b"
    assert BadTable("row 3 has 4 cells, the header 5").detail_zh == "第3行有4个单元格，标题有5个"
    assert (BadTable("something new").detail_zh, BadRules("x", "something new").detail_zh) == (None, None)


def test_where_it_is_wrong_is_told_in_chinese_too_and_keys_stay_as_they_are_written():
    with pytest.raises(BadRules) as caught:
        read_rule_scheme("format = 1\n[[[")
    told = caught.value

    assert told.detail.startswith("line 2: ")
    assert (told.detail_zh or "").startswith("第2行：")
    assert BadRules("items.line 2", "needs at least one band").detail_zh == "items.line 2：至少要有一个档次"
