"""How raters rate elsewhere."""

import pytest

from services.assessment.fair.habits import find_habits, round_half_even
from services.assessment.fair.marks import Counted, Mark
from services.assessment.fair.records import MICRO, Cadre, Dossier
from services.assessment.fair.reference import Table
from services.assessment.fair.totals import Totals

CELL, OTHER = ("a", "1", "app"), ("b", "1", "app")
USUAL = Table(mean=400_000, expected={CELL: 500_000})


def _counted(cadre: str, *ratings: tuple[str, int]) -> Counted:
    marks = [Mark("r", "satisfaction", CELL, value, MICRO, rater=rater) for rater, value in ratings]
    return Counted(dossier=Dossier(cadre=Cadre(cadre=cadre, peer_group="p", region="r", unit="u")), marks=marks)


def _habits(*everybody: Counted) -> dict[str, dict[str, int]]:
    totals = Totals()
    for one in everybody:
        totals.add(one)
    habits = find_habits(totals, USUAL, 4)
    return {one.cadre: habits.of(one) for one in everybody}


def test_a_habit_is_the_mean_difference_towards_others_drawn_to_none() -> None:
    found = _habits(
        _counted("a", ("wang", MICRO), ("wang", MICRO), ("li", 0), ("", 0)),
        _counted("b", ("wang", 0), ("zhao", MICRO), ("", MICRO)),
        _counted("c", ("zhao", 0), ("wang", 500_000)),
    )

    assert found == {
        "a": {"wang": -500_000 // (2 + 4) + 1},  # one of minus a half, one as usual; to the nearest
        "b": {"wang": 1_000_000 // (3 + 4), "zhao": -500_000 // (1 + 4)},
        "c": {"wang": 500_000 // (3 + 4) + 1, "zhao": 500_000 // (1 + 4)},
    }
    assert [list(own) for own in found.values()] == [["wang"], ["wang", "zhao"], ["wang", "zhao"]]


def test_a_rating_that_does_not_weigh_tells_of_no_habit_and_each_is_compared_with_its_kind() -> None:
    silent = _counted("a", ("wang", MICRO))
    silent.marks = [mark._replace(weight=0) for mark in silent.marks]
    elsewhere = _counted("b", ("wang", MICRO))
    elsewhere.marks = [mark._replace(cell=OTHER) for mark in elsewhere.marks]

    assert _habits(silent, elsewhere) == {"a": {}, "b": {}}
    assert _habits(_counted("a", ("wang", MICRO)), elsewhere)["a"] == {"wang": 600_000 // (1 + 4)}


@pytest.mark.parametrize(
    ("numerator", "denominator", "whole"),
    [
        (5, 2, 2),
        (7, 2, 4),
        (-5, 2, -2),
        (-7, 2, -4),
        (3, 4, 1),
        (1, 4, 0),
        (-3, 4, -1),
        (4, 2, 2),
        (2, 3, 1),
        (1, 3, 0),
    ],
)
def test_a_half_goes_to_the_even_number(numerator: int, denominator: int, whole: int) -> None:
    assert round_half_even(numerator, denominator) == whole
