"""An explanation as text that a person reads, in Chinese and English."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from services.assessment.domain.posts import name_peer_group
from services.assessment.fair.explaining import FROM_CITIZENS, Change, Explanation, Line, Moved
from services.assessment.fair.settings import INDICATORS
from services.assessment.fair.signals.wording import Language

Words = Mapping[str, str]

ZH: Final[Words] = {
    "timeliness": "答复及时",
    "reply": "答复到位",
    "resolution": "问题解决",
    "speed": "办理速度",
    "satisfaction": "群众满意",
    "outreach": "联系群众",
    "base": "同类平均",
    "score": "得分{score}（90%区间{lower}至{upper}，依据充分程度{reliability}），与“{peer_group}”同类干部相比。",
    "no_score": "评价人数不足，涉及群众评价的部分和总分暂不公布。",
    "told_score": "得分{total}（取整公布），与“{peer_group}”同类干部相比：{band}。",
    "band_above": "高于同类平均",
    "band_middle": "与同类平均无明显差异",
    "band_below": "低于同类平均",
    "band_not_enough_evidence": "记录太少，不足以评价",
    "told_elsewhere": "{names}涉及群众评价，只按公布的合计数看，不逐项列出。",
    "and": "、",
    "line": (
        "{name}：实际{observed}，同类事项通常{expected}{less}；相差{difference}，合{level}个标准差{limited}；{points}。"
    ),
    "outreach_line": "{name}：与同类平均相差{difference}，合{level}个标准差{limited}；{points}。",
    "less": "，另扣除{steps}",
    "load": "负担{number}",
    "region": "地区{number}",
    "unit": "单位{number}",
    "peers": "同类平均{number}",
    "limited_to": "（采信{limited}个）",
    "points": "{records}件记录直接证实其中{share}%，加上各项之间的相互印证，计{points}分",
    "no_points": "{records}件记录直接证实其中{share}%，分数暂不公布",
    "most": "影响最大的记录：",
    "moved": "　{record}（{name}）：{value}，通常{expected}：{points}分",
    "left_out": "不计或少计：",
    "noted": "　{note}，{count}件：{records}{more}",
    "more": "等",
    "would_change": "其他不变，再有一件办得最好的：",
    "one_more": "　{name}：{points}分",
    "change": "得分由{before}变为{after}。",
    "part": "　{name}：{points}分（其中本人记录变化{own}分，其余为同类情况和记录多少的变化）",
    "evidence_not_verdict": "得分是依据，不是结论；由有关机构作出决定并说明理由。",
    "among_peers_only": "只能与同类干部比较，不能跨类比较。",
    "too_few_ratings": "评价人数不足以公布。",
    "not_enough_evidence": "记录太少，不足以评价。",
    "ranks_not_separable": "与区间重叠的同类干部不分先后。",
    "indicators_without_data": "没有记录的指标按同类平均对待。",
    "limited": "自行登记的记录明显偏离其他各项的部分不予采信。",
    "duplicate": "短期内重复（只计一次）",
    "set_aside": "待核实，暂不计",
    "not_due": "尚未到期",
    "no_allowance": "没有规定时限",
    "explained": "因政策原因解释说明",
    "unassessed": "不予受理、撤回或并案（合理数量内不计，超出部分按未解决计）",
    "unknown": "未登记答复内容（不计答复到位）",
    "disowned": "回访时群众表示并无此事",
    "empty_instant": "立即答复但没有内容",
    "told_afterwards": "时间为事后补录，以录入时间为准计算",
    "not_the_complainant": "不是诉求人本人评价",
    "unconfirmed": "未经群众确认（少计）",
    "short": "时间过短（少计）",
    "recorded_late": "补录过晚（少计）",
    "same_citizen": "多次联系同一群众（少计）",
    "weekly_limit": "超过每周上限（不再多计）",
}
EN: Final[Words] = {
    "timeliness": "Timely answers",
    "reply": "Replies",
    "resolution": "Resolution",
    "speed": "Speed",
    "satisfaction": "Satisfaction",
    "outreach": "Outreach",
    "base": "Peers' mean",
    "score": "Score {score} (90% interval {lower} to {upper}, reliability {reliability}), among peers of {peer_group}.",
    "no_score": "Too few people rated: what rests on them, and so the score, is not told.",
    "told_score": "Score {total} (in whole points), among peers of {peer_group}: {band}.",
    "band_above": "above the peers' mean",
    "band_middle": "cannot be told from the peers' mean",
    "band_below": "below the peers' mean",
    "band_not_enough_evidence": "too few records to judge by",
    "told_elsewhere": "{names} rest on citizens' answers: of these sums are told where enough people answered.",
    "and": ", ",
    "line": (
        "{name}: {observed}, usual for these cases {expected}{less}; "
        "difference {difference} = {level} spreads{limited}; {points}."
    ),
    "outreach_line": "{name}: difference from peers {difference} = {level} spreads{limited}; {points}.",
    "less": ", less {steps}",
    "load": "load {number}",
    "region": "region {number}",
    "unit": "unit {number}",
    "peers": "peers' mean {number}",
    "limited_to": " ({limited} believed)",
    "points": "{records} records justify {share}% of it; with what indicators say of one another, {points} points",
    "no_points": "{records} records justify {share}% of it; the points are not told",
    "most": "Records that moved it most:",
    "moved": "  {record} ({name}): {value}, usual {expected}: {points} points",
    "left_out": "Not counted, or not wholly:",
    "noted": "  {note}, {count}: {records}{more}",
    "more": " ...",
    "would_change": "What one more of the best would do, everything else as it is:",
    "one_more": "  {name}: {points} points",
    "change": "The score went from {before} to {after}.",
    "part": "  {name}: {points} points (own records {own}; the rest is what is usual, and how sure it is)",
    "evidence_not_verdict": "A score is evidence, not the verdict: a named body decides and gives its reason.",
    "among_peers_only": "It compares peers only.",
    "too_few_ratings": "Too few people rated for it to be told.",
    "not_enough_evidence": "There are too few records to judge by.",
    "ranks_not_separable": "Peers within the interval cannot be told apart.",
    "indicators_without_data": "Indicators without records stand at the peers' mean.",
    "limited": "What own entries claim beyond what the rest suggests is not believed.",
    "duplicate": "soon repeated",
    "set_aside": "set aside until somebody has looked",
    "not_due": "not due yet",
    "no_allowance": "no time limit",
    "explained": "explained by policy",
    "unassessed": "not accepted, withdrawn or merged (beyond what is usual: as unsolved)",
    "unknown": "reply not recorded (not counted in replies)",
    "disowned": "the citizen who was asked knows nothing of it",
    "empty_instant": "instant answer without a reply",
    "told_afterwards": "the time was told afterwards and counts by when that was recorded",
    "not_the_complainant": "not rated by the complainant",
    "unconfirmed": "not confirmed by a citizen (counts less)",
    "short": "too short",
    "recorded_late": "written up late",
    "same_citizen": "the same citizen again",
    "weekly_limit": "beyond a week's limit",
}
ALLOWED_FOR: Final = ("load", "region", "unit", "peers")
SHOWN: Final = 10
WORDS: Final[Mapping[Language, Words]] = {"zh": ZH, "en": EN}
NAMES: Final[Mapping[str, Mapping[str, str]]] = {name: {"zh": ZH[name], "en": EN[name]} for name in INDICATORS}


def tell(explanation: Explanation, language: Language) -> str:
    words = WORDS[language]
    fields = {**_fields(explanation), "peer_group": name_peer_group(explanation.peer_group, language)}
    lines = [words["score"].format_map(fields) if explanation.score is not None else words["no_score"]]
    lines += [_tell_line(line, words) for line in explanation.lines]
    if explanation.most:
        lines += [words["most"], *(_tell_moved(moved, words) for moved in explanation.most)]
    if explanation.left_out:
        lines.append(words["left_out"])
        lines += [_tell_note(note, records, words) for note, records in explanation.left_out.items()]
    if explanation.would_change:
        lines.append(words["would_change"])
        lines += [
            words["one_more"].format(name=words[name], points=signed(points))
            for name, points in explanation.would_change.items()
        ]
    lines += [words[caveat] for caveat in explanation.caveats]
    lines.append(f"{explanation.settings} {explanation.content_hash[:12]}")
    return "\n".join(lines) + "\n"


def tell_lines(explanation: Explanation, language: Language) -> list[str]:
    """A sentence an indicator."""
    return [_tell_line(line, WORDS[language]) for line in explanation.lines]


def tell_cadre(explanation: Explanation, language: Language, *, total: int | None, band: str | None) -> list[str]:
    """What the cadre may read, line by line: the score in whole points where it is told, and the steps that no
    citizen has a say in.
    """
    words = WORDS[language]
    if total is not None:
        peer_group = name_peer_group(explanation.peer_group, language)
        lines = [words["told_score"].format(total=total, peer_group=peer_group, band=words[f"band_{band}"])]
    else:
        lines = [words["no_score" if band is None else "not_enough_evidence"]]
    lines += [_tell_line(line, words) for line in explanation.lines]
    names = [words[name] for name in INDICATORS if name in FROM_CITIZENS]
    lines.append(words["told_elsewhere"].format(names=words["and"].join(names)))
    lines += [words[caveat] for caveat in ("evidence_not_verdict", "among_peers_only")]
    return [*lines, f"{explanation.settings} {explanation.content_hash[:12]}"]


def tell_change(change: Change, language: Language) -> str:
    words = WORDS[language]
    lines = [words["change"].format(before=change.before, after=change.after)]
    lines += [
        words["part"].format(name=words[name], points=signed(points), own=signed(change.own.get(name, Decimal(0))))
        for name, points in change.by_indicator.items()
        if points
    ]
    return "\n".join(lines) + "\n"


def signed(number: Decimal) -> str:
    return f"{number:+f}"


def _fields(explanation: Explanation) -> Mapping[str, object]:
    names = ("score", "lower", "upper", "reliability")
    return {name: getattr(explanation, name) for name in names}


def _tell_line(line: Line, words: Words) -> str:
    """Of what is allowed for, only what is not zero."""
    kind = "outreach_line" if line.indicator == "outreach" else "line"
    steps = {name: getattr(line, name) for name in ALLOWED_FOR}
    less = words["and"].join(words[name].format(number=signed(number)) for name, number in steps.items() if number)
    is_limited = line.limited not in {None, line.level}
    points = words["no_points" if line.points is None else "points"].format(
        records=line.records,
        share=f"{line.evidence * 100:.0f}",
        points="" if line.points is None else signed(line.points),
    )
    return words[kind].format(
        name=words[line.indicator],
        observed=line.observed,
        expected=line.expected,
        less=words["less"].format(steps=less) if less else "",
        difference=signed(line.difference),
        level=signed(line.level),
        limited=words["limited_to"].format(limited=f"{line.limited:+f}") if is_limited else "",
        points=points,
    )


def _tell_note(note: str, records: Sequence[str], words: Words) -> str:
    more = words["more"] if len(records) > SHOWN else ""
    shown = words["and"].join(records[:SHOWN])
    return words["noted"].format(note=words[note], count=len(records), records=shown, more=more)


def _tell_moved(moved: Moved, words: Words) -> str:
    return words["moved"].format(
        record=moved.record,
        name=words[moved.indicator],
        value=moved.value,
        expected=moved.expected,
        points=signed(moved.points),
    )
