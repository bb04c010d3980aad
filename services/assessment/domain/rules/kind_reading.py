"""Reading each kind of rule from its keys."""

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from typing import Final, Literal

from services.assessment.domain.rules.faults import BadRules
from services.assessment.domain.rules.formulas import Formula, Number, constant, parse_formula
from services.assessment.domain.rules.kinds import (
    Band,
    Bands,
    BestRatio,
    Counting,
    Direction,
    Escalation,
    EventLine,
    Events,
    FormulaRule,
    Interpolate,
    Lookup,
    NoReference,
    Outside,
    Proportional,
    QuantileBands,
    RankPoints,
    Reference,
    Rule,
    Steps,
    TargetSlope,
    Tier,
    Ties,
    Together,
    TopBand,
    WeightedMean,
)
from services.assessment.domain.rules.reading import Keys, check_name, each, read_formula, read_text

HUNDRED: Final = 100


def read_rule(keys: Keys, *, default: str | None = None) -> Rule:
    """Take the kind and its keys. Raises BadRules."""
    kind = keys.take("kind", default) if default is not None else keys.take("kind")
    read = READERS.get(kind) if isinstance(kind, str) else None
    if read is None:
        raise BadRules(keys.at("kind"), f"must be one of {', '.join(READERS)}")
    return read(keys)


def _read_formula_rule(keys: Keys) -> Rule:
    return FormulaRule(formula=keys.formula("formula"))


def _read_proportional(keys: Keys) -> Rule:
    return Proportional(value=keys.formula("value"), whole=keys.formula("whole", HUNDRED), full=keys.formula("full"))


def _read_target_slope(keys: Keys) -> Rule:
    return TargetSlope(
        value=keys.formula("value"),
        target=keys.formula("target"),
        full=keys.formula("full"),
        slope=keys.formula("slope"),
        gain=keys.formula("gain", 0),
        per=keys.formula("per", 1),
        direction=keys.choice("direction", Direction, default="higher"),
        steps=keys.choice("steps", Steps, default="exact"),
    )


def _read_bands(keys: Keys) -> Rule:
    bands = tuple(_read_band(band) for band in keys.tables("bands"))
    if not bands:
        raise BadRules(keys.at("bands"), "needs at least one band")
    value = keys.find_formula("value")
    if value is None and any(_bounds_of(band) for band in bands):
        raise BadRules(keys.at("value"), "is needed by the bands' bounds")
    otherwise, label = _read_worth(keys, "otherwise", "otherwise_label", needed=False)
    if len({band.label is None for band in bands} | ({label is None} if otherwise or label else set())) > 1:
        raise BadRules(keys.at("bands"), "give points or labels, not some of each")
    return Bands(value=value, bands=bands, otherwise=otherwise, otherwise_label=label)


def _read_band(keys: Keys) -> Band:
    bounds = {name: keys.find_formula(name) for name in ("at_least", "above", "at_most", "below", "when")}
    if not any(bounds.values()):
        raise BadRules(keys.place, "needs one of at_least, above, at_most, below, when")
    points, label = _read_worth(keys, "points", "label", needed=True)
    keys.close()
    return Band(**bounds, points=points, label=label)


def _bounds_of(band: Band) -> bool:
    return any((band.at_least, band.above, band.at_most, band.below))


def _read_worth(keys: Keys, points: str, label: str, *, needed: bool) -> tuple[Formula | None, str | None]:
    worth = keys.find_formula(points)
    text = keys.take(label, None)
    if (needed and worth is None and text is None) or (worth is not None and text is not None):
        raise BadRules(keys.place, f"needs either {points} or {label}")
    return worth, None if text is None else read_text(keys.at(label), text, longest=100)


def _read_interpolate(keys: Keys) -> Rule:
    points: list[tuple[Fraction, Fraction]] = []
    for number, pair in each(keys.at("points"), keys.take("points")):
        place = f"{keys.at('points')}[{number}]"
        if not isinstance(pair, list) or len(pair) != 2:
            raise BadRules(place, "must be a pair of numbers: [value, points]")
        at, worth = (read_plain(place, one) for one in pair)
        if points and at <= points[-1][0]:
            raise BadRules(place, "values must rise from one point to the next")
        points.append((at, worth))
    if len(points) < 2:
        raise BadRules(keys.at("points"), "needs at least two points")
    return Interpolate(
        value=keys.formula("value"),
        points=tuple(points),
        outside=keys.choice("outside", Outside, default="hold"),
    )


def _read_lookup(keys: Keys) -> Rule:
    table = keys.take("table")
    inner = Keys(keys.at("table"), table)
    return Lookup(
        value=keys.formula("value"),
        table={
            read_text(inner.place, text, longest=200): read_formula(inner.at(text), inner.take(text)) for text in table
        },
        otherwise=keys.find_formula("otherwise"),
        combine=keys.choice("combine", Together, default="mean"),
    )


def _read_best_ratio(keys: Keys) -> Rule:
    return BestRatio(
        value=keys.formula("value"),
        full=keys.formula("full"),
        reference=keys.choice("reference", Reference, default="best"),
        direction=keys.choice("direction", Direction, default="higher"),
        without_reference=keys.choice("without_reference", NoReference, default="missing"),
        within=read_within(keys),
    )


