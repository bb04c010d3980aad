"""Workbooks as they come: what is good in them is read like a CSV file, and what no import needs is refused by name."""

import stat
import subprocess
import sys
import zipfile
from io import BytesIO

import pytest

from services.intake.domain.commands.issues import ReceiveIssue
from services.intake.importing.chunks import read_chunks
from services.intake.importing.findings import FileRefused, Finding
from services.intake.importing.sandbox import REASONS, ROOT, read_sandboxed
from services.intake.importing.sandboxed.refusals import Refused
from services.intake.importing.sandboxed.sheets import read_sheet
from services.intake.importing.sheets import Sheet, SheetLimits
from services.intake.importing.source import Limits
from shared.identifiers import new_id
from tests.unit.intake.import_files import HEADER, ROW, codes_of, issues_profile
from tests.unit.intake.workbooks import DAY_STYLE, TIME_STYLE, Raw, packed, parts_of, sheet, styled, workbook

SMALL = SheetLimits(most_rows=100, most_columns=10)
GOOD = [["a", "b"], ["1", "2"]]
DOCTYPE = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'


def rows_of(data: bytes, *, name: str | None = None, wanted: tuple[str, ...] = ("a", "b")) -> list[object]:
    def place(header: list[str]) -> tuple[dict[str, int], list[str], list[str]]:
        found = {column: header.index(column) for column in wanted if column in header}
        return found, [column for column in wanted if column not in found], []

    return list(Sheet(BytesIO(data), SMALL, place=place, name=name).rows())


def refusal_of(data: bytes, *, name: str | None = None) -> str:
    """What the reading process says, asked without its walls; a few tests below go through them."""
    with pytest.raises(Refused) as refused:
        list(read_sheet(data, most_rows=SMALL.most_rows, most_columns=SMALL.most_columns, name=name))
    assert refused.value.code in REASONS
    return refused.value.code


def import_refusal(data: bytes, limits: SheetLimits = SMALL) -> str:
    """What the import as a whole says, which knows a file by its content."""
    profile = issues_profile()
    with pytest.raises(FileRefused) as refused:
        list(
            read_chunks(
                BytesIO(data), profile, Limits(most_bytes=1 << 20, sheets=limits), correlation_id="t", new_id=new_id
            )
        )
    return refused.value.code


def test_texts_numbers_truths_and_times_come_as_they_look() -> None:
    data = workbook(
        [
            ["a", "b", "c", "d", "e", "f"],
            ["甲\n乙", 12, 0.1 + 0.2, True, styled(45717, DAY_STYLE), styled(45717.395833333336, TIME_STYLE)],
        ]
    )

    assert rows_of(data) == [(2, ["甲\n乙", "12", "0.3", "true", "2025-03-01", "2025-03-01 09:30:00"])]


def test_rows_keep_the_numbers_of_the_sheet_and_blank_ones_are_none() -> None:
    assert rows_of(workbook([["a", "b"], [], ["1", ""], [None, None], ["3", "4"]])) == [(3, ["1", ""]), (5, ["3", "4"])]


def test_a_title_above_the_header_is_no_header() -> None:
    assert rows_of(workbook([["某县工单导出表"], ["制表：", "某某"], *GOOD])) == [(4, ["1", "2"])]


def test_a_number_of_more_than_fifteen_digits_is_an_error_and_never_guessed() -> None:
    data = workbook([["a", "b", "c"], [123456789012345678, "x", "y"], [999_999_999_999_999, "x", 10**15]])

    found = rows_of(data)

    assert isinstance(found[0], Finding)
    assert (found[0].line, found[0].code, found[0].column) == (2, "imprecise-number", "a")
    assert "123456" not in found[0].detail
    assert found[1] == (3, ["999999999999999", "x", ""])  # what nobody maps may be as it likes


def test_a_formula_is_its_result_and_a_broken_one_an_error_where_it_is_used() -> None:
    good = Raw('t="str"><f>"x"&amp;"y"</f><v>xy</v>')
    bad = Raw('t="e"><f>1/0</f><v>#DIV/0!</v>')

    found = rows_of(workbook([["a", "b", "c"], [good, "1", bad], ["1", bad, ""]]))

    assert found[0] == (2, ["xy", "1", ""])
    assert isinstance(found[1], Finding)
    assert (found[1].code, found[1].column) == ("formula-error", "b")


