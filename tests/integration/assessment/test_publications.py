"""Publications: the same whether few rated or nobody did, written once, and the same however they came about."""

import os
import random
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from services.assessment.handlers.closings import ClosingRule, close_months, measure_closing
from services.assessment.settings import AssessmentSettings
from services.assessment.tasks import close_all
from shared.database import transaction
from shared.settings import UnsafeSetting, load
from tests.fakes import KnownPrincipals, machine
from tests.integration.assessment.conftest import ZONE, score_all, take
from tests.integration.assessment.readers import SETTINGS, client_of, hear, open_door, readers_of
from tests.integration.assessment.story import Story
from tests.integration.assessment.worlds import World

pytestmark = pytest.mark.integration
RULE = ClosingRule(raters_needed=10, delay=timedelta(days=5), scheme_name="basic", zone=ZONE)
LONG_AFTER = datetime(2026, 3, 1, tzinfo=UTC)
CADRES, UNITS = ("S000", "S001"), ("C", "T0", "T1")
READERS = readers_of(cadres=CADRES, units=UNITS, root="C")
ASKED = ("2025-01", "2025-02", "2025-03", "2025Q1", "2025H1", "2025")  # the solver asks for all there are
PATHS = [
    "/v1/published/periods",
    "/v1/periods",
    "/v1/scores?subject=cadre&period=2025",
    "/v1/scores/cadre/S000?period=2025",
] + [
    path
    for period in ASKED
    for kind, codes in (("cadre", CADRES), ("organisation", UNITS))
    for path in (
        f"/v1/published/scores/{kind}?period={period}",
        *(f"/v1/published/scores/{kind}/{code}?period={period}" for code in codes),
    )
]


def town_with_issues(*, issues=20):
    """A county of two towns; the first town's cadre closed issues in January, each of another citizen."""
    story = Story()
    county = story.organisation("C")
    towns = [story.organisation(code, county) for code in ("T0", "T1")]
    cadres = [story.cadre(code) for code in CADRES]
    for cadre_id, town in zip(cadres, towns, strict=True):
        story.post(cadre_id, town)
    at = datetime(2025, 1, 6, 9, tzinfo=ZONE)
    issue_ids = []
    for number in range(issues):
        citizen = UUID(int=0xFACE0000 + number)
        issue_ids.append(story.issue(towns[0], cadres[0], at, due_at=at + timedelta(days=9), citizen_ref=citizen))
        story.close(issue_ids[-1], at + timedelta(days=2))
    return story, issue_ids


def rate(story, issue_id, month, *, level=5, solved=True):
    story.rate(datetime(2025, month, 20, tzinfo=ZONE), level, issue_id=issue_id, solved=solved)


def close_year(pool, until=LONG_AFTER):
    """The first call starts the clock, long ago."""
    score_all(pool, now=until)
    close_months(pool, rule=RULE, now=datetime(2025, 1, 1, tzinfo=UTC))
    return close_months(pool, rule=RULE, now=until)


def published(pool):
    tables = (
        "SELECT * FROM release ORDER BY release_id",
        "SELECT * FROM released_answer ORDER BY rating_id, question",
        "SELECT * FROM publication ORDER BY subject_kind, subject_id, period_kind, period_start",
        "SELECT month, raters_needed, scheme_name, scheme_version FROM closing ORDER BY month",
    )
    with transaction(pool) as connection:
        return [connection.execute(table).fetchall() for table in tables]


def tell(pool, *, ratings):
    story, issue_ids = town_with_issues()
    for issue_id in issue_ids[:ratings]:
        rate(story, issue_id, 1)
    take(pool, story.take(), now=LONG_AFTER)
    close_year(pool)
    return open_door(pool, READERS)


def test_nobody_and_nine_people_look_the_same_and_ten_do_not(new_assessment):
    """Whatever the period, whichever route, whoever asks: bodies and headers."""
    heard = {}
    for count in (0, 1, 9, 10):
        app = tell(new_assessment(), ratings=count)
        heard[count] = {name: hear(app, name, PATHS) for name in READERS.principals}

    assert heard[0] == heard[1] == heard[9]
    assert all(heard[10][name] != heard[0][name] for name in ("S000", "T0", "C", "machine"))
    assert all(heard[10][name] == heard[0][name] for name in ("S001", "T1"))


