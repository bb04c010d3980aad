"""Formulas: exact, missing where something is, over lists and over groups."""

from fractions import Fraction

import pytest

from services.assessment.domain.rules.faults import BadTable
from services.assessment.scoring import groups
from services.assessment.scoring.numbers import LONGEST_BITS, exponential, natural_logarithm, root, tame
from tests.unit.assessment.rules.schemes import outcome_of, points_of, scheme_of

NUMBERS = '[measures]\na = "a"\nb = "b"\nl = { column = "l", type = "list" }\nt = { column = "t", type = "text" }\n'


def worked(formula: str, a: object = 3, b: object = 4, numbers: str = "1;2;;9", text: str = "东城区") -> str | None:
    quoted = formula.replace("'", '"')
    outcome = outcome_of(f"{NUMBERS}[values]\nx = '''{quoted}'''", {"u": [a, b, numbers, text]})
    return points_of(outcome)[0]


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("1 / 3 * 3", "1"),
        ("0.1 + 0.2 == 0.3", "1"),
        ("2 + 3 * 4 - -1", "15"),
        ("-(2 - 5) × 2 ÷ 3", "2"),
        ("（a ＋ b）＊ １０ ／ ２．５", "28"),
        ("if(t == “东城区” and t ！＝ ‘西城区’, 1, 0)", "1"),
        ("a > b or not (a == 3 and b = 4)", "0"),
        ("1 <= a < b", "1"),
        ("if(a > 5, 1, if(b > 3, 2, 3))", "2"),
        ("round(2.345, 2)", "2.35"),
        ("round(-2.5)", "-3"),
        ("floor(-1.5) + ceil(1.2)", "0"),
        ("at_least(a, 5) + at_most(b, 2)", "7"),
        ("clamp(a * 100, 0, 100)", "100"),
        ("sqrt(9) + power(2, 3) + abs(-1)", "12"),
        ("round(ln(10), 6)", "2.302585"),
        ("round(exp(1), 6)", "2.718282"),
        ("sum(l)", "12"),
        ("mean(l)", "4"),
        ("count(l)", "3"),
        ("count(a, b, l)", "5"),
        ("median(l)", "2"),
        ("min(l) + max(l, b)", "10"),
        ("first(l) + last(l)", "10"),
        ("trimmed_mean(1, 60, 90, 80, 100)", "85"),
        ("sum(at_least(l - 1, 0))", "9"),
        ("sum(l > 1)", "2"),
        ("sum(list(1, 2, 3) * list(0.2, 0.3, 0.5))", "2.3"),
        ("one_of(t, '东城区', '西城区')", "1"),
        ("contains(t, '城') + starts(t, '东') + ends(t, '县')", "2"),
        ("t == '东城区'", "1"),
        ("t != '东城区'", "0"),
        ("t != '西城区'", "1"),
        ("one_of(t, '西城区', '北城区')", "0"),
        ("one_of(t, '西城区', '东城区')", "1"),
        ("contains(t, '县') + starts(t, '区') + ends(t, '东')", "0"),
        ("a < 3 or a > 3", "0"),
        ("a <= 3 and a >= 3", "1"),
        ("a == 3 or b == 9", "1"),
        ("a == 9 or b == 4", "1"),
        ("ln(1)", "0"),
        ("round(ln(0.5), 6)", "-0.693147"),
        ("trimmed_mean(0, 60, 90)", "75"),
        ("longest_run(1, 0, 1, 1, 0, 1)", "2"),
        ("longest_run(list(1, 1), 1, 0)", "3"),
        ("longest_run(0)", "0"),
        ("longest_run(-2, 0.5, 1 / 0, 1)", "2"),
        ("date('2024-03-01') - date('2024-02-28')", "2"),
        ("date('2024年3月1日 06:00') - date('2024/2/29')", "1.25"),
        ("date(“2024.12.31T12:02:42”) - date('2024-12-31 12:00:00')", "0.001875"),
        ("date('2024-03-01 06:00:00.7') - date('2024-03-01 06:00')", "0"),
        ("date('0001-01-01')", "1"),
        ("trimmed_mean(1, 60, 70, 90)", "70"),
        ("trimmed_mean(2, 1, 2, 3, 4, 50)", "3"),
        ("clamp(-a, 0, 100) + clamp(a, 0, 2)", "2"),
        ("power(2, 20)", "1048576"),
        ("power(2, -20) * power(2, 20)", "1"),
        ("power(2, -1) + power(0, 0) + power(0, 2)", "1.5"),
        ("round(2.5, 0) + round(1.25, 1)", "4.3"),
        ("round(1 / 3, 12) * power(10, 12)", "333333333333"),
        ("trimmed_mean(1, 9, 1, 5)", "5"),
        ("trimmed_mean(2, 40, 1, 3, 2, 50)", "3"),
        ("sum(l / 3)", "4"),
        ("sum(round(l / 3, 1))", "4"),
        ("median(l) + median(list(9, 1, 4, 2))", "5"),
        ("power(10, 15) * power(10, 15) / power(10, 20)", "10000000000"),
        ("power(10, 15) * power(10, 15) / 3 > 1", "1"),
        ("power(power(1 / 7, 20), 18) > 0", "1"),
        ("power(power(1 / 7, 20), 20) > 0", "0"),  # beyond 1024 bits there are sixty places
        ("not not a", "1"),
        ("given(exp(60)) + given(exp(-60))", "2"),
        ("given(exp(60.001)) + given(exp(-60.001))", "0"),
        ("sum(one_of(list('x', t, 'y'), 'x', '东城区'))", "2"),
    ],
)
def test_formulas_come_to(formula, expected):
    assert worked(formula) == expected


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("a + b", None),
        ("a / 0", None),
        ("a > 1", None),
        ("coalesce(a, b, 7)", "4"),
        ("given(a) + given(b)", "1"),
        ("if(a > 1, 1, 2)", "2"),
        ("a > 1 and b > 9", "0"),
        ("a > 1 or b > 1", "1"),
        ("not (a > 1)", None),
        ("sum(a, b)", "4"),
        ("sum(a)", None),
        ("sqrt(0 - b)", None),
        ("ln(0)", None),
        ("exp(1000)", None),
        ("power(0, -1)", None),
        ("trimmed_mean(1, b, b)", None),
        ("trimmed_mean(1, b, b, 1)", "4"),
        ("a == b", None),
        ("a != b", None),
        ("b == a", None),
        ("one_of(a, 1, 2)", None),
        ("one_of(b, a, 4)", "1"),
        ("a > 1 or b > 9", None),
        ("b > 9 or a > 1", None),
        ("b > 1 or a > 1", "1"),
        ("b > 1 and a > 1", None),
        ("a > 1 and b > 1", None),
        ("count(one_of(list(a, b), 4))", "1"),
        ("group_mean(a)", None),
        ("b > 9 and a > 1", "0"),
        ("sum(l + a)", None),
        ("min(a)", None),
        ("max(a)", None),
        ("first(a)", None),
        ("last(a)", None),
        ("mean(a)", None),
        ("median(a)", None),
        ("count(a)", "0"),
        ("longest_run(a)", "0"),
        ("longest_run(1, a, 1)", "1"),
        ("abs(a)", None),
        ("-a", None),
        ("round(b, a)", None),
        ("count(list(a, b))", "1"),
    ],
)
def test_what_is_missing_stays_missing(formula, expected):
    assert worked(formula, a="") == expected


