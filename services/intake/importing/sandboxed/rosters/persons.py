"""What is taken of a person in a cadre file, and the rows that an import sees of it. All else is not even kept."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from services.intake.domain.appraisals import NotReadable, read_appraisals
from services.intake.importing.sandboxed.rosters.careers import BadCareer, BadDay, read_career, read_day, read_last_day

HEADER: Final = [
    "姓名",
    "出生年月",
    "填报单位",
    "证件号码",
    "条目",
    "考核年度",
    "考核等次",
    "机构代码",
    "机构名称",
    "职务名称",
    "层次代码",
    "起始日期",
    "终止日期",
    "文字",
]
NAME, BIRTH, ENTRY, YEAR, GRADE = 0, 1, 4, 5, 6
CODE, ORGANISATION, TITLE, LEVEL, FROM, UNTIL, TEXT = range(7, 14)
ROWS_A_PERSON: Final = 1_000  # row 3002 is the second of the third person: numbers only grow, as an import needs
BAD_BIRTH, BAD_APPRAISALS, BAD_CAREER, BAD_DAY = "bad-birth-month", "bad-appraisals", "bad-cv", "bad-day"
NO_NAME, NO_END, TOO_MANY = "no-name", "ended-without-day", "too-many-entries"
MONTH: Final = re.compile(r"((?:19|20)[0-9]{2})[.年/-]?(0[1-9]|1[0-2])(?:[.月/-]?(?:[0-2][0-9]|3[01])?日?)?", re.ASCII)
Row = tuple[int, list[str], list[tuple[int, str]]]
Entry = tuple[dict[int, str], list[tuple[int, str]]]


@dataclass(slots=True, kw_only=True)
class Post:
    """A post as a table has it. `until` is the day of the removal, and `is_over` that there was one."""

    code: str
    organisation: str
    title: str
    level: str
    since: str
    until: str
    is_over: bool


@dataclass(slots=True, kw_only=True)
class Rank:
    """`entry` says of which ladder the code is: of levels of posts, or of ranks beside them."""

    entry: str
    code: str
    since: str
    until: str
    is_over: bool


@dataclass(slots=True, kw_only=True)
class Person:
    """`results` are (year, grade) as a table has them; `appraisals` is the text, which counts where there is none."""

    name: str
    birth: str
    unit: str
    document: str = ""
    appraisals: str = ""
    career: str = ""
    results: list[tuple[str, str]] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    ranks: list[Rank] = field(default_factory=list)


def rows_of(persons: Iterable[Person]) -> Iterator[Row]:
    yield 1, HEADER, []
    for number, person in enumerate(persons, 1):
        yield from _rows_of_one(number * ROWS_A_PERSON, person)


def _rows_of_one(first: int, person: Person) -> Iterator[Row]:
    name = re.sub(r"\s+", "", unicodedata.normalize("NFC", person.name))  # 李　明: two characters are often spread
    month = MONTH.fullmatch(person.birth.strip())
    who = [name, f"{month[1]}{month[2]}" if month else "", person.unit.strip(), person.document.strip()]
    blank = [""] * (len(HEADER) - len(who))
    if not name or month is None:
        yield first + 1, [*who, *blank], [(BIRTH, BAD_BIRTH) if name else (NAME, NO_NAME)]
        return
    entries = [*_appraisals(person), *map(_post, person.posts), *map(_rank, person.ranks), *_career(person)]
    if len(entries) >= ROWS_A_PERSON:
        yield first + 1, [*who, *blank], [(NAME, TOO_MANY)]
        return
    for place, (told, faults) in enumerate(entries, 1):
        cells = [*who, *blank]
        for column, text in told.items():
            cells[column] = text
        yield first + place, cells, faults


def _appraisals(person: Person) -> list[Entry]:
    try:
        results = person.results or [(str(one.year), one.grade) for one in read_appraisals(person.appraisals)]
    except NotReadable:
        return [({ENTRY: "appraisal"}, [(YEAR, BAD_APPRAISALS)])]
    return [({ENTRY: "appraisal", YEAR: year, GRADE: grade}, []) for year, grade in results]


def _post(post: Post) -> Entry:
    days, faults = _days(post.since, post.until, is_over=post.is_over)
    told = {CODE: post.code, ORGANISATION: post.organisation, TITLE: post.title, LEVEL: post.level}
    return {ENTRY: "post", **{place: text.strip() for place, text in told.items()}, **days}, faults


def _rank(rank: Rank) -> Entry:
    days, faults = _days(rank.since, rank.until, is_over=rank.is_over)
    return {ENTRY: rank.entry, LEVEL: rank.code.strip(), **days}, faults


def _days(since: str, until: str, *, is_over: bool) -> tuple[dict[int, str], list[tuple[int, str]]]:
    """The first and the last day. Whoever was removed on a day held the post until the day before."""
    try:
        first = read_day(since)
        last = read_last_day(until, first) if until.strip() else ""
    except BadDay:
        return {}, [(FROM, BAD_DAY)]
    if is_over and not last:
        return {FROM: first}, [(UNTIL, NO_END)]
    return {FROM: first, UNTIL: last}, []


def _career(person: Person) -> list[Entry]:
    try:
        lines = read_career(person.career)
    except BadCareer:
        return [({ENTRY: "cv"}, [(TEXT, BAD_CAREER)])]
    return [({ENTRY: "cv", FROM: first, UNTIL: last, TEXT: text}, []) for first, last, text in lines]
