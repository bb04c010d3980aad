"""Checkpoints, exported files and the verifier: every way of tampering is found, and the first bad record named."""

import hashlib
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.notify.settings import NotifySettings
from shared import chores
from shared.audit.canonical import canonical
from shared.audit.chain import Line, record
from shared.audit.checkpoints import make_checkpoints
from shared.audit.exporting import ExportRefused, export
from shared.audit.keeping import AuditKeeper
from shared.audit.merkle import root_of
from shared.audit.records import ChainBroken
from shared.crypto import KeyRing
from shared.database import open_pool
from shared.keyfiles import KeyName, create_key
from tools import verify_audit

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
VERIFIER = Path(verify_audit.__file__)


class Chain:
    """A service's chain of seven records under two checkpoints, its files, and the public keys of an auditor."""

    def __init__(self, database, admin_url, folder):
        self.superuser_url = psycopg.conninfo.make_conninfo(admin_url, dbname=database.name)
        self.pool = open_pool(database.url, size=4, application="test", system=True)
        self.files, self.keys = folder / "export", folder / "keys.json"
        (folder / "keys").mkdir()
        create_key(folder / "keys", KeyName(purpose="audit", kid=1, kind="ed25519"))
        self.ring = KeyRing(folder / "keys")
        self.keys.write_text(json.dumps({kid: key.hex() for kid, key in self.ring.public_keys("audit").items()}))
        for count in (4, 3):
            for number in range(count):
                record(self.pool, Line(action="score.read", object_type="score", object_id=f"{count}-{number}"))
            self.checkpoint()

    def checkpoint(self, now=NOW):
        make_checkpoints(self.pool, self.ring, chain="intake", now=now)
        return export(self.pool, self.files, now=now)

    def verify(self, *more):
        command = [sys.executable, VERIFIER, self.files, "--keys", self.keys, *more]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        assert not result.stderr
        return result.returncode, result.stdout

    def verify_dump(self, folder):
        paths = []
        with psycopg.connect(self.superuser_url) as connection:
            for table, order in (("audit_record", "seq"), ("audit_checkpoint", "number")):
                query = f"SELECT row_to_json(r)::text FROM {table} r ORDER BY {order}"  # noqa: S608 - fixed words
                paths.append(folder / f"{table}.jsonl")
                paths[-1].write_text("".join(f"{row[0]}\n" for row in connection.execute(query)), "utf-8")
        command = ["--records", paths[0], "--checkpoints", paths[1], "--keys", self.keys]
        result = subprocess.run([sys.executable, VERIFIER, *command], capture_output=True, text=True, check=False)
        assert not result.stderr
        return result.returncode, result.stdout

    def as_superuser(self, statement, *parameters):
        with psycopg.connect(self.superuser_url) as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute(statement, parameters)

    def records_file(self, place):
        return sorted(self.files.glob("records-*"))[place]

    def rewrite(self, place, change):
        file = self.records_file(place)
        lines = file.read_text("utf-8").splitlines()
        file.write_text("".join(f"{line}\n" for line in change(lines)), "utf-8")


@pytest.fixture
def chain(new_database, postgres_admin_url, tmp_path):
    made = Chain(new_database("intake"), postgres_admin_url, tmp_path)
    yield made
    made.pool.close()


def test_an_untouched_chain_is_sound_as_files_and_as_a_dump(chain, tmp_path):
    code, said = chain.verify()
    assert code == 0, said
    assert said.startswith("SOUND 7 records from 1 to 7")

    record(chain.pool, Line(action="later"))

    code, said = chain.verify_dump(tmp_path)

    assert code == 0, said
    assert "SOUND 8 records" in said
    assert "1 records not under a checkpoint yet" in said


def altered(line, **changes):
    return canonical({**json.loads(line), **changes}).decode()


def with_second(lines, changed):
    return [lines[0], changed, *lines[2:]]


TAMPERINGS = {
    "actor": (lambda lines: with_second(lines, altered(lines[1], actor="x")), "record 2: a field was altered"),
    "details": (lambda lines: with_second(lines, altered(lines[1], details={"a": 1})), "record 2: a field was altered"),
    "removed": (lambda lines: [lines[0], *lines[2:]], "record 2: is missing"),
    "last removed": (lambda lines: lines[:-1], "record 4: is missing"),
    "swapped": (lambda lines: [lines[0], lines[2], lines[1], lines[3]], "record 2: record 3 stands in its place"),
    "repeated": (lambda lines: [*lines, lines[1]], "record 2: stands here twice"),
    "keys reordered": (
        lambda lines: with_second(lines, reordered(lines[1])),
        "record 2: is not written in its canonic",
    ),
    "blanks": (lambda lines: with_second(lines, lines[1].replace('"seq":2', '"seq": 2')), "record 2: is not written"),
    "fields removed": (lambda lines: with_second(lines, '{"seq":2}'), "line 2: is no audit record"),
    "line cut": (lambda lines: with_second(lines, lines[1][:-20]), "line 2: is no audit record"),
    "key twice": (lambda lines: with_second(lines, lines[1].replace("{", '{"actor":"x",', 1)), "line 2: is no audit"),
}


