"""The engine and tools/verify_place.py on tables and schemes that nobody wrote: the same, figure by figure."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from services.assessment.domain.rules.faults import BadRules, BadTable
from services.assessment.domain.rules.formulas import FUNCTIONS, GROUP_FUNCTIONS
from services.assessment.domain.rules.kind_reading import READERS
from services.assessment.domain.rules.scheme_reading import read_rule_scheme
from services.assessment.domain.rules.schemes import RuleScheme
from services.assessment.scoring.workspace import Table, Value
from tests.unit.assessment.rules import made_up
from tests.unit.assessment.rules.second_opinion import evaluate_twice
from tests.unit.assessment.rules.test_schemes_page import known_keys
from tools import verify_place

PRESETS = sorted((Path(__file__).parents[4] / "services" / "assessment" / "presets").glob("*.toml"))

NUMBERS = st.one_of(
    st.none(),
    st.sampled_from([Fraction(0), Fraction(1), Fraction(95), Fraction(100), Fraction(-5)]),
    st.integers(0, 12).map(Fraction),
    st.decimals(-20, 400, places=2).map(Fraction),
    st.decimals(0, 100, places=12).map(Fraction),
)


def table_for(scheme: RuleScheme, text: str, draw: Callable[[st.SearchStrategy[Any]], Any]) -> Table:
    """Any table that the scheme could meet: of texts those that it names, and others."""
    texts = st.sampled_from([*sorted(set(re.findall(r"[\"']([^\"'\n]{1,8})[\"']", text)))[:20], "other", None])
    lists = st.one_of(st.none(), st.lists(st.integers(0, 9).map(Fraction), min_size=1, max_size=5).map(tuple))
    by_type: dict[str, st.SearchStrategy[Any]] = {
        "number": NUMBERS, "date": NUMBERS, "text": texts, "texts": texts, "list": lists,
        "dates": lists,
    }  # fmt: skip
    size = draw(st.integers(1, 6))
    columns: dict[str, list[Value]] = {
        key: draw(st.lists(by_type[measure.type], min_size=size, max_size=size))
        for key, measure in scheme.measures.items()
    }
    return Table(subjects=tuple(f"u{at}" for at in range(size)), periods=("",) * size, columns=columns)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda file: file.stem)
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_every_preset_comes_to_the_same_on_any_table(preset: Path, data: st.DataObject) -> None:
    text = preset.read_text("utf-8")

    try:
        evaluate_twice(text, table_for(read_rule_scheme(text), text, data.draw))
    except BadTable:
        return  # both refuse it


@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(random=st.randoms(use_true_random=False), size=st.integers(1, 9))
def test_schemes_that_nobody_would_write_come_to_the_same(random: Random, size: int) -> None:
    text = made_up.write(made_up.MadeUp(random).scheme())

    try:
        evaluate_twice(text, made_up.table_of(random, size))
    except BadRules:
        assume(False)  # noqa: FBT003 as it is written
    except BadTable:
        return


def test_the_program_knows_the_whole_language() -> None:
    """What the engine takes and the program does not would be refused there as not checked."""
    keys = set().union(
        *verify_place.TABLES.values(), *verify_place.KINDS.values(), verify_place.STEP, verify_place.ITEM
    )
    arguments = {name: bounds[0] for name, bounds in {**FUNCTIONS, **GROUP_FUNCTIONS}.items()}

    assert known_keys() - {"subject", "period", "header_row", "transposed", "skip_subjects", "merged"} <= {
        *keys, "combine", "minimum_count"
    }  # fmt: skip
    assert set(READERS) == set(verify_place.KINDS)
    assert {name: least for name, (least, _) in verify_place.ARGUMENTS.items()} == arguments


def keys_in(table: object) -> Iterator[tuple[str, object]]:
    """Each key, and each key with what it is."""
    for one in table if isinstance(table, list) else []:
        yield from keys_in(one)
    for key, value in table.items() if isinstance(table, dict) else ():
        yield key, None
        yield key, value if isinstance(value, str) else None
        yield from keys_in(value)


def test_made_up_schemes_use_all_that_the_language_has() -> None:
    """What the program knows of the language, every kind and every choice, is in them: so it is compared."""
    used: Counter[tuple[str, object]] = Counter()
    for seed in range(400):
        used.update(keys_in(made_up.MadeUp(Random(seed)).scheme()))  # noqa: S311 no secrets

    left_to_readers = {"source", "recovered", "recovery", "published", "overall", "validity", "optional"}
    tables = {key for keys in verify_place.TABLES.values() for key in keys} - verify_place.TABLES["validity"]
    rules = set().union(*verify_place.KINDS.values(), verify_place.STEP, verify_place.ITEM) - {"name"}
    assert {key for key in tables | rules if not used[key, None]} == left_to_readers
    assert [kind for kind in verify_place.KINDS if not used["kind", kind]] == []
    stated = {"escalation": ["all"]}
    for key, choices in verify_place.CHOICES.items():
        assert [one for one in stated.get(key, choices) if not used[key, one]] == [], key
    for rule in ("no_score", "zero", "full", "skip", "rescale", "group_mean"):
        assert used["missing", rule]
    functions = set(re.findall(r"[a-z_]+(?=\()", " ".join((*made_up.NUMBERS, *made_up.CONDITIONS))))
    scopes = {name.removeprefix("group_").removeprefix("all_") for name in functions}
    assert {name.removeprefix("group_").removeprefix("all_") for name in verify_place.ARGUMENTS} <= scopes
