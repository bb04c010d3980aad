"""Releases: how many people an answer hides among, which months make a block, what is shown of a sum of them."""

from datetime import date
from fractions import Fraction
from uuid import UUID

import pytest

from services.assessment.domain.measures import NOBODY
from services.assessment.domain.periods import parse_period, periods_ending_with
from services.assessment.domain.releases import (
    FEWEST_RATERS,
    Answer,
    Holder,
    Told,
    count_people,
    find_home,
    form_releases,
    leaves_enough,
    tell_cadre,
    tell_organisations,
)
from services.assessment.domain.rounding import measure_told, round_told

COUNTY, NORTH, SOUTH, ELSEWHERE = (UUID(int=0x100 + number) for number in range(4))
PARENTS = {COUNTY: None, NORTH: COUNTY, SOUTH: COUNTY, ELSEWHERE: None}
CADRE, OTHER = (Holder(kind="cadre", id=UUID(int=0x200 + number)) for number in range(2))
K = 3


def answers(raters, *, holder=CADRE, organisation_id=NORTH, start=0, question="level", positive=True):
    return [
        Answer(
            rating_id=UUID(int=0x900 + start + number),
            question=question,
            holder=holder,
            organisation_id=organisation_id,
            rater=None if rater is None else UUID(int=rater),
            positive=positive,
        )
        for number, rater in enumerate(raters)
    ]


def form(waiting, month, *, begun=None, k=K):
    return form_releases(waiting, month, begun=begun or {}, parents=PARENTS, raters_needed=k)


def test_one_person_who_answers_often_is_one_person():
    assert count_people(answers([1, 1, 1, 2])) == 2


def test_the_unknown_are_nobody_for_each_may_be_one_of_the_known():
    assert count_people(answers([1, 2, None, None])) == 2
    assert count_people(answers([None] * 20)) == 0


def test_a_block_needs_k_people():
    assert form(answers([1, 2, 2, None]), date(2025, 1, 1)) == []

    (block,) = form(answers([1, 2, 3, None]), date(2025, 1, 1))

    assert (block.raters, block.answers, block.first_month, block.last_month) == (
        3,
        4,
        date(2025, 1, 1),
        date(2025, 1, 1),
    )


def test_a_run_of_months_begins_where_the_last_block_ended():
    begun = {("level", CADRE): date(2025, 4, 1)}

    (block,) = form(answers([1, 2, 3]), date(2025, 6, 1), begun=begun)

    assert (block.first_month, block.last_month) == (date(2025, 4, 1), date(2025, 6, 1))


def test_questions_are_released_apart():
    waiting = answers([1, 2, 3]) + answers([1, 2], question="solved")

    assert [block.question for block in form(waiting, date(2025, 1, 1))] == ["level"]


def test_a_block_is_at_home_where_all_of_it_is():
    assert find_home([NORTH, NORTH], PARENTS) == NORTH
    assert find_home([NORTH, SOUTH], PARENTS) == COUNTY
    assert find_home([NORTH, COUNTY], PARENTS) == COUNTY
    assert find_home([NORTH, ELSEWHERE], PARENTS) is None
    assert find_home([NORTH, NOBODY], PARENTS) is None


def test_what_a_year_leaves_over_is_pooled_up_the_tree():
    waiting = [
        *answers([1, 2], start=0),
        *answers([3, 4], holder=OTHER, start=10),
        *answers([5], holder=Holder(kind="cadre", id=UUID(int=7)), organisation_id=SOUTH, start=20),
    ]

    assert form(waiting, date(2025, 11, 1)) == []
    (north,) = form(waiting, date(2025, 12, 1))
    (county,) = form(waiting, date(2025, 12, 1), k=5)

    assert (north.holder, north.raters, north.home_id) == (Holder(kind="pool", id=NORTH), 4, NORTH)
    assert (county.holder, county.raters, county.home_id) == (Holder(kind="pool", id=COUNTY), 5, COUNTY)
    assert form(waiting, date(2025, 12, 1), k=6) == []


