"""What is usual for a kind of case, fitted together with the cadres' own levels."""

import tomllib
from array import array

import pytest

from services.assessment.fair.dossiers import count_dossier
from services.assessment.fair.engine import fit_tables
from services.assessment.fair.freezing import freeze, write_span
from services.assessment.fair.records import MICRO
from services.assessment.fair.reference import Table, fit_table
from services.assessment.fair.totals import CellSums, Totals
from services.assessment.importing.records.cli import OWN_SETTINGS
from tests.unit.assessment.fair.few import SETTINGS
from tests.unit.assessment.fair.towns import SPAN, make_mixed_town
from tools import verify_fair

CELLS = [("easy", "1", ""), ("hard", "1", ""), ("rare", "2", "")]
PRIOR = 20


def _sums(cadre: str, **cells: tuple[int, int]) -> CellSums:
    """By the first word of the cell: so many records, so many of which are worth one and the others nothing."""
    names = [cell[0] for cell in CELLS]
    columns = [[float(count) for count, _ in cells.values()], *([float(hits) for _, hits in cells.values()],) * 2]
    return CellSums(
        cadre,
        array("I", [names.index(name) for name in cells]),
        array("d", [one for column in columns for one in column]),
    )


def _fit(*sums: CellSums, **regions: str) -> Table:
    table = fit_table(sums, CELLS, PRIOR, {one.cadre: regions.get(one.cadre, "r") for one in sums})
    assert table is not None
    return table


def test_of_one_kind_the_mean_is_usual() -> None:
    table = _fit(_sums("a", easy=(10, 7)), _sums("b", easy=(10, 5)))

    assert (type(table.mean), table.mean) == (int, 600_000)
    assert table.expected[CELLS[0]] == pytest.approx(600_000, abs=2_000)
    assert table.scatter[CELLS[0]] == pytest.approx(240_000, abs=2_000)
    assert table.expect(("unknown", "", "")) == 600_000
    assert {type(number) for numbers in (table.expected, table.scatter) for number in numbers.values()} == {int}


def test_a_mean_is_rounded_to_the_nearest_millionth() -> None:
    assert _fit(_sums("a", easy=(3, 2))).mean == 666_667


def test_hard_cases_are_expected_to_go_less_well_and_rare_ones_are_drawn_to_what_their_traits_say() -> None:
    table = _fit(*(_sums(f"c{n}", easy=(40, 32), hard=(40, 8), rare=(1, 1)) for n in range(20)))

    easy, hard, rare = (table.expected[cell] for cell in CELLS)
    assert easy == pytest.approx(800_000, abs=20_000)
    assert hard == pytest.approx(200_000, abs=20_000)
    assert 600_000 < rare < 1_000_000
    assert table.scatter[CELLS[0]] == pytest.approx(160_000, abs=20_000)


def test_whoever_has_most_of_the_hard_cases_does_not_make_them_look_harder() -> None:
    """The good one has easy cases and a few hard ones, the poor one the other way round."""
    fair = _fit(_sums("good", easy=(300, 270), hard=(30, 21)), _sums("poor", easy=(30, 18), hard=(300, 120)))

    plain = 141 / 330, 288 / 330  # hard and easy, whoever had them
    difference = (fair.expected[CELLS[0]] - fair.expected[CELLS[1]]) / 1e6
    assert 0.15 < difference < plain[1] - plain[0] - 0.1


def test_where_a_whole_region_does_well_its_cases_are_not_taken_for_easy_ones() -> None:
    pairs = [_sums(f"n{n}", easy=(60, 54)) for n in range(9)], [_sums(f"s{n}", hard=(60, 30)) for n in range(9)]
    mixed = _sums("n9", easy=(30, 27), hard=(30, 27)), _sums("s9", easy=(30, 15), hard=(30, 15))
    cadres = [*pairs[0], *pairs[1], *mixed]

    apart = _fit(*cadres, **{one.cadre: one.cadre[0] for one in cadres})
    together = _fit(*cadres)

    def gap(table: Table) -> int:
        return table.expected[CELLS[0]] - table.expected[CELLS[1]]

    assert gap(apart) < gap(together) - 20_000


def test_of_nobody_nothing_is_usual() -> None:
    assert fit_table([], CELLS, PRIOR, {}) is None


def test_tables_are_those_of_the_verifying_program() -> None:
    rules = tomllib.loads(OWN_SETTINGS.read_text("utf-8"))
    totals, people = Totals(), {}
    for dossier in make_mixed_town(6, cadres=9):
        totals.add(count_dossier(dossier, SPAN, SETTINGS))
        people[dossier.cadre.cadre] = verify_fair.count_person(freeze(dossier), set(), write_span(SPAN), rules)

    tables = fit_tables(totals, SETTINGS)

    assert len(tables) == 7
    for name, table in tables.items():
        again = verify_fair.fit(people, name, rules["adjustment"]["cell_prior"])
        assert again is not None
        assert (table.mean, table.expected, table.scatter) == (again.mean, again.expected, again.scatter)
        for cell in (*again.scatter, ("unknown", "1", ""), ()):
            assert table.vary(cell) == again.vary(cell)


@pytest.mark.parametrize(("mean", "scatter"), [(0, 0), (300_000, 210_000), (MICRO, 0), (-1, 0), (MICRO + 1, 0)])
def test_what_has_no_labels_scatters_as_a_share_does(mean: int, scatter: int) -> None:
    table, again = Table(mean=mean, scatter={CELLS[0]: 1}), verify_fair.Usual(mean, {}, {CELLS[0]: 1})

    assert (table.vary(()), table.vary(CELLS[0]), table.vary(CELLS[1])) == (scatter, 1, 0)
    assert (again.vary(()), again.vary(CELLS[0]), again.vary(CELLS[1])) == (scatter, 1, 0)
    assert type(table.vary(())) is int
