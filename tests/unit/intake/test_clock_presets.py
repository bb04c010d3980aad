"""The shipped time limits: each reads, and each says what the collection of published limits says."""

import csv
from pathlib import Path

import pytest

from services.intake.domain.clocks.documents import read_rule
from services.intake.handlers.clocks.rules import PRESETS, read_presets

# Kept beside a checkout, not in it.
TABLES = [parent / "shared/data/tables/rules_time_limits.csv" for parent in Path(__file__).parents[4:]]
TABLE = next((path for path in TABLES if path.exists()), None)
UNITS = {"分钟": "minutes", "小时": "hours", "天": "natural_days", "日": "natural_days", "工作日": "working_days"}
# Two rows that one rule holds together: the longer limit is reached by an extension.
EXTENDED = {"T08": 8, "T22": 10}


def shipped():
    return [
        (name, code, document) for name, rules in read_presets().items() for code, document in sorted(rules.items())
    ]


@pytest.mark.parametrize(
    ("name", "code", "document"), shipped(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_preset_is_a_rule_with_a_source(name, code, document):
    rule = read_rule(code, 1, {key: value for key, value in document.items() if key != "rows"})

    assert code.startswith(name)
    assert rule.source
    assert document["rows"]


def test_every_row_is_a_preset_or_named_as_none():
    covered = {row for _, _, document in shipped() for row in document["rows"]}
    head = PRESETS.read_text("utf-8").split("\n[sets", 1)[0]

    left_out = {f"T{number:02}" for number in [*range(1, 4), 14, 15, 26, 27, *range(31, 39), 39, 40, 41, 42]}

    assert covered | left_out == {f"T{number:02}" for number in range(1, 43)}
    assert not covered & left_out
    assert all(row in head for row in ("T01", "T14", "T26", "T31 to T38", "T39", "T40", "T41"))


@pytest.mark.skipif(TABLE is None, reason="the collection of published limits is not at hand")
def test_presets_say_what_the_collection_says():
    assert TABLE is not None
    rows = {row["id"]: row for row in csv.DictReader(TABLE.read_text("utf-8-sig").splitlines())}

    for _, code, document in shipped():
        rule = read_rule(code, 1, {key: value for key, value in document.items() if key != "rows"})
        for number in document["rows"]:
            row = rows[number]
            assert rule.limit.unit == UNITS[row["limit_unit"]], code
            assert rule.limit.count + EXTENDED.get(number, 0) == int(row["limit_value"]), code
            assert rule.scope.valid_from.isoformat().startswith(row["effective"]), code
