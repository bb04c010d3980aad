"""A scheme file read whole: strictly, within bounds, with the place of each fault."""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final, Literal

from services.assessment.domain.rules.faults import BadRules
from services.assessment.domain.rules.ordering import check_names, order_steps
from services.assessment.domain.rules.outcome_reading import (
    read_flags,
    read_gates,
    read_grades,
    read_overall,
    read_rankings,
    read_total,
)
from services.assessment.domain.rules.reading import Keys, check_code, check_name, read_text
from services.assessment.domain.rules.schemes import TOTAL, Layout, Measure, MeasureType, RuleScheme, Validity
from services.assessment.domain.rules.step_reading import Rounding, read_item, read_section, read_value
from services.assessment.domain.rules.toml_faults import tell_toml_fault

FORMAT: Final = 1
LARGEST_FILE: Final = 200_000
DEEPEST: Final = 12
MOST_STEPS: Final = 300
MOST_SUBJECT_COLUMNS: Final = 4
MOST_HEADER_ROWS: Final = 3
LATEST_HEADER: Final = 50
MOST_BITS: Final = 63  # of a whole number in TOML, without its sign


def read_rule_scheme(text: str) -> RuleScheme:
    """Raises BadRules."""
    return read_rule_document(parse_document(text))


def parse_document(text: str) -> dict[str, Any]:
    """The file as tables, numbers exact. Raises BadRules."""
    if len(text.encode(errors="replace")) > LARGEST_FILE:
        raise BadRules("scheme", f"is larger than {LARGEST_FILE} bytes")
    try:
        document = tomllib.loads(text, parse_float=Decimal)
        _check_bounds(document, 0)
    except tomllib.TOMLDecodeError as error:
        raise tell_toml_fault(text, str(error)) from None
    except (RecursionError, ValueError, ArithmeticError):
        raise BadRules("scheme", "is not TOML that can be read: too deep, or a number too long") from None
    return document


def hash_document(document: Mapping[str, Any]) -> bytes:
    """Of what it says, in its order: blanks and comments do not change it."""
    canonical = json.dumps(document, ensure_ascii=False, separators=(",", ":"), default=_plain)
    return hashlib.sha256(canonical.encode()).digest()


def read_rule_document(document: Mapping[str, Any]) -> RuleScheme:
    """Raises BadRules."""
    keys = Keys("", document)
    if (stated := keys.take("format")) != FORMAT:
        raise BadRules("format", f"only {FORMAT} is known, not {stated!r}")
    rounding = _read_rounding(keys)
    measures = {key: _read_measure(key, place, value) for key, place, value in keys.named("measures")}
    values = {key: read_value(key, place, value, rounding) for key, place, value in keys.named("values")}
    items = {key: read_item(key, place, value, rounding) for key, place, value in keys.named("items")}
    sections = {key: read_section(key, place, value, rounding) for key, place, value in keys.named("sections")}
    if not values and not items:
        raise BadRules("scheme", "needs values or items")
    if len(values) + len(items) + len(sections) > MOST_STEPS:
        raise BadRules("scheme", f"has more than {MOST_STEPS} values, items and sections")
    groups, members = _read_groups(keys)
    recovered = keys.flag("recovered", default=False)
    recovery = keys.take("recovery", None)
    if recovered != (recovery is not None):
        raise BadRules("recovery", "says how, where recovered = true, and only there")
    name = check_code("name", keys.take("name"))
    scheme = RuleScheme(
        name=name,
        version=keys.whole("version", lowest=1, highest=1_000_000),
        title=keys.label("title", default=name),
        source=_optional_text(keys, "source"),
        recovery=None if recovery is None else read_text("recovery", recovery, longest=2_000),
        validity=_read_validity(keys),
        layout=_read_layout(keys),
        measures=measures,
        values=values,
        items=items,
        sections=sections,
        steps=(),
        groups=groups,
        members=members,
        total=read_total(keys, rounding),
        gates=read_gates(keys),
        grades=read_grades(keys),
        rankings=read_rankings(keys),
        flags=read_flags(keys),
        overall=read_overall(keys, rounding),
        published=_read_published(keys),
        content_hash=b"",
    )
    keys.close()
    check_names(scheme)
    # Last, when every number is known to be within bounds: 1e999999999 is short until it is written out.
    return replace(order_steps(scheme), content_hash=hash_document(document))


