"""What a scheme consists of, once it has been read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Final, Literal, TypeGuard

from services.assessment.domain.rules.formulas import Formula, Number
from services.assessment.domain.rules.kinds import Bands, BestRatio, Counting, QuantileBands, RankPoints, Rule, Ties
from services.assessment.domain.rules.reading import Label

MeasureType = Literal["number", "text", "list", "texts", "date", "dates"]
Mode = Literal["half_up", "down", "up", "half_even"]
MissingRule = Literal["no_score", "zero", "full", "skip", "rescale", "group_mean", "fixed"]
Effect = Literal["no_score", "no_rank", "cap", "set", "grade"]
Combination = Literal["mean", "sum", "min", "max", "last"]
Order = Literal["descending", "ascending"]

TOTAL: Final = "total"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A column of the table. `blank` is what an empty cell means; without it an empty cell is missing."""

    key: str
    column: str
    type: MeasureType
    blank: Formula | None
    optional: bool  # the table may come without the column

    @property
    def blank_value(self) -> Fraction | None:
        return self.blank.tree.value if self.blank is not None and isinstance(self.blank.tree, Number) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A derived value or an item that points are given for."""

    key: str
    name: Label
    rule: Rule
    when: Formula | None
    floor: Formula | None
    ceiling: Formula | None
    places: Formula | None
    mode: Mode
    note: str | None

    @property
    def reads_groups(self) -> bool:
        """Whether it looks at others than the subject, by the scheme's own groups."""
        return compares_subjects(self.rule) or any(formula.reads_groups for formula in self.formulas())

    def formulas(self) -> Iterable[Formula]:
        yield from formulas_of(self.rule)
        for formula in (self.when, self.floor, self.ceiling, self.places):
            if formula is not None:
                yield formula


@dataclass(frozen=True, slots=True, kw_only=True)
class Item(Step):
    """`full` is the full mark, where there is one: what weights are scaled by where others are missing."""

    full: Formula | None
    weight: Formula
    section: str | None
    missing: MissingRule
    fixed: Formula | None
    weighted_places: Formula | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    key: str
    name: Label
    section: str | None
    weight: Formula
    full: Formula | None
    floor: Formula | None
    ceiling: Formula | None
    places: Formula | None
    mode: Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    base: Formula
    scale: Formula
    floor: Formula | None
    ceiling: Formula | None
    places: Formula | None
    mode: Mode
    minimum_present: Formula | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    when: Formula
    effect: Effect
    value: Formula | None
    grade: str | None
    reason: Label


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """Labels by the total; with `top` only so many per cent of the group, never more.

    Where the next `moves_up`, who is barred by the bounds, by `when` or by a gate's grade takes no place of them.
    """

    bands: Bands
    top: Formula | None
    counting: Counting
    moves_up: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    key: str
    by: Formula
    within: tuple[str, ...] | None
    order: Order
    ties: Ties
    tie_breakers: tuple[Formula, ...]
    where: Formula | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    when: Formula
    label: Label


@dataclass(frozen=True, slots=True, kw_only=True)
class Combined:
    """How totals of a subject become one; with `by` those whose texts are the same."""

    by: tuple[str, ...] = ()
    combine: Combination
    weight: Formula | None  # of a period, in a mean
    minimum_count: int
    places: Formula | None
    mode: Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Overall(Combined):
    """How the totals of a subject's periods become one. `first` makes quarters of months."""

    first: Combined | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """Where, for whom and when the scheme is meant to hold. No place and no groups are all of them."""

    subjects: Literal["cadre", "organisation"]
    place: str | None
    peer_groups: tuple[str, ...]
    from_on: date
    until_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How the table of a file is laid out. Several columns for the subject are read as one text."""

    subject: tuple[str, ...]
    period: str | None
    header_rows: tuple[int, ...]  # several are read as one, the upper text over every column that it spans
    transposed: bool  # subjects stand side by side, and each line is a measure
    skip_subjects: tuple[str, ...]  # an asterisk at the end stands for whatever follows
    merged: tuple[str, ...]  # headings of columns whose empty cells say what stands above them


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleScheme:
    """`steps` holds the names of values, items and sections in an order in which each can be worked out."""

    name: str
    version: int
    title: Label
    source: str | None
    recovery: str | None  # how what nobody published was recovered; None where all is published
    validity: Validity | None
    layout: Layout
    measures: Mapping[str, Measure]
    values: Mapping[str, Step]
    items: Mapping[str, Item]
    sections: Mapping[str, Section]
    steps: tuple[str, ...]
    groups: tuple[str, ...]
    members: Formula | None
    total: Total
    gates: tuple[Gate, ...]
    grades: tuple[Grade, ...]
    rankings: tuple[Ranking, ...]
    flags: tuple[Flag, ...]
    overall: Overall | None
    published: Mapping[str, str]
    content_hash: bytes

    @property
    def has_total(self) -> bool:
        return bool(self.items)

    @property
    def size(self) -> int:
        """How many steps a row of a table takes, which bounds what a request may ask for."""
        parts = (self.values, self.items, self.sections, self.total, self.gates, self.grades, self.rankings, self.flags)
        return sum(formula.size for part in parts for formula in formulas_of(part))

    @property
    def compares(self) -> bool:
        """Whether a subject's points depend on others: then a table is scored whole or not at all."""
        steps = (*self.values.values(), *self.items.values())
        return any(step.reads_groups for step in steps) or any(
            item.missing == "group_mean" for item in self.items.values()
        )


def compares_subjects(rule: Rule) -> TypeGuard[BestRatio | QuantileBands | RankPoints]:
    """Whether the rule itself looks at others, whatever its formulas do."""
    return isinstance(rule, BestRatio | QuantileBands) or (isinstance(rule, RankPoints) and rule.value is not None)


def formulas_of(thing: object) -> Iterable[Formula]:
    """Every formula in a rule, wherever in it."""
    if isinstance(thing, Formula):
        yield thing
    elif isinstance(thing, Mapping):
        for inner in thing.values():
            yield from formulas_of(inner)
    elif isinstance(thing, tuple):
        for inner in thing:
            yield from formulas_of(inner)
    elif hasattr(thing, "__dataclass_fields__"):
        for name in thing.__dataclass_fields__:
            yield from formulas_of(getattr(thing, name))
