"""Cadre files of three formats: what is wanted is read from each, and nothing else is taken, whatever they hold."""

from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.importing.chunks import read_chunks
from services.intake.importing.findings import FileRefused
from services.intake.importing.profile import load_profile
from services.intake.importing.sandboxed.refusals import Refused
from services.intake.importing.sandboxed.rosters.lrm import read_lrm
from services.intake.importing.sandboxed.rosters.lrmx import read_lrmx
from services.intake.importing.sandboxed.rosters.package import read_package
from services.intake.importing.sandboxed.rosters.persons import HEADER
from services.intake.importing.source import Limits
from shared.identifiers import new_id
from tests.unit.intake.import_files import codes_of
from tests.unit.intake.roster_files import (
    ROWS,
    SECRET_NUMBER,
    SECRETS,
    line_row,
    lrm,
    lrmx,
    package,
    post_row,
    rank_row,
    result_row,
    table,
)
from tests.unit.intake.workbooks import packed

READERS = {"lrmx": read_lrmx, "lrm": read_lrm, "civil-servants": read_package}
GOOD = {"lrmx": lrmx(), "lrm": lrm(), "civil-servants": package()}
HISTORIES = st.dictionaries(st.integers(1990, 2030), st.sampled_from(["优秀", "称职", "基本称职"]), max_size=40)
NAMES = st.text(alphabet="李王明芳欧阳·𠮷", min_size=1, max_size=6)


def refusal_of(kind: str, data: bytes) -> str:
    with pytest.raises(Refused) as refused:
        list(READERS[kind](data))
    return refused.value.code


@pytest.mark.parametrize("mark", [True, False])
@pytest.mark.parametrize("cdata", [True, False])
def test_an_lrmx_file_is_a_row_for_each_year_and_each_line_of_the_cv(*, mark: bool, cdata: bool) -> None:
    rows = list(read_lrmx(lrmx(mark=mark, cdata=cdata)))

    assert rows[0] == (1, HEADER, [])
    assert rows[1:] == [(1_001 + place, cells, []) for place, cells in enumerate(ROWS)]


def test_an_lrm_file_gives_the_same_rows() -> None:
    assert list(read_lrm(lrm())) == list(read_lrmx(lrmx()))


def test_a_package_gives_results_posts_ranks_and_lines() -> None:
    """The table of results counts before its text; a post without a level has the person's of that time."""
    rows = [cells for _, cells, _ in read_package(package())]
    li, wang = ["李明", "197003", "某县某镇", ""], ["王芳", "197512", "某县", ""]

    assert rows[1:] == [
        result_row(li, "2022", "1"),
        result_row(li, "2023", "5A"),
        post_row(li, "town", "某县某镇", "镇长", "141", "2015-03-01", ""),
        post_row(li, "009", "某县某局", "副局长", "142", "2010-05-01", "2015-02-28"),
        rank_row(li, "post_level", "142", "2008-01-01", "2015-02-28"),
        rank_row(li, "rank", "1A07", "2019-06-01", ""),
        line_row(li, "2015-03-01", "", "某县某镇镇长"),
        result_row(wang, "2023", "competent"),
        result_row(wang, "2024", "competent"),
    ]


