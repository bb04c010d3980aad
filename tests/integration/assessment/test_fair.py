"""Fair scores and signals out of facts: looked for again and again, decided by a person, and nobody reads the own."""

import csv
import io
import zipfile
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.assessment.fair.engine import judge
from services.assessment.fair.explaining import iterate_cases
from services.assessment.fair.signals.odds import Check
from services.assessment.fair.yardstick import yardstick_of
from services.assessment.handlers.fair import Looked, look, read_fair_settings
from services.assessment.handlers.fair_closings import describe, hash_results
from services.assessment.handlers.fair_crew import Description, gather_crew
from services.assessment.handlers.fair_reading import read_dossiers, read_places, span_of, window_until
from services.assessment.handlers.fair_shelf import DatabaseShelf
from shared.database import Pool, transaction
from shared.reach import SYSTEM
from tests.fakes import KnownPrincipals, person
from tests.integration.assessment.conftest import NOW, ZONE, score_all, take
from tests.integration.assessment.readers import client_of, open_door
from tests.integration.assessment.story import Story
from tests.unit.assessment.fair.test_signals import SPAN_OF_QUARTERS, TRICKS
from tests.unit.assessment.fair.towns import make_town

FIRST = datetime(2025, 2, 3, 2, tzinfo=UTC)
OFFICERS = KnownPrincipals(
    {
        "officer": person("department_officer", "C", name="officer"),
        "approver": person("approver", "C", name="approver"),
        "auditor": person("auditor", name="auditor"),
        "elsewhere": person("department_officer", "E", name="elsewhere"),
        "herself": person("department_officer", "C", name="herself", staff_number="S0"),
    }
)


@pytest.fixture
def town(pool: Pool) -> Story:
    return fill_town(pool)


def fill_town(pool: Pool) -> Story:
    """Sixteen cadres who take days; S0 has seven closed within the hour among ten others."""
    story = Story()
    county = story.organisation("C")
    story.organisation("E")
    unit = story.organisation("T", county)
    for number in range(16):
        cadre = story.cadre(f"S{number}")
        story.post(cadre, unit)
        for place in range(10):
            received_at = FIRST + timedelta(days=3 * place, hours=number)
            issue = story.issue(unit, cadre, received_at, due_at=received_at + timedelta(days=6))
            solved = "resolved" if (place + number) % 3 else "explained_policy"
            story.close(issue, received_at + timedelta(days=2 + (place * 5 + number) % 7), solved)
        for place in range(7 if number == 0 else 0):
            received_at = FIRST + timedelta(days=5 * place)
            issue = story.issue(unit, cadre, received_at, due_at=received_at + timedelta(days=6))
            story.close(issue, received_at + timedelta(minutes=5 + place))
        story.contact(cadre, FIRST + timedelta(days=number))
    story.duty(per="quarter")
    take(pool, story.take())
    score_all(pool)
    return story


def _look(pool: Pool) -> Looked:
    return look(pool, read_fair_settings(), region_level="50", zone=ZONE, now=NOW)


def _rows(pool: Pool) -> list[tuple[object, ...]]:
    with transaction(pool, reach=SYSTEM) as connection:
        scores = connection.execute(
            "SELECT staff_number, score, lower, upper, explanation FROM fair_score ORDER BY staff_number"
        ).fetchall()
        return [*scores, *connection.execute("SELECT signal_id, state, grounds FROM signal ORDER BY signal_id")]


@pytest.mark.usefixtures("town")
def test_a_second_look_at_the_same_facts_changes_nothing(pool: Pool) -> None:
    first = _look(pool)
    found = _rows(pool)

    second = _look(pool)

    assert (first.cadres, first.signals, first.new_signals) == (16, 1, 1)
    assert (second.cadres, second.signals, second.new_signals) == (16, 1, 0)
    assert _rows(pool) == found


