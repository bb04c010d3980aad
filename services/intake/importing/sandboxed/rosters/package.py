"""The information package of civil servants: an archive of `gwyinfo.xml` and one XML file a table."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

from services.intake.importing.sandboxed import markup
from services.intake.importing.sandboxed.archives import unpack
from services.intake.importing.sandboxed.refusals import Refused
from services.intake.importing.sandboxed.rosters.persons import Person, Row, rows_of

MOST_MEMBERS: Final = 50_000  # a photograph a person, none of which is unpacked
LONGEST_FIELD: Final = 20_000
WANTED: Final = re.compile(r"(?:.*/)?(?:gwyinfo|table/(?:A01|A15|B01))\.xml", re.IGNORECASE)
YEAR: Final = re.compile(r"(?:19|20)[0-9]{2}", re.ASCII)
# Identity numbers (A0184), family (A36) and photographs (A57) are read past.
COLUMNS: Final[Mapping[str, frozenset[str]]] = {
    "A01": frozenset({"A0000", "A0101", "A0107", "B0111", "A15Z101"}),
    "A15": frozenset({"A0000", "A1521", "A1517"}),
    "B01": frozenset({"B0111", "B0101"}),
}
Table = list[dict[str, str]]


def read_package(data: bytes) -> Iterator[Row]:
    """Raises Refused."""
    files = unpack(data, most_members=MOST_MEMBERS, is_wanted=lambda name: WANTED.fullmatch(name) is not None)
    parts = {name.replace("\\", "/").rpartition("/")[2].lower(): content for name, content in files.items()}
    if len(parts) < len(files):
        raise Refused("roster-ambiguous")
    if "gwyinfo.xml" not in parts or "a01.xml" not in parts:
        raise Refused("not-a-roster")
    head = _read_head(parts["gwyinfo.xml"])
    tables = {
        name: _read_table(parts[f"{name.lower()}.xml"], columns)
        for name, columns in COLUMNS.items()
        if f"{name.lower()}.xml" in parts
    }
    return rows_of(_persons(tables, unit=head.get("B0101", "")))


def _persons(tables: Mapping[str, Table], *, unit: str) -> Iterator[Person]:
    units = {row.get("B0111", ""): row.get("B0101", "") for row in tables.get("B01", [])}
    results: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in tables.get("A15", []):
        year = YEAR.match(row.get("A1521", ""))
        results[row.get("A0000", "")].append((year[0] if year else "", row.get("A1517", "")))
    met: set[str] = set()
    for row in tables["A01"]:
        person_id = row.get("A0000", "")
        if not person_id or person_id in met:
            raise Refused("roster-ambiguous")
        met.add(person_id)
        yield Person(
            name=row.get("A0101", ""),
            birth=row.get("A0107", ""),
            unit=units.get(row.get("B0111", "")) or unit,
            appraisals=row.get("A15Z101", ""),
            results=results.get(person_id, []),
        )


def _read_head(data: bytes) -> dict[str, str]:
    head: dict[str, str] = {}

    def start(name: str, attributes: dict[str, str]) -> None:
        if name == "node":
            head[attributes.get("name", "")] = attributes.get("value", "")

    markup.walk(data, start=start)
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

    markup.walk(data, start=start)
    return rows
