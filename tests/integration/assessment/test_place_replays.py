"""What schemes of places made of a closed period, scored again: same hash, whatever was altered, and the package."""

import hashlib

import orjson
import psycopg
import pytest

from services.assessment.__main__ import HOME, replay
from services.assessment.api.app import create_api
from services.assessment.domain.periods import parse_period
from services.assessment.domain.scores import NotPublished
from services.assessment.handlers.place_replays import replay_places
from services.assessment.handlers.place_scores import score_places
from services.assessment.handlers.replays import TooManyToReplay
from services.assessment.handlers.schemes import load_schemes
from services.assessment.storage.place_scores import find_place_pass
from shared.database import open_pool, transaction
from tests.asking import client_at
from tests.fakes import KnownPrincipals, person
from tests.integration.assessment.conftest import NOW
from tests.integration.assessment.readers import SETTINGS
from tests.integration.assessment.test_place_scores import adopt, close
from tests.integration.assessment.test_replays import LONG_AFTER
from tools import verify_place

pytestmark = pytest.mark.integration

OCTOBER = parse_period("2025-10")


def score_october(pool):
    adopt(pool, "county", 'place = "C1"\nfrom = 2025-01-01')
    adopt(pool, "town", 'place = "T2"\nfrom = 2025-01-01', full=50)
    adopt(pool, "units", 'subjects = "organisation"\nfrom = 2025-01-01')
    close(pool)
    score_places(pool, now=NOW)


def hash_of(pool):
    with transaction(pool) as connection:
        done = find_place_pass(connection, OCTOBER)
    assert done is not None
    assert done.content_hash is not None
    return done.content_hash.hex()


def ask(pool, who, path):
    people = KnownPrincipals(
        {
            "auditor": person("auditor", name="auditor"),
            "officer": person("department_officer", name="officer"),
        }
    )
    client = client_at(create_api(SETTINGS, pool, authenticator=people))
    return client.get(f"/v1/place-periods/{path}", headers={"Authorization": f"Bearer {who}"})


def owned_pool(database):
    pool = open_pool(database.url, size=2, application="replayed", statement_timeout_seconds=30, system=True)
    files = (HOME / "schemes").glob("*.toml")
    load_schemes(pool, files, indicators_file=HOME / "indicators.toml", now=LONG_AFTER)
    return pool


def alter(database, statement, *values):
    """Only the owner of the tables can, against their own policies."""
    with psycopg.connect(database.owner_url) as owner:
        owner.execute("ALTER TABLE place_score NO FORCE ROW LEVEL SECURITY")
        owner.execute("ALTER TABLE place_pass NO FORCE ROW LEVEL SECURITY")
        owner.execute(statement, values)


def test_a_period_is_scored_again_to_the_hash_that_the_audit_has(pool):
    score_october(pool)

    found = replay_places(pool, OCTOBER)

    assert (found.is_same, found.scores, found.reworded, found.differing) == (True, 6, 0, ())
    assert found.expected == found.found == hash_of(pool)
    with transaction(pool) as connection:
        noted = connection.execute(
            "SELECT details->>'content_hash' FROM audit_record WHERE action = 'period.scored'"
        ).fetchall()
    assert noted == [(found.expected,)]


def test_two_databases_come_to_one_hash_and_other_rules_to_another(new_assessment):
    first, second, other = new_assessment(), new_assessment(), new_assessment()
    score_october(first)
    score_october(second)
    adopt(other, "county", 'place = "C1"\nfrom = 2025-01-01')
    close(other)
    score_places(other, now=NOW)

    assert hash_of(first) == hash_of(second) != hash_of(other)


@pytest.mark.parametrize(
    "statement",
    [
        """
        UPDATE place_score
           SET document = replace(document, '"total":"0.00"', '"total":"1.00"')
         WHERE subject_code = 'S2'
        """,
        "UPDATE place_score SET content_hash = decode(repeat('00', 32), 'hex') WHERE subject_code = 'S2'",
    ],
    ids=["total", "hash"],
)
def test_a_score_that_was_altered_is_named(new_database, statement):
    database = new_database("assessment")
    pool = owned_pool(database)
    score_october(pool)
    alter(database, statement)

    found = replay_places(pool, OCTOBER)
    pool.close()

    assert not found.is_same
    assert [kind for kind, _ in found.differing] == ["cadre"]


