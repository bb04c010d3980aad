"""LRM 2.0, the text of the older appointment form: quoted values in a fixed order, in the national encoding."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from services.intake.importing.sandboxed.archives import unpack
from services.intake.importing.sandboxed.refusals import Refused
from services.intake.importing.sandboxed.rosters.persons import Person, Row, rows_of

ZIP: Final = b"PK\x03\x04"
MOST_FILES: Final = 10_000  # each form has its photograph beside it
SEPARATOR: Final = '","'
NAME, BIRTH, CAREER, APPRAISALS, UNIT = 0, 2, 17, 19, 29
LEAST_VALUES, MOST_VALUES = 30, 40
LONGEST_FIELD: Final = 20_000
MARKS: Final = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
SURE_BYTES: Final = 30  # so many bytes of GB 18030 are UTF-8 by no accident


def read_lrm(data: bytes, *, documents: bool = False) -> Iterator[Row]:  # noqa: ARG001 - the form holds none
    """Raises Refused."""
    if not data.startswith(ZIP):
        return rows_of([read_person(data)])
    files = unpack(data, most_members=MOST_FILES, is_wanted=lambda name: name.lower().endswith(".lrm"))
    if not files:
        raise Refused("not-a-roster")
    return rows_of([read_person(content) for _, content in sorted(files.items())])


def read_person(data: bytes) -> Person:
    """Raises Refused."""
    text = _decode(data).strip()
    if len(text) < 2 or not (text.startswith('"') and text.endswith('"')):
        raise Refused("not-a-roster")
    values = text[1:-1].split(SEPARATOR)
    if not LEAST_VALUES <= len(values) <= MOST_VALUES:
        raise Refused("not-a-roster")
    taken = [values[place].strip() for place in (NAME, BIRTH, UNIT, APPRAISALS, CAREER)]
    if max(map(len, taken)) > LONGEST_FIELD:
        raise Refused("roster-field-too-long")
    # "@" and "#" part the blocks of education and family, of which nothing is taken.
    return Person(name=taken[0], birth=taken[1], unit=taken[2], appraisals=taken[3], career=taken[4])


def _decode(data: bytes) -> str:
    """Other encodings than the national one are told by their mark, or by holding together over a whole form.

    Raises Refused.
    """
    marked = next((encoding for mark, encoding in MARKS.items() if data.startswith(mark)), None)
    try:
        if marked is not None:
            return data.decode(marked)
        if sum(byte >= 0x80 for byte in data) >= SURE_BYTES:
            with suppress(UnicodeDecodeError):
                return data.decode("utf-8")
        return data.decode("gb18030")
    except UnicodeDecodeError:
        raise Refused("roster-encoding") from None
