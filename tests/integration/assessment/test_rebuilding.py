"""Everything can be made anew from the event log while events go on coming, to the byte as it was."""

import random
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

import pytest

from services.assessment.domain.periods import parse_period
from services.assessment.handlers.reading import read_score
from services.assessment.handlers.rebuilding import measure_rebuild, rebuild_facts
from services.assessment.handlers.scores import list_shards, mark_everything, mark_scores, score_shard
from services.assessment.storage import due
from shared.database import transaction
from tests.integration.assessment.conftest import NOW, ZONE, score_all, take
from tests.integration.assessment.story import Story, random_county
from tests.integration.assessment.test_any_order import FACTS, dump, figures
from tests.integration.plans import Explaining

pytestmark = pytest.mark.integration
SPOILT = (
    "UPDATE issue_fact SET outcome = NULL, closed_at = NULL, denied = NOT denied, cadre_id = gen_random_uuid()",
    "UPDATE issue_fact SET suggestion_answered_at = now(), is_reopened = NOT is_reopened",
    "DELETE FROM contact_fact WHERE kind = 'visit'",
    "UPDATE contact_fact SET counts = false",
    "UPDATE rating_fact SET level = 1, is_set_aside = NOT is_set_aside WHERE level IS NOT NULL",
    "UPDATE post SET until_on = from_on",
    "DELETE FROM parentage",
    "UPDATE category_version SET name = 'otherwise'",
    "UPDATE duty SET required_count = 9",
    "UPDATE reception_fact SET is_cancelled = NOT is_cancelled",
    """
    INSERT INTO contact_fact (contact_id, organisation_id, cadre_id, kind, occurred_at, recorded_at, sequence)
    SELECT gen_random_uuid(), organisation_id, cadre_id, 'visit', now(), now(), 1 FROM tally LIMIT 5
    """,
    "UPDATE tally SET contacts = contacts + 7, issues_received = 0",
    "DELETE FROM organisation_tally WHERE month = '2025-03-01'",
    "UPDATE score SET composite = 1",
)


def test_shards_beside_one_another_come_to_what_one_pass_comes_to(pool):
    take(pool, random_county(6))
    score_all(pool)
    before = figures(pool)
    with transaction(pool) as connection:
        connection.execute("UPDATE tally SET contacts = contacts + 3, issues_received = 0")
        connection.execute("UPDATE score SET composite = 2")

    assert mark_everything(pool, now=NOW) > 0
    shards = list_shards(pool, cadres=2)
    with ThreadPoolExecutor(3) as threads:
        score = partial(score_shard, pool, scheme_name="basic", zone=ZONE, now=NOW)
        summaries = list(threads.map(score, shards))
    score_all(pool)

    assert len(shards) == 3
    assert all(summary.cells for summary in summaries)
    assert figures(pool) == before
    assert list_shards(pool) == []


def test_a_shard_looks_up_what_is_due_of_its_subjects_however_many_others_are(pool, monkeypatch):
    with transaction(pool) as connection:
        connection.execute(
            """
            INSERT INTO subject_due (subject_kind, subject_id, marked_at, revision, correlation_id)
            SELECT 'cadre', md5(number::text)::uuid, now(), 1, 'x' FROM generate_series(1, 20000) AS number
            """
        )
        ids = connection.execute("SELECT subject_id FROM subject_due ORDER BY subject_id LIMIT 500").fetchall()
        monkeypatch.setattr(connection, "cursor_factory", Explaining)
        found = due.list_due_subjects_among(connection, [UUID(str(one)) for (one,) in ids])

    assert len(found) == 500
    [condition] = [line for line in Explaining.plan if "Index Cond" in line]
    assert "subject_id" in condition


def test_units_without_any_below_are_summed_in_shards_and_those_above_them_afterwards(pool):
    take(pool, random_county(6))
    score_all(pool)
    before = figures(pool)
    with transaction(pool) as connection:
        connection.execute("UPDATE organisation_tally SET contacts = contacts + 3, issues_received = 0")

    mark_scores(pool, now=NOW)
    shards = list_shards(pool, cadres=1_000, units_alone=1)
    for shard in reversed(shards):
        score_shard(pool, shard, scheme_name="basic", zone=ZONE, now=NOW)
    score_all(pool)

    assert len(shards) > 2
    assert figures(pool) == before
    assert list_shards(pool) == []


