"""Scheme files are read strictly: every fault is named with its place, nothing runs away."""

import hashlib
import re
import time
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from services.assessment.domain.rules.faults import BadRules
from services.assessment.domain.rules.formulas import Number, constant, parse_formula
from services.assessment.domain.rules.scheme_reading import hash_document, read_rule_scheme
from services.assessment.domain.rules.schemes import formulas_of
from services.assessment.importing.commands import BadFile, check_command, evaluate_command, read_scheme_file
from tests.unit.assessment.rules.schemes import HEAD, scheme_of

PRESETS = sorted((Path(__file__).parents[4] / "services" / "assessment" / "presets").glob("*.toml"))
ITEM = '[measures]\na = "a"\n[items.x]\nkind = "formula"\nformula = "a"\n'


@pytest.mark.parametrize("path", PRESETS, ids=lambda path: path.stem)
def test_every_preset_holds(path):
    scheme = read_scheme_file(path)

    assert scheme.title["zh"] != scheme.title["en"]
    assert scheme.source is not None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[items.x]\n", r"items\.x: lacks kind"),
        ('[items.x]\nkind = "magic"', r"items\.x\.kind: must be one of formula, proportional"),
        ('[items.x]\nkind = "proportional"\nvalue = "1"\nfull = 5\nfulll = 6', r"items\.x: does not know fulll; known"),
        ('[items.x]\nkind = "proportional"\nvalue = 1', r"items\.x: lacks full"),
        ('[items.x]\nkind = "formula"\nformula = "b"', r"x: uses b, which nothing here is named"),
        ('[items.x]\nkind = "formula"\nformula = "1 +"', r"items\.x\.formula: the formula ends too early"),
        ('[items.x]\nkind = "formula"\nformula = "(1"', r"lacks a closing bracket"),
        ('[items.x]\nkind = "formula"\nformula = "95%"', r"cannot read the formula from '%' on: write 95 or 0\.95"),
        ('[items.x]\nkind = "formula"\nformula = "__import__(1)"', r"uses __import__\(\.\.\.\), which is no function"),
        ('[items.x]\nkind = "formula"\nformula = "a.b"', r"cannot read the formula"),
        ('[items.x]\nkind = "formula"\nformula = "sqrt(1, 2)"', r"sqrt\(\.\.\.\) takes 1 arguments, not 2"),
        ('[items.x]\nkind = "formula"\nformula = true', r"items\.x\.formula: must be a number, or a formula as text"),
        (
            '[items.x]\nkind = "formula"\nformula = "y"\n[values]\ny = "x"',
            r"depends on itself: (x -> y -> x|y -> x -> y)",
        ),
        ('[values]\na = "1"\n[measures]\na = "a"', r"values\.a: is also the name of one of the measures"),
        ('[values]\n"1a" = "1"', r"'1a' is no name"),
        ('[values]\nsum = "1"', r"sum is a word of formulas"),
        ('[values]\ntotal = "1"', r"values\.total: total is the name of the result"),
        ('[sections.s]\n[items.x]\nkind = "formula"\nformula = "1"', r"sections\.s: nothing is in it"),
        ('[items.x]\nsection = "s"\nkind = "formula"\nformula = "1"', r"x\.section: there is no section s"),
        (ITEM + 'missing = "full"', r"items\.x\.missing: full needs the item's full mark"),
        (ITEM + 'missing = "rescaled"', r"items\.x\.missing: must be a number or one of no_score"),
        (ITEM + '[[gates]]\nwhen = "a > 1"\neffect = "cap"', r"gates\[1\]\.value: is the total that cap and set need"),
        (ITEM + "[groups]\nby = ['g']", r"groups\.by: uses g"),
        (ITEM + "[published]\nplace = 'p'", r"published: uses place, which nothing here is named$"),
        (ITEM + "[[rankings]]\nwithin = ['组别']", r"rankings\.within: uses 组别, which nothing here is named$"),
        (ITEM + "[[rankings]]\nkey = 'total'", r"rankings\[1\]\.key: total is the name of the result"),
        (ITEM + "[published]\noverall = 'p'", r"published: uses overall"),
        (ITEM + "[overall]\nfirst = { round = 2 }", r"overall\.first: lacks by"),
        (
            ITEM + "[overall]\nfirst = { by = [] }",
            r"overall\.first\.by: names the texts that periods are put together by",
        ),
        (ITEM + "[overall]\nfirst = { by = ['q'] }", r"overall\.first\.by: uses q, which nothing here is named$"),
        (ITEM + "[overall]\nfirst = { by = ['a'], first = 1 }", r"overall\.first: does not know first"),
        (ITEM + "[overall]\nfirst = { by = ['a'], weight = 'b' }", r"overall: uses b, which nothing here is named"),
        (
            ITEM + "[overall]\nfirst = { by = ['a'], combine = 'max', weight = 1 }",
            r"overall\.first\.weight: is for a mean",
        ),
        (ITEM + "[validity]\nfrom = 2024-02-01\nuntil = 2024-01-01", r"validity\.until: is before from"),
        (ITEM + '[validity]\nfrom = "2024-02-30"', r"validity\.from: is not a day"),
        (ITEM + "[rounding]\nmode = 'bankers'", r"rounding\.mode: must be one of half_up, down, up, half_even"),
        ("header_row = [1, 3]\n" + ITEM, r"table\.header_row: must be rows that follow one another"),
        ("header_row = true\n" + ITEM, r"table\.header_row: must be the number of a row"),
        ("recovered = true\n" + ITEM, r"table: does not know recovered"),
        (
            '[items.x]\nkind = "interpolate"\nvalue = "1"\npoints = [[1, 2], [1, 3]]',
            r"items\.x\.points\[2\]: values must rise",
        ),
        (
            '[items.x]\nkind = "bands"\nvalue = "1"\nbands = [{ at_least = 1, points = 2, label = "a" }]',
            r"items\.x\.bands\[1\]: needs either points or label",
        ),
        ("[items.x]\nkind = 'deduction'\ncount = 1\neach = 1\ngrowth = 2\ntiers = [{ from = 2, each = 1 }]", r"either"),
        ("[items.x]\nkind = 'formula'\nformula = '9999999999999999999'", r"beyond"),
        (
            '[items.x]\nkind = "target_slope"\nvalue = 1\ntarget = 1\nfull = 1\nslop = 1',
            r"lacks slope; is that what slop",
        ),
        (ITEM + 'source = "s"', r"items\.x: does not know source, which stands above the first \[heading\]"),
        (
            '[values]\nx = "avg(1)"',
            r"values\.x\.formula: the formula uses avg\(\.\.\.\), which is no function; there is mean",
        ),
        ('[values]\nx = "IF(1, 1, 1)"', r"uses IF\(\.\.\.\), which is no function; there is if"),
        ('[values]\nx = "if(1 && 1, 1, 1)"', r"cannot read the formula from '&& 1, 1, 1\)' on: write and"),
        ('[values]\nx = "if(1; 1; 1)"', r"cannot read the formula from '; 1; 1\)' on: arguments are parted by commas"),
        (
            '[measures]\ndue = "应办"\n[values]\nx = "应办"',
            r"uses 应办, which nothing here is named; the column 应办 has the name due in",
        ),
        ('[measures]\ndue = "应办"\n[values]\nx = "dues"', r"x: uses dues, which nothing here is named; there is due"),
        (
            '[measures]\ndue = "应办"\n[values]\nx = "dues + zzz"',
            r"x: uses dues, zzz, which nothing here is named; there is due$",
        ),
        (
            '[measures]\nt = { column = "t", type = "text" }\n[values]\nx = "t == 县"',
            r"named; a text in a formula stands in",
        ),
        (ITEM + "[groups]\nby = ['组别']", r"groups\.by: uses 组别, which nothing here is named$"),
    ],
)
def test_a_fault_is_told_with_its_place(text, complaint):
    with pytest.raises(BadRules, match=complaint):
        scheme_of(text)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("format = 1\nname = ", "is not TOML: Invalid value"),
        ("format = 2\nname = 'x'", "only 1 is known"),
        ("a = " + "[" * 5_000, "is not TOML that can be read"),
        ("a = " + "[" * 20 + "]" * 20, "nests deeper than"),
        ("a = 1" + "0" * 5_000, "is not TOML that can be read"),
        ("# " + "x" * 300_000, "is larger than"),
        (HEAD + "[items.x]\nkind = 'formula'\nformula = '" + "(" * 60 + "1" + ")" * 60 + "'", "nests deeper"),
        (HEAD + "[items.x]\nkind = 'formula'\nformula = '" + "1+" * 500 + "1'", "at most 400 parts"),
        (HEAD + "[values]\n" + "\n".join(f'v{n} = "1"' for n in range(301)), "more than 300"),
    ],
)
def test_a_file_that_is_no_scheme_is_refused_within_bounds(text, complaint):
    with pytest.raises(BadRules, match=complaint):
        read_rule_scheme(text)


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("title = “T”", 'quotes are straight: "..."'),
        ('title = "T', "the quote is not closed"),
        ("target = 95%", "write 95 or 0.95 for 95%"),
        ("target = ９５", "signs, digits and blanks are typed in half width"),
        ("target ＝ 95", "signs, digits and blanks are typed in half width"),
        ("target = 95\u3000# full", "signs, digits and blanks are typed in half width"),
        ('应办 = "应办"', "a name that is not of English letters stands in quotes"),
        ("[items.按时办结]", "a name that is not of English letters stands in quotes"),
        ("parts = { a = 1, 自评 = 50 }", "a name that is not of English letters stands in quotes"),
        ("full = 60分", "a number has no unit here"),
        ("target = .95", "write 0.5 for .5"),
        ("kind = formula", "a text stands in quotes"),
        ('lines = [{ count = "a",\n each = 5 }]', "a table in { } stands on one line"),
        ("bands = [{ a = 1 }\n{ a = 2 }]", "entries of a list are parted by commas, and ] ends it"),
        ("target = 95,", "no comma stands at the end of a line, but in a list"),
        ("full = 60分 # 95%", "a number has no unit here"),
        ("parts = { note = \"95%\", mark = '“', 自评 = 50 }", "a name that is not of English letters stands in quotes"),
        ("target = 95\ntarget = 96", "it is there already further up"),
        ("[items.a]\n[items.a]", "it is there already further up"),
    ],
)
def test_what_is_not_toml_is_told_with_its_line_and_what_was_meant(line, hint):
    with pytest.raises(BadRules, match=re.escape(f"; {hint}")) as fault:
        read_rule_scheme(f"format = 1\n{line}\n")

    assert fault.value.detail.startswith(("line 2: ", "line 3: "))
    assert "不是 TOML" in (fault.value.detail_zh or "")
    assert hint not in (fault.value.detail_zh or "")