def block(holder, first, last, *, answered=10, positive=5, home_id=NORTH):
    (made,) = form(answers([1, 2, 3], holder=holder), date(2025, 1, 1))
    return type(made)(
        question="level",
        holder=holder,
        home_id=home_id,
        first_month=date(2025, first, 1),
        last_month=date(2025, last, 1),
        answers=answered,
        positive=positive,
        raters=K,
    )


@pytest.mark.parametrize(
    ("period", "told"),
    [
        ("2025-01", True),
        ("2025-02", False),
        ("2025Q1", True),
        ("2025Q2", False),
        ("2025H1", False),
        ("2025H2", True),
        ("2025", False),
    ],
)
def test_a_cadres_period_is_told_where_blocks_make_it_up(period, told):
    blocks = [block(CADRE, 1, 1), block(CADRE, 2, 3), block(CADRE, 4, 4), block(CADRE, 7, 12)]

    assert (tell_cadre(blocks, parse_period(period)) is not None) is told


def test_a_block_that_reaches_beyond_the_period_tells_nothing_of_it():
    assert tell_cadre([block(CADRE, 1, 4)], parse_period("2025Q1")) is None
    assert tell_cadre([], parse_period("2025Q1")) is None


def test_an_organisation_is_told_the_blocks_that_are_whole_below_it():
    blocks = [
        block(OTHER, 2, 4, positive=6),
        block(CADRE, 2, 2, home_id=None),
        block(CADRE, 1, 1, positive=4),
        block(OTHER, 1, 1, positive=5, home_id=SOUTH),
    ]

    told = tell_organisations(blocks, PARENTS, parse_period("2025Q1"))

    assert told == {
        NORTH: Told(answers=10, positive=4),
        SOUTH: Told(answers=10, positive=5),
        COUNTY: Told(answers=20, positive=9),
    }


@pytest.mark.parametrize(
    ("positive", "shown"),
    [(0, None), (1, None), (2, None), (3, "3/20"), (10, "1/2"), (17, "17/20"), (18, None), (19, None), (20, None)],
)
def test_the_outer_tenths_are_one_band_each(positive, shown):
    rounded = round_told(Told(answers=20, positive=positive))

    assert rounded.is_band is (shown is None)
    if shown is not None:
        assert rounded.middle == Fraction(shown)
    assert rounded.lowest <= Fraction(positive, 20) <= rounded.highest


@pytest.mark.parametrize(
    ("positive", "lowest", "middle", "highest"),
    [(0, "0", "1/20", "1/10"), (2, "0", "1/20", "1/10"), (18, "9/10", "19/20", "1"), (20, "9/10", "19/20", "1")],
)
def test_a_band_counts_as_its_middle(positive, lowest, middle, highest):
    rounded = round_told(Told(answers=20, positive=positive))

    assert (rounded.lowest, rounded.middle, rounded.highest) == (Fraction(lowest), Fraction(middle), Fraction(highest))


@pytest.mark.parametrize(("reading", "satisfied"), [("lowest", 18), ("middle", 19), ("highest", 20)])
def test_how_satisfied_people_are_is_read_from_the_band(reading, satisfied):
    measures = measure_told({"contacts": 3}, {"level": round_told(Told(answers=20, positive=19))}, reading)

    assert measures == {"contacts": 3, "ratings": 20, "satisfied": satisfied}


def test_counts_are_told_down_to_multiples_of_five():
    assert [round_told(Told(answers=count, positive=5)).answers for count in (10, 14, 15, 19)] == [10, 10, 15, 15]


def test_what_ratings_change_is_measured_from_what_is_told_alone():
    process = {"resolved": 15, "denied": 5, "ratings": 99, "satisfied": 98, "contacts": 3}

    measures = measure_told(process, {"solved": round_told(Told(answers=10, positive=6))}, "middle")

    assert measures == {"contacts": 3, "denied": 4, "resolved": 16}


def test_the_periods_that_end_with_a_month():
    labels = {month: [period.label for period in periods_ending_with(date(2025, month, 1))] for month in (2, 3, 6, 12)}

    assert labels == {
        2: ["2025-02"],
        3: ["2025-03", "2025Q1"],
        6: ["2025-06", "2025Q2", "2025H1"],
        12: ["2025-12", "2025Q4", "2025H2", "2025"],
    }


