"""Whatever is written into a scheme or a table: it reads, or it is refused with a reason. Nothing else comes out."""

from contextlib import suppress
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.assessment.domain.rules.faults import BadRules, BadTable
from services.assessment.domain.rules.formulas import FUNCTIONS, GROUP_FUNCTIONS, parse_formula
from services.assessment.domain.rules.kind_reading import READERS
from services.assessment.domain.rules.scheme_reading import read_rule_document, read_rule_scheme
from services.assessment.importing.tables import read_table
from services.assessment.scoring.evaluating import evaluate
from services.assessment.scoring.workspace import Table
from tests.unit.assessment.rules.schemes import scheme_of

KEYS = [
    *("kind", "value", "full", "target", "slope", "per", "steps", "direction", "bands", "at_least", "above", "points"),
    *("label", "otherwise", "table", "within", "first", "step", "places", "place", "count", "each", "lines", "tiers"),
    *("from", "growth", "free", "start", "at_most", "parts", "missing", "when", "floor", "ceiling", "round", "section"),
    *("weight", "name", "top", "reference"),
]
PARTS = [
    *("measures", "values", "items", "sections", "total", "gates", "grades", "rankings", "flags", "groups", "overall"),
    *("rounding", "table", "validity", "published", "recovered", "recovery", "title", "source"),
]
words = st.sampled_from(
    [*KEYS, *READERS, "a", "b", "x", "total", "none", "rescale", "a + b", "group_mean(a)", "'t'", ""]
)
leaves = st.one_of(
    words, st.text(max_size=8), st.integers(-5, 10**20), st.booleans(), st.none(),
    st.decimals(allow_nan=True, allow_infinity=True), st.dates(),
)  # fmt: skip
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(words, st.text(max_size=4)), inner, max_size=5)
    ),
    max_leaves=12,
)
SIGNS = ["+", "-", "*", "/", "<", "<=", "==", "and", "or", "not", "(", ")", ",", "1", "0.5", "a", "b", "l", "t", "'s'"]
signs = st.sampled_from([*SIGNS, *FUNCTIONS, *GROUP_FUNCTIONS])


@given(st.one_of(st.text(max_size=60), st.lists(signs, max_size=25).map(" ".join)))
def test_any_text_is_a_formula_or_is_refused(text):
    with suppress(BadRules):
        parse_formula("x", text)


@settings(max_examples=100)
@given(st.dictionaries(st.sampled_from(PARTS), trees, max_size=5))
def test_any_document_is_a_scheme_or_is_refused(parts):
    document = {"format": 1, "name": "x", "version": 1, **parts}
    with suppress(BadRules):
        read_rule_document(document)


@settings(max_examples=100)
@given(st.sampled_from(list(READERS)), st.dictionaries(st.sampled_from(KEYS), trees, max_size=8))
def test_any_item_reads_and_scores_or_is_refused(kind, keys):
    document = {
        "format": 1, "name": "x", "version": 1, "measures": {"a": "a", "b": "b"},
        "items": {"x": keys | {"kind": kind}},
    }  # fmt: skip
    numbers = [0, 1, None]
    with suppress(BadRules, BadTable):
        evaluate(read_rule_document(document), table_of(numbers))


def table_of(numbers):
    column = tuple(None if number is None else Fraction(number) for number in numbers)
    return Table(subjects=("u", "v", "w"), periods=("", "", ""), columns={"a": column, "b": column[::-1]})


FORMULA = '[measures]\na = "a"\nb = "b"\nl = { column = "l", type = "list" }\nt = { column = "t", type = "text" }\n'


@settings(max_examples=100)
@given(st.lists(signs, min_size=1, max_size=12).map(" ".join))
def test_any_formula_is_worked_out_or_is_refused(text):
    with suppress(BadRules, BadTable):
        scheme = scheme_of(FORMULA + f'[values]\nx = """{text}"""')
        evaluate(scheme, read_table("unit,a,b,l,t\nu,1,2,1;2,东\nv,,0,;3,\n".encode(), scheme)[0])


@given(st.binary(max_size=300))
def test_any_bytes_are_a_table_or_are_refused(data):
    scheme = scheme_of('[measures]\na = "a"\n[values]\nx = "a"')
    with pytest.raises(BadTable):
        read_table(data, scheme)


@given(st.text(max_size=200))
def test_any_text_is_no_scheme_by_accident(text):
    with pytest.raises(BadRules):
        read_rule_scheme(text)
