"""LRM 2.0, the text of the older appointment form: quoted values in a fixed order, in the national encoding."""

from collections.abc import Iterator
from typing import Final

from services.intake.importing.sandboxed.archives import unpack
from services.intake.importing.sandboxed.refusals import Refused
from services.intake.importing.sandboxed.rosters.persons import Person, Row, rows_of

ZIP: Final = b"PK\x03\x04"
MOST_FILES: Final = 10_000  # each form has its photograph beside it
SEPARATOR: Final = '","'
NAME, BIRTH, APPRAISALS, UNIT = 0, 2, 19, 29
LEAST_VALUES, MOST_VALUES = 30, 40
LONGEST_FIELD: Final = 20_000


def read_lrm(data: bytes) -> Iterator[Row]:
    """Raises Refused."""
    if not data.startswith(ZIP):
        return rows_of([read_person(data)])
    files = unpack(data, most_members=MOST_FILES, is_wanted=lambda name: name.lower().endswith(".lrm"))
    if not files:
        raise Refused("not-a-roster")
    return rows_of([read_person(content) for _, content in sorted(files.items())])


def read_person(data: bytes) -> Person:
    """Raises Refused."""
    try:
        text = data.decode("gb18030").strip()
    except UnicodeDecodeError:
        raise Refused("roster-encoding") from None
    if len(text) < 2 or not (text.startswith('"') and text.endswith('"')):
        raise Refused("not-a-roster")
    values = text[1:-1].split(SEPARATOR)
    if not LEAST_VALUES <= len(values) <= MOST_VALUES:
        raise Refused("not-a-roster")
    taken = [values[place].strip() for place in (NAME, BIRTH, UNIT, APPRAISALS)]
    if max(map(len, taken)) > LONGEST_FIELD:
        raise Refused("roster-field-too-long")
    # "@" and "#" part the blocks of education and family, of which nothing is taken.
    return Person(name=taken[0], birth=taken[1], unit=taken[2], appraisals=taken[3])
