"""Short ways to write a scheme and a table in a test."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from services.assessment.domain.rules.scheme_reading import read_rule_document, read_rule_scheme
from services.assessment.domain.rules.schemes import RuleScheme
from services.assessment.importing.tables import lay_out
from services.assessment.scoring.results import Outcome
from tests.unit.assessment.rules.second_opinion import evaluate_twice

HEAD = """
format = 1
name = "test"
version = 1
title = "Test"
[table]
subject = "unit"
"""


ITEM = {"kind": "formula", "formula": "a"}


def scheme(**more: Any) -> RuleScheme:
    """One item on one measure, and what the test is about."""
    document = {"format": 1, "name": "x", "version": 1, "measures": {"a": "a"}, "items": {"x": ITEM}}
    return read_rule_document(document | more)


def scheme_of(text: str) -> RuleScheme:
    """A scheme of what the test is about; the head is given."""
    return read_rule_scheme(HEAD + text)


def outcome_of(text: str, rows: Mapping[str, Sequence[object]]) -> Outcome:
    """Rows by unit; the columns are the measures in their order in the scheme."""
    scheme = scheme_of(text)
    header = ["unit", *(measure.column for measure in scheme.measures.values())]
    lines = [header, *([unit, *map(str, cells)] for unit, cells in rows.items())]
    table, _ = lay_out(lines, scheme)
    return evaluate_twice(HEAD + text, table)


def points_of(outcome: Outcome, key: str = "x") -> list[str | None]:
    return [told(value) for value in outcome.columns[key]]


def totals_of(outcome: Outcome) -> list[str | None]:
    return [told(one.total) for one in outcome.totals]


def told(value: object) -> str | None:
    """A number as short as it goes, a text as it is."""
    if isinstance(value, Fraction):
        return str(value.numerator) if value.denominator == 1 else str(float(value))
    return None if value is None else str(value)
