"""Scores of a small county, computed by hand, and what time does to them."""

from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

import pytest

from services.assessment.domain.measures import MEASURES
from services.assessment.domain.periods import parse_period
from services.assessment.handlers.announcements import announce_scores
from services.assessment.handlers.evidence import EvidenceQuery, list_evidence
from services.assessment.handlers.reading import ScoreQuery, list_scores, read_score
from services.assessment.handlers.schemes import ChangedScheme, load_schemes
from services.assessment.handlers.sweeps import sweep_duties, sweep_overdue
from services.assessment.storage import due
from shared.database import joined, transaction
from tests.integration.assessment.conftest import HOME, NOW, ZONE, score_all, take
from tests.integration.assessment.story import Story, random_county

pytestmark = pytest.mark.integration


def at(month: int, day: int, hour: int = 12) -> datetime:
    return datetime(2025, month, day, hour, tzinfo=ZONE)


def read(pool, kind, code, period):
    return read_score(pool, kind, code, parse_period(period), scheme_name="basic")


def fractions(pool, kind, code, period):
    indicators = read(pool, kind, code, period).indicators
    return {row.definition.key: (row.result.numerator, row.result.denominator) for row in indicators}


def composite(pool, kind, code, period):
    score = read(pool, kind, code, period).score
    return score and score.composite


@pytest.fixture
def county():
    """A county, a township in it, one cadre there who owes four visits a month and one reception a quarter."""
    story = Story()
    story.root = story.organisation("C")
    story.town = story.organisation("T", story.root)
    story.cadre_id = story.cadre("S001")
    story.post(story.cadre_id, story.town)
    story.duty("visit", 4, "month")
    story.duty("reception", 1, "quarter")
    return story


def test_a_month_by_hand(pool, county):
    for day in (3, 4, 5):
        county.contact(county.cadre_id, at(3, day))
    county.contact(county.cadre_id, at(3, 6), "reception")
    due = {"due_at": at(3, 20)}
    for _ in range(3):
        county.close(county.issue(county.town, county.cadre_id, at(3, 10), **due), at(3, 15))
    county.close(county.issue(county.town, county.cadre_id, at(3, 10), **due), at(3, 25))
    county.close(county.issue(county.town, county.cadre_id, at(3, 10), **due), at(3, 12), "explained_policy")
    county.issue(county.town, county.cadre_id, at(3, 10), **due)  # open and overdue
    denied = county.issue(county.town, county.cadre_id, at(3, 11))
    county.close(denied, at(3, 13))
    county.rate(at(3, 14), 1, issue_id=denied, solved=False)
    for level in (5, 4, 3, 2):
        county.rate(at(3, 30), level, issue_id=denied)

    take(pool, county.take())
    score_all(pool)

    month = fractions(pool, "cadre", "S001", "2025-03")
    assert month == {
        "contact_duty": (3, 4),  # the reception is owed by the quarter
        "response_rate": (6, 7),
        "resolution_rate": (4, 6),
        "on_time_closure_rate": (4, 6),
        "satisfaction_rate": (3, 5),
    }
    # 25 x 3/4 + 10 x 6/7 + 30 x 2/3 + 15 x 2/3 + 20 x 3/5 = 69.3214...
    assert composite(pool, "cadre", "S001", "2025-03") == Decimal("69.32")
    assert fractions(pool, "cadre", "S001", "2025Q1")["contact_duty"] == (4, 13)
    assert fractions(pool, "organisation", "T", "2025-03") == month
    assert fractions(pool, "organisation", "C", "2025-03") == month


def test_a_voided_contact_counts_for_nothing_and_an_amended_one_as_it_stands(pool, county):
    visits = [county.contact(county.cadre_id, at(3, day)) for day in (3, 4, 5, 6)]
    county.void_contact(visits[0])
    county.amend_contact(visits[1], kind="reception")
    county.amend_contact(visits[2], occurred_at=at(4, 1))
    county.rate(at(3, 30), 1, contact_id=visits[0])  # what citizens said is not taken away with the contact

    take(pool, county.take()[::-1])
    score_all(pool)

    assert fractions(pool, "cadre", "S001", "2025-03")["contact_duty"] == (1, 4)
    assert fractions(pool, "cadre", "S001", "2025-04")["contact_duty"] == (1, 4)
    assert fractions(pool, "cadre", "S001", "2025Q1")["contact_duty"] == (2, 13)  # the reception with them
    assert read(pool, "cadre", "S001", "2025-03").indicators[0].measures["contacts"] == 2


def test_what_was_counted_is_taken_back_when_it_is_voided_later(pool, county):
    visit = county.contact(county.cadre_id, at(3, 3))
    take(pool, county.take())
    score_all(pool)
    before = fractions(pool, "cadre", "S001", "2025-03")["contact_duty"]

    county.void_contact(visit)
    take(pool, county.take())
    score_all(pool)

    assert before == (1, 4)
    assert fractions(pool, "cadre", "S001", "2025-03")["contact_duty"] == (0, 4)


