"""Scores and tallies in parts by the year: made ahead, filled from what came early, closed to people, dropped whole."""

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import groupby

import psycopg
import pytest
from psycopg import sql

from services.assessment.domain.periods import parse_period
from services.assessment.handlers.partitions import make_years_ahead
from services.assessment.storage.reading import After, ScoreFilter, list_scores_ascending, list_scores_descending
from services.assessment.storage.retention import delete_scores
from services.assessment.storage.tallies import COLUMNS
from shared.database import migrate, transaction
from shared.reach import Reach
from tests.integration.assessment.conftest import HOME, score_all, take
from tests.integration.assessment.story import random_county
from tests.integration.assessment.test_any_order import figures
from tests.integration.plans import Explaining

pytestmark = pytest.mark.integration
BEFORE = datetime(2026, 1, 1, tzinfo=UTC)


def counts(pool, reach=None):
    with transaction(pool, reach=reach) as connection:
        rows = connection.execute(
            """
            SELECT relname
              FROM pg_inherits
              JOIN pg_class ON pg_class.oid = inhrelid
             WHERE inhparent IN ('score'::regclass, 'tally'::regclass)
             ORDER BY 1
            """
        ).fetchall()
        return {name: len(connection.execute(f"SELECT FROM {name}").fetchall()) for (name,) in rows}


def take_out_year(pool):
    """As where nobody made the year ahead."""
    with transaction(pool) as connection:
        connection.execute("CREATE TEMP TABLE kept ON COMMIT DROP AS SELECT * FROM score")
        connection.execute("ALTER TABLE kept DROP rising, DROP falling")
        connection.execute("SELECT drop_score_years('2026-01-01')")
        connection.execute("INSERT INTO score SELECT * FROM kept")


@pytest.fixture
def scored(pool):
    take(pool, random_county(1))
    score_all(pool)
    return pool


def test_years_are_made_ahead_once(pool):
    made = [make_years_ahead(pool, today=date(2031, 12, 31)) for _ in range(2)]

    assert made == [8, 0]
    assert {"score_2030", "score_2033", "tally_2033", "score_other", "tally_other"} <= counts(pool).keys()


def test_what_came_before_its_year_was_made_goes_along(scored):
    before = figures(scored)
    take_out_year(scored)
    early = counts(scored)

    made = make_years_ahead(scored, today=date(2026, 1, 1))

    assert made == 1
    assert early["score_other"] == counts(scored)["score_2025"] > 0
    assert counts(scored)["score_other"] == 0
    assert figures(scored) == before


def test_nobody_but_a_process_reads_a_part_at_its_own_name(scored):
    assert counts(scored)["score_2025"] > 0
    assert set(counts(scored, Reach(kind="everywhere")).values()) == {0}


def test_a_year_that_is_over_goes_whole(scored):
    kept = counts(scored)

    with transaction(scored) as connection:
        step = delete_scores(connection, BEFORE, 10, 0)

    assert step.removed == kept["score_2025"]
    assert "score_2025" not in counts(scored)


def test_what_is_held_stays_where_its_year_is_over(scored):
    with transaction(scored) as connection:
        [(held,)] = connection.execute("SELECT score_id FROM score LIMIT 1").fetchall()
        connection.execute(
            "INSERT INTO legal_hold (object_type, object_id, reason, set_by) VALUES ('score', %s, 'court', 'somebody')",
            [str(held)],
        )

    with transaction(scored) as connection:
        delete_scores(connection, BEFORE, 1_000_000, 0)
        left = connection.execute("SELECT score_id FROM score").fetchall()

    assert left == [(held,)]


