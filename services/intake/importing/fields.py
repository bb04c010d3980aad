"""One function for each mapped field, made once for a file: from the cells of a row to a checked value."""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

from services.intake.importing.codes import make_code
from services.intake.importing.findings import Finding, error, flag
from services.intake.importing.instants import InstantParser, NotAnInstant, day_parser
from services.intake.importing.patterns import LONGEST_SUBJECT, compile_pattern
from services.intake.importing.profile import FieldRule, Profile
from services.intake.importing.targets import LONGEST_CODE, Kind, TargetField
from shared.spreadsheets import unshield

Notes = list[Finding]  # made with line 0; the row puts its own number in
Value = Any  # a text, a number, an instant ... as the target's field says
Origin = Callable[[list[str]], str | None]
Convert = Callable[[str, Notes], Value]
FieldFunction = Callable[[list[str], Notes], Value]

INTEGER = re.compile(r"[+-]?[0-9]{1,9}", re.ASCII)
TRUTHS = {"true": True, "1": True, "yes": True, "是": True, "false": False, "0": False, "no": False, "否": False}
MOST_KEPT = 5_000
LONGEST_KEPT = 120
UNREAD = object()
FEW: frozenset[Kind] = frozenset({"boolean", "choice", "code", "day", "integer"})  # of these, values recur in a file
ODDITIES = {
    "time-ambiguous": "the clock was put back and showed this time twice; the first was taken",
    "time-in-gap": "the clock was put forward over this time; the offset before it was taken",
}


@dataclass(frozen=True, slots=True)
class Field:
    """How one field is read: `kept` is what the texts at `place` gave, of those that recur and are not remarked on."""

    read: FieldFunction
    place: int = 0
    kept: Mapping[str, Value] | None = None

    def read_column(
        self, rows: Sequence[list[str]], columns: Sequence[Sequence[str]], remarked: set[int]
    ) -> list[Value]:
        """Read the field of many rows. `remarked` gets the places of the rows that there is something to say about."""
        notes: Notes = []
        kept = {} if self.kept is None else self.kept
        texts: Sequence[str] = columns[self.place] if kept else ()
        values = list(map(kept.get, texts, repeat(UNREAD))) if kept else [UNREAD] * len(rows)
        for position, value in enumerate(values):
            if value is UNREAD:
                values[position] = self.read(rows[position], notes)
                if notes:
                    remarked.add(position)
                    notes.clear()
        return values


@dataclass(frozen=True, slots=True)
class Compiler:
    """Makes the field functions of one file: `places` says where each column of the profile stands in its header."""

    profile: Profile
    places: Mapping[str, int]
    instants: InstantParser

    def compile(self, name: str, rule: FieldRule, field: TargetField) -> Field:
        label = " + ".join(rule.columns) or name
        convert = self._converter(rule, field, label)
        if rule.constant is not None:
            return Field(_constant(rule.constant, convert))
        read = _mapped(self._origin(rule), convert, rule, required=rule.required or field.required, label=label)
        place = self.places.get(rule.column or "")
        return Field(read) if place is None or field.kind not in FEW else _remembering(read, place)

    def column_text(self, column: str) -> Origin:
        """Make a function that reads a cell: trimmed, and None where it holds one of the profile's null texts."""
        place = self.places.get(column)
        if place is None:
            return lambda _: None
        nulls = frozenset(self.profile.file.null_texts) | {""}

        def read(cells: list[str]) -> str | None:
            text = cells[place].strip()
            return None if text in nulls else text

        def read_shielded(cells: list[str]) -> str | None:
            text = unshield(cells[place]).strip()
            return None if text in nulls else text

        return read_shielded if self.profile.file.is_shielded else read

    def _origin(self, rule: FieldRule) -> Origin:
        if rule.column is not None:
            return self.column_text(rule.column)
        if rule.first_of:
            choices = [self.column_text(column) for column in rule.first_of]
            return lambda cells: next((text for read in choices if (text := read(cells)) is not None), None)
        parts = [self.column_text(column) for column in rule.combine]

        def combine(cells: list[str]) -> str | None:
            return rule.separator.join(text for part in parts if (text := part(cells)) is not None) or None

        return combine

    def _converter(self, rule: FieldRule, field: TargetField, label: str) -> Convert:
        makers: dict[Kind, Callable[[], Convert]] = {
            "instant": lambda: _instant(self.instants, label),
            "day": lambda: _day(self.profile.time.day_formats, label),
            "integer": lambda: _integer(field, label),
            "boolean": lambda: _boolean(label),
            "code": lambda: _code(rule, label),
            "choice": lambda: _choice(field, label),
            "text": lambda: _text(field, label, shorten=rule.shorten),
        }
        convert = makers[field.kind]()
        return _translated(rule, convert, label) if rule.codes or rule.patterns else convert


def _constant(text: str, convert: Convert) -> FieldFunction:
    value = convert(text, [])

    def give(_: list[str], __: Notes) -> Value:
        return value

    return give