@pytest.mark.parametrize(
    ("formula", "complaint"),
    [
        ("t + 1", "a number is needed, not a text"),
        ("t == 1", "a text is compared with a number"),
        ("sum(t)", "a number is needed, not a text"),
        ("l + list(1, 2)", "the lists differ in length"),
        ("contains(a, '1')", "^contains.*: texts are needed$"),
        ("contains(t, a)", "texts are needed"),
        ("longest_run(1, t)", "a number is needed, not a text"),
        ("trimmed_mean(0.5, 1, 2)", "trimmed_mean takes a whole number first"),
        ("trimmed_mean(-1, 1, 2)", "trimmed_mean takes a whole number first"),
        ("trimmed_mean(t, 1, 2)", "trimmed_mean takes a whole number first"),
        ("power(a, 21)", "the power is a whole number up to 20"),
        ("if(t, 1, 2)", "takes a condition first"),
        ("t < 1", "a number is needed, not a text"),
        ("t and 1", "a number is needed, not a text"),
        ("t or 1", "a number is needed, not a text"),
        ("power(a, 0.5)", "the power is a whole number"),
        ("round(a, 99)", "0 to 12 places"),
        ("power(power(power(a * 1000000, 20), 20), 20)", "a result is too large"),
        ("power(10, 15) * power(10, 15) + 1", "a result is too large"),
        ("0 - power(1000, 20)", "a result is too large"),
        ("power(0 - 1000, 11)", "a result is too large"),
        ("power(a, -21)", "the power is a whole number up to 20"),
        ("round(a, 0.5)", "0 to 12 places"),
        ("round(a, -1)", "0 to 12 places"),
        ("round(a, 13)", "0 to 12 places"),
    ],
)
def test_what_does_not_fit_is_refused(formula, complaint):
    with pytest.raises(BadTable, match=complaint):
        worked(formula)


def test_a_list_of_texts_is_asked_entry_by_entry():
    texts = '[measures]\nt = { column = "t", type = "texts" }\n[values]\nx = "sum(one_of(t, \'a\', \'c\'))"'

    assert points_of(outcome_of(texts, {"u": ["a;b;c"], "v": ["b"], "w": [""]})) == ["2", "0", None]