def test_cells_that_stood_lie_by_their_organisations(stock):
    with stock.older("assessment", before="0103") as database:
        with psycopg.connect(database.owner_url, options="-c lianxin.reach=system") as connection:
            columns = sql.SQL(", ").join(map(sql.Identifier, COLUMNS))
            connection.execute(
                sql.SQL(
                    """
                    INSERT INTO tally (organisation_id, cadre_id, month, {columns})
                    SELECT md5('o' || who % 7)::uuid, md5('c' || who)::uuid, month::date, {numbers}
                      FROM generate_series(1, 30) AS who
                     CROSS JOIN generate_series('2025-01-01'::timestamp, '2025-06-01', interval '1 month') AS month
                    """
                ).format(columns=columns, numbers=sql.SQL(", ").join(map(sql.Literal, range(len(COLUMNS)))))
            )
            cell = sql.SQL("organisation_id, cadre_id, month, {}").format(columns)
            before = connection.execute(sql.SQL("SELECT {} FROM tally ORDER BY 1, 2, 3").format(cell)).fetchall()

        migrate(database.owner_url, HOME / "migrations")

        with psycopg.connect(database.owner_url, options="-c lianxin.reach=system") as connection:
            as_they_lie = connection.execute(sql.SQL("SELECT {} FROM tally ORDER BY ctid").format(cell)).fetchall()
    assert as_they_lie == before
    assert len(before) == 180


def test_what_stood_before_there_were_parts_stands_in_them(stock):
    with stock.older("assessment", before="0097") as database:
        with psycopg.connect(database.owner_url, options="-c lianxin.reach=system") as connection:
            connection.execute(
                """
                INSERT INTO scheme (name, version, definition, content_hash)
                VALUES ('basic', 1, '{}', decode(repeat('00', 32), 'hex'))
                """
            )
            connection.execute(
                """
                INSERT INTO score (score_id, subject_kind, subject_id, period_kind, period_start, scheme_name,
                                   scheme_version, present_weight, counts, as_of, computed_at, revision, correlation_id)
                SELECT gen_random_uuid(), 'cadre', gen_random_uuid(), 'year', make_date(year, 1, 1), 'basic', 1, 0,
                       '{}', now(), now(), 1, 'x'
                  FROM unnest(ARRAY[1950, 2023, 2025]) AS year
                """
            )

        migrate(database.owner_url, HOME / "migrations")

        with psycopg.connect(database.owner_url, options="-c lianxin.reach=system") as connection:
            found = connection.execute("SELECT tableoid::regclass::text FROM score ORDER BY period_start").fetchall()
    assert found == [("score_other",), ("score_2023",), ("score_2025",)]


@pytest.mark.parametrize("list_page", [list_scores_ascending, list_scores_descending])
def test_a_page_far_down_is_looked_up_in_the_index_for_people_too(scored, list_page, monkeypatch):
    """Where an operator can leak, row security has it asked of every row before."""
    wanted = ScoreFilter(subject_kind="cadre", period=parse_period("2025"), composite_from=Decimal(40))
    after = After(composite=Decimal(50), subject_code="S")

    with transaction(scored, reach=Reach(kind="everywhere")) as connection:
        connection.execute(
            "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off"
        )
        monkeypatch.setattr(connection, "cursor_factory", Explaining)
        list_page(connection, wanted, after=after, limit=10)

    [condition] = [line for line in Explaining.plan if "Index Cond" in line and "ROW(" in line]
    assert "subject_kind = 'cadre'" in condition


def test_the_scores_of_a_subject_in_a_year_are_written_side_by_side(pool):
    """But for rows that find room at the end of a page on which the one before them had none."""
    take(pool, random_county(1))
    score_all(pool)

    with transaction(pool) as connection:
        rows = connection.execute(
            """
            SELECT (tableoid, subject_kind, subject_id), (tableoid, (ctid::text::point)[0])
              FROM score WHERE revision = 1 ORDER BY tableoid, ctid
            """
        ).fetchall()

    runs = [subject for subject, _ in groupby(subject for subject, _ in rows)]
    pages = {page for _, page in rows}
    assert len(set(runs)) <= len(runs) <= len(set(runs)) + len(pages)
    assert len(rows) > 5 * len(runs)
