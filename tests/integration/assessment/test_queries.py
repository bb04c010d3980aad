"""Lists with their filters, history, comparison of like with like, spreads, what stood by a day, and exports."""

import csv
import io
import zipfile
from datetime import UTC, datetime, timedelta

import duckdb
import openpyxl
import pytest

from services.assessment.api.app import create_api
from services.assessment.exporting import ColumnType, Format, write_file
from services.assessment.handlers.closings import ClosingRule, close_months
from services.assessment.handlers.corrections import record_corrections
from services.assessment.handlers.exports import LONGEST_SECONDS_A_PAGE
from services.assessment.handlers.figures import count_span, load_registry
from shared.database import transaction
from tests.fakes import KnownPrincipals, person
from tests.integration.assessment.conftest import ZONE, score_all, take
from tests.integration.assessment.readers import SETTINGS, client_of, open_door
from tests.integration.assessment.story import Story

pytestmark = pytest.mark.integration
MARCH = datetime(2025, 3, 10, 2, tzinfo=UTC)


def known() -> KnownPrincipals:
    """Those with a second factor have just given it."""
    return KnownPrincipals(
        {
            "officer": person("department_officer", "C", name="officer", stepped_up_at=datetime.now(UTC)),
            "tired": person("department_officer", "C", name="tired"),
            "town": person("department_officer", "T0", name="town", stepped_up_at=datetime.now(UTC)),
            "S0": person("cadre", staff_number="S0", name="S0"),
        }
    )


@pytest.fixture
def story(pool):
    """Three cadres in two towns: two heads, of whom one answers all in time and the other half, and a clerk."""
    story = Story()
    story.root = story.organisation("C")
    towns = [story.organisation(code, story.root) for code in ("T0", "T1")]
    for code, town, kind, in_time in (("S0", 0, "head", 8), ("S1", 1, "head", 4), ("=S2", 1, "clerk", 6)):
        cadre = story.cadre(code)
        story.post(cadre, towns[town], post_kind=kind)
        for number in range(8):
            issue = story.issue(towns[town], cadre, MARCH, due_at=MARCH + timedelta(days=5))
            story.close(issue, MARCH + timedelta(days=2 if number < in_time else 9))
        if code == "S0":
            story.cadre_id, story.town = cadre, towns[town]
    take(pool, story.take())
    score_all(pool)
    return story


def get(pool, path, name="officer"):
    return client_of(open_door(pool, known()), name).get(path)


def shown_text(cell):
    """As a spreadsheet program shows it."""
    if cell.data_type == "s" or cell.value is None:
        return cell.value or ""
    return f"{cell.value:.{len(cell.number_format.partition('.')[2])}f}"


def codes(answer):
    return [item["subject"]["code"] for item in answer.json()["items"]]


def test_whoever_reads_page_by_page_by_the_key_meets_everybody_once_while_scores_move(pool, story):
    met, composites, cursor = [], [], ""
    for number in range(3):
        page = get(pool, f"/v1/scores?subject=cadre&period=2025-03&sort=code&limit=1{cursor}")
        met += codes(page)
        composites.append(page.json()["items"][0]["composite"])
        cursor = f"&cursor={page.json()['next_cursor']}"
        for _ in range(8):
            issue = story.issue(story.town, story.cadre_id, MARCH, due_at=MARCH + timedelta(days=5))
            story.close(issue, MARCH + timedelta(days=9 + number))
        take(pool, story.take())
        score_all(pool)

    assert met == ["=S2", "S0", "S1"]
    whole = get(pool, "/v1/scores?subject=cadre&period=2025-03&sort=code").json()["items"]
    assert composites[1] != whole[1]["composite"]


@pytest.mark.usefixtures("story")
def test_lists_are_narrowed_by_post_and_by_band_and_tagged(pool):
    path = "/v1/scores?subject=cadre&period=2025-03&sort=code"

    assert codes(get(pool, f"{path}&post_kind=head")) == ["S0", "S1"]
    assert codes(get(pool, f"{path}&post_kind=ead")) == []
    assert codes(get(pool, f"{path}&composite_from=100")) == ["S0"]
    assert codes(get(pool, f"{path}&composite_below=100")) == ["=S2", "S1"]
    assert codes(get(pool, f"{path}&composite_below=100&post_kind=head&organisation=T1")) == ["S1"]
    assert get(pool, f"{path}&composite_from=101").status_code == 422
    assert get(pool, f"{path}&composite_from=NaN").status_code == 422
    tag = get(pool, path).headers["ETag"]
    held = client_of(open_door(pool, known()), "officer").get(path, headers={"If-None-Match": tag})
    assert (held.status_code, held.content) == (304, b"")


