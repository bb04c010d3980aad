"""Published tables, worked out again with the presets: every figure to the last digit, and those that cannot be.

The whole tables are read where LIANXIN_TEST_DATA names the folder that has them; excerpts lie beside this file.
"""

import csv
import itertools
import os
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from services.assessment.domain.rules.scheme_reading import read_rule_scheme
from services.assessment.importing.sheets import compare
from services.assessment.importing.tables import lay_out, read_table
from services.assessment.scoring.results import Outcome
from tests.unit.assessment.rules.schemes import told
from tests.unit.assessment.rules.second_opinion import evaluate_twice

PRESETS = Path(__file__).parents[4] / "services" / "assessment" / "presets"
EXCERPTS = Path(__file__).parent / "published"
WHOLE = Path(os.environ.get("LIANXIN_TEST_DATA", "")) / "tables"


@pytest.fixture(params=["excerpt", "whole"])
def tables(request: pytest.FixtureRequest) -> Path:
    if request.param == "excerpt":
        return EXCERPTS
    if not os.environ.get("LIANXIN_TEST_DATA") or not WHOLE.is_dir():
        pytest.skip("LIANXIN_TEST_DATA names no folder with the whole tables")
    return WHOLE


def put(preset: str, file: Path) -> tuple[Outcome, dict[str, int]]:
    """The outcome, and how many published figures were compared by name, all of them equal."""
    text = (PRESETS / f"{preset}.toml").read_text("utf-8")
    table, published = read_table(file.read_bytes(), read_rule_scheme(text))
    outcome = evaluate_twice(text, table)
    compared = compare(outcome, published)
    assert [difference for one in compared for difference in one.differences] == []
    return outcome, {one.name: one.compared for one in compared}


def test_panjin_gives_the_score_of_every_unit(tables):
    outcome, compared = put("panjin-hotline-2023", tables / "panjin_2023_hotline_scores.csv")

    assert compared == {"total": 6}
    assert [told(one.total) for one in outcome.totals] == ["99.3", "99.2", "99.1", "97.4", "100", "99"]


def test_panjins_weights_are_the_only_ones_on_a_grid_of_five(tables):
    """How they were recovered. What is left over lies on rates of 100, but for one of 99.96."""
    rows = _records(tables / "panjin_2023_hotline_scores.csv")
    fitting = [
        weights
        for weights in itertools.product(range(0, 105, 5), repeat=2)
        if sum(weights) <= 100 and all(_fits_panjin(row, *map(Decimal, weights)) for row in rows)
    ]

    assert fitting == [(20, 30)]


def _records(file: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(file.read_text("utf-8").splitlines()))


def _fits_panjin(row, completion, satisfaction):
    score = 100 - (completion * (100 - Decimal(row["completion_rate_pct"]))) / 100
    score -= satisfaction * (100 - Decimal(row["satisfaction_rate_pct"])) / 100
    score -= (100 - completion - satisfaction) / 2 * (100 - Decimal(row["valid_callback_rate_pct"])) / 100
    return score.quantize(Decimal("0.1"), ROUND_HALF_UP) == Decimal(row["score"])


@pytest.mark.parametrize(("preset", "from_period", "expected"), [("1", "2021-07", 7), ("2", "2022-08", 7)])
def test_lianyungang_gives_every_item_score(tables, preset, from_period, expected):
    text = (PRESETS / f"lianyungang-hotline-{preset}.toml").read_text("utf-8")
    lines = _widen(tables / "lianyungang_item_scores.csv", lambda period: (period >= "2022-08") == (preset == "2"))
    table, published = lay_out(lines, read_rule_scheme(text))

    compared = compare(evaluate_twice(text, table), published)

    assert [difference for one in compared for difference in one.differences] == []
    assert sum(one.compared for one in compared) == expected
    assert table.periods[0] == from_period