@pytest.mark.parametrize("line", ["满" * 60_000, "[" * 180_000, "{" * 180_000 + "}"], ids=["name", "table", "braces"])
def test_a_line_that_nobody_wrote_is_refused_at_once(line):
    started = time.process_time()

    with pytest.raises(BadRules, match="line 2: is not TOML"):
        read_rule_scheme(f"format = 1\n{line}\n")

    assert time.process_time() - started < 5


@pytest.mark.parametrize(("length", "is_hinted"), [(1_000, True), (1_001, False)])
def test_a_hint_is_given_for_lines_of_a_thousand_characters(length, is_hinted):
    with pytest.raises(BadRules) as fault:
        read_rule_scheme("format = 1\n" + "a = b #".ljust(length, "x"))

    assert fault.value.detail.endswith("a text stands in quotes") is is_hinted


def test_a_line_that_is_not_toml_is_shown_to_whoever_has_the_file_and_in_no_fault(tmp_path, capsys):
    file = tmp_path / "scheme.toml"
    file.write_text('format = 1\nname = "安澜"\ntitle = “安澜\x1b[2J”\n', "gb18030")

    with pytest.raises(BadRules) as fault:
        read_rule_scheme(file.read_text("gb18030"))
    assert check_command([str(file)]) == 2

    assert "安澜" not in fault.value.detail + (fault.value.detail_zh or "")
    assert capsys.readouterr().err.splitlines()[-1] == "title = “安澜 [2J”"


