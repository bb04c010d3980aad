"""What the stand-alone verifiers print is theirs alone, whatever stands in the file that they were given."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tools.verify_audit import FIELDS, GENESIS, canonical

TOOLS = Path(__file__).parents[2] / "tools"
FORGED = "0123\nSOUND 31 scores of 2025\x1b[2J\ud800"
HEADS: dict[str, dict[str, object]] = {
    "verify_place": {"package": 1, "schemes": []},
    "verify_fair": {"package": "fair-1"},
    "verify_result": {"package": 1},
}


def run(name: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-I", str(TOOLS / f"{name}.py"), *arguments]
    return subprocess.run(command, capture_output=True, check=False, env={"PYTHONIOENCODING": "ascii", "LC_ALL": "C"})


@pytest.mark.parametrize("name", sorted(HEADS))
def test_a_text_of_a_package_begins_no_line(tmp_path, name):
    file = tmp_path / "package.jsonl"
    file.write_text(json.dumps({**HEADS[name], "content_hash": FORGED}) + "\n")

    done = run(name, str(file), "--hash", "0123")

    assert (done.returncode, done.stderr) == (1, b"")
    assert done.stdout.startswith(b"BAD the hash is 0123\\nSOUND 31 scores of 2025\\x1b[2J\\ud800")
    assert done.stdout.count(b"\n") == 1


@pytest.mark.parametrize("name", sorted(HEADS))
def test_a_package_of_endless_depth_is_broken(tmp_path, name):
    file = tmp_path / "package.jsonl"
    file.write_text('{"package": ' + "[" * 200_000 + "\n")

    done = run(name, str(file))

    assert (done.returncode, done.stderr) == (1, b"")
    assert done.stdout.startswith(b"BAD ")


def test_a_text_of_an_audit_record_begins_no_line(tmp_path):
    record = dict.fromkeys(FIELDS, "x") | {"seq": 1, "at": FORGED[:-1], "prev_hash": GENESIS.hex()}
    covered = canonical({key: value for key, value in record.items() if key not in ("prev_hash", "hash")})
    record["hash"] = hashlib.sha256(GENESIS + covered).hexdigest()
    (tmp_path / "records-1.jsonl").write_bytes(canonical(record) + b"\n")

    done = run("verify_audit", str(tmp_path), "--without-signatures", "--without-checkpoints")

    assert (done.returncode, done.stderr) == (0, b"")
    assert b"the last of 0123\\nSOUND 31 scores of 2025\\x1b[2J" in done.stdout
    assert done.stdout.count(b"\n") == 1


@pytest.mark.parametrize("row", ['{"document": ' + "[" * 200_000, '{"document": "1"}', "[]", '"x"'])
def test_a_broken_checkpoint_is_told_in_one_line(tmp_path, row):
    (tmp_path / "checkpoint-1.json").write_text(row)

    done = run("verify_audit", str(tmp_path), "--without-signatures")

    assert (done.returncode, done.stderr) == (1, b"")
    assert done.stdout.startswith(b"BAD ")
    assert done.stdout.count(b"\n") == 1