def test_a_month_begins_at_midnight_of_the_configured_zone(pool, county):
    county.issue(county.town, county.cadre_id, datetime(2025, 3, 31, 15, 59, tzinfo=UTC))
    county.issue(county.town, county.cadre_id, datetime(2025, 3, 31, 16, 0, tzinfo=UTC))

    take(pool, county.take())
    score_all(pool)

    months = [read(pool, "organisation", "T", period).indicators[1].measures for period in ("2025-03", "2025-04")]
    assert [measures["issues_received"] for measures in months] == [1, 1]


def test_a_transfer_divides_what_is_owed(pool):
    story = Story()
    first, second = story.organisation("A"), story.organisation("B")
    cadre_id = story.cadre("S001")
    story.duty("visit", 31, "month")
    story.post(cadre_id, first, until_on=date(2025, 1, 10))
    story.post(cadre_id, second, date(2025, 1, 11))
    for day in (9, 10, 11):
        story.contact(cadre_id, at(1, day))

    take(pool, story.take())
    score_all(pool)

    assert fractions(pool, "organisation", "A", "2025-01")["contact_duty"] == (2, 10)
    assert fractions(pool, "organisation", "B", "2025-01")["contact_duty"] == (1, 21)
    assert fractions(pool, "cadre", "S001", "2025-01")["contact_duty"] == (3, 31)


def test_a_reassigned_issue_leaves_its_former_cadre(pool, county):
    other = county.cadre("S002")
    issue_id = county.issue(county.town, county.cadre_id, at(3, 10))
    take(pool, county.take())
    score_all(pool)

    county.assign(issue_id, county.root, other)
    take(pool, county.take())
    score_all(pool)

    received = {
        code: read(pool, kind, code, "2025-03").indicators[1].measures["issues_received"]
        for kind, code in (("cadre", "S001"), ("cadre", "S002"), ("organisation", "T"), ("organisation", "C"))
    }
    assert received == {"S001": 0, "S002": 1, "T": 0, "C": 1}


def test_an_open_issue_becomes_overdue_by_time_alone(pool, county):
    county.issue(county.town, county.cadre_id, NOW - timedelta(days=2), due_at=NOW + timedelta(hours=1))
    take(pool, county.take())
    sweep_overdue(pool, zone=ZONE, now=NOW)
    score_all(pool)
    before = fractions(pool, "organisation", "C", "2025-11")["on_time_closure_rate"]
    later = NOW + timedelta(hours=1, seconds=1)

    marked = [sweep_overdue(pool, zone=ZONE, now=later) for _ in range(2)]
    score_all(pool, now=later)

    assert before == (0, 0)
    assert marked == [1, 0]
    assert fractions(pool, "organisation", "C", "2025-11")["on_time_closure_rate"] == (0, 1)


def test_a_sweep_waits_for_the_batch_that_it_would_not_see(pool, county):
    county.issue(county.town, county.cadre_id, NOW - timedelta(days=2), due_at=NOW - timedelta(hours=1))

    with ThreadPoolExecutor(1) as threads:
        with transaction(pool) as connection:
            take(joined(connection), county.take())
            sweep = threads.submit(sweep_overdue, pool, zone=ZONE, now=NOW)
            wait([sweep], timeout=0.5)

        assert sweep.result() == 1


def test_what_is_marked_again_during_a_pass_waits_since_then(pool, county):
    county.issue(county.town, county.cadre_id, at(3, 10))
    take(pool, county.take())
    with transaction(pool) as connection:
        cells, subjects = due.list_due_cells(connection, limit=100), due.list_due_subjects(connection, limit=100)
    county.issue(county.town, county.cadre_id, at(3, 11))
    take(pool, county.take(), now=NOW + timedelta(seconds=1))

    with transaction(pool) as connection:
        due.remove_due(connection, cells, subjects, seen_at=NOW + timedelta(seconds=1))
        waiting = due.measure_due(connection, NOW + timedelta(seconds=5))

    assert waiting == (1, 4.0)


def test_what_is_owed_grows_day_by_day(pool, county):
    take(pool, county.take())
    sweep_duties(pool, zone=ZONE, now=NOW)
    score_all(pool)
    before = fractions(pool, "cadre", "S001", "2025-11")["contact_duty"]
    later = NOW + timedelta(days=16)

    marked = [sweep_duties(pool, zone=ZONE, now=later) for _ in range(2)]
    score_all(pool, now=later)

    assert before == (0, 1)  # 14 days of 30, of four visits
    assert marked == [1, 0]
    assert fractions(pool, "cadre", "S001", "2025-11")["contact_duty"] == (0, 4)


