"""Versions of what is shown: strong tags, what has not changed (304), and changes meant for one version only (412).

A tag is the version of the record, where it has one, and a digest of what is shown: equal tags are equal bytes.
"""

import hashlib
import re
from typing import Final

import orjson
from fastapi import Request, Response

from shared.edge import Application, Message, Receive, Scope, Send
from shared.versions import Expected

_TAG: Final = re.compile(r'(W/)?"([\x21\x23-\x7e]*)"', re.ASCII)
ANY: Final = "*"


def tagged(request: Request, document: object, *, version: int | None = None) -> Response:
    """The document with its tag; 304 and no document for a reader who says that this is what it has."""
    body = orjson.dumps(document)
    digest = _digest(body)
    tag = digest if version is None else f"{version}-{digest}"
    headers = {"ETag": f'"{tag}"'}
    if _is_held(tag, request.headers.get("if-none-match")):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


class Tags:
    """Middleware: tags every JSON answer to a GET whose route has not done so, and leaves out what the reader has."""

    def __init__(self, app: Application) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        head: Message | None = None

        async def send_tagged(message: Message) -> None:
            nonlocal head
            if message["type"] == "http.response.start" and _lacks_tag(message):
                head = message
                return
            if head is not None:
                start, head = head, None
                if not message.get("more_body", False):
                    start, message = _tag(scope, start, message)
                await send(start)
            await send(message)

        await self._app(scope, receive, send_tagged)


def _lacks_tag(start: Message) -> bool:
    headers = dict(start["headers"])
    kind = headers.get(b"content-type", b"").partition(b";")[0]
    return start["status"] == 200 and kind == b"application/json" and b"etag" not in headers


def _tag(scope: Scope, start: Message, message: Message) -> tuple[Message, Message]:
    tag = _digest(message.get("body", b""))
    held = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"if-none-match"), None)
    named = (b"etag", f'"{tag}"'.encode())
    if not _is_held(tag, held):
        return start | {"headers": [*start["headers"], named]}, message
    told = [header for header in start["headers"] if header[0] not in {b"content-type", b"content-length"}]
    return start | {"status": 304, "headers": [*told, named]}, message | {"body": b""}


def _digest(body: bytes) -> str:
    return hashlib.blake2b(body, digest_size=12).hexdigest()


def _is_held(tag: str, held: str | None) -> bool:
    return held is not None and (held.strip() == ANY or tag in {found for _, found in _TAG.findall(held)})


def read_expected(request: Request) -> Expected:
    """The versions that the change is meant for; None where it is for whichever stands.

    What is no strong tag of ours names no version, so that nothing fits it: a sender who asks for care gets it.
    """
    given = request.headers.get("if-match")
    if given is None or given.strip() == ANY:
        return None
    versions = (tag.partition("-")[0] for weak, tag in _TAG.findall(given) if not weak)
    return frozenset(int(version) for version in versions if re.fullmatch(r"\d{1,18}", version, re.ASCII))
