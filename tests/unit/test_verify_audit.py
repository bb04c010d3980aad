"""The program that checks an exported audit chain without the suite: sound chains, and what was done to them since.

Whether it reads what the suite writes: tests/integration/shared/test_audit_verification.py.
"""

import contextlib
import functools
import hashlib
import io
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.audit.canonical import canonical
from shared.audit.merkle import root_of
from tools import verify_audit

KEYS = {number: Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2)}
GENESIS = bytes(32)
Record = dict[str, Any]


def plain_record(seq: int) -> Record:
    return {
        "seq": seq, "at": f"2026-03-01T12:00:{seq:02}.000000Z", "account_id": None, "actor": "王科长",
        "role": "auditor", "organisation": None, "action": "score.read", "object_type": "score", "object_id": f"S{seq}",
        "decision": "allowed", "reason": None, "correlation_id": "c", "details": {},
    }  # fmt: skip


def chain_of(records: Iterable[Record], previous: bytes = GENESIS) -> list[Record]:
    """Every hash made anew, as the suite does, and as a forger does who knows how."""
    chained = []
    for record in records:
        covered = {key: value for key, value in record.items() if key not in ("hash", "prev_hash")}
        own = hashlib.sha256(previous + canonical(covered)).digest()
        chained.append(covered | {"hash": own.hex(), "prev_hash": previous.hex()})
        previous = own
    return chained


def checkpoint_of(number: int, covered: list[Record], previous: str, **other: object) -> str:
    hashes = [bytes.fromhex(record["hash"]) for record in covered]
    document = {
        "version": 1, "chain": "assessment", "number": number, "at": "2026-03-01T13:00:00.000000Z",
        "first_seq": covered[0]["seq"], "last_seq": covered[-1]["seq"], "head": hashes[-1].hex(),
        "root": root_of(hashes).hex(), "previous": previous,
    } | other  # fmt: skip
    return canonical(document).decode()


def sign(text: str, *, key_id: int = 1, by: int | None = None) -> dict[str, Any]:
    return {"document": text, "key_id": key_id, "signature": KEYS[by or key_id].sign(text.encode()).hex()}


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass
class Files:
    """Seven records under two checkpoints, and an eighth under none yet."""

    folder: Path
    records: list[Record] = field(default_factory=list)
    checkpoints: list[dict[str, Any]] = field(default_factory=list)

    def write(self) -> None:
        for file in self.folder.glob("*-*.json*"):
            file.unlink()
        lines = b"".join(canonical(record) + b"\n" for record in self.records)
        (self.folder / "records-1.jsonl").write_bytes(lines)
        for at, row in enumerate(self.checkpoints, 1):
            (self.folder / f"checkpoint-{at}.json").write_bytes(canonical(row) + b"\n")

    def check(self, *options: str, keys: dict[str, str] | None = None) -> tuple[int, str]:
        self.write()
        public = {number: key.public_key().public_bytes_raw().hex() for number, key in KEYS.items()}
        keys_file = self.folder / "keys"
        keys_file.write_text(json.dumps(public if keys is None else keys))
        return run(str(self.folder), "--keys", str(keys_file), *options)


def run(*arguments: str) -> tuple[int, str]:
    """In this process: what it does not expect would come out as it is."""
    with contextlib.redirect_stdout(io.StringIO()) as said:
        status = verify_audit.main([*arguments])
    return status, said.getvalue()


@functools.cache
def sound_parts() -> tuple[str, str]:
    records = chain_of(plain_record(seq) for seq in range(1, 9))
    first = checkpoint_of(1, records[:4], sha256(""))
    second = checkpoint_of(2, records[4:7], sha256(first))
    return json.dumps(records), json.dumps([sign(first), sign(second, key_id=2)])


@pytest.fixture
def files(tmp_path: Path) -> Files:
    records, checkpoints = (json.loads(part) for part in sound_parts())
    return Files(tmp_path, records, checkpoints)


