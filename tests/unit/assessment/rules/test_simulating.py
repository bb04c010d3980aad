"""Two schemes on one table: who moves, what saturates, what is told apart."""

from fractions import Fraction

import pytest

from services.assessment.domain.rules.faults import BadTable
from services.assessment.importing.commands import simulate_command
from services.assessment.scoring.simulating import simulate
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
