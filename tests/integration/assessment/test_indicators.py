"""Every indicator counts what its definition says, and reads the same wherever it is read."""

from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from prometheus_client import REGISTRY
from psycopg import sql

from services.assessment.domain.periods import parse_period
from services.assessment.handlers.figures import count_everything, load_registry, read_figures
from services.assessment.handlers.gauges import gauge_figures
from services.assessment.handlers.reading import read_score
from services.assessment.handlers.windows import WindowQuery
from shared.contracts.intake.contacts import ContactRecorded
from shared.contracts.intake.registers import OrganisationRegistered
from shared.database import transaction
from tests.fakes import KnownPrincipals, person
from tests.integration.assessment.conftest import NOW, ZONE, score_all, take
from tests.integration.assessment.readers import client_of, open_door
from tests.integration.assessment.story import Story, random_county

if TYPE_CHECKING:
    from services.assessment.domain.scores import SubjectKind

pytestmark = pytest.mark.integration
YEAR = parse_period("2025")
MARCH = datetime(2025, 3, 10, 2, tzinfo=UTC)


def figures_of(pool, code, period=YEAR, kind="cadre", now=NOW):
    found = read_figures(pool, WindowQuery(subject_kind=kind, code=code, period=period), zone=ZONE, now=now)
    return {definition.key: (figure.numerator, figure.denominator) for definition, figure in found.figures}


def county():
    """A county above a town; a cadre of the town since the year began."""
    story = Story()
    story.root = story.organisation("C")
    story.town = story.organisation("T", story.root)
    story.cadre_id = story.cadre("S")
    story.post(story.cadre_id, story.town)
    return story


def settle(pool, story):
    take(pool, story.take())
    score_all(pool)


def meet(story, at, *, kind="visit", place=None, groups=None, days=None):
    recorded = ContactRecorded(
        contact_id=story.id(),
        cadre_id=story.cadre_id,
        organisation_id=story.town,
        kind=kind,
        occurred_at=at,
        recorded_at=at,
        place_code=place,
        population_group=groups[0] if groups else None,
        people_by_group=dict.fromkeys(groups, 2) if groups else None,
        first_on=days[0] if days else None,
        last_on=days[1] if days else None,
    )
    return story.tell(recorded)


def test_the_course_of_issues(pool):
    story = county()
    issues = [story.issue(story.town, story.cadre_id, MARCH, respond_by=MARCH + timedelta(hours=4)) for _ in range(6)]
    story.respond(issues[0], MARCH + timedelta(hours=4))
    story.respond(issues[1], MARCH + timedelta(hours=5))
    for issue in issues[:4]:
        story.close(issue, MARCH + timedelta(days=1))
    story.reply(issues[0], MARCH + timedelta(days=1))
    story.reopen(issues[1], MARCH + timedelta(days=2))
    story.redo(issues[2], MARCH + timedelta(days=2))
    story.close(issues[2], MARCH + timedelta(days=3))
    story.give_back(issues[5], story.town)
    story.assign(issues[5], story.town, story.cadre_id)
    settle(pool, story)

    found = figures_of(pool, "S")

    assert found["first_contact_rate"] == (1, 6)  # in time; late; closed first, late, twice; and two never
    assert found["reply_rate"] == (1, 3)
    assert found["reopened_rate"] == (1, 4)
    assert found["redo_rate"] == (1, 4)
    assert found["first_time_closure_rate"] == (2, 4)
    assert found["return_rate"] == (1, 6)
    assert figures_of(pool, "C", kind="organisation")["redo_rate"] == (1, 4)


def test_a_closure_with_a_reply_replies(pool):
    story = county()
    issues = [story.issue(story.town, story.cadre_id, MARCH) for _ in range(2)]
    story.close(issues[0], MARCH + timedelta(days=1), reply_characters=40)
    story.close(issues[1], MARCH + timedelta(days=1))
    settle(pool, story)

    assert figures_of(pool, "S")["reply_rate"] == (1, 2)


def test_a_citizen_who_comes_again_within_ninety_days_recurs(pool):
    story = county()
    for citizen, day in ((1, 0), (1, 90), (1, 181), (2, 0), (None, 0), (None, 1)):
        ref = UUID(int=citizen) if citizen else None
        story.issue(story.town, story.cadre_id, MARCH + timedelta(days=day), citizen_ref=ref)
    settle(pool, story)

    assert figures_of(pool, "S")["recurring_rate"] == (1, 6)


