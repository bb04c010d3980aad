"""What came of a table as a table again, and how it compares with what was published."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from services.assessment.domain.rules.faults import BadTable
from services.assessment.domain.rules.formulas import Formula, Number
from services.assessment.domain.rules.schemes import TOTAL
from services.assessment.importing.cells import EMPTY, read_cell_number
from services.assessment.scoring.explaining import Language
from services.assessment.scoring.numbers import places_of, show
from services.assessment.scoring.results import Outcome
from services.assessment.scoring.workspace import Value

WORDS: Mapping[str, Mapping[Language, str]] = {
    TOTAL: {"zh": "总分", "en": "total"},
    "grade": {"zh": "等次", "en": "grade"},
    "flags": {"zh": "标记", "en": "flags"},
    "reason": {"zh": "说明", "en": "reason"},
    "periods": {"zh": "期数", "en": "periods"},
    "place": {"zh": "名次", "en": "place"},
}
OVERALL = ("overall", "overall_place")
SUBJECT_JOINT = " "
ENDLESS = 6  # places of what does not end and is not rounded
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    subject: str
    name: str
    computed: str
    published: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How many published figures of one name were equal, and those that were not."""

    name: str
    compared: int
    differences: tuple[Difference, ...]


def lay_out_rows(outcome: Outcome, language: Language) -> Iterator[list[str]]:
    """A header, then a row for each row of the table."""
    scheme, table = outcome.scheme, outcome.table
    steps = {**scheme.values, **scheme.items}
    groups = [key for key in scheme.groups if key in scheme.measures]
    header = [SUBJECT_JOINT.join(scheme.layout.subject), *([scheme.layout.period] if scheme.layout.period else [])]
    header += [scheme.measures[key].column for key in groups] + [step.name[language] for step in steps.values()]
    header += [section.name[language] for section in scheme.sections.values()]
    ends = ([TOTAL] if scheme.has_total else []) + (["grade"] if _grades(outcome) else [])
    header += [WORDS[end][language] for end in ends] + list(outcome.ranks)
    header += [WORDS["flags"][language]] if scheme.flags else []
    yield header
    for at, subject in enumerate(table.subjects):
        row = [_safe(subject), *([_safe(table.periods[at])] if scheme.layout.period else [])]
        row += [write(outcome.columns[key][at]) for key in groups]
        row += [write(outcome.columns[key][at], places_told(step.places)) for key, step in steps.items()]
        row += [write(outcome.columns[key][at]) for key in scheme.sections]
        row += [write_end(outcome, end, at) for end in ends]
        row += [write(column[at]) for column in outcome.ranks.values()]
        if scheme.flags:
            row.append("; ".join(scheme.flags[number - 1].label[language] for number in outcome.flags[at]))
        yield row


def lay_out_overall(outcome: Outcome, language: Language) -> Iterator[list[str]]:
    """One row for each subject over its periods, with the group of its last one."""
    scheme, names = outcome.scheme, (TOTAL, "periods", "place")
    groups = [key for key in scheme.groups if key in scheme.measures]
    header = [SUBJECT_JOINT.join(scheme.layout.subject), *(scheme.measures[key].column for key in groups)]
    yield header + [WORDS[name][language] for name in names]
    for one in outcome.overall:
        total = "" if one.total is None else show(one.total, one.places)
        grouped = [write(outcome.columns[key][one.row]) for key in groups]
        yield [_safe(one.subject), *grouped, total, str(one.periods), write(one.place)]


def compare(outcome: Outcome, published: Mapping[str, Sequence[str]]) -> list[Comparison]:
    """Figure by figure; a cell without one is passed over. Raises BadTable where one is not a number."""
    comparisons = []
    for name, cells in published.items():
        differences, compared = [], 0
        for at, cell in enumerate(cells):
            if cell in EMPTY:
                continue
            compared += 1
            subject = outcome.table.subjects[at]
            computed = value_of(outcome, name, at)
            if not _is_equal(computed, cell, f"{subject}: {name}"):
                written = write_end(outcome, name, at) if name in {TOTAL, "grade"} else write(computed)
                differences.append(Difference(subject=subject, name=name, computed=written, published=cell))
        comparisons.append(Comparison(name=name, compared=compared, differences=tuple(differences)))
    return comparisons


def value_of(outcome: Outcome, name: str, at: int) -> Value:
    if name == "flags" and name not in outcome.columns:
        return "; ".join(outcome.scheme.flags[number - 1].label["zh"] for number in outcome.flags[at])
    if name == TOTAL and outcome.scheme.has_total:
        return outcome.totals[at].total
    if name in OVERALL and name not in outcome.columns:
        one = next(one for one in outcome.overall if one.subject == outcome.table.subjects[at])
        return one.total if name == "overall" else one.place
    if name == "grade":
        return outcome.totals[at].grade
    return outcome.columns[name][at]


def _is_equal(computed: Value, cell: str, place: str) -> bool:
    if isinstance(computed, Fraction):
        try:
            return computed == read_cell_number(cell, place)
        except BadTable:
            return False
    return computed == cell


def write_end(outcome: Outcome, name: str, at: int) -> str:
    one = outcome.totals[at]
    if name == "grade":
        return one.grade or ""
    return "" if one.total is None else show(one.total, one.places)


def write(value: Value, places: int | None = None) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ";".join(write(one, places) for one in value)
    if isinstance(value, str):
        return _safe(value)
    if places is None and places_of(value) is None:
        places = ENDLESS  # a cell holds a number, without the sign that more would follow
    return show(value, places)


def places_told(places: Formula | None) -> int | None:
    """The number of places where the scheme states a plain one."""
    return int(places.tree.value) if places is not None and isinstance(places.tree, Number) else None


def _grades(outcome: Outcome) -> bool:
    return bool(outcome.scheme.grades) or any(gate.effect == "grade" for gate in outcome.scheme.gates)


def _safe(text: str) -> str:
    """A text that a spreadsheet would take for a formula is marked as a text."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
