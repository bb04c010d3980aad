"""The same events give the same facts, tallies and scores, in whatever order, batches and repeats they come."""

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.contracts.envelope import decode
from shared.contracts.intake.ratings import RatingSubmitted
from shared.database import transaction
from shared.identifiers import new_id
from tests.integration.assessment.conftest import score_all, take
from tests.integration.assessment.story import Story, random_county

pytestmark = pytest.mark.integration

FACTS = (
    "SELECT * FROM organisation",
    "SELECT * FROM cadre",
    "SELECT * FROM post",
    "SELECT * FROM duty",
    "SELECT * FROM contact_fact",
    "SELECT * FROM issue_fact",
    "SELECT * FROM rating_fact",
    "SELECT * FROM invitation_fact",
    "SELECT * FROM reception_fact",
    "SELECT * FROM channel_check_fact",
    "SELECT * FROM place_population",
    "SELECT * FROM category_version",
    "SELECT * FROM issue_ledger",
    "SELECT * FROM issue_share",
    "SELECT * FROM issue_responsibility",
    "SELECT event_id, aggregate_id, sequence, payload::text FROM event",
)
# A pass between batches may leave a row of zeros where an assignment has moved on: the same as no row.
FIGURES = (
    """
    SELECT * FROM tally
     WHERE duties_owed_month + duties_owed_quarter + duties_owed_year + contacts + issues_received + ratings > 0
    """,
    """
    SELECT * FROM organisation_tally
     WHERE duties_owed_month + duties_owed_quarter + duties_owed_year + contacts + issues_received + ratings > 0
    """,
    """
    SELECT score_id, subject_kind, subject_id, subject_code, organisation_id, peer_group, period_kind, period_start,
           composite, present_weight, counts
      FROM score
     WHERE 0 < ANY (counts)
    """,
)


def dump(pool, queries):
    with transaction(pool) as connection:
        return [sorted(map(repr, connection.execute(query).fetchall())) for query in queries]


def figures(pool):
    return dump(pool, FIGURES)


