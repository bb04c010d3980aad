"""Nobody who reads publications can come down to fewer than k people, whatever is asked and however it is combined."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from services.assessment.handlers.closings import ClosingRule, close_months
from tests.integration.assessment.conftest import ZONE, score_all, take
from tests.integration.assessment.readers import asking_as, open_door, readers_of
from tests.integration.assessment.solver import find_isolated
from tests.integration.assessment.worlds import MONTHS, PERIODS, World

pytestmark = pytest.mark.integration
QUESTION_OF = {"satisfaction_rate": "level", "resolution_rate": "solved"}


def rule_of(k):
    return ClosingRule(raters_needed=k, delay=timedelta(days=5), scheme_name="basic", zone=ZONE)


def live_through(world, pool, *, k):
    """Tell the world month by month, and close each month when its time has come."""
    for month in MONTHS:
        world.tell_month(month)
        now = datetime(2025, month, 28, tzinfo=UTC) + timedelta(days=9)
        take(pool, world.story.take(), now=now)
        score_all(pool, now=now)
        close_months(pool, rule=rule_of(k), now=datetime(2025, 1, 25, tzinfo=UTC))  # the first call starts the clock
        assert [closed.month for closed in close_months(pool, rule=rule_of(k), now=now)] == [month]
        world.close_month(month)


def ask_everything(app, readers, world):
    """Every publication that any reader gets by any route, by reader."""
    seen: dict[str, list[Any]] = {}
    for name in readers:
        with asking_as(app, name) as client:
            periods = [item["period"] for item in client.get("/v1/published/periods").json()["items"]]
            assert set(periods) == set(PERIODS)
            found = seen.setdefault(name, [])
            for period in periods:
                for kind, codes in (("cadre", world.cadres), ("organisation", world.units)):
                    path = f"/v1/published/scores/{kind}"
                    found += client.get(path, params={"period": period}).json().get("items", [])
                    answers = [client.get(f"{path}/{code}", params={"period": period}) for code in codes]
                    found += [answer.json() for answer in answers if answer.status_code == 200]
    return seen


def rows_of(world, documents):
    rows = set()
    for document in documents:
        kind, code = document["subject"]["kind"], document["subject"]["code"]
        period = document["period"]["period"]
        for figures in document["indicators"]:
            question = QUESTION_OF.get(figures["key"])
            if question is None or figures["withheld"]:
                continue
            allowed = world.released(kind, code, period, question)
            rows.add(world.given(kind, code, period, question) if allowed is None else allowed)
    return rows


def check_figures(world, document):
    """What is shown is what went in, rounded; the composite is made of what is shown and of nothing else."""
    subject, period = document["subject"], document["period"]["period"]
    for figures in document["indicators"]:
        question = QUESTION_OF.get(figures["key"])
        if question is None:
            continue
        answers = world.released(subject["kind"], subject["code"], period, question)
        assert (figures["withheld"] is None) == (answers is not None), (subject, period, question)
        if answers is not None:
            assert figures["ratings_at_least"] == len(answers) // 5 * 5
        if answers is not None and question == "level":
            share = Fraction(len(answers & world.positive), len(answers))
            band = figures["band"] or {"from": figures["value"], "to": figures["value"]}
            slack = Fraction(0) if figures["band"] else Fraction(1, 40)
            assert Fraction(band["from"]) - slack <= share <= Fraction(band["to"]) + slack
    if any(figures["withheld"] for figures in document["indicators"]):
        assert document["composite"] is None
        assert document["withheld"] == "too_few_ratings"
        assert all(figures["points"] is None for figures in document["indicators"])
    elif document["composite"] is not None:
        assert abs(Decimal(document["composite"]) - recompute(document)) < Decimal("0.05")


def recompute(document):
    total = Decimal(0)
    for figures in document["indicators"]:
        if figures["points"] is None:
            continue
        band = figures["band"]
        value = (Decimal(band["from"]) + Decimal(band["to"])) / 2 if band else Decimal(figures["value"])
        total += value * Decimal(figures["weight"])
    return total


@pytest.mark.parametrize(("seed", "k"), [(1, 5), (3, 10)])
def test_no_reader_isolates_fewer_than_k_and_all_together_neither(pool, seed, k):
    world = World(seed, k)
    readers = readers_of(cadres=world.cadres, units=world.units, root="C")
    live_through(world, pool, k=k)

    seen = ask_everything(open_door(pool, readers), readers.principals, world)

    for document in [one for documents in seen.values() for one in documents]:
        check_figures(world, document)
    for documents in seen.values():
        assert find_isolated(rows_of(world, documents), world.rater_of, k) is None
    everything = rows_of(world, [one for documents in seen.values() for one in documents])
    assert find_isolated(everything, world.rater_of, k) is None
    assert len(everything) > 5  # there was something to attack


def test_the_solver_catches_a_release_of_fewer_people(pool):
    """What one machine is told is enough for that."""
    world = World(4, 5)
    readers = readers_of(cadres=[], units=[], root="C")
    live_through(world, pool, k=5)

    seen = ask_everything(open_door(pool, readers), readers.principals, world)

    assert find_isolated(rows_of(world, seen["machine"]), world.rater_of, 10) is not None


def naive_rows(world, k):
    """A careless rule: every period of everybody with answers of at least k people in it."""
    subjects = [("cadre", code) for code in world.cadres] + [("organisation", code) for code in world.units]
    sums = [
        world.given(kind, code, period, question)
        for kind, code in subjects
        for period in PERIODS
        for question in ("level", "solved")
    ]
    return [answers for answers in sums if world.people_of(answers) >= k]


def allowed_rows(world):
    subjects = [("cadre", code) for code in world.cadres] + [("organisation", code) for code in world.units]
    sums = [
        world.released(kind, code, period, question)
        for kind, code in subjects
        for period in PERIODS
        for question in ("level", "solved")
    ]
    return [answers for answers in sums if answers]


def test_the_solver_catches_periods_that_are_told_whenever_they_have_k():
    caught = 0
    for seed in range(6):
        world = World(seed, 5)
        for month in MONTHS:
            world.tell_month(month)
            world.close_month(month)
        assert find_isolated(allowed_rows(world), world.rater_of, 5) is None
        caught += find_isolated(naive_rows(world, 5), world.rater_of, 5) is not None

    assert caught == 6


def test_the_solver_sees_a_difference_of_two_sums():
    month, quarter = frozenset({"a", "b"}), frozenset({"a", "b", "c"})
    raters = {"a": 1, "b": 2, "c": 3}

    assert find_isolated([month, quarter], raters, 2) == {"c"}
    assert find_isolated([quarter], raters, 3) is None
    assert find_isolated([month, frozenset({"b", "c"}), frozenset({"a", "c"})], raters, 2) is not None
