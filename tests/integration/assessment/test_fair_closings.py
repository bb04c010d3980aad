"""Periods closed by the fair scheme: frozen, told within confidentiality, corrected beside, computed again."""

import csv
import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from services.assessment.domain.periods import parse_period
from services.assessment.fair.settings import read_settings
from services.assessment.handlers import fair_results
from services.assessment.handlers.closings import ClosingRule, close_months
from services.assessment.handlers.fair import follow, look, read_fair_settings, read_settings_text
from services.assessment.handlers.fair_closings import FairClosing, close_fair
from services.assessment.handlers.fair_corrections import correct_fair
from services.assessment.handlers.place_replays import replay_places
from services.assessment.handlers.place_scores import score_places
from shared.database import Pool, transaction
from shared.reach import SYSTEM
from tests.fakes import KnownPrincipals, person
from tests.integration.assessment.conftest import NOW, ZONE, score_all, take
from tests.integration.assessment.readers import client_of, hear, open_door
from tests.integration.assessment.story import Story
from tests.integration.assessment.test_place_scores import adopt

pytestmark = pytest.mark.integration

RULE = ClosingRule(raters_needed=5, delay=timedelta(days=5), scheme_name="basic", zone=ZONE)
CLOSING = FairClosing(settings=read_fair_settings(), settings_text=read_settings_text(), region_level="50", zone=ZONE)
FIRST = datetime(2025, 1, 2, 2, tzinfo=UTC)
CLOSED_AT = datetime(2025, 2, 6, 4, tzinfo=UTC)
CADRES = 8
READERS = KnownPrincipals(
    {
        "officer": person("department_officer", "C", name="officer"),
        "auditor": person("auditor", name="auditor"),
        "herself": person("department_officer", "C", name="herself", staff_number="S0"),
        "S0": person("cadre", name="S0", staff_number="S0"),
    }
)


def live(*, level: int = 5, raters: int = 3) -> Story:
    """Eight cadres in January; of S0 the first of so many ratings has this level."""
    story = Story()
    county = story.organisation("C")
    unit = story.organisation("T", county)
    for number in range(CADRES):
        cadre = story.cadre(f"S{number}")
        story.post(cadre, unit)
        for place in range(10):
            received_at = FIRST + timedelta(days=2 * place, hours=number)
            citizen = story.id()
            issue = story.issue(
                unit,
                cadre,
                received_at,
                due_at=received_at + timedelta(days=6),
                respond_by=received_at + timedelta(days=1),
                citizen_ref=citizen,
            )
            story.respond(issue, received_at + timedelta(hours=1 + (place * number) % 30))
            if place < CADRES + 2 - number:
                story.close(issue, received_at + timedelta(days=2 + (place * 5 + number) % 7))
            if place < raters:
                rated_at = received_at + timedelta(days=9)
                is_first = number == 0 and place == 0
                story.rate(
                    rated_at, issue_id=issue, level=level if is_first else 3 + place % 3, rater_ref=citizen, solved=True
                )
        story.contact(cadre, FIRST + timedelta(days=number))
    story.duty(per="month")
    story.root = county
    story.town = unit
    return story


def close(pool: Pool, *, now: datetime = CLOSED_AT, closing: FairClosing = CLOSING) -> None:
    score_all(pool, now=now)
    close_months(pool, rule=RULE, now=FIRST)
    close_months(pool, rule=RULE, now=now)
    score_places(pool, now=now)
    close_fair(pool, closing, now=now)


def open_closed(pool: Pool, story: Story) -> None:
    take(pool, story.take(), now=FIRST)
    close(pool)


def rows_of(pool: Pool, table: str) -> list[tuple[object, ...]]:
    with transaction(pool, reach=SYSTEM) as connection:
        return connection.execute(f"SELECT row.* FROM {table} AS row ORDER BY row::text").fetchall()  # noqa: S608


