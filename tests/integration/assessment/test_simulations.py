"""Trying a scheme on a closed period, over what is published of it and nothing else."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from httpx2 import Client

from services.assessment.api.app import create_api
from services.assessment.handlers.closings import ClosingRule, close_months
from services.assessment.handlers.schemes import load_schemes
from shared.contracts.intake.issues import Channel
from shared.database import Pool, open_pool, transaction
from tests.asking import client_at
from tests.fakes import KnownPrincipals, person
from tests.integration.assessment.conftest import HOME, NOW, ZONE, score_all, take
from tests.integration.assessment.readers import SETTINGS
from tests.integration.assessment.story import Story

pytestmark = pytest.mark.integration

RULE = ClosingRule(raters_needed=10, delay=timedelta(days=5), scheme_name="basic", zone=ZONE)
CANDIDATE = """
format = 1
name = "candidate"
version = 1
[measures]
answered = "response_rate"
on_time = { column = "on_time_closure_rate", optional = true }
received = "issues_received"
satisfied = { column = "satisfaction_rate", optional = true }
[items.answers]
kind = "proportional"
value = "answered"
full = 40
missing = "zero"
[items.closures]
kind = "proportional"
value = "on_time"
full = 60
missing = "zero"
[total]
round = 2
"""


def tell_story() -> Story:
    """Three cadres of two townships in October, of whom one closes late."""
    story = Story()
    county = story.organisation("C1", None)
    towns = [story.organisation(code, county) for code in ("T1", "T2")]
    for number, town in ((1, towns[0]), (2, towns[0]), (3, towns[1])):
        cadre = story.cadre(f"S{number}")
        story.post(cadre, town)
        for _ in range(4):
            issue = story.issue(
                town, cadre, datetime(2025, 10, 4, 2, tzinfo=UTC), due_at=datetime(2025, 10, 20, tzinfo=UTC)
            )
            story.close(issue, datetime(2025, 10, 22 if number == 2 else 8, 2, tzinfo=UTC))
    return story


def open_county(pool: Pool, story: Story) -> Client:
    take(pool, story.take())
    score_all(pool)
    close_months(pool, rule=RULE, now=datetime(2025, 10, 25, tzinfo=UTC))
    close_months(pool, rule=RULE, now=NOW)
    people = KnownPrincipals(
        {
            "officer": person("department_officer", name="officer"),
            "town": person("department_officer", "T1", name="town"),
            "cadre": person("cadre", name="S1", staff_number="S1"),
        }
    )
    app = create_api(SETTINGS, pool, authenticator=people)
    return client_at(app, headers={"Authorization": "Bearer officer"})


@pytest.fixture
def officer(pool: Pool) -> Client:
    return open_county(pool, tell_story())


def ask(client: Client, who: str = "officer", **changes: object):
    body = {"subject": "cadre", "period": "2025-10", "candidate": CANDIDATE} | changes
    return client.post("/v1/simulations", json=body, headers={"Authorization": f"Bearer {who}"})


def test_it_says_who_moves_where_and_what_is_told_apart(officer):
    flat = CANDIDATE.replace('value = "on_time"', 'value = "answered"').replace('"candidate"', '"flat"')

    found = ask(officer, candidate=flat, baseline=CANDIDATE).json()

    assert [(one["subject"], one["before"], one["after"], one["place_before"]) for one in found["movements"]] == [
        ("S1", "100", "100", "1"),
        ("S2", "40", "100", "3"),
        ("S3", "100", "100", "1"),
    ]
    towns = [one for one in found["by_group"] if one["by"] == "organisation"]
    assert [(one["value"], one["mean_change"], one["rising"]) for one in towns] == [
        ("T1", "30.0000", 1),
        ("T2", "0.0000", 0),
    ]
    areas = [one for one in found["by_group"] if one["by"] == "area"]
    assert [one | {"by": "organisation"} for one in areas] == towns  # what lies right below the county
    assert (found["before"]["distinct"], found["after"]["distinct"], found["after"]["tied"]) == (2, 1, 3)
    assert found["after"]["saturation"][1] == {"item": "closures", "subjects": 3, "at_ceiling": 3, "at_floor": 0}


def tell_channels(story: Story) -> UUID:
    """Seven cadres whose issues of October came by several channels, each closed late where told; return one issue."""
    town = story.organisation("T8", story.organisation("C8", None))
    received_at, in_time, late = (datetime(2025, 10, day, 2, tzinfo=UTC) for day in (4, 8, 22))

    cadres: dict[str, UUID] = {}

    def raise_issues(staff_number: str, *channels: Channel, closed_at: datetime) -> list[UUID]:
        cadre = cadres[staff_number] = story.cadre(staff_number)
        story.post(cadre, town)
        issues = [
            story.issue(town, cadre, received_at, due_at=datetime(2025, 10, 20, tzinfo=UTC), channel=channel)
            for channel in channels
        ]
        for issue in issues:
            story.close(issue, closed_at)
        return issues

    raise_issues("P1", "phone", "phone", "contact", closed_at=late)
    raise_issues("P2", "phone", closed_at=in_time)
    raise_issues("V1", "contact", "contact", "phone", closed_at=late)
    raise_issues("X1", "web", "phone", closed_at=late)
    raise_issues("N1", closed_at=late)
    merged = raise_issues("R1", "reception", "phone", "phone", closed_at=in_time)
    for duplicate in merged[1:]:
        story.merge(duplicate, merged[0], in_time)
    handed = raise_issues("H1", "mailbox", "phone", "phone", closed_at=late)
    for issue in handed[1:]:
        story.assign(issue, town, cadres["P2"])
    story.issue(town, cadres["V1"], datetime(2025, 9, 30, 2, tzinfo=UTC))
    story.issue(town, cadres["V1"], datetime(2025, 9, 30, 3, tzinfo=UTC))
    return handed[1]


def group_by_channel(found):
    groups = (one for one in found["by_group"] if one["by"] == "main_channel")
    return {one["value"]: (one["subjects"], one["compared"], one["mean_change"], one["rising"]) for one in groups}


def test_it_says_by_channel_whom_a_change_hits(pool):
    """P2 has two late ones of three from H1; the two that were merged are nobody's, and so are those of September."""
    story = Story()
    handed = tell_channels(story)
    client = open_county(pool, story)
    flat = CANDIDATE.replace('value = "on_time"', 'value = "answered"').replace('"candidate"', '"flat"')

    found = group_by_channel(ask(client, candidate=flat, baseline=CANDIDATE).json())

    assert found == {
        "phone": (2, 2, "50.0000", 2),  # P1 from 40 to 100, P2 from 60 to 100
        "contact": (1, 1, "60.0000", 1),
        "mailbox": (1, 1, "60.0000", 1),
        "reception": (1, 1, "0.0000", 0),
        "tied": (1, 1, "60.0000", 1),
        "none": (1, 1, "0.0000", 0),
    }
    story.assign(handed, story.organisation("T9", None), None)
    take(pool, story.take())
    assert group_by_channel(ask(client, candidate=flat, baseline=CANDIDATE).json()) == found