def test_a_post_recorded_beforehand_places_its_cadre_from_its_first_day(pool):
    story = Story()
    town, next_town = story.organisation("T"), story.organisation("N")
    cadre_id = story.cadre("S001")
    story.post(cadre_id, town, until_on=date(2025, 11, 17))
    story.post(cadre_id, next_town, date(2025, 11, 18), post_kind="county_leader")
    story.issue(town, cadre_id, at(11, 3))
    take(pool, story.take())
    sweep_duties(pool, zone=ZONE, now=NOW)
    score_all(pool)
    before = read(pool, "cadre", "S001", "2025-11").score
    later = NOW + timedelta(days=3)

    sweep_duties(pool, zone=ZONE, now=later)
    score_all(pool, now=later)

    after = read(pool, "cadre", "S001", "2025-11").score
    assert (before.organisation_code, before.peer_group) == ("T", "141.township_head")
    assert (after.organisation_code, after.peer_group) == ("N", "141.county_leader")


@pytest.mark.parametrize("code", ["C", "T1", "S001", "S003"])
def test_the_events_behind_an_indicator_add_up_to_it(pool, code):
    take(pool, random_county(3))
    score_all(pool)
    kind: Literal["cadre", "organisation"] = "cadre" if code.startswith("S") else "organisation"
    shown = {row.definition.key: row for row in read(pool, kind, code, "2025").indicators}

    for indicator, row in shown.items():
        query = EvidenceQuery(
            subject_kind=kind, code=code, period=parse_period("2025"), indicator=indicator, limit=1_000
        )
        page = list_evidence(pool, query, scheme_name="basic", zone=ZONE, now=NOW)

        counts = {name: sum(name in item.measures for item in page.items) for name in MEASURES}
        if indicator == "contact_duty":
            if kind == "cadre":
                today = NOW.astimezone(ZONE).date()
                assert sum(unit.owed(today) for unit in page.duties) == row.result.denominator
                assert sum(item.in_numerator for item in page.items) == row.result.numerator
            continue
        assert sum(item.in_numerator for item in page.items) == row.result.numerator
        assert sum(item.in_denominator for item in page.items) == row.result.denominator
        assert all(item.events for item in page.items)
        expected = {name: amount for name, amount in row.measures.items() if name != "rating_level_sum"}
        assert {name: counts[name] for name in expected} == expected


def test_scores_are_announced_once_and_again_when_they_change(pool, county):
    for _ in range(3):
        county.close(county.issue(county.town, county.cadre_id, at(3, 10), due_at=at(3, 20)), at(3, 15))
    take(pool, county.take())
    score_all(pool)

    first = announce_scores(pool, now=NOW)
    repeated = announce_scores(pool, now=NOW)
    county.close(county.issue(county.town, county.cadre_id, at(3, 10), due_at=at(3, 20)), at(3, 25))
    take(pool, county.take())
    score_all(pool)
    again = announce_scores(pool, now=NOW)

    assert (first, repeated, again) == (9, 0, 9)
    with transaction(pool) as connection:
        told = connection.execute(
            """
            SELECT sequence, payload->>'composite', payload->>'previous',
                   jsonb_array_length(payload->'organisation_path'), correlation_id
              FROM outbox
             WHERE payload->>'subject_code' = 'S001' AND payload->>'period_start' = '2025-03-01'
             ORDER BY sequence
            """
        ).fetchall()
    assert told == [
        (1, "68.75", None, 2, "story-correlation"),
        (2, "64.06", "68.75", 2, "story-correlation"),
    ]


def test_a_score_that_lost_its_evidence_is_announced_as_withheld(pool, county):
    issues = [county.issue(county.town, county.cadre_id, at(3, 10)) for _ in range(3)]
    for issue_id in issues:
        county.close(issue_id, at(3, 15))
    other = county.cadre("S002")
    take(pool, county.take())
    score_all(pool)
    announce_scores(pool, now=NOW)

    for issue_id in issues:
        county.assign(issue_id, county.town, other)
    take(pool, county.take())
    score_all(pool)
    announce_scores(pool, now=NOW)

    with transaction(pool) as connection:
        told = connection.execute(
            """
            SELECT sequence, payload->>'composite', payload->>'previous'
              FROM outbox
             WHERE payload->>'subject_code' = 'S001' AND payload->>'period_start' = '2025-03-01'
             ORDER BY sequence
            """
        ).fetchall()
    assert told == [(1, "61.54", None), (2, None, "61.54")]
    assert announce_scores(pool, now=NOW) == 0