def test_a_score_that_is_gone_leaves_another_hash(new_database):
    database = new_database("assessment")
    pool = owned_pool(database)
    score_october(pool)
    alter(database, "DELETE FROM place_score WHERE subject_code = 'S2'")

    found = replay_places(pool, OCTOBER)
    pool.close()

    assert not found.is_same
    assert found.differing != () or found.expected != found.found


def test_other_words_for_the_same_figures_are_told_apart(new_database):
    """A later release may explain in better words; what was told then stands under its hash."""
    database = new_database("assessment")
    pool = owned_pool(database)
    score_october(pool)
    with transaction(pool) as connection:
        ((told,),) = connection.execute("SELECT document FROM place_score WHERE subject_code = 'S2'").fetchall()
    document = orjson.loads(str(told))
    document["explanation"]["zh"][-1] = "排第 2 名"
    text = orjson.dumps(document, option=orjson.OPT_SORT_KEYS).decode()
    alter(
        database,
        "UPDATE place_score SET document = %s, content_hash = %s WHERE subject_code = 'S2'",
        text,
        hashlib.sha256(text.encode()).digest(),
    )
    alter(database, "UPDATE place_pass SET content_hash = NULL")

    found = replay_places(pool, OCTOBER)
    pool.close()

    assert (found.is_same, found.reworded, found.differing, found.expected) == (True, 1, (), None)


def test_the_door_and_the_command_score_again_for_an_auditor(pool, capsys):
    score_october(pool)
    found = ask(pool, "auditor", "2025-10/replay")

    assert found.json()["is_same"] is True
    assert (found.json()["found"], found.json()["scores"]) == (hash_of(pool), 6)
    assert ask(pool, "officer", "2025-10/replay").status_code == 403
    assert ask(pool, "officer", "2025-10/package").status_code == 403
    assert ask(pool, "auditor", "2031-10/replay").status_code == 404
    assert ask(pool, "auditor", "2031-10/package").status_code == 404
    assert replay(SETTINGS, pool, ["2025-10"]) == 0
    assert f"same places 2025-10 {hash_of(pool)} 6 scores" in capsys.readouterr().out
    with pytest.raises(TooManyToReplay):
        replay_places(pool, OCTOBER, most=5)
    with pytest.raises(NotPublished):
        replay_places(pool, parse_period("2031-10"))


def test_the_package_has_all_that_the_hash_is_made_of(pool):
    score_october(pool)

    answer = ask(pool, "auditor", "2025-10/package")
    head, *scores = [orjson.loads(line) for line in answer.content.splitlines()]

    assert answer.headers["content-type"] == "application/x-ndjson"
    assert (head["score_count"], head["failed"], head["content_hash"]) == (6, [], hash_of(pool))
    assert [scheme["name"] for scheme in head["schemes"]] == ["county", "town", "units"]
    for scheme in head["schemes"]:
        assert scheme["document"].startswith("\nformat = 1")
    named = [{name: one[name] for name in ("content_hash", "name", "version")} for one in head["schemes"]]
    total = hashlib.sha256(canonical({"period": "2025-10", "schemes": named}) + b"\n")
    for one in scores:
        assert hashlib.sha256(canonical(one["publication"])).hexdigest() == one["publication_hash"]
        assert hashlib.sha256(canonical(one["document"])).hexdigest() == one["content_hash"]
        line = (one["subject_kind"], one["subject_id"], one["publication_hash"], one["content_hash"])
        total.update((" ".join(line) + "\n").encode())
    assert total.hexdigest() == head["content_hash"]
    assert sorted(scores, key=lambda one: (one["subject_kind"], one["subject_id"])) == scores


def test_the_package_is_sound_to_the_program_that_knows_nothing_of_the_suite(pool, tmp_path, capsys):
    score_october(pool)
    file = tmp_path / "2025-10.jsonl"
    package = ask(pool, "auditor", "2025-10/package").content
    file.write_bytes(package)

    assert verify_place.main([str(file), "--hash", hash_of(pool), "--subject", "C1"]) == verify_place.SOUND
    assert "SOUND 6 scores of 2025-10 by 3 schemes" in capsys.readouterr().out
    file.write_bytes(package.replace(b'"total":"0.00"', b'"total":"9.00"'))
    assert verify_place.main([str(file)]) == verify_place.BAD


def canonical(document):
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
