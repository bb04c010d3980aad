"""Which cells a pass scores itself, and which are scored beside it."""

from datetime import date
from uuid import UUID

from services.assessment.domain.measures import NOBODY
from services.assessment.handlers.lanes import CADRES_WORTH_DIVIDING, divide
from services.assessment.storage.due import DueCell, DueSubject

MAY, JUNE = date(2025, 5, 1), date(2025, 6, 1)


def cell(organisation, cadre, month=MAY):
    cadre_id = NOBODY if cadre is None else UUID(int=1_000 + cadre)
    return DueCell(
        organisation_id=UUID(int=organisation), cadre_id=cadre_id, month=month, revision=1, correlation_id="c"
    )


def cells_of(lane):
    return {(one.organisation_id.int, one.cadre_id.int - 1_000) for one in lane.cells}


def many():
    """Ten cadres in each of as many organisations as it takes."""
    return [cell(organisation=1 + number // 10, cadre=number) for number in range(CADRES_WORTH_DIVIDING)]


def test_few_cadres_are_not_divided():
    division = divide(many()[1:], [], may_divide=True)

    assert len(division.own.cells) == CADRES_WORTH_DIVIDING - 1
    assert division.own.organisations == frozenset()
    assert division.beside.cells == []


def test_nobody_is_divided_where_there_is_no_second_connection():
    assert divide(many(), [], may_divide=False).beside.cells == []


def test_the_cadres_are_halved_along_their_organisations():
    division = divide(many(), [], may_divide=True)

    assert {place for place, _ in cells_of(division.own)} == {1, 2, 3, 4, 5}
    assert {place for place, _ in cells_of(division.beside)} == {6, 7, 8, 9, 10}
    assert {one.int for one in division.own.organisations} == {1, 2, 3, 4, 5}
    assert {one.int for one in division.beside.organisations} == {6, 7, 8, 9, 10}


def test_all_cells_of_a_cadre_are_in_one_lane_and_a_shared_organisation_is_in_none():
    division = divide([*many(), cell(10, 0), cell(10, 0, JUNE)], [], may_divide=True)

    assert {(1, 0), (10, 0)} <= cells_of(division.own)
    assert UUID(int=10) not in division.own.organisations | division.beside.organisations
    assert UUID(int=1) in division.own.organisations


def test_whoever_is_due_as_a_whole_is_scored_by_the_pass_itself():
    whole = DueSubject(subject_kind="cadre", subject_id=UUID(int=1_000 + 99), revision=1, correlation_id="c")

    division = divide([*many(), cell(11, 200)], [whole], may_divide=True)

    assert (10, 99) in cells_of(division.own)
    assert UUID(int=10) not in division.beside.organisations
    assert division.beside.cells


def test_cells_of_nobody_are_left_for_the_end():
    division = divide([*many(), cell(3, None), cell(12, None, JUNE)], [], may_divide=True)

    assert division.units == [(UUID(int=3), MAY), (UUID(int=12), JUNE)]
    assert len(division.own.cells) + len(division.beside.cells) == CADRES_WORTH_DIVIDING
