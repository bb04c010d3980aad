"""What a rating is worth: by who gave it and how it was collected, and together never more for more of the same."""

from dataclasses import replace

import pytest

from services.assessment.fair.marks import Mark
from services.assessment.fair.ratings import mark_ratings
from services.assessment.fair.records import DAY, MICRO, Contact, Issue, Rating
from services.assessment.fair.settings import read_settings
from services.assessment.importing.records.cli import OWN_SETTINGS

SETTINGS = read_settings(OWN_SETTINGS.read_text("utf-8"))
APP = SETTINGS.ratings.app
ISSUES = {
    f"i{number}": Issue(
        issue=f"i{number}",
        category="a",
        complexity="2",
        received_at=number * DAY,
        closed_at=(number + 1) * DAY,
        complainant=f"p{number}",
    )
    for number in range(20)
}
MET = Contact(contact="v", kind="visit", occurred_at=0, recorded_at=0, citizen="p0", is_confirmed=True)
ISSUES["nobody's"] = replace(ISSUES["i0"], issue="nobody's", complainant="", closed_at=None)
CONTACTS = {"v": MET, "doubtful": replace(MET, contact="doubtful", is_confirmed=False)}
RATING = Rating(rating="r", subject_kind="issue", subject="i0", method="app", level=5, rated_at=0, rater="p0")


def _mark(*ratings: Rating) -> list[Mark]:
    return list(mark_ratings(list(ratings), ISSUES, CONTACTS, SETTINGS))


def _many(count: int, **more: object) -> list[Rating]:
    """Of as many complainants, each on a day of its own."""
    return [
        replace(
            RATING,
            rating=f"r{n}",
            subject=f"i{n}",
            rater=f"p{n}",
            rated_at=n * DAY,
            **more,  # type: ignore[arg-type]
        )
        for n in range(count)
    ]


def test_levels_are_worth_nothing_to_one() -> None:
    assert [_mark(replace(RATING, level=level))[0].value for level in range(1, 6)] == [
        0,
        250_000,
        500_000,
        750_000,
        MICRO,
    ]


@pytest.mark.parametrize(("method", "weight"), [("callback", MICRO), ("app", 700_000), ("on_site", 400_000)])
def test_whom_others_asked_weighs_most(method: str, weight: int) -> None:
    (mark,) = _mark(replace(RATING, method=method))  # type: ignore[arg-type]

    assert (mark.weight, mark.note, mark.cell) == (weight, "", ("a", "2", method))
    assert (mark.record, mark.indicator, mark.rater) == ("r", "satisfaction", "p0")


@pytest.mark.parametrize(
    "rating",
    [
        replace(RATING, rater="p1"),
        replace(RATING, rater=""),
        replace(RATING, is_complainant=False),
        replace(RATING, subject="somebody else's"),
        replace(RATING, subject_kind="contact", subject="v", rater="p1"),
        replace(RATING, subject_kind="contact", subject="doubtful"),
        replace(RATING, subject_kind="contact", subject="unknown"),
        replace(RATING, method="callback", rater="p1"),
        replace(RATING, subject="nobody's", rater=""),
    ],
)
def test_whoever_is_not_the_complainant_weighs_nothing_and_is_told_so(rating: Rating) -> None:
    (mark,) = _mark(rating)

    assert (mark.weight, mark.note) == (0, "not_the_complainant")


@pytest.mark.parametrize(
    "rating",
    [
        RATING,
        replace(RATING, rater="p1", is_complainant=True),
        replace(RATING, subject_kind="contact", subject="v"),
        replace(RATING, subject_kind="contact", subject="v", rater=""),
        replace(RATING, method="callback", rater=""),
    ],
)
def test_the_complainant_the_citizen_met_and_whoever_was_called_back_weigh(rating: Rating) -> None:
    assert _mark(rating)[0].weight > 0