def _read_rank_points(keys: Keys) -> Rule:
    value, place = keys.find_formula("value"), keys.find_formula("place")
    if (value is None) == (place is None):
        raise BadRules(keys.place, "needs either value (to be ranked) or place (ranked already)")
    listed = tuple(
        read_plain(f"{keys.at('places')}[{number}]", one)
        for number, one in each(keys.at("places"), keys.take("places", []))
    )
    if not listed and not keys.has("first"):
        raise BadRules(keys.place, "needs first and step, or places")
    otherwise = keys.find_formula("otherwise")
    if otherwise is not None and (keys.has("step") or not listed):
        raise BadRules(keys.at("otherwise"), "is what counts beyond a list of places, and there is no step then")
    if not keys.has("step"):
        otherwise = otherwise or constant(0)
    first = keys.formula("first", listed[0] if listed else None)
    return RankPoints(
        value=value,
        place=place,
        first=first,
        step=keys.formula("step", 0 if listed else None),
        places=listed,
        otherwise=otherwise,
        direction=keys.choice("direction", Direction, default="higher"),
        ties=keys.choice("ties", Ties, default="competition"),
        within=read_within(keys),
    )


def _read_quantile_bands(keys: Keys) -> Rule:
    bands = []
    for band in keys.tables("bands"):
        points, label = _read_worth(band, "points", "label", needed=True)
        bands.append(TopBand(top=band.formula("top"), points=points, label=label))
        band.close()
    if not bands:
        raise BadRules(keys.at("bands"), "needs at least one band")
    otherwise, label = _read_worth(keys, "otherwise", "otherwise_label", needed=False)
    return QuantileBands(
        value=keys.formula("value"),
        bands=tuple(bands),
        otherwise=otherwise,
        otherwise_label=label,
        counting=keys.choice("counting", Counting, default="half_up"),
        direction=keys.choice("direction", Direction, default="higher"),
        ties=keys.choice("ties", Ties, default="competition"),
        within=read_within(keys),
    )


def _read_deduction(keys: Keys) -> Rule:
    return _read_events(keys, -1)


def _read_bonus(keys: Keys) -> Rule:
    return _read_events(keys, 1)


def _read_events(keys: Keys, sign: Literal[-1, 1]) -> Rule:
    """One line may stand in the item itself; several stand in `lines`."""
    if keys.has("lines"):
        lines = []
        for line in keys.tables("lines"):
            lines.append(_read_event_line(line, at_most=True))
            line.close()
    else:
        lines = [_read_event_line(keys, at_most=False)]
    if not lines:
        raise BadRules(keys.at("lines"), "needs at least one line")
    return Events(sign=sign, start=keys.formula("start", 0), lines=tuple(lines), at_most=keys.find_formula("at_most"))


def _read_event_line(keys: Keys, *, at_most: bool) -> EventLine:
    tiers = tuple(_read_tier(tier) for tier in keys.tables("tiers", default=True))
    if any(later.first <= earlier.first for earlier, later in pairwise(tiers)):
        raise BadRules(keys.at("tiers"), "must begin at rising numbers of events")
    growth = keys.find_formula("growth")
    if growth is not None and tiers:
        raise BadRules(keys.place, "has either tiers or growth")
    return EventLine(
        name=keys.text("title", default="*") if at_most else "*",
        count=keys.formula("count"),
        each=keys.formula("each"),
        per=keys.formula("per", 1),
        steps=keys.choice("steps", Steps, default="exact"),
        tiers=tiers,
        escalation=keys.choice("escalation", Escalation, default="marginal"),
        growth=growth,
        free=keys.formula("free", 0),
        times=keys.formula("times", 1),
        at_most=keys.find_formula("at_most") if at_most else None,
        when=keys.find_formula("when") if at_most else None,
    )


def _read_tier(keys: Keys) -> Tier:
    first = read_plain(keys.at("from"), keys.take("from"))
    if first < 1 or first.denominator != 1:
        raise BadRules(keys.at("from"), "must be the number of the first event that costs so much")
    tier = Tier(first=first, each=keys.formula("each"))
    keys.close()
    return tier


def _read_weighted_mean(keys: Keys) -> Rule:
    parts = keys.take("parts")
    inner = Keys(keys.at("parts"), parts)
    read = [
        (parse_formula(inner.place, check_name(inner.place, name)), read_formula(inner.at(name), inner.take(name)))
        for name in parts
    ]
    if not read:
        raise BadRules(keys.at("parts"), "needs at least one part")
    return WeightedMean(
        parts=tuple(read), missing=keys.choice("missing_parts", Literal["rescale", "none", "zero"], default="none")
    )


def read_within(keys: Keys) -> tuple[str, ...] | None:
    """The columns that make the group; None for the scheme's own groups, an empty list for everybody."""
    if not keys.has("within"):
        keys.take("within", None)
        return None
    return tuple(check_name(keys.at("within"), name) for name in keys.texts("within"))


def read_plain(place: str, value: object) -> Fraction:
    """A number that is written out, not worked out."""
    formula = read_formula(place, value)
    if not isinstance(formula.tree, Number):
        sign = formula.text.startswith("-")
        if sign and isinstance(inner := parse_formula(place, formula.text[1:]).tree, Number):
            return -inner.value
        raise BadRules(place, "must be a plain number")
    return formula.tree.value


READERS: Final[dict[str, Callable[[Keys], Rule]]] = {
    "formula": _read_formula_rule,
    "proportional": _read_proportional,
    "target_slope": _read_target_slope,
    "bands": _read_bands,
    "interpolate": _read_interpolate,
    "lookup": _read_lookup,
    "best_ratio": _read_best_ratio,
    "rank_points": _read_rank_points,
    "quantile_bands": _read_quantile_bands,
    "deduction": _read_deduction,
    "bonus": _read_bonus,
    "weighted_mean": _read_weighted_mean,
}