def test_the_list_pages_through_every_score_once_in_order(pool):
    take(pool, random_county(5))
    score_all(pool)

    for sort in ("-composite", "composite", "code"):
        query = ScoreQuery(subject_kind="cadre", period=parse_period("2025"), sort=sort)
        whole, _ = list_scores(pool, query, after=None, limit=200)
        paged, after = [], None
        while True:
            page, indicators = list_scores(pool, query, after=after, limit=2)
            if not page:
                break
            assert all(indicators[score.score_id] for score in page)
            paged += page
            after = _after(page[-1])

        assert paged == whole
        assert len({score.subject_code for score in paged}) == len(paged) == 6


def test_the_list_is_narrowed_to_a_subtree_and_a_peer_group(pool, county):
    other = county.cadre("S002")
    county.post(other, county.root, post_kind="county_leader")
    county.issue(county.root, other, at(3, 1))
    take(pool, county.take())
    score_all(pool)

    def codes(**narrowed):
        query = ScoreQuery(subject_kind="cadre", period=parse_period("2025"), **narrowed)
        return [score.subject_code for score in list_scores(pool, query, after=None, limit=10)[0]]

    assert sorted(codes()) == sorted(codes(organisation_code="C")) == ["S001", "S002"]
    assert codes(organisation_code="T") == ["S001"]
    assert codes(peer_group="141.county_leader") == ["S002"]


def test_somebody_known_without_evidence_has_no_composite(pool):
    story = Story()
    story.cadre("S009")
    take(pool, story.take())
    score_all(pool)

    found = read(pool, "cadre", "S009", "2025")

    assert found.score is None
    assert [row.result.denominator for row in found.indicators] == [0] * 5


def test_a_register_entry_that_comes_late_names_the_score(pool, county):
    told = county.take()
    county.issue(county.town, county.cadre_id, at(3, 10))
    take(pool, county.take())
    score_all(pool)

    take(pool, told[::-1])
    score_all(pool)

    assert read(pool, "cadre", "S001", "2025-03").score.peer_group == "141.township_head"
    assert read(pool, "organisation", "C", "2025-03").indicators[1].measures["issues_received"] == 1


def test_a_scheme_loaded_twice_is_loaded_once_and_a_changed_one_refused(pool, tmp_path):
    files = list((HOME / "schemes").glob("*.toml"))
    changed = tmp_path / "basic-1.toml"
    changed.write_text(files[0].read_text("utf-8").replace('"40"', '"41"'), "utf-8")

    again = load_schemes(pool, files, indicators_file=HOME / "indicators.toml", now=NOW)

    assert again == []
    with pytest.raises(ChangedScheme):
        load_schemes(pool, [changed], indicators_file=HOME / "indicators.toml", now=NOW)


def test_a_new_version_scores_everything_anew(pool, county, tmp_path):
    for _ in range(3):
        county.close(county.issue(county.town, county.cadre_id, at(3, 10)), at(3, 15))
    take(pool, county.take())
    score_all(pool)
    newer = tmp_path / "basic-2.toml"
    text = (HOME / "schemes" / "basic-1.toml").read_text("utf-8")
    newer.write_text(text.replace("version = 1", "version = 2"), "utf-8")

    loaded = load_schemes(pool, [newer], indicators_file=HOME / "indicators.toml", now=NOW)
    score_all(pool)

    assert loaded == ["basic-2"]
    assert read(pool, "cadre", "S001", "2025-03").score.scheme_version == 2


def test_a_new_version_waits_for_the_pass_that_scores_by_the_old_one(pool, county, tmp_path):
    newer = tmp_path / "basic-2.toml"
    text = (HOME / "schemes" / "basic-1.toml").read_text("utf-8")
    newer.write_text(text.replace("version = 1", "version = 2"), "utf-8")
    county.issue(county.town, county.cadre_id, at(3, 10))
    take(pool, county.take())

    with ThreadPoolExecutor(1) as threads:
        with transaction(pool) as connection:
            score_all(joined(connection))
            loading = threads.submit(load_schemes, pool, [newer], indicators_file=HOME / "indicators.toml", now=NOW)
            wait([loading], timeout=0.5)
        loading.result()
    score_all(pool)

    assert read(pool, "cadre", "S001", "2025-03").score.scheme_version == 2


def test_the_session_zone_does_not_matter(pool, county):
    county.issue(county.town, county.cadre_id, datetime(2025, 3, 31, 16, 30, tzinfo=UTC))
    with pool.connection() as connection:
        connection.execute("SET timezone = 'America/Los_Angeles'")
    take(pool, county.take())
    score_all(pool)

    assert read(pool, "cadre", "S001", "2025-04").indicators[1].measures["issues_received"] == 1
    assert ZoneInfo("Asia/Shanghai") == ZONE


def _after(score):
    from services.assessment.storage.reading import After

    return After(composite=score.composite, subject_code=score.subject_code)