@pytest.mark.parametrize("kind", ["lrmx", "civil-servants"])
def test_a_document_number_is_read_where_it_is_asked_for_alone(kind: str) -> None:
    told = [cells[3] for _, cells, _ in READERS[kind](GOOD[kind], documents=True)][1:]

    assert SECRET_NUMBER in told
    assert {cells[3] for _, cells, _ in READERS[kind](GOOD[kind])} == {HEADER[3], ""}


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("（无）", []),
        ("1998.09--2001.07  某校学生", [("1998-09-01", "2001-07-31", "某校学生")]),
        ("1998年9月—2001年7月，某校学生", [("1998-09-01", "2001-07-31", "某校学生")]),
        ("2001.07—至今 某局科员", [("2001-07-01", "", "某局科员")]),
        ("2001.07--         某局科员", [("2001-07-01", "", "某局科员")]),
        (
            "1998.09--2001.07  某校学生\n   （其间：2000.01--2000.06 实习）\n2001.07--  某局",
            [
                ("1998-09-01", "2001-07-31", "某校学生\n（其间：2000.01--2000.06 实习）"),
                ("2001-07-01", "", "某局"),
            ],
        ),
    ],
)
def test_the_lines_of_a_cv_have_their_months(text: str, lines: list[tuple[str, str, str]]) -> None:
    rows = list(read_lrmx(lrmx({"JianLi": text, "NianDuKaoHeJieGuo": ""})))

    assert [(cells[11], cells[12], cells[13]) for _, cells, _ in rows[1:]] == lines


@pytest.mark.parametrize(
    "text", ["某校学生", "2001.13--  某局", "2001.07--1998.09  某局", "2001.07--2002.07", "1998.09--  " + "x" * 2_001]
)
def test_a_cv_that_does_not_read_costs_its_lines_only(text: str) -> None:
    rows = list(read_lrmx(lrmx({"JianLi": text})))

    assert [cells for _, cells, faults in rows[1:] if not faults] == ROWS[:3]
    assert [faults for _, _, faults in rows[1:] if faults] == [[(13, "bad-cv")]]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"A0243": "二〇一五年"}, (11, "bad-day")),
        ({"A0243": ""}, (11, "bad-day")),
        ({"A0265": "20150231"}, (11, "bad-day")),
        ({"A0255": "0"}, (12, "ended-without-day")),
    ],
)
def test_a_post_without_its_days_is_a_fault_of_one_row(changes: dict[str, str], fault: tuple[int, str]) -> None:
    row = {"A0000": "P1", "A0201B": "x", "A0215A": "镇长", "A0221": "141", "A0243": "20150301", "A0255": "1"} | changes
    rows = list(read_package(package(**{"Table/A02.xml": table(row)})))

    assert [faults for _, cells, faults in rows[1:] if cells[4] == "post"] == [[fault]]


def test_whoever_is_removed_on_the_first_day_held_the_post_that_day() -> None:
    row = {"A0000": "P1", "A0201B": "x", "A0215A": "镇长", "A0221": "141", "A0243": "201503", "A0265": "201503"}
    rows = list(read_package(package(**{"Table/A02.xml": table(row)})))

    assert [cells[11:13] for _, cells, _ in rows if cells[4] == "post"] == [["2015-03-01", "2015-03-01"]]


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8", "utf-8-sig", "utf-16"])
def test_older_forms_are_read_in_whatever_encoding_they_are(encoding: str) -> None:
    assert list(read_lrm(lrm().decode("gb18030").encode(encoding))) == list(read_lrm(lrm()))


@pytest.mark.parametrize(
    ("encoding", "declared"), [("gb18030", "GB2312"), ("gb18030", "gbk"), ("utf-16", "UTF-16"), ("utf-8", "utf-8")]
)
def test_forms_are_read_in_the_encoding_that_they_declare(encoding: str, declared: str) -> None:
    text = lrmx(mark=False).decode().replace('encoding="utf-8"', f'encoding="{declared}"')

    assert list(read_lrmx(text.encode(encoding))) == list(read_lrmx(lrmx()))


def test_a_photograph_of_some_megabytes_is_read_past() -> None:
    rows = list(read_lrmx(lrmx({"ZhaoPian": "QUJD" * 1_000_000})))

    assert [cells for _, cells, _ in rows[1:]] == ROWS


def test_somebody_with_more_entries_than_anybody_has_is_refused_alone() -> None:
    posts = [{"A0000": "P1", "A0201B": "x", "A0243": "20150301"}] * 1_000
    rows = list(read_package(package(**{"Table/A02.xml": table(*posts)})))

    assert rows[1][2] == [(0, "too-many-entries")]
    assert [cells[0] for _, cells, _ in rows[2:]] == ["王芳", "王芳"]