def test_a_sound_chain_is_told_with_what_stands_under_no_checkpoint_yet(files: Files) -> None:
    assert files.check() == (
        0,
        "SOUND 8 records from 1 to 8, the last of 2026-03-01T12:00:08.000000Z; 2 checkpoints of assessment, "
        "signatures good; 1 records not under a checkpoint yet\n",
    )
    del files.records[7]
    assert "; 0 records not under" in files.check()[1]
    assert files.check("--at-least-checkpoint", "2")[0] == 0
    assert "BAD checkpoint 3: is missing" in files.check("--at-least-checkpoint", "3")[1]


def test_a_chain_that_was_only_begun_is_sound_where_one_is_content_without_checkpoints(files: Files) -> None:
    files.checkpoints = []

    assert files.check()[0] == 2
    assert "SOUND 8 records from 1 to 8" in files.check("--without-checkpoints")[1]
    files.records = []
    assert "SOUND 0 records from 1 to 0, the last of no time" in files.check("--without-checkpoints")[1]


@pytest.mark.parametrize("name", sorted(verify_audit.FIELDS - {"seq", "prev_hash", "hash"}))
def test_no_field_of_any_record_can_be_altered(files: Files, name: str) -> None:
    for at in (0, 3, 6, 7):
        files.records = json.loads(sound_parts()[0])
        files.records[at][name] = "2026-01-01T00:00:00.000000Z"

        assert files.check()[1].startswith(f"BAD record {at + 1}: a field was altered"), at


def test_a_record_that_was_replaced_with_its_hash_does_not_fit_the_next_nor_anew_what_was_signed(files: Files) -> None:
    files.records[2]["decision"] = "denied"
    files.records[:3] = chain_of(files.records[:3])
    assert files.check()[1].startswith("BAD record 4: does not follow from the record before it")

    files.records = chain_of(files.records)
    assert files.check()[1].startswith("BAD record 4: is not the one that checkpoint 1 signed")


def removed(records: list[Record]) -> None:
    del records[4]


def repeated(records: list[Record]) -> None:
    records.insert(4, records[3])


def behind(records: list[Record]) -> None:
    records.append(records[1])


def exchanged(records: list[Record]) -> None:
    records[4], records[5] = records[5], records[4]


def without_the_first(records: list[Record]) -> None:
    del records[:2]


def cut(records: list[Record]) -> None:
    del records[5:]


def of_nothing(records: list[Record]) -> None:
    records[0]["seq"] = 0


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (removed, "record 5: is missing; record 6 stands in its place"),
        (repeated, "record 4: stands here twice, or behind record 4"),
        (behind, "record 2: stands here twice, or behind record 8"),
        (exchanged, "record 5: record 6 stands in its place: the order was changed"),
        (without_the_first, "record 1: records 1 to 2 are missing (where they were moved away: --moved)"),
        (cut, "record 6: the end is cut off: checkpoint 2 covers records up to 7, but the last one here is 5"),
        (of_nothing, "record 0: stands here twice, or behind record 0"),
    ],
)
def test_what_is_gone_or_elsewhere_is_named(files: Files, spoil: Callable[[list[Record]], None], said: str) -> None:
    spoil(files.records)

    assert files.check()[1].startswith(f"BAD {said}")
    files.records = chain_of(files.records)
    assert files.check()[0] == 1


def test_the_oldest_records_may_be_moved_away_up_to_a_checkpoint_and_not_otherwise(files: Files) -> None:
    whole = files.records
    files.records = whole[4:]
    assert files.check()[0] == 1
    assert "SOUND 4 records from 5 to 8" in files.check("--moved")[1]

    for first in (1, 2, 3, 5):
        files.records = whole[first:]
        assert "so records were removed, not moved" in files.check("--moved")[1]
    files.records = whole[7:]
    assert "SOUND 1 records from 8 to 8" in files.check("--moved")[1]
    files.records = chain_of(whole[4:])
    assert "does not follow from the record before it" in files.check("--moved")[1]
    files.records = []
    assert "the end is cut off" in files.check("--moved")[1]


