"""The page from which administrators write schemes: every example on it is put to the test, in both languages."""

import csv
import re
from pathlib import Path
from typing import Any

import pytest

from services.assessment.domain.rules.faults import BadRules
from services.assessment.domain.rules.formulas import FUNCTIONS, GROUP_FUNCTIONS
from services.assessment.domain.rules.kind_reading import READERS
from services.assessment.domain.rules.scheme_reading import read_rule_document, read_rule_scheme
from services.assessment.importing.sheets import compare, value_of
from services.assessment.importing.tables import lay_out, read_table
from tests.unit.assessment.rules.schemes import HEAD, told
from tests.unit.assessment.rules.second_opinion import evaluate_twice

DOCS = Path(__file__).parents[4] / "docs"
PAGES = [DOCS / "schemes.md", DOCS / "schemes.zh-CN.md"]
EXAMPLE = re.compile(r"```toml example\n(.*?)```\n+```csv\n(.*?)```", re.DOTALL)


def examples(page: Path) -> list[tuple[str, str]]:
    return EXAMPLE.findall(page.read_text("utf-8"))


@pytest.mark.parametrize(
    ("rule", "table"),
    [
        pytest.param(*one, id=f"{page.name}-{number}")
        for page in PAGES
        for number, one in enumerate(examples(page), start=1)
    ],
)
def test_an_example_comes_to_what_the_page_says(rule, table):
    """Columns that the rule does not make are measures; the others are what it must come to."""
    rows = list(csv.reader(table.splitlines()))
    made = {"total", "grade", "place", *re.findall(r"^\[(?:items|values|sections)\.(\w+)\]", rule, re.MULTILINE)}
    measures = [name for name in rows[0] if name not in made]
    stated = "" if "[measures]" in rule else "[measures]\n" + "".join(f'{name} = "{name}"\n' for name in measures)
    scheme = read_rule_scheme(HEAD + stated + rule)
    lines = [["unit", *measures]]
    lines += [[f"u{number}", *row[: len(measures)]] for number, row in enumerate(rows[1:])]

    outcome = evaluate_twice(HEAD + stated + rule, lay_out(lines, scheme)[0])

    results = rows[0][len(measures) :]
    assert results
    for at, row in enumerate(rows[1:]):
        cells = dict(zip(rows[0], row, strict=True))
        found = {name: told(value_of(outcome, name, at)) or "" for name in results}
        assert found == {name: cells[name] for name in results}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_whole_example_gives_the_published_scores(page):
    text = page.read_text("utf-8")
    document = re.findall(r"```toml scheme\n(.*?)```", text, re.DOTALL)[0]
    scheme = read_rule_scheme(document)
    table, published = read_table(re.findall(r"```csv table\n(.*?)```", text, re.DOTALL)[0].encode(), scheme)

    compared = compare(evaluate_twice(document, table), published)

    assert [(one.name, one.compared, one.differences) for one in compared] == [("total", 3, ())]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_page_tells_of_every_kind_function_and_key(page):
    """What the reader takes, found by reading a scheme of every kind, is on the page."""
    text = page.read_text("utf-8")
    names = {name.removeprefix("group_").removeprefix("all_") for name in GROUP_FUNCTIONS}

    assert [kind for kind in READERS if f"**{kind}**" not in text] == []
    assert [name for name in {*FUNCTIONS, *names} if not re.search(rf"\b{name}\b|_{name}\b", text)] == []
    assert [key for key in known_keys() if not re.search(rf"`[^`]*\b{key}\b[^`]*`|^{key} =", text, re.MULTILINE)] == []


def known_keys() -> set[str]:
    """Each table's own list of what it knows, as it gives it to whoever writes something else."""
    probes: list[dict[str, Any]] = [
        {"table": {"?": 1}}, {"measures": {"a": {"column": "a", "?": 1}}}, {"rounding": {"?": 1}}, {"total": {"?": 1}},
        {"groups": {"?": 1}}, {"validity": {"from": "2024-01-01", "?": 1}}, {"overall": {"?": 1}},
        {"overall": {"first": {"by": ["x"], "?": 1}}},
        {"gates": [{"when": 1, "effect": "no_rank", "?": 1}]}, {"grades": [{"grade": "a", "?": 1}]},
        {"rankings": [{"?": 1}]}, {"flags": [{"when": 1, "?": 1}]}, {"sections": {"s": {"?": 1}}},
        *({"items": {"x": KINDS[kind] | {"kind": kind, "?": 1}}} for kind in READERS),
    ]  # fmt: skip
    keys: set[str] = set()
    for probe in probes:
        with pytest.raises(BadRules, match=r"does not know \?; known here: ") as refusal:
            read_rule_document({"format": 1, "name": "x", "version": 1, "items": PLAIN, **probe})
        keys |= set(refusal.value.detail.split("known here: ")[1].split(", "))
    return keys


PLAIN = {"x": {"kind": "formula", "formula": "1"}}
VALUE: dict[str, Any] = {"value": "1", "full": 1}
KINDS: dict[str, dict[str, Any]] = {
    "formula": {"formula": "1"},
    "proportional": VALUE,
    "target_slope": VALUE | {"target": 1, "slope": 1},
    "bands": {"value": "1", "bands": [{"at_least": 1, "points": 1}]},
    "interpolate": {"value": "1", "points": [[1, 1], [2, 2]]},
    "lookup": {"value": "1", "table": {"a": 1}},
    "best_ratio": VALUE,
    "rank_points": {"value": "1", "first": 1, "step": 1},
    "quantile_bands": {"value": "1", "bands": [{"top": 1, "points": 1}]},
    "deduction": {"count": 1, "each": 1},
    "bonus": {"lines": [{"count": 1, "each": 1}]},
    "weighted_mean": {"parts": {"x": 1}},
}