def test_a_workbook_becomes_the_commands_that_the_same_csv_file_becomes() -> None:
    cells: list[object] = list(ROW.split(","))
    cells[4] = styled(45717.395833333336, TIME_STYLE)  # a real time where the CSV file has its text
    limits = Limits(most_bytes=1 << 20)
    made = []
    for data in (workbook([HEADER.split(","), cells]), f"{HEADER}\n{ROW}\n".encode()):
        chunks = list(read_chunks(BytesIO(data), issues_profile(), limits, correlation_id="t", new_id=new_id))
        assert codes_of(chunks[0].findings) == []
        issues = [command for command in chunks[0].rows[0].commands if isinstance(command, ReceiveIssue)]
        made.append([(issue.received_at, issue.title, issue.closed_at) for issue in issues])

    assert made[0] == made[1]
    assert len(made[0]) == 1


@pytest.mark.parametrize(
    ("part", "content", "code"),
    [
        ("xl/vbaProject.bin", b"\xd0\xcf", "sheet-macros"),
        ("xl/macrosheets/sheet1.xml", "<x/>", "sheet-macros"),
        ("xl/externalLinks/externalLink1.xml", "<x/>", "sheet-external-links"),
        ("xl/connections.xml", "<x/>", "sheet-external-links"),
        ("xl/embeddings/oleObject1.bin", b"x", "sheet-embedded"),
        ("xl/ActiveX/activeX1.xml", "<x/>", "sheet-embedded"),
        ("xl/theme/theme1.xml", f"{DOCTYPE}<x>&e;</x>", "xml-doctype"),
        ("xl/theme/theme1.xml", "<x>&undefined;</x>", "xml-broken"),
        ("xl/worksheets/sheet1.xml", f"{DOCTYPE}<worksheet>&e;</worksheet>", "xml-doctype"),
        ("xl/worksheets/sheet1.xml", "<worksheet>" + "<x>" * 100 + "</x>" * 100 + "</worksheet>", "xml-too-deep"),
        ("../../etc/cron.d/x", b"x", "archive-names"),
        ("/etc/passwd", b"x", "archive-names"),
        ("xl\\..\\..\\x", b"x", "archive-names"),
        ("C:/x", b"x", "archive-names"),
        ("XL/workbook.xml", b"<x/>", "archive-twice"),
        (
            "xl/worksheets/_rels/sheet1.xml.rels",
            '<Relationships><Relationship Type="x/oleObject" TargetMode="External" Target="file:///x"/></Relationships>',
            "sheet-external-links",
        ),
    ],
)
def test_what_no_import_needs_is_refused_with_its_reason(part: str, content: str | bytes, code: str) -> None:
    assert refusal_of(workbook(GOOD, **{part: content})) == code


def test_a_link_that_a_reader_may_click_is_text_like_any_other() -> None:
    link = '<Relationships><Relationship Type="x/hyperlink" TargetMode="External" Target="http://a"/></Relationships>'

    assert rows_of(workbook(GOOD, **{"xl/worksheets/_rels/sheet1.xml.rels": link})) == [(2, ["1", "2"])]


def test_a_macro_workbook_under_another_name_is_known_by_its_content_type() -> None:
    parts = parts_of({"Sheet1": sheet(GOOD)})
    parts["[Content_Types].xml"] = str(parts["[Content_Types].xml"]).replace(
        "openxmlformats-officedocument.spreadsheetml.sheet.main", "ms-excel.sheet.macroEnabled.main"
    )

    assert refusal_of(packed(parts)) == "sheet-macros"


def test_one_sheet_or_a_named_one() -> None:
    two = packed(parts_of({"说明": sheet([["x"]]), "工单": sheet(GOOD)}))

    assert refusal_of(two) == "several-sheets"
    assert rows_of(two, name="工单") == [(2, ["1", "2"])]
    assert refusal_of(two, name="别的") == "sheet-missing"


