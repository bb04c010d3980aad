"""Files as they come: broken lines, wrong encodings, bombs. What is good in them is read, what is not is named."""

import gzip
import resource
import zlib
from collections.abc import Iterator
from io import BytesIO

import pytest

from services.intake.importing.findings import FileRefused, Finding
from services.intake.importing.lines import LONGEST_LINE, LongLine, read_lines
from services.intake.importing.reader import Reader
from services.intake.importing.source import BLOCK, Limits, read_blocks
from tests.unit.intake.import_files import codes_of, read


def rows_and_faults(data: bytes, **how: str) -> tuple[list[int], list[tuple[int, str]]]:
    found = read(data, **how)
    rows = [item[0] for item in found if not isinstance(item, Finding)]
    return rows, codes_of([item for item in found if isinstance(item, Finding)])


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_line_ends_and_a_missing_last_one_make_no_difference(end: bytes) -> None:
    assert read(end.join([b"a,b", b"1,2", b"3,4"])) == [(2, ["1", "2"]), (3, ["3", "4"])]
    assert read(end.join([b"a,b", b"1,2", b"3,4", b""])) == [(2, ["1", "2"]), (3, ["3", "4"])]


def test_a_byte_order_mark_is_no_part_of_the_first_name() -> None:
    reader = Reader([b"\xef\xbb\xbfa,b\n1,2\n"], encoding="utf-8", delimiter=",")

    assert reader.header == ["a", "b"]


def test_quoted_line_breaks_delimiters_and_quotes_belong_to_the_cell() -> None:
    assert read(b'a,b\n1,"x, ""y""\r\nz"\n2,w\n') == [(2, ["1", 'x, "y"\nz']), (4, ["2", "w"])]


def test_a_quotation_mark_inside_a_plain_cell_is_taken_literally() -> None:
    assert read(b'a,b\n1,5" pipe\n2,w\n') == [(2, ["1", '5" pipe']), (3, ["2", "w"])]


def test_blank_lines_are_no_rows() -> None:
    assert rows_and_faults(b"a,b\n\n1,2\n   \n\n3,4\n\n") == ([3, 6], [])


def test_an_unclosed_quote_costs_its_own_line_and_not_those_after_it() -> None:
    rows, faults = rows_and_faults(b'a,b\n1,2\n3,"never closed\n' + b"5,6\n" * 3000)

    assert faults == [(3, "unclosed-quote")]
    assert rows == [2, *range(4, 3004)]


@pytest.mark.parametrize(("byte", "code"), [(b"\x01", "control-character"), (b"\xff", "bad-encoding")])
def test_a_fault_behind_a_cell_that_is_too_long_costs_its_own_line_only(byte: bytes, code: str) -> None:
    data = b"a,b\n1,2\n" + b"x" * 200_000 + byte + b",3\n4,5\n"

    assert rows_and_faults(data) == ([2, 4], [(3, code)])


def test_many_unclosed_quotes_cost_one_line_each() -> None:
    rows, faults = rows_and_faults(b"a,b\n" + b'1,"x\n2,y\n' * 500)

    assert len(rows) + len(faults) == 1000
    assert {code for _, code in faults} == {"unclosed-quote"}


def test_half_a_row_is_refused_with_the_number_of_columns() -> None:
    found = read(b"a,b,c\n1,2,3\n4,5")

    assert found[1] == Finding(
        line=3, severity="error", code="too-few-columns", detail="2 columns where the header has 3"
    )


def test_too_many_columns_are_refused() -> None:
    assert rows_and_faults(b"a,b\n1,2,3\n4,5\n") == ([3], [(2, "too-many-columns")])


def test_text_after_a_closing_quote_is_refused() -> None:
    assert rows_and_faults(b'a,b\n1,"x" y\n2,z\n') == ([3], [(2, "bad-quoting")])


def test_undecodable_bytes_are_named_by_line_and_column() -> None:
    found = read("编号,标题\n1,好\n2,".encode() + "不好".encode("gb18030") + "\n3,好\n".encode())

    assert found[0] == (2, ["1", "好"])
    assert isinstance(found[1], Finding)
    assert (found[1].line, found[1].code, found[1].column) == (3, "bad-encoding", "标题")
    assert found[2] == (4, ["3", "好"])


def test_undecodable_bytes_inside_a_quoted_record_refuse_the_whole_record() -> None:
    assert rows_and_faults(b'a,b\n1,"x\n\xff\n2,forged"\n3,y\n') == ([5], [(2, "bad-encoding")])


def test_gb18030_is_read_with_its_four_byte_characters() -> None:
    text = "编号,标题\n1,𠮷野\n"

    assert read(text.encode("gb18030"), encoding="gb18030") == [(2, ["1", "𠮷野"])]


@pytest.mark.parametrize("character", ["\0", "\x07", "\x1b", "\x7f", "\r"])
def test_control_characters_are_refused_and_tabs_are_not(character: str) -> None:
    found = read(f"a,b\n1,x{character}y\n2,x\ty\n".encode())

    assert isinstance(found[0], Finding)
    assert (found[0].code, found[0].column) == ("control-character", "b")
    assert found[1] == (3, ["2", "x\ty"])


