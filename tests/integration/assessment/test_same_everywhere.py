"""One number an indicator, wherever it is read: the doors, the page, the three kinds of files and the gauges."""

import csv
import html
import io
import re
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

import duckdb
import openpyxl
import pytest
from prometheus_client import REGISTRY

from services.assessment.domain.measures import CONTACT_KINDS
from services.assessment.handlers.figures import load_registry
from services.assessment.handlers.gauges import gauge_figures
from services.assessment.web.rendering import percent
from tests.integration.assessment.conftest import ZONE, score_all, take
from tests.integration.assessment.story import Story, random_county
from tests.integration.assessment.test_indicators import meet
from tests.integration.assessment.test_pages import PEOPLE, as_told, open_site

pytestmark = pytest.mark.integration
OFFICER = "department_officer"
LEVEL = "60"
TOWN = "T0"
BUSY = "S900"  # of whom, and so of whose town, every indicator that is worked out on demand has something to count
MARCH = datetime(2025, 3, 10, 2, tzinfo=UTC)


@pytest.fixture
def officer(pool):
    """Has just given the second factor. What is counted by now is over: no clock of the test moves it."""
    county = random_county(13)
    town = next(one.event.aggregate_id for one in county if getattr(one.event, "code", None) == TOWN)
    take(pool, [*county, *tell_of_busy_cadre(town)])
    score_all(pool, now=datetime.now(UTC))
    now = datetime.now(UTC)
    return open_site(pool, PEOPLE | {OFFICER: replace(PEOPLE[OFFICER], stepped_up_at=now)})(OFFICER)


def tell_of_busy_cadre(town):
    story = Story(_made=1 << 21)
    story.town, story.cadre_id = town, story.cadre(BUSY)
    story.post(story.cadre_id, town)
    for kind in CONTACT_KINDS:
        story.duty(kind, 3, "quarter")
        meet(story, MARCH, kind=kind, place="place-9", groups=["elderly"])
    for group, households in ((None, 30), ("elderly", None), ("migrants", None)):
        story.count_people(town, "place-9", group, 40, households)
    story.count_people(town, "place-10", None, 40, 12)
    citizen = story.id()
    issues = [
        story.issue(town, story.cadre_id, MARCH + timedelta(days=day), citizen_ref=citizen) for day in (0, 1, 2, 200)
    ]
    for issue in issues[:3]:
        story.invite(MARCH + timedelta(days=3), issue_id=issue)
    story.rate(MARCH + timedelta(days=4), 5, issue_id=issues[0])
    story.hold(story.offer(town, story.cadre_id, MARCH), town, story.cadre_id, MARCH)
    story.offer(town, story.cadre_id, MARCH + timedelta(days=7))
    for is_reached in (True, False, True):
        story.check_channel(town, MARCH, is_reached=is_reached)
    return story.take()


def expected(part):
    """Worked out here, from the counts alone."""
    if part["denominator"] is None:
        return str(part["numerator"])
    if not part["denominator"]:
        return None
    exact = Decimal(part["numerator"]) / Decimal(part["denominator"])
    return str(exact.quantize(Decimal("0.0001"), ROUND_HALF_UP))


def read_sheets(officer, kind, code):
    """The subject's row by column, from each kind of file."""
    path = f"/v1/scores/export?subject={kind}&period=2025&format="
    archive = zipfile.ZipFile(io.BytesIO(officer.get(f"{path}csv").content))
    lines = csv.reader(io.StringIO(archive.read("scores.csv").decode("utf-8-sig")))
    sheet = openpyxl.load_workbook(io.BytesIO(officer.get(f"{path}xlsx").content))["scores"]
    cells = [[None if cell is None else str(cell) for cell in row] for row in sheet.iter_rows(values_only=True)]
    for rows in ([list(line) for line in lines], cells):
        columns = rows[0]
        yield next(row for row in (dict(zip(columns, row, strict=True)) for row in rows[1:]) if row["code"] == code)


def read_parquet(officer, kind, code, file):
    file.write_bytes(officer.get(f"/v1/scores/export?subject={kind}&period=2025&format=parquet").content)
    with duckdb.connect() as database:
        found = database.execute("SELECT * FROM read_parquet(?) WHERE code = ?", [str(file), code])
        (row,) = found.fetchall()
        return dict(zip([column[0] for column in found.description], row, strict=True))


def shown(count):
    return None if count is None else str(count)


def same(one, other):
    if other is None:
        return one in ("", None)
    return Decimal(str(one)) == Decimal(other)


