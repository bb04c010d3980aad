"""Who is confined to a part of the tree sees that part and nothing else: by the routes, and in the database itself."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from psycopg import sql

from shared.database import transaction
from shared.reach import Reach
from tests.fakes import KnownPrincipals, person
from tests.integration.assessment.conftest import ZONE, score_all, take
from tests.integration.assessment.readers import client_of, open_door
from tests.integration.assessment.story import Story

pytestmark = pytest.mark.integration
PERIOD = "period=2025-03"
READERS = KnownPrincipals(
    {
        "town": person("department_officer", "T0", name="town"),
        "town-approver": person("approver", "T0", name="town-approver"),
        "colleague": person("department_officer", "T0", name="colleague"),
        "county": person("department_officer", name="county"),
        "auditor": person("auditor", name="auditor"),
        "self": person("department_officer", name="self", staff_number="S000"),
    }
)
LOCKED = (
    "post",
    "contact_fact",
    "issue_fact",
    "rating_fact",
    "issue_share",
    "tally",
    "organisation_tally",
    "score",
    "event",
    "cadre",
)
CLOSED_TO_READERS = (
    "outbox",
    "inbox",
    "processing_failure",
    "tally_due",
    "subject_due",
    "sweep",
    "release",
    "released_answer",
    "closing_start",
)


@pytest.fixture(scope="module")
def app(shared_pool):
    """A county with a village below the first town, and one cadre in each of the three."""
    story = Story()
    county = story.organisation("C")
    town, other = story.organisation("T0", county), story.organisation("T1", county)
    village = story.organisation("V0", town)
    at = datetime(2025, 3, 10, tzinfo=ZONE)
    for number, unit in enumerate((town, village, other)):
        cadre_id = story.cadre(f"S00{number}")
        story.post(cadre_id, unit)
        story.contact(cadre_id, at, organisation_id=unit)
        for day in (11, 12, 13):
            issue_id = story.issue(unit, cadre_id, at, due_at=at + timedelta(days=9))
            story.close(issue_id, at.replace(day=day))
            story.rate(at.replace(day=20), 4, issue_id=issue_id, solved=True, rater_ref=UUID(int=day))
            story.share(issue_id, [(unit, cadre_id, 1_000_000)])
    take(shared_pool, story.take())
    score_all(shared_pool)
    return open_door(shared_pool, READERS)


def codes_of(client, subject, more=""):
    answer = client.get(f"/v1/scores?subject={subject}&{PERIOD}&sort=code{more}")
    return [item["subject"]["code"] for item in answer.json()["items"]]


@pytest.mark.parametrize("name", ["town", "town-approver"])
def test_lists_hold_the_own_part_of_the_tree(app, name):
    client = client_of(app, name)

    assert codes_of(client, "cadre") == ["S000", "S001"]
    assert codes_of(client, "organisation") == ["T0", "V0"]
    assert codes_of(client, "organisation", "&organisation=V0") == ["V0"]
    assert codes_of(client_of(app, "county"), "cadre") == ["S000", "S001", "S002"]
    assert codes_of(client_of(app, "auditor"), "organisation") == ["C", "T0", "T1", "V0"]


def test_what_lies_outside_looks_like_what_does_not_exist(app):
    town = client_of(app, "town")

    def ask(path):
        answer = town.get(path)
        return answer.status_code, answer.content

    evidence = "/indicators/response_rate/events"
    for kind, outside, nowhere in (("cadre", "S002", "S999"), ("organisation", "T1", "X"), ("organisation", "C", "X")):
        for path in (f"/v1/scores/{kind}/%s?{PERIOD}", f"/v1/scores/{kind}/%s{evidence}?{PERIOD}"):
            assert ask(path % outside) == ask(path % nowhere)
            assert ask(path % outside)[0] == 404
    filtered = f"/v1/scores?subject=cadre&{PERIOD}&organisation=%s"
    assert ask(filtered % "T1") == ask(filtered % "C") == ask(filtered % "X")
    assert ask(filtered % "X")[0] == 404
    assert ask(f"/v1/scores/cadre/S001?{PERIOD}")[0] == 200


def test_evidence_comes_from_the_own_part_with_its_events(app):
    client = client_of(app, "town")
    path = "/v1/scores/organisation/T0/indicators/satisfaction_rate/events"

    found = client.get(f"{path}?{PERIOD}").json()

    assert len(found["items"]) == 6
    assert {item["staff_number"] for item in found["items"]} == {"S000", "S001"}
    assert all(item["events"] for item in found["items"])


def test_a_cursor_goes_on_only_for_whom_it_was_given(app):
    path = f"/v1/scores?subject=cadre&{PERIOD}&limit=1"
    cursor = client_of(app, "town").get(path).json()["next_cursor"]

    assert client_of(app, "town").get(f"{path}&cursor={cursor}").status_code == 200
    assert client_of(app, "colleague").get(f"{path}&cursor={cursor}").status_code == 422


def test_nobody_reads_the_live_figures_of_himself_in_any_role(app):
    client = client_of(app, "self")

    assert client.get(f"/v1/scores/cadre/S001?{PERIOD}").status_code == 200
    own, nowhere = (client.get(f"/v1/scores/cadre/{code}?{PERIOD}") for code in ("S000", "S999"))
    assert (own.status_code, own.content) == (404, nowhere.content)
    assert codes_of(client, "cadre") == ["S001", "S002"]
    evidence = client.get(f"/v1/scores/organisation/T0/indicators/satisfaction_rate/events?{PERIOD}").json()
    assert {item["staff_number"] for item in evidence["items"]} == {"S001"}


def count(pool, table, reach):
    with transaction(pool, reach=reach) as connection:
        if reach is None:
            connection.execute("SELECT set_config('lianxin.reach', '', true)")
        return len(connection.execute(sql.SQL("SELECT FROM {}").format(sql.Identifier(table))).fetchall())


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("table", LOCKED)
def test_the_database_itself_shows_a_part_nothing_without_reach_and_takes_no_writing(shared_pool, table):
    town = Reach(kind="scoped", organisation_codes=("T0",), account_id=UUID(int=1))
    elsewhere = Reach(kind="scoped", organisation_codes=("nowhere",), account_id=UUID(int=1))
    auditor = Reach(kind="everywhere", account_id=UUID(int=2))

    everything = count(shared_pool, table, auditor)

    assert 0 < count(shared_pool, table, town) < everything
    assert count(shared_pool, table, elsewhere) == 0
    assert count(shared_pool, table, None) == 0
    for reach in (town, auditor):
        with transaction(shared_pool, reach=reach) as connection:
            assert connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table))).rowcount == 0


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("table", CLOSED_TO_READERS)
def test_what_only_processes_need_is_closed_to_everybody_else(shared_pool, table):
    with transaction(shared_pool) as connection:
        connection.execute(
            "INSERT INTO closing_start (started_at) VALUES (%s) ON CONFLICT DO NOTHING", [datetime.now(UTC)]
        )

    for reach in (Reach(kind="everywhere"), Reach(kind="scoped", organisation_codes=("C",)), None):
        assert count(shared_pool, table, reach) == 0


@pytest.mark.usefixtures("app")
def test_every_table_is_locked_for_its_owner_too(shared_pool):
    with transaction(shared_pool) as connection:
        rows = connection.execute(
            """
            SELECT relname
              FROM pg_class
             WHERE relkind IN ('r', 'p')
               AND relnamespace = 'public'::regnamespace
               AND NOT (relrowsecurity AND relforcerowsecurity)
            """
        ).fetchall()

    assert {row[0] for row in rows} <= {"migration"}  # which files were applied: no data of anybody


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("table", ["tally", "contact_fact", "issue_fact", "rating_fact", "issue_share"])
def test_who_is_asking_is_not_looked_up_for_processes(shared_pool, table):
    counting = sql.SQL("EXPLAIN (ANALYZE, TIMING OFF) SELECT FROM {}").format(sql.Identifier(table))
    with transaction(shared_pool) as connection:
        plan = [str(line) for (line,) in connection.execute(counting)]

    looked_up = [line for line in plan if "ProjectSet" in line]
    assert looked_up
    assert all("never executed" in line for line in looked_up)
