"""LRMX, the XML of the cadre appointment form 3.0: one person a file, or a ZIP archive of such files."""

from collections.abc import Iterator
from typing import Final

from services.intake.importing.sandboxed import markup
from services.intake.importing.sandboxed.archives import unpack
from services.intake.importing.sandboxed.refusals import Refused
from services.intake.importing.sandboxed.rosters.persons import Person, Row, rows_of

ZIP: Final = b"PK\x03\x04"
MOST_FILES: Final = 5_000
LONGEST_FIELD: Final = 20_000
# Of 35 elements these: family, photograph and identity number are read past and stand in no variable.
TAKEN: Final = {
    "XingMing": "name",
    "ChuShengNianYue": "birth",
    "ChengBaoDanWei": "unit",
    "NianDuKaoHeJieGuo": "appraisals",
}


def read_lrmx(data: bytes) -> Iterator[Row]:
    """Raises Refused."""
    if not data.startswith(ZIP):
        return rows_of([read_person(data)])
    files = unpack(data, most_members=MOST_FILES)
    persons = [read_person(content) for name, content in sorted(files.items()) if name.lower().endswith(".lrmx")]
    if not persons:
        raise Refused("not-a-roster")
    return rows_of(persons)


def read_person(data: bytes) -> Person:
    """Raises Refused."""
    reader = _Reader()
    markup.walk(data, start=reader.start, end=reader.end, text=reader.text)
    if "name" not in reader.found:
        raise Refused("not-a-roster")
    found = {name: "".join(parts) for name, parts in reader.found.items()}
    return Person(
        name=found["name"],
        birth=found.get("birth", ""),
        unit=found.get("unit", ""),
        appraisals=found.get("appraisals", ""),
    )


class _Reader:
    """Hears what the parser says, and keeps the text of the wanted children of the root."""

    def __init__(self) -> None:
        self.found: dict[str, list[str]] = {}
        self._depth = 0
        self._field: str | None = None
        self._room = LONGEST_FIELD

    def start(self, name: str, _: dict[str, str]) -> None:
        self._depth += 1
        if self._depth == 1 and name != "Person":
            raise Refused("not-a-roster")
        self._field = TAKEN.get(name) if self._depth == 2 else None
        if self._field is not None:
            if self._field in self.found:
                raise Refused("roster-ambiguous")
            self.found[self._field] = []
            self._room = LONGEST_FIELD

    def end(self, _: str) -> None:
        self._depth -= 1
        self._field = None

    def text(self, text: str) -> None:
        if self._field is None:
            return
        self._room -= len(text)
        if self._room < 0:
            raise Refused("roster-field-too-long")
        self.found[self._field].append(text)
