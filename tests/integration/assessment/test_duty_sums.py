"""What is counted of many together is the sum of what is counted post by post, span by span, issue by issue."""

import random
from collections import Counter
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from uuid import UUID

import pytest

from services.assessment.domain.periods import custom_period, list_thirds, parse_period, units_within
from services.assessment.handlers.figures import COUNTS
from services.assessment.storage import reading
from services.assessment.storage.duties import list_duty_units
from services.assessment.storage.duty_sums import sum_duties
from services.assessment.storage.spans import FEW_ORGANISATIONS, Span, count_spans
from shared.contracts.intake.contacts import ContactRecorded
from shared.contracts.intake.duties import DutyDefined
from shared.contracts.intake.issues import IssueReceived
from shared.contracts.intake.registers import OrganisationRegistered, PostRecorded
from shared.database import transaction
from tests.integration.assessment.conftest import NOW, ZONE, take
from tests.integration.assessment.story import Story, random_county

pytestmark = pytest.mark.integration
KINDS = ("visit", "reception", "field_stay")
UNITS = {"visit": "count", "reception": "households", "field_stay": "days"}
PERIODS = [parse_period("2025"), parse_period("2025Q2"), custom_period(date(2025, 2, 14), date(2025, 10, 5))]


def some_day(draw, first=date(2025, 1, 1), days=365):
    return first + timedelta(days=draw.randrange(days))


def owing_county(seed):
    """Duties of everywhere, of places and levels, that follow and overlap; units that move; posts held side by side."""
    draw = random.Random(seed)  # noqa: S311 - repeatable, not secrets
    story = Story()
    story.root = story.organisation("C")
    towns = [story.organisation(f"T{number}", story.root) for number in range(3)]
    villages = [story.organisation(f"V{number}", draw.choice(towns)) for number in range(4)]
    units = [story.root, *towns, *villages]
    for _ in range(3):
        moving = draw.randrange(4)
        story.tell(
            OrganisationRegistered(
                organisation_id=villages[moving],
                code=f"V{moving}",
                name="村",
                level="60",
                parent_id=draw.choice(towns),
                from_on=draw.choice([date(2025, draw.randint(1, 12), 1), some_day(draw)]),
            )
        )
    for _ in range(40):
        begun = some_day(draw, date(2024, 10, 1), 300)
        kind = draw.choice(KINDS)
        unit = draw.choice(["count", UNITS[kind]])
        story.tell(
            DutyDefined(
                duty_id=story.id(),
                post_kind=draw.choice(["head", "deputy"]),
                contact_kind=kind,
                required_count=draw.randint(1, 90 if unit == "days" else 12),
                per=draw.choice(["month", "quarter", "half_year", "year"]),
                valid_from=begun,
                valid_until=draw.choice([None, begun + timedelta(days=draw.randrange(10, 90))]),
                organisation_id=draw.choice([None, *units]),
                post_level=draw.choice([None, None, "141", "142"]),
                unit=unit,
            )
        )
    cadres = [story.cadre(f"S{number:02}") for number in range(8)]
    for cadre_id in [*cadres, *draw.sample(cadres, 6)]:
        begun = some_day(draw, date(2024, 12, 1), 120)
        story.tell(
            PostRecorded(
                post_id=story.id(),
                cadre_id=cadre_id,
                organisation_id=draw.choice(units),
                post_kind=draw.choice(["head", "deputy"]),
                post_level=draw.choice(["141", "142"]),
                from_on=begun,
                until_on=draw.choice([None, begun + timedelta(days=draw.randrange(400))]),
            )
        )
    for _ in range(150):
        at = datetime.combine(some_day(draw), time(draw.choice([0, 12, 23]), 30), tzinfo=ZONE)
        kind = draw.choice(KINDS)
        story.tell(
            ContactRecorded(
                contact_id=story.id(),
                cadre_id=draw.choice(cadres),
                kind=kind,
                occurred_at=at,
                recorded_at=at,
                duration_minutes=draw.choice([None, 0, 60, 1_440, 1_441, 9_000, 40_000]),
            )
        )
    return story


def span_of(connection, kind, period, as_of):
    """Of every cadre, or of every organisation with all below it."""
    table = {"cadre": "cadre", "organisation": "organisation"}[kind]
    ids = [row[0] for row in connection.execute(f"SELECT {table}_id FROM {table} ORDER BY 1")]  # noqa: S608
    pairs = [(one, one) for one in ids]
    if kind == "organisation":
        pairs = reading.list_subtrees(connection, ids, on=period.start)
    return Span(
        kind=kind,
        subjects=[subject_id for subject_id, _ in pairs],
        owners=[owner_id for _, owner_id in pairs],
        period=period,
        time_zone=ZONE.key,
        as_of=as_of,
    )


