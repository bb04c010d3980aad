"""A cadre's records of one indicator against what is usual for such records."""

from collections.abc import Mapping
from dataclasses import replace
from math import sqrt

import pytest

from services.assessment.fair.marks import Counted, Mark
from services.assessment.fair.records import MICRO, Cadre, Dossier
from services.assessment.fair.reference import Table
from services.assessment.fair.settings import read_settings
from services.assessment.fair.standing import Residual, Standing, residuals_of, stand
from services.assessment.importing.records.cli import OWN_SETTINGS

SETTINGS = read_settings(OWN_SETTINGS.read_text("utf-8"))
CELL, RARE = ("a", "1", ""), ("b", "1", "")
TABLES = {
    "resolution": Table(mean=500_000, expected={CELL: 600_000}, scatter={CELL: 240_000}),
    "explaining": Table(mean=100_000),
    "leaving": Table(mean=100_000),
    "speed": Table(mean=700_000),
    "satisfaction": Table(mean=800_000),
}


def _counted(*marks: Mark) -> Counted:
    return Counted(dossier=Dossier(cadre=Cadre(cadre="c", peer_group="p", region="r", unit="u")), marks=list(marks))


def _mark(indicator: str, value: int, *, weight: int = MICRO, cell: tuple[str, ...] = CELL, rater: str = "") -> Mark:
    return Mark(record="i", indicator=indicator, cell=cell, value=value, weight=weight, rater=rater)


def _residuals(*marks: Mark, **habits: int) -> list[Residual]:
    return residuals_of(_counted(*marks), TABLES, habits, SETTINGS)


