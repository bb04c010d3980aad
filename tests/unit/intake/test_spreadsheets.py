"""Files that spreadsheet programs open: nothing in them is a formula, and every text comes back as it was."""

import csv
import io

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.utils.escape import unescape
from python_calamine import CalamineWorkbook

from services.intake.exporting import write_csv, write_xlsx
from shared.spreadsheets import TRIGGERS, is_dangerous, shield, unshield

HOSTILE = [
    '=HYPERLINK("http://evil.example","x")',
    "+cmd|' /C calc'!A0",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM",
    "  =1",
    '"=1',
    "'=1",
    "''=1",
    'say "no"\nand go on, please',
    "330102198001011234",
    "0571",
    "1e5",
    "TRUE",
    "_x0041_",
    "张三",
    "",
]


@pytest.mark.parametrize("text", [text for text in HOSTILE if is_dangerous(text)])
def test_what_begins_like_a_formula_is_shielded(text):
    assert shield(text) == "'" + text
    assert shield(text)[0] not in TRIGGERS


@pytest.mark.parametrize("text", ["张三", "330102198001011234", "a=b", "12345", ""])
def test_what_does_not_is_left_alone(text):
    assert shield(text) == text


@given(st.text(alphabet=st.sampled_from(sorted(TRIGGERS) + list("'\" 　a1张"))))
def test_every_text_comes_back_as_it_was(text):
    assert unshield(shield(text)) == text


def test_a_csv_file_says_utf_8_quotes_every_cell_and_gives_the_texts_back():
    file = io.BytesIO()

    count = write_csv(file, ["a", "b"], [(text, 7) for text in HOSTILE], mark="王芳 2026-03-02")

    data = file.getvalue()
    assert data.startswith(b'\xef\xbb\xbf"a","b","export_mark"\r\n')
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert count == len(HOSTILE)
    assert [unshield(row[0]) for row in rows[1:]] == HOSTILE
    assert all(not cell or cell[0] not in TRIGGERS for row in rows for cell in row)
    assert {tuple(row[1:]) for row in rows[1:]} == {("7", "王芳 2026-03-02")}


def test_a_workbook_holds_texts_alone_in_both_readers():
    file = io.BytesIO()

    write_xlsx(file, ["a", "b"], [(text, 7) for text in HOSTILE], mark="王芳 2026-03-02", title="cadres")

    sheet = openpyxl.load_workbook(io.BytesIO(file.getvalue())).active
    assert sheet is not None
    cells = [row[0] for row in sheet.iter_rows(min_row=2)]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None} <= {"s", "inlineStr"}
    as_line_ends = [text.replace("\r", "\n") for text in HOSTILE]
    assert [unescape(str(cell.value or "")).replace("\r", "\n") for cell in cells] == as_line_ends
    rows = CalamineWorkbook.from_filelike(io.BytesIO(file.getvalue())).get_sheet_by_index(0).to_python()
    assert all(isinstance(cell, str) for row in rows for cell in row)
    assert [str(row[0]).replace("\r", "\n") for row in rows[1:]] == as_line_ends