def test_satisfaction_by_dimension_and_participation(pool):
    story = county()
    issues = [story.issue(story.town, story.cadre_id, MARCH) for _ in range(4)]
    for issue in issues[:3]:
        story.invite(MARCH, issue_id=issue)
        story.invite(MARCH + timedelta(days=1), issue_id=issue)  # asked twice, and counted once
    story.rate(MARCH, 5, issue_id=issues[0], attitude=5, speed=2)
    story.rate(MARCH, 1, issue_id=issues[3], attitude=2)
    settle(pool, story)

    found = figures_of(pool, "S")

    assert found["attitude_satisfaction"] == (1, 2)
    assert found["speed_satisfaction"] == (0, 1)
    assert found["participation_rate"] == (1, 3)


def test_breadth_is_who_was_met_of_who_lives_there(pool):
    story = county()
    village = story.organisation("V", story.town)
    for place, group, people, households in (
        ("v1", None, 200, 60),
        ("v1", "farmers", 150, None),
        ("v2", None, 100, 40),
        ("v2", "elderly", 30, None),
        ("v2", "students", 0, None),  # nobody of these lives there
    ):
        story.count_people(village, place, group, people, households)
    meet(story, MARCH, place="v1", groups=["elderly", "migrants"])
    meet(story, MARCH, place="elsewhere", groups=["farmers"], kind="reception")
    settle(pool, story)

    found = figures_of(pool, "S")

    assert found["group_breadth"] == (2, 2)
    assert found["village_breadth"] == (1, 2)
    assert found["household_breadth"] == (1, 100)
    assert figures_of(pool, "S", parse_period("2025-04"))["group_breadth"] == (0, 2)
    assert figures_of(pool, "T", kind="organisation")["village_breadth"] == (1, 2)


def test_evenness_counts_the_thirds_of_months_that_are_over(pool):
    story = county()
    for day in (1, 10, 11, 31):
        meet(story, datetime(2025, 3, day, 4, tzinfo=UTC))
    settle(pool, story)

    assert figures_of(pool, "S", parse_period("2025-03"))["evenness"] == (3, 3)
    assert figures_of(pool, "S", parse_period("2025Q2"))["evenness"] == (0, 9)
    assert figures_of(pool, "S", parse_period("2025-11"))["evenness"] == (0, 1)  # by the 15th one is over


def test_field_stays_receptions_channels_and_suggestions(pool):
    story = county()
    meet(story, MARCH, kind="field_stay", days=(date(2025, 3, 10), date(2025, 3, 14)))
    meet(story, MARCH, kind="field_stay")
    first = story.offer(story.town, story.cadre_id, MARCH)
    story.hold(first, story.town, story.cadre_id, MARCH)
    story.cancel(story.offer(story.town, story.cadre_id, MARCH))
    story.offer(story.town, story.cadre_id, MARCH + timedelta(days=7))
    story.offer(story.town, story.cadre_id, NOW + timedelta(days=7))
    for is_reached in (True, True, False):
        story.check_channel(story.town, MARCH, is_reached=is_reached)
    settle(pool, story)

    found = figures_of(pool, "S")

    assert found["field_stay_days"] == (6, None)
    assert found["reception_days_held"] == (1, 2)
    assert found["channel_reachability"] == (0, 0)  # of organisations alone
    assert figures_of(pool, "C", kind="organisation")["channel_reachability"] == (2, 3)


def test_duties_by_kind_sum_up_to_all_duties(pool):
    take(pool, random_county(5))
    score_all(pool)

    for kind, code in (("cadre", "S001"), ("organisation", "C"), ("organisation", "T1")):
        for period in ("2025", "2025Q3", "2025-06", "2025H1"):
            found = figures_of(pool, code, parse_period(period), kind)
            by_kind = [found[key] for key in found if key.startswith("duty_")]
            assert tuple(map(sum, zip(*by_kind, strict=True))) == found["contact_duty"], (code, period)


@pytest.mark.parametrize("kind", ["cadre", "organisation"])
def test_figures_of_many_are_those_of_each_alone(pool, kind):
    """They share posts, places and facts; of a month before any of these, and of any days."""
    take(pool, random_county(7))
    score_all(pool)
    table = sql.Identifier(kind)
    for label in ("2025", "2025Q3", "2024-12", "2025-05-03..2025-08-20"):
        period = parse_period(label)
        with transaction(pool) as connection:
            rows = connection.execute(sql.SQL("SELECT {}_id FROM {}").format(sql.SQL(kind), table)).fetchall()
            ids = [UUID(str(row[0])) for row in rows]

            together = count_everything(connection, kind, ids, period, zone=ZONE, now=NOW)

            for one in ids:
                assert count_everything(connection, kind, [one], period, zone=ZONE, now=NOW) == {one: together[one]}
            assert len(together) >= 6
            assert any(one["spans_active"] for one in together.values()) == (label != "2024-12")


