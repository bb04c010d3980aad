"""Check an exported audit chain, or a dump of its tables, without the suite: find the first bad record and say why.

    python3 verify_audit.py DIRECTORY --keys KEYS.json
    python3 verify_audit.py --records RECORDS.jsonl --checkpoints CHECKPOINTS.jsonl --keys KEYS.json

The directory is what `python -m services.<service> audit-export` writes. A dump is made on the server with
    psql -AtqXc "SELECT row_to_json(r) FROM audit_record r ORDER BY seq"        > RECORDS.jsonl
    psql -AtqXc "SELECT row_to_json(c) FROM audit_checkpoint c ORDER BY number" > CHECKPOINTS.jsonl
KEYS.json holds the public keys by number, {"1": "<64 hex digits>"}, as `audit-export --public-keys` prints them. Get
it from the people who run the suite and keep it yourself: keys that lie beside the files prove nothing.

It needs Python 3.11 and nothing else, but for signatures the package `cryptography`.
Ends with 0: sound, 1: bad, 2: could not be checked.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

SOUND, BAD, UNCHECKED = 0, 1, 2
GENESIS = bytes(32)
FIELDS = {
    "seq", "prev_hash", "hash", "at", "account_id", "actor", "role", "organisation", "action", "object_type",
    "object_id", "decision", "reason", "correlation_id", "details",
}  # fmt: skip
CHECKPOINT_FIELDS = {"version", "chain", "number", "at", "first_seq", "last_seq", "head", "root", "previous"}
Verify = Callable[[int, bytes, bytes], bool]


class Bad(Exception):
    """The chain is not what was signed or recorded. The message names the place."""


class Unchecked(Exception):
    """Something that is needed for an answer is not there."""


@dataclass(frozen=True)
class Checkpoint:
    chain: str
    number: int
    at: str
    first_seq: int
    last_seq: int
    head: bytes
    root: bytes


@dataclass
class Findings:
    records: int = 0
    first_seq: int = 0
    last_seq: int = 0
    last_at: str = ""
    uncovered: int = 0
    checkpoints: list[Checkpoint] = field(default_factory=list)


class Source(NamedTuple):
    """Where lines come from; a dump's lines are as PostgreSQL writes rows, an export's are canonical."""

    records: list[Path]
    checkpoints: list[Path]
    is_dump: bool


def canonical(document: object) -> bytes:
    """RFC 8785 for documents without fractions and with keys in ASCII."""
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def check(source: Source, verify: Verify | None, *, moved: bool = False) -> Findings:
    """Raises Bad at the first thing that is wrong. `moved`: the oldest records are kept elsewhere."""
    findings = Findings(checkpoints=list(check_checkpoints(source, verify)))
    seqs = {seq for _, _, seq in read_records(source)}
    covering = iter(findings.checkpoints)
    checkpoint, leaves = next(covering, None), []
    seq, previous = start_of(min(seqs, default=1), findings.checkpoints, moved=moved)
    while checkpoint is not None and checkpoint.last_seq <= seq:
        checkpoint = next(covering, None)
    findings.first_seq = seq + 1
    for line, record, number in read_records(source):
        check_place(number, seq + 1, seqs, findings.last_seq)
        previous = check_record(line, record, previous, is_dump=source.is_dump)
        seq = findings.last_seq = number
        findings.records += 1
        findings.last_at = record["at"]
        leaves.append(previous)
        if checkpoint is not None and seq == checkpoint.last_seq:
            check_covered(checkpoint, leaves)
            checkpoint, leaves = next(covering, None), []
    if checkpoint is not None:
        raise Bad(
            f"record {seq + 1}: the end is cut off: checkpoint {checkpoint.number} covers records up to "
            f"{findings.checkpoints[-1].last_seq}, but the last one here is {seq}"
        )
    findings.uncovered = len(leaves)
    return findings


def start_of(first: int, checkpoints: list[Checkpoint], *, moved: bool) -> tuple[int, bytes]:
    """What the first record must follow: nothing, or what a signed checkpoint says of the last one moved away."""
    if first <= 1:
        return 0, GENESIS
    if not moved:
        raise Bad(f"record 1: records 1 to {first - 1} are missing (where they were moved away: --moved)")
    for checkpoint in checkpoints:
        if checkpoint.last_seq == first - 1:
            return first - 1, checkpoint.head
    raise Bad(f"record {first}: no checkpoint ends just before it, so records were removed, not moved")


def check_place(number: int, expected: int, seqs: set[int], last: int) -> None:
    if number == expected:
        return
    if number <= last:
        raise Bad(f"record {number}: stands here twice, or behind record {last}: the order was changed")
    if expected in seqs:
        raise Bad(f"record {expected}: record {number} stands in its place: the order was changed")
    raise Bad(f"record {expected}: is missing; record {number} stands in its place")


def check_record(line: bytes, record: dict[str, Any], previous: bytes, *, is_dump: bool) -> bytes:
    """Return the hash of the record, which the next one must name."""
    seq = record["seq"]
    if not is_dump and canonical(record) != line:
        raise Bad(f"record {seq}: is not written in its canonical form: keys were put in another order, or the like")
    covered = {key: value for key, value in record.items() if key not in ("prev_hash", "hash")}
    own = hashlib.sha256(bytes.fromhex(record["prev_hash"]) + canonical(covered)).digest()
    if own.hex() != record["hash"]:
        raise Bad(f"record {seq}: a field was altered: its hash does not fit what it says")
    if record["prev_hash"] != previous.hex():
        raise Bad(f"record {seq}: does not follow from the record before it: one of the two was replaced")
    return own


def check_covered(checkpoint: Checkpoint, leaves: list[bytes]) -> None:
    where = f"records {checkpoint.last_seq - len(leaves) + 1} to {checkpoint.last_seq}"
    if leaves[-1] != checkpoint.head:
        raise Bad(f"record {checkpoint.last_seq}: is not the one that checkpoint {checkpoint.number} signed")
    if len(leaves) != checkpoint.last_seq - checkpoint.first_seq + 1:
        raise Bad(f"record {checkpoint.first_seq}: {where} are not all that checkpoint {checkpoint.number} covers")
    if root_of(leaves) != checkpoint.root:
        raise Bad(f"record {checkpoint.first_seq}: {where} are not those that checkpoint {checkpoint.number} signed")


def root_of(leaves: Iterable[bytes]) -> bytes:
    """RFC 6962, by the recursion of its section 2.1."""
    hashes = [hashlib.sha256(b"\x00" + leaf).digest() for leaf in leaves]

    def join(low: int, high: int) -> bytes:
        if high - low == 1:
            return hashes[low]
        split = 1 << (high - low - 1).bit_length() - 1
        return hashlib.sha256(b"\x01" + join(low, low + split) + join(low + split, high)).digest()

    return join(0, len(hashes))


def check_checkpoints(source: Source, verify: Verify | None) -> Iterator[Checkpoint]:
    last_seq, previous, chain = 0, hashlib.sha256(b"").hexdigest(), None
    rows = sorted(map(checkpoint_of, read_lines(source.checkpoints)), key=lambda row: row[0]["number"])
    for number, (document, text, key_id, signature) in enumerate(rows, 1):
        chain = chain or document["chain"]
        if document["number"] != number:
            raise Bad(f"checkpoint {number}: is missing, or stands here twice")
        if verify is not None and not verify(key_id, signature, text):
            raise Bad(f"checkpoint {number}: is forged: its signature is not of key {key_id}")
        if document["previous"] != previous:
            raise Bad(f"checkpoint {number}: does not follow from the checkpoint before it")
        if document["first_seq"] != last_seq + 1 or document["last_seq"] <= last_seq or document["chain"] != chain:
            raise Bad(f"checkpoint {number}: does not begin where the one before it ends")
        last_seq, previous = document["last_seq"], hashlib.sha256(text).hexdigest()
        yield Checkpoint(
            document["chain"], number, document["at"], document["first_seq"], last_seq, bytes.fromhex(document["head"]),
            bytes.fromhex(document["root"]),
        )  # fmt: skip


def checkpoint_of(line: bytes) -> tuple[dict[str, Any], bytes, int, bytes]:
    try:
        row = json.loads(line)
        text = row["document"].encode()
        document = json.loads(text)
        key_id, signature = int(row["key_id"]), bytes.fromhex(row["signature"].removeprefix("\\x"))
        is_known = set(document) == CHECKPOINT_FIELDS and document["version"] == 1 and canonical(document) == text
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Bad(f"a checkpoint cannot be read: {type(error).__name__}") from None
    if not is_known:
        raise Bad("a checkpoint is not of the form that is known here")
    return document, text, key_id, signature


def read_records(source: Source) -> Iterator[tuple[bytes, dict[str, Any], int]]:
    for place, line in enumerate(read_lines(source.records), 1):
        record = record_of(line, is_dump=source.is_dump)
        if record is None:
            raise Bad(f"line {place}: is no audit record: fields were added, removed or broken")
        yield line, record, record["seq"]


def record_of(line: bytes, *, is_dump: bool) -> dict[str, Any] | None:
    try:
        record: dict[str, Any] = json.loads(line, object_pairs_hook=without_repeats)
        record = undumped(record) if is_dump else record
        bytes.fromhex(record["prev_hash"] + record["hash"])
        return record if set(record) == FIELDS and type(record["seq"]) is int else None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a key stands there twice")
    return dict(pairs)


def undumped(row: dict[str, Any]) -> dict[str, Any]:
    at = datetime.fromisoformat(row["at"]).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    hashes = {name: row[name].removeprefix("\\x") for name in ("prev_hash", "hash")}
    return {**row, "at": at, **hashes}


def read_lines(files: Iterable[Path]) -> Iterator[bytes]:
    for file in files:
        with file.open("rb") as lines:
            yield from (line.rstrip(b"\n") for line in lines if line.strip())


def make_verify(keys_file: Path) -> Verify:
    """Raises Unchecked where signatures cannot be checked."""
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        raise Unchecked("signatures were not checked: the package cryptography is not there") from None
    try:
        keys = {
            int(number): Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
            for number, key in json.loads(keys_file.read_text("utf-8")).items()
        }
    except (OSError, ValueError, AttributeError) as error:
        raise Unchecked(f"signatures were not checked: {keys_file} cannot be read: {error}") from None

    def verify(key_id: int, signature: bytes, text: bytes) -> bool:
        if key_id not in keys:
            return False
        try:
            keys[key_id].verify(signature, text)
        except InvalidSignature:
            return False
        return True

    return verify


def source_of(options: argparse.Namespace) -> Source:
    if options.records is not None:
        return Source([options.records], [options.checkpoints] if options.checkpoints else [], is_dump=True)
    if options.directory is None or not options.directory.is_dir():
        raise Unchecked("name the directory of the exported files, or the files of a dump")
    records, checkpoints = options.directory.glob("records-*.jsonl"), options.directory.glob("checkpoint-*.json")
    return Source(sorted(records), sorted(checkpoints), is_dump=False)


def run(options: argparse.Namespace) -> Findings:
    verify = None
    if not options.without_signatures:
        if options.keys is None:
            raise Unchecked("signatures were not checked: --keys names the file of public keys")
        verify = make_verify(options.keys)
    source = source_of(options)
    if not source.checkpoints and not options.without_checkpoints:
        raise Unchecked("there is no checkpoint: a cut end or a rewritten chain cannot be noticed")
    findings = check(source, verify, moved=options.moved)
    if options.at_least_checkpoint > len(findings.checkpoints):
        raise Bad(
            f"checkpoint {options.at_least_checkpoint}: is missing: the last one here is {len(findings.checkpoints)}"
        )
    return findings


def say(word: str, lines: Sequence[str]) -> None:
    """Nothing that stands in a record begins a line, moves a cursor, or cannot be written."""
    clean = ("".join(one if one.isprintable() else ascii(one)[1:-1] for one in line) for line in lines)
    text = f"{word} {chr(10).join(clean)}\n"
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, nargs="?", help="the exported files of one service")
    parser.add_argument("--records", type=Path, help="a dump of the table audit_record, instead of a directory")
    parser.add_argument("--checkpoints", type=Path, help="a dump of the table audit_checkpoint")
    parser.add_argument("--keys", type=Path, help="the public keys, from a source of your own")
    parser.add_argument("--at-least-checkpoint", type=int, default=0, help="the last number that you have seen before")
    parser.add_argument("--moved", action="store_true", help="the oldest records were moved away by retention")
    parser.add_argument("--without-signatures", action="store_true", help="be content with hashes; proves much less")
    parser.add_argument("--without-checkpoints", action="store_true", help="be content with the chain; proves less")
    options = parser.parse_args(arguments)
    try:
        findings = run(options)
    except Bad as error:
        say("BAD", [str(error)])
        return BAD
    except (Unchecked, OSError) as error:
        say("NOT CHECKED", [str(error)])
        return UNCHECKED
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        say("BAD", [f"what is here is broken: {type(error).__name__}: {error}"])
        return BAD
    signed = "signatures not checked" if options.without_signatures else "signatures good"
    chain = f" of {findings.checkpoints[0].chain}" if findings.checkpoints else ""
    say(
        "SOUND",
        [
            f"{findings.records} records from {findings.first_seq} to {findings.last_seq}, the last of "
            f"{findings.last_at or 'no time'}; {len(findings.checkpoints)} checkpoints{chain}, {signed}; "
            f"{findings.uncovered} records not under a checkpoint yet"
        ],
    )
    return SOUND


if __name__ == "__main__":
    sys.exit(main())
