"""Rows read together and column by column: whatever is in them, the same comes of it as of each row by itself."""

import csv
import gzip
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO, StringIO
from operator import itemgetter
from typing import Any, get_args
from uuid import UUID

import orjson
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.intake.domain.commands.base import Command
from services.intake.domain.commands.contacts import ContactKind, RecordContact
from services.intake.domain.contacts import check_contact, digest_contact, list_plainly_timed
from services.intake.domain.times import CLOCK_TOLERANCE, TimeCheck
from services.intake.handlers.contacts import row_of
from services.intake.handlers.plain_texts import digest_rows, tell_instants, write_events
from services.intake.handlers.records import Candidate
from services.intake.importing.findings import FileRefused, Finding
from services.intake.importing.mapping import Mapper
from services.intake.importing.plain import PlainRows
from services.intake.importing.profile import BUILT_IN, Profile, parse_profile
from services.intake.importing.reader import Reader
from services.intake.importing.source import read_blocks
from shared.identifiers import new_id
from tests.unit.intake.import_files import LIMITS, chunks_of

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
HEADER = (
    "source_number,staff_number,organisation_code,kind,occurred_at,recorded_at,duration_minutes,population_group,"
    "people_count,place_code,note"
)
PIECES = ["a", "b,c", ",", '"', '""', '"x"', "\n", "\r\n", "\r", "\x01", "\x00", " ", "　", "é", "群众", "\t", "'=1"]
hostile = st.sampled_from(
    [*PIECES, "\ufeff", "00000000-0000-0000-0000-000000000000", "2000-01-01T00:00:00", "\\", "😀"]
)
codes = st.one_of(hostile.filter(lambda text: text.strip() == text and text), st.text(min_size=1, max_size=64))
instants = st.datetimes(
    min_value=datetime(1899, 12, 30),  # noqa: DTZ001 - bounds have no zone
    max_value=datetime(2201, 1, 2),  # noqa: DTZ001 - same
    timezones=st.just(UTC),
)
near = st.integers(-10_000_000_000, 10_000_000_000).map(lambda number: NOW + timedelta(microseconds=number))
times = st.one_of(instants, near)


def contact(number: int, **told: Any) -> RecordContact:
    return RecordContact(id=new_id(), correlation_id="t", source="s", source_number=str(number), **told)


contacts = st.builds(
    contact,
    st.integers(),
    staff_number=codes,
    organisation_code=st.none() | codes,
    kind=st.sampled_from(get_args(ContactKind)),
    occurred_at=times,
    recorded_at=st.none() | times,
    duration_minutes=st.none() | st.integers(0, 525_600),
    population_group=st.none() | codes,
    people_count=st.none() | st.integers(0, 100_000),
    place_code=st.none() | codes,
    note=st.none() | st.text(min_size=1, max_size=50),
)


def columns_of(told: list[RecordContact]) -> PlainRows:
    columns = {name: [getattr(command, name) for command in told] for name in HEADER.split(",")}
    return PlainRows("s", "t", list(range(len(told))), columns)


@given(st.lists(contacts, min_size=1, max_size=20))
@settings(max_examples=300)
def test_an_event_is_what_the_contract_dumps(told: list[RecordContact]) -> None:
    rows = columns_of(told)

    written = write_events(rows, [command.id.hex for command in told], tell_instants(rows), now=NOW)

    for command, event in zip(told, written, strict=True):
        candidate = Candidate(command=command, check=TimeCheck(now=NOW, allow_odd=True), content_hash=b"")
        dumped = orjson.dumps(row_of(candidate, None, NOW, allow_odd=True)["event"]).decode()
        assert "{" + event == dumped


@given(st.lists(contacts, min_size=1, max_size=20))
def test_a_digest_is_that_of_the_contact(told: list[RecordContact]) -> None:
    rows = columns_of(told)

    assert digest_rows(rows, tell_instants(rows)) == [digest_contact(command) for command in told]


@given(st.lists(contacts, min_size=1, max_size=20))
@example([contact(1, staff_number="S", kind="visit", occurred_at=NOW + CLOCK_TOLERANCE, recorded_at=None)])
@example([contact(1, staff_number="S", kind="visit", occurred_at=NOW, recorded_at=NOW)])
def test_times_are_plain_where_no_check_finds_anything(told: list[RecordContact]) -> None:
    plain = list_plainly_timed(
        [command.occurred_at for command in told], [command.recorded_at for command in told], now=NOW
    )

    checks = [check_contact(command, now=NOW, allow_odd=True) for command in told]
    assert plain == [place for place, check in enumerate(checks) if check.refusal is None and not check.flags]


def read_in_turns(data: bytes, encoding: str) -> list[tuple[int, list[str]] | Finding | str]:
    """Rows together where that can be, and one by one where not."""
    found: list[tuple[int, list[str]] | Finding | str] = []
    reader = Reader(read_blocks(BytesIO(data), LIMITS), encoding=encoding, delimiter=",")
    rows = reader.rows()
    try:
        while True:
            lines, cells = reader.take_plain(1_000)
            found += zip(lines, cells, strict=True)
            if not cells:
                found.append(next(rows))
    except StopIteration:
        return found
    except FileRefused as refused:
        return [*found, refused.code]


def read_one_by_one(data: bytes, encoding: str) -> list[tuple[int, list[str]] | Finding | str]:
    found: list[tuple[int, list[str]] | Finding | str] = []
    try:
        found += Reader(read_blocks(BytesIO(data), LIMITS), encoding=encoding, delimiter=",").rows()
    except FileRefused as refused:
        found.append(refused.code)
    return found


lines_of_text = st.lists(st.sampled_from([*PIECES, "1,2", "3,4", "1,2\n", "3,4\n", "5,6\r\n", "7,8\n"]), max_size=40)


