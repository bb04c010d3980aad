"""Compute the scores of a closed period by the schemes of places again, from an exported package and without the suite.

    python3 verify_place.py PERIOD.jsonl                 every score of the period, and the hash over all of them
    python3 verify_place.py PERIOD.jsonl --hash HEX      and hold it against a hash that you know from elsewhere
    python3 verify_place.py PERIOD.jsonl --subject CODE  and tell how one total comes about

A package is what GET /v1/place-periods/PERIOD/package answers: the schemes as they were agreed to, and of every cadre
and organisation the publication, the score and the hashes. The hash of a period stands in the audit chain, too, in the
record of its scoring: keep it yourself, since hashes that lie beside the figures prove only that they belong together.

It needs Python 3.11 and nothing else, and shares no line with the suite: docs/schemes.md says what a scheme means,
docs/periods.md what is in a package. Totals, grades, places, flags, items and contributions are computed again; the
sentences of an explanation are wording, and held by their hash alone. No hash holds which schemes scored nobody, nor
when the period was scored: of these it is told what the package says. Ends with 0: sound, 1: bad, 2: could not be
checked.
"""

import argparse
import datetime
import decimal
import hashlib
import json
import operator
import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from itertools import groupby, pairwise
from math import isqrt
from pathlib import Path
from typing import Any, TypeAlias

SOUND, BAD, UNCHECKED = 0, 1, 2
LARGEST = Fraction(10**30)  # of what a formula comes to
LONGEST = Fraction(10**1_000)  # of what a step or the events of a line come to
MOST_BITS = 1_024
KEPT_PLACES = 60
TOTAL_PLACES = 12
DEEPEST, MOST_TOKENS, LONGEST_FORMULA = 40, 400, 2_000
MOST_EVENTS = 1_000
EXACT = decimal.Context(prec=160, rounding=decimal.ROUND_HALF_EVEN, Emax=10**6, Emin=-(10**6))
KNOWN_FIELDS = {
    "subject", "organisation", "peer_group", "period", "scheme", "total", "withheld", "grade", "places", "flags",
    "items", "contributions", "explanation",
}  # fmt: skip

Json: TypeAlias = dict[str, Any]
Value: TypeAlias = "Fraction | str | tuple[Value, ...] | None"
Column: TypeAlias = "list[Value]"
Numbers: TypeAlias = "list[Fraction | None]"


class Bad(Exception):
    """A score is not what comes out of its publication, or a hash does not fit. The message names the place."""


class Unchecked(Exception):
    """Something that is needed for an answer is not there or not known here."""


# Numbers: exact fractions, rounded where a scheme says so.


def round_to(exact: Fraction, places: int, mode: str = "half_up") -> Fraction:
    """Away from zero where `half_up` and `up` leave a choice."""
    size = abs(exact) * 10**places
    whole, rest = divmod(size.numerator, size.denominator)
    more = {
        "half_up": 2 * rest >= size.denominator,
        "down": False,
        "up": rest > 0,
        "half_even": 2 * rest > size.denominator or (2 * rest == size.denominator and whole % 2 == 1),
    }[mode]
    return Fraction((whole + more) * (1 if exact >= 0 else -1), 10**places)


def rounded(exact: Fraction, places: Fraction | None, mode: str) -> Fraction:
    """Not at all where nothing is stated. Raises Bad."""
    return exact if places is None else round_to(exact, whole_places(places), mode)


def whole_places(places: Fraction) -> int:
    if places.denominator != 1 or not 0 <= places <= TOTAL_PLACES:
        raise Bad("a number is rounded to 0 to 12 places")
    return int(places)


def trim(exact: Fraction) -> Fraction:
    return exact if exact.denominator.bit_length() <= MOST_BITS else round_to(exact, KEPT_PLACES)


def keep(exact: Fraction) -> Fraction:
    """A result of a formula. Raises Bad."""
    return trim(within(exact, LARGEST))


def within(exact: Fraction, largest: Fraction) -> Fraction:
    if abs(exact) > largest:
        raise Bad("a result is too large")
    return exact


def digits(exact: Fraction) -> int | None:
    """After the point; None where twelve do not do."""
    return next((places for places in range(TOTAL_PLACES + 1) if 10**places % exact.denominator == 0), None)


def show(exact: Fraction, places: int | None = None) -> str:
    """With so many places; else as many as it has, or six and an ellipsis."""
    end = ""
    if places is None and (places := digits(exact)) is None:
        places, end = 6, "…"
    units = int(round_to(exact, places) * 10**places)
    whole, rest = divmod(abs(units), 10**places)
    return f"{'-' if units < 0 else ''}{whole}{f'.{rest:0{places}d}' if places else ''}{end}"