def forge(files: Files, place: int, /, *, by: int, **other: object) -> None:
    text = files.checkpoints[place]["document"]
    files.checkpoints[place] = sign(canonical(json.loads(text) | other).decode(), by=by, key_id=place + 1)


@pytest.mark.parametrize("name", sorted(verify_audit.CHECKPOINT_FIELDS - {"version", "number"}))
def test_a_checkpoint_of_another_key_is_forged_whatever_it_says(files: Files, name: str) -> None:
    value: object = 3 if name.endswith("_seq") else "00" * 32
    forge(files, 0, by=2, **{name: value})

    assert files.check() == (1, "BAD checkpoint 1: is forged: its signature is not of key 1\n")


def test_a_key_that_is_not_known_signs_nothing(files: Files) -> None:
    known = {"1": KEYS[1].public_key().public_bytes_raw().hex()}

    assert files.check(keys=known) == (1, "BAD checkpoint 2: is forged: its signature is not of key 2\n")


@pytest.mark.parametrize(
    ("at", "other", "said"),
    [
        (1, {"previous": "00" * 32}, "checkpoint 2: does not follow from the checkpoint before it"),
        (0, {"previous": "00" * 32}, "checkpoint 1: does not follow from the checkpoint before it"),
        (0, {"first_seq": 2}, "checkpoint 1: does not begin where the one before it ends"),
        (1, {"first_seq": 6}, "checkpoint 2: does not begin where the one before it ends"),
        (1, {"last_seq": 4}, "checkpoint 2: does not begin where the one before it ends"),
        (1, {"chain": "notify"}, "checkpoint 2: does not begin where the one before it ends"),
        (1, {"number": 3}, "checkpoint 2: is missing, or stands here twice"),
        (1, {"number": 1}, "checkpoint 2: is missing, or stands here twice"),
        (1, {"version": 2}, "a checkpoint is not of the form that is known here"),
        (1, {"more": 1}, "a checkpoint is not of the form that is known here"),
        (1, {"head": "00" * 32}, "record 7: is not the one that checkpoint 2 signed"),
        (1, {"root": "00" * 32}, "record 5: records 5 to 7 are not those that checkpoint 2 signed"),
        (1, {"last_seq": 8}, "record 8: is not the one that checkpoint 2 signed"),
        (1, {"last_seq": 9}, "record 9: the end is cut off"),
    ],
)
def test_what_the_holder_of_a_key_signs_must_still_fit_the_chain(
    files: Files, at: int, other: dict[str, object], said: str
) -> None:
    forge(files, at, by=at + 1, **other)

    assert files.check()[1].startswith(f"BAD {said}")


def test_a_checkpoint_is_read_in_its_one_form_alone(files: Files) -> None:
    text = files.checkpoints[1]["document"]
    files.checkpoints[1] = sign(json.dumps(json.loads(text)), key_id=2)
    assert "is not of the form that is known here" in files.check()[1]

    for broken in (
        {},
        {"document": 5, "key_id": 1, "signature": ""},
        {"document": "{}", "key_id": 1, "signature": "x"},
    ):
        files.checkpoints[1] = broken
        assert "a checkpoint cannot be read" in files.check()[1]


def test_a_checkpoint_that_was_taken_away_leaves_a_gap(files: Files) -> None:
    del files.checkpoints[0]

    assert "checkpoint 1: is missing, or stands here twice" in files.check()[1]


