"""Working formulas out: for all rows of a table at once, exactly. What cannot be told is missing, never an error."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Final, TypeGuard

from services.assessment.domain.rules.faults import BadTable
from services.assessment.domain.rules.formulas import GROUP_FUNCTIONS, Formula, Name, Operation, Text, Tree
from services.assessment.domain.rules.formulas import Number as NumberTree
from services.assessment.scoring import groups
from services.assessment.scoring.numbers import LONGEST_BITS, exponential, natural_logarithm, root, round_to, tame
from services.assessment.scoring.workspace import Column, Number, Numbers, Value, Workspace, is_met

LARGEST: Final = 10**30
MOST_POWER: Final = 20
MOST_PLACES: Final = 12

_Single = Fraction | str | None


def work_out(formula: Formula, space: Workspace) -> Column:
    """One value for each row. Raises BadTable where texts and numbers are mixed up, or numbers run away."""
    try:
        return _work(formula.tree, space)
    except Misfit as misfit:
        raise BadTable(f"{formula.text}: {misfit}") from None


def work_out_numbers(formula: Formula, space: Workspace) -> Numbers:
    return space.numbers(formula.text, work_out(formula, space))


class Misfit(Exception):
    """A text where a number belongs, or lists of different lengths."""


def _work(tree: Tree, space: Workspace) -> Column:
    if isinstance(tree, NumberTree):
        return [tree.value] * space.size
    if isinstance(tree, Text):
        return [tree.value] * space.size
    if isinstance(tree, Name):
        return space.columns[tree.name]
    if tree not in space.seen:
        space.seen[tree] = _operate(tree, space)
    return space.seen[tree]


def _operate(tree: Operation, space: Workspace) -> Column:
    columns = [_work(operand, space) for operand in tree.operands]
    if tree.sign in GROUP_FUNCTIONS:
        return _look_at_groups(tree.sign, columns, space)
    rows = zip(*columns, strict=True)
    if tree.sign in REDUCING:
        reduce = REDUCING[tree.sign]
        return [_bounded(reduce(_flatten(row))) for row in rows]
    if tree.sign in WHOLE:
        return [WHOLE[tree.sign](row) for row in rows]
    apply = ELEMENTWISE[tree.sign]
    if any(isinstance(value, tuple) for column in columns for value in column):
        return [_lift(apply, row) for row in rows]
    return [_bounded(apply(*row)) for row in rows]


def _look_at_groups(sign: str, columns: list[Column], space: Workspace) -> Column:
    scope, _, name = sign.partition("_")
    values = space.numbers(sign, columns[0])
    partition = space.partition(None if scope == "group" else ())
    members = space.members(work_out)
    if name == "quantile":
        return _quantiles(values, space.numbers(sign, columns[1]), partition, members)
    if name in {"rank", "rank_low"}:
        direction = "higher" if name == "rank" else "lower"
        return list(groups.rank_in_groups(values, partition, members, direction=direction))  # type: ignore[arg-type]
    return [None if value is None else tame(value) for value in groups.summarise(values, partition, members, name)]


def _quantiles(values: Numbers, shares: Numbers, partition: list[int], members: list[bool]) -> Column:
    rows = groups.by_group(partition, members)
    present = {number: [one for at in found if (one := values[at]) is not None] for number, found in rows.items()}
    asked = {(number, share) for number, share in zip(partition, shares, strict=True) if share is not None}
    found = {(number, share): groups.quantile(present.get(number, []), share) for number, share in asked}
    return [None if share is None else found[number, share] for number, share in zip(partition, shares, strict=True)]


def _lift(apply: Callable[..., _Single], row: tuple[Value, ...]) -> Value:
    """A function of single values, over lists entry by entry."""
    lengths = {len(value) for value in row if isinstance(value, tuple)}
    if not lengths:
        return _bounded(apply(*row))
    if len(lengths) > 1:
        raise Misfit("the lists differ in length")
    entries = zip(
        *(value if isinstance(value, tuple) else (value,) * next(iter(lengths)) for value in row), strict=True
    )
    return tuple(_bounded(apply(*entry)) for entry in entries)


def _bounded(value: _Single) -> _Single:
    if isinstance(value, Fraction):
        if value.denominator.bit_length() > LONGEST_BITS:
            value = tame(value)
        if abs(value.numerator) > LARGEST * value.denominator:
            raise Misfit("a result is too large")
    return value


def _flatten(row: tuple[Value, ...]) -> list[Fraction]:
    """What is given among the arguments and in the lists among them."""
    found: list[Fraction] = []
    for value in row:
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, str):
                raise Misfit("a number is needed, not a text")
            if one is not None:
                found.append(one)
    return found


def _trim(count: Value, values: list[Fraction]) -> Number:
    """The mean without so many of the highest and of the lowest; missing if none is left."""
    if not isinstance(count, Fraction) or count.denominator != 1 or count < 0:
        raise Misfit("trimmed_mean takes a whole number first: how many to leave out at each end")
    cut = int(count)
    return groups.mean(sorted(values)[cut : len(values) - cut]) if len(values) > 2 * cut else None


def _longest_run(values: Sequence[Value]) -> Number:
    """How many conditions in a row are met at most; one that cannot be told is not."""
    longest = run = 0
    for value in values:
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, str):
                raise Misfit("a number is needed, not a text")
            run = run + 1 if is_met(one) else 0
            longest = max(longest, run)
    return Fraction(longest)


def _one_of(row: tuple[Value, ...]) -> Value:
    """Of a list entry by entry, as with every other question to a text."""
    if isinstance(row[0], tuple):
        return tuple(None if one is None else Fraction(one in row[1:]) for one in row[0])
    return None if row[0] is None else Fraction(row[0] in row[1:])


def _numbers(values: tuple[_Single, ...]) -> TypeGuard[tuple[Fraction, ...]]:
    """Whether all are given. Raises Misfit for a text."""
    if any(isinstance(value, str) for value in values):
        raise Misfit("a number is needed, not a text")
    return all(value is not None for value in values)


def _exact(apply: Callable[..., Number]) -> Callable[..., _Single]:
    """Missing if an argument is."""

    def applied(*values: _Single) -> _Single:
        return apply(*values) if _numbers(values) else None

    return applied


def _compare(apply: Callable[[Fraction, Fraction], bool]) -> Callable[..., _Single]:
    return _exact(lambda left, right: Fraction(apply(left, right)))


def _equal(left: _Single, right: _Single) -> _Single:
    if left is None or right is None:
        return None
    if isinstance(left, str) != isinstance(right, str):
        raise Misfit('a text is compared with a number; a measure of texts has type = "text"')
    return Fraction(left == right)


def _unequal(left: _Single, right: _Single) -> _Single:
    equal = _equal(left, right)
    return None if equal is None else Fraction(equal == 0)


def _both(left: _Single, right: _Single) -> _Single:
    """Not met if either is not, even where the other is missing."""
    _numbers((left, right))
    if left == 0 or right == 0:
        return Fraction(0)
    return None if left is None or right is None else Fraction(1)


def _either(left: _Single, right: _Single) -> _Single:
    _numbers((left, right))
    if any(value is not None and value != 0 for value in (left, right)):
        return Fraction(1)
    return None if left is None or right is None else Fraction(0)


def _choose(condition: _Single, chosen: _Single, other: _Single) -> _Single:
    """The third where the condition is not met or cannot be told."""
    if isinstance(condition, str):
        raise Misfit("if(...) takes a condition first")
    return chosen if is_met(condition) else other


def _about(apply: Callable[[str, str], bool]) -> Callable[..., _Single]:
    def applied(text: _Single, part: _Single) -> _Single:
        if text is None or part is None:
            return None
        if not isinstance(text, str) or not isinstance(part, str):
            raise Misfit("texts are needed")
        return Fraction(apply(text, part))

    return applied


def _round(value: Fraction, places: Fraction = Fraction(0)) -> Fraction:
    if places.denominator != 1 or not 0 <= places <= MOST_PLACES:
        raise Misfit(f"a number is rounded to 0 to {MOST_PLACES} places")
    return round_to(value, int(places))


def _power(value: Fraction, exponent: Fraction) -> Number:
    if exponent.denominator != 1 or not -MOST_POWER <= exponent <= MOST_POWER:
        raise Misfit(f"the power is a whole number up to {MOST_POWER}")
    return None if value == 0 and exponent < 0 else Fraction(value ** int(exponent))


ELEMENTWISE: Final[dict[str, Callable[..., _Single]]] = {
    "+": _exact(lambda left, right: left + right),
    "-": _exact(lambda left, right: left - right),
    "*": _exact(lambda left, right: left * right),
    "/": _exact(lambda left, right: left / right if right else None),
    "negative": _exact(lambda value: -value),
    "<": _compare(lambda left, right: left < right),
    "<=": _compare(lambda left, right: left <= right),
    ">": _compare(lambda left, right: left > right),
    ">=": _compare(lambda left, right: left >= right),
    "==": _equal,
    "!=": _unequal,
    "and": _both,
    "or": _either,
    "not": _exact(lambda value: Fraction(value == 0)),
    "abs": _exact(abs),
    "round": _exact(_round),
    "floor": _exact(lambda value: Fraction(value.numerator // value.denominator)),
    "ceil": _exact(lambda value: Fraction(-(-value.numerator // value.denominator))),
    "sqrt": _exact(root),
    "ln": _exact(natural_logarithm),
    "exp": _exact(exponential),
    "power": _exact(_power),
    "at_least": _exact(max),
    "at_most": _exact(min),
    "clamp": _exact(lambda value, low, high: max(low, min(value, high))),
    "if": _choose,
    "contains": _about(lambda text, part: part in text),
    "starts": _about(lambda text, part: text.startswith(part)),
    "ends": _about(lambda text, part: text.endswith(part)),
}
WHOLE: Final[dict[str, Callable[[tuple[Value, ...]], Value]]] = {
    "trimmed_mean": lambda row: _bounded(_trim(row[0], _flatten(row[1:]))),
    "coalesce": lambda row: next((value for value in row if value is not None), None),
    "given": lambda row: Fraction(row[0] is not None),
    "longest_run": _longest_run,
    "one_of": _one_of,
    "list": lambda row: tuple(one for value in row for one in (value if isinstance(value, tuple) else (value,))),
}
REDUCING: Final[dict[str, Callable[[list[Fraction]], Number]]] = {
    "sum": lambda values: groups.add(values) if values else None,
    "mean": groups.mean,
    "count": lambda values: Fraction(len(values)),
    "min": lambda values: min(values, default=None),
    "max": lambda values: max(values, default=None),
    "median": groups.median,
    "first": lambda values: values[0] if values else None,
    "last": lambda values: values[-1] if values else None,
}
