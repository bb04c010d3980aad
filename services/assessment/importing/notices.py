"""What a scheme may have overlooked: rows that are no unit, cells that are empty, bands that nobody can be in."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Final

from services.assessment.domain.rules.formulas import Formula, Name, Number, Operation, Tree
from services.assessment.domain.rules.kinds import Band, Bands, Events, Proportional, TargetSlope
from services.assessment.domain.rules.schemes import Item, RuleScheme, Section, Step, formulas_of
from services.assessment.importing.cells import LISTS
from services.assessment.scoring.explaining import Language
from services.assessment.scoring.numbers import show
from services.assessment.scoring.results import Outcome
from services.assessment.scoring.working import ELEMENTWISE, REDUCING, work_out
from services.assessment.scoring.workspace import Workspace

MOST_NAMED: Final = 5
ZERO: Final = Fraction(0)
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
    "eventless": {
        "zh": "{item}：{rows}没有“{columns}”的数据，{formula} 却算出了数（if 无法判断时取“否”）；没有就不计的，再乘以 "
        "given({name})",
        "en": "{item}: {rows} has no {columns}, and {formula} comes to a number nonetheless (what cannot be told takes "
        "the else of if); if none is to count nothing, write * given({name}) behind it",
    },
    "unreached": {
        "zh": "{item}：第 {number} 档轮不到，第 {earlier} 档已包括它；先符合的算，要求高的写在前面",
        "en": "{item}: band {number} is never reached, since all of it is in band {earlier}; the first that fits "
        "counts, so the most demanding comes first",
    },
    "no_score": {"zh": "不计总分", "en": "no total"},
    "zero": {"zh": "按 0 分计", "en": "0 points"},
}

_ENTRYWISE: Final = frozenset({*ELEMENTWISE, "one_of", "list"})
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
        yield from _tell_eventless(outcome, step, language)
    yield from find_unreached(outcome.scheme, language)
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


def find_unreached(scheme: RuleScheme, language: Language) -> Iterator[str]:
    """Bands with one plain bound that lie wholly within an earlier one."""
    for step in (*scheme.values.values(), *scheme.items.values()):
        if isinstance(step.rule, Bands):
            for at, band in enumerate(step.rule.bands):
                earlier = next((n for n in range(at) if _holds_all_of(step.rule.bands[n], band)), None)
                if earlier is not None:
                    yield WORDS["unreached"][language].format(
                        item=step.name[language], number=at + 1, earlier=earlier + 1
                    )


def _holds_all_of(wider: Band, band: Band) -> bool:
    outer, inner = _only_bound(wider), _only_bound(band)
    if outer is None or inner is None or outer[0] != inner[0]:
        return False
    return outer[1] <= inner[1]


def _only_bound(band: Band) -> tuple[str, tuple[Fraction, bool]] | None:
    """Which end it is, and how far out; None where it has two ends, a condition, or one that is worked out."""
    bounds = {name: getattr(band, name) for name in ("at_least", "above", "at_most", "below", "when")}
    (name, formula), *others = [(name, one) for name, one in bounds.items() if one is not None]
    if others or name == "when" or not isinstance(formula.tree, Number):
        return None
    value = formula.tree.value
    is_low = name in {"at_least", "above"}
    return ("low" if is_low else "high", (value if is_low else -value, name in {"above", "below"}))


def _tell_eventless(outcome: Outcome, step: Step, language: Language) -> Iterator[str]:
    """Numbers that come of events where there is none: those who have no row in the ledger would be taken for some."""
    lists = {key for key, measure in outcome.scheme.measures.items() if measure.type in LISTS}
    lists |= {key for key, column in outcome.columns.items() if any(isinstance(one, tuple) for one in column)}
    space = Workspace(
        table=outcome.table,
        columns=dict(outcome.columns),
        group_keys=outcome.scheme.groups,
        member_rule=outcome.scheme.members,
    )
    for formula in formulas_of(step):
        is_count = isinstance(step.rule, Events) and any(line.count is formula for line in step.rule.lines)
        for tree in (*_gathered(formula.tree), *([formula.tree] if is_count else [])):
            names = [name for name in dict.fromkeys(_entrywise_names(tree)) if name in lists]
            found = work_out(Formula(text=formula.text, tree=tree), space) if names else []
            rows = [at for at, value in enumerate(found) if isinstance(value, Fraction) and value != 0]
            rows = [at for at in rows if outcome.columns[step.key][at] not in {None, ZERO}]
            rows = [at for at in rows if not any(isinstance(outcome.columns[name][at], tuple) for name in names)]
            if rows:
                yield WORDS["eventless"][language].format(
                    item=step.name[language],
                    rows=_name_some([space.whose(at) for at in rows], language),
                    columns=", ".join(_columns_of(outcome.scheme, names)),
                    formula=formula.text,
                    name=names[0],
                )


def _gathered(tree: Tree) -> Iterator[Tree]:
    """What sums and the like are of, but where it was asked first whether anything is given."""
    if isinstance(tree, Operation):
        is_asked = tree.sign == "if" and "given" in _signs(tree.operands[0])
        for operand in tree.operands[:1] if is_asked else tree.operands:
            if tree.sign in REDUCING:
                yield operand
            yield from _gathered(operand)


def _signs(tree: Tree) -> Iterator[str]:
    if isinstance(tree, Operation):
        yield tree.sign
        for operand in tree.operands:
            yield from _signs(operand)


def _entrywise_names(tree: Tree) -> Iterator[str]:
    if isinstance(tree, Name):
        yield tree.name
    elif isinstance(tree, Operation) and tree.sign in _ENTRYWISE:
        for operand in tree.operands:
            yield from _entrywise_names(operand)


def _columns_of(scheme: RuleScheme, names: Sequence[str]) -> list[str]:
    return [scheme.measures[name].column if name in scheme.measures else name for name in names]


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
