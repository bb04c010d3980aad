"""The audit chain in a real PostgreSQL: what is appended, by whom, and that nobody can change it afterwards."""

import asyncio
import hashlib
import random
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import psycopg
import pytest

from shared import reach
from shared.audit.canonical import canonical
from shared.audit.chain import Line, note, record
from shared.audit.trail import AuditAway, Trail
from shared.database import DatabaseAway, open_pool, transaction
from shared.identifiers import new_id
from shared.observability import correlated

GENESIS = bytes(32)
COLUMNS = (
    "seq, prev_hash, hash, at, account_id, actor, role, organisation, action, object_type, object_id, decision, "
    "reason, correlation_id, details"
)
OFFICER = reach.Reach(
    kind="scoped", organisation_codes=("3301", "3302"), account_id=new_id(), actor="li.wei", role="department_officer"
)


def read(pool, *, acting=reach.SYSTEM):
    with transaction(pool, reach=acting) as connection:
        rows = connection.execute(f"SELECT {COLUMNS} FROM audit_record ORDER BY seq").fetchall()  # noqa: S608 - fixed
    return [dict(zip(COLUMNS.split(", "), row, strict=True)) for row in rows]


def hash_of(row):
    document = {key: value for key, value in row.items() if key not in {"prev_hash", "hash"}}
    document["at"] = row["at"].strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    document["account_id"] = str(row["account_id"]) if row["account_id"] else None
    return hashlib.sha256(row["prev_hash"] + canonical(document)).digest()


def assert_unbroken(rows, *, previous=GENESIS):
    for place, row in enumerate(rows, 1):
        assert row["seq"] == place
        assert row["prev_hash"] == previous
        assert row["hash"] == hash_of(row)
        previous = row["hash"]


@pytest.mark.parametrize("service", ["identity", "intake", "assessment", "notify"])
def test_every_record_is_chained_to_the_one_before_it(new_pool, service):
    pool = new_pool(service)
    with transaction(pool, reach=reach.SYSTEM) as connection:
        note(connection, Line(action="duty.put", object_type="duty", object_id=UUID(int=7)), Line(action="b"))
    record(pool, Line(action="score.read", decision="denied", reason="not-found", details={"b": [1, None], "a": "中"}))

    rows = read(pool)

    assert [row["action"] for row in rows] == ["duty.put", "b", "score.read"]
    assert rows[2]["details"] == {"a": "中", "b": [1, None]}
    assert_unbroken(rows)


def test_the_line_says_who_acted_under_which_role_and_in_which_request(new_pool):
    pool = new_pool("intake")

    with reach.acting(OFFICER), correlated("correlation-4711"), transaction(pool) as connection:
        note(connection, Line(action="issue.read", object_type="issue", object_id="17"))

    (row,) = read(pool)
    assert (row["account_id"], row["actor"], row["role"]) == (OFFICER.account_id, "li.wei", "department_officer")
    assert (row["organisation"], row["correlation_id"]) == ("3301,3302", "correlation-4711")


def test_a_change_that_is_rolled_back_leaves_no_line(new_pool):
    pool = new_pool("intake")

    def fail_after_noting():
        with transaction(pool, reach=reach.SYSTEM) as connection:
            note(connection, Line(action="duty.put"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_noting()

    assert read(pool) == []
    record(pool, Line(action="duty.put"))
    assert_unbroken(read(pool))


def test_the_database_and_python_write_the_same_canonical_bytes(new_pool):
    pool, draw = new_pool("intake"), random.Random(4)  # noqa: S311 - the same every time
    alphabet = [
        '"',
        "\\",
        "\n",
        "\t",
        "\b",
        "\f",
        "\r",
        "\x01",
        "\x1f",
        "\x7f",
        "/",
        "<",
        "é",
        "连",
        "𠮷",
        "\u2028",
        "a",
        " ",
    ]

    def document(depth):
        kind = draw.randrange(7 if depth else 5)
        if kind == 5:
            return [document(depth - 1) for _ in range(draw.randrange(4))]
        if kind == 6:
            keys = ["".join(draw.choices("abAB_z09. {}", k=draw.randrange(1, 5))) for _ in range(draw.randrange(5))]
            return {key: document(depth - 1) for key in keys}
        return [None, True, False, draw.randrange(-(2**53) + 1, 2**53), "".join(draw.choices(alphabet, k=6))][kind]

    documents = [document(4) for _ in range(500)]

    with transaction(pool, reach=reach.SYSTEM) as connection:
        for wanted in map(canonical, documents):
            written = connection.execute("SELECT canonical_json(%s::jsonb)", [wanted.decode()]).fetchone()
            assert written == (wanted.decode(),)


def test_what_an_attacker_types_stays_one_line_of_one_record(new_pool):
    pool = new_pool("intake")
    hostile = 'x"}\r\n{"seq":99,"actor":"root"}\u2028\u202e\x00\ud800\x1b[2J'

    with reach.acting(reach.Reach(kind="scoped", actor=hostile, role="clerk")):
        record(pool, Line(action="contact.read", object_id=hostile * 50, reason=hostile * 500, details={"q": hostile}))

    (row,) = read(pool)
    assert_unbroken([row])
    for text in (row["actor"], row["object_id"], row["reason"], row["details"]["q"]):
        assert len(text.splitlines()) == 1
        assert not any(character in text for character in "\r\n\0\u2028\u202e\x1b")


def test_many_writers_make_one_chain(new_pool):
    pool = new_pool("intake")

    def write(number):
        for line in range(10):
            record(pool, Line(action=f"w{number}", object_id=str(line)), Line(action=f"w{number}", object_id="more"))

    with ThreadPoolExecutor(8) as executor:
        list(executor.map(write, range(8)))

    rows = read(pool)
    assert len(rows) == 160
    assert_unbroken(rows)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO audit_record SELECT * FROM audit_record",
        "UPDATE audit_record SET actor = 'nobody'",
        "DELETE FROM audit_record",
        "TRUNCATE audit_record",
        "UPDATE audit_head SET last_seq = 0",
        "SELECT last_seq FROM audit_head",
        "UPDATE audit_checkpoint SET document = 'x'",
        "DELETE FROM audit_checkpoint",
        "ALTER TABLE audit_record DISABLE TRIGGER ALL",
        "DROP TABLE audit_record",
    ],
)
def test_the_running_service_can_append_and_read_and_nothing_else(new_pool, statement):
    pool = new_pool("intake")
    record(pool, Line(action="x"))

    with pytest.raises(psycopg.errors.InsufficientPrivilege), transaction(pool, reach=reach.SYSTEM) as connection:
        connection.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_record SET actor = 'nobody'",
        "DELETE FROM audit_record",
        "TRUNCATE audit_record",
        "UPDATE audit_head SET last_seq = 0, last_hash = decode(repeat('00', 32), 'hex')",
        "DELETE FROM audit_head",
        "TRUNCATE audit_head, audit_checkpoint",
    ],
)
def test_not_even_the_owner_changes_what_was_recorded(new_database, statement):
    database = new_database("intake")
    pool = open_pool(database.url, size=2, application="test")
    record(pool, Line(action="x"))

    with psycopg.connect(database.owner_url, options="-c lianxin.reach=system") as owner:
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="never changed"):
            owner.execute(statement)
        owner.rollback()

    assert len(read(pool)) == 1
    pool.close()


