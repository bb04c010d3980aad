"""Formulas: arithmetic over named quantities, read into a tree. Nothing in them can be run, only worked out."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from typing import Final

from services.assessment.domain.rules.days import find_day
from services.assessment.domain.rules.faults import BadRules

LONGEST_FORMULA: Final = 2_000
MOST_TOKENS: Final = 400
DEEPEST: Final = 40
LARGEST: Final = 10**15
MOST_PLACES: Final = 12

# How many arguments each function takes; None is any number from the first on.
FUNCTIONS: Final[dict[str, tuple[int, int | None]]] = {
    "abs": (1, 1), "round": (1, 2), "floor": (1, 1), "ceil": (1, 1), "sqrt": (1, 1), "ln": (1, 1), "exp": (1, 1),
    "power": (2, 2),
    "at_least": (2, 2), "at_most": (2, 2), "clamp": (3, 3),
    "if": (3, 3), "coalesce": (2, None), "given": (1, 1),
    "one_of": (2, None), "contains": (2, 2), "starts": (2, 2), "ends": (2, 2),
    "sum": (1, None), "mean": (1, None), "count": (1, None), "min": (1, None), "max": (1, None), "median": (1, None),
    "trimmed_mean": (2, None), "first": (1, None), "last": (1, None), "list": (1, None),
    "longest_run": (1, None),
}  # fmt: skip
GROUP_FUNCTIONS: Final[dict[str, tuple[int, int | None]]] = {
    f"{scope}_{name}": (arguments, arguments)
    for scope in ("group", "all")
    for name, arguments in (
        ("sum", 1), ("mean", 1), ("count", 1), ("min", 1), ("max", 1), ("median", 1), ("sd", 1), ("quantile", 2),
        ("rank", 1), ("rank_low", 1),
    )
}  # fmt: skip
WORDS: Final = frozenset({"and", "or", "not"})
DAY: Final = "date"  # takes a day in quotes; a measure may have this name, too

_FULL_WIDTH: Final = str.maketrans(
    {**dict(zip("（），＋－×÷＊／＜＞＝！", "(),+-*/*/<>=!", strict=True)), "≤": "<=", "≥": ">=", "≠": "!="}
)
_FULL_WIDTH_DIGITS: Final = str.maketrans("０１２３４５６７８９．", "0123456789.")
_QUOTED: Final = r"""\"[^"]*"|'[^']*'|“[^”]*”|‘[^’]*’"""
_TOKEN: Final = re.compile(
    rf"""\s*(?:
        (?P<number>[0-9０-９]+(?:[.．][0-9０-９]+)?)
      | (?P<name>[^\W\d]\w*)
      | (?P<text>{_QUOTED})
      | (?P<sign><=|>=|==|!=|[-+*/()<>=,])
    )""",
    re.VERBOSE,
)
# What is written for something else, and what to write.
_MISTAKEN: Final = (
    (("%", "％"), ": write 95 or 0.95 for 95%"),
    (("&",), ": write and"),
    (("|",), ": write or"),
    (("!",), ": write not, or != between two things"),
    ((";", "；", "、"), ": arguments are parted by commas"),
    (("^",), ": write power(x, 2) for a square"),
    (('"', "'", "“", "‘"), ": the quote is not closed"),
)
_MISTAKEN_WORDS: Final = {
    "且": "and", "并且": "and", "而且": "and", "或": "or", "或者": "or", "非": "not", "不": "not", "如果": "if",
}  # fmt: skip
_MEANT: Final = {
    "average": "mean", "avg": "mean", "rank": "group_rank", "sumif": "group_sum", "countif": "group_count",
    "averageif": "group_mean", "ifs": "if", "iferror": "coalesce", "roundup": "ceil", "rounddown": "floor",
    "int": "floor", "stdev": "group_sd", "trimmean": "trimmed_mean", "pow": "power",
}  # fmt: skip
_COMPARISONS: Final = frozenset({"<", "<=", ">", ">=", "==", "!="})
_EQUALITIES: Final = frozenset({"=", "==", "!="})


@dataclass(frozen=True, slots=True)
class Number:
    value: Fraction


@dataclass(frozen=True, slots=True)
class Text:
    value: str


@dataclass(frozen=True, slots=True)
class Name:
    name: str


@dataclass(frozen=True, slots=True)
class Operation:
    """A sign or word between or before its operands, or the name of a function before its arguments."""

    sign: str
    operands: tuple["Tree", ...]


Tree = Number | Text | Name | Operation