@pytest.mark.parametrize(
    ("item", "from_period", "full", "floor", "expected"),
    [
        ("按时办结率", "2021-07", 20, 0, {(95, "1")}),
        ("省派工单满意率", "2022-08", 25, "12.5", {(98, "0.5")}),
    ],
)
def test_lianyungangs_targets_and_slopes_are_the_only_ones_on_a_grid(item, from_period, full, floor, expected, tables):
    """How they were recovered, where the bulletins print enough. Signing in has only zeros: there they are assumed."""
    rows = [row for row in _records(tables / "lianyungang_item_scores.csv") if row["item"] == item]
    pairs = [(row["rate_pct"] or "80", row["published_item_score"]) for row in rows if row["period"] >= from_period]

    fitting = {
        (target, slope)
        for target, slope in itertools.product(range(80, 101), ("0.25", "0.5", "0.75", "1", "1.5", "2"))
        if all(_fits_slope(pair, (full, target, slope, floor)) for pair in pairs)
    }

    assert fitting == expected


def _fits_slope(pair, parameters):
    rate, score = map(Decimal, pair)
    full, target, slope, floor = map(Decimal, parameters)
    points = max(floor, full - slope * max(Decimal(0), target - rate))
    return points.quantize(Decimal("0.01"), ROUND_HALF_UP) == score


def _widen(file, wanted):
    """One row for each unit and month, with the printed rate or counts and the printed score of each item."""
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for row in _records(file):
        if not wanted(row["period"]):
            continue
        cells = rows.setdefault((row["period"], row["unit"]), {"period": row["period"], "unit": row["unit"]})
        cells[row["item"]] = row["rate_pct"]
        cells[f"{row['item']}得分"] = row["published_item_score"]
        if row["numerator"]:
            cells |= {"按时办结数": row["numerator"], "应办结数": row["denominator"]}
    header = list(dict.fromkeys(name for cells in rows.values() for name in cells))
    return [header, *([cells.get(name, "") for name in header] for cells in rows.values())]


def test_lianyungang_ranks_inside_the_groups(tables):
    _, compared = put("lianyungang-ranks", tables / "lianyungang_group_ranks.csv")

    assert compared == {"place": 45 if tables == WHOLE else 18}


# What the sources print otherwise than their own counts say: cut off instead of rounded, or simply wrong.
CUT_OFF = {("泰州12345", "接通率"), ("淮北12345市长热线", "建议类占比"), ("君山区热线", "农林水利类占比"),
           ("湘阴12345", "其他咨询占比")}  # fmt: skip
WRONG = {
    ("君山区热线", "2020全年", "回访不满意率"),
    ("君山区热线", "2021-Q3", "人社类占比"),
    ("君山区热线", "2021-Q3", "住建类占比"),
    ("湘阴12345", "2024-08", "返工率"),
    ("湘阴12345", "2024-08", "回访不满意率"),
    ("宁国热线留言", "2021-08", "按时结案率"),
    ("唐山12345(分母=公布总量284406)", "2024-11", "咨询类占比"),
}


def test_published_rates_are_their_counts_rounded_half_up(tables):
    """Of 94 rates 83 are; 4 are cut off, 7 are not what their counts give."""
    text = (PRESETS / "rates.toml").read_text("utf-8")
    rows = list(csv.reader((tables / "rate_checks.csv").read_text("utf-8").splitlines()))
    lines = [["row", *rows[0]], *([str(number), *row] for number, row in enumerate(rows[1:]))]
    table, published = lay_out(lines, read_rule_scheme(text))
    outcome = evaluate_twice(text, table)

    different = {int(one.subject) for one in compare(outcome, published)[0].differences}
    cut_off = {at for at in different if told(outcome.columns["cut"][at]) == told(Fraction(rows[at + 1][5]))}

    assert {(rows[at + 1][0], rows[at + 1][2]) for at in cut_off} == {
        one for one in CUT_OFF if any((row[0], row[2]) == one for row in rows)
    }
    assert {tuple(rows[at + 1][:3]) for at in different - cut_off} == {
        one for one in WRONG if any(tuple(row[:3]) == one for row in rows)
    }
    if tables == WHOLE:
        assert (len(rows) - 1, len(different), len(cut_off)) == (94, 11, 4)
