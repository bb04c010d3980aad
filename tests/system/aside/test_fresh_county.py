"""The demo county goes in as `make run` loads it, and all its scores stand before the database knows its own tables."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from psycopg import sql

from demo.county import Years, build_years, write_files
from demo.loader import Doors, Loader
from demo.workdays import ZONE
from tests.harness.quiescence import wait_until_quiet
from tests.harness.suite import Suite
from tests.harness.waiting import wait_for

SCALE = 0.02  # some 40 cadres, 1,500 contacts and 300 issues
TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
FILLED = ["contact_fact", "duty", "event", "issue_fact", "post"]
NEVER_ANALYSED = """
    SELECT relname
      FROM pg_stat_user_tables
     WHERE relname = ANY(%s)
       AND last_analyze IS NULL
       AND last_autoanalyze IS NULL
     ORDER BY relname
"""


@pytest.fixture
def unknown_tables(suite: Suite) -> None:
    """How early the server has a look at what is in a table is chance: here it never has."""
    for service in ("intake", "assessment"):
        with suite.database(service) as owner:
            for (table,) in owner.execute(TABLES).fetchall():
                setting = sql.SQL("ALTER TABLE {} SET (autovacuum_enabled = off)")
                owner.execute(setting.format(sql.Identifier(str(table))))


@pytest.fixture
def years() -> Years:
    return build_years(today=datetime.now(ZONE).date(), scale=SCALE)


@pytest.fixture
def written_before(suite: Suite) -> dict[str, int]:
    return {name: suite.log_file(name).stat().st_size for name in suite.processes}


def read_errors(suite: Suite, written_before: dict[str, int]) -> Iterator[str]:
    for name, size in written_before.items():
        for line in suite.log_file(name).read_bytes()[size:].splitlines():
            if json.loads(line)["level"] not in ("debug", "info", "warning"):
                yield f"{name}: {line.decode()}"


def read_fairly_scored(suite: Suite) -> set[str]:
    officer = suite.client("assessment", "department_officer")
    found: set[str] = set()
    following = ""
    while True:
        page = officer.get(f"/v1/fair-scores?limit=200{following}").document
        found |= {item["staff_number"] for item in page["items"]}
        if page["next_cursor"] is None:
            return found
        following = f"&cursor={page['next_cursor']}"


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("unknown_tables")
def test_a_fresh_county_is_scored_and_nothing_fails_on_the_way(
    suite: Suite, years: Years, written_before: dict[str, int], tmp_path: Path
) -> None:
    doors = Doors(
        intake_url=f"http://127.0.0.1:{suite.ports['intake-api']}",
        importer=suite.credential("intake", "machine_client"),
        assessment_url=f"http://127.0.0.1:{suite.ports['assessment-api']}",
        officer=suite.credential("assessment", "department_officer"),
    )
    write_files(years, tmp_path)
    holders = {post.staff_number for post in years.roster.posts if post.until_on is None}

    with Loader(doors, tell=print, time_limit_seconds=240) as loader:
        loader.load(tmp_path)
        loader.wait_for_scores(set(years.roster.cadres), period=str(years.timeline.last_year))
    wait_until_quiet(suite)
    wait_for(lambda: holders <= read_fairly_scored(suite), "fair scores of all who hold a post", timeout_seconds=120)

    assert list(read_errors(suite, written_before)) == []
    with suite.database("assessment") as assessment:
        assert assessment.execute(NEVER_ANALYSED, [FILLED]).fetchall() == [(table,) for table in FILLED]
