"""The organisation tree, walked upward: to its root, to where the register ends, and never round and round."""

from uuid import UUID

from services.assessment.domain.organisations import DEEPEST, depth_of, line_of

COUNTY, TOWN, VILLAGE, UNHEARD_OF = (UUID(int=number) for number in range(1, 5))


def test_a_line_goes_up_to_the_root():
    parents = {COUNTY: None, TOWN: COUNTY, VILLAGE: TOWN}

    assert line_of(VILLAGE, parents) == [VILLAGE, TOWN, COUNTY]
    assert [depth_of(one, parents) for one in (COUNTY, TOWN, VILLAGE)] == [0, 1, 2]


def test_a_line_ends_below_what_the_register_has_not_told_of():
    assert line_of(VILLAGE, {VILLAGE: TOWN, TOWN: UNHEARD_OF}) == [VILLAGE, TOWN]
    assert line_of(UNHEARD_OF, {}) == [UNHEARD_OF]


def test_a_circle_ends_and_so_does_what_is_deeper_than_any_office():
    round_and_round = {VILLAGE: TOWN, TOWN: COUNTY, COUNTY: TOWN}
    deep = {UUID(int=number): UUID(int=number - 1) for number in range(1, 100)} | {UUID(int=0): None}

    assert line_of(VILLAGE, round_and_round) == [VILLAGE, TOWN, COUNTY]
    assert len(line_of(UUID(int=99), deep)) == DEEPEST == 32