@pytest.mark.usefixtures("town")
def test_the_shelf_in_the_database_gives_what_memory_gives_and_is_gone_with_its_transaction(pool: Pool) -> None:
    window, settings = window_until(NOW, ZONE), read_fair_settings()
    span = span_of(window, ZONE)
    with transaction(pool, reach=SYSTEM) as connection:
        dossiers = list(read_dossiers(connection, window, read_places(connection, window, "50")))
        expected, found = (
            judge(dossiers, span, settings),
            judge(dossiers, span, settings, shelf=DatabaseShelf(connection)),
        )
        cases = zip(
            iterate_cases(expected, yardstick_of(expected.scored)),
            iterate_cases(found, yardstick_of(found.scored)),
            strict=True,
        )
        for one, other in cases:
            assert describe(one, settings) == describe(other, settings)
            assert one.measured.counted == other.measured.counted
        assert connection.execute("SHOW idle_in_transaction_session_timeout").fetchone() == ("0",)

    assert (found.results, found.signals) == (expected.results, expected.signals)
    assert [signal.cadre for signal in found.signals] == [expected.results[0].cadre]
    with transaction(pool, reach=SYSTEM) as connection:
        assert connection.execute("SELECT to_regclass('pg_temp.fair_shelf')").fetchone() == (None,)


@pytest.mark.parametrize("check", ["instant_answers", "extreme_clock"])
def test_what_is_described_from_the_shelf_is_what_the_cases_say(pool: Pool, check: Check) -> None:
    settings, people = read_fair_settings(), make_town(6, cadres=24)
    TRICKS[check](people)
    with transaction(pool, reach=SYSTEM) as connection, gather_crew(pool, 1) as crew:
        shelf = DatabaseShelf(connection)
        judged = judge(people, SPAN_OF_QUARTERS, settings, shelf=shelf)
        yardstick = yardstick_of(judged.scored)
        description = Description(yardstick=yardstick, write=hash_results, beside=lambda _: {})

        found = [one for hashes in crew.describe(judged, shelf, description) for one in hashes]

        assert found == hash_results(iterate_cases(judged, yardstick), settings, {})
    assert judged.set_aside


@pytest.mark.usefixtures("town")
def test_the_score_and_its_explanation_are_read_by_the_department(pool: Pool) -> None:
    _look(pool)
    client = client_of(open_door(pool, OFFICERS), "officer")

    page = client.get("/v1/fair-scores", params={"limit": 4}).json()
    following = client.get("/v1/fair-scores", params={"cursor": page["next_cursor"]}).json()
    told = client.get("/v1/fair-scores/S3/explanation").json()["explanation"]

    assert [one["staff_number"] for one in page["items"] + following["items"]] == sorted(f"S{n}" for n in range(16))
    assert told["cadre"] == "S3"
    assert float(told["score"]) == pytest.approx(
        float(told["base"]) + sum(float(line["points"]) for line in told["lines"])
    )


@pytest.mark.usefixtures("town")
def test_a_signal_waits_with_its_reason_until_somebody_decides(pool: Pool) -> None:
    _look(pool)
    app = open_door(pool, OFFICERS)
    (signal,) = client_of(app, "auditor").get("/v1/signals").json()["items"]
    path = f"/v1/signals/{signal['signal_id']}"
    decision = {"verdict": "cleared", "grounds": "local_custom"}

    assert (signal["staff_number"], signal["check_name"]) == ("S0", "extreme_clock")
    assert str(len(signal["record_ids"])) in signal["says"]["zh"]
    assert client_of(app, "auditor").post(f"{path}/decision", json=decision).status_code == 403
    assert client_of(app, "elsewhere").post(f"{path}/decision", json=decision).status_code == 404

    decided = client_of(app, "officer").post(f"{path}/decision", json=decision)

    assert decided.status_code == 200
    assert (decided.json()["state"], decided.json()["decided_by"]) == ("cleared", "officer")
    assert client_of(app, "officer").post(f"{path}/decision", json=decision).status_code == 200
    assert client_of(app, "approver").post(f"{path}/decision", json=decision).status_code == 409
    assert client_of(app, "officer").get("/v1/signals").json()["items"] == []
    with transaction(pool, reach=SYSTEM) as connection:
        noted = connection.execute(
            "SELECT reason FROM audit_record WHERE action = 'signal.decide' AND decision = 'allowed'"
        ).fetchall()
    assert noted == [("local_custom",)]