def test_a_row_is_seen_in_its_group():
    rule = (
        '[measures]\na = "a"\ng = { column = "g", type = "text" }\n[groups]\nby = ["g"]\n'
        'members = "a < 100"\n[values]\n'
        's = "group_sum(a)"\nm = "group_mean(a)"\nhi = "group_max(a)"\nlo = "group_min(a)"\nn = "group_count(a)"\n'
        'md = "group_median(a)"\nsd = "round(group_sd(a), 4)"\nq = "group_quantile(a, 0.25)"\nr = "group_rank(a)"\n'
        'rl = "group_rank_low(a)"\nall_n = "all_count(a)"\nshare = "group_rank(a) / group_count(a)"'
    )
    outcome = outcome_of(
        rule, {"u": [2, "A"], "v": [4, "A"], "w": [9, "A"], "x": [7, "B"], "y": [100, "A"], "z": ["", "A"]}
    )

    assert {name: points_of(outcome, name)[0] for name in ("s", "m", "hi", "lo", "n", "md", "sd", "q", "all_n")} == {
        "s": "15", "m": "5", "hi": "9", "lo": "2", "n": "3", "md": "4", "sd": "2.9439", "q": "3", "all_n": "4",
    }  # fmt: skip
    assert points_of(outcome, "r") == ["3", "2", "1", "1", None, None]
    assert points_of(outcome, "rl") == ["1", "2", "3", "1", None, None]


def test_sums_of_many_unlike_fractions_end_and_come_out_the_same_in_any_order():
    values = [Fraction(1, 10**300 + 7 * at) for at in range(400)]

    total = groups.add(values)

    assert total == groups.add(values[::-1])
    assert total.denominator.bit_length() < 300
    assert groups.add([Fraction(1, 3)] * 3) == 1


def test_a_sum_is_exact_whatever_its_denominators():
    values = [Fraction(1, denominator) for denominator in (2, 3, 5, 7, 11, 13, 3)]

    assert groups.add(values) == sum(values)
    assert groups.add([]) == 0


@pytest.mark.parametrize(("share", "found"), [("0", 1), ("1/4", 2), ("1", 5), ("-1/100", None), ("101/100", None)])
def test_a_quantile_has_a_share_between_nothing_and_all(share, found):
    assert groups.quantile([Fraction(5), Fraction(1)], Fraction(share)) == found


def test_a_group_in_which_nobody_counts_has_a_count_of_nothing_and_no_sum():
    values, members = [Fraction(4), Fraction(5), None], [True, False, False]

    assert groups.summarise(values, [1, 2, 1], members, "count") == [1, 0, 1]
    assert groups.summarise(values, [1, 2, 1], members, "sum") == [4, None, 4]


def test_a_scheme_knows_how_much_work_it_is():
    small = scheme_of('[measures]\na = "a"\n[values]\nx = "a"')
    large = scheme_of('[measures]\na = "a"\n[values]\nx = "a + a * a"\ny = "x / 2"')

    assert small.size < large.size


def test_a_mean_of_equals_is_their_equal_whatever_their_fraction():
    rule = '[measures]\na = "a"\nb = "b"\n[values]\nr = "a / b"\nx = "r >= group_mean(r)"'

    assert points_of(outcome_of(rule, {"u": [2, 3], "v": [4, 6], "w": [14, 21]})) == ["1", "1", "1"]


def test_a_quantile_is_missing_where_its_share_or_the_whole_group_is():
    rule = (
        '[measures]\na = "a"\ns = "s"\ng = { column = "g", type = "text" }\n[groups]\nby = ["g"]\n'
        '[values]\nx = "group_quantile(a, s)"'
    )
    rows: dict[str, list[object]] = {
        "u": [2, 0.5, "A"], "v": [4, 1, "A"], "w": [9, "", "A"], "x": ["", 0.5, "B"],
    }  # fmt: skip

    assert points_of(outcome_of(rule, rows)) == ["4", "9", None, None]


def test_logarithms_and_roots_are_exact_to_sixty_places():
    assert natural_logarithm(Fraction(2)) == Fraction("0.693147180559945309417232121458176568075500134360255254120680")
    assert exponential(Fraction(1)) == Fraction("2.718281828459045235360287471352662497757247093699959574966968")
    assert root(Fraction(2)) == Fraction("1.414213562373095048801688724209698078569671875376948073176680")
    assert root(Fraction(9, 4)) == Fraction(3, 2)
    assert (root(Fraction(-1)), natural_logarithm(Fraction(0)), natural_logarithm(Fraction(-1))) == (None, None, None)
    assert exponential(Fraction(60)) is not None
    assert exponential(Fraction(61)) is None
    smallest = Fraction("-690.775527898213705205397436405309262280330446588631892809998370")
    assert natural_logarithm(Fraction(1, 10**300)) == smallest


def test_a_fraction_is_cut_only_where_it_has_grown_past_all_use():
    kept, cut = Fraction(1, 2**1_023), Fraction(1, 2**1_024)

    assert kept.denominator.bit_length() == LONGEST_BITS
    assert tame(kept) == kept
    assert tame(cut) == 0
    assert tame(1 + cut) == 1