def test_no_record_leaves_within_half_a_year(new_pool):
    pool = new_pool("intake")
    record(pool, Line(action="x"))

    with pytest.raises(psycopg.errors.RaiseException, match="183 days"), transaction(pool) as connection:
        connection.execute("SELECT release_audit(now() - interval '182 days', 10)")


def test_a_scoped_actor_sees_the_own_records_only_and_nobody_sees_none(new_database):
    pool = open_pool(new_database("intake").url, size=2, application="test")
    with reach.acting(OFFICER):
        record(pool, Line(action="own"))
    record(pool, Line(action="other"))

    assert [row["action"] for row in read(pool, acting=OFFICER)] == ["own"]
    assert read(pool, acting=reach.Reach(kind="scoped", actor="a")) == []
    assert len(read(pool, acting=reach.Reach(kind="everywhere", actor="b"))) == 2
    assert read(pool, acting=None) == []
    pool.close()


def test_reads_that_run_together_share_their_commits(new_pool):
    pool = new_pool("intake")

    async def ask():
        trail = Trail(pool)
        await asyncio.gather(*(trail.submit(Line(action="score.read", object_id=str(n))) for n in range(600)))

    asyncio.run(ask())

    rows = read(pool)
    assert {row["object_id"] for row in rows} == {str(n) for n in range(600)}
    assert_unbroken(rows)
    with transaction(pool, reach=reach.SYSTEM) as connection:
        few = connection.execute("SELECT count(DISTINCT xmin::text) < 20 FROM audit_record").fetchone()
    assert few == (True,)


def put_organisation(pool):
    with transaction(pool, reach=reach.SYSTEM) as connection:
        connection.execute(
            "INSERT INTO organisation (id, code, name, level, sequence, recorded_at)"
            " VALUES (gen_random_uuid(), '33', 'x', 'city', 1, now())"
        )
        note(connection, Line(action="organisation.put"))


def test_what_cannot_be_recorded_is_not_answered(new_database):
    database = new_database("intake")
    pool = open_pool(database.url, size=2, application="test")
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute(
            """
            CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'no space left on device' USING ERRCODE = 'disk_full'; END $$;
            CREATE TRIGGER full_disk BEFORE INSERT ON audit_record FOR EACH ROW EXECUTE FUNCTION full_disk();
            """
        )

        with pytest.raises(DatabaseAway):
            put_organisation(pool)
        with pytest.raises(AuditAway):
            asyncio.run(Trail(pool).submit(Line(action="score.read")))
        with transaction(pool, reach=reach.SYSTEM) as connection:
            assert connection.execute("SELECT count(*) FROM organisation").fetchone() == (0,)

        owner.execute("DROP TRIGGER full_disk ON audit_record")

    record(pool, Line(action="after"))
    assert_unbroken(read(pool))
    pool.close()


def test_a_trail_that_falls_behind_refuses_instead_of_forgetting(new_pool):
    pool = new_pool("intake")

    async def ask():
        trail = Trail(pool, longest_queue=5)
        lines = [Line(action="score.read", object_id=str(n)) for n in range(50)]
        return await asyncio.gather(*(trail.submit(line) for line in lines), return_exceptions=True)

    results = asyncio.run(ask())

    refused = sum(isinstance(result, AuditAway) for result in results)
    assert refused > 0
    assert len(read(pool)) == 50 - refused


def test_a_line_that_cannot_be_kept_is_a_bug_of_the_caller(new_pool):
    pool = new_pool("intake")

    for details in ({"a": 1.5}, {"a": object()}, {"Key With Blanks": 1}, {"a": 2**60}, {"a": ["x" * 2000] * 20}):
        with pytest.raises(ValueError, match=r"details|canonical|large"):
            record(pool, Line(action="x", details=details))

    assert read(pool) == []