def test_what_the_office_did_is_shown_and_what_few_said_is_not(pool):
    found = client_of(tell(pool, ratings=9), "S000").get("/v1/published/scores/cadre/S000?period=2025-01").json()

    indicators = {row["key"]: row for row in found["indicators"]}
    on_time, resolution = indicators["on_time_closure_rate"], indicators["resolution_rate"]
    assert (on_time["numerator"], on_time["denominator"], on_time["value"]) == (20, 20, "1.0000")
    assert resolution["components"]["closed_as_resolved"] == 20
    assert resolution["description"]["en"]
    for key in ("resolution_rate", "satisfaction_rate"):
        row = indicators[key]
        assert row["withheld"] == "too_few_ratings"
        assert (row["value"], row["band"], row["numerator"], row["denominator"]) == (None, None, None, None)
    assert (found["composite"], found["present_weight"], found["withheld"]) == (None, None, "too_few_ratings")


def test_unanimous_people_are_shown_as_a_band(pool):
    found = client_of(tell(pool, ratings=12), "S000").get("/v1/published/scores/cadre/S000?period=2025-01").json()

    satisfaction = next(row for row in found["indicators"] if row["key"] == "satisfaction_rate")
    assert satisfaction["band"] == {"from": "0.9000", "to": "1.0000"}
    assert (satisfaction["value"], satisfaction["numerator"], satisfaction["ratings_at_least"]) == (None, None, 10)
    assert found["composite"] is not None


def live_on(pool, eighth):
    """What everybody hears before the block from January to February is told, with it complete, and told.

    Seven people rate in January and four in February, and the eighth as given: which issue, level, and whether solved.
    """
    story, issue_ids = town_with_issues()
    app = open_door(pool, READERS)
    for issue_id in issue_ids[1:8]:
        rate(story, issue_id, 1, level=4)
    if eighth is not None:
        number, level, solved = eighth
        rate(story, issue_ids[number], 1, level=level, solved=solved)
    take(pool, story.take(), now=LONG_AFTER)
    close_year(pool, until=datetime(2025, 2, 27, tzinfo=UTC))
    before = {name: hear(app, name, PATHS) for name in READERS.principals}
    for issue_id in issue_ids[8:12]:
        rate(story, issue_id, 2, level=2)
    take(pool, story.take(), now=LONG_AFTER)
    waiting = {name: hear(app, name, PATHS) for name in READERS.principals}
    close_year(pool)
    return before, waiting, {name: hear(app, name, PATHS) for name in READERS.principals}


@pytest.fixture(scope="module")
def usual_world(shared_pool):
    return live_on(shared_pool, (0, 5, True))


@pytest.mark.parametrize(
    ("difference", "eighth"),
    [("level", (0, 1, True)), ("solved", (0, 5, False)), ("one less", None), ("by whom", (19, 5, True))],
)
def test_two_worlds_that_differ_in_one_rating_look_the_same_until_release(pool, usual_world, difference, eighth):
    before, waiting, after = usual_world
    before_other, waiting_other, after_other = live_on(pool, eighth)

    assert before == before_other
    assert waiting == before  # new ratings change nothing either
    assert waiting_other == before
    assert after["T1"] == after_other["T1"]
    assert after["S000"] != before["S000"]  # the months that were closed since
    assert after_other["S000"] != before["S000"]
    if difference == "level":
        assert after["C"] != after_other["C"]  # once told, it may tell


def test_a_late_rating_changes_nothing_that_was_told(pool):
    story, issue_ids = town_with_issues()
    for issue_id in issue_ids[:10]:
        rate(story, issue_id, 1, level=4)
    take(pool, story.take(), now=LONG_AFTER)
    close_year(pool, until=datetime(2025, 2, 27, tzinfo=UTC))
    app = open_door(pool, READERS)
    told = {name: hear(app, name, PATHS) for name in READERS.principals}

    for issue_id in issue_ids[10:]:
        rate(story, issue_id, 1, level=1)
    take(pool, story.take(), now=LONG_AFTER)
    score_all(pool, now=LONG_AFTER)

    assert {name: hear(app, name, PATHS) for name in READERS.principals} == told
    january = "/v1/published/scores/cadre/S000?period=2025-01"
    before = client_of(app, "S000").get(january).content
    close_year(pool)
    assert client_of(app, "S000").get(january).content == before
    with transaction(pool) as connection:  # they wait for people enough, and are told with a later month
        rows = connection.execute(
            "SELECT first_month, last_month, raters FROM release WHERE question = 'level' ORDER BY first_month"
        ).fetchall()
    assert rows == [(date(2025, 1, 1), date(2025, 1, 1), 10), (date(2025, 2, 1), date(2025, 2, 1), 10)]