def list_without_case(kind, figures):
    """Those worked out on demand that would read the same everywhere if nobody worked them out."""
    return [
        one.key
        for one in load_registry().definitions
        if not (one.is_tallied or figures[one.key]["numerator"] or (kind, one.attribution) == ("cadre", "organisation"))
    ]


@pytest.mark.parametrize(("kind", "code"), [("organisation", TOWN), ("cadre", "S002"), ("cadre", BUSY)])
def test_every_indicator_reads_the_same_on_doors_page_and_in_files(officer, tmp_path, kind, code):
    figures = {one["key"]: one for one in as_told(officer, f"/v1/figures/{kind}/{code}?period=2025")["figures"]}
    profile = as_told(officer, f"/v1/scores/{kind}/{code}?period=2025")["indicators"]
    listed = as_told(officer, f"/v1/scores?subject={kind}&period=2025&sort=code")["items"]
    in_list = next(item for item in listed if item["subject"]["code"] == code)["indicators"]
    page = html.unescape(officer.get(f"/scores/{kind}/{code}?period=2025").text)
    files = [*read_sheets(officer, kind, code), read_parquet(officer, kind, code, tmp_path / "scores.parquet")]

    assert figures.keys() == {one.key for one in load_registry().definitions}
    assert sum(bool(one["numerator"]) for one in figures.values()) >= 10
    assert code == "S002" or not list_without_case(kind, figures)
    for definition in load_registry().definitions:
        told = figures[definition.key]
        value = expected(told)
        assert told["value"] == value, definition.key
        for part in [one for one in (*profile, *in_list) if one["key"] == definition.key]:
            assert (part["numerator"], part["denominator"], part["value"]) == (
                told["numerator"],
                told["denominator"],
                value,
            )
        if told["denominator"]:
            row = re.search(rf">{re.escape(definition.name['zh'])}(?:</a>)?</th>.*?</tr>", page, re.DOTALL)
            assert row is not None, definition.key
            assert f">{told['numerator']} / {told['denominator']}<" in row[0]
            assert f">{percent(value)}<" in row[0]
        is_none_s = kind == "cadre" and definition.key == "channel_reachability"
        for file in files:
            assert same(file[definition.key], value), definition.key
            for part in ("numerator", "denominator"):
                count = None if is_none_s else shown(told[part])
                assert same(file[f"{definition.key}_{part}"], count), f"{definition.key} {part}"
    assert f">{figures['field_stay_days']['value']}天<" in page


def test_the_gauges_are_the_door_s_numbers_of_the_year_so_far(pool, officer):
    now = datetime.now(UTC)
    year = f"{now.astimezone(ZONE):%Y}"

    assert gauge_figures(pool, level=LEVEL, zone=ZONE, now=now)
    figures = as_told(officer, f"/v1/figures/organisation/{TOWN}?period={year}")["figures"]

    for told in figures:
        labels = {"indicator": told["key"], "organisation": TOWN}
        value = expected(told)
        assert REGISTRY.get_sample_value("assessment_indicator_numerator", labels) == told["numerator"]
        assert REGISTRY.get_sample_value("assessment_indicator_denominator", labels) == (told["denominator"] or 0)
        assert REGISTRY.get_sample_value("assessment_indicator_value", labels) == (value and float(value))


def test_the_page_of_any_days_tells_what_the_door_tells(officer):
    days = "2025-03-05..2025-04-20"
    told = as_told(officer, f"/v1/scores/cadre/S002?period={days}")

    page = html.unescape(officer.get(f"/scores/cadre/S002?period={days}").text)

    assert any(one["denominator"] for one in told["indicators"])
    for one in told["indicators"]:
        assert f">{one['numerator']} / {one['denominator']}<" in page
    assert told["composite"] is None or told["composite"] in page


def test_facts_stand_behind_indicators_that_no_scheme_weighs(officer):
    path = "/v1/scores/organisation/T0/indicators"
    figures = {one["key"]: one for one in as_told(officer, "/v1/figures/organisation/T0?period=2025")["figures"]}

    for key in ("first_contact_rate", "first_time_closure_rate"):
        items = as_told(officer, f"{path}/{key}/events?period=2025&limit=200")["items"]
        assert sum(item["in_numerator"] for item in items) == figures[key]["numerator"] > 0, key
        assert sum(item["in_denominator"] for item in items) == (figures[key]["denominator"] or 0), key
        assert all(item["events"] for item in items)
        assert officer.get(f"/scores/organisation/T0/{key}?period=2025").status_code == 200
    for key in ("evenness", "composite"):
        assert officer.get(f"{path}/{key}/events?period=2025", headers={"X-Lianxin-Request": "1"}).status_code == 404
