"""Reminders of duties: each cadre, period and day once, whatever dies or comes twice, and nobody for what is done."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg
import pytest

from services.assessment.domain.reminders import Reminders
from services.assessment.handlers.reminders import load_reminders, remind
from shared import outbox
from shared.contracts.intake.registers import PostRecorded
from shared.database import transaction
from shared.reach import SYSTEM, acting
from tests.integration.assessment.conftest import ZONE, take
from tests.integration.assessment.story import Story

pytestmark = pytest.mark.integration

MONTHLY = Reminders(at_hour=6, days_before={"month": [7, 2]})


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Shanghai")).astimezone(UTC)


SEVEN, TWO = wall("2025-03-24T06:00"), wall("2025-03-29T06:00")


class County(Story):
    """A story that knows its townships and cadres by their codes."""

    towns: dict[str, UUID]
    cadres: dict[str, UUID]


@pytest.fixture
def county():
    """Two townships. In T two cadres owe four visits a month, in U one; S1 has made one, S2 all."""
    story = County()
    story.root = story.organisation("C")
    story.duty("visit", 4, "month")
    story.towns = {code: story.organisation(code, story.root) for code in "TU"}
    story.cadres = {number: story.cadre(number) for number in ("S1", "S2", "S3")}
    for number, town in (("S1", "T"), ("S2", "T"), ("S3", "U")):
        story.post(story.cadres[number], story.towns[town])
    story.contact(story.cadres["S1"], wall("2025-03-03T12:00"))
    for day in (3, 4, 5, 6):
        story.contact(story.cadres["S2"], wall(f"2025-03-0{day}T12:00"))
    return story


def told(pool):
    """What was told of cadres, and of units, in no order."""
    with acting(SYSTEM), transaction(pool) as connection:
        rows = connection.execute(
            """
            SELECT event_type, coalesce(staff_number, organisation.code), (payload ->> 'days_before')::int,
                   payload ->> 'per', (coalesce(payload ->> 'missing_count', payload ->> 'cadres_short'))::int
              FROM outbox
              LEFT JOIN cadre ON cadre.cadre_id = (payload ->> 'cadre_id')::uuid
              JOIN organisation ON organisation.organisation_id = (payload ->> 'organisation_id')::uuid
             WHERE aggregate LIKE 'duty_shortfall%'
             ORDER BY 2, 3, 5
            """
        ).fetchall()
    return [(who, days, per, amount) for _, who, days, per, amount in rows]


def look(pool, now, reminders=MONTHLY, **options):
    with acting(SYSTEM):
        return remind(pool, reminders, zone=ZONE, now=now, **options)


def test_who_falls_short_is_told_of_and_the_unit_with_how_many(pool, county):
    take(pool, county.take())

    assert look(pool, SEVEN) == 2
    assert told(pool) == [("S1", 7, "month", 3), ("S3", 7, "month", 4), ("T", 7, "month", 1), ("U", 7, "month", 1)]


def test_looking_twice_tells_once_and_each_stated_day_once_more(pool, county):
    take(pool, county.take())

    counts = [look(pool, at) for at in (SEVEN, SEVEN, SEVEN + timedelta(days=3), TWO, TWO + timedelta(hours=30))]

    assert counts == [2, 0, 0, 2, 0]
    assert sorted(who for who, *_ in told(pool)) == ["S1", "S1", "S3", "S3", "T", "T", "U", "U"]


def test_what_was_done_meanwhile_is_not_told_of_again(pool, county):
    take(pool, county.take())
    look(pool, SEVEN)
    for day in (25, 26, 27, 28):
        county.contact(county.cadres["S3"], wall(f"2025-03-{day}T12:00"))
    take(pool, county.take())

    assert look(pool, TWO) == 1
    assert [row for row in told(pool) if row[1] == 2] == [("S1", 2, "month", 3), ("T", 2, "month", 1)]


def test_after_a_standstill_the_newest_day_is_told_and_what_is_over_is_not(pool, county):
    take(pool, county.take())

    assert look(pool, wall("2025-03-31T23:00")) == 2  # both days passed meanwhile
    assert {days for _, days, _, _ in told(pool)} == {2}
    assert look(pool, wall("2025-04-02T09:00")) == 0


def test_a_look_that_died_goes_on_where_it_was(pool, county, monkeypatch):
    take(pool, county.take())
    written = outbox.append

    def die(connection, events, **options):
        written(connection, events, **options)
        if any(event.event.organisation_id == county.towns["U"] for event in events):
            raise psycopg.OperationalError("the connection is lost")

    monkeypatch.setattr(outbox, "append", die)
    with pytest.raises(Exception, match="lost"):
        look(pool, SEVEN, batch=1)
    assert [who for who, *_ in told(pool)] == ["S1", "T"]
    monkeypatch.undo()

    assert look(pool, SEVEN, batch=1) == 1
    assert [who for who, *_ in told(pool)] == ["S1", "S3", "T", "U"]


def test_several_workers_tell_once(pool, county):
    take(pool, county.take())

    with ThreadPoolExecutor(4) as threads:
        counts = list(threads.map(lambda _: look(pool, SEVEN, batch=1), range(4)))

    assert sum(counts) == 2
    assert len(told(pool)) == 4


def test_posts_in_two_units_are_told_of_apart_and_ended_ones_not_at_all(pool, county):
    county.post(county.cadres["S1"], county.towns["U"], post_kind="secretary")
    county.duty("reception", 1, "month", post_kind="secretary")
    county.tell(
        PostRecorded(
            post_id=county.id(),
            cadre_id=county.cadres["S2"],
            organisation_id=county.towns["U"],
            post_kind="secretary",
            post_level="141",
            from_on=wall("2025-01-01T12:00").date(),
            until_on=wall("2025-03-20T12:00").date(),
        )
    )
    take(pool, county.take())

    assert look(pool, SEVEN) == 3
    assert [row for row in told(pool) if row[0] in {"S1", "S2", "U"}] == [
        ("S1", 7, "month", 1),
        ("S1", 7, "month", 3),
        ("U", 7, "month", 2),
    ]


def test_longer_periods_are_looked_at_on_days_of_their_own(pool, county):
    county.duty("reception", 2, "quarter")
    take(pool, county.take())

    look(pool, wall("2025-03-10T06:00"), load_reminders())

    assert {(days, per) for _, days, per, _ in told(pool)} == {(21, "quarter")}