def reordered(line):
    return json.dumps(dict(reversed(json.loads(line).items())), separators=(",", ":"))


@pytest.mark.parametrize("way", TAMPERINGS)
def test_tampering_with_the_files_is_found(chain, way):
    change, expected = TAMPERINGS[way]
    chain.rewrite(0, change)

    code, said = chain.verify()

    assert code == 1
    assert said.startswith(f"BAD {expected}"), said


def test_a_cut_end_is_found_by_the_checkpoints(chain):
    chain.rewrite(1, lambda lines: lines[:-1])

    assert "record 7: the end is cut off" in chain.verify()[1]

    chain.records_file(1).unlink()

    assert "record 5: the end is cut off" in chain.verify()[1]


def test_an_end_that_is_cut_off_with_its_checkpoint_is_found_by_who_remembers_the_number(chain):
    chain.records_file(1).unlink()
    sorted(chain.files.glob("checkpoint-*"))[1].unlink()

    assert chain.verify()[0] == 0
    assert "BAD checkpoint 2: is missing" in chain.verify("--at-least-checkpoint", "2")[1]


def rechained(lines, previous):
    """What a forger does who knows the format: every hash is made anew."""
    for line in lines:
        document = json.loads(line)
        covered = {key: value for key, value in document.items() if key not in {"hash", "prev_hash"}}
        own = hashlib.sha256(previous + canonical(covered)).digest()
        yield canonical({**covered, "hash": own.hex(), "prev_hash": previous.hex()}).decode()
        previous = own


def test_a_chain_that_was_computed_anew_does_not_fit_what_was_signed(chain):
    chain.rewrite(0, lambda lines: rechained([altered(lines[0], actor="nobody"), *lines[1:]], bytes(32)))

    assert "record 4: is not the one that checkpoint 1 signed" in chain.verify()[1]


@pytest.mark.parametrize(("field", "value"), [("head", "00" * 32), ("root", "00" * 32), ("last_seq", 5)])
def test_a_forged_checkpoint_is_found(chain, field, value):
    file = min(chain.files.glob("checkpoint-*"))
    content = json.loads(file.read_text())
    document = {**json.loads(content["document"]), field: value}
    text = canonical(document)
    forged = Ed25519PrivateKey.generate().sign(text)
    file.write_bytes(canonical({"document": text.decode(), "key_id": 1, "signature": forged.hex()}) + b"\n")

    code, said = chain.verify()

    assert (code, said) == (1, "BAD checkpoint 1: is forged: its signature is not of key 1\n")
    assert chain.verify("--without-signatures")[0] == 1


def test_a_removed_or_foreign_checkpoint_is_found(chain):
    first, second = sorted(chain.files.glob("checkpoint-*"))
    kept = first.read_bytes()
    first.unlink()
    assert "checkpoint 1: is missing" in chain.verify()[1]
    first.write_bytes(kept)
    second.write_text("{}\n")
    assert "a checkpoint cannot be read" in chain.verify()[1]


def test_what_is_needed_for_an_answer_and_not_there_is_said_and_is_no_success(chain, tmp_path):
    files, (first, second) = chain.files, sorted(chain.files.glob("checkpoint-*"))
    no_cryptography = tmp_path / "empty" / "cryptography"
    no_cryptography.mkdir(parents=True)
    (no_cryptography / "__init__.py").write_text("raise ImportError")
    command = [sys.executable, VERIFIER, files]

    def run(*more):
        environment = {"PYTHONPATH": str(no_cryptography.parent)}
        result = subprocess.run([*command, *more], capture_output=True, text=True, check=False, env=environment)
        return result.returncode, result.stdout

    assert run("--keys", chain.keys) == (
        2,
        "NOT CHECKED signatures were not checked: the package cryptography is not there\n",
    )
    assert run()[0] == 2
    assert run("--without-signatures")[0] == 0
    first.unlink()
    second.unlink()
    assert run("--without-signatures")[0] == 2
    assert run("--without-signatures", "--without-checkpoints")[0] == 0


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("UPDATE audit_record SET actor = 'nobody' WHERE seq = 3", "record 3: a field was altered"),
        ("UPDATE audit_record SET at = at + interval '1 microsecond' WHERE seq = 3", "record 3: a field was altered"),
        ("UPDATE audit_record SET details = '{\"a\": 1}' WHERE seq = 6", "record 6: a field was altered"),
        ("DELETE FROM audit_record WHERE seq = 3", "record 3: is missing"),
        ("DELETE FROM audit_record WHERE seq = 7", "record 7: the end is cut off"),
        ("DELETE FROM audit_record WHERE seq <= 2", "record 1: records 1 to 2 are missing"),
        ("UPDATE audit_record SET seq = 9 - seq WHERE seq IN (4, 5)", "record 4: a field was altered"),
        ("UPDATE audit_checkpoint SET signature = decode(repeat('00', 64), 'hex')", "checkpoint 1: is forged"),
        ("DELETE FROM audit_checkpoint WHERE number = 1", "checkpoint 1: is missing"),
    ],
)
def test_tampering_as_a_superuser_is_found(chain, tmp_path, statement, expected):
    if "9 - seq" in statement:
        chain.as_superuser("ALTER TABLE audit_record DROP CONSTRAINT audit_record_pkey")
    chain.as_superuser(statement)

    code, said = chain.verify_dump(tmp_path)

    assert code == 1
    assert said.startswith(f"BAD {expected}"), said


