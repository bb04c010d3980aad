"""The words on the pages about the method itself: trying a scheme, and whether the indicators still measure."""

from typing import Any, Final

ZH: Final[dict[str, Any]] = {
    "simulation": "方案试算",
    "simulation_help": (
        "用已关账的周期试算：换一个方案，谁的得分会变、变多少、哪里变得多，还能不能分出先后。"
        "只用已公布的数据，看完即弃，不影响任何得分。"
    ),
    "candidate": "新方案",
    "baseline": "对比",
    "choose": "请选择",
    "as_published": "已公布的总分",
    "as_changed": "（修改后）",
    "origins": {"proposed": "待批准的方案", "adopted": "已批准的方案", "indicators": "指标得分的方案"},
    "tolerance": "多少分以内不算差别",
    "tolerance_help": "总分相差不超过它的，视为分不出先后。",
    "try": "试算",
    "outcome": "试算结果",
    "tried_of": "共{all}个，其中{compared}个在两种方案下都有总分",
    "people_of": {"cadre": "人数", "organisation": "单位数"},
    "portion": "占比",
    "change": "变化",
    "steps_of": {
        "falls_far": "下降{far}分以上",
        "falls": "下降{tolerance}至{far}分",
        "stays": "变化不超过{tolerance}分",
        "rises": "上升{tolerance}至{far}分",
        "rises_far": "上升{far}分以上",
    },
    "nothing_compared": ("没有两种方案都给出总分的对象，无法比较。评价人数不足的，不公布总分；可改选一个方案作对比。"),
    "movers": "变化最大的",
    "movers_help": "按变化大小排列，最多列{most}个。位次变化为正的是上升。",
    "was": "原得分",
    "would": "新得分",
    "climbs": "位次变化",
    "columns": {
        "area": "按地方和部门",
        "organisation": "按单位",
        "peer_group": "按同类组",
        "post_level": "按职级",
        "post_kind": "按职务",
        "main_channel": "按诉求主要来源渠道",
    },
    "columns_help": {
        "main_channel": (
            "各人本期诉求中来自哪个渠道的最多，就归入哪一组；关账时按当时的承办人统计，不含剔除的和并入其他诉求的。"
        ),
    },
    "mean_change": "平均变化",
    "mean_climb": "平均位次变化",
    "rising": "上升",
    "falling": "下降",
    "gained_score": "新有总分",
    "lost_score": "不再有总分",
    "more_groups": "另有{count}组变化较小，未列出。",
    "saturation": "满分与零分",
    "saturation_help": "多数人得满分的指标，已经分不出高低。",
    "at_ceiling": "满分",
    "at_floor": "最低分",
    "separation": "能否分出先后",
    "separates_less": (
        "新方案更难分出先后：与一个对象相差不超过{tolerance}分的，平均有{after}个（含其本身），原来是{before}个。"
    ),
    "separates_more": (
        "新方案更能分出先后：与一个对象相差不超过{tolerance}分的，平均有{after}个（含其本身），原来是{before}个。"
    ),
    "separates_alike": "与原来一样：与一个对象相差不超过{tolerance}分的，平均有{after}个（含其本身）。",
    "separations": {
        "scored": "有总分的",
        "distinct": "不同的总分",
        "tied": "总分并列的",
        "unclear_neighbours": "相邻而分不出先后的",
        "mean_interval": "平均有几个分不出先后（1为完全分清）",
        "spread": "标准差",
        "middle_half": "中间一半的分差",
    },
    "separation_help": "总分的范围变了，标准差和分差也会随之改变，不能单凭它们判断。",
    "change_it": "修改后再试",
    "change_it_help": "改动方案文本（例如权重full）后试算，不保存。要生效，须提出方案并由另一人批准。",
    "scheme_text": "方案文本",
    "too_long_to_change": "方案太长，不能在此修改。",
    "signs": {
        "saturated": "多数满分",
        "spread_shrinks": "差距变小",
        "parts_from_citizens": "与群众评价背离",
        "parts_from_calls": "与回访核实背离",
    },
    "indicator_health": "指标监测",
    "indicator_health_help": (
        "用来考核的指标，时间长了会向目标靠拢：多数满分、差距变小、与群众评价背离。"
        "提示只供修订方案时参考，不针对任何干部。"
    ),
    "watch_reads": {
        "fair": (
            "公平方案每期都看截至期末的四个季度，相邻各期因此有重叠，变化来得慢。各项数值是扣除地区、负担等因素以前的平均。"
            "“暂计”的一行是当前情况，仍会变化，不作为提示的依据；方案改版以前的各期，不与改版以后的比较。"
        ),
        "basic": "只用已公布的数据。",
    },
    "watched_scheme": "方案",
    "watched_schemes": {"fair": "公平方案（考核得分）", "basic": "基础方案（指标得分）"},
    "of_units_help": "公平方案只评干部；看单位时一律用基础方案。",
    "provisional": "暂计",
    "true_spread": "真实差距",
    "with_calls": "与回访核实相关",
    "limited_share": "未采信的分",
    "set_aside_share": "待核实的记录",
    "fair_columns_help": (
        "真实差距：扣除偶然、负担、地区和单位的影响后，全部干部之间剩下的标准差（联系群众按比例计）。"
        "与回访核实相关：仅限自行登记的指标，看做得好的人，其事项经他人回访是否也少被群众否认。"
        "未采信的分：自行登记的记录偏离其他各项、因而没有采信的部分，占全部分值的百分比。"
        "待核实的记录：因线索暂不计入的，占全部记录的百分比。"
    ),
    "fair_definitions": {
        "timeliness": (
            "每件诉求首次答复用时占规定时限的多少：八分之一以内为100，刚好到期为40，四倍以上为0；逾期未答复为0。"
        ),
        "reply": "答复有实质内容的诉求所占的比例。",
        "resolution": "按期解决为100，逾期解决为80，未解决为0，群众重新提出或回访时否认的为−50。",
        "speed": "确已解决的诉求，办结用时占规定时限的多少，算法与答复及时相同。",
        "satisfaction": "群众评价，一至五星折合0至100，按评价渠道加权，只计诉求人本人的评价。",
        "outreach": "应当联系群众的次数中实际完成的比例，最多100：经群众确认的计一次，未确认的和补录的少计。",
    },
    "every": "周期类型",
    "every_kinds": {"month": "月", "quarter": "季度", "half_year": "半年", "year": "年"},
    "period_count": "最近几期",
    "watch_says": "监测结果",
    "no_signs": "未见异常。",
    "none_closed": "还没有这种周期关账，不作判断。",
    "too_few_subjects": "每期都不足{fewest}个，不作判断。",
    "says": {
        "saturated": "{last}共{subjects}个，其中{at_ceiling}个达到满分，已经分不出高低。",
        "spread_shrinks": "标准差由{first}的{spread_before}降到{last}的{spread_after}，不超过原来的一半。",
        "parts_from_citizens": (
            "{first}至{last}，平均由{mean_before}变为{mean_after}，"
            "与群众满意率的相关由{agreement_before}变为{agreement_after}。"
        ),
        "parts_from_calls": (
            "{first}至{last}，与回访核实结果的相关由{agreement_with_calls_before}变为{agreement_with_calls_after}："
            "登记得好的，如今反而更多被群众否认。"
        ),
    },
    "true_spread_shrinks": (
        "真实差距由{first}的{true_spread_before}降到{last}的{true_spread_after}，不超过原来的一半：能分出的高低越来越少。"
    ),
    "latest": "最近一期",
    "latest_help": "数据为最近一期的；不足{fewest}个的周期不作判断，也不作最近一期。数值以百分比计。",
    "spread": "标准差",
    "agreement": "与满意率相关",
    "agreement_help": "与满意率相关：1为完全一致，0为无关，负数为相反；有数据的不足10个时不计算。",
    "period_by_period": "逐期数据",
    "not_counted": "不计：{what}。",
    "nothing_to_watch": "还没有这种周期关账，或者其中没有您可查看的数据。",
    "errors": {
        "bad-scheme": "方案有误，不能试算，原因见下方。",
        "bad-table": "无法计算，原因见下方。",
        "unknown-scheme": "没有这个方案，或者您无权查看。",
    },
}
EN: Final[dict[str, Any]] = {
    "simulation": "Try a scheme",
    "simulation_help": (
        "Put a scheme to a period that is closed: whose score would change, by how much and where, and what could "
        "still be told apart. It reads what is published, keeps nothing and changes no score."
    ),
    "candidate": "New scheme",
    "baseline": "Compared with",
    "choose": "choose one",
    "as_published": "the totals as published",
    "as_changed": "(as changed)",
    "origins": {"proposed": "Proposed", "adopted": "Agreed to", "indicators": "Of the indicators' scores"},
    "tolerance": "Points that mean nothing",
    "tolerance_help": "Totals that lie this close are not told apart.",
    "try": "Try it",
    "outcome": "What came of it",
    "tried_of": "{all}, of whom {compared} have a total by both",
    "people_of": {"cadre": "People", "organisation": "Units"},
    "portion": "Share",
    "change": "Change",
    "steps_of": {
        "falls_far": "down by more than {far}",
        "falls": "down by {tolerance} to {far}",
        "stays": "by {tolerance} or less",
        "rises": "up by {tolerance} to {far}",
        "rises_far": "up by more than {far}",
    },
    "nothing_compared": (
        "Nobody has a total by both, so there is nothing to compare. Where too few people rated, the published total "
        "is withheld: compare with a scheme instead."
    ),
    "movers": "Who moves most",
    "movers_help": "The farthest first, {most} at most. A place gained is positive.",
    "was": "Was",
    "would": "Would be",
    "climbs": "Places",
    "columns": {
        "area": "By area and department",
        "organisation": "By organisation",
        "peer_group": "By peer group",
        "post_level": "By level",
        "post_kind": "By kind of post",
        "main_channel": "By main channel of issues",
    },
    "columns_help": {
        "main_channel": (
            "Everybody stands with the channel that most of their issues of the period came by: counted at the close, "
            "by who answered for them then, without what is excluded or merged into another one."
        ),
    },
    "mean_change": "Mean change",
    "mean_climb": "Mean of places",
    "rising": "Up",
    "falling": "Down",
    "gained_score": "Gain a total",
    "lost_score": "Lose it",
    "more_groups": "{count} more that move less are not listed.",
    "saturation": "Full marks and none",
    "saturation_help": "Where nearly all have full marks, an indicator decides nothing any more.",
    "at_ceiling": "Full",
    "at_floor": "Lowest",
    "separation": "What can be told apart",
    "separates_less": (
        "The new scheme tells less apart: within {tolerance} points of one stand {after} on average, itself included; "
        "it was {before}."
    ),
    "separates_more": (
        "The new scheme tells more apart: within {tolerance} points of one stand {after} on average, itself included; "
        "it was {before}."
    ),
    "separates_alike": "As before: within {tolerance} points of one stand {after} on average, itself included.",
    "separations": {
        "scored": "with a total",
        "distinct": "different totals",
        "tied": "tied",
        "unclear_neighbours": "neighbours that cannot be told apart",
        "mean_interval": "stand within the tolerance, on average (1 is a clear order)",
        "spread": "standard deviation",
        "middle_half": "width of the middle half",
    },
    "separation_help": "The last two also follow the scale of the totals, and say little by themselves.",
    "change_it": "Change it and try again",
    "change_it_help": (
        "A weight (full), for example. Nothing of it is kept: to be in force a scheme is proposed, and another person "
        "agrees."
    ),
    "scheme_text": "The scheme as text",
    "too_long_to_change": "The scheme is too long to be changed here.",
    "signs": {
        "saturated": "mostly full marks",
        "spread_shrinks": "spread shrinks",
        "parts_from_citizens": "parts from citizens",
        "parts_from_calls": "parts from call-backs",
    },
    "indicator_health": "Indicators watched",
    "indicator_health_help": (
        "Indicators that people are judged by bend toward the target: they fill up, their spread shrinks, they part "
        "from what citizens say. A sign is for whoever keeps the scheme and says nothing of a single cadre."
    ),
    "watch_reads": {
        "fair": (
            "The fair scheme looks at the four quarters that end with each period: neighbouring periods overlap, and "
            "what changes does so slowly. Values are means before anything is taken off for region, load and the like. "
            "A provisional line is how things stand now: it still moves, and no sign stands on it. What was scored "
            "before the settings changed is not compared with what came after."
        ),
        "basic": "It reads what is published.",
    },
    "watched_scheme": "Scheme",
    "watched_schemes": {"fair": "Fair scheme (score for appraisal)", "basic": "Basic scheme (indicators' scores)"},
    "of_units_help": "The fair scheme scores cadres alone; of units it is always the basic one.",
    "provisional": "provisional",
    "true_spread": "True spread",
    "with_calls": "With calls",
    "limited_share": "Not believed",
    "set_aside_share": "Set aside",
    "fair_columns_help": (
        "True spread: the standard deviation among all cadres that chance, load, region and unit do not explain (of "
        "outreach as a proportion). With calls: of what cadres record themselves, the correlation with how much "
        "of theirs was not denied when others asked the citizen. Not believed: the share of points that the "
        "plausibility limit took or gave. Set aside: the share of records that wait for a look."
    ),
    "fair_definitions": {
        "timeliness": (
            "How much of the time each first answer took: 100 within an eighth of it, 40 at the limit, 0 from four "
            "times on; overdue without an answer 0."
        ),
        "reply": "The share of issues that got a reply of some substance.",
        "resolution": "Solved in time 100, late 80, not solved 0; opened again by the citizen, or denied, −50.",
        "speed": "Of what was surely solved, how much of the time the closing took, worked out as for answers.",
        "satisfaction": (
            "Ratings of complainants themselves, one to five stars as 0 to 100, weighed by how they were collected."
        ),
        "outreach": (
            "The share of the contacts owed that were made, 100 at most: one that a citizen confirmed is one, one that "
            "nobody confirmed or that was written up late is less."
        ),
    },
    "every": "Kind of period",
    "every_kinds": {"month": "month", "quarter": "quarter", "half_year": "half-year", "year": "year"},
    "period_count": "The latest so many",
    "watch_says": "What the watch says",
    "no_signs": "Nothing remarkable.",
    "none_closed": "No such period is closed yet: nothing is said.",
    "too_few_subjects": "Fewer than {fewest} in every period: nothing is said.",
    "says": {
        "saturated": "In {last} {at_ceiling} of {subjects} have full marks: it decides nothing any more.",
        "spread_shrinks": (
            "Its standard deviation fell from {spread_before} in {first} to {spread_after} in {last}, by half or more."
        ),
        "parts_from_citizens": (
            "From {first} to {last} its mean went from {mean_before} to {mean_after}, and its correlation with "
            "satisfaction from {agreement_before} to {agreement_after}."
        ),
        "parts_from_calls": (
            "From {first} to {last} its correlation with what call-backs confirm went from "
            "{agreement_with_calls_before} to {agreement_with_calls_after}: who records it best is now denied more."
        ),
    },
    "true_spread_shrinks": (
        "Its true spread fell from {true_spread_before} in {first} to {true_spread_after} in {last}, by half or more: "
        "it tells ever less apart."
    ),
    "latest": "Latest",
    "latest_help": "Figures are of the latest period with {fewest} or more; values are per cent.",
    "spread": "Deviation",
    "agreement": "With satisfaction",
    "agreement_help": "Correlation with satisfaction: 1 is agreement, 0 none, below it the contrary; from 10 on.",
    "period_by_period": "Period by period",
    "not_counted": "Not counted: {what}.",
    "nothing_to_watch": "No such period is closed yet, or none of it is yours to see.",
    "errors": {
        "bad-scheme": "The scheme does not read; the reason stands below.",
        "bad-table": "It cannot be worked out; the reason stands below.",
        "unknown-scheme": "There is no such scheme, or it is not yours to see.",
    },
}
