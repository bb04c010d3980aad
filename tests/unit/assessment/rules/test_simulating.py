"""Two schemes on one table: who moves, what saturates, what is told apart."""

from fractions import Fraction

import pytest

from services.assessment.domain.rules.faults import BadTable
from services.assessment.domain.rules.scheme_reading import read_rule_scheme
from services.assessment.importing.commands import simulate_command
from services.assessment.importing.tables import lay_out
from services.assessment.scoring.evaluating import evaluate
from services.assessment.scoring.results import Outcome
from services.assessment.scoring.simulating import Separation, simulate, texts_of
from tests.unit.assessment.rules.schemes import HEAD, outcome_of

OLD = (
    '[measures]\nrate = "rate"\narea = { column = "area", type = "text" }\n[items.x]\nkind = "target_slope"\n'
    'value = "rate"\ntarget = 90\nfull = 100\nslope = 2\n'
)
NEW = OLD.replace("target = 90", "target = 98")
ROWS: dict[str, list[object]] = {"a": [99, "N"], "b": [95, "N"], "c": [90, "S"], "d": [40, "S"], "e": ["", "S"]}


def simulation(tolerance: int = 1):
    before, after = outcome_of(OLD + 'missing = "no_score"', ROWS), outcome_of(NEW + 'missing = "zero"', ROWS)
    return simulate(before, after, by={"area": ["N", "N", "S", "S", "S"]}, tolerance=Fraction(tolerance))


def test_who_moves_by_how_much_and_in_which_area():
    found = simulation()

    assert [(one.subject, one.change, one.place_before, one.place_after) for one in found.movements] == [
        ("a", 0, 1, 1), ("b", -6, 1, 2), ("c", -16, 1, 3), ("d", 0, 4, 4), ("e", None, None, None),
    ]  # fmt: skip
    north, south = found.by_group
    assert (north.value, north.compared, north.mean_change, north.falling, north.mean_climb) == (
        "N", 2, -3, 1, Fraction(-1, 2),
    )  # fmt: skip
    assert (south.subjects, south.compared, south.gained_score, south.lost_score) == (3, 2, 1, 0)


def test_what_saturates_and_what_is_told_apart():
    found = simulation()

    assert [(one.subjects, one.at_ceiling, one.at_floor) for one in found.saturation_before] == [(4, 3, 1)]
    assert [(one.subjects, one.at_ceiling, one.at_floor) for one in found.saturation_after] == [(4, 1, 1)]
    before, after = found.separation_before, found.separation_after
    assert (before.scored, before.distinct, before.tied, before.unclear_neighbours) == (4, 2, 3, 2)
    assert (after.scored, after.distinct, after.tied, after.unclear_neighbours) == (5, 4, 2, 1)
    assert before.mean_interval == Fraction(10, 4)  # three who see three, one alone
    assert simulation(tolerance=100).separation_after.mean_interval == 5


def test_the_rows_must_be_the_same():
    with pytest.raises(BadTable, match="different rows"):
        simulate(outcome_of(OLD, {"a": [1, "N"]}), outcome_of(OLD, {"b": [1, "N"]}), by={}, tolerance=Fraction(1))


PLAIN = (
    '[measures]\na = "a"\nb = "b"\n[items.x]\nkind = "formula"\nformula = "{}"\nmissing = "no_score"\n'
    '[items.y]\nkind = "formula"\nformula = "a * 0"\nmissing = "zero"\n'
)


def by_month(formula: str, *lines: tuple[str, str, object, object]) -> Outcome:
    scheme = read_rule_scheme(HEAD + 'period = "month"\n' + PLAIN.format(formula))
    table = [["unit", "month", "a", "b"], *([unit, month, str(a), str(b)] for unit, month, a, b in lines)]
    return evaluate(scheme, lay_out(table, scheme)[0])


def test_the_same_subjects_of_another_period_are_other_rows():
    with pytest.raises(BadTable, match="different rows"):
        simulate(by_month("a", ("u", "1月", 1, 1)), by_month("a", ("u", "2月", 1, 1)), by={}, tolerance=Fraction(1))


def test_places_are_by_period_and_among_those_whom_both_schemes_give_a_total():
    lines = [("u", "1月", 90, 50), ("v", "1月", 80, 60), ("w", "1月", 95, ""), ("x", "1月", "", 99), ("u", "2月", 7, 7)]

    found = simulate(by_month("a", *lines), by_month("b", *lines), by={}, tolerance=Fraction(1)).movements

    assert [(one.subject, one.period, one.place_before, one.place_after, one.climbs) for one in found] == [
        ("u", "1月", 1, 2, -1), ("v", "1月", 2, 1, 1), ("w", "1月", None, None, None), ("x", "1月", None, None, None),
        ("u", "2月", 1, 1, 0),
    ]  # fmt: skip


