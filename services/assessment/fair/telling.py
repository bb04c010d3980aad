"""An explanation as text that a person reads, in Chinese and English."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

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
    "not_told": "暂不公布",
    "score": "得分{score}（90%区间{lower}至{upper}，依据充分程度{reliability}），与“{peer_group}”同类干部相比。",
    "no_score": "评价人数不足，依据群众评价的部分和总分暂不公布。",
    "told_score": "得分{total}（取整公布），与“{peer_group}”同类干部相比：{band}。",
    "band_above": "高于同类平均",
    "band_middle": "与同类平均分不出高低",
    "band_below": "低于同类平均",
    "band_not_enough_evidence": "记录太少，不足以评价",
    "told_elsewhere": "{names}涉及群众评价，只按公布的合计数看，不逐项列出。",
    "and": "、",
    "line": (
        "{name}：实际{observed}，同类事项通常{expected}；负担{load}、地区{region}、单位{unit}、同类平均{peers}另计；"
        "差{difference}，合{level}个标准差（采信{limited}），{records}件记录可证实其中{evidence}：{points}分。"
    ),
    "outreach_line": (
        "{name}：与同类平均相差{difference}，合{level}个标准差（采信{limited}），可证实其中{evidence}：{points}分。"
    ),
    "most": "影响最大的记录：",
    "moved": "　{record}（{name}）：{value}，通常{expected}：{points}分",
    "left_out": "不计或少计：",
    "would_change": "再多一件会怎样：",
    "one_more": "　{name}最好的一件：{points}分",
    "change": "得分由{before}变为{after}。",
    "part": "　{name}：{points}分（其中本人记录{own}分，其余为同类变化和依据多少）",
    "evidence_not_verdict": "得分是依据，不是结论；由有关机构作出决定并说明理由。",
    "among_peers_only": "只能与同类干部比较，不能跨类比较。",
    "too_few_ratings": "评价人数不足以公布。",
    "not_enough_evidence": "记录太少，不足以评价。",
    "ranks_not_separable": "与区间内的同类干部分不出先后。",
    "indicators_without_data": "有的指标没有记录，按同类平均对待。",
    "limited": "自行登记的记录与其他情况相差过大的部分未采信。",
    "duplicate": "短期重复",
    "set_aside": "待核实，暂不计",
    "not_due": "尚未到期",
    "no_allowance": "没有规定时限",
    "explained": "因政策原因解释",
    "unknown": "没有登记",
    "empty_instant": "即时空答复",
    "not_the_complainant": "不是诉求人本人评价",
    "unconfirmed": "未经群众确认（少计）",
    "short": "时间过短",
    "recorded_late": "补录过晚",
    "same_citizen": "同一群众多次",
    "weekly_limit": "超过每周上限",
}
EN: Final[Words] = {
    "timeliness": "Timely answers",
    "reply": "Replies",
    "resolution": "Resolution",
    "speed": "Speed",
    "satisfaction": "Satisfaction",
    "outreach": "Outreach",
    "base": "Peers' mean",
    "not_told": "not told",
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
        "{name}: {observed}, usual for these cases {expected}; allowed for load {load}, region {region}, unit {unit}, "
        "peers' mean {peers}; difference {difference} = {level} spreads ({limited} believed), of which {records} "
        "records justify {evidence}: {points} points."
    ),
    "outreach_line": (
        "{name}: difference from peers {difference} = {level} spreads ({limited} believed), of which {evidence} is "
        "justified: {points} points."
    ),
    "most": "Records that moved it most:",
    "moved": "  {record} ({name}): {value}, usual {expected}: {points} points",
    "left_out": "Not counted, or not wholly:",
    "would_change": "What one more would do:",
    "one_more": "  the best {name}: {points} points",
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
    "unknown": "not recorded",
    "empty_instant": "instant answer without a reply",
    "not_the_complainant": "not rated by the complainant",
    "unconfirmed": "not confirmed by a citizen (counts less)",
    "short": "too short",
    "recorded_late": "written up late",
    "same_citizen": "the same citizen again",
    "weekly_limit": "beyond a week's limit",
}
SHOWN: Final = 10
NAMES: Final[Mapping[str, Mapping[str, str]]] = {name: {"zh": ZH[name], "en": EN[name]} for name in INDICATORS}


def tell(explanation: Explanation, language: Language) -> str:
    words = ZH if language == "zh" else EN
    lines = [words["score"].format_map(_fields(explanation)) if explanation.score is not None else words["no_score"]]
    lines += [_tell_line(line, words) for line in explanation.lines]
    if explanation.most:
        lines += [words["most"], *(_tell_moved(moved, words) for moved in explanation.most)]
    if explanation.left_out:
        lines.append(words["left_out"])
        for note, records in explanation.left_out.items():
            more = f" +{len(records) - SHOWN}" if len(records) > SHOWN else ""
            lines.append(f"  {words[note]}: {', '.join(records[:SHOWN])}{more}")
    if explanation.would_change:
        lines.append(words["would_change"])
        lines += [
            words["one_more"].format(name=words[name], points=signed(points))
            for name, points in explanation.would_change.items()
        ]
    lines += [words[caveat] for caveat in explanation.caveats]
    lines.append(f"{explanation.settings} {explanation.content_hash[:12]}")
    return "\n".join(lines) + "\n"


def tell_cadre(explanation: Explanation, language: Language, *, total: int | None, band: str | None) -> list[str]:
    """What the cadre may read, line by line: the score in whole points where it is told, and the steps that no
    citizen has a say in.
    """
    words = ZH if language == "zh" else EN
    if total is not None:
        lines = [words["told_score"].format(total=total, peer_group=explanation.peer_group, band=words[f"band_{band}"])]
    else:
        lines = [words["no_score" if band is None else "not_enough_evidence"]]
    lines += [_tell_line(line, words) for line in explanation.lines]
    names = [words[name] for name in INDICATORS if name in FROM_CITIZENS]
    lines.append(words["told_elsewhere"].format(names=words["and"].join(names)))
    lines += [words[caveat] for caveat in ("evidence_not_verdict", "among_peers_only")]
    return [*lines, f"{explanation.settings} {explanation.content_hash[:12]}"]


def tell_change(change: Change, language: Language) -> str:
    words = ZH if language == "zh" else EN
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
    names = ("score", "lower", "upper", "reliability", "peer_group")
    return {name: getattr(explanation, name) for name in names}


def _tell_line(line: Line, words: Words) -> str:
    kind = "outreach_line" if line.indicator == "outreach" else "line"
    fields: dict[str, object] = {name: getattr(line, name) for name in ("observed", "expected", "evidence", "records")}
    for name in ("load", "region", "unit", "peers", "difference", "level", "limited", "points"):
        number = getattr(line, name)
        fields[name] = words["not_told"] if number is None else signed(number)
    return words[kind].format(name=words[line.indicator], **fields)


def _tell_moved(moved: Moved, words: Words) -> str:
    return words["moved"].format(
        record=moved.record,
        name=words[moved.indicator],
        value=moved.value,
        expected=moved.expected,
        points=signed(moved.points),
    )