def test_setting_ratings_aside_tells_nothing_of_fewer_than_k(new_assessment):
    """Ten people, one of them set aside: as if nine had rated. What was told stays told; what counts again waits."""
    heard = []
    for ratings, aside in ((9, False), (10, True)):
        pool = new_assessment()
        story, issue_ids = town_with_issues()
        for issue_id in issue_ids[:ratings]:
            rate(story, issue_id, 1)
        if aside:
            story.set_aside(next(one.event.rating_id for one in story.envelopes if one.event.aggregate == "rating"))
        take(pool, story.take(), now=LONG_AFTER)
        close_year(pool, until=datetime(2025, 2, 27, tzinfo=UTC))
        app = open_door(pool, READERS)
        heard.append({name: hear(app, name, PATHS) for name in READERS.principals})

    assert heard[0] == heard[1]


def test_a_told_rating_that_is_removed_and_restored_changes_nothing_that_was_told(pool):
    story, issue_ids = town_with_issues()
    for issue_id in issue_ids[:11]:
        rate(story, issue_id, 1, level=4)
    ids = [one.event.rating_id for one in story.envelopes if one.event.aggregate == "rating"]
    take(pool, story.take(), now=LONG_AFTER)
    close_year(pool, until=datetime(2025, 2, 27, tzinfo=UTC))
    app = open_door(pool, READERS)
    told = {name: hear(app, name, PATHS) for name in READERS.principals}

    for counts in (False, True):
        story.review(ids[0], counts=counts)
        story.amend(ids[1], 1, solved=False)
        take(pool, story.take(), now=LONG_AFTER)
        score_all(pool, now=LONG_AFTER)
        assert {name: hear(app, name, PATHS) for name in READERS.principals} == told
    close_year(pool)

    with transaction(pool) as connection:
        rows = connection.execute(
            "SELECT count(*), count(DISTINCT rating_id) FROM released_answer WHERE question = 'level'"
        )
        assert rows.fetchall() == [(11, 11)]


def test_an_issue_that_changes_hands_takes_no_told_answer_along(pool):
    story, issue_ids = town_with_issues()
    for issue_id in issue_ids[:10]:
        rate(story, issue_id, 1)
    take(pool, story.take(), now=LONG_AFTER)
    close_year(pool, until=datetime(2025, 2, 27, tzinfo=UTC))
    with transaction(pool) as connection:
        towns = {row[0]: row[1] for row in connection.execute("SELECT code, organisation_id FROM organisation")}
        cadres = {row[0]: row[1] for row in connection.execute("SELECT staff_number, cadre_id FROM cadre")}

    for issue_id in issue_ids[:11]:
        story.assign(issue_id, towns["T1"], cadres["S001"])
    rate(story, issue_ids[10], 2)  # the eleventh, who alone would be the difference of the two cadres
    take(pool, story.take(), now=LONG_AFTER)
    close_year(pool)

    with transaction(pool) as connection:
        holders = connection.execute("SELECT DISTINCT holder_id FROM release").fetchall()
    assert holders == [(cadres["S000"],)]


def test_a_machine_that_tries_every_number_finds_only_its_own(pool):
    tell(pool, ratings=10)
    app = open_door(pool, KnownPrincipals({"m": machine("scores.read", organisation_code="T0", name="m")}))
    client = client_of(app, "m")

    answers = {
        code: client.get(f"/v1/published/scores/cadre/{code}?period=2025-01") for code in (*CADRES, "S002", "S999")
    }
    units = {code: client.get(f"/v1/published/scores/organisation/{code}?period=2025-01") for code in (*UNITS, "X")}

    assert {code: answer.status_code for code, answer in answers.items()} == {
        "S000": 200,
        "S001": 404,
        "S002": 404,
        "S999": 404,
    }
    assert {code: answer.status_code for code, answer in units.items()} == {"C": 404, "T0": 200, "T1": 404, "X": 404}
    assert answers["S001"].content == answers["S999"].content
    assert units["T1"].content == units["X"].content == units["C"].content
    listed = client.get("/v1/published/scores/cadre?period=2025-01").json()["items"]
    assert [item["subject"]["code"] for item in listed] == ["S000"]
    assert client.get("/v1/scores/cadre/S000?period=2025-01").status_code == 403