def test_a_group_says_who_rises_falls_gains_and_loses_a_score():
    rows: dict[str, list[object]] = {
        "u": [10, 13],
        "v": [20, 21],
        "w": [30, "29.5"],
        "x": [40, 40],
        "y": [5, ""],
        "z": ["", 5],
        "q": ["", ""],
    }
    before, after = (outcome_of(PLAIN.format(name), rows) for name in ("a", "b"))

    by = {"area": ["S", "N", "N", "N", "N", "N", "S"], "post": ["clerk"] * 7}
    found = simulate(before, after, by=by, tolerance=Fraction(1)).by_group

    assert [(one.column, one.value) for one in found] == [("area", "N"), ("area", "S"), ("post", "clerk")]
    assert [
        (one.subjects, one.compared, one.rising, one.falling, one.gained_score, one.lost_score, one.mean_change)
        for one in found
    ] == [
        (5, 3, 1, 1, 1, 1, Fraction(1, 6)), (2, 1, 1, 0, 0, 0, 3), (7, 4, 2, 1, 1, 1, Fraction(7, 8)),
    ]  # fmt: skip


LIMITED = (
    '[measures]\na = "a"\nb = "b"\n[items.x]\nkind = "formula"\nformula = "a"\n{}missing = "zero"\n'
    '[items.y]\nkind = "formula"\nformula = "b"\nfull = 10\nmissing = "zero"\n'
)


def saturation_of(limits: str, rows: dict[str, list[object]]) -> list[tuple[str, int, int, int]]:
    outcome = outcome_of(LIMITED.format(limits), rows)
    found = simulate(outcome, outcome, by={}, tolerance=Fraction(1)).saturation_after
    return [(one.key, one.subjects, one.at_ceiling, one.at_floor) for one in found]


def test_ends_are_the_limits_else_the_full_mark_and_nothing_and_who_has_no_data_stands_at_neither():
    rows: dict[str, list[object]] = {
        "u": [60, 10],
        "v": [50, 12],
        "w": [-5, 0],
        "x": [-4, -1],
        "y": ["", ""],
        "z": ["0.5", 9],
        "q": [0, 9],
    }

    assert saturation_of("ceiling = 50\nfloor = -4\n", rows) == [("x", 6, 2, 2), ("y", 6, 2, 2)]
    assert saturation_of("", rows) == [("x", 6, 0, 3), ("y", 6, 2, 2)]
    assert saturation_of('ceiling = "b * 5"\nfloor = "b - 12"\n', {"u": [60, 12], "v": [9, 4], "w": [0, ""]}) == [
        ("x", 3, 1, 0), ("y", 2, 1, 0),
    ]  # fmt: skip


def separation_of(totals: list[object], tolerance: str) -> Separation:
    outcome = outcome_of(PLAIN.format("a"), {f"u{at}": [total, 0] for at, total in enumerate(totals)})
    return simulate(outcome, outcome, by={}, tolerance=Fraction(tolerance)).separation_before


def test_how_far_totals_lie_apart_is_told_in_points_and_in_places():
    found = separation_of([70, 95, 80, 60, ""], "10")

    assert (found.scored, found.distinct, found.tied) == (4, 4, 0)
    assert found.middle_half == Fraction("16.25")  # from 67.5 to 83.75
    assert found.spread is not None
    assert round(float(found.spread), 4) == 12.9301
    assert found.unclear_neighbours == 2  # 80 and 70, 70 and 60: ten apart, and ten are not told apart
    assert found.mean_interval == 2  # 95 alone; 80 with one, 70 with two, 60 with one more
    assert separation_of([70, 95, 80, 60], "9.99").unclear_neighbours == 0
    assert separation_of([70, 95, 80, 60], "9.99").mean_interval == 1


def test_of_nobody_with_a_total_nothing_is_told_apart():
    found = separation_of(["", ""], "1")

    assert (found.scored, found.distinct, found.tied, found.unclear_neighbours) == (0, 0, 0, 0)
    assert (found.spread, found.middle_half, found.mean_interval) == (None, None, None)


def test_only_texts_name_a_group():
    assert texts_of(["N", None, Fraction(3), ("x", "y")]) == ("N", "", "", "")


def test_the_command_reports_and_writes_the_movements(tmp_path, capsys):
    for name, rule in (("old", OLD), ("new", NEW)):
        tmp_path.joinpath(f"{name}.toml").write_text(HEAD + rule, "utf-8")
    rows = "".join(f"{unit},{rate},{area}\n" for unit, (rate, area) in ROWS.items() if rate)
    tmp_path.joinpath("table.csv").write_text(f"unit,rate,area\n{rows}", "utf-8")
    files = ["--scheme", tmp_path / "new.toml", "--against", tmp_path / "old.toml", "--table", tmp_path / "table.csv"]
    more = ["--by", "area", "--language", "en", "--out", tmp_path / "moves.csv"]

    assert simulate_command([*map(str, files), *map(str, more)]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("4 subjects compared: 0 up, 2 down, 2 as before; mean change -5.50")
    assert "  c: 100.00 -> 84.00 (-16.00), place 1 -> 3" in lines
    assert "area N: 2, mean change -3.00, mean climb -0.50, 0 up, 1 down" in lines
    assert "  x: 3 at the ceiling, 1 at the floor, of 4" in lines
    assert (tmp_path / "moves.csv").read_text("utf-8-sig").splitlines()[3] == "c,,100,84,-16,1,3,-2"
    assert simulate_command([*map(str, files), "--by", "post"]) == 2
    assert "--by post: the scheme names no such" in capsys.readouterr().err