def test_a_closed_period_is_scored_once_and_comes_out_the_same_again(pool: Pool) -> None:
    open_closed(pool, live())
    once = rows_of(pool, "fair_result"), rows_of(pool, "fair_window"), rows_of(pool, "place_score")

    close(pool)

    assert (rows_of(pool, "fair_result"), rows_of(pool, "fair_window"), rows_of(pool, "place_score")) == once
    assert len(once[0]) == CADRES
    replayed = client_of(open_door(pool, READERS), "auditor").get("/v1/fair-periods/2025-01/replay").json()
    assert replayed["is_same"]
    assert replayed["results"] == CADRES


def test_so_many_processes_as_there_are_write_the_same_bytes(new_assessment: Callable[[], Pool]) -> None:
    written = []
    for workers in (1, 2):
        pool, story = new_assessment(), live()
        take(pool, story.take(), now=FIRST)
        close(pool, closing=replace(CLOSING, workers=workers))
        look(pool, CLOSING.settings, region_level="50", zone=ZONE, now=CLOSED_AT, workers=workers)
        replayed = fair_results.replay(pool, parse_period("2025-01"), workers=workers)
        assert replayed.is_same
        written.append([rows_of(pool, f"fair_{kept}") for kept in ("result", "score", "window", "watch")])

    assert written[0] == written[1]
    assert len(written[0][1]) == len(written[0][3]) == CADRES


def test_the_list_the_sums_and_the_explanation_tell_the_same_numbers(pool: Pool) -> None:
    open_closed(pool, live())
    client = client_of(open_door(pool, READERS), "officer")

    items = client.get("/v1/fair-scores", params={"period": "2025-01"}).json()["items"]
    (group,) = client.get("/v1/fair-organisations/C", params={"period": "2025-01"}).json()["peer_groups"]

    assert [one["staff_number"] for one in items] == [f"S{number}" for number in range(CADRES)]
    for one in items:
        assert sum(map(Decimal, one["points"].values())) == Decimal(one["score"])
        path = f"/v1/fair-scores/{one['staff_number']}/explanation"
        told = client.get(path, params={"period": "2025-01"}).json()
        assert told["explanation"]["score"] == one["score"]
        assert one["score"] in told["text"]["zh"]
        assert one["score"] in told["text"]["en"]
    scores = [Decimal(one["score"]) for one in items]
    assert (group["cadres"], group["lowest"], group["highest"]) == (CADRES, str(min(scores)), str(max(scores)))
    assert Decimal(group["mean"]) == round(sum(scores) / CADRES, 2)
    for band in {one["band"] for one in items}:
        found = client.get("/v1/fair-scores", params={"period": "2025-01", "band": band}).json()["items"]
        assert found == [one for one in items if one["band"] == band]
    assert client.get("/v1/fair-scores", params={"period": "2025-01", "flag": "any"}).json()["items"] == [
        one for one in items if one["flags"]
    ]


def test_what_is_told_of_a_cadre_is_the_same_to_the_byte_whatever_one_of_too_few_raters_said(
    new_assessment: Callable[[], Pool],
) -> None:
    paths = [
        "/v1/published/place-scores/cadre?period=2025-01",
        "/v1/published/place-scores/cadre/S0?period=2025-01",
        "/v1/fair-scores?period=2025-01",
        "/v1/fair-scores/S0/explanation?period=2025-01",
    ]
    heard = []
    for level in (5, 1):
        pool = new_assessment()
        open_closed(pool, live(level=level))
        heard.append(hear(open_door(pool, READERS), "S0", paths))

    assert heard[0] == heard[1]
    assert [status for _, status, _, _ in heard[0]] == [200, 200, 403, 403]