@pytest.mark.usefixtures("story")
@pytest.mark.parametrize(("sort", "best_first"), [("-composite", True), ("composite", False)])
def test_a_band_is_the_same_whichever_way_it_is_sorted_and_whatever_cursor_comes_with_it(pool, story, sort, best_first):
    unscored = story.cadre("S3")  # known, and without enough evidence for a composite
    story.post(unscored, story.town, post_kind="head")
    story.contact(unscored, MARCH)
    take(pool, story.take())
    score_all(pool)
    path = f"/v1/scores?subject=cadre&period=2025-03&sort={sort}"
    found = get(pool, path).json()["items"]
    told = {item["subject"]["code"]: item["composite"] for item in found}
    assert [item["subject"]["code"] for item in found][-1] == "S3"
    assert told["S3"] is None
    ordered = [code for code in told if code != "S3"]
    assert ordered == sorted(ordered, key=lambda code: float(told[code]), reverse=best_first)
    middle = told[ordered[1]]

    assert codes(get(pool, f"{path}&composite_from={middle}")) == [
        code for code in ordered if float(told[code]) >= float(middle)
    ]
    assert codes(get(pool, f"{path}&composite_below={middle}")) == [
        code for code in ordered if float(told[code]) < float(middle)
    ]
    first = get(pool, f"{path}&limit=1").json()["next_cursor"]
    band = f"composite_below={told[ordered[0]]}" if best_first else f"composite_from={told[ordered[2]]}"
    assert codes(get(pool, f"{path}&{band}&cursor={first}")) == (ordered[1:] if best_first else ordered[2:])


@pytest.mark.usefixtures("story")
def test_history_goes_back_period_by_period(pool):
    months = get(pool, "/v1/scores/cadre/S0/history").json()["items"]
    years = get(pool, "/v1/scores/organisation/C/history?per=year").json()["items"]

    assert [item["period"]["period"] for item in months] == ["2025-03"]
    assert [item["period"]["period"] for item in years] == ["2025"]
    assert months[0]["composite"] == "100.00"
    assert get(pool, "/v1/scores/cadre/S1/history", "town").status_code == 404
    assert get(pool, "/v1/scores/cadre/S0/history?per=week").status_code == 422


@pytest.mark.usefixtures("story")
def test_only_like_is_compared_and_ranks_are_switched_on_by_an_installation_alone(pool):
    path = "/v1/comparisons?period=2025-03&cadres="

    found = get(pool, f"{path}S0,S1").json()

    assert found["peer_group"] == "141.head"
    assert [(item["code"], item["rank"]) for item in found["items"]] == [("S0", None), ("S1", None)]
    assert (found["peers"]["cadres"], found["peers"]["highest"]) == (2, "100.00")
    assert get(pool, f"{path}S0,=S2").json()["type"] == "urn:lianxin:problem:unlike-subjects"
    assert get(pool, f"{path}S0,S1", "town").status_code == 404
    assert get(pool, f"{path}" + ",".join(f"X{number}" for number in range(21))).status_code == 422
    with_tables = create_api(SETTINGS.model_copy(update={"league_tables": True}), pool, authenticator=known())
    ranked = client_of(with_tables, "officer").get(f"{path}S1,S0").json()["items"]
    assert [(item["code"], item["rank"]) for item in ranked] == [("S1", 2), ("S0", 1)]


@pytest.mark.usefixtures("story")
def test_a_spread_tells_how_an_organisation_s_cadres_lie_by_peer_group(pool):
    spreads = get(pool, "/v1/spreads/C?period=2025-03").json()["items"]

    assert [(one["peer_group"], one["cadres"], one["scored"]) for one in spreads] == [
        ("141.clerk", 1, 1),
        ("141.head", 2, 2),
    ]
    assert spreads[1]["highest"] == "100.00"
    assert spreads[1]["median"] == spreads[1]["lowest"]
    assert get(pool, "/v1/spreads/T1?period=2025-03", "town").status_code == 404


