"""Every fault of a scheme or a table is told in Chinese too, whatever numbers and names it has."""

import ast
import re
from pathlib import Path

import pytest

from services.assessment.domain.rules.chinese import PHRASES, translate
from services.assessment.domain.rules.faults import BadRules, BadTable
from services.assessment.domain.rules.scheme_reading import read_rule_scheme

HOME = Path(__file__).parents[4] / "services" / "assessment"
ROOMS = ("domain/rules", "scoring", "importing", "handlers")
CHINESE = re.compile("[\u4e00-\u9fff]")
RAISED = {"BadRules": "", "BadTable": "", "Misfit": "7: "}  # and what stands before it when it is told


def faults_in(file: Path) -> list[str]:
    """What the code raises, with a word in each hole; a fault that passes another's words on is that one's."""
    found = []
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RAISED:
            text = node.args[-1]
            if isinstance(text, ast.Constant):
                found.append(RAISED[node.func.id] + str(text.value))
            elif isinstance(text, ast.JoinedStr):
                words = (str(part.value) if isinstance(part, ast.Constant) else "7" for part in text.values)
                found.append(RAISED[node.func.id] + "".join(words))
    return found


FILES = sorted(file for room in ROOMS for file in (HOME / room).glob("*.py"))


@pytest.mark.parametrize("file", [file for file in FILES if faults_in(file)], ids=lambda file: file.stem)
def test_no_fault_is_without_its_chinese(file: Path) -> None:
    passed_on = {"7: 7"}  # a fault of a formula, with its place before it

    missing = [one for one in faults_in(file) if one not in passed_on and translate(one) is None]

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
        ("is not TOML: Invalid value; write 0.5 for .5", "不是 TOML（值无效）：.5 请写 0.5"),
        ("a: u1: needs a number and finds a list", "a：u1：需要数字，却是列表"),
    ],
)
def test_what_a_fault_passes_on_is_in_chinese_too(english: str, chinese: str) -> None:
    assert translate(english) == chinese


def test_a_fault_keeps_its_place_and_its_words() -> None:
    with pytest.raises(BadRules) as caught:
        read_rule_scheme('format = 1\nname = "a"\nversion = 1\n[measures]\nx = "x"\n')

    assert caught.value.detail_zh == "scheme：需要 values 或 items"
    assert translate("does not know weird; known here: a, b") == "不认识weird；此处可用：a, b"
    assert BadTable("row 3 has 4 cells, the header 5").detail_zh == "第3行有4个单元格，标题有5个"
    assert BadTable("something new").detail_zh is None
