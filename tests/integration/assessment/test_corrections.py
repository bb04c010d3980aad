"""What comes late after a closing makes a correction with its effect, and never another publication."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from services.assessment.domain.periods import parse_period
from services.assessment.handlers.closings import ClosingRule, close_months
from services.assessment.handlers.corrections import list_corrections, record_corrections
from shared.database import transaction
from tests.fakes import KnownPrincipals, person
from tests.integration.assessment.conftest import ZONE, score_all, take
from tests.integration.assessment.readers import client_of, open_door
from tests.integration.assessment.story import Story

pytestmark = pytest.mark.integration
RULE = ClosingRule(raters_needed=5, delay=timedelta(days=5), scheme_name="basic", zone=ZONE)
CLOSED_AT = datetime(2025, 2, 6, tzinfo=UTC)
LATER = datetime(2025, 2, 20, tzinfo=UTC)
JANUARY = parse_period("2025-01")


def county():
    """Two towns, a cadre in each; four issues of January for the first, one of them still open at the closing."""
    story = Story()
    story.root = story.organisation("C")
    towns = [story.organisation(code, story.root) for code in ("T0", "T1")]
    story.town = towns[0]
    cadres = [story.cadre(code) for code in ("S0", "S1")]
    story.cadre_id = cadres[0]
    for cadre, town in zip(cadres, towns, strict=True):
        story.post(cadre, town)
    story.duty("visit", 4, "month")
    issues = [
        story.issue(story.town, cadres[0], datetime(2025, 1, day, tzinfo=UTC), due_at=datetime(2025, 1, 20, tzinfo=UTC))
        for day in (3, 4, 5, 6)
    ]
    for issue in issues[:3]:
        story.close(issue, datetime(2025, 1, 12, tzinfo=UTC))
    return story, issues, towns, cadres


def close_january(pool, story):
    take(pool, story.take(), now=CLOSED_AT)
    score_all(pool, now=CLOSED_AT)
    close_months(pool, rule=RULE, now=datetime(2025, 1, 20, tzinfo=UTC))  # the first call starts the clock
    assert len(close_months(pool, rule=RULE, now=CLOSED_AT)) == 1


def correct(pool, story, now=LATER):
    take(pool, story.take(), now=now)
    score_all(pool, now=now)
    return record_corrections(pool, zone=ZONE, now=now)


def corrections_of(pool, kind, code):
    return list_corrections(pool, kind, code=code, period=JANUARY, before=None, limit=50)


def documents(pool):
    with transaction(pool) as connection:
        return connection.execute("SELECT subject_id, document, content_hash FROM publication ORDER BY 1").fetchall()


def test_an_issue_that_lives_on_after_the_closing_corrects_nothing(pool):
    story, issues, towns, cadres = county()
    close_january(pool, story)

    story.close(issues[3], datetime(2025, 2, 10, tzinfo=UTC))
    story.reopen(issues[0], datetime(2025, 2, 11, tzinfo=UTC))
    story.issue(towns[0], cadres[0], datetime(2025, 2, 12, tzinfo=UTC))

    assert correct(pool, story) == 0


def test_a_closure_that_was_told_late_says_what_the_figure_would_be(pool):
    story, issues, _, _ = county()
    close_january(pool, story)
    before = documents(pool)
    story.close(issues[3], datetime(2025, 1, 15, tzinfo=UTC))

    assert correct(pool, story) == 3
    assert correct(pool, story) == 0
    found = corrections_of(pool, "cadre", "S0")

    assert [one.number for one in found] == [1]
    assert found[0].changes["closed_on_time"] == {"published": 3, "would_be": 4}
    assert found[0].changes["open_overdue"] == {"published": 1, "would_be": 0}
    assert found[0].changes["closed_as_resolved"] == {"published": 3, "would_be": 4}
    assert found[0].cause["count"] == 1
    assert found[0].cause["events"][0]["type"] == "cn.lianxin.issue.closed.v1"
    assert [len(corrections_of(pool, "organisation", code)) for code in ("T0", "C", "T1")] == [1, 1, 0]
    assert documents(pool) == before


def test_a_hand_over_that_was_told_late_takes_from_one_and_gives_to_the_other(pool):
    story, issues, towns, cadres = county()
    close_january(pool, story)
    story.assign(issues[0], towns[1], cadres[1])  # story.START: before the closing

    correct(pool, story)

    received = {code: corrections_of(pool, "cadre", code)[0].changes["issues_received"] for code in ("S0", "S1")}
    assert received == {"S0": {"published": 4, "would_be": 3}, "S1": {"published": 0, "would_be": 1}}
    assert corrections_of(pool, "organisation", "C") == []  # of the county nothing changes


def test_late_contacts_and_posts_correct_duties_and_what_is_taken_back_corrects_that(pool):
    story, _, _, cadres = county()
    close_january(pool, story)
    contact = story.contact(cadres[0], datetime(2025, 1, 9, tzinfo=UTC))
    correct(pool, story)
    story.void_contact(contact)
    correct(pool, story)

    found = corrections_of(pool, "cadre", "S0")

    assert [one.number for one in found] == [2, 1]
    assert found[1].changes["duties_met"] == {"published": 0, "would_be": 1}
    assert found[0].changes == {}  # as published
    assert found[0].composite_would_be == found[0].composite_was


def test_an_exclusion_is_about_what_was_before_whenever_it_is_decided(pool):
    story, issues, _, _ = county()
    close_january(pool, story)
    story.exclude(issues[3], "all")
    correct(pool, story)

    assert corrections_of(pool, "cadre", "S0")[0].changes["issues_received"] == {"published": 4, "would_be": 3}


def test_ratings_correct_nothing(pool):
    story, issues, _, _ = county()
    close_january(pool, story)
    for number, issue in enumerate(issues):
        rating = story.rate(datetime(2025, 1, 18, tzinfo=UTC), 1, issue_id=issue, solved=False)
        if number:
            story.set_aside(rating)

    assert correct(pool, story) == 0


@pytest.mark.parametrize("seed", range(3))
def test_the_order_in_which_late_events_come_does_not_matter_for_what_would_be(new_assessment, seed):
    told = []
    for shuffle in (None, seed):
        pool = new_assessment()
        story, issues, towns, cadres = county()
        close_january(pool, story)
        story.close(issues[3], datetime(2025, 1, 15, tzinfo=UTC))
        story.assign(issues[2], towns[1], cadres[1])
        story.reopen(issues[0], datetime(2025, 1, 30, tzinfo=UTC))
        for day in (7, 8):
            story.contact(cadres[0], datetime(2025, 1, day, tzinfo=UTC))
        late = story.take()
        if shuffle is not None:
            random.Random(shuffle).shuffle(late)  # noqa: S311 - repeatable
        for envelope in late:
            story.envelopes = [envelope]
            correct(pool, story)
        told.append(
            {
                (kind, code): corrections_of(pool, kind, code)[0].content_hash
                for kind, code in (("cadre", "S0"), ("cadre", "S1"), ("organisation", "C"))
            }
        )

    assert told[0] == told[1]


def test_corrections_wait_until_what_is_late_is_counted(pool):
    story, issues, _, _ = county()
    close_january(pool, story)
    story.close(issues[3], datetime(2025, 1, 15, tzinfo=UTC))
    take(pool, story.take(), now=LATER)

    assert record_corrections(pool, zone=ZONE, now=LATER) == 0
    score_all(pool, now=LATER)
    assert record_corrections(pool, zone=ZONE, now=LATER) == 3


def test_who_may_read_a_publication_reads_what_corrects_it(pool):
    story, issues, _, _ = county()
    close_january(pool, story)
    story.close(issues[3], datetime(2025, 1, 15, tzinfo=UTC))
    correct(pool, story)
    known = KnownPrincipals(
        {code: person("cadre", staff_number=code, name=code) for code in ("S0", "S1")}
        | {"officer": person("department_officer", "C", name="officer")}
    )
    app = open_door(pool, known)
    path = "/v1/published/corrections/cadre"

    own, other = (client_of(app, code).get(path).json()["items"] for code in ("S0", "S1"))
    first = client_of(app, "officer").get("/v1/published/corrections/organisation?limit=1").json()
    second = client_of(app, "officer").get(
        f"/v1/published/corrections/organisation?limit=1&cursor={first['next_cursor']}"
    )

    assert [(item["subject_code"], item["number"]) for item in own] == [("S0", 1)]
    assert own[0]["document"]["subject"]["code"] == "S0"
    assert other == []
    assert first["items"][0]["subject_code"] != second.json()["items"][0]["subject_code"]
    assert client_of(app, "officer").get(f"{path}?period=2025-13").status_code == 422
    assert client_of(app, "officer").get(f"{path}?cursor=x").status_code == 422


def test_nobody_can_change_a_correction(pool):
    story, issues, _, _ = county()
    close_january(pool, story)
    story.close(issues[3], datetime(2025, 1, 15, tzinfo=UTC))
    correct(pool, story)

    with transaction(pool) as connection:
        assert connection.execute("UPDATE correction SET composite_would_be = 100").rowcount == 0
        assert connection.execute("DELETE FROM correction").rowcount == 0