def test_a_meeting_is_like_other_meetings() -> None:
    for subject in ("v", "i0"):  # whatever an issue is called
        assert _mark(replace(RATING, subject_kind="contact", subject=subject))[0].cell == ("contact", "", "app")


def test_ratings_of_one_citizen_weigh_together_no_more_than_one() -> None:
    marks = _mark(*(replace(one, rater="p0", is_complainant=True) for one in _many(3)))

    assert APP - 9 < sum(mark.weight for mark in marks) <= APP


def test_ratings_from_one_device_weigh_together_no_more_than_one_unless_all_may_use_it() -> None:
    private, public = _mark(*_many(3, device="d")), _mark(*_many(3, device="d", is_public_device=True))

    assert APP - 9 < sum(mark.weight for mark in private) <= APP
    assert sum(mark.weight for mark in public) == 3 * APP
    assert sum(mark.weight for mark in _mark(*_many(3, device=""))) == 3 * APP


@pytest.mark.parametrize("count", [2, 4, 6])
def test_ratings_of_one_hour_weigh_together_no_more_than_one_and_a_half(count: int) -> None:
    hour = [replace(one, rated_at=3_600 + place * 3_599 // (count - 1)) for place, one in enumerate(_many(count))]

    assert APP * 3 // 2 - 9 < sum(mark.weight for mark in _mark(*hour)) <= APP * 3 // 2
    just_before = replace(RATING, subject="i9", rater="p9", rated_at=3_599)
    assert _mark(just_before, *hour[:1])[0].weight == APP


def test_calls_back_share_nothing_with_each_other() -> None:
    calls = [replace(one, rated_at=0, device="d") for one in _many(5, method="callback")]
    nameless = [replace(one, rater="") for one in calls]

    assert [mark.weight for mark in _mark(*calls)] == [MICRO] * 5
    assert [mark.weight for mark in _mark(*nameless, replace(RATING, device="d"))] == [MICRO] * 5 + [APP]


def test_ratings_beyond_three_tenths_of_what_was_closed_share_the_weight() -> None:
    """Six of twenty. Calls back and meetings are not in the crowd."""
    crowd = _mark(*_many(7))
    call = replace(RATING, rating="c", method="callback", subject="i9", rater="p9")
    meeting = replace(RATING, rating="m", subject_kind="contact", subject="v", rater="", rated_at=90 * DAY)

    assert 6 * APP - 9 < sum(mark.weight for mark in crowd) <= 6 * APP
    assert [mark.weight for mark in _mark(*_many(6), call, meeting)] == [APP] * 6 + [MICRO, APP]
    assert [mark.weight for mark in _mark(*_many(7), call, meeting)] == [mark.weight for mark in crowd] + [MICRO, APP]


def test_of_what_is_open_nobody_is_expected_to_rate_yet() -> None:
    """Of ten that are closed three."""
    issues = {
        name: replace(one, closed_at=None) if place % 2 else one for place, (name, one) in enumerate(ISSUES.items())
    }

    weights = [mark.weight for mark in mark_ratings(_many(4), issues, CONTACTS, SETTINGS)]

    assert sum(weights) == pytest.approx(3 * APP, abs=9)


@pytest.mark.parametrize(
    "ratings",
    [
        [replace(one, rater="p0", is_complainant=True) for one in _many(3)],
        _many(3, device="d"),
        [replace(one, rated_at=0) for one in _many(4)],
        _many(7),
    ],
    ids=["rater", "device", "hour", "crowd"],
)
def test_weights_are_whole_numbers_whatever_they_are_shared_by(ratings: list[Rating]) -> None:
    """So that sums are exact in whatever order."""
    assert {type(number) for mark in _mark(*ratings) for number in (mark.weight, mark.value)} == {int}


def test_a_part_of_an_issue_has_that_part_of_its_rating() -> None:
    third = {"i0": replace(ISSUES["i0"], share=333_333)}

    (mark,) = mark_ratings([RATING], third, {}, SETTINGS)

    assert mark.weight == APP * 333_333 // MICRO