def test_what_stood_published_by_a_day(pool, story):
    rule = ClosingRule(raters_needed=5, delay=timedelta(days=5), scheme_name="basic", zone=ZONE)
    closed_at = datetime(2025, 4, 6, tzinfo=UTC)
    close_months(pool, rule=rule, now=datetime(2025, 3, 25, tzinfo=UTC))
    close_months(pool, rule=rule, now=closed_at)
    story.contact(story.cadre_id, MARCH, organisation_id=story.town)
    take(pool, story.take())
    score_all(pool)
    assert record_corrections(pool, zone=ZONE, now=datetime(2025, 5, 3, tzinfo=UTC)) == 6  # March and its quarter
    path = "/v1/published/scores/cadre/S0/as-of?period=2025-03&on="

    assert get(pool, f"{path}2025-04-05", "S0").status_code == 404
    before, after = (get(pool, f"{path}{day}", "S0").json() for day in ("2025-05-02", "2025-05-03"))
    assert (before["correction_number"], after["correction_number"]) == (None, 1)
    assert before["content_hash"] == after["content_hash"] != after["corrected_hash"]
    assert get(pool, f"{path}9999-12-31", "S0").status_code == 422
    assert get(pool, path.replace("S0", "S1") + "2025-05-03", "S0").status_code == 404


@pytest.mark.usefixtures("story")
def test_exports_hold_what_the_list_holds_with_the_definitions_and_no_formula(pool):
    path = "/v1/scores/export?subject=cadre&period=2025-03&format="
    shown = {
        item["subject"]["code"]: item for item in get(pool, "/v1/scores?subject=cadre&period=2025-03").json()["items"]
    }

    archive = zipfile.ZipFile(io.BytesIO(get(pool, f"{path}csv").content))
    scores = archive.read("scores.csv").decode("utf-8-sig").splitlines()
    sheets = openpyxl.load_workbook(io.BytesIO(get(pool, f"{path}xlsx").content))
    cells = list(sheets["scores"].iter_rows())
    rows = [[shown_text(cell) for cell in row] for row in cells]

    assert len(scores) == len(rows) == 4
    assert '"\'=S2"' in scores[1]
    assert '"reply_rate"' in archive.read("definitions.csv").decode("utf-8-sig")
    columns = {name: place for place, name in enumerate(rows[0])}
    for row in rows[1:]:
        item = shown[row[columns["code"]].removeprefix("'")]
        assert row[columns["composite"]] == item["composite"]
        for part in item["indicators"]:
            assert (row[columns[part["key"]]] or None) == part["value"]
            assert row[columns[f"{part['key']}_numerator"]] == str(part["numerator"])
        assert "officer" in row[columns["export_mark"]]
    assert sheets["definitions"].cell(1, 1).value == "key"
    texts = {"subject_kind", "code", "name", "organisation_code", "organisation_name", "peer_group", "period", "scheme"}
    for line in cells[1:]:
        for name, place in columns.items():
            kind = "s" if name in texts | {"export_mark"} else "n"
            assert line[place].value is None or line[place].data_type == kind


@pytest.mark.parametrize("number", ["-0.12", "12", "0.9107", "99.9000", "-7"])
def test_numbers_in_files_stay_numbers_with_all_their_places_and_texts_are_shielded(number):
    columns: dict[str, ColumnType] = {"code": "VARCHAR", "points": "DECIMAL(9, 4)", "none": "BIGINT"}
    forms: tuple[Format, ...] = ("csv", "xlsx")
    told = [{"key": "points", "title": {"zh": "-1", "en": "points"}}]
    files = {}
    for form in forms:
        files[form] = io.BytesIO()
        assert write_file(files[form], form, columns, [["-0012", number, None]], definitions=told, mark="=me") == 1

    archive = zipfile.ZipFile(files["csv"])
    sheet = openpyxl.load_workbook(files["xlsx"])["scores"]

    assert archive.read("scores.csv").decode("utf-8-sig").splitlines()[1] == f'"\'-0012","{number}","","\'=me"'
    assert archive.read("definitions.csv").decode("utf-8-sig").splitlines()[1] == '"points","\'-1","points"'
    assert [cell.data_type for cell in sheet[2]] == ["s", "n", "n", "s"]
    assert (sheet["A2"].value, shown_text(sheet["B2"]), sheet["C2"].value, sheet["D2"].value) == (
        "-0012",
        number,
        None,
        "=me",
    )


