"""What is taken of a person in a cadre file, and the rows that an import sees of it. All else is not even kept."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from services.intake.domain.appraisals import NotReadable, read_appraisals

HEADER: Final = ["姓名", "出生年月", "填报单位", "考核年度", "考核等次"]
NAME, BIRTH, _UNIT, YEAR, _GRADE = range(5)
ROWS_A_PERSON: Final = 1_000  # row 3002 is the second of the third person: numbers only grow, as an import needs
BAD_BIRTH, BAD_APPRAISALS, NO_NAME = "bad-birth-month", "bad-appraisals", "no-name"
MONTH: Final = re.compile(r"((?:19|20)[0-9]{2})[.年/-]?(0[1-9]|1[0-2])(?:[.月/-]?(?:[0-2][0-9]|3[01])?日?)?", re.ASCII)
Row = tuple[int, list[str], list[tuple[int, str]]]


@dataclass(slots=True, kw_only=True)
class Person:
    """`results` are (year, grade) as a table has them; `appraisals` is the text, which counts where there is none."""

    name: str
    birth: str
    unit: str
    appraisals: str = ""
    results: list[tuple[str, str]] = field(default_factory=list)


def rows_of(persons: Iterable[Person]) -> Iterator[Row]:
    yield 1, HEADER, []
    for number, person in enumerate(persons, 1):
        yield from _rows_of_one(number * ROWS_A_PERSON, person)


def _rows_of_one(first: int, person: Person) -> Iterator[Row]:
    name = re.sub(r"\s+", "", unicodedata.normalize("NFC", person.name))  # 李　明: two characters are often spread
    month = MONTH.fullmatch(person.birth.strip())
    who = [name, f"{month[1]}{month[2]}" if month else "", person.unit.strip()]
    if not name or month is None:
        yield first + 1, [*who, "", ""], [(BIRTH, BAD_BIRTH) if name else (NAME, NO_NAME)]
        return
    try:
        results = person.results or [(str(one.year), one.grade) for one in read_appraisals(person.appraisals)]
    except NotReadable:
        yield first + 1, [*who, "", ""], [(YEAR, BAD_APPRAISALS)]
        return
    for place, (year, grade) in enumerate(results[: ROWS_A_PERSON - 1], 1):
        yield first + place, [*who, year, grade], []
