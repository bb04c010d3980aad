"""Whatever comes in, in whichever months: no sums of releases, however combined, come down to fewer than k people."""

from datetime import date
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as some

from services.assessment.domain.periods import Period, parse_period
from services.assessment.domain.releases import (
    Answer,
    Holder,
    Release,
    form_releases,
    tell_cadre,
    tell_organisations,
)
from tests.integration.assessment.solver import find_isolated
from tests.integration.assessment.worlds import PERIODS

UNITS = tuple(UUID(int=0x100 + number) for number in range(4))
PARENTS = {UNITS[0]: None, UNITS[1]: UNITS[0], UNITS[2]: UNITS[0], UNITS[3]: UNITS[1]}
CADRES = tuple(UUID(int=0x200 + number) for number in range(3))
PERIODS_ASKED = tuple(parse_period(label) for label in PERIODS)

# Who rated (None: unknown), whom, in which unit, in which month it came in, to which question.
given_answers = some.lists(
    some.tuples(
        some.one_of(some.none(), some.integers(1, 8)),
        some.sampled_from(CADRES),
        some.sampled_from(UNITS),
        some.integers(1, 12),
        some.sampled_from(("level", "level", "solved")),
    ),
    max_size=60,
)


def live_through(answers: dict[int, list[Answer]], k: int) -> list[Release]:
    waiting: list[Answer] = []
    formed: list[Release] = []
    for month in range(1, 13):
        waiting += answers.get(month, [])
        begun = {
            (release.question, release.holder): date(2025, release.last_month.month + 1, 1)
            for release in formed  # in the order of their months, so that the last one stands
        }
        new = form_releases(waiting, date(2025, month, 1), begun=begun, parents=PARENTS, raters_needed=k)
        told = {(release.question, rating_id) for release in new for rating_id in release.rating_ids}
        waiting = [answer for answer in waiting if (answer.question, answer.rating_id) not in told]
        formed += new
    return formed


def rows_shown(formed: list[Release]) -> list[frozenset[tuple[str, UUID]]]:
    """The answers in every figure of every cadre, unit and period."""
    rows = []
    for question in ("level", "solved"):
        mine = [release for release in formed if release.question == question]
        for period in PERIODS_ASKED:
            for cadre_id in CADRES:
                blocks = [release for release in mine if release.holder == Holder(kind="cadre", id=cadre_id)]
                if tell_cadre(blocks, period) is not None:
                    rows.append(answers_of(blocks, period))
            for unit in tell_organisations(mine, PARENTS, period):
                below = [release for release in mine if tell_organisations([release], PARENTS, period).get(unit)]
                rows.append(answers_of(below, period))
    return rows


def answers_of(releases: list[Release], period: Period) -> frozenset[tuple[str, UUID]]:
    return frozenset(
        (release.question, rating_id)
        for release in releases
        if release.first_month >= period.start and release.last_month <= period.end
        for rating_id in release.rating_ids
    )


@settings(max_examples=150, deadline=None)
@given(given_answers, some.integers(2, 5))
def test_no_combination_of_figures_comes_down_to_fewer_than_k(drawn, k):
    answers: dict[int, list[Answer]] = {}
    rater_of = {}
    for number, (rater, cadre_id, unit, month, question) in enumerate(drawn):
        answer = Answer(
            rating_id=UUID(int=number + 1),
            question=question,
            holder=Holder(kind="cadre", id=cadre_id),
            organisation_id=unit,
            rater=None if rater is None else UUID(int=rater),
            positive=number % 2 == 0,
        )
        answers.setdefault(month, []).append(answer)
        rater_of[question, answer.rating_id] = answer.rater

    formed = live_through(answers, k)

    told = [(release.question, rating_id) for release in formed for rating_id in release.rating_ids]
    assert len(told) == len(set(told))
    assert find_isolated(rows_shown(formed), rater_of, k) is None