def test_enough_raters_let_the_score_be_told_in_whole_points_that_add_up(pool: Pool) -> None:
    open_closed(pool, live(raters=10))
    app = open_door(pool, READERS)

    told = client_of(app, "S0").get("/v1/published/place-scores/cadre/S0", params={"period": "2025-01"}).json()
    (exact,) = [
        one
        for one in client_of(app, "officer").get("/v1/fair-scores", params={"period": "2025-01"}).json()["items"]
        if one["staff_number"] == "S0"
    ]

    assert told["scheme"]["name"] == "fair"
    assert exact["band"] == told["grade"] == "middle"
    assert abs(Decimal(told["total"]) - Decimal(exact["score"])) <= Decimal("0.5")
    assert sum(int(one["amount"]) for one in told["contributions"]) == int(told["total"])
    assert told["total"] in told["explanation"]["zh"][0]


def test_where_a_place_has_rules_these_hold(pool: Pool) -> None:
    adopt(pool, "own", 'subjects = "cadre"\nfrom = 2025-01-01')
    open_closed(pool, live())

    told = client_of(open_door(pool, READERS), "officer").get(
        "/v1/published/place-scores/cadre", params={"period": "2025-01"}
    )

    assert {one["scheme"]["name"] for one in told.json()["items"]} == {"own"}
    assert len(rows_of(pool, "fair_result")) == CADRES


def test_what_is_told_by_the_fair_scheme_is_not_scored_again_as_a_place_would(pool: Pool) -> None:
    adopt(pool, "town", 'place = "elsewhere"\nsubjects = "cadre"\nfrom = 2025-01-01')
    open_closed(pool, live())

    found = replay_places(pool, parse_period("2025-01"))

    assert len(rows_of(pool, "place_score")) == CADRES
    assert (found.is_same, found.scores) == (True, 0)


def test_what_comes_late_makes_a_correction_and_what_happens_later_makes_none(pool: Pool) -> None:
    story = live()
    open_closed(pool, story)
    before = rows_of(pool, "fair_result")
    cadre = next(iter(client_ids(pool, "S1")))
    still_open = story.issue(story.town, cadre, CLOSED_AT + timedelta(days=1))
    story.close(still_open, CLOSED_AT + timedelta(days=3))
    take(pool, story.take())
    score_all(pool)

    assert correct_fair(pool, region_level="50", zone=ZONE, now=NOW) == 0

    late = story.issue(story.town, cadre, FIRST + timedelta(days=3), due_at=FIRST + timedelta(days=9))
    story.close(late, FIRST + timedelta(days=4))
    take(pool, story.take())
    score_all(pool)

    assert correct_fair(pool, region_level="50", zone=ZONE, now=NOW) == 1
    assert correct_fair(pool, region_level="50", zone=ZONE, now=NOW) == 0
    assert rows_of(pool, "fair_result") == before
    client = client_of(open_door(pool, READERS), "officer")
    (found,) = client.get("/v1/fair-corrections", params={"period": "2025-01"}).json()["items"]
    assert (found["staff_number"], found["cause"]["records"]) == ("S1", {"issues": [str(late)]})
    difference = Decimal(found["score_would_be"]) - Decimal(found["score_was"])
    assert sum(map(Decimal, found["changes"].values())) == difference
    assert difference > 0


def client_ids(pool: Pool, staff_number: str) -> list[UUID]:
    with transaction(pool, reach=SYSTEM) as connection:
        rows = connection.execute("SELECT cadre_id FROM cadre WHERE staff_number = %s", [staff_number]).fetchall()
    return [UUID(str(row[0])) for row in rows]


def test_a_score_follows_what_is_told_without_a_look_at_everybody(pool: Pool) -> None:
    def ask() -> dict[str, Any]:
        items = client.get("/v1/fair-scores").json()["items"]
        return {one["staff_number"]: one for one in items}

    story, now = live(), FIRST + timedelta(days=29)
    take(pool, story.take(), now=now)
    score_all(pool, now=now)
    settings = read_fair_settings()
    assert not follow(pool, settings, region_level="50", zone=ZONE, now=now).is_framed
    look(pool, settings, region_level="50", zone=ZONE, now=now)
    client = client_of(open_door(pool, READERS), "officer")
    before = ask()
    assert follow(pool, settings, region_level="50", zone=ZONE, now=now).cadres == 0

    (cadre,) = client_ids(pool, "S2")
    received_at = FIRST + timedelta(days=20, hours=5)
    issue = story.issue(story.town, cadre, received_at, due_at=received_at + timedelta(days=6))
    story.close(issue, received_at + timedelta(days=1))
    take(pool, story.take(), now=now)
    score_all(pool, now=now)
    followed = follow(pool, settings, region_level="50", zone=ZONE, now=now)
    after = ask()

    assert followed.cadres == 1
    assert Decimal(after["S2"]["score"]) > Decimal(before["S2"]["score"])
    assert {code: one for code, one in after.items() if code != "S2"} == {
        code: one for code, one in before.items() if code != "S2"
    }