def among_many(span):
    """With so many more organisations that it is large; these are nobody's."""
    nobody = [UUID(int=number) for number in range(1, FEW_ORGANISATIONS + 1)]
    return replace(span, subjects=[*span.subjects, *nobody], owners=[*span.owners, *nobody])


def sum_units(connection, span, today):
    """Post by post: what was owed and met at all, by subject and name."""
    cadres = [row[0] for row in connection.execute("SELECT cadre_id FROM cadre")]
    wanted = [(cadre_id, unit) for cadre_id in cadres for unit in units_within(span.period)]
    sums: Counter[tuple[UUID, str]] = Counter()
    for unit in list_duty_units(connection, wanted, time_zone=span.time_zone):
        owed, met = unit.owed_and_met(today)
        for subject_id, owner_id in span.pairs():
            if owner_id == (unit.cadre_id if span.kind == "cadre" else unit.organisation_id):
                sums[subject_id, f"owed_{unit.contact_kind}"] += owed
                sums[subject_id, f"met_{unit.contact_kind}"] += met
    return {name: amount for name, amount in sums.items() if amount}


def flat(counts):
    return {(subject_id, name): amount for subject_id, own in counts.items() for name, amount in own.items() if amount}


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5, 6])
def test_what_many_owe_is_the_sum_of_what_each_owes(pool, seed):
    take(pool, owing_county(seed).take())
    met: Counter[tuple[UUID, str]] = Counter()

    with transaction(pool) as connection:
        for kind in ("cadre", "organisation"):
            for period in PERIODS:
                for today in (date(2025, 8, 20), date(2026, 3, 1)):
                    span = span_of(connection, kind, period, NOW)
                    expected = sum_units(connection, span, today)

                    found = sum_duties(connection, span, units_within(period), today=today)

                    assert flat(found) == expected
                    assert sum_duties(connection, among_many(span), units_within(period), today=today) == found
                    met.update({one: amount for one, amount in expected.items() if one[1].startswith("met_")})
    assert len(met) > 20


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_spans_are_counted_as_one_by_one(pool, seed):
    take(pool, owing_county(seed).take())

    with transaction(pool) as connection:
        for kind in ("cadre", "organisation"):
            for period in (*PERIODS, parse_period("2026-02"), custom_period(date(2025, 3, 12), date(2025, 3, 19))):
                for as_of in (datetime(2025, 8, 20, 23, tzinfo=ZONE), datetime(2026, 3, 1, tzinfo=ZONE)):
                    span = span_of(connection, kind, period, as_of)

                    assert flat(count_spans(connection, span)) == go_through_spans(connection, span)


@pytest.mark.parametrize("count", COUNTS, ids=lambda one: one.__name__)
def test_of_few_organisations_and_of_many_the_same_is_counted(pool, count):
    story = Story(_made=1 << 21)
    county = random_county(1)
    issues = [one.event for one in county if isinstance(one.event, IssueReceived)]
    for number, issue in enumerate(issues):
        for _ in range(number % 3):
            story.invite(datetime(2025, 4, 1 + number % 28, tzinfo=ZONE), issue_id=issue.issue_id)
        if issue.organisation_id is not None:
            at = issue.received_at + timedelta(days=number)
            story.issue(issue.organisation_id, issue.cadre_id, at, citizen_ref=UUID(int=1 + number % 7))
    take(pool, [*county, *story.take()])

    with transaction(pool) as connection:
        few = span_of(connection, "organisation", parse_period("2025"), NOW)
        many = among_many(few)
        counted = count(connection, few)

        assert many.is_large
        assert not few.is_large
        assert count(connection, many) == counted
        assert any(amount for one in counted.values() for amount in one.values())


def go_through_spans(connection, span):
    bounds = list_thirds(span.period)
    thirds = [(first, over) for first, over in pairwise(bounds) if over <= span.as_of.date()]
    posts = connection.execute("SELECT cadre_id, organisation_id, from_on, until_on FROM post").fetchall()
    met = {
        (cadre_id, occurred_at.astimezone(ZONE).date())
        for cadre_id, occurred_at in connection.execute("SELECT cadre_id, occurred_at FROM contact_fact WHERE counts")
    }
    held = {
        (subject_id, cadre_id, first, over)
        for subject_id, owner_id in span.pairs()
        for cadre_id, organisation_id, from_on, until_on in posts
        if owner_id == (cadre_id if span.kind == "cadre" else organisation_id)
        for first, over in thirds
        if from_on < over and (until_on or date.max) >= first
    }
    sums: Counter[tuple[UUID, str]] = Counter()
    for subject_id, cadre_id, first, over in held:
        sums[subject_id, "spans_held"] += 1
        sums[subject_id, "spans_active"] += any(who == cadre_id and first <= day < over for who, day in met)
    return {name: amount for name, amount in sums.items() if amount}
