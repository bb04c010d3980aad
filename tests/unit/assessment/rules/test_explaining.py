"""Why a total is what it is, in sentences: each kind of rule with its working, what it counts for, what ended it."""

from textwrap import dedent

import pytest

from services.assessment.domain.rules.scheme_reading import read_rule_scheme
from services.assessment.importing.tables import lay_out
from services.assessment.scoring.evaluating import evaluate
from services.assessment.scoring.explaining import explain
from tests.unit.assessment.rules.schemes import HEAD, outcome_of

WHOLE = """
[measures]
rate = "rate"
orders = "orders"
late = { column = "late", blank = 0 }
praise = { column = "praise", blank = 0 }
level = { column = "level", type = "text" }
[values.gap]
formula = "100 - rate"
name = { zh = "差距", en = "gap" }
[sections.extra]
name = { zh = "加减分", en = "extras" }
ceiling = 3
floor = -3
[items.closed]
name = { zh = "办结率", en = "resolution" }
kind = "target_slope"
value = "rate"
target = 90
slope = 2
full = 40
[items.share]
name = { zh = "占比", en = "share" }
kind = "proportional"
value = "rate"
full = 30
weight = 0.5
[items.volume]
name = { zh = "办件量", en = "volume" }
kind = "bands"
value = "orders"
bands = [{ at_least = 100, points = 10 }, { at_least = 20, points = 5 }]
missing = "zero"
[items.best]
name = { zh = "与最好相比", en = "against the best" }
kind = "best_ratio"
value = "orders"
full = 10
missing = "skip"
[items.mark]
name = { zh = "评议", en = "appraisal" }
kind = "lookup"
value = "level"
table = { good = 5, poor = 0 }
missing = 1
[items.plain]
name = { zh = "折算", en = "conversion" }
kind = "formula"
formula = "late / 4"
[items.conduct]
name = { zh = "表扬与超期", en = "praise and delay" }
section = "extra"
kind = "deduction"
start = 2
lines = [
  { title = "超期", count = "late", each = 1 },
  { count = "praise", each = -2 },
]
[total]
base = 10
round = 2
[[gates]]
when = "rate < 10"
effect = "no_score"
reason = { zh = "无数据支撑", en = "nothing to go by" }
[[gates]]
when = "late > 5"
effect = "cap"
value = 59
reason = { zh = "超期过多", en = "too much delay" }
[[grades]]
grade = "pass"
at_least = 60
[[rankings]]
[[flags]]
when = "late > 5"
label = { zh = "约谈", en = "talk" }
"""
ROWS: dict[str, list[object]] = {
    "u": [85, 120, 1, 3, "good"],
    "v": [95, 30, 6, 0, ""],
    "w": [5, "", 0, 0, "poor"],
}


