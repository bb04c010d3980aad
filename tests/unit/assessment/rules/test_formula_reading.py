"""How a formula is read: into which tree, within which bounds, and what somebody who writes it otherwise is told."""

from fractions import Fraction

import pytest

from services.assessment.domain.rules.faults import BadRules
from services.assessment.domain.rules.formulas import Name, Number, Operation, Text, parse_formula, read_number


def fault_of(text: str) -> str:
    with pytest.raises(BadRules) as fault:
        parse_formula("x", text)
    return fault.value.detail


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("95%", "from '%' on: write 95 or 0.95 for 95%"),
        ("95％ + a", "from '％ + a' on: write 95 or 0.95 for 95%"),
        ("a & b", "from '& b' on: write and"),
        ("a | b", "from '| b' on: write or"),
        ("!a", "from '!a' on: write not, or != between two things"),
        ("max(a; b)", "from '; b)' on: arguments are parted by commas"),
        ("max(a；b)", "from '；b)' on: arguments are parted by commas"),
        ("max(a、b)", "from '、b)' on: arguments are parted by commas"),
        ("a^2", "from '^2' on: write power(x, 2) for a square"),
        ('t == "a', "from '\"a' on: the quote is not closed"),
        ("t == 'a", 'from "\'a" on: the quote is not closed'),
        ("t == “a", "from '“a' on: the quote is not closed"),
        ("t == ‘a", "from '‘a' on: the quote is not closed"),
        ("a # b", "from '# b' on"),
        ("a # 345678901234567890123", "from '# 345678901234567890' on"),
    ],
)
def test_where_reading_ends_it_is_told_what_to_write(text: str, said: str) -> None:
    assert fault_of(text) == f"x: cannot read the formula {said}"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("average", "mean"), ("avg", "mean"), ("AVERAGE", "mean"), ("rank", "group_rank"), ("sumif", "group_sum"),
        ("countif", "group_count"), ("averageif", "group_mean"), ("ifs", "if"), ("iferror", "coalesce"),
        ("roundup", "ceil"), ("rounddown", "floor"), ("int", "floor"), ("stdev", "group_sd"),
        ("trimmean", "trimmed_mean"), ("pow", "power"), ("Sum", "sum"), ("medain", "median"),
        ("groupmean", "group_mean"),
    ],
)  # fmt: skip
def test_the_function_that_was_meant_is_named(name: str, meant: str) -> None:
    assert fault_of(f"{name}(a)") == f"x: the formula uses {name}(...), which is no function; there is {meant}(...)"


def test_where_nothing_is_alike_no_function_is_named() -> None:
    assert fault_of("xyzzy(a)") == "x: the formula uses xyzzy(...), which is no function"


@pytest.mark.parametrize(
    "text",
    ["date(2024-03-05)", "date(d)", "date()", "date('2024-02-30')", "date('5.3.2024')", "date('2024-03-05 24:00')",
     "date('2024-03-05', 1)", "date('2024-03-05'", "date("],
)  # fmt: skip
def test_a_day_is_told_how_to_be_written(text: str) -> None:
    assert fault_of(text) == "x: the formula takes a day in quotes: date('2024-03-05')"


@pytest.mark.parametrize("text", ["d >= 2024-3-05", "2024-12-31 < d", "if(1900-1-1 = d, 1, 2)", "d <= 2100-12-31"])
def test_a_day_without_quotes_is_no_subtraction(text: str) -> None:
    assert "where a day is meant; write date('2024-03-05')" in fault_of(text)


@pytest.mark.parametrize(
    "text",
    ["d - 2024-3-5", "d > 1000-10-5", "d > 1899-12-31", "d > 2101-1-1", "d > 2024-0-5", "d > 2024-13-5", "d > 2024-3-0",
     "d > 2024-3-32"],
)  # fmt: skip
def test_numbers_may_be_subtracted_nonetheless(text: str) -> None:
    assert parse_formula("x", text).names == {"d"}


@pytest.mark.parametrize("sign", ["<", "<=", ">", ">="])
def test_a_text_has_no_order(sign: str) -> None:
    said = f"x: the formula asks with {sign} about a text, which has no order; a day is written date('2024-03-05')"

    assert fault_of(f"d {sign} '2024-03-05'") == said
    assert fault_of(f"'a' {sign} d") == said


