"""Presets of schemes that are fully stated and have no published table: worked by hand, figure by figure."""

from pathlib import Path

import pytest

from services.assessment.domain.rules.scheme_reading import read_rule_scheme
from services.assessment.importing.commands import read_scheme_file
from services.assessment.importing.tables import read_table
from tests.unit.assessment.rules.schemes import told
from tests.unit.assessment.rules.second_opinion import evaluate_twice

PRESETS = Path(__file__).parents[4] / "services" / "assessment" / "presets"

OFFICE = (
    "工作人员,自评（德能勤绩廉）,处室互评（德能勤绩廉）,同级互评（德能勤绩廉）,"
    "考核人评价（德能勤绩廉）,领导小组评价,处室\n"
)
HOUSEHOLDS = "村,少学习培训次数,缺制度项数,少督促检查次数,抽查无干部联系户数\n"
LUSHAN = "单位,组织领导,制度建设,联络畅通,转交办理,催办督办,服务质量,综合绩效\n"


def put(preset: str, table: str):
    text = (PRESETS / f"{preset}.toml").read_text("utf-8")
    return evaluate_twice(text, read_table(table.encode(), read_rule_scheme(text))[0])


def totals(outcome):
    return [told(one.total) for one in outcome.totals]


def points(outcome, *keys):
    return [[told(outcome.columns[key][at]) for key in keys] for at in range(len(outcome.totals))]


def test_dachuan_scores_rates_repeats_participation_and_leaders():
    outcome = put(
        "dachuan-petition",
        "单位,及时受理数,应受理数,按期答复数,应答复数,重复信访增加件数,满意件数,参评件数,可评件数,专题研究次数,领导接访次数,包案数,包案化解数\n"
        "甲,95,100,18,20,2,27,30,40,4,12,10,9\n乙,100,100,20,20,15,40,40,40,9,0,10,8\n丙,1,1,1,1,0,1,1,1,,,,\n",
    )

    assert points(outcome, "acceptance", "answers", "repeat", "satisfaction", "participation", "study", "leaders") == [
        ["4.75", "9", "8", "9", "3.75", "4", "4"],
        ["5", "10", "0", "10", "5", "6", "1"],  # no reception -2, resolution of 80 per cent -1
        ["5", "10", "10", "10", "5", "0", "0"],
    ]
    assert totals(outcome) == ["42.5", "37", "40"]


def test_jinhua_leaves_postponed_cases_out_and_doubles_what_was_exposed():
    outcome = put(
        "jinhua-urban",
        "责任单位,按期结案数,结案数,应结案数,缓办数,紧急按期结案数,紧急结案数,紧急应结案数,返工,弄虚作假,推诿\n"
        "甲,63,85,110,10,9,10,10,1;1;1;1,1,\n乙,80,100,100,,10,10,10,,2,\n丙,80,100,100,,,,,,,\n",
    )

    assert points(outcome, "on_time", "closure", "urgent", "conduct") == [
        ["43", "15", "7.5", "2.6"],  # 63 of 100; 85 of 100; 90 is 5 short of 95; 0.2+0.2+0.5+0.5+1
        ["50", "20", "10", "3"],
        ["50", "20", "10", "5"],  # without urgent cases full marks
    ]
    assert totals(outcome) == ["68.1", "83", "85"]


def test_ruian_compares_with_the_best_and_reads_places_and_votes():
    outcome = put(
        "ruian-leaders-2012",
        "干部,重要项目得分,四套班子评价名次,优秀票,称职票,基本称职票,不称职票\n甲,96,1;2;1;4,90,10,0,0\n乙,72,3;1;2;2,85,10,5,0\n"
        "丙,48,5;6;7;6,55,10,20,15\n",
    )

    assert points(outcome, "key_projects", "leaders", "democratic") == [
        ["600", "196", "200"],
        ["450", "196", "190"],
        ["300", "180", "130"],  # 35 of 100 basic or incompetent
    ]
    assert totals(outcome) == ["996", "836", "610"]


def test_the_common_formula_weighs_votes_items_and_panels():
    header = "干部," + ",".join(
        f"{panel}_{item}" for panel in ("分管领导", "干部职工", "考核组") for item in ("任务量", "效率", "完成")
    )
    votes = "1;0;0;0,0;1;0;0,1;0;0;0," + "5;3;2;0,5;5;0;0,10;0;0;0," + "3;0;0;0,3;0;0;0,0;3;0;0"
    outcome = put("leaders-achievement", f"{header},附加分\n甲,{votes},1.5\n")

    # 94; 0.3 x 86 + 0.3 x 90 + 0.4 x 100 = 92.8; 92; together 0.2 x 94 + 0.4 x 92.8 + 0.4 x 92 + 1.5
    assert points(outcome, "superior", "staff", "panel") == [["94", "92.8", "92"]]
    assert totals(outcome) == ["94.22"]


def test_the_departments_algorithm_weighs_raters_and_keeps_the_quota_of_an_office():
    marks = {"甲": 95, "乙": 90, "丙": 80, "丁": 70, "戊": 60}
    rows = "".join(
        f"{name}," + ",".join([";".join([str(mark)] * 5)] * 4) + f",{mark},一处\n" for name, mark in marks.items()
    )
    outcome = put("province-department", OFFICE + rows)

    assert totals(outcome) == ["95", "90", "80", "70", "60"]
    assert [one.grade for one in outcome.totals] == ["优秀", "称职", "称职", "基本称职", "基本称职"]