def test_nothing_is_signed_that_was_tampered_with_before_the_checkpoint(chain):
    record(chain.pool, Line(action="a"), Line(action="b"))
    chain.as_superuser("UPDATE audit_record SET reason = 'x' WHERE seq = 9")

    with pytest.raises(ChainBroken, match="audit record 9 was altered"):
        chain.checkpoint()


def test_records_are_moved_away_only_behind_an_exported_checkpoint_and_the_rest_stays_verifiable(chain, tmp_path):
    record(chain.pool, Line(action="after"))
    release = "SELECT release_audit(now() - interval '365 days', 100)"
    chain.as_superuser("UPDATE audit_record SET at = at - interval '400 days' WHERE seq <= 4")
    chain.as_superuser("UPDATE audit_checkpoint SET exported_at = NULL")
    with chain.pool.connection() as connection:
        assert connection.execute(release).fetchone() == (0,)
        connection.execute("UPDATE audit_checkpoint SET exported_at = now()")
        assert connection.execute(release).fetchone() == (4,)
        assert connection.execute(release).fetchone() == (0,)

    _, said = chain.verify_dump(tmp_path)
    assert said.startswith("BAD record 1: records 1 to 4 are missing")
    arguments = ["--records", str(tmp_path / "audit_record.jsonl"), "--keys", str(chain.keys), "--moved"]
    assert verify_audit.main([*arguments, "--checkpoints", str(tmp_path / "audit_checkpoint.jsonl")]) == 0
    assert chain.verify()[0] == 0


def test_an_export_is_completed_after_a_crash_and_never_written_over(chain):
    before = {file.name: file.read_bytes() for file in chain.files.iterdir()}
    chain.as_superuser("UPDATE audit_checkpoint SET exported_at = NULL")
    chain.records_file(1).unlink()

    assert export(chain.pool, chain.files, now=NOW) == 2

    assert {file.name: file.read_bytes() for file in chain.files.iterdir()} == before
    chain.as_superuser("UPDATE audit_checkpoint SET exported_at = NULL")
    chain.rewrite(0, lambda lines: lines[:2])
    with pytest.raises(ExportRefused):
        export(chain.pool, chain.files, now=NOW)


def test_an_hour_without_records_needs_no_checkpoint(chain):
    assert chain.checkpoint(NOW + timedelta(hours=1)) == 0


def test_a_checkpoint_is_made_once_in_an_hour_of_the_clock(chain):
    keeper = AuditKeeper(pool=chain.pool, signer=chain.ring, directory=None, chain="intake")

    def count_after(now):
        record(chain.pool, Line(action="more"))
        keeper.keep_hourly(now=now)
        with chain.pool.connection() as connection:
            return connection.execute("SELECT count(*) FROM audit_checkpoint").fetchone()[0]

    assert count_after(NOW + timedelta(minutes=59, seconds=59)) == 2
    assert count_after(NOW + timedelta(hours=1)) == 3
    assert count_after(NOW + timedelta(hours=1, seconds=1)) == 3
    assert count_after(NOW + timedelta(hours=3)) == 4


def test_the_command_exports_and_prints_the_keys(chain, tmp_path, capsys):
    settings = NotifySettings(
        mode="test",
        database_url="postgresql://somebody:a-long-password-1234@localhost/x",
        broker_url="amqp://somebody:another-password-5678@localhost/x",
        keys_directory=tmp_path / "keys",
        audit_export_directory=tmp_path / "out",
    )
    record(chain.pool, Line(action="more"))

    assert chores.export_audit(settings, chain.pool, [], service="intake") == 0
    assert chores.export_audit(settings, chain.pool, ["--public-keys"], service="intake") == 0

    said = capsys.readouterr().out.splitlines()
    assert said[-2:] == ["1 checkpoints made, 1 exported", chain.keys.read_text()]
    assert len(list((tmp_path / "out" / "intake").iterdir())) == 2
    chain.as_superuser("UPDATE audit_record SET reason = 'x' WHERE seq = 8")
    chain.as_superuser("DELETE FROM audit_checkpoint WHERE number = 3")
    assert chores.export_audit(settings, chain.pool, [], service="intake") == 1


def test_both_ways_to_the_merkle_root_agree_with_rfc_6962():
    leaves = [bytes([number]) * 32 for number in range(70)]

    for count in range(1, 70):
        assert root_of(leaves[:count]) == verify_audit.root_of(leaves[:count])
    # From the test vectors of Certificate Transparency.
    vectors = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    assert root_of(bytes.fromhex(text) for text in vectors).hex() == (
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
    )