def test_a_measure_may_be_called_date() -> None:
    assert parse_formula("x", "date - date('0001-01-01')").tree == Operation("-", (Name("date"), Number(Fraction(1))))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        *((f"{name}(a, a)", f"{name}(...) takes 1 arguments, not 2") for name in (
            "abs", "floor", "ceil", "sqrt", "ln", "exp", "given", "group_sum", "group_mean", "group_count", "group_min",
            "group_max", "group_median", "group_sd", "group_rank", "group_rank_low", "all_rank",
        )),
        *((f"{name}(a, a, a)", f"{name}(...) takes 2 arguments, not 3") for name in (
            "power", "at_least", "at_most", "contains", "starts", "ends", "group_quantile", "all_quantile",
        )),
        *((f"{name}(a, a, a, a)", f"{name}(...) takes 3 arguments, not 4") for name in ("if", "clamp")),
        ("round(a, 1, 1)", "round(...) takes 1 to 2 arguments, not 3"),
        ("round()", "round(...) takes 1 to 2 arguments, not 0"),
        ("coalesce(a)", "coalesce(...) takes at least 2 arguments, not 1"),
        ("sum()", "sum(...) takes at least 1 arguments, not 0"),
    ],
)  # fmt: skip
def test_a_function_takes_so_many_arguments(text: str, said: str) -> None:
    assert fault_of(text) == f"x: the formula {said}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a formula has 1 to 2000 characters"),
        (" ", "the formula ends too early"),
        ("1 +", "the formula ends too early"),
        ("sum(", "the formula ends too early"),
        ("1 2", "the formula does not expect '2'"),
        ("a > 1 且 b > 1", "the formula does not expect '且': write and"),
        ("a > 1 或者 b > 1", "the formula does not expect '或者': write or"),
        ("a => 1", "the formula does not expect '>': write >="),
        ("a = )", "the formula does not expect ')'"),
        ("a + > 1", "the formula does not expect '>'"),
        ("> a =", "the formula does not expect '>'"),
        ("a =＜ 1", "the formula does not expect '<': write <="),
        ("> 1", "the formula does not expect '>'"),
        ("a b c", "the formula does not expect 'b'"),
        ("(1 2)", "the formula lacks a closing bracket"),
        ("sum(1 2)", "the formula lacks a comma or a closing bracket in sum(...)"),
        ("sum(1,)", "the formula does not expect ')'"),
        ("1 + and", "the formula does not expect 'and'"),
        ("not", "the formula ends too early"),
        ("* 2", "the formula does not expect '*'"),
        ("a '1'", "the formula does not expect \"'1'\""),
        ("1.0000000000000", "the number is beyond 1000000000000000 or has more than 12 places"),
        ("1000000000000001", "the number is beyond 1000000000000000"),
        ("abs(" * 41 + "1" + ")" * 41, "the formula nests deeper than 40"),
    ],
)
def test_what_is_no_formula_is_refused(text: str, said: str) -> None:
    assert fault_of(text) == f"x: {said}"


def test_functions_may_nest_as_deep_as_brackets_and_there_may_be_so_many_parts() -> None:
    assert parse_formula("x", "-" + "+".join("a" * 200)).size == 201
    assert parse_formula("x", "abs(" * 40 + "1" + ")" * 40).size == 41


def test_texts_and_names_keep_their_full_width_signs_and_digits() -> None:
    tree = parse_formula("x", "contains（组１， '第１组（东）＋'）").tree

    assert tree == Operation("contains", (Name("组１"), Text("第１组（东）＋")))
    for quoted in ("‘（东）’", "“（东）”", '"（东）"'):
        assert parse_formula("x", quoted).tree == Text("（东）")


def test_a_text_of_a_sign_is_a_text() -> None:
    assert parse_formula("x", "one_of(t, ',', \")\")").tree == Operation("one_of", (Name("t"), Text(","), Text(")")))


@pytest.mark.parametrize(("text", "negative"), [("--a", False), ("-+a", True), ("+-a", True), ("-+-a", False)])
def test_signs_before_signs_are_taken_together(text: str, *, negative: bool) -> None:
    plain = Name("a")

    assert parse_formula("x", text).tree == (Operation("negative", (plain,)) if negative else plain)


def test_a_chain_of_comparisons_is_each_of_them_together() -> None:
    one, two, three, four = (Name(name) for name in "abcd")
    first, second, third = Operation("<", (one, two)), Operation("<=", (two, three)), Operation("==", (three, four))

    tree = parse_formula("x", "a < b ≤ c = d").tree

    assert tree == Operation("and", (Operation("and", (first, second)), third))


def test_a_formula_says_what_it_names_and_how_much_work_it_is() -> None:
    formula = parse_formula("x", " if(a > 2, -b, sum(c, a)) ")

    assert (formula.text, formula.names, formula.size) == ("if(a > 2, -b, sum(c, a))", frozenset("abc"), 5)
    assert parse_formula("x", "7").size == 1


@pytest.mark.parametrize(
    ("text", "groups", "own"),
    [("a + 1", False, False), ("sum(a)", False, False), ("1 + all_sum(a)", True, False), ("-group_sum(a)", True, True)],
)
def test_a_formula_says_whether_it_looks_at_others(text: str, *, groups: bool, own: bool) -> None:
    formula = parse_formula("x", text)

    assert (formula.reads_groups, formula.reads_own_group) == (groups, own)


def test_a_plain_number_is_exact_and_may_have_noughts_before_it() -> None:
    assert parse_formula("x", "０００００００００００００００００１．５").tree == Number(Fraction(3, 2))
    assert read_number("x", "-1000000000000000") == -(10**15)
    with pytest.raises(BadRules, match=r"beyond 1000000000000000$"):
        read_number("x", "-1000000000000000.5")
