"""LRMX, the XML of the cadre appointment form 3.0: one person a file, or a ZIP archive of such files."""

from collections.abc import Iterator, Mapping
from typing import Final

from services.intake.importing.sandboxed import markup
from services.intake.importing.sandboxed.archives import unpack
from services.intake.importing.sandboxed.refusals import Refused
from services.intake.importing.sandboxed.rosters.persons import Person, Row, rows_of

ZIP: Final = b"PK\x03\x04"
MOST_FILES: Final = 5_000
LONGEST_FIELD: Final = 20_000
# Of 35 elements these: family and photograph are read past and stand in no variable.
TAKEN: Final = {
    "XingMing": "name",
    "ChuShengNianYue": "birth",
    "ChengBaoDanWei": "unit",
    "NianDuKaoHeJieGuo": "appraisals",
    "JianLi": "career",
}
DOCUMENT: Final = {"ShenFenZheng": "document"}  # where the profile takes it


def read_lrmx(data: bytes, *, documents: bool = False) -> Iterator[Row]:
    """Raises Refused."""
    taken = TAKEN | DOCUMENT if documents else TAKEN
    if not data.startswith(ZIP):
        return rows_of([read_person(data, taken)])
    files = unpack(data, most_members=MOST_FILES, is_wanted=lambda name: name.lower().endswith(".lrmx"))
    if not files:
        raise Refused("not-a-roster")
    return rows_of([read_person(content, taken) for _, content in sorted(files.items())])


def read_person(data: bytes, taken: Mapping[str, str]) -> Person:
    """Raises Refused."""
    reader = _Reader(taken)
    markup.walk(markup.as_utf8(data), start=reader.start, end=reader.end, text=reader.text)
    if "name" not in reader.found:
        raise Refused("not-a-roster")
    found = {name: "".join(parts) for name, parts in reader.found.items()}
    return Person(
        name=found["name"],
        birth=found.get("birth", ""),
        unit=found.get("unit", ""),
        document=found.get("document", ""),
        appraisals=found.get("appraisals", ""),
        career=found.get("career", ""),
    )


class _Reader:
    """Hears what the parser says, and keeps the text of the wanted children of the root."""

    def __init__(self, taken: Mapping[str, str]) -> None:
        self._taken = taken
        self.found: dict[str, list[str]] = {}
        self._depth = 0
        self._field: str | None = None
        self._room = LONGEST_FIELD

    def start(self, name: str, _: dict[str, str]) -> None:
        self._depth += 1
        if self._depth == 1 and name != "Person":
            raise Refused("not-a-roster")
        self._field = self._taken.get(name) if self._depth == 2 else None
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