def _read_rounding(keys: Keys) -> Rounding:
    table = Keys("rounding", keys.take("rounding", {}))
    rounding = Rounding(
        values=table.find_formula("values"),
        items=table.find_formula("items"),
        weighted=table.find_formula("weighted"),
        sections=table.find_formula("sections"),
        total=table.find_formula("total"),
        mode=table.choice("mode", Rounding.MODES, default="half_up"),
    )
    table.close()
    return rounding


def _read_measure(key: str, place: str, value: object) -> Measure:
    """A text is the column's name; a table says more."""
    table = Keys(place, {"column": value} if isinstance(value, str) else value)
    measure = Measure(
        key=key,
        column=table.text("column", longest=200, default=key),
        type=table.choice("type", MeasureType, default="number"),
        blank=table.find_formula("blank"),
        optional=table.flag("optional", default=False),
    )
    table.close()
    if key == TOTAL:
        raise BadRules(place, "total is the name of the result")
    if measure.blank is not None and (measure.blank_value is None or measure.type in {"text", "texts"}):
        raise BadRules(place, "blank must be a plain number, and the measure one of numbers")
    return measure


def _read_groups(keys: Keys) -> tuple[tuple[str, ...], Any]:
    table = Keys("groups", keys.take("groups", {}))
    by = tuple(check_name("groups.by", name) for name in table.texts("by", default=()))
    members = table.find_formula("members")
    table.close()
    return by, members


def _read_validity(keys: Keys) -> Validity | None:
    if (value := keys.take("validity", None)) is None:
        return None
    table = Keys("validity", value)
    place = table.take("place", None)
    from_on = table.day("from", needed=True)
    until_on = table.day("until")
    validity = Validity(
        subjects=table.choice("subjects", Literal["cadre", "organisation"], default="cadre"),
        place=None if place is None else read_text("validity.place", place, longest=64),
        peer_groups=tuple(sorted(set(table.texts("peer_groups", default=())))),
        from_on=from_on,  # type: ignore[arg-type]  # a day that is needed is there
        until_on=until_on,
    )
    table.close()
    if until_on is not None and from_on is not None and until_on < from_on:
        raise BadRules("validity.until", "is before from")
    return validity


def _read_layout(keys: Keys) -> Layout:
    table = Keys("table", keys.take("table", {}))
    layout = Layout(
        subject=_read_subject(table),
        period=_optional_text(table, "period"),
        header_rows=_read_header_rows(table),
        transposed=table.flag("transposed", default=False),
        skip_subjects=table.texts("skip_subjects", default=()),
        merged=table.texts("merged", default=()),
    )
    table.close()
    return layout


def _read_header_rows(table: Keys) -> tuple[int, ...]:
    value = table.take("header_row", 1)
    rows = value if isinstance(value, list) else [value]
    if not 1 <= len(rows) <= MOST_HEADER_ROWS or any(type(row) is not int for row in rows):
        raise BadRules("table.header_row", "must be the number of a row, or a list of two or three")
    if rows != list(range(rows[0], rows[0] + len(rows))) or not 1 <= rows[0] <= LATEST_HEADER:
        raise BadRules("table.header_row", f"must be rows that follow one another, the first from 1 to {LATEST_HEADER}")
    return tuple(rows)


def _read_subject(table: Keys) -> tuple[str, ...]:
    value = table.take("subject", "subject")
    columns = value if isinstance(value, list) else [value]
    if not 1 <= len(columns) <= MOST_SUBJECT_COLUMNS:
        raise BadRules("table.subject", f"must be a heading, or a list of at most {MOST_SUBJECT_COLUMNS}")
    return tuple(read_text("table.subject", column, longest=200) for column in columns)


def _read_published(keys: Keys) -> dict[str, str]:
    table = keys.take("published", {})
    inner = Keys("published", table)
    return {check_name("published", name): inner.text(name, longest=200) for name in table}


def _optional_text(keys: Keys, key: str) -> str | None:
    value = keys.take(key, None)
    return None if value is None else read_text(keys.at(key), value, longest=2_000)


def _check_bounds(value: object, depth: int) -> None:
    if depth > DEEPEST:
        raise BadRules("scheme", f"nests deeper than {DEEPEST}")
    if isinstance(value, int) and value.bit_length() > MOST_BITS:
        raise OverflowError(f"a whole number of more than {MOST_BITS} bits")
    if isinstance(value, Mapping):
        for inner in value.values():
            _check_bounds(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _check_bounds(inner, depth + 1)


def _plain(value: object) -> str:
    """Numbers as they are worth, days as they are written."""
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)
