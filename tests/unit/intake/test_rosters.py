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
from tests.unit.intake.roster_files import RESULTS, SECRETS, lrm, lrmx, package, table
from tests.unit.intake.workbooks import packed

WHO = ["李明", "197003", "某县委组织部"]
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
def test_an_lrmx_file_is_a_row_for_each_year(*, mark: bool, cdata: bool) -> None:
    rows = list(read_lrmx(lrmx(mark=mark, cdata=cdata)))

    assert rows[0] == (1, HEADER, [])
    assert rows[1:] == [(1_001 + place, [*WHO, *result], []) for place, result in enumerate(RESULTS)]


def test_an_lrm_file_gives_the_same_rows() -> None:
    assert list(read_lrm(lrm())) == list(read_lrmx(lrmx()))


def test_a_package_takes_its_table_of_results_before_its_text() -> None:
    rows = [cells for _, cells, _ in read_package(package())]

    assert rows[1:] == [
        ["李明", "197003", "某县某镇", "2022", "1"],
        ["李明", "197003", "某县某镇", "2023", "5A"],
        ["王芳", "197512", "某县", "2023", "competent"],
        ["王芳", "197512", "某县", "2024", "competent"],
    ]


@pytest.mark.parametrize("kind", READERS)
def test_family_photograph_and_identity_number_are_not_taken(kind: str) -> None:
    taken = repr(list(READERS[kind](GOOD[kind])))

    assert not [secret for secret in SECRETS if secret in taken]


def test_an_archive_of_forms_is_read_person_by_person() -> None:
    many = packed({"b/王.lrmx": lrmx({"XingMing": "王芳"}), "a/李.lrmx": lrmx(), "a/李.pic": b"x", "readme.txt": "x"})
    old = packed({"李.lrm": lrm(), "李.pic": b"\xff\xd8"})

    assert [(number, cells[0]) for number, cells, _ in read_lrmx(many)][1:] == [
        *((1_001 + place, "李明") for place in range(3)),
        *((2_001 + place, "王芳") for place in range(3)),
    ]
    assert len(list(read_lrm(old))) == 4


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"ChuShengNianYue": "七〇年三月"}, (1, "bad-birth-month")),
        ({"ChuShengNianYue": "197013"}, (1, "bad-birth-month")),
        ({"XingMing": " "}, (0, "no-name")),
        ({"NianDuKaoHeJieGuo": "2019年优异"}, (3, "bad-appraisals")),
    ],
)
def test_what_does_not_read_is_a_fault_of_one_row(changes: dict[str, str], fault: tuple[int, str]) -> None:
    rows = list(read_lrmx(lrmx(changes)))

    assert [faults for _, _, faults in rows[1:]] == [[fault]]


@pytest.mark.parametrize("birth", ["197003", "19700307", "1970.03", "1970-03-07", "1970年3月".replace("3", "03")])
def test_months_of_birth_come_in_many_forms(birth: str) -> None:
    assert {cells[1] for _, cells, _ in read_lrmx(lrmx({"ChuShengNianYue": birth}))} == {HEADER[1], "197003"}


@pytest.mark.parametrize(
    ("kind", "data", "code"),
    [
        ("lrmx", b"", "xml-broken"),
        ("lrmx", lrmx()[:-20], "xml-broken"),
        ("lrmx", lrmx().decode("utf-8-sig").encode("gb18030"), "xml-broken"),
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
        ("civil-servants", package(**{"Table/A15.xml": "<!DOCTYPE a []><xml/>"}), "xml-doctype"),
    ],
)
def test_files_that_are_no_cadre_files_are_refused(kind: str, data: bytes, code: str) -> None:
    assert refusal_of(kind, data) == code


@settings(deadline=None)
@given(
    name=NAMES,
    years=st.dictionaries(st.integers(1990, 2030), st.sampled_from(["优秀", "称职", "基本称职"]), max_size=40),
)
def test_both_forms_of_a_person_read_alike(name: str, years: dict[int, str]) -> None:
    text = "，".join(f"{year}年年度考核为{grade}" for year, grade in years.items())

    rows = list(read_lrmx(lrmx({"XingMing": name, "NianDuKaoHeJieGuo": text})))

    assert rows == list(read_lrm(lrm(name=name, appraisals=text)))
    assert [cells[3] for _, cells, _ in rows[1:]] == [str(year) for year in sorted(years)]


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
    assert chunk.rows_read in {3, 4}


def test_a_hundred_megabytes_of_text_are_not_even_handed_over() -> None:
    data = b"<Person><XingMing>" + b"x" * 100_000_000
    limits = Limits(most_bytes=1 << 20)

    with pytest.raises(FileRefused) as refused:
        list(read_chunks(BytesIO(data), load_profile("lrmx"), limits, correlation_id="t", new_id=new_id))

    assert refused.value.code == "sheet-too-large"