@pytest.mark.parametrize("kind", READERS)
def test_family_photograph_and_identity_number_are_not_taken(kind: str) -> None:
    taken = repr(list(READERS[kind](GOOD[kind])))

    assert not [secret for secret in SECRETS if secret in taken]


def test_an_archive_of_forms_is_read_person_by_person() -> None:
    many = packed({"b/王.lrmx": lrmx({"XingMing": "王芳"}), "a/李.lrmx": lrmx(), "a/李.pic": b"x", "readme.txt": "x"})
    old = packed({"李.lrm": lrm(), "李.pic": b"\xff\xd8"})

    assert [(number, cells[0]) for number, cells, _ in read_lrmx(many)][1:] == [
        *((1_001 + place, "李明") for place in range(5)),
        *((2_001 + place, "王芳") for place in range(5)),
    ]
    assert len(list(read_lrm(old))) == 6


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"ChuShengNianYue": "七〇年三月"}, (1, "bad-birth-month")),
        ({"ChuShengNianYue": "197013"}, (1, "bad-birth-month")),
        ({"XingMing": " "}, (0, "no-name")),
        ({"NianDuKaoHeJieGuo": "2019年优异"}, (5, "bad-appraisals")),
    ],
)
def test_what_does_not_read_is_a_fault_of_one_row(changes: dict[str, str], fault: tuple[int, str]) -> None:
    rows = list(read_lrmx(lrmx({"JianLi": "", **changes})))

    assert [faults for _, _, faults in rows[1:]] == [[fault]]


@pytest.mark.parametrize("birth", ["197003", "19700307", "1970.03", "1970-03-07", "1970年3月".replace("3", "03")])
def test_months_of_birth_come_in_many_forms(birth: str) -> None:
    assert {cells[1] for _, cells, _ in read_lrmx(lrmx({"ChuShengNianYue": birth}))} == {HEADER[1], "197003"}


