"""What an issue's category was called, in its place and on its day, beside its evidence: names come by events alone."""

import html
import re
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import pytest

from services.assessment.handlers.evidence import name_kinds
from services.assessment.web.texts import TEXTS
from shared.database import transaction
from tests.integration.assessment.conftest import ZONE, score_all, take
from tests.integration.assessment.readers import client_of, open_door
from tests.integration.assessment.story import Story
from tests.integration.assessment.test_fair_closings import READERS, live, open_closed
from tests.integration.assessment.test_pages import open_site

pytestmark = pytest.mark.integration
MIGRATION = Path(__file__).parents[3] / "services/assessment/migrations/0101_name_categories.sql"
BEFORE, AFTER = (
    datetime(2025, 3, 31, 15, tzinfo=UTC),
    datetime(2025, 3, 31, 17, tzinfo=UTC),
)  # midnight in China between


def tell_names() -> tuple[Story, dict[UUID, str]]:
    """Issues by the name that each was filed under."""
    story = Story()
    county = story.organisation("C")
    town, other = story.organisation("T", county), story.organisation("O", county)
    cadre = story.cadre("S1")
    everywhere = story.category("roads", "道路")
    story.category("roads", "道路交通", from_on=date(2025, 4, 1), category_id=everywhere)
    story.category("roads", "乡村道路", town)
    return story, {
        story.issue(other, cadre, BEFORE): "道路",
        story.issue(other, cadre, AFTER): "道路交通",
        story.issue(county, cadre, AFTER): "道路交通",
        story.issue(town, cadre, AFTER): "乡村道路",
    }


@pytest.mark.parametrize("is_reversed", [False, True])
def test_an_issue_is_called_as_its_place_called_it_on_its_day_in_whatever_order_that_is_told(pool, is_reversed):
    story, names = tell_names()
    told = story.take()

    take(pool, told[::-1] if is_reversed else told)
    take(pool, told)

    assert name_kinds(pool, list(names), zone=ZONE) == names


def test_what_no_category_names_has_no_name(pool):
    story = Story()
    town = story.organisation("T")
    issue = story.issue(town, story.cadre("S1"), AFTER)
    story.category("water", "供水")
    story.category("roads", "别处的道路", story.organisation("X"))
    take(pool, story.take())

    assert name_kinds(pool, [issue], zone=ZONE) == {}


def test_what_was_told_before_there_was_room_for_it_is_taken_from_the_log(pool):
    story, names = tell_names()
    take(pool, story.take())
    (filling,) = re.findall(r"INSERT INTO category_version .*?;", MIGRATION.read_text("utf-8"), re.DOTALL)

    with transaction(pool) as connection:
        kept = connection.execute("SELECT * FROM category_version ORDER BY 1, 2").fetchall()
        connection.execute("DELETE FROM category_version")
        connection.execute(filling)
        filled = connection.execute("SELECT * FROM category_version ORDER BY 1, 2").fetchall()

    assert len(kept) == 3
    assert filled == kept
    assert name_kinds(pool, list(names), zone=ZONE) == names


def test_the_pages_show_the_name_and_not_the_code(pool):
    story = live()
    story.category("roads", "道路交通")
    open_closed(pool, story)
    score_all(pool)
    officer = open_site(pool, READERS.principals)("officer")

    evidence = html.unescape(officer.get("/scores/cadre/S1/response_rate?period=2025-01").text)
    profile = html.unescape(officer.get("/fair/S1?period=2025-01").text)

    said = f"{TEXTS['zh']['facts']['issue']} · 道路交通"
    assert said in evidence
    assert said in profile
    assert "roads" not in evidence + profile


def test_the_api_tells_the_name_beside_the_code(pool):
    story = live()
    story.category("roads", "道路交通")
    open_closed(pool, story)
    score_all(pool)
    auditor = client_of(open_door(pool, READERS), "auditor")

    issues, contacts = (
        auditor.get(f"/v1/scores/cadre/S1/indicators/{indicator}/events?period=2025-01").json()["items"]
        for indicator in ("response_rate", "contact_duty")
    )

    assert {(one["fact"], one["kind"], one["kind_name"]) for one in issues} == {("issue", "roads", "道路交通")}
    assert {(one["fact"], one["kind"], one["kind_name"]) for one in contacts} == {("contact", "visit", None)}


def test_a_category_without_a_name_is_told_by_its_code_alone(pool):
    open_closed(pool, live())
    officer = client_of(open_door(pool, READERS), "officer")

    items = officer.get("/v1/scores/cadre/S1/indicators/response_rate/events?period=2025-01").json()["items"]

    assert {(one["kind"], one["kind_name"]) for one in items} == {("roads", None)}
