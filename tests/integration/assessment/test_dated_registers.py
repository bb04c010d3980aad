"""What a moved organisation and duties of places do to figures, and what they leave as they are."""

from datetime import date, datetime

import pytest

from services.assessment.domain.periods import parse_period
from services.assessment.handlers.evidence import EvidenceQuery, list_evidence
from services.assessment.handlers.reading import read_score
from services.assessment.storage.duties import list_duty_units_around
from shared.contracts.intake.contacts import ContactRecorded
from shared.contracts.intake.duties import DutyDefined
from shared.contracts.intake.registers import OrganisationRegistered
from shared.database import transaction
from tests.integration.assessment.conftest import NOW, ZONE, score_all, take
from tests.integration.assessment.story import Story

pytestmark = pytest.mark.integration
BEGIN = date(2025, 1, 1)


def at(month: int, day: int) -> datetime:
    return datetime(2025, month, day, 12, tzinfo=ZONE)


def duty_of(pool, code, period):
    score = read_score(pool, "cadre", code, parse_period(period), scheme_name="basic")
    [row] = [row for row in score.indicators if row.definition.key == "contact_duty"]
    return row.result.numerator, row.result.denominator


def duties_of_unit(pool, code, period):
    score = read_score(pool, "organisation", code, parse_period(period), scheme_name="basic")
    rows = [row for row in score.indicators if row.definition.key == "contact_duty"]
    return (rows[0].result.numerator, rows[0].result.denominator) if rows else None


def owe(story, required, *, organisation_id=None, post_level=None, unit="count", per="month", **days):
    story.tell(
        DutyDefined(
            duty_id=story.id(),
            post_kind="township_head",
            contact_kind="visit",
            required_count=required,
            per=per,
            valid_from=days.get("valid_from", BEGIN),
            valid_until=days.get("valid_until"),
            organisation_id=organisation_id,
            post_level=post_level,
            unit=unit,
        )
    )


@pytest.fixture
def county():
    """A county with a township, and a cadre there."""
    story = Story()
    story.root = story.organisation("C")
    story.town = story.organisation("T", story.root)
    story.cadre_id = story.cadre("S001")
    story.post(story.cadre_id, story.town)
    return story


def test_a_move_takes_no_month_along_that_had_begun(pool, county):
    other = county.organisation("D")
    owe(county, 4)
    for month in (3, 4, 5):
        county.contact(county.cadre_id, at(month, 10))
    before = county.take()
    moved = OrganisationRegistered(
        organisation_id=county.town, code="T", name="单位T", level="60", parent_id=other, from_on=date(2025, 4, 15)
    )
    county.tell(moved)
    after = county.take()

    take(pool, before)
    score_all(pool)
    take(pool, after)
    score_all(pool)

    assert [duties_of_unit(pool, "C", month) for month in ("2025-03", "2025-04")] == [(1, 4), (1, 4)]
    assert duties_of_unit(pool, "D", "2025-05") == (1, 4)
    assert duties_of_unit(pool, "C", "2025-05") in {None, (0, 0)}


def test_the_tree_of_then_does_not_depend_on_when_it_is_told(pool, new_assessment, county):
    other = county.organisation("D")
    owe(county, 4)
    county.contact(county.cadre_id, at(3, 10))
    county.contact(county.cadre_id, at(5, 10))
    county.tell(
        OrganisationRegistered(
            organisation_id=county.town, code="T", name="单位T", level="60", parent_id=other, from_on=date(2025, 5, 1)
        )
    )
    envelopes = county.take()
    backwards = new_assessment()

    take(pool, envelopes)
    for envelope in reversed(envelopes):
        take(backwards, [envelope])
        score_all(backwards)
    score_all(pool)

    for one in (pool, backwards):
        assert duties_of_unit(one, "C", "2025-03") == (1, 4)
        assert duties_of_unit(one, "D", "2025-05") == (1, 4)


def test_the_evidence_of_a_month_is_that_of_its_tree(pool, county):
    other = county.organisation("D")
    owe(county, 4)
    county.contact(county.cadre_id, at(3, 10), organisation_id=county.town)
    county.tell(
        OrganisationRegistered(
            organisation_id=county.town, code="T", name="单位T", level="60", parent_id=other, from_on=date(2025, 5, 1)
        )
    )
    take(pool, county.take())
    score_all(pool)

    found = {
        code: len(
            list_evidence(
                pool,
                EvidenceQuery(
                    subject_kind="organisation", code=code, period=parse_period("2025-03"), indicator="contact_duty"
                ),
                scheme_name="basic",
                zone=ZONE,
                now=NOW,
            ).items
        )
        for code in ("C", "D")
    }

    assert found == {"C": 1, "D": 0}


def test_of_duties_the_nearest_holds(pool, county):
    beside = county.organisation("B", county.root)
    owe(county, 9)
    owe(county, 4, organisation_id=county.root)
    owe(county, 2, organisation_id=county.town)
    owe(county, 7, organisation_id=beside)
    county.contact(county.cadre_id, at(3, 10))
    take(pool, county.take())
    score_all(pool)

    assert duty_of(pool, "S001", "2025-03") == (1, 2)