def test_where_nobody_counted_channels_at_the_close_it_says_so(new_database):
    """As it is with what an older release published."""
    database = new_database("assessment")
    pool = open_pool(database.url, size=2, application="older", statement_timeout_seconds=30, system=True)
    load_schemes(pool, (HOME / "schemes").glob("*.toml"), indicators_file=HOME / "indicators.toml", now=NOW)
    story = Story()
    tell_channels(story)
    client = open_county(pool, story)
    with psycopg.connect(database.owner_url) as owner:
        owner.execute("ALTER TABLE publication NO FORCE ROW LEVEL SECURITY")
        owner.execute("UPDATE publication SET channels = NULL")

    found = group_by_channel(ask(client).json())
    pool.close()

    assert {value: one[0] for value, one in found.items()} == {"": 7}


def test_organisations_have_no_channel(officer):
    assert not group_by_channel(ask(officer, subject="organisation").json())


def test_without_a_baseline_the_published_scores_are_compared_with(officer):
    found = ask(officer)

    assert found.status_code == 200
    assert all(one["before"] is None for one in found.json()["movements"])  # too few ratings: withheld


def test_only_what_is_within_reach_is_looked_at(officer):
    assert [one["subject"] for one in ask(officer, "town").json()["movements"]] == ["S1", "S2"]
    assert ask(officer, "cadre").status_code == 403


@pytest.mark.parametrize(
    ("changes", "status", "complaint"),
    [
        ({"period": "2025-11"}, 404, "nothing is published of that"),
        ({"period": "someday"}, 422, ""),
        ({"candidate": CANDIDATE.replace('"issues_received"', '"rating_level_sum"')}, 422, "no publication says"),
        ({"candidate": CANDIDATE.replace('"issues_received"', '"denied"')}, 422, "no publication says denied"),
        ({"candidate": "format = 1"}, 422, "needs values or items"),
        ({"tolerance": "-1"}, 422, ""),
    ],
)
def test_what_cannot_be_tried_is_refused(officer, changes, status, complaint):
    answer = ask(officer, **changes)

    assert answer.status_code == status
    assert complaint in answer.json()["detail"]


def test_a_scheme_that_is_too_much_work_for_one_request_is_refused(officer, monkeypatch):
    monkeypatch.setattr("services.assessment.handlers.simulations.MOST_STEPS", 10)

    answer = ask(officer)

    assert (answer.status_code, "too much for one request" in answer.json()["detail"]) == (422, True)


def test_nothing_is_kept(officer, pool):
    before = count(pool)

    ask(officer)

    assert count(pool) == before


def count(pool: Pool) -> list[object]:
    tables = ("score", "publication", "rule_scheme", "proposal", "outbox")
    with transaction(pool) as connection:
        return [connection.execute(f"SELECT count(*) FROM {table}").fetchone() for table in tables]  # noqa: S608


def test_one_rating_more_changes_no_digit_before_it_is_released(new_assessment):
    """A simulation is worked out of publications, and those are the same to the byte: decision 12."""
    answers = []
    for ratings in (0, 1, 9):
        pool = new_assessment()
        story = tell_story()
        cadre = story.cadre("S9")
        town = story.organisation("T9", None)
        story.post(cadre, town)
        for number in range(9):
            issue = story.issue(town, cadre, datetime(2025, 10, 4, 2, tzinfo=UTC))
            story.close(issue, datetime(2025, 10, 8, 2, tzinfo=UTC))
            if number < ratings:
                story.rate(datetime(2025, 10, 9, 2, tzinfo=UTC), 1, issue_id=issue, rater_ref=uuid4())
        take(pool, story.take())
        score_all(pool)
        close_months(pool, rule=RULE, now=datetime(2025, 10, 25, tzinfo=UTC))
        close_months(pool, rule=RULE, now=NOW)
        people = KnownPrincipals({"officer": person("department_officer", name="officer")})
        app = create_api(SETTINGS, pool, authenticator=people)
        client = client_at(app)
        reading = '[items.s]\nkind = "formula"\nformula = "satisfied"\nmissing = 7\n[total]'
        answer = ask(client, candidate=CANDIDATE.replace("[total]", reading))
        answers.append(answer.content)

    assert answers[0] == answers[1] == answers[2]