@pytest.mark.parametrize("seed", range(4))
def test_arrival_order_repeats_and_passes_in_between_do_not_matter(new_assessment, seed):
    envelopes = random_county(seed)
    draw = random.Random(seed)  # noqa: S311 - repeatable shuffles, not secrets
    ordered = new_assessment()
    take(ordered, envelopes)
    score_all(ordered)

    shuffled = new_assessment()
    arriving = envelopes + draw.sample(envelopes, len(envelopes) // 3)
    draw.shuffle(arriving)
    while arriving:
        size = draw.randint(1, 80)
        batch, arriving = arriving[:size], arriving[size:]
        take(shuffled, batch)
        if draw.random() < 0.2:
            score_all(shuffled, limit=30)
    score_all(shuffled, limit=100)

    assert dump(shuffled, FACTS) == dump(ordered, FACTS)
    assert figures(shuffled) == figures(ordered)


def test_an_organisation_that_is_known_after_its_children_were_counted_is_summed(new_assessment):
    story = Story()
    county, town = story.id(), story.id()
    village = story.organisation("V", town)
    story.issue(village, story.cadre("S"), datetime(2025, 3, 3, tzinfo=UTC))
    below = story.take()
    story.organisation("T", county, town)
    story.organisation("C", None, county)
    above = story.take()

    pools = [new_assessment() for _ in range(2)]
    for pool, batches in zip(pools, ((below, above), (above, below)), strict=True):
        for batch in batches:
            take(pool, batch)
            score_all(pool)

    assert figures(pools[0]) == figures(pools[1])


def test_neither_ratings_nor_what_moved_on_place_a_cadre_without_a_post(new_assessment):
    """A rating of a month in which nothing else happened says nothing of where the cadre stood."""
    january, february = datetime(2025, 1, 9, tzinfo=UTC), datetime(2025, 2, 3, tzinfo=UTC)
    story = Story()
    first, second = (story.organisation(code) for code in ("A", "B"))
    cadre, other = (story.cadre(number) for number in ("S", "S2"))
    story.rate(january, 5, contact_id=story.contact(cadre, february, organisation_id=second))
    issue = story.issue(first, cadre, january)
    before = story.take()
    story.assign(issue, first, other)
    after = story.take()

    pools = [new_assessment() for _ in range(2)]
    for pool, batches in zip(pools, ((before, after), ([*before, *after],)), strict=True):
        for batch in batches:
            take(pool, batch)
            score_all(pool)
        placed = (
            "SELECT organisation_id FROM score WHERE subject_id = %s AND period_kind = 'month' ORDER BY period_start"
        )
        with transaction(pool) as connection:
            assert connection.execute(placed, [cadre]).fetchall() == [(None,), (second,)]

    assert figures(pools[0]) == figures(pools[1])


def test_what_counts_again_leaves_no_trace_in_any_figure(new_assessment):
    """Set aside and restored, in the order of the telling or against it: the same figures to the byte."""
    envelopes = random_county(5)
    given = (one.event for one in envelopes if isinstance(one.event, RatingSubmitted))
    rating_id = next(event.rating_id for event in given if event.contact_id is not None)
    last = max(one.sequence for one in envelopes if one.event.aggregate_id == rating_id)
    story = Story(_made=1 << 20, _sequences={rating_id: last})
    story.review(rating_id, counts=True)
    base = [*envelopes, *story.take()]
    pools = [new_assessment() for _ in range(3)]
    for pool in pools:
        take(pool, base)
        score_all(pool)
    before = figures(pools[0])

    story.set_aside(rating_id)
    away = story.take()
    story.review(rating_id, counts=True)
    back = story.take()
    for pool, batches in ((pools[0], (away, back)), (pools[1], (back, away))):
        for batch in batches:
            take(pool, batch)
            score_all(pool)
    take(pools[2], away)
    score_all(pools[2])

    assert figures(pools[0]) == figures(pools[1]) == before
    assert figures(pools[2]) != before


def test_the_same_batch_twice_changes_nothing(pool):
    envelopes = random_county(99, issues=20)
    first = take(pool, envelopes)
    score_all(pool)
    before = dump(pool, FACTS), figures(pool)

    second = take(pool, envelopes)
    changed = score_all(pool)

    assert (first, second, changed) == (len(envelopes), 0, 0)
    assert (dump(pool, FACTS), figures(pool)) == before


def test_scoring_everything_anew_changes_nothing(pool):
    take(pool, random_county(7))
    score_all(pool)
    before = figures(pool)

    with transaction(pool) as connection:
        connection.execute(
            """
            INSERT INTO tally_due (organisation_id, cadre_id, month, marked_at, revision, correlation_id)
            SELECT organisation_id, cadre_id, month, now(), 1, 'again' FROM tally
            """
        )
    changed = score_all(pool, limit=50)

    assert changed == 0
    assert figures(pool) == before


def test_two_consumers_and_two_scorers_at_once_do_not_matter(new_assessment):
    envelopes = random_county(42, issues=80)
    ordered = new_assessment()
    take(ordered, envelopes)
    score_all(ordered)

    pool = new_assessment()
    arriving = [*envelopes, *envelopes]
    random.Random(42).shuffle(arriving)  # noqa: S311 - same
    batches = [arriving[start : start + 15] for start in range(0, len(arriving), 15)]
    with ThreadPoolExecutor(4) as threads:
        consuming = [
            threads.submit(lambda share: [take(pool, batch) for batch in share], batches[n::2]) for n in (0, 1)
        ]
        scoring = [threads.submit(lambda: [score_all(pool, limit=50) for _ in range(8)]) for _ in range(2)]
        taken = sum(sum(future.result()) for future in consuming)
        for future in scoring:
            future.result()
    score_all(pool)

    assert taken == len(envelopes)
    assert dump(pool, FACTS) == dump(ordered, FACTS)
    assert figures(pool) == figures(ordered)


def test_what_does_not_count_today_is_kept_in_the_log_and_makes_nothing_due(pool):
    samples = Path(__file__).parents[2] / "contracts" / "samples"
    uncounted, signed, foreign = (
        replace(decode((samples / f"{name}.v1.json").read_bytes()), event_id=new_id())
        for name in ("suggestion.decided", "issue.signed", "score.computed")
    )

    assert take(pool, [uncounted, signed, foreign]) == 3
    assert take(pool, [uncounted, signed, foreign]) == 0

    with transaction(pool) as connection:
        logged = connection.execute("SELECT event_type FROM event ORDER BY event_type").fetchall()
    assert logged == [("cn.lianxin.issue.signed.v1",), ("cn.lianxin.suggestion.decided.v1",)]
    assert score_all(pool) == 0