@pytest.mark.parametrize("empty", [["Sheet2", "Sheet3"], ["0", "Sheet2"]])
def test_sheets_that_programs_add_and_nobody_fills_are_none(empty: list[str]) -> None:
    names = sorted(["Sheet1", *empty])
    book = packed(parts_of({name: sheet(GOOD if name == "Sheet1" else [[], [None]]) for name in names}))

    assert rows_of(book) == [(2, ["1", "2"])]


def test_a_workbook_of_which_nothing_is_filled_is_empty() -> None:
    book = packed(parts_of({"Sheet1": sheet([]), "Sheet2": sheet([])}))

    assert list(read_sheet(book, most_rows=9, most_columns=9)) == []


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([["a", "b"], *[["1", "2"]] * 200], "sheet-rows"),
        ([["a", "b", *["x"] * 20]], "sheet-columns"),
    ],
)
def test_too_many_rows_and_columns_are_refused(rows: list[list[object]], code: str) -> None:
    assert refusal_of(workbook(rows)) == code


def test_one_value_far_away_is_refused_before_everything_up_to_it_is_filled() -> None:
    far = sheet(GOOD).replace("</sheetData>", '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>')

    assert refusal_of(packed(parts_of({"Sheet1": far}))) == "sheet-rows"


def test_a_style_without_a_value_far_away_does_no_harm() -> None:
    far = sheet(GOOD).replace("</sheetData>", '<row r="1048576"><c r="XFD1048576" s="1"/></row></sheetData>')

    assert rows_of(packed(parts_of({"Sheet1": far}))) == [(2, ["1", "2"])]


def test_a_bomb_is_refused_by_what_comes_out_and_not_by_what_its_header_says() -> None:
    small_bomb = workbook(GOOD, **{"xl/media/x.xml": b"<x>" + b" " * 30_000_000 + b"</x>"})
    noise = bytes(range(256)) * 4
    large = workbook(GOOD, **{f"xl/media/{number}.bin": noise * 6_000 for number in range(9)})

    assert refusal_of(small_bomb) == "archive-ratio"
    assert refusal_of(large + b"") in {"archive-ratio", "archive-too-large"}
    assert refusal_of(workbook(GOOD, **{f"xl/media/{number}.bin": b"x" for number in range(250)})) == "archive-members"


def test_more_than_fifty_megabytes_are_refused_although_the_header_promises_less() -> None:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("x.bin", b"x" * 51 * 1024 * 1024)
    size = (51 * 1024 * 1024).to_bytes(4, "little")
    lying = buffer.getvalue().replace(size, (100).to_bytes(4, "little"))

    assert next_refusal(buffer.getvalue()) == "archive-too-large"
    assert next_refusal(lying) == "archive-broken"


def next_refusal(data: bytes) -> str:
    with pytest.raises(FileRefused) as refused:
        next(read_sandboxed("sheet", data, most_rows=1, most_columns=1, name=None))
    return refused.value.code


def test_a_link_in_the_archive_is_refused() -> None:
    buffer = BytesIO(workbook(GOOD))
    with zipfile.ZipFile(buffer, "a") as archive:
        link = zipfile.ZipInfo("xl/media/link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")

    assert refusal_of(buffer.getvalue()) == "archive-links"


def test_an_encrypted_member_is_said_to_be_protected() -> None:
    data = bytearray(packed({"[Content_Types].xml": "<x/>"}))
    data[6] |= 1
    directory = data.index(b"PK\x01\x02")
    data[directory + 8] |= 1

    assert refusal_of(bytes(data)) == "password-protected"


def test_password_protected_and_old_workbooks_are_told_apart_whatever_they_are_called() -> None:
    container = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2_000)

    assert import_refusal(container + "EncryptedPackage".encode("utf-16-le")) == "password-protected"
    assert import_refusal(container + "Workbook".encode("utf-16-le")) == "old-office"


def test_a_workbook_over_the_size_limit_is_not_opened() -> None:
    limits = SheetLimits(most_bytes=1_000)

    assert (
        import_refusal(workbook([["a"], *[[str(number)] for number in range(99)]]) + bytes(1_000), limits)
        == "sheet-too-large"
    )