@pytest.mark.parametrize(
    ("kind", "data", "code"),
    [
        ("lrmx", b"", "xml-broken"),
        ("lrmx", lrmx()[:-20], "xml-broken"),
        ("lrmx", lrmx().decode("utf-8-sig").encode("gb18030"), "xml-encoding"),
        ("lrmx", lrmx().replace(b'encoding="utf-8"', b'encoding="utf-16"'), "xml-encoding"),
        ("lrmx", lrmx(mark=False).replace(b'encoding="utf-8"', b'encoding="x-own"'), "xml-encoding"),
        ("lrmx", lrmx().decode("utf-8-sig").encode("utf-16")[:-1], "xml-encoding"),
        ("lrmx", b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><Person><XingMing>x</XingMing></Person>', "xml-doctype"),
        ("lrmx", b"<Persons><XingMing>x</XingMing></Persons>", "not-a-roster"),
        ("lrmx", b"<Person><Item><XingMing>x</XingMing></Item></Person>", "not-a-roster"),
        ("lrmx", b"<Person><XingMing>x</XingMing><XingMing>y</XingMing></Person>", "roster-ambiguous"),
        ("lrmx", b"<Person><XingMing>" + b"x" * 100_000 + b"</XingMing></Person>", "roster-field-too-long"),
        ("lrmx", b'<!DOCTYPE a [<!ENTITY b "c">]><Person><XingMing>&b;</XingMing></Person>', "xml-doctype"),
        ("lrmx", b"<Person>" + b"<x>" * 5_000 + b"</x>" * 5_000 + b"</Person>", "xml-too-deep"),
        ("lrmx", packed({"a.txt": "x"}), "not-a-roster"),
        ("lrmx", packed({"../a.lrmx": lrmx()}), "archive-names"),
        ("lrm", b"", "not-a-roster"),
        ("lrm", b'"\xff\xff\xff"', "roster-encoding"),
        ("lrm", lrm()[:200], "not-a-roster"),
        ("lrm", b'"a","b"', "not-a-roster"),
        ("lrm", b'"' + b'","' * 10_000 + b'"', "not-a-roster"),
        ("lrm", lrm(appraisals="x" * 30_000), "roster-field-too-long"),
        ("civil-servants", b"", "archive-broken"),
        ("civil-servants", packed({"Table/A01.xml": table()}), "not-a-roster"),
        ("civil-servants", package(**{"Table/A01.xml": "<xml>"}), "xml-broken"),
        ("civil-servants", package(**{"Table/A01.xml": table({"A0000": "1"}, {"A0000": "1"})}), "roster-ambiguous"),
        ("civil-servants", package(**{"Table/A01.xml": table({"A0101": "无号"})}), "roster-ambiguous"),
        ("civil-servants", package(**{"other/gwyinfo.xml": "<root/>"}), "roster-ambiguous"),
        ("civil-servants", package(**{"Table/A02.xml": table({"A0000": "P9"})}), "roster-strangers"),
        ("civil-servants", package(**{"Table/A02.xml": "<!DOCTYPE a []><xml/>"}), "xml-doctype"),
        ("civil-servants", package(**{"Table/A05.xml": b"\xd6\xd0\xce\xc4"}), "xml-encoding"),
        ("civil-servants", package(**{"Table/A15.xml": "<!DOCTYPE a []><xml/>"}), "xml-doctype"),
    ],
)
def test_files_that_are_no_cadre_files_are_refused(kind: str, data: bytes, code: str) -> None:
    assert refusal_of(kind, data) == code


def test_a_package_that_unpacks_to_a_hundred_times_as_much_is_refused() -> None:
    assert refusal_of("civil-servants", package(**{"Table/A02.xml": "<xml>" + " " * 60_000_000})) == "archive-ratio"


@settings(deadline=None)
@given(
    name=NAMES,
    years=st.dictionaries(st.integers(1990, 2030), st.sampled_from(["优秀", "称职", "基本称职"]), max_size=40),
)
def test_both_forms_of_a_person_read_alike(name: str, years: dict[int, str]) -> None:
    text = "，".join(f"{year}年年度考核为{grade}" for year, grade in years.items())

    rows = list(read_lrmx(lrmx({"XingMing": name, "NianDuKaoHeJieGuo": text})))

    assert rows == list(read_lrm(lrm(name=name, appraisals=text)))
    assert [cells[5] for _, cells, _ in rows[1:] if cells[4] == "appraisal"] == [str(year) for year in sorted(years)]


@settings(deadline=None)
@given(st.binary(max_size=400), st.sampled_from(sorted(READERS)))
def test_no_bytes_bring_a_reader_down(data: bytes, kind: str) -> None:
    try:
        list(READERS[kind](data))
    except Refused:
        return


@pytest.mark.parametrize("kind", READERS)
def test_every_format_goes_the_way_of_an_import_behind_the_walls(kind: str) -> None:
    limits = Limits(most_bytes=1 << 20)

    (chunk,) = read_chunks(BytesIO(GOOD[kind]), load_profile(kind), limits, correlation_id="t", new_id=new_id)

    assert codes_of(chunk.findings) == []
    assert chunk.rows_read == {"lrmx": 5, "lrm": 5, "civil-servants": 9}[kind]
    assert sum(bool(row.commands) for row in chunk.rows) == chunk.rows_read


def test_a_hundred_megabytes_of_text_are_not_even_handed_over() -> None:
    data = b"<Person><XingMing>" + b"x" * 100_000_000
    limits = Limits(most_bytes=1 << 20)

    with pytest.raises(FileRefused) as refused:
        list(read_chunks(BytesIO(data), load_profile("lrmx"), limits, correlation_id="t", new_id=new_id))

    assert refused.value.code == "sheet-too-large"
