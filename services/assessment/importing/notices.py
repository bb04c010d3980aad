"""What a scheme may have overlooked: rows that are no unit, cells that are empty, shares taken for per cent."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Final

from services.assessment.domain.rules.kinds import Events, Proportional, TargetSlope
from services.assessment.domain.rules.schemes import Item, RuleScheme, Section, Step, formulas_of
from services.assessment.scoring.explaining import Language
from services.assessment.scoring.numbers import show
from services.assessment.scoring.results import Outcome

MOST_NAMED: Final = 5
LEAST_PER_CENT: Final = 50
LEAST_NO_SHARE: Final = 2
WORDS: Final[Mapping[str, Mapping[Language, str]]] = {
    "unread": {
        "zh": "{file}：只读了第一张工作表“{first}”；“{others}”也有内容，没有读。要用的不是第一张时，移到最前再试",
        "en": "{file}: the first sheet alone was read, {first}; {others} has content, too, and was not read. Move the "
        "one that counts to the front",
    },
    "no_unit": {
        "zh": "“{subject}”按一个单位计分；如果不是单位，请写入 [table] 的 skip_subjects",
        "en": "{subject} is scored as a unit; if it is none, name it in skip_subjects of [table]",
    },
    "empty": {
        "zh": "{item}：“{columns}”有空格，{rows}{counts}；空格就是 0 的，在 [measures] 中写 blank = 0",
        "en": "{item}: {columns} has empty cells: {counts} for {rows}; if empty means 0, say blank = 0 in [measures]",
    },
    "empty_text": {
        "zh": "{item}：“{columns}”有空格，{rows}{counts}；空格就是没有的，公式写成 coalesce(…, 0)",
        "en": "{item}: {columns} has empty cells: {counts} for {rows}; if empty means none, write coalesce(..., 0)",
    },
    "untold": {
        "zh": "{item}：{rows}算不出（除以零、条件不成立或不算入组内），{counts}；无数据时计多少，用 missing 规定",
        "en": "{item}: cannot be told (division by zero, condition not met, or no member of the group): {counts} for "
        "{rows}; missing = ... says what counts then",
    },
    "share": {
        "zh": "{item}：各值都不超过 1，却与 {against} 相比；比率是小数的，乘以 100，或写 whole = 1",
        "en": "{item}: no value is above 1, and they are set against {against}: a share needs * 100, or whole = 1",
    },
    "per_cent": {
        "zh": "{item}：whole = {against}，各值却都大于 2；比率是百分数的，不写 whole",
        "en": "{item}: whole is {against}, and every value is above 2: a per cent needs no whole",
    },
    "no_score": {"zh": "不计总分", "en": "no total"},
    "zero": {"zh": "按 0 分计", "en": "0 points"},
}

_NO_UNIT: Final = re.compile(
    r"合计|总计|小计|平均|平均值|平均分|均值|(?:注|备注|说明|制表)[:：].*|total|sum|average", re.IGNORECASE
)


def find_unread(file: str, sheets: Sequence[str], language: Language) -> Iterator[str]:
    """Of the sheets of a workbook that hold anything."""
    first, *others = sheets or [""]
    if others:
        joint = "”“" if language == "zh" else ", "
        yield WORDS["unread"][language].format(file=file, first=first, others=joint.join(others))


def find_notices(outcome: Outcome, language: Language) -> Iterator[str]:
    """Of the whole table."""
    for subject in dict.fromkeys(outcome.table.subjects):
        if _NO_UNIT.fullmatch(subject):
            yield WORDS["no_unit"][language].format(subject=subject)
    for step in (*outcome.scheme.values.values(), *outcome.scheme.items.values()):
        yield from _tell_scale(outcome, step, language)
    yield from find_lacking(outcome, language, range(len(outcome.table)))


def find_lacking(outcome: Outcome, language: Language, rows: Sequence[int]) -> Iterator[str]:
    """What nobody has settled: rows without a number for an item, apart by whether a cell is empty."""
    for item in outcome.scheme.items.values():
        if item.missing == "no_score" or (item.missing == "zero" and isinstance(item.rule, Events)):
            lacking = [at for at in rows if outcome.items[item.key].missing[at]]
            yield from _tell_lacking(outcome, item, language, lacking)


def _tell_lacking(outcome: Outcome, item: Item, language: Language, lacking: Sequence[int]) -> Iterator[str]:
    measures = list(_measures_of(outcome.scheme, item.key))
    empty: dict[str, None] = {}
    rows: dict[str, list[str]] = defaultdict(list)
    for at in lacking:
        found = [key for key in measures if outcome.table.columns[key][at] is None]
        empty.update(dict.fromkeys(found))
        subject = f"{outcome.table.subjects[at]} {outcome.table.periods[at]}".strip()
        rows["empty" if found else "untold"].append(subject)
    are_texts = all(outcome.scheme.measures[key].type in {"text", "texts"} for key in empty)
    for why, whose in rows.items():
        yield WORDS["empty_text" if why == "empty" and are_texts else why][language].format(
            item=item.name[language],
            columns=", ".join(outcome.scheme.measures[key].column for key in empty),
            rows=_name_some(whose, language),
            counts=WORDS[item.missing][language],
        )


def _tell_scale(outcome: Outcome, step: Step, language: Language) -> Iterator[str]:
    """Shares taken for per cent, and per cent for shares: everybody would have next to nothing, or all."""
    if isinstance(step.rule, Proportional):
        against = "whole"
    elif isinstance(step.rule, TargetSlope) and step.rule.direction == "higher":
        against = "target"
    else:
        return
    facts = outcome.facts[step.key]
    values, bounds = ([one for one in facts[name] if isinstance(one, Fraction)] for name in ("value", against))
    if not any(values) or not bounds:
        return
    why = None
    if 0 <= min(values) <= max(values) <= 1 and min(bounds) >= LEAST_PER_CENT:
        why = "share"
    elif min(values) > LEAST_NO_SHARE and max(bounds) <= 1 and against == "whole":
        why = "per_cent"
    if why is not None:
        yield WORDS[why][language].format(item=step.name[language], against=show(bounds[0]))


def _measures_of(scheme: RuleScheme, start: str) -> Iterator[str]:
    """The measures that a value, item or section is worked out from, however far back."""
    parts = {**scheme.values, **scheme.items, **scheme.sections}
    left, seen = [start], {start}
    while left:
        key = left.pop(0)
        if key in scheme.measures:
            yield key
            continue
        found = sorted(name for formula in formulas_of(parts[key]) for name in formula.names)
        if isinstance(parts[key], Section):
            found += [name for name, one in parts.items() if getattr(one, "section", None) == key]
        left += [name for name in dict.fromkeys(found) if name not in seen]
        seen.update(found)


def _name_some(whose: Sequence[str], language: Language) -> str:
    joint, more = ("、", " 等{}个") if language == "zh" else (", ", " and {} more")
    named = joint.join(whose[:MOST_NAMED])
    if len(whose) <= MOST_NAMED:
        return named
    return named + more.format(len(whose) if language == "zh" else len(whose) - MOST_NAMED)
