"""The canonical form of documents: vectors of RFC 8785 and what its subset leaves out."""

import pytest

from shared.audit.canonical import NotCanonical, canonical


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({}, b"{}"),
        ([], b"[]"),
        (None, b"null"),
        ({"b": True, "a": False}, b'{"a":false,"b":true}'),
        ({"a_b": 1, "aB": 2, "a": 3, "a1": 4, "A": 5}, b'{"A":5,"a":3,"a1":4,"aB":2,"a_b":1}'),
        ({"n": [0, -1, 9007199254740991, -9007199254740991]}, b'{"n":[0,-1,9007199254740991,-9007199254740991]}'),
        # The string of RFC 8785, section 3.2.2, but for its keys and numbers.
        (
            {"string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"\u002f"},
            b'{"string":"\xe2\x82\xac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
        ),
        ("\b\t\n\f\r\x00"[:5], b'"\\b\\t\\n\\f\\r"'),
        ("\x01\x1f\x7f\x80", b'"\\u0001\\u001f\x7f\xc2\x80"'),
        ("\u2028\U00020bb7连心", '"\u2028\U00020bb7连心"'.encode()),
        ({"nested": {"z": [{"y": 1, "x": None}], "a": ""}}, b'{"nested":{"a":"","z":[{"x":null,"y":1}]}}'),
    ],
)
def test_a_document_has_one_form(document, expected):
    assert canonical(document) == expected


@pytest.mark.parametrize(
    "document",
    [
        1.0,
        float("nan"),
        2**53,
        -(2**53),
        {"é": 1},
        {"a\n": 1},
        {1: 2},
        "\ud800",
        "a\0",
        {"a": object()},
        {"a": b"bytes"},
        {"a": {1, 2}},
    ],
)
def test_what_has_no_canonical_form_is_refused(document):
    with pytest.raises(NotCanonical):
        canonical(document)


def test_a_document_is_not_nested_without_end():
    deep: list[object] = []
    for _ in range(100):
        deep = [deep]

    with pytest.raises(NotCanonical):
        canonical(deep)