@dataclass(frozen=True, slots=True)
class Formula:
    text: str
    tree: Tree

    @property
    def names(self) -> frozenset[str]:
        return frozenset(_names_in(self.tree))

    @property
    def size(self) -> int:
        """How many steps it takes to work out."""
        return sum(1 for _ in _signs_in(self.tree)) + 1

    @property
    def reads_groups(self) -> bool:
        return any(sign in GROUP_FUNCTIONS for sign in _signs_in(self.tree))

    @property
    def reads_own_group(self) -> bool:
        """Whether the scheme's groups have a say, and not everybody of the period."""
        return any(sign.startswith("group_") for sign in _signs_in(self.tree))


def constant(value: Fraction | int) -> Formula:
    number = Fraction(value)
    return Formula(text=str(number), tree=Number(number))


def parse_formula(place: str, text: str) -> Formula:
    """Raises BadRules."""
    if not 1 <= len(text) <= LONGEST_FORMULA:
        raise BadRules(place, f"a formula has 1 to {LONGEST_FORMULA} characters")
    reader = _Reader(place, _split(place, text))
    tree = reader.read_choice(0)
    reader.expect_end()
    return Formula(text=text.strip(), tree=tree)


def _names_in(tree: Tree) -> Iterator[str]:
    if isinstance(tree, Name):
        yield tree.name
    elif isinstance(tree, Operation):
        for operand in tree.operands:
            yield from _names_in(operand)


def _signs_in(tree: Tree) -> Iterator[str]:
    if isinstance(tree, Operation):
        yield tree.sign
        for operand in tree.operands:
            yield from _signs_in(operand)


def _split(place: str, text: str) -> list[tuple[str, str]]:
    """Tokens as kind and text. Full-width signs are taken for the plain ones, outside of quoted texts."""
    parts = re.split(f"({_QUOTED})", text)
    plain = "".join(part if position % 2 else part.translate(_FULL_WIDTH) for position, part in enumerate(parts))
    tokens, position = [], 0
    while position < len(plain.rstrip()):
        match = _TOKEN.match(plain, position)
        if match is None or match.lastgroup is None:
            rest = plain[position:].strip()
            hint = next((hint for signs, hint in _MISTAKEN if rest.startswith(signs)), "")
            raise BadRules(place, f"cannot read the formula from {rest[:20]!r} on{hint}")
        token = match[match.lastgroup]
        tokens.append((match.lastgroup, token.translate(_FULL_WIDTH_DIGITS) if match["number"] else token))
        position = match.end()
    if len(tokens) > MOST_TOKENS:
        raise BadRules(place, f"a formula has at most {MOST_TOKENS} parts; give some of them names of their own")
    return tokens


