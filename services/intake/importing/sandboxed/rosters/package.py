"""The information package of civil servants: an archive of `gwyinfo.xml` and one XML file a table."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

from services.intake.importing.sandboxed import markup
from services.intake.importing.sandboxed.archives import unpack
from services.intake.importing.sandboxed.refusals import Refused
from services.intake.importing.sandboxed.rosters.persons import Person, Post, Rank, Row, rows_of

MOST_MEMBERS: Final = 50_000  # a photograph a person, none of which is unpacked
LONGEST_FIELD: Final = 20_000
WANTED: Final = re.compile(r"(?:.*[/\\])?(?:gwyinfo|table[/\\](?:A01|A02|A05|A15|B01))\.xml", re.IGNORECASE)
YEAR: Final = re.compile(r"(?:19|20)[0-9]{2}", re.ASCII)
# Family (A36) and photographs (A57) are read past; the identity number is, where the profile does not take it.
COLUMNS: Final[Mapping[str, frozenset[str]]] = {
    "A01": frozenset({"A0000", "A0101", "A0107", "B0111", "A15Z101", "A1701"}),
    "A02": frozenset({"A0000", "A0201A", "A0201B", "A0215A", "A0221", "A0243", "A0255", "A0265"}),
    "A05": frozenset({"A0000", "A0531", "A0501B", "A0504", "A0517", "A0524"}),
    "A15": frozenset({"A0000", "A1521", "A1517"}),
    "B01": frozenset({"B0111", "B0101", "B0114"}),
}
DOCUMENT: Final = "A0184"
LADDERS: Final = {"0": "post_level", "1": "rank"}  # A0531
OVER: Final = "0"  # A0255 and A0524: 1 stands, 0 is over
Table = list[dict[str, str]]


def read_package(data: bytes, *, documents: bool = False) -> Iterator[Row]:
    """Raises Refused."""
    files = unpack(data, most_members=MOST_MEMBERS, is_wanted=lambda name: WANTED.fullmatch(name) is not None)
    parts = {name.replace("\\", "/").rpartition("/")[2].lower(): content for name, content in files.items()}
    if len(parts) < len(files):
        raise Refused("roster-ambiguous")
    if "gwyinfo.xml" not in parts or "a01.xml" not in parts:
        raise Refused("not-a-roster")
    head = _read_head(parts["gwyinfo.xml"])
    tables = {
        name: _read_table(parts[f"{name.lower()}.xml"], columns | {DOCUMENT} if documents else columns)
        for name, columns in COLUMNS.items()
        if f"{name.lower()}.xml" in parts
    }
    return rows_of(_persons(tables, unit=head.get("B0101", "")))


def _persons(tables: Mapping[str, Table], *, unit: str) -> Iterator[Person]:
    units = {row.get("B0111", ""): row for row in tables.get("B01", [])}
    results, posts, ranks = (_by_person(tables.get(name, [])) for name in ("A15", "A02", "A05"))
    met: set[str] = set()
    for row in tables["A01"]:
        person_id = row.get("A0000", "")
        if not person_id or person_id in met:
            raise Refused("roster-ambiguous")
        met.add(person_id)
        levels = [_rank(one) for one in ranks[person_id]]
        yield Person(
            name=row.get("A0101", ""),
            birth=row.get("A0107", ""),
            unit=units.get(row.get("B0111", ""), {}).get("B0101", "") or unit,
            document=row.get(DOCUMENT, ""),
            appraisals=row.get("A15Z101", ""),
            career=row.get("A1701", ""),
            results=[_result(one) for one in results[person_id]],
            posts=[_post(one, units, levels) for one in posts[person_id]],
            ranks=levels,
        )
    if (results.keys() | posts.keys() | ranks.keys()) - met:
        raise Refused("roster-strangers")


def _by_person(table: Table) -> defaultdict[str, Table]:
    rows: defaultdict[str, Table] = defaultdict(list)
    for row in table:
        rows[row.get("A0000", "")].append(row)
    return rows


def _result(row: Mapping[str, str]) -> tuple[str, str]:
    year = YEAR.match(row.get("A1521", ""))
    return year[0] if year else "", row.get("A1517", "")


def _rank(row: Mapping[str, str]) -> Rank:
    return Rank(
        entry=LADDERS.get(row.get("A0531", ""), "rank"),
        code=row.get("A0501B", ""),
        since=row.get("A0504", ""),
        until=row.get("A0517", ""),
        is_over=row.get("A0524") == OVER,
    )


def _post(row: Mapping[str, str], units: Mapping[str, Mapping[str, str]], levels: list[Rank]) -> Post:
    """The unit's own code and name stand in B01. Where the post tells no level, the person's of that time is meant."""
    unit = units.get(row.get("A0201B", ""), {})
    since = row.get("A0243", "")
    return Post(
        code=unit.get("B0114", "") or row.get("A0201B", ""),
        organisation=row.get("A0201A", "") or unit.get("B0101", ""),
        title=row.get("A0215A", ""),
        level=row.get("A0221", "") or _level_at(levels, since),
        since=since,
        until=row.get("A0265", ""),
        is_over=row.get("A0255") == OVER,
    )


def _level_at(levels: list[Rank], since: str) -> str:
    """Months and days as digits compare as texts do."""
    at = _digits(since)
    found = [
        level.code
        for level in levels
        if level.entry == "post_level"
        and _digits(level.since)[: len(at)] <= at
        and (not level.until.strip() or at < _digits(level.until)[: len(at)])
    ]
    return found[0] if len(set(found)) == 1 else ""


def _digits(text: str) -> str:
    return re.sub(r"[^0-9]", "", text)[:8]


def _read_head(data: bytes) -> dict[str, str]:
    head: dict[str, str] = {}

    def start(name: str, attributes: dict[str, str]) -> None:
        if name == "node":
            head[attributes.get("name", "")] = attributes.get("value", "")

    markup.walk(markup.as_utf8(data), start=start)
    return head


def _read_table(data: bytes, columns: frozenset[str]) -> Table:
    rows: Table = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if name != "row":
            return
        taken = {column: value for column, value in attributes.items() if column in columns}
        if any(len(value) > LONGEST_FIELD for value in taken.values()):
            raise Refused("roster-field-too-long")
        rows.append(taken)

    markup.walk(markup.as_utf8(data), start=start)
    return rows