@given(lines_of_text.map("".join), st.sampled_from(["utf-8", "gb18030"]))
@settings(max_examples=500)
def test_rows_taken_together_are_the_rows_of_the_file(text: str, encoding: str) -> None:
    data = b"a,b\n" + text.encode(encoding)

    assert read_in_turns(data, encoding) == read_one_by_one(data, encoding)


@given(st.binary(max_size=60), st.binary(max_size=60), st.sampled_from(["utf-8", "gb18030", "big5", "windows-1252"]))
def test_bytes_that_are_no_text_are_blamed_on_the_same_rows(before: bytes, after: bytes, encoding: str) -> None:
    data = b"a,b\n1,2\n" + before + b"\n3,4\n" + after

    assert read_in_turns(data, encoding) == read_one_by_one(data, encoding)


def test_what_breaks_off_gives_first_all_rows_before_it() -> None:
    data = gzip.compress(b"a,b\n" + b"1,2\n" * 20_000)[:-9]

    found = read_in_turns(data, "utf-8")

    assert found == read_one_by_one(data, "utf-8")
    assert found[-1] == "gzip-truncated"
    assert len(found) > 15_000


cells = st.tuples(
    st.sampled_from(["1", "2", "3", "x" * 65, "", "编号1", "'=1", " 4 "]),
    st.sampled_from(["S1", "S2", "", "'@1"]),
    st.sampled_from(["town", "", "nowhere"]),
    st.sampled_from(["visit", "reception", "nonsense", ""]),
    st.sampled_from(
        ["2026-03-01T09:00:00+08:00", "2026-03-01T09:00:00Z", "2026-03-01", "gestern", "", "1800-01-01T00:00Z"]
    ),
    st.sampled_from(["2026-03-01T09:30:00+08:00", "2026-03-01T00:00:00.000001+00:00", "", "never"]),
    st.sampled_from(["45", "0", "-1", "525601", "", "many"]),
    st.sampled_from(["farmers", "", "群众"]),
    st.sampled_from(["3", "", "100001"]),
    st.sampled_from(["", "110101001001", "村"]),
    st.sampled_from(["", "了解情况", "x" * 200, '"quoted, "', "two\nlines"]),
)
CONTACTS = (BUILT_IN / "lianxin-contacts.toml").read_text("utf-8")
CITIZENS = """
[fields.citizen_name]
column = "citizen_name"
"""
Told = tuple[list[tuple[int, RecordContact]], list[Finding], int]


def told_by_columns(text: str, profile: Profile) -> Told:
    """What is asked for by line, without the ids that are made; the remarks; how many rows are refused."""
    chunks = chunks_of(text, profile)
    asked = [(row.line, command) for chunk in chunks for row in chunk.rows for command in row.commands]
    for chunk in chunks:
        rows = chunk.plain or PlainRows("", "")
        asked += [(line, rows.command(place, new_id())) for place, line in enumerate(rows.lines)]
    findings = [finding for chunk in chunks for finding in chunk.findings]
    return without_ids(asked), findings, sum(chunk.refused_count for chunk in chunks)


def told_by_rows(text: str, profile: Profile) -> Told:
    reader = Reader(read_blocks(BytesIO(text.encode()), LIMITS), encoding="utf-8", delimiter=",")
    mapper = Mapper(profile, reader.header, correlation_id="test", new_id=new_id)
    mapped = [row if isinstance(row, Finding) else mapper.map(*row) for row in reader.rows()]
    asked: list[tuple[int, Command]] = []
    findings: list[Finding] = []
    for row in mapped:
        findings += [row] if isinstance(row, Finding) else row.findings
        asked += [] if isinstance(row, Finding) or row.is_refused else [(row.line, one) for one in row.commands]
    return without_ids(asked), findings, sum(isinstance(row, Finding) or row.is_refused for row in mapped)


def without_ids(asked: list[tuple[int, Command]]) -> list[tuple[int, RecordContact]]:
    contacts = [(line, command) for line, command in asked if isinstance(command, RecordContact)]
    assert len(contacts) == len(asked)
    return sorted(((line, replace(command, id=UUID(int=0))) for line, command in contacts), key=itemgetter(0))


def write_row(cells: Iterable[str]) -> str:
    line = StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()


@given(st.lists(cells, max_size=30), st.sampled_from(["", CITIZENS]))
@settings(max_examples=300)
def test_columns_give_what_rows_give(rows: list[tuple[str, ...]], more: str) -> None:
    profile = parse_profile(CONTACTS + more)
    lines = [write_row([*row, "王某" if number % 2 else ""] if more else row) for number, row in enumerate(rows)]
    text = "\n".join([f"{HEADER},citizen_name" if more else HEADER, *lines])

    assert told_by_columns(text, profile) == told_by_rows(text, profile)


def test_good_rows_are_read_together_and_others_between_them_as_ever() -> None:
    good = "{},S1,town,visit,2026-03-01T09:00:00+08:00,,45,farmers,3,,了解情况"
    rows = [good.format(number) for number in range(3_000)]
    rows[1_000] = rows[1_000].replace("visit", "nonsense")
    rows[2_000] = rows[2_000].replace("了解情况", '"two\nlines"')

    chunks = chunks_of("\n".join([HEADER, *rows]), parse_profile(CONTACTS))

    plain = {line for chunk in chunks if chunk.plain for line in chunk.plain.lines}
    by_row = {row.line for chunk in chunks for row in chunk.rows}
    assert len(plain) > 2_900
    assert not plain & by_row
    assert plain | by_row == {*range(2, 2_003), *range(2_004, 3_003)} - {1_002}
    assert [(finding.line, finding.code) for chunk in chunks for finding in chunk.findings] == [(1_002, "unknown-code")]
