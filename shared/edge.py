"""The edge guard: what a request must satisfy before any framework looks at it."""

import asyncio
import json
import re
import unicodedata
from collections.abc import Awaitable, Callable, Iterable
from contextlib import nullcontext
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final, NoReturn

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

BODY: Final = "lianxin.body"  # where the guard leaves what it has read, for whoever need not read it again
WHOLE: Final = "lianxin.whole"  # where a server says that all of the body is there, and none of it has to be waited for
LARGEST_BODY_BYTES = 256 * 1024
LARGEST_FORM_BYTES = 64 * 1024  # four thousand Chinese characters are 36 thousand bytes of a form
FORM = b"application/x-www-form-urlencoded"
BODY_SECONDS = 20.0
DEEPEST_NESTING = 32
LARGEST_INTEGER_DIGITS = 19
# Bidirectional controls and zero-width characters, which make a text look like another one.
_DECEPTIVE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\u061c\u180e]")
# Planes that are for ideographs alone. Those that Unicode got after the tables of this Python are in names already.
_IDEOGRAPHS: Final = (range(0x20000, 0x2FFFE), range(0x30000, 0x3FFFE))
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")


class Refused(Exception):
    """The guard's answer to a request that goes no further."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail


def check_text(text: str) -> str:
    """Return the text in NFC. Raises ValueError for control, unassigned, bidirectional and zero-width characters.

    Private-use and supplementary characters pass, and ideographs of any version: rare names need them (GB 18030-2022).
    """
    if text.isascii():
        if text.isprintable() or text.replace("\n", "").replace("\t", "").replace("\r\n", "").isprintable():
            return text
        raise ValueError("contains control characters")
    if text.isprintable():  # none of what is refused below is: no control, no format, no surrogate, nothing unassigned
        return unicodedata.normalize("NFC", text)
    if _DECEPTIVE.search(text):
        raise ValueError("contains bidirectional or zero-width characters")
    for character in text:
        category = unicodedata.category(character)
        if category == "Cs" or (category == "Cc" and character not in "\n\t"):
            raise ValueError("contains control characters")
        if category == "Cn" and not any(ord(character) in plane for plane in _IDEOGRAPHS):
            raise ValueError("contains unassigned characters")
    return unicodedata.normalize("NFC", text)


def _at_most(length: int) -> AfterValidator:
    """Bounds a text again after check_text: composing (NFC) makes some texts longer."""

    def check(text: str) -> str:
        if len(text) > length:
            raise ValueError("is too long")
        return text

    return AfterValidator(check)


# How the OpenAPI documents name what check_text lets through: no pattern of JSON Schema can tell unassigned characters.
PLAIN_TEXT: Final[dict[str, Any]] = {"format": "plain-text"}
SafeStr = Annotated[str, Field(json_schema_extra=PLAIN_TEXT), AfterValidator(check_text)]
ShortText = Annotated[
    str, Field(min_length=1, max_length=200, json_schema_extra=PLAIN_TEXT), AfterValidator(check_text), _at_most(200)
]
LongText = Annotated[
    str,
    Field(min_length=1, max_length=20_000, json_schema_extra=PLAIN_TEXT),
    AfterValidator(check_text),
    _at_most(20_000),
]
CodeText = Annotated[
    str,
    Field(min_length=1, max_length=64, pattern=r"^[^\s\x00-\x1f]+$", json_schema_extra=PLAIN_TEXT),
    AfterValidator(check_text),
    _at_most(64),
]

EARLIEST: Final = datetime(1900, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)


def _written_out(value: object) -> str:
    """A text that begins with its year: pydantic would take one of digits only for seconds since 1970."""
    if not isinstance(value, str) or value[4:5] != "-":
        raise ValueError("is not written as ISO 8601 has it")
    return value


def _day_only(text: str) -> str:
    if len(text) != len("2026-03-01"):
        raise ValueError("is not a day alone")
    return text


def _in_utc(instant: datetime) -> datetime:
    """In UTC, because PostgreSQL refuses some offsets that ISO 8601 allows."""
    if not EARLIEST <= instant <= LATEST:
        raise ValueError("lies out of range")
    return instant.astimezone(UTC)


def _in_range(day: date) -> date:
    if not EARLIEST.date() <= day <= LATEST.date():
        raise ValueError("lies out of range")
    return day


# Not strict, because what a validator hands on is no JSON to pydantic any more; the validators are strict enough.
Instant = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_written_out), AfterValidator(_in_utc)]
Day = Annotated[
    date,
    Field(strict=False),
    BeforeValidator(_day_only),
    BeforeValidator(_written_out),
    AfterValidator(_in_range),
]


def check_json(body: bytes) -> None:
    """Refuse what JSON readers disagree about: encodings, duplicate keys, NaN, deep nesting, lone surrogates, NUL."""
    try:
        text = body.decode("utf-8", "strict")
    except UnicodeDecodeError:
        raise Refused(400, "not-utf-8", "the body must be JSON in UTF-8") from None
    if body.count(b"{") + body.count(b"[") > DEEPEST_NESTING and _depth(text) > DEEPEST_NESTING:
        raise Refused(400, "too-deep", f"the body nests deeper than {DEEPEST_NESTING} levels")
    try:
        document = _DECODER.decode(text)
    except (ValueError, RecursionError):
        raise Refused(400, "not-json", "the body is not valid JSON") from None
    if b"\\u0000" in body:
        raise Refused(400, "not-text", "the body contains a NUL character")
    if _SURROGATE_ESCAPE.search(body):
        try:
            json.dumps(document, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError:
            raise Refused(400, "not-text", "the body contains half a surrogate pair") from None


class EdgeGuard:
    """ASGI middleware: bounds every body and checks every JSON body. Uploads are streamed on; their route counts.

    Forms are let through where they are expected, and nowhere else: a browser sends them across sites unasked.
    """

    def __init__(
        self,
        app: Application,
        *,
        upload_paths: Iterable[str] = (),
        form_paths: Iterable[str] = (),
        body_seconds: float = BODY_SECONDS,
    ) -> None:
        self._app = app
        self._form_paths = frozenset(form_paths)
        self._body_seconds = body_seconds
        self._upload_paths = frozenset(upload_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if b"%00" in scope["query_string"] or "\0" in scope["path"]:
            await send_problem(send, 400, "not-text", "the address contains a NUL character")
            return
        if scope["method"] == "POST" and scope["path"] in self._upload_paths:
            await self._app(scope, receive, send)
            return
        try:
            body = await self._read(scope, receive)
        except Refused as refusal:
            await send_problem(send, refusal.status, refusal.code, refusal.detail)
            return
        scope[BODY] = body
        delivered = False

        async def replay() -> Message:
            nonlocal delivered
            if delivered:
                return await receive()
            delivered = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, replay, send)

    async def _read(self, scope: Scope, receive: Receive) -> bytes:
        headers = dict(scope["headers"])
        declared = headers.get(b"content-length", b"0")
        if not declared.isdigit() or int(declared[:20]) > LARGEST_BODY_BYTES:
            raise Refused(413, "too-large", f"the body is larger than {LARGEST_BODY_BYTES} bytes")
        try:
            async with nullcontext() if WHOLE in scope else asyncio.timeout(self._body_seconds):
                body = await _collect(receive)
        except TimeoutError:
            raise Refused(408, "too-slow", f"the body took longer than {self._body_seconds:.0f} seconds") from None
        if not body:
            return body
        if headers.get(b"content-encoding", b"identity") != b"identity":
            raise Refused(415, "encoded-body", "the body must not be compressed")
        content_type = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
        if content_type == FORM and scope["path"] in self._form_paths:  # another method is refused as such
            if len(body) > LARGEST_FORM_BYTES:
                raise Refused(413, "too-large", f"the form is larger than {LARGEST_FORM_BYTES} bytes")
            return body
        if content_type != b"application/json" and not content_type.endswith(b"+json"):
            raise Refused(415, "not-json", "the body must be application/json")
        check_json(body)
        return body


async def send_problem(send: Send, status: int, code: str, detail: str) -> None:
    """Answer with a problem document of RFC 9457 without any framework."""
    document = {"type": f"urn:lianxin:problem:{code}", "title": code, "status": status, "detail": detail}
    body = json.dumps(document).encode()
    headers = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode())]
    if status == 408:  # the rest of the body may still come, and must not be waited for
        headers.append((b"connection", b"close"))
    if status == 503:
        headers.append((b"retry-after", b"2"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _collect(receive: Receive) -> bytes:
    chunks = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused(400, "incomplete", "the body ended early")
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > LARGEST_BODY_BYTES:
            raise Refused(413, "too-large", f"the body is larger than {LARGEST_BODY_BYTES} bytes")
        chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _depth(text: str) -> int:
    """The deepest nesting outside of strings, counted without parsing."""
    depth = deepest = 0
    inside = escaped = False
    for character in text:
        if inside:
            inside = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            inside = True
        elif character in "{[":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "}]":
            depth -= 1
    return deepest


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("duplicate key")
    return document


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _bounded_integer(digits: str) -> int:
    if len(digits.removeprefix("-")) > LARGEST_INTEGER_DIGITS:
        raise ValueError("integer out of range")
    return int(digits)


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_unique_keys, parse_constant=_refuse_constant, parse_int=_bounded_integer
)