@pytest.mark.usefixtures("town")
def test_the_records_of_a_signal_are_told_page_by_page_with_the_events_behind_them(pool: Pool) -> None:
    _look(pool)
    app = open_door(pool, OFFICERS)
    officer = client_of(app, "officer")
    (signal,) = officer.get("/v1/signals").json()["items"]
    path = f"/v1/signals/{signal['signal_id']}/records"

    page = officer.get(path, params={"limit": 4}).json()
    rest = officer.get(path, params={"limit": 4, "cursor": page["next_cursor"]}).json()

    records = page["items"] + rest["items"]
    assert (len(page["items"]), rest["next_cursor"]) == (4, None)
    assert [one["record_id"] for one in records] == sorted(signal["record_ids"])
    assert {one["fact"] for one in records} == {"issue"}
    for one in records:
        received, closed = (event["occurred_at"] for event in one["events"])
        assert one["at"] == received
        assert datetime.fromisoformat(closed) - datetime.fromisoformat(received) < timedelta(minutes=12)
    with transaction(pool, reach=SYSTEM) as connection:
        connection.execute("DELETE FROM issue_fact WHERE issue_id = %s", [records[1]["record_id"]])
    page = officer.get(path, params={"limit": 4}).json()
    rest = officer.get(path, params={"limit": 4, "cursor": page["next_cursor"]}).json()
    assert page["items"] + rest["items"] == [records[0], *records[2:]]
    assert client_of(app, "elsewhere").get(path).status_code == 404
    assert client_of(app, "herself").get(path).status_code == 404
    assert [officer.get(path, params={"cursor": one}).status_code for one in ("x", "WyJ4Il0")] == [422, 422]


def test_a_made_up_matter_asks_a_person_and_the_call_is_behind_the_record(pool: Pool, town: Story) -> None:
    """The second of them has all wait that nobody else has looked at."""
    with transaction(pool, reach=SYSTEM) as connection:
        rows = connection.execute(
            "SELECT issue_id FROM issue_fact JOIN cadre USING (cadre_id) WHERE staff_number = 'S2' ORDER BY received_at"
        ).fetchall()
    issues = [UUID(str(row[0])) for row in rows]
    client = client_of(open_door(pool, OFFICERS), "officer")
    called = FIRST + timedelta(days=60)
    found = []
    for issue in issues[:2]:
        town.deny(town.call(called, issue_id=issue), issue, called)
        take(pool, town.take())
        _look(pool)
        found += [one for one in client.get("/v1/signals").json()["items"] if one["staff_number"] == "S2"]

    records = client.get(f"/v1/signals/{found[1]['signal_id']}/records").json()["items"]

    assert [one["check_name"] for one in found] == ["disowned_records"] * 2
    assert found[0]["record_ids"] == [str(issues[0])]
    assert set(map(str, issues)) < set(found[1]["record_ids"])
    denied = {one["record_id"] for one in records if "denied" in one["events"][-1]["type"]}
    assert denied == set(map(str, issues[:2]))


@pytest.mark.usefixtures("town")
def test_what_was_set_aside_counts_again_once_the_cadre_is_cleared(pool: Pool) -> None:
    def resolution_of(staff_number: str) -> float:
        explanation = client.get(f"/v1/fair-scores/{staff_number}/explanation").json()["explanation"]
        return next(float(line["records"]) for line in explanation["lines"] if line["indicator"] == "resolution")

    _look(pool)
    client = client_of(open_door(pool, OFFICERS), "officer")
    (signal,) = client.get("/v1/signals").json()["items"]
    before = resolution_of("S0")

    client.post(f"/v1/signals/{signal['signal_id']}/decision", json={"verdict": "cleared", "grounds": "local_custom"})
    looked = _look(pool)

    assert looked.signals == 0
    assert resolution_of("S0") > before + len(signal["record_ids"]) / 2