def test_a_machine_needs_the_scope(pool):
    readers = KnownPrincipals({"m": machine("intake.read", organisation_code="T0", name="m")})
    client = client_of(open_door(pool, readers), "m")

    assert client.get("/v1/published/periods").status_code == 403


def test_pages_hold_every_publication_once_and_belong_to_their_reader(pool):
    app = open_door(
        pool,
        KnownPrincipals(
            {name: machine("scores.read", organisation_code="C", name=name) for name in ("one", "another")}
        ),
    )
    tell(pool, ratings=0)
    path = "/v1/published/scores/organisation?period=2025&limit=2"

    first = client_of(app, "one").get(path).json()
    following = f"{path}&cursor={first['next_cursor']}"
    second = client_of(app, "one").get(following).json()

    assert [item["subject"]["code"] for item in first["items"] + second["items"]] == list(UNITS)
    assert second["next_cursor"] is None
    assert client_of(app, "another").get(following).status_code == 422


@pytest.mark.parametrize("path", ["2025-13", "2025H3", "2025-01-07", "2025-01..2025-03", "last"])
def test_no_other_periods_are_offered(pool, path):
    client = client_of(open_door(pool, READERS), "S000")

    assert client.get(f"/v1/published/scores/cadre/S000?period={path}").status_code == 422


def test_a_month_is_closed_when_its_time_has_come_and_once(pool):
    story, _ = town_with_issues()
    take(pool, story.take(), now=LONG_AFTER)
    score_all(pool, now=LONG_AFTER)
    started = datetime(2025, 2, 10, tzinfo=UTC)

    assert close_months(pool, rule=RULE, now=started) == []  # loaded now: old months wait as long as new ones
    assert close_months(pool, rule=RULE, now=started + timedelta(days=4)) == []
    assert close_months(pool, rule=RULE, now=started + timedelta(days=5)) == [date(2025, 1, 1)]
    before = published(pool)
    assert close_months(pool, rule=RULE, now=started + timedelta(days=5)) == []
    assert close_months(pool, rule=RULE, now=datetime(2025, 3, 6, tzinfo=ZONE) - timedelta(seconds=1)) == []
    assert published(pool) == before
    assert close_months(pool, rule=RULE, now=datetime(2025, 3, 6, tzinfo=ZONE)) == [date(2025, 2, 1)]


def test_the_worker_spares_a_first_load_and_the_command_does_not(pool):
    story, _ = town_with_issues()
    take(pool, story.take(), now=LONG_AFTER)
    score_all(pool, now=LONG_AFTER)
    months = "SELECT month FROM closing ORDER BY month LIMIT 1"

    close_all(SETTINGS, pool)
    with transaction(pool) as connection:
        assert connection.execute(months).fetchall() == []
    close_all(SETTINGS, pool, spares_first_load=False)
    with transaction(pool) as connection:
        assert connection.execute(months).fetchall() == [(date(2025, 1, 1),)]


def test_months_that_should_be_closed_are_measured_by_age(pool):
    story, _ = town_with_issues()
    take(pool, story.take(), now=LONG_AFTER)
    score_all(pool, now=LONG_AFTER)
    assert measure_closing(pool, rule=RULE, now=LONG_AFTER) == (0, 0.0)  # nothing was looked at yet
    close_months(pool, rule=RULE, now=datetime(2025, 1, 20, tzinfo=UTC))
    due = datetime(2025, 2, 6, tzinfo=ZONE)

    assert measure_closing(pool, rule=RULE, now=due - timedelta(seconds=1)) == (0, 0.0)
    assert measure_closing(pool, rule=RULE, now=due + timedelta(minutes=1)) == (1, 60.0)
    assert measure_closing(pool, rule=RULE, now=datetime(2025, 4, 6, tzinfo=ZONE))[0] == 3
    close_months(pool, rule=RULE, now=due + timedelta(minutes=1))
    assert measure_closing(pool, rule=RULE, now=due + timedelta(minutes=1)) == (0, 0.0)


def busy_pool(new_assessment):
    pool = new_assessment()
    world = World(1, 5)
    for month in range(1, 13):
        world.tell_month(month)
    take(pool, world.story.take(), now=LONG_AFTER)
    score_all(pool, now=LONG_AFTER)
    rule = ClosingRule(raters_needed=5, delay=timedelta(days=5), scheme_name="basic", zone=ZONE)
    close_months(pool, rule=rule, now=datetime(2025, 1, 1, tzinfo=UTC))
    return pool, rule


