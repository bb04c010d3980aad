"""Who answers for an issue: the newest ledger, its slices, and the lead of whatever has none."""

from pathlib import Path

import pytest

from shared.database import transaction
from tests.integration.assessment.conftest import score_all, take
from tests.integration.assessment.story import START, Story
from tests.integration.assessment.test_scores import at

pytestmark = pytest.mark.integration
MIGRATION = Path(__file__).parents[3] / "services" / "assessment" / "migrations" / "0057_create_issue_share.sql"
WHOLE = 1_000_000


@pytest.fixture
def county():
    story = Story()
    story.root = story.organisation("C")
    story.town = story.organisation("T", story.root)
    story.cadre_id = story.cadre("S001")
    return story


def ask(pool, query, *parameters):
    with transaction(pool) as connection:
        return connection.execute(query, parameters).fetchall()


def test_an_issue_without_a_ledger_is_all_its_leads_and_one_that_nobody_leads_nobodys(pool, county):
    issue_id = county.issue(county.town, county.cadre_id, at(3, 1))
    county.close(issue_id, at(3, 5))
    county.issue(None, None, at(3, 1))
    take(pool, county.take())

    found = ask(
        pool, "SELECT issue_id, organisation_id, cadre_id, role, until_at, millionths FROM issue_responsibility"
    )
    assert found == [(issue_id, county.town, county.cadre_id, "lead", at(3, 5), WHOLE)]


def test_of_several_ledgers_the_newest_stands_whole(pool, county):
    other = county.cadre("S002")
    issue_id = county.issue(county.town, county.cadre_id, at(3, 1))
    first, second, unshared = (county.take(), county.share, county.issue(county.town, None, at(3, 2)))
    second(issue_id, [(county.town, county.cadre_id, 300_000), (county.root, None, 700_000)])
    earlier = county.take()
    second(issue_id, [(county.town, county.cadre_id, WHOLE - 1), (county.town, other, 1)], is_final=True)
    for batch in (county.take(), earlier, first):
        take(pool, batch)

    shares = "SELECT organisation_id, cadre_id, from_at, millionths FROM issue_share ORDER BY place"
    assert [row[:2] + row[3:] for row in ask(pool, shares)] == [
        (county.town, county.cadre_id, WHOLE - 1),
        (county.town, other, 1),
    ]
    assert ask(pool, shares)[0][2] == START
    assert ask(pool, "SELECT is_final, sequence FROM issue_ledger") == [(True, 2)]
    sums = ask(pool, "SELECT issue_id, sum(millionths) FROM issue_responsibility GROUP BY issue_id ORDER BY issue_id")
    assert sums == [(issue_id, WHOLE), (unshared, WHOLE)]


def test_everybody_who_shares_or_shared_an_issue_is_due_to_be_counted(pool, county):
    issue_id = county.issue(county.town, county.cadre_id, at(3, 1))
    take(pool, county.take())
    due = "SELECT DISTINCT organisation_id FROM tally_due"
    score_all(pool)
    assert ask(pool, due) == []

    county.share(issue_id, [(county.root, None, WHOLE)])
    take(pool, county.take())
    assert {unit for (unit,) in ask(pool, due)} == {county.town, county.root}

    score_all(pool)
    county.share(issue_id, [(county.town, None, WHOLE)])
    take(pool, county.take())
    assert {unit for (unit,) in ask(pool, due)} == {county.town, county.root}


def test_what_an_older_release_logged_becomes_the_shares_that_stand(pool, county):
    """The statements that fill the tables from the log, run against a log whose shares are known."""
    issues = [county.issue(county.town, None, at(3, 1)) for _ in range(3)]
    for issue_id in issues[:2]:
        county.share(issue_id, [(county.root, None, WHOLE)], tells_slices=False)
        parts = [(county.town, county.cadre_id, 400_000), (county.root, None, 600_000)]
        county.share(issue_id, parts, tells_slices=False)
    take(pool, county.take())
    tables = ("SELECT * FROM issue_ledger ORDER BY issue_id", "SELECT * FROM issue_share ORDER BY issue_id, place")
    taken = [ask(pool, table) for table in tables]
    assert [len(rows) for rows in taken] == [2, 4]

    text = MIGRATION.read_text("utf-8")
    filling = text[text.index("INSERT INTO issue_ledger") : text.index("-- That an issue")]
    with transaction(pool) as connection:
        connection.execute("DELETE FROM issue_share")
        connection.execute("DELETE FROM issue_ledger")
        connection.execute(filling)

    assert [ask(pool, table) for table in tables] == taken
