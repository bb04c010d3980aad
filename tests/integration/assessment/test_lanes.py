"""Half of a pass's cadres in a transaction beside its own: it comes to the same, whatever fails meanwhile."""

import random

import pytest

from services.assessment.handlers import lanes
from services.assessment.handlers import scores as passes
from services.assessment.handlers.counting import Moment
from services.assessment.handlers.lanes import PassLost, divide, score_beside
from services.assessment.handlers.schemes import read_scheme_in_force
from services.assessment.storage import due, rebuilding, tallies
from shared import crash
from shared.database import open_pool, transaction
from tests.integration.assessment.conftest import NOW, ZONE, score_all, take
from tests.integration.assessment.story import random_county
from tests.integration.assessment.test_any_order import figures

pytestmark = pytest.mark.integration


@pytest.fixture
def two_lanes(monkeypatch):
    """Return the sizes of the lanes beside passes, as they come."""
    sizes = []

    def noting(cells, subjects, *, may_divide):
        division = divide(cells, subjects, may_divide=may_divide)
        sizes.append(len(division.beside.cells))
        return division

    monkeypatch.setattr(lanes, "CADRES_WORTH_DIVIDING", 2)
    monkeypatch.setattr(passes, "divide", noting)
    return sizes


@pytest.fixture
def counted_before(new_assessment):
    """A county whose registers are known and scored, so that no cadre is due as a whole, and whose facts are not."""

    def create(seed):
        pool = new_assessment()
        envelopes = random_county(seed)
        take(pool, envelopes)
        score_all(pool)
        before = figures(pool)
        with transaction(pool) as connection:
            connection.execute("UPDATE tally SET contacts = contacts + 3, issues_received = 0")
            connection.execute("UPDATE organisation_tally SET contacts = contacts + 7")
            connection.execute("UPDATE score SET composite = 1, counts[1] = counts[1] + 1")
            rebuilding.mark_all_cells(connection, marked_at=NOW, correlation_id="again")
        return pool, before

    return create


def count_due(pool):
    with transaction(pool) as connection:
        [(count,)] = connection.execute("SELECT count(*) FROM tally_due").fetchall()
    return count


@pytest.mark.parametrize("seed", range(4))
def test_two_lanes_come_to_what_one_comes_to(new_assessment, two_lanes, monkeypatch, seed):
    envelopes = random_county(seed)
    in_one = new_assessment()
    take(in_one, envelopes)
    with monkeypatch.context() as undivided:
        undivided.setattr(lanes, "CADRES_WORTH_DIVIDING", 1_000)
        score_all(in_one)

    in_two = new_assessment()
    draw = random.Random(seed)  # noqa: S311 - repeatable shuffles, not secrets
    arriving = list(envelopes)
    draw.shuffle(arriving)
    while arriving:
        size = draw.randint(20, 120)
        batch, arriving = arriving[:size], arriving[size:]
        take(in_two, batch)
        score_all(in_two, limit=draw.choice([7, 40, 1_000]))

    assert sum(two_lanes) > 0
    assert figures(in_two) == figures(in_one)
    assert count_due(in_two) == 0


def test_what_was_scored_beside_a_pass_that_fails_is_summed_by_the_next(counted_before, two_lanes, monkeypatch):
    pool, before = counted_before(6)
    marked = count_due(pool)
    with monkeypatch.context() as failing:
        failing.setattr(crash, "point", lambda name: pytest.fail(name))
        with pytest.raises(pytest.fail.Exception, match="mid_scoring"):
            score_all(pool)
    between = count_due(pool)

    score_all(pool)

    assert two_lanes[-2] > 0
    assert between < marked
    assert figures(pool) == before
    assert count_due(pool) == 0


@pytest.mark.usefixtures("two_lanes")
def test_a_cadre_who_is_due_as_a_whole_is_scored_once(pool):
    take(pool, random_county(2))
    score_all(pool)
    before = figures(pool)
    with transaction(pool) as connection:
        connection.execute("UPDATE tally SET contacts = contacts + 3")
        connection.execute("UPDATE score SET composite = 1, revision = 1")

    passes.mark_everything(pool, now=NOW)
    changed = score_all(pool)

    assert figures(pool) == before
    with transaction(pool) as connection:
        [(scores, replaced)] = connection.execute("SELECT count(*), sum(revision - 1) FROM score").fetchall()
    assert scores == replaced == changed


@pytest.mark.usefixtures("two_lanes")
def test_a_lane_whose_pass_has_ended_leaves_nothing(counted_before):
    pool, _ = counted_before(3)
    spoilt = figures(pool)
    marked = count_due(pool)
    with transaction(pool) as connection:
        assert tallies.try_lock_scoring(connection)
        backend = tallies.find_backend(connection)
        division = divide(due.list_due_cells(connection, limit=1_000), [], may_divide=True)
        scheme = read_scheme_in_force(connection, "basic")

    with pytest.raises(PassLost):
        score_beside(pool, division.beside, scheme, Moment(as_of=NOW, zone=ZONE), now=NOW, whose=backend)

    assert division.beside.cells
    assert figures(pool) == spoilt
    assert count_due(pool) == marked


def test_a_pool_of_one_connection_has_one_lane(counted_before, two_lanes):
    pool, before = counted_before(5)
    narrow = open_pool(pool.conninfo, size=1, application="narrow", statement_timeout_seconds=30, system=True)

    score_all(narrow)
    narrow.close()

    assert set(two_lanes[1:]) == {0}
    assert count_due(pool) == 0
    assert figures(pool) == before