TOLD = {
    (0, "zh"): """
        u · 方案 test 第 1 版
        差距 = 15
        办结率：85，与目标 90 相差，计 5 档，每档扣 2：40 - 5 × 2 → 30
        占比：85 ÷ 100 × 30 → 25.5，计入总分 +12.75
        办件量：120，落入第 1 档 → 10
        与最好相比：120 与参照值 120 之比 × 10 → 10
        评议：good → 5
        折算：late / 4 → 0.25
        表扬与超期：起评 2；超期 1：-1；praise 3：6 → 7
        基础分 +10
        加减分上下限调整 -4
        总分 81.00
        等次 pass
        名次：第 1
        """,
    (0, "en"): """
        u · scheme test version 1
        gap = 15
        resolution: 85 misses the target 90 by 5 steps at 2: 40 - 5 x 2 -> 30
        share: 85 / 100 x 30 -> 25.5, counts +12.75
        volume: 120 is in band 1 -> 10
        against the best: 120 against 120, of 10 -> 10
        appraisal: good -> 5
        conversion: late / 4 -> 0.25
        praise and delay: starting from 2; 超期 1: -1; praise 3: 6 -> 7
        base +10
        limit of extras: -4
        total 81.00
        grade pass
        place: 1
        """,
    (1, "zh"): """
        v · 方案 test 第 1 版
        差距 = 5
        办结率：95，达到目标 90 → 40
        占比：95 ÷ 100 × 30 → 28.5，计入总分 +14.25
        办件量：30，落入第 2 档 → 5
        与最好相比：30 与参照值 120 之比 × 10 → 2.5
        评议：无数据或不符合条件，按规定计 1
        折算：late / 4 → 1.5
        表扬与超期：起评 2；超期 6：-6；praise 0：0 → -4
        基础分 +10
        加减分上下限调整 +1
        超期过多：-12.25
        适用：超期过多
        总分 59.00
        名次：第 2
        标记：约谈
        """,
    (1, "en"): """
        v · scheme test version 1
        gap = 5
        resolution: 95, meets the target 90 -> 40
        share: 95 / 100 x 30 -> 28.5, counts +14.25
        volume: 30 is in band 2 -> 5
        against the best: 30 against 120, of 10 -> 2.5
        appraisal: no data, or its condition is not met: by the scheme's rule 1
        conversion: late / 4 -> 1.5
        praise and delay: starting from 2; 超期 6: -6; praise 0: 0 -> -4
        base +10
        limit of extras: +1
        too much delay: -12.25
        applies: too much delay
        total 59.00
        place: 2
        flag: talk
        """,
    (2, "zh"): """
        w · 方案 test 第 1 版
        差距 = 95
        办结率：5，与目标 90 相差，计 85 档，每档扣 2：40 - 85 × 2 → 0
        占比：5 ÷ 100 × 30 → 1.5
        办件量：无数据或不符合条件，按规定计 0
        与最好相比：无数据或不符合条件，不计入
        评议：poor → 0
        折算：late / 4 → 0
        表扬与超期：起评 2；超期 0：0；praise 0：0 → 2
        适用：无数据支撑
        不计总分：无数据支撑
        """,
    (2, "en"): """
        w · scheme test version 1
        gap = 95
        resolution: 5 misses the target 90 by 85 steps at 2: 40 - 85 x 2 -> 0
        share: 5 / 100 x 30 -> 1.5
        volume: no data, or its condition is not met: by the scheme's rule 0
        against the best: no data, or its condition is not met: left out
        appraisal: poor -> 0
        conversion: late / 4 -> 0
        praise and delay: starting from 2; 超期 0: 0; praise 0: 0 -> 2
        applies: nothing to go by
        no total: nothing to go by
        """,
}


@pytest.mark.parametrize(("at", "language"), TOLD)
def test_a_total_is_told_line_by_line(at, language):
    told = explain(outcome_of(WHOLE, ROWS), at, language)

    assert told == dedent(TOLD[at, language]).strip().splitlines()


@pytest.mark.parametrize(
    ("kind", "cells", "line"),
    [
        (
            '"bands"\nvalue = "a"\nbands = [{ at_least = 90, points = 1 }]\notherwise = 0',
            [5],
            "x: 5 is in no band -> 0",
        ),
        ('"bands"\nbands = [{ when = "a > 1", points = 1 }]\notherwise = 0', [5], "x: is in band 1 -> 1"),
        ('"interpolate"\nvalue = "a"\npoints = [[0, 0], [10, 5]]', [4], "x: 4 -> 2"),
        ('"rank_points"\nvalue = "a"\nfirst = 10\nstep = 1', [4], "x: place 1 -> 10"),
        ('"target_slope"\nvalue = "a"\ntarget = 90\nfull = 40\nslope = 2', [90], "x: 90, meets the target 90 -> 40"),
        (
            '"target_slope"\nvalue = "a"\ntarget = 90\nfull = 40\nslope = 2',
            ["89.5"],
            "x: 89.5 misses the target 90 by 0.5 steps at 2: 40 - 0.5 x 2 -> 39",
        ),
        ('"formula"\nformula = "a"\nweight = 0', [60], "x: a -> 60, counts +0"),
        ('"formula"\nformula = "a"\nweight = 0.5', [-1], "x: a -> -1, counts -0.5"),
        ('"quantile_bands"\nvalue = "a"\nbands = [{ top = 100, points = 3 }]', [4], "x: place 1 -> 3"),
        ('"weighted_mean"\nparts = { a = 3 }', [4], "x: weighted mean: a × 3 -> 4"),
        ('"deduction"\ncount = "a"\neach = 2', [4], "x: a 4: -8 -> -8"),
        ('"formula"\nformula = "a / 3"', [1], "x: a / 3 -> 0.333333…, counts +0.333333333333"),
    ],
)
def test_each_kind_tells_its_working(kind, cells, line):
    outcome = outcome_of(f'[measures]\na = "a"\n[items.x]\nkind = {kind}', {"u": cells})

    assert explain(outcome, 0, "en")[1] == line


