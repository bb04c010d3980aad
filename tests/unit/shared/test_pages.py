"""Cursors: read back by whom they were made for, and by nobody else."""

import base64
from uuid import uuid4

import orjson
import pytest

from shared.pages import BadCursor, decode_cursor, encode_cursor, use_key
from shared.reach import Reach, acting

ONE = Reach(kind="scoped", organisation_codes=("a",), account_id=uuid4())
OTHERS = [
    Reach(kind="scoped", organisation_codes=("a",), account_id=uuid4()),
    Reach(kind="everywhere", account_id=ONE.account_id),
    Reach(kind="scoped", organisation_codes=("a", "b"), account_id=ONE.account_id),
    Reach(kind="scoped", organisation_codes=("a",), staff_number="S1", account_id=ONE.account_id),
    None,
]


def test_a_reader_goes_on_where_the_page_ended():
    with acting(ONE):
        assert decode_cursor(encode_cursor(["长", None, "3"]), length=3) == ["长", None, "3"]


@pytest.mark.parametrize("other", OTHERS)
def test_nobody_else_does(other: Reach | None):
    with acting(ONE):
        cursor = encode_cursor(["a"])

    with acting(other), pytest.raises(BadCursor):
        decode_cursor(cursor, length=1)


def test_no_place_can_be_made_up():
    cursor = encode_cursor(["b"])
    written = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    for forged in (
        written[:-3] + b'c"]',
        written + b" ",
        written[:-1],
        b"\0" * 16 + written[16:],
        orjson.dumps(["b"]),
        b"",
        bytes([written[0] ^ 1]) + written[1:],
    ):
        with pytest.raises(BadCursor):
            decode_cursor(base64.urlsafe_b64encode(forged).decode().rstrip("="), length=1)
    for text in ("", "!", "a" * 3_000, "长", cursor[:-1]):
        with pytest.raises(BadCursor):
            decode_cursor(text, length=1)


def test_a_cursor_is_of_its_list_and_of_its_installation():
    cursor = encode_cursor(["a", "b"])
    with pytest.raises(BadCursor):
        decode_cursor(cursor, length=1)

    use_key("a-secret-of-this-installation")
    made = encode_cursor(["a"])
    use_key("a-secret-of-another-installation")
    with pytest.raises(BadCursor):
        decode_cursor(made, length=1)
    use_key("a-secret-of-this-installation")
    assert decode_cursor(made, length=1) == ["a"]
