"""The kinds of rule that points are given by, and the keys that each has in a scheme."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

from services.assessment.domain.rules.formulas import Formula

Direction = Literal["higher", "lower"]
Steps = Literal["exact", "started", "whole"]
Ties = Literal["competition", "dense", "average", "last"]
Reference = Literal["best", "mean", "median", "sum"]
NoReference = Literal["missing", "full", "zero"]
Escalation = Literal["marginal", "all"]
Counting = Literal["half_up", "up", "down", "exact"]
Together = Literal["mean", "sum", "max", "min", "each"]
Outside = Literal["hold", "extend"]

MOST_EVENTS: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FormulaRule:
    formula: Formula


@dataclass(frozen=True, slots=True, kw_only=True)
class Proportional:
    value: Formula
    whole: Formula
    full: Formula


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetSlope:
    """`slope` points less for each `per` short of the target, `gain` more for each beyond it."""

    value: Formula
    target: Formula
    full: Formula
    slope: Formula
    gain: Formula
    per: Formula
    direction: Direction
    steps: Steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """What a value must satisfy, and what it is then worth: points, or a label."""

    at_least: Formula | None = None
    above: Formula | None = None
    at_most: Formula | None = None
    below: Formula | None = None
    when: Formula | None = None
    points: Formula | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bands:
    """The first band that fits counts."""

    value: Formula | None
    bands: tuple[Band, ...]
    otherwise: Formula | None
    otherwise_label: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpolate:
    value: Formula
    points: tuple[tuple[Fraction, Fraction], ...]
    outside: Outside


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """Points by what a text says. Of several texts in a cell, what `combine` makes of their points."""

    value: Formula
    table: Mapping[str, Formula]
    otherwise: Formula | None
    combine: Together


@dataclass(frozen=True, slots=True, kw_only=True)
class BestRatio:
    value: Formula
    full: Formula
    reference: Reference
    direction: Direction
    without_reference: NoReference
    within: tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RankPoints:
    """By the place of `value` among the group, or by the places that a column gives already."""

    value: Formula | None
    place: Formula | None
    first: Formula
    step: Formula
    places: tuple[Fraction, ...]
    otherwise: Formula | None  # for places beyond the list
    direction: Direction
    ties: Ties
    within: tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TopBand:
    top: Formula
    points: Formula | None
    label: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantileBands:
    """The best `top` per cent of the group, cumulatively, get the band's points."""

    value: Formula
    bands: tuple[TopBand, ...]
    otherwise: Formula | None
    otherwise_label: str | None
    counting: Counting
    direction: Direction
    ties: Ties
    within: tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """From this event on, each costs so much."""

    first: Fraction
    each: Formula


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLine:
    """One sort of event. `count` is how many there were, or a list with the weight of each."""

    name: str
    count: Formula
    each: Formula
    per: Formula
    steps: Steps
    tiers: tuple[Tier, ...]
    escalation: Escalation
    growth: Formula | None
    free: Formula
    times: Formula
    at_most: Formula | None
    when: Formula | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """A start, and per event a deduction (sign -1) or a bonus (sign 1), together at most `at_most`."""

    sign: Literal[-1, 1]
    start: Formula
    lines: tuple[EventLine, ...]
    at_most: Formula | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightedMean:
    """Several quantities by weight. With `rescale` the weights of those at hand count as the whole."""

    parts: tuple[tuple[Formula, Formula], ...]
    missing: Literal["rescale", "none", "zero"]


Rule = (
    FormulaRule
    | Proportional
    | TargetSlope
    | Bands
    | Interpolate
    | Lookup
    | BestRatio
    | RankPoints
    | QuantileBands
    | Events
    | WeightedMean
)