def root(number: Fraction) -> Fraction | None:
    if number < 0:
        return None
    return Fraction(
        (isqrt(number.numerator * 10 ** (2 * KEPT_PLACES + 2) // number.denominator) + 5) // 10, 10**KEPT_PLACES
    )


def transcendental(number: Fraction, name: str) -> Fraction | None:
    if (name == "ln" and number <= 0) or (name == "exp" and abs(number) > 60):
        return None
    exact = EXACT.divide(Decimal(number.numerator), Decimal(number.denominator))
    found = EXACT.ln(exact) if name == "ln" else EXACT.exp(exact)
    return Fraction(EXACT.quantize(found, Decimal(1).scaleb(-KEPT_PLACES)))


def power(base: Fraction, exponent: Fraction) -> Fraction | None:
    if exponent.denominator != 1 or abs(exponent) > 20:
        raise Bad("power takes a whole number up to 20")
    if base == 0 and exponent < 0:
        return None
    return base ** int(exponent)


def round_by(number: Fraction, places: Fraction = Fraction(0)) -> Fraction:
    return round_to(number, whole_places(places))


def middle(numbers: Sequence[Fraction]) -> Fraction:
    ordered, half = sorted(numbers), len(numbers) // 2
    return ordered[half] if len(numbers) % 2 else (ordered[half - 1] + ordered[half]) / 2


def mean(numbers: Sequence[Fraction]) -> Fraction:
    return sum(numbers, Fraction(0)) / len(numbers)


def settle(exact: Sequence[Fraction], total: Fraction, places: int) -> list[Fraction]:
    """Each rounded down, then one unit more to the largest remainders, the first among equals."""
    units = 10**places
    floors = [part * units // 1 for part in exact]
    order = sorted(range(len(floors)), key=lambda at: (floors[at] - exact[at] * units, at))
    for at in order[: int(total * units) - sum(floors)]:
        floors[at] += 1
    return [Fraction(floor, units) for floor in floors]


def is_within(place: Fraction | None, share: Fraction | None, size: int, counting: str) -> bool:
    """Whether a place is among the first so many per cent of so many."""
    if place is None or share is None:
        return False
    exact = share * size / 100
    return place <= (exact if counting == "exact" else round_to(exact, 0, counting))


# Formulas: read into a tree, worked out column by column.

TOKEN = re.compile(
    r"""\s*(?:(?P<number>[0-9０-９]+(?:[.．][0-9０-９]+)?)|(?P<name>[^\W\d]\w*)|(?P<text>'[^']*'|"[^"]*"|“[^”]*”|‘[^’]*’)"""
    r"""|(?P<sign>[<＜][=＝]|[>＞][=＝]|[=＝][=＝]|[!！][=＝]|[-+*/<>=(),×÷≤≥≠（），＋－＊／＜＞＝]))"""
)
SIGNS = str.maketrans("×÷（），＋－＊／＜＞＝！０１２３４５６７８９．", "*/(),+-*/<>=!0123456789.")
COMPARISONS = {
    "<": "<",
    "<=": "<=",
    "≤": "<=",
    ">": ">",
    ">=": ">=",
    "≥": ">=",
    "==": "==",
    "=": "==",
    "!=": "!=",
    "≠": "!=",
}
MOMENT = re.compile(
    r"([0-9]{4})(?:[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})|年([0-9]{1,2})月([0-9]{1,2})日)"
    r"(?:[ T]([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?(?:\.[0-9]{1,9})?)?"
)
GROUPED = ("sum", "mean", "max", "min", "count", "median", "sd", "quantile", "rank", "rank_low")
GATHERING = ("sum", "mean", "count", "min", "max", "median", "first", "last")
ARGUMENTS = {
    "if": (3, 3), "given": (1, 1), "round": (1, 2), "floor": (1, 1), "ceil": (1, 1), "abs": (1, 1), "sqrt": (1, 1),
    "ln": (1, 1), "exp": (1, 1), "power": (2, 2), "at_least": (2, 2), "at_most": (2, 2), "clamp": (3, 3),
    "contains": (2, 2), "starts": (2, 2), "ends": (2, 2), "one_of": (2, 400), "trimmed_mean": (2, 400),
    "longest_run": (1, 400),
    "coalesce": (2, 400), **dict.fromkeys(("list", *GATHERING), (1, 400)),
    **{f"{scope}_{name}": (2, 2) if name == "quantile" else (1, 1) for scope in ("group", "all") for name in GROUPED},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Node:
    """`of` is a number, a text, a name, a function or a sign."""

    kind: str
    of: Any
    parts: tuple["Node", ...] = ()


def split(text: str) -> list[tuple[str, str]]:
    """Raises Bad."""
    if not 1 <= len(text) <= LONGEST_FORMULA:
        raise Bad(f"a formula of {len(text)} characters")
    tokens, at, end = [], 0, len(text.rstrip())
    while at < end:
        found = TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise Bad(f"the formula cannot be read from {text[at : at + 20]!r} on")
        token = found[found.lastgroup]
        tokens.append((found.lastgroup, token.translate(SIGNS) if found["sign"] or found["number"] else token))
        at = found.end()
    if len(tokens) > MOST_TOKENS:
        raise Bad("a formula has too many parts")
    return tokens


class FormulaReader:
    def __init__(self, text: str) -> None:
        self.tokens = split(text)
        self.at = self.depth = 0
        self.text = text

    def read(self) -> Node:
        """Raises Bad."""
        node = self.either()
        if self.at < len(self.tokens):
            raise Bad(f"the formula {self.text[:40]!r} does not end where it should")
        return node

    def next(self, *words: str) -> str | None:
        """Take the next token if it is one of these, written without quotes."""
        if self.at < len(self.tokens) and self.tokens[self.at][0] != "text" and self.tokens[self.at][1] in words:
            self.at += 1
            return self.tokens[self.at - 1][1]
        return None

    def either(self) -> Node:
        self.depth += 1
        if self.depth > DEEPEST + 1:
            raise Bad("a formula nests too deeply")
        node = self.both()
        while self.next("or"):
            node = Node("or", None, (node, self.both()))
        self.depth -= 1
        return node

    def both(self) -> Node:
        node = self.negation()
        while self.next("and"):
            node = Node("and", None, (node, self.negation()))
        return node

    def negation(self) -> Node:
        times = 0
        while self.next("not"):
            times += 1
        node = self.comparison()
        for _ in range(times):
            node = Node("not", None, (node,))
        return node

    def comparison(self) -> Node:
        parts, signs = [self.sum()], []
        while sign := self.next(*COMPARISONS):
            signs.append(COMPARISONS[sign])
            parts.append(self.sum())
        return Node("compare", signs, tuple(parts)) if signs else parts[0]

    def sum(self) -> Node:
        node = self.product()
        while sign := self.next("+", "-"):
            node = Node("sign", sign, (node, self.product()))
        return node

    def product(self) -> Node:
        node = self.signed()
        while sign := self.next("*", "/"):
            node = Node("sign", sign, (node, self.signed()))
        return node

    def signed(self) -> Node:
        minus = False
        while sign := self.next("-", "+"):
            minus ^= sign == "-"
        node = self.single()
        return Node("minus", None, (node,)) if minus else node

    def single(self) -> Node:
        if self.at == len(self.tokens):
            raise Bad(f"the formula {self.text[:40]!r} ends too early")
        kind, word = self.tokens[self.at]
        self.at += 1
        if kind == "number":
            return Node("number", number_of(Decimal(word)))
        if kind == "text":
            return Node("text", word[1:-1])
        if kind == "name" and word not in ("and", "or", "not"):
            if word == "date" and self.next("("):
                return self.day()
            return Node("call", word, self.arguments(word)) if self.next("(") else Node("name", word)
        if word != "(":
            raise Bad(f"the formula {self.text[:40]!r} does not expect {word!r}")
        node = self.either()
        self.close()
        return node

    def arguments(self, name: str) -> tuple[Node, ...]:
        if name not in ARGUMENTS:
            raise Unchecked(f"the function {name} is not known to this program")
        parts: list[Node] = []
        if not self.next(")"):
            parts.append(self.either())
            while self.next(","):
                parts.append(self.either())
            self.close()
        least, most = ARGUMENTS[name]
        if not least <= len(parts) <= most:
            raise Bad(f"{name} with {len(parts)} arguments")
        return tuple(parts)

    def day(self) -> Node:
        """Days since 31 December of the year before the year 1, and the part of the day that has gone by."""
        kind, word = self.tokens[self.at] if self.at < len(self.tokens) else ("", "")
        found = MOMENT.fullmatch(word[1:-1].strip()) if kind == "text" else None
        if found is None:
            raise Bad(f"the formula {self.text[:40]!r} has no day in date(...)")
        self.at += 1
        self.close()
        year, month, day, *clock = (int(part) for part in found.groups() if part is not None)
        hour, minute, second = (*clock, 0, 0, 0)[:3]
        try:
            days = datetime.datetime(year, month, day, hour, minute, second).toordinal()  # noqa: DTZ001  # of no place
        except ValueError:
            raise Bad(f"the formula {self.text[:40]!r} has a day that no calendar has") from None
        return Node("number", days + Fraction(hour, 24) + Fraction(minute, 1_440) + Fraction(second, 86_400))

    def close(self) -> None:
        if not self.next(")"):
            raise Bad(f"the formula {self.text[:40]!r} lacks a bracket")


def spread(work: Callable[..., Value], values: Sequence[Value]) -> Value:
    """Entry by entry where there are lists. Raises Bad."""
    sizes = {len(value) for value in values if isinstance(value, tuple)}
    if not sizes:
        return work(*values)
    if len(sizes) > 1:
        raise Bad("lists of different length")
    (size,) = sizes
    return tuple(work(*(one[at] if isinstance(one, tuple) else one for one in values)) for at in range(size))


def plain(value: Value) -> Fraction | None:
    """A number, or missing. Raises Bad."""
    if value is None or isinstance(value, Fraction):
        return value
    raise Bad(f"a number is needed, and there is {'a text' if isinstance(value, str) else 'a list'}")


def met(value: Value) -> bool:
    """A condition that cannot be told is not met."""
    return bool(plain(value))


def on_numbers(work: Callable[..., Fraction | None]) -> Callable[..., Value]:
    """Missing stays missing, and what comes out is kept within bounds."""

    def worked(*values: Value) -> Value:
        numbers = [plain(value) for value in values]
        if any(number is None for number in numbers):
            return None
        found = work(*numbers)
        return None if found is None else keep(found)

    return worked


def on_texts(work: Callable[[str, str], bool]) -> Callable[..., Value]:
    def worked(first: Value, second: Value) -> Value:
        if first is None or second is None:
            return None
        if not isinstance(first, str) or not isinstance(second, str):
            raise Bad("texts are needed")
        return Fraction(work(first, second))

    return worked


def choose(condition: Value, then: Value, otherwise: Value) -> Value:
    return then if met(condition) else otherwise


def connect(word: str) -> Callable[..., Value]:
    """Told as soon as one side tells it."""
    decides = word == "or"

    def worked(first: Value, second: Value) -> Value:
        sides = [None if (side := plain(one)) is None else side != 0 for one in (first, second)]
        if decides in sides:
            return Fraction(decides)
        return None if None in sides else Fraction(not decides)

    return worked


def compare(sign: str) -> Callable[..., Value]:
    def worked(first: Value, second: Value) -> Value:
        if first is None or second is None:
            return None
        if sign in ("==", "!=") and isinstance(first, str) and isinstance(second, str):
            return Fraction((first == second) == (sign == "=="))
        left, right = plain(first), plain(second)
        assert left is not None  # noqa: S101 for the type checker
        assert right is not None  # noqa: S101 for the type checker
        order = (left > right) - (left < right)
        return Fraction(
            {"<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0, "==": order == 0, "!=": order != 0}[
                sign
            ]
        )

    return worked


def gather(name: str, values: Sequence[Value]) -> Value:
    """Of all numbers and all entries of lists, missing ones left out."""
    entries = [entry for value in values for entry in (value if isinstance(value, tuple) else (value,))]
    numbers = [number for entry in entries if (number := plain(entry)) is not None]
    if name == "count":
        return Fraction(len(numbers))
    if not numbers:
        return None
    return keep(summarise(name, numbers))


def summarise(name: str, numbers: Sequence[Fraction]) -> Fraction:
    match name:
        case "sum":
            return sum(numbers, Fraction(0))
        case "mean":
            return mean(numbers)
        case "median":
            return middle(numbers)
        case "min" | "max":
            return min(numbers) if name == "min" else max(numbers)
        case _:
            return numbers[0] if name == "first" else numbers[-1]


def of_group(function: str, numbers: list[Fraction], share: Fraction | None) -> Value:
    if function == "count":
        return Fraction(len(numbers))
    if not numbers or (function == "quantile" and (share is None or not 0 <= share <= 1)):
        return None
    if function == "sd":
        centre = mean(numbers)
        return root(mean([(number - centre) ** 2 for number in numbers]))
    return trim(summarise(function, numbers) if share is None else quantile(numbers, share))


def quantile(numbers: Sequence[Fraction], share: Fraction) -> Fraction:
    ordered = sorted(numbers)
    place, rest = divmod(share * (len(ordered) - 1), 1)
    low, high = ordered[place], ordered[min(place + 1, len(ordered) - 1)]
    return low + (high - low) * rest


def trimmed_mean(values: Sequence[Value]) -> Value:
    out = plain(values[0])
    if out is None or out < 0 or out.denominator != 1:
        raise Bad("trimmed_mean takes a whole number first")
    entries = [entry for value in values[1:] for entry in (value if isinstance(value, tuple) else (value,))]
    numbers = sorted(number for entry in entries if (number := plain(entry)) is not None)
    left = numbers[int(out) : len(numbers) - int(out)]
    return keep(mean(left)) if left else None


def longest_run(values: Sequence[Value]) -> Value:
    entries = [entry for value in values for entry in (value if isinstance(value, tuple) else (value,))]
    runs = [len(list(run)) for holds, run in groupby(met(plain(entry)) for entry in entries) if holds]
    return Fraction(max(runs, default=0))


def one_of(values: Sequence[Value]) -> Value:
    if isinstance(values[0], tuple):
        return tuple(one_of((entry, *values[1:])) for entry in values[0])
    return None if values[0] is None else Fraction(values[0] in values[1:])


ENTRYWISE: dict[str, Callable[..., Value]] = {
    "+": on_numbers(lambda a, b: a + b),
    "-": on_numbers(lambda a, b: a - b),
    "*": on_numbers(lambda a, b: a * b),
    "/": on_numbers(lambda a, b: a / b if b else None),
    "minus": on_numbers(lambda a: -a),
    "not": on_numbers(lambda a: Fraction(a == 0)),
    "and": connect("and"),
    "or": connect("or"),
    "if": choose,
    "round": on_numbers(round_by),
    "floor": on_numbers(lambda a: Fraction(a // 1)),
    "ceil": on_numbers(lambda a: Fraction(-(-a // 1))),
    "abs": on_numbers(abs),
    "sqrt": on_numbers(root),
    "ln": on_numbers(lambda a: transcendental(a, "ln")),
    "exp": on_numbers(lambda a: transcendental(a, "exp")),
    "power": on_numbers(power),
    "at_least": on_numbers(max),
    "at_most": on_numbers(min),
    "clamp": on_numbers(lambda a, low, high: max(min(a, high), low)),
    "contains": on_texts(lambda a, b: b in a),
    "starts": on_texts(str.startswith),
    "ends": on_texts(str.endswith),
}
WHOLE: dict[str, Callable[[Sequence[Value]], Value]] = {
    "coalesce": lambda values: next((value for value in values if value is not None), None),
    "given": lambda values: Fraction(values[0] is not None),
    "list": lambda values: tuple(
        entry for value in values for entry in (value if isinstance(value, tuple) else (value,))
    ),
    "longest_run": longest_run,
    "one_of": one_of,
    "trimmed_mean": trimmed_mean,
}


# The scheme as it is written: what is not known here is not guessed at.

STEP = {"name", "kind", "when", "floor", "ceiling", "round", "rounding", "note"}
ITEM = {"missing", "section", "weight", "round_weighted"}
LINE = {"count", "each", "tiers", "escalation", "growth", "free", "per", "steps", "times"}
FULL = {"formula", "bands", "interpolate", "lookup", "quantile_bands", "weighted_mean", "deduction", "bonus"}
BOUND_TESTS = {"at_least": operator.ge, "above": operator.gt, "at_most": operator.le, "below": operator.lt}
BOUNDS = {*BOUND_TESTS, "when"}
KINDS = {
    "formula": {"formula"},
    "proportional": {"value", "full", "whole"},
    "target_slope": {"value", "target", "full", "slope", "per", "direction", "steps", "gain"},
    "bands": {"value", "bands", "otherwise", "otherwise_label"},
    "interpolate": {"value", "points", "outside"},
    "lookup": {"value", "table", "otherwise", "combine"},
    "best_ratio": {"value", "full", "direction", "reference", "within", "without_reference"},
    "rank_points": {"value", "place", "places", "otherwise", "first", "step", "direction", "ties", "within"},
    "quantile_bands": {"value", "bands", "otherwise", "otherwise_label", "counting", "direction", "ties", "within"},
    "deduction": {"start", "lines", "at_most", *LINE},
    "bonus": {"start", "lines", "at_most", *LINE},
    "weighted_mean": {"parts", "missing_parts"},
}
TABLES = {
    "": {"format", "name", "version", "title", "source", "recovered", "recovery", "table", "measures", "groups",
         "values", "rounding", "items", "sections", "total", "gates", "grades", "rankings", "flags", "published",
         "overall", "validity"},
    "measures": {"column", "type", "blank", "optional"},
    "groups": {"by", "members"},
    "rounding": {"values", "items", "weighted", "sections", "total", "mode"},
    "sections": {"name", "section", "weight", "full", "floor", "ceiling", "round", "rounding"},
    "total": {"base", "scale", "floor", "ceiling", "round", "rounding", "minimum_present"},
    "gates": {"when", "effect", "value", "grade", "reason"},
    "grades": {"grade", "top", "counting", "moves_up", *BOUNDS},
    "rankings": {"key", "by", "order", "within", "ties", "tie_breakers", "where"},
    "flags": {"when", "label"},
    "bands": {"points", "label", *BOUNDS},
    "quantile bands": {"top", "points", "label"},
    "lines": {"title", "at_most", "when", *LINE},
    "tiers": {"from", "each"},
    "validity": {"subjects", "place", "peer_groups", "from", "until"},
}  # fmt: skip
CHOICES = {
    "direction": ("higher", "lower"),
    "order": ("descending", "ascending"),
    "steps": ("exact", "started", "whole"),
    "outside": ("hold", "extend"),
    "combine": ("mean", "sum", "max", "min", "each"),
    "reference": ("best", "mean", "median", "sum"),
    "without_reference": ("missing", "full", "zero"),
    "ties": ("competition", "dense", "average", "last"),
    "counting": ("half_up", "up", "down", "exact"),
    "escalation": ("marginal", "all"),
    "missing_parts": ("none", "rescale", "zero"),
    "mode": ("half_up", "down", "up", "half_even"),
    "rounding": ("half_up", "down", "up", "half_even"),
    "effect": ("set", "cap", "no_score", "no_rank", "grade"),
}
# What may be left out, or be "none" to say so; and texts, of which blanks around them are no part.
LEFT_OUT = {
    "when", "full", "value", "place", "otherwise", "at_least", "above", "at_most", "below", "growth", "top", "where",
    "members", "minimum_present",
}  # fmt: skip
WORDS = {"label", "otherwise_label", "grade", "column"}


def known(table: object, keys: set[str], place: str) -> Json:
    """What is stated. Raises Unchecked for what this program would have to guess at."""
    if not isinstance(table, dict):
        raise Bad(f"{place} is no table")
    if unknown := sorted(table.keys() - keys):
        raise Unchecked(f"{place}: {unknown[0]} is not known to this program")
    for key, choices in CHOICES.items():
        if key in table and not isinstance(table[key], dict) and table[key] not in choices:
            raise Unchecked(f"{place}: {key} = {table[key]!r} is not known to this program")
    return {
        key: value.strip() if key in WORDS and isinstance(value, str) else value
        for key, value in table.items()
        if key not in LEFT_OUT or value != "none"
    }


def listed(document: Json, key: str) -> list[Json]:
    tables = document.get(key, [])
    if not isinstance(tables, list):
        raise Bad(f"{key} is no list")
    return [known(table, TABLES[key], f"{key}[{number}]") for number, table in enumerate(tables, 1)]


def named(document: Json, key: str) -> dict[str, Json]:
    tables = document.get(key, {})
    if not isinstance(tables, dict):
        raise Bad(f"{key} is no table")
    return tables


def number_of(written: object) -> Fraction:
    """As exact as it is written. Raises Bad."""
    if isinstance(written, bool) or not isinstance(written, int | Decimal):
        raise Bad(f"{str(written)[:40]!r} is no number")
    if isinstance(written, Decimal) and (not written.is_finite() or abs(written.adjusted()) > KEPT_PLACES):
        raise Bad("a number that is no number, or too large")
    number = Fraction(written)
    if abs(number) > 10**15 or digits(number) is None:
        raise Bad("a number is beyond 10^15 or has more than 12 places")
    return number


def spelt_out(stated: object, key: str) -> object:
    """A text where a table may stand is the short way to write one."""
    return {key: stated} if isinstance(stated, str) else stated


def in_both(text: str | dict[str, str]) -> dict[str, str]:
    """One text for both languages, or one each."""
    texts = {"zh": text, "en": text} if isinstance(text, str) else text
    return {language: one.strip() for language, one in texts.items()}


def read_kind(step: object, place: str, *, item: bool) -> Json:
    """A value or an item, with its kind filled in. Raises Bad, Unchecked."""
    step = step if item else spelt_out(step, "formula")
    if not isinstance(step, dict):
        raise Bad(f"{place} is no table")
    kind = step.get("kind", "formula")
    if kind not in KINDS:
        raise Unchecked(f"{place}: the kind {kind!r} is not known to this program")
    if item and kind == "lookup" and step.get("combine") == "each":
        raise Bad(f"{place}: a list is for a value; an item has one number")
    keys = KINDS[kind] | STEP | (ITEM if item else set()) | ({"full"} if item and kind in FULL else set())
    return known({**step, "kind": kind}, keys, place)


# The table: every step of a scheme, worked out for all subjects at once.


@dataclass(frozen=True, slots=True)
class Part:
    """What adds to a total: the base, an item, a limit, a gate."""

    part: str
    key: str
    amount: Fraction


@dataclass(slots=True)
class Sum:
    """Of a section or of the total: nothing where `because` says why."""

    points: Fraction | None = None
    parts: list[Part] = field(default_factory=list)
    full: Fraction = Fraction(0)
    lost: Fraction = Fraction(0)  # full marks of what is left out and made up for
    because: str | None = None
    scales: bool = False  # has a full mark, and stands in for what is left out


@dataclass(slots=True)
class Item:
    step: Json
    points: Numbers
    missing: list[bool]
    full: Numbers
    amounts: Numbers  # points times weight, rounded
    weights: Numbers
    rule: object


@dataclass(slots=True)
class Total:
    total: Fraction | None
    because: str | None
    places: int
    parts: list[Part]
    grade: str | None = None
    ranked: bool = True


class Sheet:
    """A scheme put to a table. Columns are worked out when they are asked for; a circle is Bad."""

    def __init__(self, document: Json, measures: Mapping[str, Sequence[Value]], size: int) -> None:
        self.document = known(document, TABLES[""], "the scheme")
        self.size = size
        self.columns: dict[str, Column] = {key: list(column) for key, column in measures.items()}
        self.under_way: set[str] = set()
        self.formulas: dict[str, Node] = {}
        self.groupings: dict[tuple[str, ...], list[tuple[list[int], bool]]] = {}
        self.rounding = known(document.get("rounding", {}), TABLES["rounding"], "rounding")
        self.groups = known(document.get("groups", {}), TABLES["groups"], "groups")
        self.values = {
            key: read_kind(step, f"values.{key}", item=False) for key, step in named(document, "values").items()
        }
        self.steps = {key: read_kind(step, f"items.{key}", item=True) for key, step in named(document, "items").items()}
        self.sections = {
            key: known(step, TABLES["sections"], f"sections.{key}") for key, step in named(document, "sections").items()
        }
        names = [*measures, *self.values, *self.steps, *self.sections]
        if len(set(names)) < len(names) or "total" in names:
            raise Bad("a name is used twice")
        self.items: dict[str, Item] = {}
        self.sums: dict[str, list[Sum]] = {}

    # Columns by name, and formulas over them.

    def column(self, name: str) -> Column:
        if name not in self.columns:
            if name in self.under_way:
                raise Bad(f"{name} depends on itself")
            self.under_way.add(name)
            if name in self.values:
                self.columns[name] = self.work_out_value(name)
            elif name in self.steps:
                self.columns[name] = list(self.item(name).points)
            elif name in self.sections:
                self.columns[name] = [one.points for one in self.section(name)]
            else:
                raise Bad(f"nothing is named {name}")
            self.under_way.discard(name)
        return self.columns[name]

    def work(self, formula: object, default: object = None) -> Column:
        """The column of a number or a formula."""
        written = default if formula is None else formula
        if written is None:
            return [None] * self.size
        if not isinstance(written, str):
            return [number_of(written)] * self.size
        if written not in self.formulas:
            self.formulas[written] = FormulaReader(written).read()
        return self.work_node(self.formulas[written])

    def numbers(self, formula: object, default: object = None) -> Numbers:
        return [plain(value) for value in self.work(formula, default)]

    def conditions(self, formula: object) -> list[bool]:
        return [met(value) for value in self.work(formula, 1)]

    def work_node(self, node: Node) -> Column:
        if node.kind in ("number", "text", "name"):
            return self.column(node.of) if node.kind == "name" else [node.of] * self.size
        columns = [self.work_node(part) for part in node.parts]
        if node.kind == "compare":
            return self.compared(node.of, columns)
        name = node.of if node.kind in ("call", "sign") else node.kind
        if name in ENTRYWISE:
            return [spread(ENTRYWISE[name], row) for row in zip(*columns, strict=True)]
        if name in WHOLE:
            return [WHOLE[name](row) for row in zip(*columns, strict=True)]
        if name in GATHERING:
            return [gather(name, row) for row in zip(*columns, strict=True)]
        return self.grouped(name, [[plain(value) for value in column] for column in columns])

    @staticmethod
    def compared(signs: Sequence[str], columns: Sequence[Column]) -> Column:
        """A chain is met where each link is."""
        found: Column = []
        for row in zip(*columns, strict=True):
            links = [spread(compare(sign), row[at : at + 2]) for at, sign in enumerate(signs)]
            link = links[0]
            for other in links[1:]:
                link = spread(ENTRYWISE["and"], (link, other))
            found.append(link)
        return found

    # Groups.

    def group(self, within: Sequence[str] | None) -> list[tuple[list[int], bool]]:
        """Of each row, the members of its group, and whether it is one itself."""
        by = tuple(self.groups.get("by", ()) if within is None else within)
        if by not in self.groupings:
            texts = [self.column(name) for name in by]
            keys = [tuple(column[row] for column in texts) for row in range(self.size)]
            counts = self.conditions(self.groups.get("members"))
            members: dict[tuple[Value, ...], list[int]] = defaultdict(list)
            for row, key in enumerate(keys):
                if counts[row]:
                    members[key].append(row)
            self.groupings[by] = [(members.get(key, []), counts[row]) for row, key in enumerate(keys)]
        return self.groupings[by]

    def grouped(self, name: str, columns: Sequence[Numbers]) -> Column:
        scope, _, function = name.partition("_")
        groups = self.group(() if scope == "all" else None)
        if function in ("rank", "rank_low"):
            ranks = self.rank(columns[0], groups, ties="competition", lower=function == "rank_low")
            return list(ranks)
        found: Column = []
        cache: dict[tuple[int, Fraction | None], Value] = {}
        for row, (members, _) in enumerate(groups):
            share = columns[1][row] if function == "quantile" else None
            place = (id(members), share)
            if not members or place not in cache:
                present = [number for member in members if (number := columns[0][member]) is not None]
                cache[place] = of_group(function, present, share)
            found.append(cache[place])
        return found

    def rank(
        self,
        column: Sequence[Fraction | None],
        groups: Sequence[tuple[list[int], bool]],
        *,
        ties: str,
        lower: bool,
        breakers: Sequence[Numbers] = (),
    ) -> Numbers:
        """Places among those of the group who have a number; the higher breaker goes first, a missing one last."""
        places: Numbers = [None] * self.size
        done: set[int] = set()
        for members, _ in groups:
            if id(members) in done or not members:
                continue
            done.add(id(members))
            keys: dict[int, tuple[Any, ...]] = {}
            for row in members:
                number = column[row]
                if number is not None:
                    others = [(one[row] is None, -(one[row] or Fraction(0))) for one in breakers]
                    keys[row] = (number if lower else -number, *others)
            for row, place in place_all(keys, ties).items():
                places[row] = place
        return places

    # Values and items.

    def work_out_value(self, name: str) -> Column:
        step = self.values[name]
        return self.finish(step, self.work_out(step, f"values.{name}"), "values")

    def work_out(self, step: Json, place: str) -> Column:
        work: Callable[[Json], Column] = getattr(self, f"kind_{step['kind']}")
        try:
            return work(step)
        except Bad as error:
            raise Bad(f"{place}: {error}") from None

    def finish(self, step: Json, raw: Sequence[Value], stage: str) -> Column:
        """Its condition, limits, rounding: of a list entry by entry, and of no text."""
        floor, ceiling = self.limits(step)
        places, mode = self.places(step, stage)

        def settle(value: Value, row: int) -> Value:
            if isinstance(value, tuple):
                return tuple(settle(one, row) for one in value)
            if isinstance(value, Fraction):
                kept = rounded(limited(trim(value), floor[row], ceiling[row]), places[row], mode)
                return within(kept, LONGEST)
            return value

        conditions = self.conditions(step.get("when"))
        return [settle(raw[row], row) if holds else None for row, holds in enumerate(conditions)]

    def places(self, step: Json, stage: str, key: str = "round") -> tuple[Numbers, str]:
        """Of each row; what is missing is not rounded."""
        stated = step.get(key, self.rounding.get(stage))
        mode = str(step.get("rounding", self.rounding.get("mode", "half_up")))
        return self.numbers(None if stated == "none" else stated), mode

    def limits(self, step: Json) -> tuple[Numbers, Numbers]:
        kind = step.get("kind")
        floor: object = 0 if kind in ("proportional", "target_slope", "best_ratio", "rank_points") else None
        ceiling: object = step.get("full") if kind in ("proportional", "target_slope", "best_ratio") else None
        if kind == "target_slope" and plain_number(step.get("gain", 0)) != 0:
            ceiling = None
        stated = [step.get("floor", floor), step.get("ceiling", ceiling)]
        low, high = (self.numbers(None if one == "none" else one) for one in stated)
        return low, high

    def item(self, key: str) -> Item:
        if key not in self.items:
            step = self.steps[key]
            raw = [plain(value) for value in self.work_out(step, f"items.{key}")]
            points = [plain(value) for value in self.finish(step, raw, "items")]
            missing = [one is None for one in points]
            full, rule = self.full_mark(step), self.missing_rule(step)
            points = self.fill(step, points, rule, full)
            weights = self.weights(step, f"items.{key}")
            places, mode = self.places(step, "weighted", "round_weighted")
            amounts: Numbers = [
                None if one is None else rounded(one * (weight or Fraction(0)), places[row], mode)
                for row, (one, weight) in enumerate(zip(points, weights, strict=True))
            ]
            self.items[key] = Item(step, points, missing, full, amounts, weights, rule)
        return self.items[key]

    def weights(self, step: Json, place: str) -> Numbers:
        weights = self.numbers(step.get("weight"), 1)
        if None in weights:
            raise Bad(f"{place}: a weight cannot be told")
        return weights

    def full_mark(self, step: Json) -> Numbers:
        if step["kind"] == "rank_points":
            return self.numbers(step["first"] if "first" in step else step["places"][0])
        if started(step):
            return self.numbers(step["start"])
        return self.numbers(step.get("full"))

    @staticmethod
    def missing_rule(step: Json) -> object:
        without = step["kind"] in ("deduction", "bonus") and not started(step)
        rule = step.get("missing", "zero" if without else "no_score")
        if isinstance(rule, str):
            if rule not in ("no_score", "zero", "full", "skip", "rescale", "group_mean"):
                raise Unchecked(f"missing = {rule!r} is not known to this program")
            return rule
        return number_of(rule)

    def fill(self, step: Json, points: Numbers, rule: object, full: Numbers) -> Numbers:
        """What counts where there are no data."""
        if rule in ("no_score", "skip", "rescale") or None not in points:
            return points
        if rule == "group_mean":
            places, mode = self.places(step, "items")
            means = [plain(value) for value in self.grouped("group_mean", [points])]
            stand = [None if one is None else rounded(one, places[row], mode) for row, one in enumerate(means)]
        elif rule == "full":
            stand = full
        else:
            stand = [rule if isinstance(rule, Fraction) else Fraction(0)] * self.size
        return [other if one is None else one for one, other in zip(points, stand, strict=True)]

    # Kinds of rule.

    def kind_formula(self, step: Json) -> Column:
        return self.work(step["formula"])

    def kind_proportional(self, step: Json) -> Column:
        rows = zip(
            self.numbers(step["value"]), self.numbers(step["full"]), self.numbers(step.get("whole"), 100), strict=True
        )
        return [
            None if value is None or full is None or not whole else value * full / whole for value, full, whole in rows
        ]

    def kind_target_slope(self, step: Json) -> Column:
        wanted = [step["value"], step["target"], step["full"], step["slope"], step.get("per", 1), step.get("gain", 0)]
        sign, steps = (-1 if step.get("direction") == "lower" else 1), step.get("steps", "exact")
        found: Column = []
        for row in zip(*(self.numbers(one) for one in wanted), strict=True):
            numbers = [number for number in row if number is not None]
            if len(numbers) < len(row):
                found.append(None)
                continue
            value, target, full, slope, per, gain = numbers
            below = (target - value) * sign
            if below >= 0:
                found.append(full - slope * in_steps(below, per, steps))
            else:
                # Beyond the target a step that is not complete gives nothing, whatever is stated of those below.
                found.append(full + gain * in_steps(-below, per, "exact" if steps == "exact" else "whole"))
        return found

    def kind_bands(self, step: Json) -> Column:
        values = self.numbers(step.get("value"))
        bands = [known(band, TABLES["bands"], "a band") for band in step["bands"]]
        fits = [self.band_fits(band, values) for band in bands]
        gives = [self.band_gives(band) for band in bands]
        otherwise = self.otherwise(step)
        found: Column = []
        for row in range(self.size):
            fitting = next((at for at, fit in enumerate(fits) if fit[row]), None)
            if fitting is not None:
                found.append(gives[fitting][row])
            elif "value" in step and values[row] is None:
                found.append(None)
            else:
                found.append(otherwise[row])
        return found

    def band_fits(self, band: Json, values: Numbers) -> list[bool]:
        """Every bound and condition that is stated."""
        holds = self.conditions(band.get("when"))
        for key, compares in BOUND_TESTS.items():
            if key in band:
                limits = self.numbers(band[key])
                holds = [
                    held and value is not None and limit is not None and compares(value, limit)
                    for held, value, limit in zip(holds, values, limits, strict=True)
                ]
        return holds

    def band_gives(self, band: Json) -> Column:
        return [band["label"]] * self.size if "label" in band else self.work(band["points"])

    def otherwise(self, step: Json) -> Column:
        if "otherwise_label" in step:
            return [step["otherwise_label"]] * self.size
        return self.work(step.get("otherwise"))

    def kind_interpolate(self, step: Json) -> Column:
        points = [(number_of(at), number_of(gives)) for at, gives in step["points"]]
        if len(points) < 2 or any(after[0] <= before[0] for before, after in pairwise(points)):
            raise Bad("points rise, and are two or more")
        extend = step.get("outside", "hold") == "extend"
        return [
            None if value is None else on_line(value, points, extend=extend) for value in self.numbers(step["value"])
        ]

    def kind_lookup(self, step: Json) -> Column:
        table = {text.strip(): self.numbers(points) for text, points in step["table"].items()}
        otherwise = self.numbers(step.get("otherwise"))
        found: Column = []
        for row, value in enumerate(self.work(step["value"])):
            texts = [] if value is None else value if isinstance(value, tuple) else (value,)
            numbers: Numbers = []
            for text in texts:
                word = show(text) if isinstance(text, Fraction) else text
                if isinstance(word, str) and word not in table and "otherwise" not in step:
                    raise Bad(f"{word!r} is not in its table")
                if isinstance(word, str):
                    numbers.append(table.get(word, otherwise)[row])
            present = [number for number in numbers if number is not None]
            combine = step.get("combine", "mean")
            if combine == "each" and isinstance(value, tuple):
                found.append(tuple(numbers))
            elif present and len(present) == len(numbers):
                found.append(summarise("mean" if combine == "each" else combine, present))
            else:
                found.append(None)
        return found

    def kind_best_ratio(self, step: Json) -> Column:
        values, full = self.numbers(step["value"]), self.numbers(step["full"])
        lower, groups = step.get("direction") == "lower", self.group(step.get("within"))
        reference = step.get("reference", "best")
        function = ("min" if lower else "max") if reference == "best" else reference
        without = step.get("without_reference", "missing")
        cache: dict[int, Fraction | None] = {}
        found: Column = []
        for value, whole, (members, _) in zip(values, full, groups, strict=True):
            if id(members) not in cache or not members:
                present = [number for member in members if (number := values[member]) is not None]
                cache[id(members)] = summarise(function, present) if present else None
            best = cache[id(members)]
            if value is None or whole is None or best is None:
                found.append(None)
            elif (value if lower else best) == 0:
                found.append({"missing": None, "full": whole, "zero": Fraction(0)}[without])
            else:
                found.append(best * whole / value if lower else value * whole / best)
        return found

    def kind_rank_points(self, step: Json) -> Column:
        if "place" in step:
            places = self.work(step["place"])
        else:
            ranks = self.rank(
                self.numbers(step["value"]),
                self.group(step.get("within")),
                ties=step.get("ties", "competition"),
                lower=step.get("direction") == "lower",
            )
            places = list(ranks)
        stated = [number_of(one) for one in step.get("places", ())]
        first, less = self.numbers(step.get("first")), self.numbers(step.get("step"))
        otherwise = self.numbers(step.get("otherwise"), 0)
        found: Column = []
        for row, place in enumerate(places):
            if "step" in step and less[row] is None:
                found.append(None)
                continue
            row_places = [plain(one) for one in (place if isinstance(place, tuple) else (place,))]
            beyond = (less[row], None if "step" in step else otherwise[row])
            gives = [
                by_list(one, stated, *beyond) if stated else by_step(one, first[row], less[row])
                for one in row_places
                if one is not None
            ]
            numbers = [one for one in gives if one is not None]
            found.append(mean(numbers) if numbers and len(numbers) == len(gives) else None)
        return found

    def kind_quantile_bands(self, step: Json) -> Column:
        values, groups = self.numbers(step["value"]), self.group(step.get("within"))
        lower, counting = step.get("direction") == "lower", step.get("counting", "half_up")
        ranks = self.rank(values, groups, ties=step.get("ties", "competition"), lower=lower)
        bands = [known(band, TABLES["quantile bands"], "a band") for band in step["bands"]]
        tops = [self.numbers(band["top"]) for band in bands]
        gives, otherwise = [self.band_gives(band) for band in bands], self.otherwise(step)
        found: Column = []
        for row, (place, size) in enumerate(zip(ranks, sizes(values, groups), strict=True)):
            reached = [at for at, top in enumerate(tops) if is_within(place, top[row], size, counting)]
            found.append(None if place is None else gives[reached[0]][row] if reached else otherwise[row])
        return found

    def kind_deduction(self, step: Json) -> Column:
        return self.events(step, -1)

    def kind_bonus(self, step: Json) -> Column:
        return self.events(step, 1)

    def events(self, step: Json, sign: int) -> Column:
        if "lines" in step:
            lines = [self.line(known(line, TABLES["lines"], "a line"), inside=True) for line in step["lines"]]
        else:
            lines = [self.line(step, inside=False)]
        start, most = self.numbers(step.get("start"), 0), self.numbers(step.get("at_most"))
        found: Column = []
        for row in range(self.size):
            amounts = [amount for line in lines if (amount := line[row]) is not None]
            begin = start[row]
            if len(amounts) < len(lines) or begin is None:
                found.append(None)
                continue
            found.append(begin + sign * limited(sum(amounts, Fraction(0)), None, most[row]))
        return found

    def line(self, line: Json, *, inside: bool) -> Numbers:
        """What the events of a line come to, without their sign."""
        counts, each = self.work(line["count"]), self.numbers(line["each"])
        tiers = [known(tier, TABLES["tiers"], "a tier") for tier in line.get("tiers", ())]
        steps = [(number_of(tier["from"]), self.numbers(tier["each"])) for tier in tiers]
        growth, times = self.numbers(line.get("growth")), self.numbers(line.get("times"), 1)
        free, per = self.numbers(line.get("free"), 0), self.numbers(line.get("per"), 1)
        most = self.numbers(line.get("at_most") if inside else None)
        holds = self.conditions(line.get("when") if inside else None)
        found: Numbers = []
        for row, count in enumerate(counts):
            if not holds[row]:
                found.append(Fraction(0))
                continue
            own = [each[row], times[row], free[row], per[row], *(one[row] for _, one in steps)]
            if count is None or None in own or ("growth" in line and growth[row] is None):
                found.append(None)
                continue
            numbers = [one for one in own if one is not None]
            price = Price(
                each=numbers[0],
                tiers=[(start, cost) for (start, _), cost in zip(steps, numbers[4:], strict=True)],
                every=line.get("escalation") == "all",
                growth=growth[row],
                free=numbers[2],
            )
            events = (
                price.of_list([plain(one) for one in count])
                if isinstance(count, tuple)
                else price.of_count(units_of(count, numbers[3], line.get("steps", "exact")))
            )
            found.append(within(limited(events * numbers[1], None, most[row]), LONGEST))
        return found

    def kind_weighted_mean(self, step: Json) -> Column:
        columns = [self.numbers(name) for name in step["parts"]]
        weights = [self.numbers(weight) for weight in step["parts"].values()]
        rule = step.get("missing_parts", "none")
        found: Column = []
        for row in range(self.size):
            pairs = [(column[row], weight[row]) for column, weight in zip(columns, weights, strict=True)]
            whole = [(one, weight) for one, weight in pairs if one is not None and weight is not None]
            if not whole or (rule == "none" and len(whole) < len(pairs)):
                found.append(None)
                continue
            counting = (
                whole
                if rule != "zero"
                else [(one or Fraction(0), weight) for one, weight in pairs if weight is not None]
            )
            together = sum((weight for _, weight in counting), Fraction(0))
            found.append(sum((one * weight for one, weight in counting), Fraction(0)) / together if together else None)
        return found

    # Sections and the total.

    def section(self, key: str) -> list[Sum]:
        if key not in self.sums:
            step = self.sections[key]
            floor, ceiling = self.limits(step)
            places, mode = self.places(step, "sections")
            full = self.numbers(step.get("full"))
            sums = self.add_up(key)
            for row, one in enumerate(sums):
                stated = full[row]
                if stated is not None:
                    one.full, one.lost = (stated, Fraction(0)) if one.because is None else (Fraction(0), stated)
                if one.points is None:
                    continue
                raw = one.points
                one.points = limited(raw, floor[row], ceiling[row])
                if one.points != raw:
                    one.parts.append(Part("limit", key, one.points - raw))
                if (kept := places[row]) is not None:
                    one.points = rounded(one.points, kept, mode)
                    one.parts = settled(one.parts, one.points, whole_places(kept))
            self.sums[key] = sums
        return self.sums[key]

    def add_up(self, holder: str | None) -> list[Sum]:
        """What lies directly in a section, or in none: items first, then sections."""
        items = {key: self.item(key) for key, step in self.steps.items() if step.get("section") == holder}
        sections = {key: self.section(key) for key, step in self.sections.items() if step.get("section") == holder}
        weights = {key: self.weights(self.sections[key], f"sections.{key}") for key in sections}
        found = []
        for row in range(self.size):
            entries: list[Sum] = [item_sum(key, item, row) for key, item in items.items()]
            entries += [weighted(sections[key][row], weights[key][row] or Fraction(0)) for key in sections]
            found.append(combine(entries))
        return found

    def totals(self) -> list[Total]:
        rules = known(self.document.get("total", {}), TABLES["total"], "total")
        places, mode = self.places(rules, "total")
        base, scale = self.numbers(rules.get("base"), 0), self.numbers(rules.get("scale"), 1)
        minimum = self.numbers(rules.get("minimum_present"))
        floor, ceiling = self.limits(rules)
        totals = []
        for row, one in enumerate(self.add_up(None)):
            least, start, factor = minimum[row], base[row], scale[row]
            whole = one.full + one.lost
            if one.because is None and least is not None and (one.full * 100 / whole if whole else 100) < least:
                one.because = "present"
            if one.because is None and (start is None or factor is None):
                one.because = "total"
            if one.because is not None or one.points is None or start is None or factor is None:
                totals.append(Total(None, one.because, 0, []))
                continue
            parts = [Part("base", "total", start)] if start else []
            parts = [Part(part.part, part.key, part.amount * factor) for part in (*parts, *one.parts)]
            raw = (start + one.points) * factor
            exact = limited(raw, floor[row], ceiling[row])
            if exact != raw:
                parts.append(Part("limit", "total", exact - raw))
            totals.append(close(exact, parts, places[row], mode))
        return totals


def sizes(values: Numbers, groups: Sequence[tuple[list[int], bool]]) -> list[int]:
    """How many of each one's group have a number."""
    counts: dict[int, int] = {}
    for members, _ in groups:
        if id(members) not in counts:
            counts[id(members)] = sum(values[member] is not None for member in members)
    return [counts[id(members)] for members, _ in groups]


def started(step: Json) -> bool:
    """Whether a deduction or bonus starts from something."""
    return step["kind"] in ("deduction", "bonus") and plain_number(step.get("start", 0)) != 0


def limited(number: Fraction, floor: Fraction | None, ceiling: Fraction | None) -> Fraction:
    """A floor above the ceiling holds."""
    if ceiling is not None:
        number = min(number, ceiling)
    return number if floor is None else max(number, floor)


def in_steps(amount: Fraction, per: Fraction, steps: str) -> Fraction:
    if per <= 0:
        raise Bad("per must be above 0")
    units = amount / per
    if steps == "exact":
        return units
    return Fraction(-(-units // 1) if steps == "started" else units // 1)


def units_of(count: Value, per: Fraction, steps: str) -> Fraction:
    number = plain(count)
    if number is None or number < 0:
        raise Bad("a count of events is a number, 0 or more")
    return in_steps(number, per, steps)


def on_line(value: Fraction, points: Sequence[tuple[Fraction, Fraction]], *, extend: bool) -> Fraction:
    if not extend:
        value = max(points[0][0], min(points[-1][0], value))
    at = next((at for at, (end, _) in enumerate(points[1:-1]) if value <= end), len(points) - 2)
    (low, low_points), (high, high_points) = points[at : at + 2]
    return low_points + (high_points - low_points) * (value - low) / (high - low)


def by_step(place: Fraction, first: Fraction | None, less: Fraction | None) -> Fraction | None:
    if place < 1:
        raise Bad("a place is 1 or more")
    return None if first is None or less is None else first - less * (place - 1)


def by_list(
    place: Fraction,
    stated: Sequence[Fraction],
    less: Fraction | None,
    otherwise: Fraction | None,
) -> Fraction | None:
    """A place between two, as equals share it, is worth what lies between."""
    if place < 1:
        raise Bad("a place is 1 or more")
    if place > len(stated):
        return otherwise if less is None else stated[-1] - less * (place - len(stated))
    at, rest = divmod(place - 1, 1)
    return stated[at] + (stated[at + 1] - stated[at]) * rest if rest else stated[at]


def place_all(keys: Mapping[int, tuple[Any, ...]], ties: str) -> dict[int, Fraction]:
    order = sorted(keys, key=lambda row: keys[row])
    places: dict[int, Fraction] = {}
    start, before = 0, 0
    while start < len(order):
        end = start
        while end < len(order) and keys[order[end]] == keys[order[start]]:
            end += 1
        before += 1
        place = {
            "competition": Fraction(start + 1),
            "dense": Fraction(before),
            "average": Fraction(start + 1 + end, 2),
            "last": Fraction(end),
        }[ties]
        places.update(dict.fromkeys(order[start:end], place))
        start = end
    return places


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What events cost, by their number."""

    each: Fraction
    tiers: list[tuple[Fraction, Fraction]]
    every: bool
    growth: Fraction | None
    free: Fraction

    def rate(self, number: int) -> Fraction:
        return next((cost for start, cost in reversed(self.tiers) if number >= start), self.each)

    def of_list(self, entries: Sequence[Fraction | None]) -> Fraction:
        """Each entry is an event and says how many times it counts; nothing and 0 are none."""
        events = [entry for entry in entries if entry]
        if min(events, default=0) < 0:
            raise Bad("no event counts less than nothing")
        free = int(self.free) if self.free > 0 else 0
        if len(events) > MOST_EVENTS:
            raise Bad("too many events in one cell")
        cost, growth = Fraction(0), Fraction(1)
        for number, event in enumerate(events[free:], free + 1):
            cost += event * self.rate(len(events) if self.every else number) * growth
            growth *= 1 if self.growth is None else self.growth
        return cost

    def of_count(self, count: Fraction) -> Fraction:
        paid = max(Fraction(0), count - max(Fraction(0), self.free))
        if not paid:
            return paid
        if self.growth is not None:
            if count.denominator != 1 or count > MOST_EVENTS or paid.denominator != 1:
                raise Bad("events that grow dearer are whole, at most 1000")
            if self.growth == 1:
                return self.each * paid
            return self.each * (self.growth ** int(paid) - 1) / (self.growth - 1)
        if self.every:
            return paid * self.rate(int(count))
        cost, upto = Fraction(0), count
        for start, price in reversed(self.tiers):
            begin = max(start - 1, count - paid)
            if upto > begin:
                cost, upto = cost + (upto - begin) * price, begin
        return cost + max(Fraction(0), upto - (count - paid)) * self.each


def item_sum(key: str, item: Item, row: int) -> Sum:
    weight, mark, amount = item.weights[row], item.full[row], item.amounts[row]
    full = Fraction(0) if mark is None or weight is None else mark * weight
    if amount is not None:
        return Sum(points=amount, parts=[Part("item", key, amount)], full=full, scales=mark is not None)
    if item.rule == "skip":
        return Sum(points=Fraction(0))
    return Sum(because="present", lost=full) if item.rule == "rescale" else Sum(because=key)


def weighted(one: Sum, weight: Fraction) -> Sum:
    """A section in what holds it: whole, since what it lacks it has made up for within itself."""
    if one.points is None:
        return Sum(because=one.because, lost=one.lost * weight)
    parts = [Part(part.part, part.key, part.amount * weight) for part in one.parts]
    full = (one.full + one.lost) * weight
    return Sum(points=one.points * weight, parts=parts, full=full, scales=full != 0)


def combine(entries: Sequence[Sum]) -> Sum:
    """The sum, with those that have full marks scaled up for what was lost."""
    for one in entries:
        if one.because not in (None, "present"):
            return Sum(because=one.because)
    present = [one for one in entries if one.because is None]
    full = sum((one.full for one in present), Fraction(0))
    lost = sum((one.lost for one in entries if one.because is not None), Fraction(0))
    if lost and not full:
        return Sum(because="present", lost=lost)
    factor = (full + lost) / full if lost else Fraction(1)
    parts, points = [], Fraction(0)
    for one in present:
        own = factor if one.scales else Fraction(1)
        parts += [Part(part.part, part.key, part.amount * own) for part in one.parts]
        points += (one.points or Fraction(0)) * own
    return Sum(points=points, parts=parts, full=full, lost=lost)


def settled(parts: Sequence[Part], total: Fraction, places: int) -> list[Part]:
    amounts = settle([part.amount for part in parts], total, places)
    return [Part(part.part, part.key, amount) for part, amount in zip(parts, amounts, strict=True)]


def close(exact: Fraction, parts: list[Part], stated: Fraction | None, mode: str) -> Total:
    """A total that is not rounded has the places that it and its parts need, twelve at most."""
    if stated is None:
        needed = [digits(amount) for amount in (exact, *(part.amount for part in parts))]
        places, mode = max(TOTAL_PLACES if one is None else one for one in needed), "half_up"
    else:
        places = whole_places(stated)
    total = round_to(exact, places, mode)
    return Total(total, None, places, settled(parts, total, places))


# What follows from totals: gates, grades, places, flags.


@dataclass(slots=True)
class Outcome:
    sheet: Sheet
    totals: list[Total]
    ranks: dict[str, Numbers]
    flags: list[list[int]]

    def describe(self, row: int) -> Json:
        """As a score tells it, but for whom and when."""
        one = self.totals[row]
        return {
            "total": None if one.total is None else show(one.total, one.places),
            "withheld": one.because if one.total is None else None,
            "grade": one.grade,
            "places": {key: show(place) for key, column in self.ranks.items() if (place := column[row]) is not None},
            "flags": [self.label(number) for number in self.flags[row]],
            "items": [self.describe_item(key, row) for key in self.sheet.steps],
            "contributions": [
                {"part": part.part, "key": part.key, "amount": show(part.amount, one.places)} for part in one.parts
            ],
        }

    def label(self, number: int) -> dict[str, str]:
        return in_both(self.sheet.document["flags"][number].get("label", "flag"))

    def describe_item(self, key: str, row: int) -> Json:
        item = self.sheet.item(key)
        points = item.points[row]
        return {
            "key": key,
            "name": in_both(item.step.get("name", key)),
            "points": None if points is None else show(points),
            "missing": item.missing[row],
        }


def evaluate(document: Json, measures: Mapping[str, Sequence[Value]], size: int) -> Outcome:
    """Raises Bad, Unchecked."""
    sheet = Sheet(document, measures, size)
    for name in (*sheet.values, *sheet.steps, *sheet.sections):
        sheet.column(name)
    totals = sheet.totals() if sheet.steps else [Total(None, "no items", 0, []) for _ in range(size)]
    if sheet.steps:
        sheet.columns["total"] = [one.total for one in totals]
    pass_gates(sheet, totals)
    if sheet.steps:
        sheet.columns["total"] = [one.total for one in totals]
    give_grades(sheet, totals)
    ranks = {}
    for rule in listed(document, "rankings"):
        ranks[str(rule.get("key", "place"))] = rank_by(sheet, rule, totals)
    sheet.columns.update({key: list(column) for key, column in ranks.items()})
    flags: list[list[int]] = [[] for _ in range(size)]
    for number, rule in enumerate(listed(document, "flags")):
        for row, holds in enumerate(sheet.conditions(rule["when"])):
            if holds:
                flags[row].append(number)
    return Outcome(sheet, totals, ranks, flags)


def pass_gates(sheet: Sheet, totals: Sequence[Total]) -> None:
    """All look at the total as it was; what they do follows their order."""
    gates = listed(sheet.document, "gates")
    seen = [(sheet.conditions(gate["when"]), sheet.numbers(gate.get("value"))) for gate in gates]
    for number, (gate, (holds, values)) in enumerate(zip(gates, seen, strict=True), 1):
        for row, one in enumerate(totals):
            if holds[row]:
                pass_gate(one, gate, str(number), values[row])


def pass_gate(one: Total, gate: Json, number: str, value: Fraction | None) -> None:
    match gate["effect"]:
        case "no_rank":
            one.ranked = False
        case "grade":
            one.grade = gate["grade"]
        case "no_score":
            one.total, one.because, one.parts = None, f"gate {number}", []
        case effect:
            if one.total is None or value is None:
                return
            value = value if digits(value) is not None else round_to(value, TOTAL_PLACES)
            if effect == "set" or one.total > value:
                one.parts.append(Part("gate", number, value - one.total))
                one.total, one.places = value, max(one.places, digits(value) or 0)


def give_grades(sheet: Sheet, totals: Sequence[Total]) -> None:
    gated = [one.grade is not None for one in totals]
    for rule in listed(sheet.document, "grades"):
        values: Numbers = [one.total for one in totals]
        fits = sheet.band_fits({key: bound for key, bound in rule.items() if key in BOUNDS}, values)
        if "top" in rule:
            barred = [rule.get("moves_up", False) and (out or not fit) for out, fit in zip(gated, fits, strict=True)]
            fits = [a and b for a, b in zip(fits, within_top(sheet, rule, totals, barred), strict=True)]
        for row, one in enumerate(totals):
            if one.total is not None and not gated[row] and one.grade is None and fits[row]:
                one.grade = rule["grade"]


def within_top(sheet: Sheet, rule: Json, totals: Sequence[Total], barred: Sequence[bool]) -> list[bool]:
    """Equals across the cut are out: the quota is never exceeded. Who is barred counts in it, and takes no place."""
    values = [one.total if one.ranked else None for one in totals]
    groups, tops = sheet.group(None), sheet.numbers(rule["top"])
    rivals = [None if out else value for out, value in zip(barred, values, strict=True)]
    places = sheet.rank(rivals, groups, ties="last", lower=False)
    rows = zip(places, tops, sizes(values, groups), strict=True)
    return [is_within(place, top, size, rule.get("counting", "half_up")) for place, top, size in rows]


def rank_by(sheet: Sheet, rule: Json, totals: Sequence[Total]) -> Numbers:
    values, holds = sheet.numbers(rule.get("by"), "total"), sheet.conditions(rule.get("where"))
    return sheet.rank(
        [value if held and one.ranked else None for value, held, one in zip(values, holds, totals, strict=True)],
        sheet.group(rule.get("within")),
        ties=rule.get("ties", "competition"),
        lower=rule.get("order") == "ascending",
        breakers=[sheet.numbers(breaker) for breaker in rule.get("tie_breakers", ())],
    )


# Packages.

AMOUNT = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,12})?")


def canonical(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def hash_of(document: object) -> str:
    return hashlib.sha256(canonical(document)).hexdigest()


def read_scheme(text: str) -> Json:
    """Raises Bad."""
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError, decimal.DecimalException):
        raise Bad("the scheme is not TOML") from None


def hash_scheme(document: Json) -> str:
    """Of what it says, in its order: blanks and comments are not in it."""

    def write(value: object) -> str:
        if isinstance(value, Decimal):
            number_of(value)
            return f"{value.normalize():f}"
        if isinstance(value, datetime.date | datetime.time):
            return str(value)
        raise Bad("the scheme holds what no scheme holds")

    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), default=write)
    return hashlib.sha256(text.encode()).hexdigest()


def check_scheme(stated: Json) -> Json:
    """Return the document. Raises Bad, Unchecked."""
    label = f"scheme {stated['name']} {stated['version']}"
    document = read_scheme(stated["document"])
    if hash_scheme(document) != stated["content_hash"]:
        raise Bad(f"{label}: was altered: its hash does not fit")
    if document.get("format") != 1:
        raise Unchecked(f"{label}: is written in a form that is not known here")
    if (document.get("name"), document.get("version")) != (stated["name"], stated["version"]):
        raise Bad(f"{label}: its text is of {document.get('name')} {document.get('version')}")
    return document


def read_publication(document: Json) -> dict[str, Value]:
    """What a publication says, as measures. Raises Bad."""
    group = None if document["peer_group"] is None else text_of(document["peer_group"])
    level, _, kind = (group or "").rpartition(".")
    organisation = document["organisation"]
    row: dict[str, Value] = {
        "subject": str(document["subject"]["code"]),
        "organisation": str(organisation["code"]) if organisation else None,
        "peer_group": group,
        "post_level": level or None,
        "post_kind": kind or None,
        "composite": amount_of(document["composite"]),
    }
    for indicator in document["indicators"]:
        for name, amount in indicator["components"].items():
            row[name] = stated_amount_of(amount)
        if indicator["ratings_at_least"] is not None:
            row["ratings"] = amount_of(indicator["ratings_at_least"])
        band = indicator["band"]
        if band is None:
            value = amount_of(indicator["value"])
        else:
            value = mean([stated_amount_of(band["from"]), stated_amount_of(band["to"])])
        row[text_of(indicator["key"])] = None if value is None else value * 100
    return row


def text_of(written: object) -> str:
    """Raises Bad."""
    if not isinstance(written, str):
        raise Bad(f"{str(written)[:40]!r} is no text of a publication")
    return written


def stated_amount_of(written: object) -> Fraction:
    """Of what is never left out. Raises Bad."""
    amount = amount_of(written)
    if amount is None:
        raise Bad("a publication leaves out a number that none leaves out")
    return amount


def amount_of(written: object) -> Fraction | None:
    """Raises Bad."""
    if written is None:
        return None
    if isinstance(written, bool) or not isinstance(written, int | str) or not AMOUNT.fullmatch(str(written)):
        raise Bad(f"{str(written)[:40]!r} is no number of a publication")
    return Fraction(written)


def plain_number(stated: object) -> Fraction | None:
    """What is stated as a number, in quotes or not; None of a formula that is more."""
    if isinstance(stated, str):
        node = FormulaReader(stated).read()
        return node.of if node.kind == "number" else None
    return None if stated is None else number_of(stated)


def lay_out(document: Json, rows: Sequence[Mapping[str, Value]]) -> dict[str, Column]:
    """The measures of a scheme, as publications say them. Raises Bad, Unchecked."""
    said = {name for row in rows for name in row}
    columns: dict[str, Column] = {}
    for key, stated in named(document, "measures").items():
        measure = known(spelt_out(stated, "column"), TABLES["measures"], f"measures.{key}")
        column = measure.get("column", key)
        if column not in said and not measure.get("optional", False):
            raise Bad(f"no publication says {column}")
        blank = plain_number(measure.get("blank"))
        columns[key] = [blank if (value := row.get(column)) is None else value for row in rows]
    return columns


def read_lines(file: Path) -> Iterator[Json]:
    with file.open(encoding="utf-8") as text:
        for number, line in enumerate(text, 1):
            try:
                document = json.loads(line, object_pairs_hook=without_repeats, parse_constant=refuse)
            except (ValueError, RecursionError) as error:
                raise Bad(f"line {number}: is not JSON: {error}") from None
            if not isinstance(document, dict):
                raise Bad(f"line {number}: is no package")
            yield document


def without_repeats(pairs: list[tuple[str, Any]]) -> Json:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a key stands there twice")
    return dict(pairs)


def refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


Label: TypeAlias = tuple[str, int]


@dataclass(slots=True)
class Package:
    head: Json
    schemes: dict[Label, Json]  # the documents
    scores: dict[Label, list[Json]] = field(default_factory=lambda: defaultdict(list))
    count: int = 0


def read_package(head: Json, lines: Iterator[Json]) -> Package:
    """Every line under its hashes, and all of them under the one of the period. Raises Bad, Unchecked."""
    stated = head["schemes"]
    labels = [(scheme["name"], scheme["version"]) for scheme in stated]
    if labels != sorted(set(labels)):
        raise Bad("a scheme stands there twice, or in another place")
    package = Package(head, {label: check_scheme(scheme) for label, scheme in zip(labels, stated, strict=True)})
    named = [{key: scheme[key] for key in ("content_hash", "name", "version")} for scheme in stated]
    total = hashlib.sha256(canonical({"period": head["period"]["period"], "schemes": named}) + b"\n")
    last, codes = ("", ""), set()
    for line in lines:
        label = check_line(head, line, package.schemes)
        place = (line["subject_kind"], line["subject_id"])
        code = (line["subject_kind"], line["document"]["subject"]["code"])
        if place <= last or code in codes:
            raise Bad(f"{' '.join(code)}: stands here twice, or in another place")
        codes.add(code)
        last = place
        package.count += 1
        package.scores[label].append(line)
        total.update(f"{' '.join(place)} {line['publication_hash']} {line['content_hash']}\n".encode())
    if package.count != head["score_count"]:
        raise Bad(f"the period: {head['score_count']} scores belong to it, and {package.count} are here")
    if total.hexdigest() != head["content_hash"] and head["content_hash"] is not None:
        raise Bad("the period: its hash does not fit what is here")
    return package


def check_line(head: Json, line: Json, schemes: Mapping[Label, Json]) -> Label:
    """Return the label of its scheme. Raises Bad."""
    document, publication = line["document"], line["publication"]
    who = f"{line['subject_kind']} {document['subject']['code']}"
    for name, hash_name in (("publication", "publication_hash"), ("document", "content_hash")):
        if hash_of(line[name]) != line[hash_name]:
            raise Bad(f"{who}: the {name} was altered: its hash does not fit")
    label = (line["scheme"]["name"], line["scheme"]["version"])
    if label not in schemes:
        raise Bad(f"{who}: is scored by {label[0]} {label[1]}, which is not in the package")
    if f"{label[0]}-{label[1]}" in head["failed"]:
        raise Bad(f"{who}: is scored by {label[0]} {label[1]}, which scored nobody")
    if publication["subject"]["kind"] != line["subject_kind"] or publication["period"] != head["period"]:
        raise Bad(f"{who}: the publication is of another kind or period")
    check_validity(who, schemes[label], line, head["period"])
    return label


def check_validity(who: str, scheme: Json, line: Json, period: Json) -> None:
    """As far as a package shows it: not which places lie below which, and not an end that was agreed to later."""
    validity = known(scheme.get("validity", {}), TABLES["validity"], "validity")
    first = datetime.date.fromisoformat(period["start"])
    begin, end = (validity.get(key) for key in ("from", "until"))
    days = [day if isinstance(day, datetime.date) else datetime.date.fromisoformat(day) for day in (begin, end) if day]
    groups = validity.get("peer_groups")
    if not begin or first < days[0] or (end and days[1] < first):
        raise Bad(f"{who}: the scheme did not hold on {first}")
    if validity.get("subjects", "cadre") != line["subject_kind"]:
        raise Bad(f"{who}: the scheme is of another kind of subject")
    if groups and line["publication"]["peer_group"] not in [group.strip() for group in groups]:
        raise Bad(f"{who}: the scheme is of other peer groups")


def check_scores(package: Package, label: Label) -> Outcome:
    """All whom one scheme holds for, as one table. Raises Bad, Unchecked."""
    lines = package.scores[label]
    lines.sort(key=lambda line: (line["publication"]["subject"]["code"].encode(), line["subject_id"]))
    scheme = package.schemes[label]
    try:
        rows = [read_publication(line["publication"]) for line in lines]
        outcome = evaluate(scheme, lay_out(scheme, rows), len(rows))
        computed = [outcome.describe(row) for row in range(len(rows))]
    except (Bad, Unchecked) as error:
        raise type(error)(f"scheme {label[0]} {label[1]}: {error}") from None
    except (KeyError, TypeError, AttributeError, ValueError, IndexError, ArithmeticError, RecursionError) as error:
        raise Bad(f"scheme {label[0]} {label[1]}: cannot be applied: {type(error).__name__}: {error}") from None
    stated = next(one for one in package.head["schemes"] if (one["name"], one["version"]) == label)
    for line, found in zip(lines, computed, strict=True):
        publication = line["publication"]
        whole = {key: publication[key] for key in ("subject", "organisation", "peer_group", "period")} | found
        whole["scheme"] = {key: stated[key] for key in ("name", "version", "content_hash")}
        check_document(line["document"], whole)
    return outcome


def check_document(document: Json, computed: Json) -> None:
    who = f"{document['subject']['kind']} {document['subject']['code']}"
    if unknown := sorted(document.keys() - KNOWN_FIELDS):
        raise Unchecked(f"{who}: {unknown[0]} is not known to this program")
    if not isinstance(document.get("explanation"), dict):
        raise Bad(f"{who}: has no explanation")
    for key, value in computed.items():
        if key not in document or canonical(document[key]) != canonical(value):
            raise Bad(f"{who}: {key} is published as {told(document.get(key))}, and is {told(value)}")


def told(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 300 else text[:300] + "…"


def tell(outcome: Outcome, line: Json, row: int) -> list[str]:
    """How one total comes about, figure by figure."""
    sheet, found, document = outcome.sheet, outcome.describe(row), line["document"]
    lines = [
        f"{line['subject_kind']} {document['subject']['code']} by {line['scheme']['name']} {line['scheme']['version']}"
    ]
    for title, names in (("measure", named(sheet.document, "measures")), ("value", sheet.values)):
        lines += [f"  {title} {name} = {shown(sheet.column(name)[row])}" for name in names]
    for one in found["items"]:
        note = f" (no data: {rule_text(sheet.item(one['key']).rule)})" if one["missing"] else ""
        lines.append(f"  item {one['key']} = {one['points'] or 'missing'}{note}")
    lines += [f"  section {key} = {shown(sheet.column(key)[row])}" for key in sheet.sections]
    lines += [f"  {one['part']} {one['key']}: {one['amount']}" for one in found["contributions"]]
    lines.append(f"  total = {found['total'] or 'none, because of ' + str(found['withheld'])}")
    if found["grade"] is not None:
        lines.append(f"  grade = {found['grade']}")
    lines += [f"  place {key} = {place}" for key, place in found["places"].items()]
    lines += [f"  flag {told(flag)}" for flag in found["flags"]]
    return lines


def rule_text(rule: object) -> str:
    return show(rule) if isinstance(rule, Fraction) else str(rule)


def shown(value: Value) -> str:
    if isinstance(value, tuple):
        return "; ".join(shown(entry) for entry in value)
    return "missing" if value is None else show(value) if isinstance(value, Fraction) else value


def run(file: Path, expected: str | None, code: str | None) -> list[str]:
    """What is said of a sound package, line by line. Raises Bad, Unchecked."""
    lines = read_lines(file)
    head = read_head(next(lines, {}))
    if expected is not None and head["content_hash"] != expected:
        raise Bad(f"the hash is {head['content_hash']}, and not the one that you know")
    package = read_package(head, lines)
    told_of: list[str] = []
    for label in package.schemes:
        if package.scores[label]:
            outcome = check_scores(package, label)
            for row, line in enumerate(package.scores[label]):
                if line["document"]["subject"]["code"] == code:
                    told_of += tell(outcome, line, row)
    if head["content_hash"] is None:
        raise Unchecked(
            "its figures come out, but it was scored before there was a hash over a period: there is no hash"
        )
    if code is not None and not told_of:
        raise Unchecked("there is no such subject in the package")
    return [*summary(package), *told_of]


def read_head(head: Json) -> Json:
    """Raises Unchecked."""
    if head.get("package") == "fair-1":
        raise Unchecked("this is of the fair scheme: verify_fair.py, beside this program, computes that again")
    if head.get("package") == 1 and "scheme" in head:
        raise Unchecked("this is of published results: verify_result.py, beside this program, computes them again")
    if head.get("package") != 1 or "schemes" not in head:
        raise Unchecked("this is no package of scores by schemes of places, or of a form that is not known here")
    return head


def summary(package: Package) -> list[str]:
    head = package.head
    period, schemes = head["period"]["period"], len(package.schemes)
    nobody = ", ".join(head["failed"]) or "none"
    return [
        f"{package.count} scores of {period} by {schemes} schemes, {head['content_hash']}",
        "sentences of explanation are wording: only their hash was held",
        f"not sealed, held by no hash: schemes that scored nobody ({nobody}), time of scoring ({head['scored_at']})",
    ]


def say(word: str, lines: Sequence[str]) -> None:
    """Nothing that stands in a package begins a line, moves a cursor, or cannot be written."""
    clean = ("".join(one if one.isprintable() else ascii(one)[1:-1] for one in line) for line in lines)
    text = f"{word} {chr(10).join(clean)}\n"
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="the exported package")
    parser.add_argument("--hash", help="the hash that you know from elsewhere")
    parser.add_argument("--subject", help="the code of one whose total is told")
    options = parser.parse_args(arguments)
    try:
        found = run(options.file, options.hash, options.subject)
    except Bad as error:
        say("BAD", [str(error)])
        return BAD
    except (Unchecked, OSError) as error:
        say("NOT CHECKED", [str(error)])
        return UNCHECKED
    except (KeyError, TypeError, AttributeError, ValueError, IndexError, ArithmeticError, RecursionError) as error:
        say("BAD", [f"the package is broken: {type(error).__name__}: {error}"])
        return BAD
    say("SOUND", found)
    return SOUND


if __name__ == "__main__":
    sys.exit(main())
