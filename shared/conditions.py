"""Versions of what is shown: strong tags, what has not changed (304), and changes meant for one version only (412).

A tag is the version of the record, where it has one, and a digest of what is shown: equal tags are equal bytes.
"""

import hashlib
import re
from typing import Final

import orjson
from fastapi import Request, Response

_TAG: Final = re.compile(r'(W/)?"([\x21\x23-\x7e]*)"', re.ASCII)
ANY: Final = "*"


def tagged(request: Request, document: object, *, version: int | None = None) -> Response:
    """The document with its tag; 304 and no document for a reader who says that this is what it has."""
    body = orjson.dumps(document)
    digest = hashlib.blake2b(body, digest_size=12).hexdigest()
    tag = digest if version is None else f"{version}-{digest}"
    headers = {"ETag": f'"{tag}"'}
    held = request.headers.get("if-none-match")
    if held is not None and (held.strip() == ANY or tag in {found for _, found in _TAG.findall(held)}):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def read_expected(request: Request) -> frozenset[int] | None:
    """The versions that the change is meant for; None where it is for whichever stands.

    What is no strong tag of ours names no version, so that nothing fits it: a sender who asks for care gets it.
    """
    given = request.headers.get("if-match")
    if given is None or given.strip() == ANY:
        return None
    versions = (tag.partition("-")[0] for weak, tag in _TAG.findall(given) if not weak)
    return frozenset(int(version) for version in versions if re.fullmatch(r"\d{1,18}", version, re.ASCII))
