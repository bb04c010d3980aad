"""No perverse incentives: whoever improves one record must not stand worse for it."""

import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from services.assessment.fair.engine import place_cadre, score
from services.assessment.fair.factor import Position
from services.assessment.fair.records import DAY, Contact, Dossier, Issue, Rating
from services.assessment.fair.settings import read_settings
from services.assessment.fair.standing import Standing, residuals_of, stand
from services.assessment.importing.records.cli import OWN_SETTINGS
from tests.unit.assessment.fair.towns import SPAN, make_town

SETTINGS = read_settings(OWN_SETTINGS.read_text("utf-8"))
SLACK = 0.01  # everybody's tables move a little with every record
TRIES = 5


def _solve(issue: Issue) -> Issue | None:
    if issue.outcome not in ("unsolved", ""):
        return None
    return replace(issue, outcome="solved", closed_at=issue.received_at + 4 * DAY)


def _solve_late(issue: Issue) -> Issue | None:
    if issue.outcome not in ("unsolved", ""):
        return None
    return replace(issue, outcome="solved", closed_at=issue.received_at + 9 * DAY)


def _solve_sooner(issue: Issue) -> Issue | None:
    if issue.outcome != "solved" or issue.closed_at is None:
        return None
    return replace(issue, closed_at=issue.received_at + (issue.closed_at - issue.received_at) // 2)


def _reply(issue: Issue) -> Issue | None:
    return None if issue.has_reply else replace(issue, has_reply=True)


def _answer_sooner(issue: Issue) -> Issue | None:
    if issue.answered_at is None:
        return None
    return replace(issue, answered_at=issue.received_at + max(600, (issue.answered_at - issue.received_at) // 2))


def _do_not_have_it_denied(issue: Issue) -> Issue | None:
    return replace(issue, is_denied=False) if issue.is_denied else None


IMPROVEMENTS: dict[str, Callable[[Issue], Issue | None]] = {
    "solve what was given up": _solve,
    "solve it late": _solve_late,
    "solve it sooner": _solve_sooner,
    "give a reply": _reply,
    "answer sooner": _answer_sooner,
    "not reopened": _do_not_have_it_denied,
}


def _points(town: list[Dossier], cadre: str) -> float:
    return _place(town, cadre).points


def _place(town: list[Dossier], cadre: str, set_aside: frozenset[str] = frozenset()) -> Position:
    return place_cadre(score(town, SPAN, SETTINGS, set_aside).frame, cadre, SETTINGS)


def _stand(town: list[Dossier], cadre: str) -> Standing:
    scored = score(town, SPAN, SETTINGS)
    one = scored.counted[cadre]
    tables = scored.frame.tables
    return stand(residuals_of(one, tables, scored.frame.habits.of(one), SETTINGS), tables)["satisfaction"]


def _check(town: list[Dossier], dossier: Dossier, improve: Callable[[], None]) -> None:
    before = _points(town, dossier.cadre.cadre)
    improve()
    assert _points(town, dossier.cadre.cadre) >= before - SLACK


@pytest.mark.parametrize("name", IMPROVEMENTS)
def test_improving_one_issue_never_costs_points(name: str) -> None:
    improve = IMPROVEMENTS[name]
    draw = random.Random(name)  # noqa: S311 - which records to try
    town = make_town(4, cadres=24)
    candidates = [
        (dossier, place, better)
        for dossier in town
        for place, issue in enumerate(dossier.issues)
        if (better := improve(issue)) is not None
    ]
    for dossier, place, better in draw.sample(candidates, min(TRIES, len(candidates))):
        former = dossier.issues[place]

        _check(town, dossier, partial(dossier.issues.__setitem__, place, better))

        dossier.issues[place] = former


def test_one_star_more_never_costs_points() -> None:
    draw = random.Random(5)  # noqa: S311
    town = make_town(4, cadres=24)
    candidates = [
        (dossier, place) for dossier in town for place, rating in enumerate(dossier.ratings) if rating.level < 5
    ]
    for dossier, place in draw.sample(candidates, TRIES):
        former = dossier.ratings[place]

        _check(town, dossier, partial(dossier.ratings.__setitem__, place, replace(former, level=former.level + 1)))

        dossier.ratings[place] = former


def _add_contact(dossier: Dossier, day: int, number: int) -> None:
    at = day * DAY
    dossier.contacts.append(
        Contact(contact=f"new{number}", kind="visit", occurred_at=at, recorded_at=at, citizen=f"n{number}")
    )


def _confirm_last_contact(dossier: Dossier) -> None:
    dossier.contacts[-1] = replace(dossier.contacts[-1], is_confirmed=True)


def test_one_more_contact_and_a_confirmed_one_never_cost_points() -> None:
    town = make_town(4, cadres=24)
    for number, dossier in enumerate(town[:TRIES]):
        _check(town, dossier, partial(_add_contact, dossier, 40 + number, number))
        _check(town, dossier, partial(_confirm_last_contact, dossier))


def test_the_twentieth_contact_of_a_week_adds_nothing() -> None:
    town = make_town(4, cadres=24)
    dossier = town[0]
    for number in range(19):
        _add_contact(dossier, 70, number)
    before = _points(town, "C000")

    _add_contact(dossier, 70, 19)

    assert _points(town, "C000") == before


def test_a_duplicated_issue_adds_nothing() -> None:
    town = make_town(4, cadres=24)
    before = _points(town, "C002")
    issue = town[2].issues[0]

    town[2].issues.append(replace(issue, issue=f"{issue.issue}-again", received_at=issue.received_at + DAY))

    assert _points(town, "C002") == before


def test_a_second_rating_of_the_same_hand_adds_no_weight() -> None:
    town = make_town(4, cadres=24)
    dossier = next(one for one in town if len(one.ratings) > 2)
    cadre = dossier.cadre.cadre
    before = _stand(town, cadre)
    rating: Rating = next(one for one in dossier.ratings if one.method == "app")

    dossier.ratings.append(replace(rating, rating="again", rated_at=rating.rated_at + DAY))

    after = _stand(town, cadre)
    assert after.weight <= before.weight


def test_what_is_set_aside_and_taken_back_leaves_no_trace() -> None:
    town = make_town(4, cadres=24)
    before = [_place(town, one.cadre.cadre) for one in town]
    aside = frozenset({town[1].issues[0].issue})

    assert _place(town, "C001", aside) != before[1]
    assert [_place(town, one.cadre.cadre) for one in town] == before
