"""Half-years and any days: what falls in counts, and what is owed by a unit counts where all of it falls in."""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from services.assessment.domain.measures import COUNTED, MEASURES
from services.assessment.domain.periods import parse_period
from services.assessment.handlers.reading import read_score
from services.assessment.handlers.windows import WindowQuery, read_custom_score, sum_measures
from services.assessment.storage import tallies
from shared.database import transaction
from tests.fakes import KnownPrincipals, person
from tests.integration.assessment.conftest import NOW, ZONE, score_all, take
from tests.integration.assessment.readers import client_of, open_door
from tests.integration.assessment.story import Story, random_county

if TYPE_CHECKING:
    from services.assessment.domain.scores import SubjectKind

pytestmark = pytest.mark.integration


def values_of(score):
    return {row.definition.key: (row.result.numerator, row.result.denominator) for row in score.indicators}


def test_what_is_owed_by_the_half_year_counts_in_half_years_and_years(pool):
    story = Story()
    unit, cadre = story.organisation("C"), story.cadre("S")
    story.post(cadre, unit)
    story.duty("visit", 6, "half_year")
    for month in (1, 2, 3, 8):
        story.contact(cadre, datetime(2025, month, 6, 2, tzinfo=UTC))
    take(pool, story.take())
    score_all(pool)

    found = {
        text: values_of(read_score(pool, "cadre", "S", parse_period(text), scheme_name="basic"))["contact_duty"]
        for text in ("2025-01", "2025Q1", "2025H1", "2025H2", "2025")
    }

    assert (found["2025-01"], found["2025Q1"]) == ((0, 0), (0, 0))
    assert found["2025H1"] == (3, 6)
    assert found["2025H2"] == (1, 4)  # 137 of 184 days are past
    assert found["2025"] == (4, 10)


def test_half_years_are_scored_and_not_announced(pool):
    story = Story()
    unit, cadre = story.organisation("C"), story.cadre("S")
    for _ in range(8):
        story.close(story.issue(unit, cadre, datetime(2025, 2, 3, tzinfo=UTC)), datetime(2025, 2, 4, tzinfo=UTC))
    take(pool, story.take())
    score_all(pool)

    with transaction(pool) as connection:
        kinds = connection.execute("SELECT period_kind, count(*) FROM score GROUP BY 1 ORDER BY 1").fetchall()

    assert kinds == [("half_year", 2), ("month", 2), ("quarter", 2), ("year", 2)]


@pytest.mark.parametrize("seed", range(3))
def test_any_days_sum_up_to_the_year(pool, seed):
    """Cut anywhere, the parts have what the whole has, for every cadre and organisation."""
    take(pool, random_county(seed))
    score_all(pool)
    year = parse_period("2025")
    cuts = [
        date(2025, 1, 1),
        date(2025, 2, 17),
        date(2025, 2, 18),
        date(2025, 7, 1),
        date(2025, 10, 30),
        date(2026, 1, 1),
    ]
    parts = [parse_period(f"{first}..{after - timedelta(days=1)}") for first, after in pairwise(cuts)]

    everybody: tuple[tuple[SubjectKind, str], ...] = (
        ("cadre", "SELECT DISTINCT cadre_id FROM tally"),
        ("organisation", "SELECT DISTINCT organisation_id FROM organisation_tally"),
    )
    with transaction(pool) as connection:
        for kind, ids in everybody:
            for subject_id in [UUID(str(row[0])) for row in connection.execute(ids).fetchall()]:
                whole = tallies.sum_measures(connection, kind, [(subject_id, year)])[subject_id, year]
                summed: Counter[str] = Counter()
                for part in parts:
                    asked = [(subject_id, part)]
                    summed += Counter(sum_measures(connection, kind, asked, as_of=NOW, zone=ZONE).get(asked[0], {}))
                for name in COUNTED:
                    assert summed[name] == whole[name], (kind, name)
                assert summed["duties_owed"] <= whole["duties_owed"]


def test_days_are_those_of_the_clock_on_the_wall(pool):
    """An issue of midnight is of the day that begins."""
    story = Story()
    unit, cadre = story.organisation("C"), story.cadre("S")
    midnight = datetime.combine(date(2025, 3, 5), time(), tzinfo=ZONE)
    for at in (midnight - timedelta(microseconds=1), midnight, midnight + timedelta(hours=23, minutes=59)):
        story.issue(unit, cadre, at)
    take(pool, story.take())
    score_all(pool)

    received = {
        text: read_custom_score(
            pool,
            WindowQuery(subject_kind="cadre", code="S", period=parse_period(text)),
            scheme_name="basic",
            zone=ZONE,
            now=NOW,
        )
        for text in ("2025-03-04..2025-03-04", "2025-03-05..2025-03-05", "2025-03-06..2025-04-20")
    }

    counts = [row.indicators[1].measures.get("issues_received") for row in received.values()]
    assert counts == [1, 2, 0]


def test_a_custom_period_is_answered_over_the_door_with_its_evidence(pool):
    story = Story()
    unit, cadre = story.organisation("C"), story.cadre("S")
    story.post(cadre, unit)
    for day in (4, 5, 6, 20):
        issue = story.issue(
            unit, cadre, datetime(2025, 3, day, 4, tzinfo=UTC), due_at=datetime(2025, 3, 30, tzinfo=UTC)
        )
        story.close(issue, datetime(2025, 3, 25, tzinfo=UTC))
    take(pool, story.take())
    score_all(pool)
    known = KnownPrincipals(
        {"officer": person("department_officer", "C"), "elsewhere": person("department_officer", "X")}
    )
    app = open_door(pool, known)
    path = "/v1/scores/cadre/S"

    found = client_of(app, "officer").get(f"{path}?period=2025-03-05..2025-03-19")
    behind = client_of(app, "officer").get(
        f"{path}/indicators/on_time_closure_rate/events?period=2025-03-05..2025-03-19"
    )

    assert found.status_code == 200
    assert found.json()["period"] == {
        "period": "2025-03-05..2025-03-19",
        "kind": "custom",
        "start": "2025-03-05",
        "end": "2025-03-19",
    }
    on_time = next(row for row in found.json()["indicators"] if row["key"] == "on_time_closure_rate")
    assert (on_time["numerator"], on_time["denominator"]) == (2, 2)
    assert len(behind.json()["items"]) == 2
    assert client_of(app, "elsewhere").get(f"{path}?period=2025-03-05..2025-03-19").status_code == 404
    assert client_of(app, "officer").get("/v1/scores?subject=cadre&period=2025-03-05..2025-03-19").status_code == 422
    assert client_of(app, "officer").get(f"{path}?period=2025-03-19..2025-03-05").status_code == 422


def test_every_measure_has_a_column(pool):
    with transaction(pool) as connection:
        for table in ("tally", "organisation_tally"):
            cursor = connection.execute(f"SELECT * FROM {table} LIMIT 0")  # noqa: S608 - of the two
            columns = {column.name for column in cursor.description or ()}
            assert set(tallies.COLUMNS) <= columns
    assert set(COUNTED) < set(MEASURES)
