"""Why a subject's total is what it is, in sentences: each item's working, what it counts for, limits, gates, places."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Final, Literal

from services.assessment.domain.rules.kinds import (
    Bands,
    BestRatio,
    Events,
    FormulaRule,
    Interpolate,
    Lookup,
    Proportional,
    QuantileBands,
    RankPoints,
    Rule,
    TargetSlope,
    WeightedMean,
)
from services.assessment.domain.rules.outcome_reading import DEFAULT_RANKING
from services.assessment.domain.rules.schemes import Item, RuleScheme, Step
from services.assessment.scoring.numbers import show
from services.assessment.scoring.results import Contribution, Outcome
from services.assessment.scoring.workspace import Value

Language = Literal["zh", "en"]
Row = Mapping[str, Value]

WORDS: Final[dict[str, dict[Language, str]]] = {
    "scheme": {"zh": "方案 {name} 第 {version} 版", "en": "scheme {name} version {version}"},
    "recovered": {"zh": "参数为反推所得：{how}", "en": "with parameters that were recovered: {how}"},
    "value": {"zh": "{name} = {value}", "en": "{name} = {value}"},
    "missing": {"zh": "无数据", "en": "no data"},
    "rule_missing": {
        "zh": "无数据或不符合条件，按规定计 {points}",
        "en": "no data, or its condition is not met: by the scheme's rule {points}",
    },
    "left_out": {"zh": "无数据或不符合条件，不计入", "en": "no data, or its condition is not met: left out"},
    "proportional": {"zh": "{value} ÷ {whole} × {full}", "en": "{value} / {whole} x {full}"},
    "slope_met": {"zh": "{value}，达到目标 {target}", "en": "{value}, meets the target {target}"},
    "slope_short": {
        "zh": "{value}，与目标 {target} 相差，计 {units} 档，每档扣 {slope}：{full} - {units} × {slope}",
        "en": "{value} misses the target {target} by {units} steps at {slope}: {full} - {units} x {slope}",
    },
    "band": {"zh": "{value}，落入第 {band} 档", "en": "{value} is in band {band}"},
    "no_band": {"zh": "{value}，不在任何一档", "en": "{value} is in no band"},
    "ratio": {"zh": "{value} 与参照值 {reference} 之比 × {full}", "en": "{value} against {reference}, of {full}"},
    "place": {"zh": "第 {place} 名", "en": "place {place}"},
    "mean": {"zh": "加权平均：{parts}", "en": "weighted mean: {parts}"},
    "line": {"zh": "{name} {count}：{charge}", "en": "{name} {count}: {charge}"},
    "start": {"zh": "起评 {start}", "en": "starting from {start}"},
    "plain": {"zh": "{value}", "en": "{value}"},
    "item": {"zh": "{name}：{working} → {points}", "en": "{name}: {working} -> {points}"},
    "counts": {"zh": "，计入总分 {amount}", "en": ", counts {amount}"},
    "base": {"zh": "基础分 {amount}", "en": "base {amount}"},
    "limit": {"zh": "{name}上下限调整 {amount}", "en": "limit of {name}: {amount}"},
    "gate": {"zh": "{name}：{amount}", "en": "{name}: {amount}"},
    "met": {"zh": "适用：{name}", "en": "applies: {name}"},
    "total": {"zh": "总分 {total}", "en": "total {total}"},
    "no_total": {"zh": "不计总分：{why}", "en": "no total: {why}"},
    "grade": {"zh": "等次 {grade}", "en": "grade {grade}"},
    "rank": {"zh": "{name}：第 {place}", "en": "{name}: {place}"},
    "ranking": {"zh": "名次", "en": "place"},
    "flag": {"zh": "标记：{name}", "en": "flag: {name}"},
    "whole": {"zh": "总分", "en": "the total"},
    "present": {"zh": "有数据的指标不足", "en": "too few items have data"},
}

PHRASES: Final[dict[type[Rule], str]] = {
    Proportional: "proportional",
    BestRatio: "ratio",
    RankPoints: "place",
    QuantileBands: "place",
    Interpolate: "plain",
    Lookup: "plain",
}


def explain(outcome: Outcome, at: int, language: Language) -> list[str]:
    """Line by line, from the derived values to the places."""
    return _Speaker(outcome, at, language).lines()


class _Speaker:
    def __init__(self, outcome: Outcome, at: int, language: Language) -> None:
        self._outcome = outcome
        self._scheme: RuleScheme = outcome.scheme
        self._at = at
        self._language = language

    def lines(self) -> list[str]:
        scheme, at = self._scheme, self._at
        table = self._outcome.table
        head = self._say("scheme", name=scheme.name, version=str(scheme.version))
        lines = [f"{table.subjects[at]} {table.periods[at]}".strip() + " · " + head]
        if scheme.recovery is not None:
            lines.append(self._say("recovered", how=scheme.recovery))
        lines += [self._tell_value(step) for step in scheme.values.values()]
        lines += [self._tell_item(item) for item in scheme.items.values()]
        return lines + self._tell_end()

    def _tell_value(self, step: Step) -> str:
        value = self._outcome.columns[step.key][self._at]
        return self._say("value", name=step.name[self._language], value=self._show(value))

    def _tell_item(self, item: Item) -> str:
        result, name = self._outcome.items[item.key], item.name[self._language]
        points = result.points[self._at]
        if result.missing[self._at]:
            shown = self._say("left_out") if points is None else self._say("rule_missing", points=show(points))
            return f"{name}: {shown}" if self._language == "en" else f"{name}：{shown}"
        facts = {key: column[self._at] for key, column in self._outcome.facts[item.key].items()}
        line = self._say("item", name=name, working=self._work(item.rule, facts), points=self._show(points))
        counted = [part for part in self._parts() if part.part == "item" and part.key == item.key]
        if counted and counted[0].amount != points:
            line += self._say("counts", amount=self._tell(counted[0].amount))
        return line

    def _work(self, rule: Rule, facts: Row) -> str:
        shown = {key: self._show(value) for key, value in facts.items()}
        if isinstance(rule, TargetSlope):
            return self._work_slope(facts, shown)
        if isinstance(rule, Events):
            return self._work_events(rule, facts)
        if isinstance(rule, FormulaRule):
            return rule.formula.text
        if isinstance(rule, WeightedMean):
            return self._say("mean", parts=self._join(f"{value.text} × {weight.text}" for value, weight in rule.parts))
        if isinstance(rule, Bands):
            shown = {"value": "", **shown}
            return self._say("band" if facts["band"] is not None else "no_band", **shown).strip("， ")
        return self._say(PHRASES[type(rule)], **shown)

    def _work_slope(self, facts: Row, shown: Mapping[str, str]) -> str:
        units = facts["units"]
        if isinstance(units, Fraction) and units < 0:
            return self._say("slope_short", **{**shown, "units": show(-units)})
        return self._say("slope_met", **shown)

    def _work_events(self, rule: Events, facts: Row) -> str:
        parts = [self._say("start", start=self._show(facts["start"]))] if facts["start"] else []
        for number, line in enumerate(rule.lines):
            charge = facts[f"charge.{number}"]
            name = line.count.text if line.name == "*" else line.name
            signed = rule.sign * charge if isinstance(charge, Fraction) else charge
            count = self._show(facts[f"count.{number}"])
            parts.append(self._say("line", name=name, count=count, charge=self._show(signed)))
        return self._join(parts)

    def _join(self, parts: Iterable[str]) -> str:
        return ("；" if self._language == "zh" else "; ").join(parts)

    def _tell_end(self) -> list[str]:
        scheme, at = self._scheme, self._at
        one = self._outcome.totals[at]
        lines = [line for part in self._parts() if (line := self._tell_part(part))]
        lines += [self._say("met", name=scheme.gates[number - 1].reason[self._language]) for number in one.gates]
        if one.total is not None:
            lines.append(self._say("total", total=show(one.total, one.places)))
        elif scheme.has_total:
            lines.append(self._say("no_total", why=self._why(one.because or "")))
        if one.grade is not None:
            lines.append(self._say("grade", grade=one.grade))
        for key, column in self._outcome.ranks.items():
            if (place := column[at]) is not None:
                name = self._say("ranking") if key == DEFAULT_RANKING else key
                lines.append(self._say("rank", name=name, place=show(place)))
        flagged = self._outcome.flags[at]
        return lines + [self._say("flag", name=scheme.flags[number - 1].label[self._language]) for number in flagged]

    def _why(self, because: str) -> str:
        if because in self._scheme.items:
            return self._scheme.items[because].name[self._language]
        if because.startswith("gate "):
            return self._scheme.gates[int(because[5:]) - 1].reason[self._language]
        return self._say("present") if because == "present" else because

    def _tell_part(self, part: Contribution) -> str:
        amount = self._tell(part.amount)
        if part.part == "base":
            return self._say("base", amount=amount)
        if part.part == "limit":
            section = self._scheme.sections.get(part.key)
            name = section.name[self._language] if section else self._say("whole")
            return self._say("limit", name=name, amount=amount)
        if part.part == "gate":
            return self._say("gate", name=self._scheme.gates[int(part.key) - 1].reason[self._language], amount=amount)
        return ""

    def _parts(self) -> tuple[Contribution, ...]:
        return self._outcome.totals[self._at].contributions

    def _tell(self, amount: Fraction) -> str:
        text = show(amount)
        return text if amount < 0 else f"+{text}"

    def _show(self, value: Value) -> str:
        if value is None:
            return self._say("missing")
        if isinstance(value, tuple):
            return "、".join(self._show(one) for one in value)
        return value if isinstance(value, str) else show(value)

    def _say(self, phrase: str, **words: str) -> str:
        return WORDS[phrase][self._language].format(**words)
