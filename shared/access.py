"""Who is asking: bearer tokens of known principals, kept as hashes only, each with one role."""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from shared.errors import Unauthenticated

Role = Literal["clerk", "department_officer", "machine_client", "operations"]
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


class BadAccessFile(Exception):
    """The access file is missing or wrong; the message says where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    name: str
    role: Role


class AccessList:
    """The principals of one access file. Tokens are found by their SHA-256, so no comparison can leak one."""

    def __init__(self, principals: dict[str, Principal]) -> None:
        self._principals = principals

    @classmethod
    def read(cls, file: Path | None) -> "AccessList":
        """Raises BadAccessFile. Without a file nobody may enter."""
        if file is None:
            return cls({})
        try:
            entries = json.loads(file.read_text("utf-8"))
            principals = {}
            for entry in entries:
                if entry["role"] not in get_args(Role) or not _SHA256.fullmatch(entry["token_sha256"]):
                    raise BadAccessFile(f"{file.name}: an entry has an unknown role or a hash that is no SHA-256")
                principals[entry["token_sha256"]] = Principal(name=str(entry["name"]), role=entry["role"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BadAccessFile(f"{file.name}: cannot be read ({type(error).__name__})") from None
        return cls(principals)

    def authenticate(self, authorization: str | None) -> Principal:
        """Raises Unauthenticated."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not 20 <= len(token) <= 200:
            raise Unauthenticated("a bearer token is needed")
        principal = self._principals.get(hashlib.sha256(token.encode("utf-8", "replace")).hexdigest())
        if principal is None:
            raise Unauthenticated("the token is not known here")
        return principal