def test_the_line_is_counted_as_whoever_reads_toml_counts(tmp_path, capsys):
    file = tmp_path / "scheme.toml"
    file.write_text("format = 1 # a\u2028b\x85c\nkind = formula\n", "utf-8")

    assert check_command([str(file)]) == 2

    first, *_, last = capsys.readouterr().err.splitlines()
    assert "line 2: is not TOML: Invalid value; a text stands in quotes" in first
    assert last == "kind = formula"


def test_a_scheme_that_cannot_be_read_is_named_and_not_its_table(tmp_path, capsys):
    table = tmp_path / "table.csv"
    table.write_text("unit\n", "utf-8")

    assert evaluate_command(["--scheme", str(tmp_path / "none.toml"), "--table", str(table)]) == 2

    assert capsys.readouterr().err.startswith(f"{tmp_path / 'none.toml'}: cannot be read: ")


def test_what_is_not_closed_is_told_at_the_end_of_the_file():
    with pytest.raises(BadRules) as fault:
        read_rule_scheme("format = 1\nbands = [1, 2\n")

    said = "scheme: is not TOML: Unclosed array: something is not closed before the end of the file"
    assert fault.value.detail == said


def test_where_nobody_knows_what_was_meant_the_line_and_the_fault_are_told():
    with pytest.raises(BadRules) as fault:
        read_rule_scheme("format = 1\nname = \n")

    assert fault.value.detail == "line 2: is not TOML: Invalid value"