def test_why_a_score_is_not_what_it_was(pool: Pool) -> None:
    story = live()
    open_closed(pool, story)
    (cadre,) = client_ids(pool, "S3")
    for place in range(6):
        received_at = CLOSED_AT + timedelta(days=place)
        issue = story.issue(story.town, cadre, received_at, due_at=received_at + timedelta(days=6))
        story.close(issue, received_at + timedelta(days=1 + place))
    take(pool, story.take())
    close(pool, now=datetime(2025, 3, 6, 4, tzinfo=UTC))
    client = client_of(open_door(pool, READERS), "officer")

    change = client.get("/v1/fair-scores/S3/change", params={"since": "2025-01", "until": "2025-02"}).json()

    before, after = Decimal(change["before"]), Decimal(change["after"])
    assert before + sum(map(Decimal, change["by_indicator"].values())) == after
    assert change["after"] in change["text"]["zh"]
    assert client.get("/v1/fair-scores/S3/change", params={"since": "2024-12"}).status_code == 404


def test_nobody_reads_the_own_closed_score(pool: Pool) -> None:
    open_closed(pool, live())
    client = client_of(open_door(pool, READERS), "herself")

    items = client.get("/v1/fair-scores", params={"period": "2025-01"}).json()["items"]

    assert [one["staff_number"] for one in items] == [f"S{number}" for number in range(1, CADRES)]
    assert client.get("/v1/fair-scores/S0/explanation", params={"period": "2025-01"}).status_code == 404


def test_an_export_of_a_closed_period_tells_the_weights_that_it_was_closed_by(pool: Pool) -> None:
    """Those in force now are of the scores as they stand."""
    text = read_settings_text()
    version = CLOSING.settings.version
    for now, then in (
        (f"version = {version}", f"version = {version - 1}"),
        ('"0.40"', '"0.30"'),
        ('satisfaction = "0.30"', 'satisfaction = "0.40"'),
    ):
        assert text.count(now) == 1
        text = text.replace(now, then)
    take(pool, live().take(), now=FIRST)
    close(pool, closing=replace(CLOSING, settings=read_settings(text), settings_text=text))
    look(pool, CLOSING.settings, region_level="50", zone=ZONE, now=CLOSED_AT)
    proven = person("department_officer", "C", name="proven", stepped_up_at=datetime.now(UTC))
    officer = client_of(open_door(pool, KnownPrincipals({"proven": proven})), "proven")

    def weights(query: str) -> tuple[set[str], dict[str, str]]:
        told = zipfile.ZipFile(io.BytesIO(officer.get(f"/v1/fair-scores/export{query}").content)).read(
            "definitions.csv"
        )
        rows = list(csv.DictReader(io.StringIO(told.decode("utf-8-sig"))))
        return {row["scheme"] for row in rows}, {row["key"]: row["weight"] for row in rows if row["weight"]}

    closed, standing = weights("?period=2025-01"), weights("")

    assert (closed[0], standing[0]) == ({f"fair {version - 1}"}, {f"fair {version}"})
    assert (closed[1]["points_resolution"], closed[1]["points_satisfaction"]) == ("0.3", "0.4")
    assert (standing[1]["points_resolution"], standing[1]["points_satisfaction"]) == ("0.4", "0.3")