def test_a_standing_is_the_weighted_mean_and_how_sure_it_is() -> None:
    standing = Standing()
    standing.add(MICRO, 800_000, 200_000, 240_000)
    standing.add(MICRO // 2, 200_000, -100_000, 240_000)

    assert standing.observed == pytest.approx((0.8 + 0.5 * 0.2) / 1.5)
    assert standing.mean == pytest.approx((0.2 - 0.5 * 0.1) / 1.5)
    assert standing.effective == pytest.approx(1.5**2 / (1 + 0.25))
    assert standing.error == pytest.approx(0.24 * (1 + 0.25) / 1.5**2)
    assert standing.within == pytest.approx((0.2 - 0.1) ** 2 + 0.5 * (-0.1 - 0.1) ** 2)


def test_a_record_is_compared_with_its_kind_and_one_of_an_unknown_kind_with_all() -> None:
    known, unknown = _residuals(_mark("resolution", MICRO), _mark("resolution", MICRO, cell=RARE))

    assert (known.expected, known.residual) == (600_000, 400_000)
    assert (unknown.expected, unknown.residual) == (500_000, 500_000)
    assert stand([known, unknown], TABLES)["resolution"].noise == MICRO**2 * 240_000


def test_one_without_labels_is_compared_with_all_and_as_unsure_as_a_share_is() -> None:
    (unlabelled,) = _residuals(_mark("resolution", MICRO, cell=()))

    assert (unlabelled.expected, unlabelled.residual) == (500_000, 500_000)
    assert stand([unlabelled], TABLES)["resolution"].noise == MICRO**2 * 250_000


def test_what_does_not_weigh_or_has_no_table_yet_is_not_compared() -> None:
    assert _residuals(_mark("resolution", MICRO, weight=0), _mark("reply", MICRO)) == []


def test_a_rater_s_habit_is_taken_off() -> None:
    (kind,) = _residuals(_mark("satisfaction", MICRO, rater="wang"), wang=50_000, li=10_000)
    (unknown,) = _residuals(_mark("satisfaction", MICRO), wang=50_000)

    assert (kind.habit, kind.residual) == (50_000, 150_000)
    assert (unknown.habit, unknown.residual) == (0, 200_000)


def test_solving_late_is_never_much_worse_than_usual_in_speed() -> None:
    slow, fast = _residuals(_mark("speed", 0), _mark("speed", MICRO))

    assert (slow.residual, fast.residual) == (-50_000, 300_000)


def _excess(kind: str, found: int, others: int, tables: Mapping[str, Table] = TABLES) -> list[Residual]:
    """One in ten is usual."""
    marks = [_mark(kind, MICRO)] * found + [_mark(kind, 0)] * others
    return residuals_of(_counted(*marks), tables, {}, SETTINGS)


KINDS = pytest.mark.parametrize(("kind", "note"), [("explaining", "explained"), ("leaving", "unassessed")])


@KINDS
@pytest.mark.parametrize(("found", "others"), [(5, 5), (8, 22), (2, 1)])
def test_beyond_what_is_usual_it_counts_as_unsolved_in_part(kind: str, note: str, found: int, others: int) -> None:
    residuals = _excess(kind, found, others)

    assert [(one.mark.indicator, one.mark.value, one.mark.note) for one in residuals] == [
        ("resolution", 0, note)
    ] * found
    assert {(one.expected, one.habit, one.residual) for one in residuals} == {(600_000, 0, -600_000)}
    usual = (found + others) / 10
    excess = found - usual - 0.8 * sqrt(0.9 * usual + 0.1)
    assert sum(one.mark.weight for one in residuals) / MICRO == pytest.approx(excess, abs=1e-5)
    assert {type(one.mark.weight) for one in residuals} == {int}  # sums are exact in whatever order


@KINDS
def test_where_it_is_never_done_a_single_one_counts_for_the_most_part(kind: str, note: str) -> None:
    (alone,) = _excess(kind, 1, 0, {**TABLES, kind: Table(mean=0)})

    assert (alone.mark.note, alone.mark.weight) == (note, int((1 - 0.8 * sqrt(0.1)) * MICRO))


@KINDS
def test_cases_that_let_expect_fewer_than_none_make_no_more_of_it_than_those_that_expect_none(
    kind: str, note: str
) -> None:
    below = _excess(kind, 1, 9, {**TABLES, kind: Table(mean=-50_000)})
    former = replace(SETTINGS, values=replace(SETTINGS.values, usual_from_none=0))
    marks = [_mark(kind, MICRO), *[_mark(kind, 0)] * 9]
    (heavier,) = residuals_of(_counted(*marks), {**TABLES, kind: Table(mean=-50_000)}, {}, former)

    assert below == _excess(kind, 1, 9, {**TABLES, kind: Table(mean=0)})
    assert [one.mark.note for one in below] == [note]
    assert heavier.mark.weight == int((1 + 0.5 - 0.8 * sqrt(0.1)) * MICRO)  # what versions before 7 closed stays


@KINDS
def test_cases_that_let_expect_fewer_than_none_take_off_what_others_let_expect(kind: str, note: str) -> None:
    tables = {**TABLES, kind: Table(mean=100_000, expected={RARE: -100_000})}
    marks = [_mark(kind, MICRO)] * 5 + [_mark(kind, 0, cell=RARE)] * 3

    residuals = residuals_of(_counted(*marks), tables, {}, SETTINGS)

    excess = 5 - (0.5 - 0.3) - 0.8 * sqrt(0.9 * 0.2 + 0.1)
    assert sum(one.mark.weight for one in residuals) / MICRO == pytest.approx(excess, abs=1e-5), note


@KINDS
@pytest.mark.parametrize(("found", "others"), [(0, 5), (1, 9), (2, 11), (2, 20)])
def test_what_others_do_costs_nothing(kind: str, note: str, found: int, others: int) -> None:
    assert _excess(kind, found, others) == [], note


@KINDS
def test_too_many_cost_whatever_else_is_known(kind: str, note: str) -> None:
    tables = {name: TABLES[name] for name in ("resolution", kind)}

    assert _excess(kind, 9, 0, tables) == _excess(kind, 9, 0)
    assert [one.mark.note for one in _excess(kind, 9, 0)] == [note] * 9


@KINDS
def test_where_nothing_is_usual_yet_nothing_is_too_much(kind: str, note: str) -> None:
    for lacking in ("resolution", kind):
        tables = {name: table for name, table in TABLES.items() if name != lacking}
        assert _excess(kind, 9, 0, tables) == [], note