@pytest.mark.parametrize(
    ("rest", "cells", "end"),
    [
        ("", ["", 1], "no total: the first"),
        ("[total]\nminimum_present = 60", [1, ""], "no total: too few items have data"),
        ('[total]\nbase = "1 / (b - 1)"', [1, 1], "no total: total"),
    ],
)
def test_a_total_that_is_not_given_says_why(rest, cells, end):
    rule = (
        '[measures]\na = "a"\nb = "b"\n[items.x]\nname = { zh = "一", en = "the first" }\nkind = "proportional"\n'
        'value = "a"\nfull = 50\n[items.y]\nkind = "proportional"\nvalue = "b"\nfull = 50\nmissing = "rescale"\n'
    )

    assert explain(outcome_of(rule + rest, {"u": cells}), 0, "en")[-1] == end


def test_several_parts_lists_flags_and_places_are_each_told_under_their_name():
    rule = (
        '[measures]\na = "a"\nb = "b"\nw = { column = "w", type = "texts" }\n[values]\nrate = "a / b"\n'
        '[items.x]\nname = { zh = "折合", en = "mean" }\nkind = "weighted_mean"\nparts = { a = 3, b = 1 }\n'
        '[items.y]\nkind = "lookup"\nvalue = "w"\ntable = { good = 4, poor = 0 }\n'
        '[[rankings]]\n[[rankings]]\nkey = "by_a"\nby = "a"\norder = "ascending"\n'
        '[[flags]]\nwhen = "a > 100"\nlabel = { zh = "黄牌", en = "yellow card" }\n'
        '[[flags]]\nwhen = "b < 5"\nlabel = { zh = "约谈", en = "talk" }\n'
    )
    outcome = outcome_of(rule, {"u": [8, 0, "good;poor"], "v": [4, 4, "poor"]})

    assert explain(outcome, 0, "en")[1:] == [
        "rate = no data", "mean: weighted mean: a × 3; b × 1 -> 6", "y: good、poor -> 2", "total 8", "place: 1",
        "by_a: 2", "flag: talk",
    ]  # fmt: skip
    assert explain(outcome, 0, "zh")[1:3] == ["rate = 无数据", "折合：加权平均：a × 3；b × 1 → 6"]


def test_a_scheme_without_items_tells_of_no_total_at_all():
    rule = '[measures]\na = "a"\n[values]\nhalf = "a / 2"\n[[rankings]]\nby = "half"'

    assert explain(outcome_of(rule, {"u": [8]}), 0, "en")[1:] == ["half = 4", "place: 1"]


def test_a_limit_of_the_whole_total_and_one_that_takes_nothing_away_are_told():
    rule = '[measures]\na = "a"\n[items.x]\nkind = "formula"\nformula = "a"\nweight = 2\n[total]\nceiling = 100\n'

    assert explain(outcome_of(rule, {"u": [60]}), 0, "en")[1:] == [
        "x: a -> 60, counts +120", "limit of the total: -20", "total 100",
    ]  # fmt: skip
    assert explain(outcome_of(rule, {"u": [0]}), 0, "zh")[1:] == ["x：a → 0", "总分 0"]


@pytest.mark.parametrize(
    ("rest", "cells", "line"),
    [
        (
            'kind = "bands"\nvalue = "a"\nbands = [{ at_least = 90, points = 1 }]\notherwise = 0',
            [5],
            "x：5，不在任何一档 → 0",
        ),
        ('kind = "rank_points"\nvalue = "a"\nfirst = 10\nstep = 1', [4], "x：第 1 名 → 10"),
        ('kind = "formula"\nformula = "a"\n[total]\nceiling = 5', [9], "总分上下限调整 -4"),
        (
            'kind = "proportional"\nvalue = "a"\nfull = 9\nmissing = "rescale"\n[total]\nminimum_present = 9',
            [""],
            "不计总分：有数据的指标不足",
        ),
    ],
)
def test_what_is_told_is_told_in_chinese(rest, cells, line):
    assert line in explain(outcome_of(f'[measures]\na = "a"\n[items.x]\n{rest}', {"u": cells}), 0, "zh")


def test_parameters_that_were_recovered_are_named_as_such():
    told = 'recovered = true\nrecovery = "from the published table"\n[table]'
    rule = '[measures]\na = "a"\n[items.x]\nkind = "formula"\nformula = "a"'
    scheme = read_rule_scheme(HEAD.replace("[table]", told) + rule)
    outcome = evaluate(scheme, lay_out([["unit", "a"], ["u", "1"]], scheme)[0])

    assert explain(outcome, 0, "en")[1] == "with parameters that were recovered: from the published table"
    assert explain(outcome, 0, "zh")[1] == "参数为反推所得：from the published table"