def _mapped(origin: Origin, convert: Convert, rule: FieldRule, *, required: bool, label: str) -> FieldFunction:
    missing = error(0, "missing-required", "the cell is empty and the value is required", label)
    empty = convert(rule.empty, []) if rule.empty is not None and not rule.codes and not rule.patterns else rule.empty

    def read(cells: list[str], notes: Notes) -> Value:
        text = origin(cells)
        if text is not None:
            return convert(text, notes)
        if empty is None and required:
            notes.append(missing)
        return empty

    return read


def _remembering(read: FieldFunction, place: int) -> Field:
    """Reads a cell's text once for as long as there are few of them; of what was remarked on, each is read anew."""
    kept: dict[str, Value] = {}

    def read_once(cells: list[str], notes: Notes) -> Value:
        text = cells[place]
        value = kept.get(text, UNREAD)
        if value is not UNREAD:
            return value
        remarks = len(notes)
        value = read(cells, notes)
        if len(notes) == remarks and len(text) <= LONGEST_KEPT and len(kept) < MOST_KEPT:
            kept[text] = value
        return value

    return Field(read_once, place, kept)


def _translated(rule: FieldRule, convert: Convert, label: str) -> Convert:
    """Look a text up in the code table, then try the patterns, then take the default, and remember the result."""
    patterns = [(compile_pattern(pattern.match), pattern.value) for pattern in rule.patterns]
    unknown = error(0, "unknown-code", "the profile does not know this code and has no default for it", label)
    defaulted = flag(0, "code-defaulted", "the profile does not know this code; its default was taken", label)
    kept: dict[str, tuple[str | None, Finding | None]] = {}

    # Where patterns pick out a few texts of many, the rest falling to the default is meant and not odd.
    otherwise = (rule.default, unknown if rule.default is None else None if patterns else defaulted)

    def look_up(text: str) -> tuple[str | None, Finding | None]:
        if text in rule.codes:
            return rule.codes[text], None
        beginning = text[:LONGEST_SUBJECT]
        found = (value for pattern, value in patterns if pattern.match(beginning))
        value = next(found, None)
        return otherwise if value is None else (value, None)

    def translate(text: str, notes: Notes) -> Value:
        known = kept.get(text)
        if known is None:
            known = look_up(text)
            if len(text) <= LONGEST_KEPT and len(kept) < MOST_KEPT:
                kept[text] = known
        value, note = known
        if note is not None:
            notes.append(note)
        return None if value is None else convert(value, notes)

    return translate


def _instant(parser: InstantParser, label: str) -> Convert:
    def convert(text: str, notes: Notes) -> Value:
        try:
            instant, oddity = parser.parse(text)
        except NotAnInstant as problem:
            notes.append(error(0, "bad-time", str(problem), label))
            return None
        if oddity:
            notes.append(flag(0, oddity, ODDITIES[oddity], label))
        return instant

    return convert


def _day(formats: list[str], label: str) -> Convert:
    parse = day_parser(formats)

    def convert(text: str, notes: Notes) -> Value:
        try:
            return parse(text)
        except NotAnInstant as problem:
            notes.append(error(0, "bad-day", str(problem), label))
            return None

    return convert


def _integer(field: TargetField, label: str) -> Convert:
    bad = error(0, "bad-number", f"is no whole number from {field.least} to {field.most}", label)

    def convert(text: str, notes: Notes) -> Value:
        if INTEGER.fullmatch(text) and field.least <= int(text) <= field.most:
            return int(text)
        notes.append(bad)
        return None

    return convert


def _boolean(label: str) -> Convert:
    bad = error(0, "bad-boolean", f"is none of {', '.join(TRUTHS)}", label)

    def convert(text: str, notes: Notes) -> Value:
        value = TRUTHS.get(text.lower())
        if value is None:
            notes.append(bad)
        return value

    return convert


def _code(rule: FieldRule, label: str) -> Convert:
    too_long = error(0, "code-too-long", f"a code has at most {LONGEST_CODE} characters", label)

    def convert(text: str, notes: Notes) -> Value:
        if rule.make_code:
            return make_code(text, rule.prefix)
        code = rule.prefix + (text if text.isascii() else unicodedata.normalize("NFC", text))
        if len(code) <= LONGEST_CODE:
            return code
        notes.append(too_long)
        return None

    return convert


def _choice(field: TargetField, label: str) -> Convert:
    unknown = error(0, "unknown-code", f"is none of {', '.join(sorted(field.choices))}", label)

    def convert(text: str, notes: Notes) -> Value:
        if text in field.choices:
            return text
        notes.append(unknown)
        return None

    return convert


def _text(field: TargetField, label: str, *, shorten: bool) -> Convert:
    shortened = flag(0, "text-shortened", f"only the first {field.longest} characters were taken", label)

    def convert(text: str, notes: Notes) -> Value:
        if len(text) <= field.longest:
            return text
        if not shorten:
            notes.append(shortened)
        return text[: field.longest]

    return convert