def test_formula_like_cells_stay_as_they_are() -> None:
    assert read(b"a,b\n1,=cmd|'/C calc'!A0\n2,@SUM(1)\n") == [(2, ["1", "=cmd|'/C calc'!A0"]), (3, ["2", "@SUM(1)"])]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty-file"),
        (b"\n1,2\n", "empty-file"),
        ("a,b\n1,2\n".encode("utf-16"), "utf-16"),
        ("a,b\n1,2\n".encode("utf-16-le"), "utf-16"),
        ("编号,标题\n".encode("gb18030"), "bad-encoding"),
        (b'"a,b\n1,2\n', "bad-header"),
        (b"%PDF-1.7", "not-csv"),
        (b"x" * (LONGEST_LINE + 200_000), "bad-header"),
    ],
)
def test_a_file_that_cannot_be_a_csv_file_is_refused_whole(data: bytes, code: str) -> None:
    with pytest.raises(FileRefused) as refusal:
        read(data)

    assert refusal.value.code == code


def test_an_overlong_line_costs_one_fault_and_little_memory() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def blocks() -> Iterator[bytes]:
        yield b"a,b\n1,2\n3,"
        for _ in range(200 * 1024 * 1024 // BLOCK):
            yield b"x" * BLOCK
        yield b"\n5,6\n"

    found = list(Reader(blocks(), encoding="utf-8", delimiter=",").rows())

    assert [item[0] if isinstance(item, tuple) else item.code for item in found] == [2, "line-too-long", 4]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20 * 1024  # kibibytes


def test_an_overlong_line_at_the_end_or_inside_a_quoted_cell_is_named_too() -> None:
    overlong = b"x" * (LONGEST_LINE + 1)

    assert rows_and_faults(b"a,b\n1,2\n" + overlong) == ([2], [(3, "line-too-long")])
    assert rows_and_faults(b'a,b\n1,"x\n' + overlong + b"\n3,4\n") == (
        [4],
        [(2, "unclosed-quote"), (3, "line-too-long")],
    )


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_lines_do_not_depend_on_how_the_bytes_arrive(size: int) -> None:
    data = b"a,b\r\n" + b"y" * 60 + b"\n\nlast"
    blocks = [data[place : place + size] for place in range(0, len(data), size)]

    assert list(read_lines(blocks, longest=50)) == [b"a,b", LongLine, b"", b"last"]


def test_gzip_is_recognised_by_its_content_and_read_member_after_member() -> None:
    packed = gzip.compress(b"a,b\n1,2\n") + gzip.compress(b"3,4\n") + b"\0" * 512

    assert read(packed) == [(2, ["1", "2"]), (3, ["3", "4"])]


MANY_ROWS = b"a,b\n" + b"".join(b"%d,%d\n" % (number, number**5) for number in range(50_000))
PACKED_ROWS = gzip.compress(MANY_ROWS)


@pytest.mark.parametrize(
    ("packed", "code", "fewest_rows"),
    [
        (PACKED_ROWS[:-1000], "gzip-truncated", 45_000),
        (PACKED_ROWS + b"rubbish", "gzip-corrupt", 50_000),
        (PACKED_ROWS[:-8] + b"\0" * 8, "gzip-corrupt", 49_990),
    ],
    ids=["cut short", "rubbish behind", "wrong checksum"],
)
def test_damaged_gzip_data_are_named_and_the_rows_before_are_kept(packed: bytes, code: str, fewest_rows: int) -> None:
    rows = Reader(read_blocks(BytesIO(packed), Limits(most_bytes=1 << 30)), encoding="utf-8", delimiter=",").rows()
    kept: list[tuple[int, list[str]] | Finding] = []

    with pytest.raises(FileRefused) as refusal:
        kept.extend(rows)

    assert refusal.value.code == code
    assert len(kept) >= fewest_rows
    assert all(isinstance(row, tuple) and int(row[1][0]) ** 5 == int(row[1][1]) for row in kept)


def test_a_gzip_bomb_is_stopped_by_what_it_grows_to() -> None:
    packer = zlib.compressobj(wbits=31)
    packed = b"".join(packer.compress(b"0" * (1 << 20)) for _ in range(64)) + packer.flush()
    sizes: list[int] = []

    with pytest.raises(FileRefused) as refusal:
        sizes.extend(map(len, read_blocks(BytesIO(packed), Limits(most_bytes=1 << 40))))

    assert refusal.value.code == "gzip-ratio"
    assert sum(sizes) <= 11 << 20


def test_more_text_than_allowed_is_stopped_by_counting_it() -> None:
    with pytest.raises(FileRefused) as refusal:
        list(read_blocks(BytesIO(b"a,b\n" * 1000), Limits(most_bytes=1000)))

    assert refusal.value.code == "file-too-large"
