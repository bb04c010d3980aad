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
    },
    "indicator_health": "指标监测",
    "indicator_health_help": (
        "用来考核的指标，时间长了会向目标靠拢：多数满分、差距变小、与群众评价背离。"
        "提示只供修订方案时参考，不针对任何干部。只用已公布的数据。"
    ),
    "every": "周期类型",
    "every_kinds": {"month": "月", "quarter": "季度", "half_year": "半年", "year": "年"},
    "period_count": "最近几期",
    "watch_says": "监测结果",
    "no_signs": "未见异常。",
    "too_few_subjects": "每期都不足{fewest}个，不作判断。",
    "says": {
        "saturated": "{last}共{subjects}个，其中{at_ceiling}个达到满分，已经分不出高低。",
        "spread_shrinks": "标准差由{first}的{spread_before}降到{last}的{spread_after}，不超过原来的一半。",
        "parts_from_citizens": (
            "{first}至{last}，平均由{mean_before}变为{mean_after}，"
            "与群众满意率的相关由{agreement_before}变为{agreement_after}。"
        ),
    },
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
    },
    "indicator_health": "Indicators watched",
    "indicator_health_help": (
        "Indicators that people are judged by bend toward the target: they fill up, their spread shrinks, they part "
        "from what citizens say. A sign is for whoever keeps the scheme and says nothing of a single cadre. It reads "
        "what is published."
    ),
    "every": "Kind of period",
    "every_kinds": {"month": "month", "quarter": "quarter", "half_year": "half-year", "year": "year"},
    "period_count": "The latest so many",
    "watch_says": "What the watch says",
    "no_signs": "Nothing remarkable.",
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
    },
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