def test_more_files_of_records_are_read_in_their_order(files: Files) -> None:
    files.write()
    lines = (files.folder / "records-1.jsonl").read_bytes().splitlines(keepends=True)
    for number in range(8, 0, -1):
        (files.folder / f"records-{number}.jsonl").write_bytes(b"\n" + lines[number - 1])

    assert run(str(files.folder), "--without-signatures")[1].startswith("SOUND 8 records from 1 to 8")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('"seq":2', '"seq": 2', "record 2: is not written in its canonical form"),
        ('"seq":2', '"seq":2.0', "line 2: is no audit record"),
        ('"seq":2', '"seq":true', "line 2: is no audit record"),
        ('"seq":2', '"seq":2,"more":1', "line 2: is no audit record"),
        ('"role":"auditor",', "", "line 1: is no audit record"),
        ('"actor":"王科长"', '"actor":"x","actor":"王科长"', "line 1: is no audit record"),
        ('"prev_hash":"00', '"prev_hash":"zz', "line 1: is no audit record"),
    ],
)
def test_a_line_is_a_record_in_its_one_form(files: Files, before: str, after: str, said: str) -> None:
    files.write()
    file = files.folder / "records-1.jsonl"
    file.write_text(file.read_text().replace(before, after, 1))

    assert run(str(files.folder), "--without-signatures")[1].startswith(f"BAD {said}")


def dump(files: Files) -> list[str]:
    """As psql writes rows: another order, another time zone, hashes as bytea."""
    rows = []
    for record in files.records:
        at = record["at"].replace("T12:", "T20:").replace("Z", "+08:00")
        hashes = {name: f"\\x{record[name]}" for name in ("hash", "prev_hash")}
        rows.append(json.dumps(dict(reversed(list({**record, "at": at, **hashes}.items())))))
    signed = [json.dumps({**row, "signature": f"\\x{row['signature']}"}) for row in files.checkpoints]
    for name, lines in (("records", rows), ("checkpoints", signed)):
        (files.folder / name).write_text("".join(f"{line}\n" for line in lines))
    files.check()  # for the keys
    return ["--keys", str(files.folder / "keys"), "--records", str(files.folder / "records")]


def test_a_dump_of_the_tables_is_checked_as_well(files: Files) -> None:
    options = dump(files)
    checkpoints = ["--checkpoints", str(files.folder / "checkpoints")]

    assert run(*options, *checkpoints)[1].startswith("SOUND 8 records from 1 to 8, the last of 2026-03-01T12:00:08.00")
    assert run(*options)[0] == 2
    assert run(*options, "--without-checkpoints")[0] == 0
    file = files.folder / "checkpoints"
    file.write_text("".join(reversed(file.read_text().splitlines(keepends=True))))
    assert run(*options, *checkpoints)[0] == 0
    files.records[2]["at"] = "2026-03-01T12:00:03.000001Z"
    assert "record 3: a field was altered" in run(*dump(files), *checkpoints)[1]


def test_what_an_answer_needs_and_is_not_there_is_said(files: Files, tmp_path: Path) -> None:
    files.write()
    folder = str(files.folder)

    assert run(folder) == (2, "NOT CHECKED signatures were not checked: --keys names the file of public keys\n")
    assert run(folder, "--keys", str(tmp_path / "nothing"))[0] == 2
    for keys in ("[]", "{", '{"1": "00"}', '{"one": "00"}'):
        (tmp_path / "spoilt").write_text(keys)
        assert run(folder, "--keys", str(tmp_path / "spoilt"))[0] == 2
    assert "signatures not checked" in run(folder, "--without-signatures")[1]
    for nowhere in (tmp_path / "nowhere", tmp_path / "spoilt"):
        assert run(str(nowhere), "--without-signatures", "--without-checkpoints")[0] == 2
    assert run("--without-signatures")[0] == 2
    assert run("--records", str(tmp_path / "nothing"), "--without-signatures", "--without-checkpoints")[0] == 2


def test_the_chain_of_another_service_is_told_by_its_name(files: Files) -> None:
    first = checkpoint_of(1, files.records[:4], sha256(""), chain="intake")
    files.checkpoints = [sign(first), sign(checkpoint_of(2, files.records[4:7], sha256(first), chain="intake"))]

    assert "2 checkpoints of intake" in files.check()[1]