@pytest.mark.usefixtures("story")
def test_parquet_has_types_and_carries_its_definitions(pool, tmp_path):
    file = tmp_path / "scores.parquet"
    file.write_bytes(get(pool, "/v1/scores/export?subject=cadre&period=2025-03&format=parquet").content)

    with duckdb.connect() as database:
        rows = database.execute(
            "SELECT code, composite::varchar, on_time_closure_rate_numerator FROM read_parquet(?) ORDER BY code",
            [str(file)],
        ).fetchall()
        metadata = dict(
            database.execute(
                "SELECT key::blob::varchar, value::blob::varchar FROM parquet_kv_metadata(?)", [str(file)]
            ).fetchall()
        )

    assert [(row[0], row[2]) for row in rows] == [("=S2", 6), ("S0", 8), ("S1", 4)]
    assert rows[1][1] == "100.0000"
    assert "reply_rate" in metadata["definitions"]
    assert "officer" in metadata["export_mark"]


@pytest.mark.usefixtures("story")
def test_an_export_has_every_indicator_unless_it_is_asked_for_the_tallied_ones(pool):
    path = "/v1/scores/export?subject=cadre&period=2025-03"
    definitions = load_registry().definitions
    read = {}
    for choice in ("", "&indicators=all", "&indicators=tallied"):
        archive = zipfile.ZipFile(io.BytesIO(get(pool, path + choice).content))
        names = ("scores.csv", "definitions.csv")
        read[choice] = [list(csv.reader(archive.read(name).decode("utf-8-sig").splitlines())) for name in names]

    every, tallied = read[""], read["&indicators=tallied"]

    assert [row[:-1] for row in read["&indicators=all"][0]] == [
        row[:-1] for row in every[0]
    ]  # the mark is each one's own
    assert [row[0] for row in every[1][1:]] == [one.key for one in definitions]
    assert [row[0] for row in tallied[1][1:]] == [one.key for one in definitions if one.is_tallied]
    assert {one.key for one in definitions} < set(every[0][0])
    assert {one.key for one in definitions if not one.is_tallied}.isdisjoint(tallied[0][0])
    for row, other in zip(every[0][1:], tallied[0][1:], strict=True):
        cells = dict(zip(every[0][0], row, strict=True))
        assert [cells[name] for name in tallied[0][0][:-1]] == other[:-1]
        assert (
            cells["channel_reachability"] == cells["channel_reachability_denominator"] == ""
        )  # of organisations alone
        assert (cells["group_breadth"], cells["group_breadth_denominator"]) == ("", "0")  # nobody was counted there
    assert get(pool, f"{path}&indicators=some").status_code == 422


@pytest.mark.usefixtures("story")
def test_counting_for_an_export_may_take_longer_than_a_page_waits(pool, monkeypatch):
    waits = []

    def count(connection, *asked, **told):
        waits.append(milliseconds_of(connection))
        return count_span(connection, *asked, **told)

    def milliseconds_of(connection):
        return connection.execute(
            "SELECT setting::integer FROM pg_settings WHERE name = 'statement_timeout'"
        ).fetchone()

    monkeypatch.setattr("services.assessment.handlers.exports.count_span", count)

    assert get(pool, "/v1/scores/export?subject=organisation&period=2025-03").status_code == 200
    with transaction(pool) as connection:
        (usual,) = milliseconds_of(connection)

    ((wait,),) = waits
    assert usual < wait <= LONGEST_SECONDS_A_PAGE * 1_000


@pytest.mark.usefixtures("story")
def test_an_export_needs_the_second_factor_stops_at_reach_and_is_on_record(pool):
    path = "/v1/scores/export?subject=cadre&period=2025-03"

    assert get(pool, path, "tired").json()["type"] == "urn:lianxin:problem:step-up-needed"
    assert get(pool, path, "S0").status_code == 403
    own = zipfile.ZipFile(io.BytesIO(get(pool, path, "town").content)).read("scores.csv").decode("utf-8-sig")
    assert len(own.splitlines()) == 2
    assert get(pool, f"{path}&organisation=T1", "town").status_code == 404
    with transaction(pool) as connection:
        lines = connection.execute(
            "SELECT actor, details ->> 'rows' FROM audit_record WHERE object_type = 'score_export' ORDER BY seq"
        ).fetchall()
    assert lines == [("town", "1")]


@pytest.mark.usefixtures("story")
def test_what_one_person_carries_out_in_a_day_is_bounded(pool, monkeypatch):
    monkeypatch.setattr("services.assessment.handlers.exports.MOST_ROWS", 4)
    path = "/v1/scores/export?subject=cadre&period=2025-03"

    assert get(pool, path).status_code == 200
    assert get(pool, path).status_code == 429
    monkeypatch.setattr("services.assessment.handlers.exports.MOST_ROWS", 2)
    assert get(pool, path).json()["type"] == "urn:lianxin:problem:too-many-rows"