def test_what_a_unit_has_moved_below_is_summed_though_a_shard_took_the_unit(new_assessment):
    story = Story()
    root, other = story.organisation("C"), story.organisation("D")
    town = story.organisation("T", root)
    story.issue(town, story.cadre("S001"), datetime(2025, 3, 10, tzinfo=UTC))
    told = story.take()
    story.organisation("T", other, organisation_id=town)
    moved = story.take()
    in_shards, in_passes = new_assessment(), new_assessment()

    for pool in (in_shards, in_passes):
        take(pool, told)
        score_all(pool)
        take(pool, moved)
    for shard in list_shards(in_shards):
        score_shard(in_shards, shard, scheme_name="basic", zone=ZONE, now=NOW)
    for pool in (in_shards, in_passes):
        score_all(pool)

    assert figures(in_shards) == figures(in_passes)
    assert read_score(in_shards, "organisation", "D", parse_period("2025"), scheme_name="basic").score is not None


def tell(_):
    """Nobody listens."""


def rebuild(pool, batch=40):
    rebuilt = rebuild_facts(pool, zone=ZONE, now=NOW, batch=batch, tell=tell)
    score_all(pool)
    return rebuilt


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_was_spoilt_is_as_it_was(pool, seed):
    take(pool, random_county(seed))
    score_all(pool)
    before = dump(pool, FACTS), figures(pool)
    with transaction(pool) as connection:
        for statement in SPOILT:
            assert connection.execute(statement).rowcount > 0, statement

    rebuilt = rebuild(pool)

    assert (dump(pool, FACTS), figures(pool)) == before
    assert rebuilt.strays == 5
    assert measure_rebuild(pool, now=NOW) == (0, 0.0)


def test_a_rebuild_changes_nothing_where_nothing_is_wrong(pool):
    take(pool, random_county(3))
    score_all(pool)
    before = dump(pool, FACTS), figures(pool)
    with transaction(pool) as connection:
        revisions = set(connection.execute("SELECT score_id, revision FROM score").fetchall())

    rebuild(pool)

    assert (dump(pool, FACTS), figures(pool)) == before
    with transaction(pool) as connection:
        assert revisions <= set(connection.execute("SELECT score_id, revision FROM score").fetchall())


def test_events_that_come_and_scores_that_are_made_meanwhile_do_not_matter(new_assessment):
    envelopes = random_county(4)
    ordered = new_assessment()
    take(ordered, envelopes)
    score_all(ordered)
    pool = new_assessment()
    arriving = list(envelopes)
    random.Random(4).shuffle(arriving)  # noqa: S311 - repeatable
    half = len(arriving) // 2
    take(pool, arriving[:half])

    with ThreadPoolExecutor(3) as threads:
        batches = [arriving[start : start + 15] for start in range(half, len(arriving), 15)]
        work: list[Future[object]] = [
            threads.submit(lambda: [take(pool, batch) for batch in batches]),
            threads.submit(lambda: [score_all(pool, limit=40) for _ in range(6)]),
            threads.submit(lambda: rebuild_facts(pool, zone=ZONE, now=NOW, batch=10, tell=tell)),
        ]
        wait(work)
        assert [future.exception() for future in work] == [None] * 3
    score_all(pool)

    assert dump(pool, FACTS) == dump(ordered, FACTS)
    assert figures(pool) == figures(ordered)


def test_one_that_is_broken_off_goes_on_where_it_was(pool):
    take(pool, random_county(5))
    score_all(pool)
    before = dump(pool, FACTS), figures(pool)

    class BrokenOff(Exception):
        pass

    def stop(done):
        if done >= 60:
            raise BrokenOff

    with pytest.raises(BrokenOff):
        rebuild_facts(pool, zone=ZONE, now=NOW, batch=20, tell=stop)
    left, _ = measure_rebuild(pool, now=NOW)
    seen: list[int] = []
    rebuild_facts(pool, zone=ZONE, now=NOW, batch=20, tell=seen.append)
    score_all(pool)

    assert left > 0
    assert seen[0] == 80
    assert seen[-1] == 60 + left
    assert (dump(pool, FACTS), figures(pool)) == before