class _Reader:
    """Reads by descent, from what binds least to what binds most: or, and, not, comparison, sum, product, sign."""

    def __init__(self, place: str, tokens: list[tuple[str, str]]) -> None:
        self._place = place
        self._tokens = tokens
        self._next = 0

    def expect_end(self) -> None:
        if self._next < len(self._tokens):
            raise self._unexpected(self._next)

    def read_choice(self, depth: int) -> Tree:
        if depth > DEEPEST:
            raise self._fault(f"nests deeper than {DEEPEST}")
        tree = self._read_both(depth)
        while self._take("or"):
            tree = Operation("or", (tree, self._read_both(depth)))
        return tree

    def _read_both(self, depth: int) -> Tree:
        tree = self._read_denial(depth)
        while self._take("and"):
            tree = Operation("and", (tree, self._read_denial(depth)))
        return tree

    def _read_denial(self, depth: int) -> Tree:
        denials = 0
        while self._take("not"):
            denials += 1
        tree = self._read_comparison(depth)
        for _ in range(denials):
            tree = Operation("not", (tree,))
        return tree

    def _read_comparison(self, depth: int) -> Tree:
        """A chain such as 80 <= x < 90 is each of its comparisons together."""
        left = self._read_sum(depth)
        parts: list[Tree] = []
        while (sign := self._peek()) in _COMPARISONS or sign == "=":
            self._next += 1
            right = self._read_sum(depth)
            self._check_compared(str(sign), left, right)
            parts.append(Operation("==" if sign == "=" else str(sign), (left, right)))
            left = right
        if not parts:
            return left
        tree = parts[0]
        for part in parts[1:]:
            tree = Operation("and", (tree, part))
        return tree

    def _check_compared(self, sign: str, *sides: Tree) -> None:
        if sign not in _EQUALITIES and any(isinstance(side, Text) for side in sides):
            raise self._fault(f"asks with {sign} about a text, which has no order; a day is written date('2024-03-05')")
        if any(_is_like_a_day(side) for side in sides):
            raise self._fault("takes numbers from one another where a day is meant; write date('2024-03-05')")

    def _read_sum(self, depth: int) -> Tree:
        tree = self._read_product(depth)
        while (sign := self._peek()) in {"+", "-"}:
            self._next += 1
            tree = Operation(str(sign), (tree, self._read_product(depth)))
        return tree

    def _read_product(self, depth: int) -> Tree:
        tree = self._read_signed(depth)
        while (sign := self._peek()) in {"*", "/"}:
            self._next += 1
            tree = Operation(str(sign), (tree, self._read_signed(depth)))
        return tree

    def _read_signed(self, depth: int) -> Tree:
        negative = False
        while (sign := self._peek()) in {"+", "-"}:
            self._next += 1
            negative ^= sign == "-"
        tree = self._read_atom(depth)
        return Operation("negative", (tree,)) if negative else tree

    def _read_atom(self, depth: int) -> Tree:
        if self._next >= len(self._tokens):
            raise self._fault("ends too early")
        kind, text = self._tokens[self._next]
        self._next += 1
        if kind == "number":
            return Number(read_number(self._place, text))
        if kind == "text":
            return Text(text[1:-1])
        if kind == "name" and text not in WORDS:
            return self._read_call(text, depth) if self._take("(") else Name(text)
        if text == "(":
            tree = self.read_choice(depth + 1)
            if not self._take(")"):
                raise self._fault("lacks a closing bracket")
            return tree
        raise self._unexpected(self._next - 1)

    def _read_call(self, name: str, depth: int) -> Tree:
        if name == DAY:
            return self._read_day()
        bounds = (FUNCTIONS | GROUP_FUNCTIONS).get(name)
        if bounds is None:
            raise self._fault(f"uses {name}(...), which is no function{_meant(name)}")
        arguments: list[Tree] = []
        while not self._take(")"):
            if arguments and not self._take(","):
                raise self._fault(f"lacks a comma or a closing bracket in {name}(...)")
            arguments.append(self.read_choice(depth + 1))
        fewest, most = bounds
        if len(arguments) < fewest or (most is not None and len(arguments) > most):
            wanted = f"{fewest}" if fewest == most else f"at least {fewest}" if most is None else f"{fewest} to {most}"
            raise self._fault(f"{name}(...) takes {wanted} arguments, not {len(arguments)}")
        return Operation(name, tuple(arguments))

    def _read_day(self) -> Tree:
        kind, text = self._tokens[self._next] if self._next < len(self._tokens) else ("", "")
        day = find_day(text[1:-1]) if kind == "text" else None
        self._next += 1
        if day is None or not self._take(")"):
            raise self._fault("takes a day in quotes: date('2024-03-05')")
        return Number(day)

    def _peek(self) -> str | None:
        """A text keeps its quotes here, and so is no sign."""
        return self._tokens[self._next][1] if self._next < len(self._tokens) else None

    def _take(self, text: str) -> bool:
        if self._peek() != text:
            return False
        self._next += 1
        return True

    def _unexpected(self, at: int) -> BadRules:
        text = self._tokens[at][1]
        meant = _MISTAKEN_WORDS.get(text)
        if text in {"<", ">"} and at > 0 and self._tokens[at - 1][1] == "=":
            meant = f"{text}="
        return self._fault(f"does not expect {text!r}" + (f": write {meant}" if meant else ""))

    def _fault(self, reason: str) -> BadRules:
        return BadRules(self._place, f"the formula {reason}")


def _is_like_a_day(tree: Tree) -> bool:
    """Whether it is 2024-03-05 without quotes, which is 2016."""
    match tree:
        case Operation("-", (Operation("-", (Number(year), Number(month))), Number(day))):
            return 1900 <= year <= 2100 and 1 <= month <= 12 and 1 <= day <= 31
    return False


def _meant(name: str) -> str:
    """The function that somebody who writes this name has in mind."""
    known = FUNCTIONS | GROUP_FUNCTIONS
    plain = name.lower()
    meant = _MEANT.get(plain) or next(iter(get_close_matches(plain, known, 1)), None)
    return "" if meant is None else f"; there is {meant}(...)"


def read_number(place: str, text: str) -> Fraction:
    """A plain decimal number within bounds. Raises BadRules."""
    whole, _, places = text.lstrip("-").partition(".")
    if len(whole.lstrip("0")) > len(str(LARGEST)) or len(places) > MOST_PLACES:
        raise BadRules(place, f"the number is beyond {LARGEST} or has more than {MOST_PLACES} places")
    value = Fraction(text)
    if abs(value) > LARGEST:
        raise BadRules(place, f"the number is beyond {LARGEST}")
    return value
