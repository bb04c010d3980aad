"""Reading tables of a scheme strictly: what is expected is taken, what is left over is refused by name."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from difflib import get_close_matches
from fractions import Fraction
from typing import Any, Final, get_args

from services.assessment.domain.rules.faults import BadRules
from services.assessment.domain.rules.formulas import (
    FUNCTIONS,
    GROUP_FUNCTIONS,
    LARGEST,
    MOST_PLACES,
    WORDS,
    Formula,
    constant,
    parse_formula,
    read_number,
)

MOST_ENTRIES: Final = 300
TOP_KEYS: Final = frozenset({"format", "name", "version", "title", "source", "recovered", "recovery"})
NONE: Final = "none"

_NAME: Final = re.compile(r"[^\W\d]\w{0,63}")
_CODE: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?", re.ASCII)
_MISSING: Final = object()

Label = dict[str, str]


class Keys:
    """One table of the file. Each key is taken once; `close` refuses what nobody took."""

    def __init__(self, place: str, table: object) -> None:
        """Raises BadRules unless it is a table."""
        if not isinstance(table, Mapping):
            raise BadRules(place, "must be a table")
        if len(table) > MOST_ENTRIES:
            raise BadRules(place, f"has more than {MOST_ENTRIES} keys")
        self.place = place
        self._left: dict[str, Any] = dict(table)
        self._known: list[str] = []

    def at(self, key: str) -> str:
        return f"{self.place}.{key}" if self.place else key

    def has(self, key: str) -> bool:
        return key in self._left

    def take(self, key: str, default: object = _MISSING) -> Any:  # noqa: ANN401 - what a file may hold
        self._known.append(key)
        if key in self._left:
            return self._left.pop(key)
        if default is _MISSING:
            alike = get_close_matches(key, map(str, self._left), 1)
            hint = f"; is that what {alike[0]} is meant to be?" if alike else ""
            if not alike and not self.place:
                hint = "; it stands above the first [heading]"
            raise BadRules(self.place or "scheme", f"lacks {key}{hint}")
        return default

    def close(self) -> None:
        if self._left:
            unknown, known = ", ".join(sorted(map(str, self._left))), ", ".join(self._known)
            if TOP_KEYS.intersection(self._left):
                raise BadRules(self.place, f"does not know {unknown}, which stands above the first [heading]")
            raise BadRules(self.place or "scheme", f"does not know {unknown}; known here: {known}")

    def text(self, key: str, *, longest: int = 500, default: str | None = None) -> str:
        value = self.take(key, _MISSING if default is None else default)
        return read_text(self.at(key), value, longest=longest)

    def flag(self, key: str, *, default: bool) -> bool:
        value = self.take(key, default)
        if not isinstance(value, bool):
            raise BadRules(self.at(key), "must be true or false")
        return value

    def choice(self, key: str, literal: Any, *, default: str | None = None) -> Any:  # noqa: ANN401 - one of a Literal
        value = self.take(key, _MISSING if default is None else default)
        if value not in get_args(literal):
            raise BadRules(self.at(key), f"must be one of {', '.join(get_args(literal))}")
        return value

    def whole(self, key: str, *, lowest: int, highest: int) -> int:
        value = self.take(key)
        if type(value) is not int or not lowest <= value <= highest:
            raise BadRules(self.at(key), f"must be a whole number from {lowest} to {highest}")
        return value

    def day(self, key: str, *, needed: bool = False) -> date | None:
        value = self.take(key, _MISSING if needed else None)
        if value is None:
            return None
        if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            try:
                value = date.fromisoformat(value)
            except ValueError:
                raise BadRules(self.at(key), "is not a day of the calendar") from None
        if not isinstance(value, date) or isinstance(value, datetime):
            raise BadRules(self.at(key), "must be a day such as 2024-01-31")
        return value

    def formula(self, key: str, default: Fraction | int | None = None) -> Formula:
        """A number, or a formula as text."""
        value = self.take(key, _MISSING if default is None else default)
        return read_formula(self.at(key), value)

    def find_formula(self, key: str, default: Formula | None = None) -> Formula | None:
        """The same, or nothing: "none" says so where there would be a default."""
        value = self.take(key, default)
        if value is None or value == NONE:
            return None
        return value if isinstance(value, Formula) else read_formula(self.at(key), value)

    def texts(self, key: str, *, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        value = self.take(key, _MISSING if default is None else list(default))
        return tuple(read_text(f"{self.at(key)}[{n}]", one, longest=200) for n, one in each(self.at(key), value))

    def label(self, key: str, *, default: str) -> Label:
        """A text, the same in both languages, or a table of zh and en."""
        value = self.take(key, default)
        if isinstance(value, str):
            text = read_text(self.at(key), value, longest=500)
            return {"zh": text, "en": text}
        words = Keys(self.at(key), value)
        label = {"zh": words.text("zh"), "en": words.text("en")}
        words.close()
        return label

    def tables(self, key: str, *, default: bool = False) -> Iterator["Keys"]:
        """The tables of a list, each with its number in its place."""
        value = self.take(key, [] if default else _MISSING)
        for number, one in each(self.at(key), value):
            yield Keys(f"{self.at(key)}[{number}]", one)

    def named(self, key: str) -> Iterator[tuple[str, str, Any]]:
        """The entries of a table by name, each with its place."""
        value = self.take(key, {})
        inner = Keys(self.at(key), value)
        for name in value:
            yield check_name(self.at(key), name), f"{self.at(key)}.{name}", inner.take(name)


def each(place: str, value: object) -> Iterator[tuple[int, Any]]:
    if isinstance(value, Mapping) and "." not in place:
        raise BadRules(place, f"must be a list: its heading has double brackets, [[{place}]]")
    if not isinstance(value, list):
        raise BadRules(place, "must be a list")
    if len(value) > MOST_ENTRIES:
        raise BadRules(place, f"has more than {MOST_ENTRIES} entries")
    return enumerate(value, start=1)


def check_name(place: str, name: object) -> str:
    """A name that formulas can use: letters of any script, digits and _, not a word or function of theirs."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise BadRules(place, f"{name!r} is no name: letters, digits and _, not a digit first, at most 64")
    if name in WORDS or name in FUNCTIONS or name in GROUP_FUNCTIONS or name == NONE:
        raise BadRules(place, f"{name} is a word of formulas and cannot be a name")
    return name


def check_code(place: str, value: object) -> str:
    if not isinstance(value, str) or not _CODE.fullmatch(value):
        raise BadRules(place, "must be of small letters, digits and hyphens, at most 64")
    return value


def read_text(place: str, value: object, *, longest: int) -> str:
    if not isinstance(value, str) or not 1 <= len(value.strip()) <= longest or not value.isprintable():
        raise BadRules(place, f"must be a text of 1 to {longest} characters on one line")
    return value.strip()


def read_formula(place: str, value: object) -> Formula:
    """A number of the file, exact, or a text that is a formula. Raises BadRules."""
    if isinstance(value, str):
        return parse_formula(place, value)
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        exact = Decimal(value)
        if not exact.is_finite():
            raise BadRules(place, "must be a number")
        if not -MOST_PLACES <= exact.adjusted() < len(str(LARGEST)):
            # Before it is written out: 1e999999999 is short.
            raise BadRules(place, f"the number is beyond {LARGEST} or has more than {MOST_PLACES} places")
        return constant(read_number(place, f"{exact:f}"))
    if isinstance(value, Fraction):
        return constant(value)
    raise BadRules(place, "must be a number, or a formula as text")