def test_a_signal_that_is_not_found_any_more_lapses(pool: Pool, town: Story) -> None:
    _look(pool)
    client = client_of(open_door(pool, OFFICERS), "officer")
    (signal,) = client.get("/v1/signals").json()["items"]

    for record in signal["record_ids"]:
        town.reopen(UUID(record), FIRST + timedelta(days=40))
    take(pool, town.take())
    score_all(pool)
    _look(pool)

    assert client.get("/v1/signals").json()["items"] == []
    assert [one["signal_id"] for one in client.get("/v1/signals?state=lapsed").json()["items"]] == [signal["signal_id"]]


@pytest.mark.usefixtures("town")
def test_nobody_reads_the_own_score_or_signal(pool: Pool) -> None:
    _look(pool)
    app = open_door(pool, OFFICERS)
    (signal,) = client_of(app, "officer").get("/v1/signals").json()["items"]
    herself = client_of(app, "herself")

    assert herself.get("/v1/signals").json()["items"] == []
    assert "S0" not in [one["staff_number"] for one in herself.get("/v1/fair-scores").json()["items"]]
    assert herself.get("/v1/fair-scores/S0/explanation").status_code == 404
    decision = {"verdict": "cleared", "grounds": "local_custom"}
    assert herself.post(f"/v1/signals/{signal['signal_id']}/decision", json=decision).status_code == 404


@pytest.mark.usefixtures("town")
def test_scores_are_listed_by_the_signals_about_their_cadres(pool: Pool) -> None:
    def ask(flag: str, name: str = "officer") -> list[str]:
        query = {"subject": "cadre", "period": "2025", "sort": "code", "flag": flag}
        answer = client_of(app, name).get("/v1/scores", params=query)
        return [one["subject"]["code"] for one in answer.json()["items"]]

    _look(pool)
    app = open_door(pool, OFFICERS)
    everybody = sorted(f"S{number}" for number in range(16))

    assert ask("any") == ask("extreme_clock") == ["S0"]
    assert ask("split_issues") == []
    assert ask("none") == everybody[1:]
    assert ask("any", "herself") == []
    query = {"subject": "cadre", "period": "2025", "flag": "nonsense"}
    assert client_of(app, "officer").get("/v1/scores", params=query).status_code == 422


@pytest.mark.usefixtures("town")
def test_the_export_holds_the_numbers_of_the_list_and_says_what_every_column_means(pool: Pool) -> None:
    _look(pool)
    proven = person("department_officer", "C", name="proven", stepped_up_at=datetime.now(UTC))
    officer = client_of(open_door(pool, KnownPrincipals({"proven": proven})), "proven")
    shown = officer.get("/v1/fair-scores").json()["items"]

    archive = zipfile.ZipFile(io.BytesIO(officer.get("/v1/fair-scores/export").content))
    rows, told = (
        list(csv.DictReader(io.StringIO(archive.read(name).decode("utf-8-sig"))))
        for name in ("scores.csv", "definitions.csv")
    )

    assert any(points.startswith("-") for item in shown for points in item["points"].values())
    for row, item in zip(rows, shown, strict=True):
        assert [row[name] for name in ("score", "lower", "upper")] == [item["score"], item["lower"], item["upper"]]
        assert {name: row["base" if name == "base" else f"points_{name}"] for name in item["points"]} == item["points"]
    of_band = zipfile.ZipFile(io.BytesIO(officer.get("/v1/fair-scores/export?band=below").content)).read("scores.csv")
    assert len(of_band.splitlines()) == 1 + sum(item["band"] == "below" for item in shown) < len(rows)
    assert [one["key"] for one in told] == [name for name in rows[0] if name != "export_mark"]
    assert all(one["title_zh"] and one["title_en"] for one in told)
