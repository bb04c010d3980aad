r"""One way to write a document as bytes, so that a hash of it means the same everywhere: a subset of RFC 8785.

Objects with keys in ASCII, arrays, strings, integers that JavaScript can hold, true, false and null: no fractions.
Keys in ascending order, nothing between the tokens, UTF-8; in strings only `"`, `\` and the controls below U+0020
are escaped, the latter as \b \t \n \f \r or \u00xx in lower case. `canonical_json` in SQL writes the same.
"""

import json
from typing import Final

LARGEST_INTEGER: Final = 2**53 - 1
DEEPEST: Final = 16


class NotCanonical(ValueError):
    """The document holds what has no canonical form. The message never quotes it."""


def canonical(document: object) -> bytes:
    """Raises NotCanonical."""
    _check(document, DEEPEST)
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _check(value: object, depth: int) -> None:
    if depth == 0:
        raise NotCanonical("a document is nested too deeply")
    if isinstance(value, dict):
        for key, inner in value.items():
            _check_key(key)
            _check(inner, depth - 1)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check(inner, depth - 1)
    else:
        _check_plain(value)


def _check_key(key: object) -> None:
    if not isinstance(key, str) or not key.isascii() or not key.isprintable():
        raise NotCanonical("a key is not printable ASCII")


def _check_plain(value: object) -> None:
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
            raise NotCanonical("a text holds NUL or half a character")
    elif isinstance(value, int):
        if abs(value) > LARGEST_INTEGER:
            raise NotCanonical("an integer is too large")
    elif value is not None:
        raise NotCanonical(f"a {type(value).__name__} has no canonical form")
