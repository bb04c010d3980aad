"""How likely an issue is to be drawn, and what those who were called say of all: counted over every drawing."""

from fractions import Fraction
from itertools import combinations, product
from uuid import UUID

import pytest

from services.intake.domain.rating_samples import UnitCounts
from services.intake.domain.sample_findings import Called, estimate

UNIT, OTHER = UUID(int=1), UUID(int=2)
COUNTS = UnitCounts(members=6, drawn=2, self_attested=3, targeted=1)
EVERY_DRAWING = [
    (set(drawn), set(targeted)) for drawn, targeted in product(combinations(range(6), 2), combinations(range(3), 1))
]  # the first three are self-attested


def called(number, drawn, targeted, *, unit=UNIT, answer="rated", level=5):
    return Called(
        unit_id=unit,
        is_self_attested=number < 3,
        is_drawn=number in drawn,
        is_targeted=number in targeted,
        answer=answer,
        level=level if answer == "rated" else None,
    )


@pytest.mark.parametrize("number", range(6))
def test_the_chance_is_the_share_of_drawings_that_have_it(number):
    hits = sum(number in drawn | targeted for drawn, targeted in EVERY_DRAWING)

    assert COUNTS.chance(is_self_attested=number < 3) == Fraction(hits, len(EVERY_DRAWING))


def test_weighed_by_the_chance_those_who_were_called_are_as_many_as_all_on_the_average():
    denied = {0, 1, 4}
    total = Fraction()
    for drawn, targeted in EVERY_DRAWING:
        for number in (drawn | targeted) & denied:
            total += 1 / COUNTS.chance(is_self_attested=number < 3)

    assert total / len(EVERY_DRAWING) == len(denied)


def test_what_was_drawn_besides_does_not_move_how_content_citizens_are():
    at_random = [called(4, {4, 5}, set(), level=5), called(5, {4, 5}, set(), level=1)]
    besides = [called(0, set(), {0}, level=1)]

    alone, together = (estimate(some, {UNIT: COUNTS}) for some in (at_random, at_random + besides))

    assert alone.satisfied_share == together.satisfied_share == Fraction(1, 2)
    assert (together.targeted.rated, together.targeted.satisfied) == (1, 0)


def test_each_unit_counts_as_much_as_it_closed():
    units = {UNIT: COUNTS, OTHER: UnitCounts(members=60, drawn=1, self_attested=0, targeted=0)}
    members = [
        called(4, {4, 5}, set(), level=1),
        called(5, {4, 5}, set(), level=1),
        called(9, {9}, set(), unit=OTHER, level=5),
    ]

    assert estimate(members, units).satisfied_share == Fraction(60, 66)


def test_a_denial_found_by_looking_for_it_stands_for_fewer():
    members = [called(0, set(), {0}, answer="denied"), called(5, {5}, set())]
    targeted, random = (COUNTS.chance(is_self_attested=one) for one in (True, False))

    found = estimate(members, {UNIT: COUNTS})

    assert found.denied_share == (1 / targeted) / (1 / targeted + 1 / random)
    assert found.denied_share < Fraction(1, 2)


@pytest.mark.parametrize("answer", ["waiting", "silent"])
def test_of_nobody_who_answered_there_is_no_share(answer):
    found = estimate([called(5, {5}, set(), answer=answer)], {UNIT: COUNTS})

    assert found.satisfied_share is None
    assert found.denied_share is None
    assert (found.random.drawn, found.random.waiting) == (1, int(answer == "waiting"))
    assert found.unreachable_share == (None if answer == "waiting" else 0)


def test_a_number_that_leads_to_nobody_is_no_denial():
    found = estimate([called(5, {4, 5}, set(), answer="unreachable"), called(4, {4, 5}, set())], {UNIT: COUNTS})

    assert found.unreachable_share == Fraction(1, 2)
    assert found.denied_share == 0
    assert found.random.unreachable == 1