def test_closing_by_several_at_once_closes_once(new_assessment):
    alone, rule = busy_pool(new_assessment)
    close_months(alone, rule=rule, now=LONG_AFTER)
    together, rule = busy_pool(new_assessment)

    with ThreadPoolExecutor(4) as threads:
        closing = [threads.submit(close_months, together, rule=rule, now=LONG_AFTER) for _ in range(4)]
        closed = [month for future in closing for month in future.result()]

    assert len(closed) == len(set(closed)) == 13
    assert published(together) == published(alone)
    assert len(published(alone)[0]) >= 5


CLOSE_AND_DIE = """
import sys
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo
from services.assessment.handlers.closings import ClosingRule, close_months
from shared import crash
from shared.database import open_pool
crash.arm(sys.argv[2], mode="test")
pool = open_pool(sys.argv[1], size=1, application="dying", statement_timeout_seconds=30, system=True)
rule = ClosingRule(raters_needed=5, delay=timedelta(days=5), scheme_name="basic", zone=ZoneInfo("Asia/Shanghai"))
close_months(pool, rule=rule, now=datetime.fromisoformat(sys.argv[3]))
"""


@pytest.mark.parametrize(
    "point",
    [
        "assessment.after_releases:3",
        "assessment.after_publication:1",
        "assessment.after_publication:9",
        "assessment.before_closing_commit:6",
    ],
)
def test_a_closing_that_dies_half_way_ends_as_if_it_had_not(new_assessment, point):
    whole, rule = busy_pool(new_assessment)
    close_months(whole, rule=rule, now=LONG_AFTER)
    broken, rule = busy_pool(new_assessment)

    command = [sys.executable, "-c", CLOSE_AND_DIE, broken.conninfo, point, LONG_AFTER.isoformat()]
    died = subprocess.run(command, check=False, timeout=60, env=os.environ | {"PYTHONPATH": "."})
    half_way = published(broken)
    close_months(broken, rule=rule, now=LONG_AFTER)

    assert died.returncode == -signal.SIGKILL
    assert len(half_way[3]) < 13
    assert published(broken) == published(whole)


@pytest.mark.parametrize("seed", [11, 12])
def test_the_same_events_in_another_order_give_the_same_publications(new_assessment, seed):
    """Month by month as it was lived, and again with every month's events shuffled, repeated and in other batches."""
    rule = ClosingRule(raters_needed=5, delay=timedelta(days=5), scheme_name="basic", zone=ZONE)
    draw = random.Random(seed)  # noqa: S311 - repeatable shuffles, not secrets
    world = World(seed, 5)
    lived, rebuilt = new_assessment(), new_assessment()
    for month in range(1, 13):
        world.tell_month(month)
        told = world.story.take()
        now = datetime(2025, month, 28, tzinfo=UTC) + timedelta(days=9)
        take(lived, told, now=now)
        arriving = told + draw.sample(told, len(told) // 3)
        draw.shuffle(arriving)
        while arriving:
            size = draw.randint(1, 40)
            take(rebuilt, arriving[:size], now=now)
            arriving = arriving[size:]
        for pool in (lived, rebuilt):
            score_all(pool, now=now)
            close_months(pool, rule=rule, now=datetime(2025, 1, 25, tzinfo=UTC))
            close_months(pool, rule=rule, now=now)

    assert published(rebuilt) == published(lived)
    assert len(published(lived)[0]) > 5


def test_nobody_can_change_what_is_published(pool):
    tell(pool, ratings=10)
    before = published(pool)

    with transaction(pool) as connection:
        for statement in (
            "UPDATE publication SET document = '{}'",
            "DELETE FROM publication",
            "DELETE FROM released_answer",
            "UPDATE release SET positive = 0",
            "DELETE FROM closing",
        ):
            assert connection.execute(statement).rowcount == 0

    assert published(pool) == before


def test_fewer_than_five_people_are_refused_at_the_start(monkeypatch):
    monkeypatch.setenv("LIANXIN_ASSESSMENT_DATABASE_URL", "postgresql://somebody:a-long-password-1234@localhost/x")
    monkeypatch.setenv("LIANXIN_ASSESSMENT_BROKER_URL", "amqp://somebody:another-password-5678@localhost/x")
    monkeypatch.setenv("LIANXIN_ASSESSMENT_RELEASE_RATERS", "4")

    with pytest.raises(UnsafeSetting, match="LIANXIN_ASSESSMENT_RELEASE_RATERS"):
        load(AssessmentSettings)