def test_where_nothing_is_said_of_an_item_nothing_holds():
    item = scheme_of(ITEM).items["x"]

    assert (item.when, item.floor, item.ceiling, item.places, item.note) == (None,) * 5
    assert (item.full, item.section, item.fixed, item.weighted_places) == (None,) * 4
    assert (item.weight.text, item.missing, item.mode) == ("1", "no_score", "half_up")


def test_what_is_made_of_totals_is_rounded_as_they_are():
    read = scheme_of('[rounding]\ntotal = 1\nmode = "down"\n' + ITEM + "[overall]\nfirst = { by = ['a'], round = 2 }")

    assert read.overall is not None
    assert read.overall.first is not None
    assert (read.overall.places, read.overall.mode) == (constant(1), "down")
    assert (read.overall.first.places, read.overall.first.mode) == (constant(2), "down")


def test_the_hash_is_of_what_is_said_and_not_of_how_it_is_laid_out():
    plain = scheme_of(ITEM + "weight = 0.5")
    spaced = scheme_of(ITEM.replace("[items.x]", "# half\n\n[items.x]") + "weight   =   0.50")
    other = scheme_of(ITEM + "weight = 0.6")

    assert plain.content_hash == spaced.content_hash != other.content_hash


def test_the_hash_is_of_one_text_for_ever():
    document = {"title": {"zh": "满分"}, "full": [1, Decimal("2.50"), Decimal("1E+2")], "from": date(2025, 1, 1)}
    text = '{"title":{"zh":"满分"},"full":[1,"2.5","100"],"from":"2025-01-01"}'

    assert hash_document(document) == hashlib.sha256(text.encode()).digest()


def test_names_and_signs_may_be_chinese():
    scheme = scheme_of('[measures]\n"办结数" = "办结数（件）"\n[values]\n"率" = "办结数 / (2 * 50)"')
    wide = scheme_of('[measures]\n"办结数" = "办结数（件）"\n[values]\n"率" = "办结数 ÷ （2 × 50）"')

    tree = parse_formula("", "办结数 / (2 * 50)").tree
    assert [one.tree for each in (scheme, wide) for one in formulas_of(each.values["率"].rule)] == [tree, tree]


def test_numbers_of_a_file_are_exact():
    scheme = scheme_of('[values]\na = "0.1 + 0.2"\n[values.b]\nformula = 0.3')

    assert [formula.tree for formula in formulas_of(scheme.values["b"].rule)] == [Number(Fraction(3, 10))]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_scheme_is_read_in_the_encodings_of_the_country(encoding, tmp_path):
    path = tmp_path / "scheme.toml"
    path.write_bytes((HEAD + ITEM.replace('"a"\n[', '"办结数"\n[')).encode(encoding))

    assert read_scheme_file(path).measures["a"].column == "办结数"
    path.write_bytes((HEAD + ITEM).encode("utf-16"))
    with pytest.raises(BadFile, match="a scheme file is UTF-8 or GB 18030"):
        read_scheme_file(path)