@pytest.mark.parametrize(
    "data", [b"PK\x03\x04", b"PK\x03\x04" + b"\xff" * 5_000, packed({"word/document.xml": "<x/>"})]
)
def test_archives_that_are_no_workbooks_are_refused(data: bytes) -> None:
    assert import_refusal(data) in {"archive-broken", "not-a-sheet"}


def test_a_workbook_that_was_cut_short_is_refused() -> None:
    whole = workbook(GOOD)

    assert {refusal_of(whole[:length]) for length in range(4, len(whole), 97)} == {"archive-broken"}


def test_many_cells_that_share_a_long_text_cannot_fill_the_answer() -> None:
    parts = parts_of({"Sheet1": sheet([["a"], *[[Raw('t="s"><v>0</v>')] * 10] * 90])})
    parts["xl/sharedStrings.xml"] = (
        f"<sst xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'><si><t>{'x' * 900_000}</t></si></sst>"
    )
    parts["xl/_rels/workbook.xml.rels"] = str(parts["xl/_rels/workbook.xml.rels"]).replace(
        "</Relationships>",
        '<Relationship Id="rId50" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"'
        ' Target="sharedStrings.xml"/></Relationships>',
    )

    assert import_refusal(packed(parts)) == "too-costly"


def test_no_cell_reaches_the_reasons_of_a_refusal() -> None:
    with pytest.raises(FileRefused) as refused:
        rows_of(workbook([["机密"], ["张三 13800001111"]], **{"xl/vbaProject.bin": b""}))

    assert "138" not in refused.value.detail


ESCAPES = {
    "open a file": "open('/etc/passwd')",
    "make a socket": "__import__('socket').socket()",
    "start a process": "__import__('os').fork()",
    "run a program": "__import__('os').execv('/bin/true', ['true'])",
    "end another": "__import__('os').kill(__import__('os').getppid(), 0)",
    "take more memory": "bytearray(600 * 1024 * 1024)",
    "raise a limit": "__import__('resource').setrlimit(0, (-1, -1))",
    "open a file in the place of another": "(__import__('os').close(2), __import__('os').open('/etc/passwd', 0))",
}


@pytest.mark.parametrize("attempt", ESCAPES)
def test_behind_the_walls_there_is_no_way_out(attempt: str) -> None:
    program = (
        "import os, resource, socket\n"
        "from services.intake.importing.sandboxed.walls import close_in\n"
        "close_in()\n"
        f"try:\n    {ESCAPES[attempt]}\n"
        "except (OSError, MemoryError, ValueError) as problem:\n    os.write(1, b'refused')\n"
        "else:\n    os.write(1, b'out')\n"
    )

    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        capture_output=True,
        env={"PYTHONPATH": str(ROOT)},
        timeout=60,
        check=False,
    )

    assert done.stdout == b"refused", done.stderr


def test_computing_for_ever_ends_after_the_allowed_seconds() -> None:
    program = (
        "import resource\n"
        "from services.intake.importing.sandboxed import walls\n"
        "walls.MOST_SECONDS = 1\n"
        "walls.close_in()\n"
        "while True: pass\n"
    )

    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        env={"PYTHONPATH": str(ROOT)},
        timeout=100,
        check=False,
        capture_output=True,
    )

    assert done.returncode < 0


def test_the_process_is_given_none_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIANXIN_INTAKE_DATABASE_URL", "postgresql://secret")
    asked: list[str] = []

    def run(*_: object, env: dict[str, str], **__: object) -> subprocess.CompletedProcess[bytes]:
        asked.extend(env)
        return subprocess.CompletedProcess([], 0)

    monkeypatch.setattr(subprocess, "run", run)

    assert list(read_sandboxed("sheet", b"")) == []
    assert set(asked) == {"PYTHONPATH", "LC_ALL"}


def test_a_process_that_fails_is_a_refusal_and_no_silence() -> None:
    with pytest.raises(FileRefused):
        next(read_sandboxed("no-such-job", b""))