def test_scores_figures_and_evidence_agree_on_what_is_tallied(pool):
    """The same indicator as a score's, as the registry's figure, over the door, and in halves of the year."""
    take(pool, random_county(6))
    score_all(pool)
    known = KnownPrincipals({"officer": person("department_officer", "C", name="officer")})
    client = client_of(open_door(pool, known), "officer")
    subjects: tuple[tuple[SubjectKind, str], ...] = (("cadre", "S002"), ("organisation", "C"), ("organisation", "T0"))
    for kind, code in subjects:
        score = read_score(pool, kind, code, YEAR, scheme_name="basic")
        figures = figures_of(pool, code, kind=kind)
        for row in score.indicators:
            assert figures[row.definition.key] == (row.result.numerator, row.result.denominator)
        shown = client.get(f"/v1/figures/{kind}/{code}?period=2025").json()["figures"]
        listed = client.get(f"/v1/scores/{kind}/{code}?period=2025").json()["indicators"]
        by_key = {row["key"]: row for row in shown}
        assert [by_key[row["key"]]["value"] for row in listed] == [row["value"] for row in listed]
        halves = [figures_of(pool, code, parse_period(half), kind) for half in ("2025H1", "2025H2")]
        for key in ("reply_rate", "redo_rate", "return_rate", "attitude_satisfaction", "first_contact_rate"):
            assert tuple(map(sum, zip(*(half[key] for half in halves), strict=True))) == figures[key]


def test_gauges_read_what_the_door_shows_and_are_of_one_level_alone(pool):
    take(pool, random_county(6))
    score_all(pool)
    county = Story(_made=1 << 21)
    code = "330100"
    county.tell(OrganisationRegistered(organisation_id=county.id(), code=code, name="县", level="50"))
    take(pool, county.take())

    shown = gauge_figures(pool, level="60", zone=ZONE, now=NOW)
    assert shown == 8
    figures = figures_of(pool, "T0", kind="organisation")
    for definition in load_registry().definitions:
        labels = {"indicator": definition.key, "organisation": "T0"}
        numerator, denominator = figures[definition.key]
        assert REGISTRY.get_sample_value("assessment_indicator_numerator", labels) == numerator
        assert REGISTRY.get_sample_value("assessment_indicator_denominator", labels) == (denominator or 0)
        value = REGISTRY.get_sample_value("assessment_indicator_value", labels)
        assert value == (
            round_half_up(numerator, denominator) if denominator else (numerator if denominator is None else None)
        )

    assert gauge_figures(pool, level="50", zone=ZONE, now=NOW) == 1
    labels = {"indicator": "reply_rate", "organisation": "T0"}
    assert REGISTRY.get_sample_value("assessment_indicator_numerator", labels) is None  # no longer asked for


def round_half_up(numerator, denominator):
    return float((Decimal(numerator) / Decimal(denominator)).quantize(Decimal("0.0001"), ROUND_HALF_UP))


def test_the_registry_is_described_whole_and_tagged(pool):
    known = KnownPrincipals({"cadre": person("cadre", staff_number="S", name="cadre")})
    client = client_of(open_door(pool, known), "cadre")

    answer = client.get("/v1/indicators")
    items = {item["key"]: item for item in answer.json()["items"]}

    assert items.keys() == {one.key for one in load_registry().definitions}
    assert items["satisfaction_rate"]["reads_ratings"] == ["level"]
    assert all(item["exclusions"]["zh"] and item["name"]["en"] for item in items.values())
    assert client.get("/v1/indicators", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    assert client.get("/v1/figures/cadre/S?period=2025").status_code == 403


def test_figures_stop_where_reach_does(pool):
    settle(pool, county())
    known = KnownPrincipals(
        {
            "elsewhere": person("department_officer", "X", name="elsewhere"),
            "self": person("department_officer", "C", name="self", staff_number="S"),
        }
    )
    app = open_door(pool, known)

    for name in known.principals:
        assert client_of(app, name).get("/v1/figures/cadre/S?period=2025").status_code == 404
    assert client_of(app, "self").get("/v1/figures/organisation/T?period=2025").status_code == 200


def test_values_are_rounded_half_up_to_the_places_of_the_definition(pool):
    story = county()
    for number in range(6):
        story.issue(story.town, story.cadre_id, MARCH)
        if number < 4:
            story.close(story.envelopes[-1].event.aggregate_id, MARCH + timedelta(days=1))
    settle(pool, story)

    found = read_figures(pool, WindowQuery(subject_kind="cadre", code="S", period=YEAR), zone=ZONE, now=NOW)

    values = {definition.key: figure.value for definition, figure in found.figures}
    assert values["response_rate"] == Decimal("1.0000")
    assert values["reply_rate"] == Decimal("0.0000")
    assert values["evenness"] == Decimal("0.0000")
    assert values["satisfaction_rate"] is None