def test_the_departments_weights_are_those_of_the_five_dimensions():
    outcome = put(
        "province-department", OFFICE + "甲,100;90;80;70;60,85;85;85;85;85,80;80;80;80;80,90;90;90;90;90,95,一处\n"
    )

    # self 15+9+24+21+9 = 78; appraised 7.8+46.75+28 = 82.55; 0.4 x 82.55 + 0.6 x 90 = 87.02; 0.95 of it + 4.75
    assert points(outcome, "self_part", "appraised", "quarters") == [["78", "82.55", "87.02"]]
    assert totals(outcome) == ["87.42"]


@pytest.mark.parametrize(
    ("preset", "table", "expected"),
    [
        ("zhungeer-three-rates", "承办单位,响应率,解决率,满意率\n甲,100,90,80\n乙,90,,80\n", ["89.5", "84.62"]),
        ("urban-routine-2023", "区政府,按时结案数,应结案数\n甲,7,12\n", ["35"]),
        ("chunan-village-cadres-2013", "干部,村情熟悉度,村民融合度,群众满意度,组织认可度\n甲,80,90,85,95\n", ["88"]),
        ("market-squad-2017", "中队,一次性办结率\n甲,91\n乙,88.5\n丙,60\n", ["25", "23.5", "0"]),
        ("township-households-2012", HOUSEHOLDS + "甲,1,2,1,70\n", ["20.1"]),
        ("district-network", "成员单位,机构缺项,人员缺项\n甲,1,1\n乙,3,\n", ["2", "2"]),
        ("taixing-quotas-2014", "机关,绩效等次,人民满意机关,效能先进\n甲,优秀,是,是\n乙,诫勉,否,否\n", ["20", "8"]),
        ("lushan-hotline-2017", LUSHAN + "甲,8,4,6,45,20,9,8\n", ["95"]),
        ("yangzhou-urban", "区政府,常规案件,返工,12319案件,专项,基础,重大活动保障加分\n甲,66,5,4,9,10,8\n", ["99"]),
    ],
)  # fmt: skip
def test_smaller_schemes_come_to_what_their_rules_say(preset, table, expected):
    assert totals(put(preset, table)) == expected


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        ("bengbu-grades-2011", ["优秀", "良好", "合格", "不合格"]),
        ("guangdong-grades-2020", ["优秀", "良好", "一般", "一般"]),
    ],
)
def test_grades_by_bands(preset, expected):
    scheme = read_scheme_file(PRESETS / f"{preset}.toml")
    table = f"{scheme.layout.subject[0]},得分\n" + "".join(f"u{mark},{mark}\n" for mark in ("90", "89.99", "79", "59"))

    assert [one.grade for one in put(preset, table).totals] == expected


def test_hangzhou_warns_the_last_two_of_a_volume_group_that_fail_and_nobody_with_few_orders():
    rows = [("甲", 350, 70), ("乙", 320, 75), ("丙", 310, 60), ("丁", 400, 65), ("戊", 19, 10), ("己", 90, 70)]
    table = "网络单位,承办量,效能指数\n" + "".join(f"{unit},{orders},{mark}\n" for unit, orders, mark in rows)

    outcome = put("hangzhou-index-1", table)

    assert [bool(flagged) for flagged in outcome.flags] == [False, False, True, True, False, True]
    assert [told(place) for place in outcome.ranks["place"]] == ["2", "1", "4", "3", None, "1"]


def test_yulin_lists_five_from_above_and_five_from_below_and_orders_no_equals():
    table = "承办单位,综合得分\n" + "".join(
        f"u{at},{mark}\n" for at, mark in enumerate([99, 98, 97, 96, 95, 95, 90, 80, 70, 60, 50, 40])
    )

    outcome = put("yulin-lists-2021", table)

    assert [at for at, flagged in enumerate(outcome.flags) if 1 in flagged] == [0, 1, 2, 3, 4, 5]
    assert [at for at, flagged in enumerate(outcome.flags) if 2 in flagged] == [7, 8, 9, 10, 11]


def test_suining_asks_for_both_standards():
    outcome = put("suining-standards-2016", "单位,群众回复率,群众满意率\n甲,92,85\n乙,91.99,99\n丙,99,\n")

    assert points(outcome, "standard") == [["达标"], ["不达标"], ["不达标"]]


def test_quotas_follow_the_team_and_are_never_exceeded():
    rows = [("公务员", "", 10), ("领导干部", "优秀", 10), ("领导干部", "较差", 10), ("领导干部", "良好", 6)]
    lines = [
        f"{number}-{at},{number},{team_grade},{regime},{100 - at}\n"
        for number, (regime, team_grade, size) in enumerate(rows)
        for at in range(size)
    ]
    lines += [f"t-{at},t,,公务员,{90 if at < 3 else 50}\n" for at in range(10)]
    outcome = put("excellence-quotas", "干部,班子,班子等次,类别,得分\n" + "".join(lines))

    counts: dict[str, int] = {}
    for subject, one in zip(outcome.table.subjects, outcome.totals, strict=True):
        team = subject.partition("-")[0]
        counts[team] = counts.get(team, 0) + (one.grade is not None)
    # 20 % of 10; 30 %; 15 % of 10 is 1.5, half up 2; 25 % of 6 is 1.5; three equals across a cut of two: none
    assert counts == {"0": 2, "1": 3, "2": 2, "3": 2, "t": 0}