def test_a_half_year_is_read_as_it_is_written():
    assert [parse_period(text).label for text in ("2025H1", "2025H2")] == ["2025H1", "2025H2"]


@pytest.mark.parametrize(
    ("people", "first", "month", "ends"),
    [
        (10, 1, 6, True),  # with the half-year every run may end
        (10, 7, 12, True),
        (10, 1, 5, False),  # two more to come in June
        (10, 1, 1, True),  # ten a month: fifty more to come
        (19, 5, 5, False),  # June would bring nineteen, which may turn out to be nine
        (20, 5, 5, True),
        (40, 1, 8, True),  # a run over the half-year's end: forty in eight months, twenty more in four
        (39, 1, 8, False),
    ],
)
def test_a_run_ends_early_only_where_enough_would_follow(people, first, month, ends):
    assert leaves_enough(people, date(2025, first, 1), date(2025, month, 1), raters_needed=10) == ends


def test_nothing_is_ever_told_of_fewer_than_five_people():
    assert FEWEST_RATERS == 5


def test_what_is_told_of_a_cadre_is_the_sum_in_whatever_order():
    blocks = [block(CADRE, 3, 3), block(CADRE, 1, 2)]

    told = tell_cadre(blocks, parse_period("2025Q1"))

    assert told == Told(answers=sum(one.answers for one in blocks), positive=sum(one.positive for one in blocks))


def test_a_release_has_the_same_name_whenever_it_is_formed():
    first, again, later = block(CADRE, 1, 2), block(CADRE, 1, 3), block(CADRE, 2, 3)

    assert first.release_id == again.release_id != later.release_id
    assert block(OTHER, 1, 2).release_id != first.release_id
    assert first.release_id == UUID("23b5759f-fd1c-58bb-ad20-d82fc5bf3725")  # and whoever keeps it keeps it


def test_nobody_and_what_hangs_together_nowhere_have_no_home():
    assert find_home([], PARENTS) is None
    assert find_home([NOBODY], {NOBODY: None}) is None


@pytest.mark.parametrize(
    ("positive", "share"),
    [(31, "0.3"), (32, "0.3"), (33, "0.35"), (37, "0.35"), (38, "0.4"), (50, "0.5")],
)
def test_a_share_is_told_to_the_nearest_twentieth(positive, share):
    assert round_told(Told(answers=100, positive=positive)).middle == Fraction(share)


def test_a_share_half_way_between_two_twentieths_goes_up():
    assert round_told(Told(answers=40, positive=13)).middle == Fraction("0.35")


def test_a_run_that_would_leave_too_little_behind_it_goes_on_to_the_end_of_the_half_year():
    assert form(answers([1, 2, 3]), date(2025, 4, 1)) == []

    (block,) = form(answers([1, 2, 3]), date(2025, 6, 1))
    assert (block.first_month, block.last_month) == (date(2025, 1, 1), date(2025, 6, 1))


def test_what_a_year_leaves_over_is_pooled_by_question_and_for_the_whole_year():
    level, solved = answers([1, 2], start=20), answers([1, 3], start=10, question="solved", positive=False)
    more = answers([4], holder=OTHER, organisation_id=SOUTH)
    third = Holder(kind="cadre", id=UUID(int=0x210))
    nobody = [
        *answers([5, 6], holder=OTHER, organisation_id=NOBODY, start=30, question="solved"),
        *answers([7], holder=third, organisation_id=NOBODY, start=40, question="solved"),
    ]

    (block,) = form([*more, *level, *solved, *nobody], date(2025, 12, 1))

    assert (block.question, block.holder.kind, block.home_id) == ("level", "pool", COUNTY)
    assert (block.first_month, block.last_month) == (date(2025, 1, 1), date(2025, 12, 1))
    assert (block.answers, block.positive, block.raters) == (3, 3, 3)
    assert block.rating_ids == tuple(sorted(one.rating_id for one in (*level, *more)))


def test_what_a_year_leaves_over_is_pooled_to_either_question():
    waiting = answers([1, 2], question="solved") + answers([3], holder=OTHER, start=10, question="solved")

    (pooled,) = form(waiting, date(2025, 12, 1))

    assert (pooled.question, pooled.holder.kind, pooled.raters) == ("solved", "pool", 3)
