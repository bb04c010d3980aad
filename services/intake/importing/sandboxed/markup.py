"""XML that somebody made: no document type, no entities of its own, bounded depth, and nothing is fetched."""

import re
from collections.abc import Callable
from typing import Any, Final, NoReturn
from xml.parsers import expat

from services.intake.importing.sandboxed.refusals import Refused

DEEPEST: Final = 64
DECLARED: Final = re.compile(rb"(?:\xef\xbb\xbf)?<\?xml[^>]{0,100}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,20})[\"']")
DECLARATION: Final = re.compile(r"<\?xml[^>]{0,200}\?>")
KNOWN: Final = {
    **dict.fromkeys(("gb2312", "gbk", "gb18030", "gb_2312-80", "cp936"), "gb18030"),
    **dict.fromkeys(("utf-8", "utf8", "us-ascii", "ascii"), "utf-8"),
    "utf-16": "utf-16",
}
Start = Callable[[str, dict[str, str]], None]
End = Callable[[str], None]
Text = Callable[[str], None]


def as_utf8(data: bytes) -> bytes:
    """The same document in UTF-8: the parser knows no national encoding. Raises Refused where the bytes are none."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    else:
        declared = DECLARED.match(data)
        encoding = declared[1].decode().lower() if declared and declared[1] else "utf-8"
    if encoding not in KNOWN:
        raise Refused("xml-encoding")
    try:
        text = data.decode(KNOWN[encoding])
    except UnicodeDecodeError:
        raise Refused("xml-encoding") from None
    return DECLARATION.sub("", text.lstrip("\ufeff"), count=1).encode()


def check(data: bytes) -> None:
    """Raises Refused where it is no XML or brings a document type. As fast as the C library: nobody listens."""
    _run(_parser(), data)


def walk(data: bytes, *, start: Start, end: End | None = None, text: Text | None = None) -> None:
    """Call back for each element and text. Raises Refused, also where elements nest too deep."""
    parser = _parser()
    depth = 0

    def opened(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEEPEST:
            raise Refused("xml-too-deep")
        start(name, attributes)

    def closed(name: str) -> None:
        nonlocal depth
        depth -= 1
        if end is not None:
            end(name)

    parser.StartElementHandler = opened
    parser.EndElementHandler = closed
    if text is not None:
        parser.buffer_text = True
        parser.CharacterDataHandler = text
    _run(parser, data)


def _parser() -> Any:  # noqa: ANN401 - the C type has no public name
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse
    return parser


def _run(parser: Any, data: bytes) -> None:  # noqa: ANN401
    try:
        parser.Parse(data, True)  # noqa: FBT003 - the C function has no keyword
    except (expat.ExpatError, ValueError, LookupError):
        raise Refused("xml-broken") from None


def _refuse(*_: object) -> NoReturn:
    raise Refused("xml-doctype")
