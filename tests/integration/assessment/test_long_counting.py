"""What is long to count keeps nobody else waiting, and ends in an answer."""

import pytest

from services.assessment.domain.periods import parse_period
from services.assessment.handlers.figures import read_figures
from services.assessment.handlers.turns import CountingBusy, Turns
from services.assessment.handlers.windows import WindowQuery
from services.assessment.storage.spans import FEW_ORGANISATIONS, CountingTooLong, limiting
from shared.database import transaction
from tests.integration.assessment.conftest import NOW, ZONE, score_all, take
from tests.integration.assessment.story import Story

pytestmark = pytest.mark.integration


def ask(pool, code, turns):
    query = WindowQuery(subject_kind="organisation", code=code, period=parse_period("2025"))
    return read_figures(pool, query, zone=ZONE, now=NOW, turns=turns)


def test_large_organisations_take_turns_and_small_ones_do_not_wait_for_them(pool):
    story = Story()
    province = story.organisation("P")
    for number in range(FEW_ORGANISATIONS):
        story.organisation(f"T{number}", province)
    take(pool, story.take())
    score_all(pool)
    turns = Turns(at_once=1, waiting=0, patience_seconds=0)

    with turns.take():
        with pytest.raises(CountingBusy):
            ask(pool, "P", turns)
        assert ask(pool, "T7", turns).subject.code == "T7"
    assert ask(pool, "P", turns).subject.code == "P"


def test_what_takes_longer_than_it_may_is_told_as_that_and_not_as_a_database_that_is_away(pool):
    with (
        pytest.raises(CountingTooLong) as told,
        transaction(pool) as connection,
        limiting(connection, seconds=0.05),
    ):
        connection.execute("SELECT pg_sleep(60)")

    assert told.value.code == "counting-too-long"
    with transaction(pool) as connection:
        assert connection.execute("SHOW statement_timeout").fetchone() != ("50ms",)


def test_all_parts_have_one_time_together(pool):
    def go_on():
        with transaction(pool) as connection, limiting(connection, seconds=0.05) as limit:
            while True:
                limit()
                connection.execute("SELECT pg_sleep(0.001)")

    with pytest.raises(CountingTooLong):
        go_on()