def test_a_duty_of_the_posts_level_goes_before_one_of_all_levels(pool, county):
    owe(county, 9)
    owe(county, 3, post_level="141")
    owe(county, 7, post_level="132")
    take(pool, county.take())
    score_all(pool)

    assert duty_of(pool, "S001", "2025-03") == (0, 3)


def test_a_farther_duty_holds_on_the_days_on_which_no_nearer_one_does(pool, county):
    owe(county, 30)
    owe(county, 60, organisation_id=county.town, valid_from=date(2025, 4, 11), valid_until=date(2025, 4, 20))
    for day in (5, 15, 25):
        county.contact(county.cadre_id, at(4, day))
    take(pool, county.take())
    score_all(pool)

    assert duty_of(pool, "S001", "2025-04") == (3, 40)  # 20 days at one a day, 10 at two


def test_days_are_counted_once_and_a_stay_for_each_day_that_it_lasts(pool, county):
    owe(county, 10, unit="days")
    county.contact(county.cadre_id, at(3, 3))
    county.contact(county.cadre_id, at(3, 3))
    county.tell(
        ContactRecorded(
            contact_id=county.id(),
            cadre_id=county.cadre_id,
            kind="visit",
            occurred_at=at(3, 3),
            recorded_at=at(3, 9),
            duration_minutes=3 * 1440,
        )
    )
    take(pool, county.take())
    score_all(pool)

    assert duty_of(pool, "S001", "2025-03") == (3, 10)


def test_what_is_owed_by_the_half_year_counts_in_the_year(pool, county):
    owe(county, 6, per="half_year")
    for month in (2, 3, 8):
        county.contact(county.cadre_id, at(month, 10))
    take(pool, county.take())
    score_all(pool)

    assert duty_of(pool, "S001", "2025Q1") == (0, 0)
    met, owed = duty_of(pool, "S001", "2025")
    assert met == 3
    assert owed == 6 + 6 * (date(2025, 11, 15) - date(2025, 7, 1)).days // 184


def test_which_duty_holds_does_not_depend_on_when_the_tree_is_told(new_assessment, county):
    owe(county, 9)
    owe(county, 4, organisation_id=county.root)
    county.contact(county.cadre_id, at(3, 10))
    envelopes = county.take()

    for order in (envelopes, envelopes[::-1]):
        pool = new_assessment()
        for envelope in order:
            take(pool, [envelope])
            score_all(pool)
        assert duty_of(pool, "S001", "2025-03") == (1, 4)


@pytest.mark.parametrize("per", ["quarter", "half_year", "year"])
def test_what_was_owed_by_a_larger_unit_is_gone_when_its_duty_is_by_the_month(pool, county, per):
    duty_id = county.duty(required=12, per=per)
    county.contact(county.cadre_id, at(6, 10))
    take(pool, county.take())
    score_all(pool)
    owed_before = duty_of(pool, "S001", "2025")

    county.duty(required=2, per="month", duty_id=duty_id)
    take(pool, county.take())
    score_all(pool)
    county.contact(county.cadre_id, at(5, 10))
    take(pool, county.take())
    score_all(pool)

    met, owed = duty_of(pool, "S001", "2025")
    assert owed_before[0] == 1
    assert duty_of(pool, "S001", "2025Q2") == (2, 6)
    assert (met, owed) == (2, 10 * 2)


def test_around_a_month_it_is_asked_what_is_owed_by_the_larger_units_that_something_is_owed_by(pool, county):
    def around_november():
        take(pool, county.take())
        with transaction(pool) as connection:
            units = list_duty_units_around(connection, [(county.cadre_id, date(2025, 11, 1))], time_zone=ZONE.key)
        return {(unit.per, unit.unit_start.month) for unit in units}

    county.duty(per="month")
    assert around_november() == {("month", 11)}

    county.duty(per="year", post_kind="county_head")
    assert around_november() == {("month", 11)}

    county.duty(per="half_year")
    assert around_november() == {("month", 11), ("month", 7), ("half_year", 7)}


def test_posts_that_were_not_held_in_a_month_owe_nothing_in_it(pool, county):
    county.duty(per="month")
    county.duty(per="year")
    for number in range(40):
        cadre_id = county.cadre(f"P{number:03}")
        county.post(cadre_id, county.town, date(2025, 1, 1), date(2025, 3, 31))
        county.post(cadre_id, county.root, date(2025, 9, 1))
        county.contact(cadre_id, at(6, 10))
    take(pool, county.take())
    asked = [(cadre_id, date(2025, 6, 1)) for cadre_id in cadres_of(pool)]

    with transaction(pool) as connection:
        units = list_duty_units_around(connection, asked, time_zone=ZONE.key)

    own = [unit for unit in units if unit.cadre_id != county.cadre_id]
    assert {(unit.per, unit.unit_start) for unit in own} == {("year", date(2025, 1, 1)), ("month", date(2025, 1, 1))}
    assert len(own) == 40 * 3


def cadres_of(pool):
    with transaction(pool) as connection:
        return [cadre_id for (cadre_id,) in connection.execute("SELECT cadre_id FROM cadre ORDER BY 1")]
