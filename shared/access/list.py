"""The file of known tokens that stands in until the identity service runs everywhere."""

import hashlib
import json
import re
from pathlib import Path
from typing import get_args
from uuid import NAMESPACE_URL, uuid5

from shared.access.principal import Asked, Grant, Principal, Role
from shared.errors import Unauthenticated

SCOPES = frozenset(
    {
        "imports.run",
        "intake.read",
        "intake.write",
        "ratings.submit",
        "registers.write",
        "scores.read",
        "subscriptions.manage",
    }
)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


class BadAccessFile(Exception):
    """The access file is missing or wrong; the message says where."""


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
                principals[entry["token_sha256"]] = _principal(str(entry["name"]), entry["role"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BadAccessFile(f"{file.name}: cannot be read ({type(error).__name__})") from None
        return cls(principals)

    async def authenticate(self, asked: Asked) -> Principal:
        """Raises Unauthenticated."""
        return self.authenticate_token(asked.headers.get("authorization"))

    def authenticate_token(self, authorization: str | None) -> Principal:
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not 20 <= len(token) <= 200:
            raise Unauthenticated("a bearer token is needed")
        principal = self._principals.get(hashlib.sha256(token.encode("utf-8", "replace")).hexdigest())
        if principal is None:
            raise Unauthenticated("the token is not known here")
        return principal


def _principal(name: str, role: Role) -> Principal:
    """A clerk of the list may also rate, as a kiosk does: the list has no way to say which scopes somebody has."""
    is_machine = role in {"clerk", "machine_client"}
    return Principal(
        account_id=uuid5(NAMESPACE_URL, f"urn:lianxin:access:{name}"),
        name=name,
        person_id=name,
        kind="machine" if is_machine else "person",
        grants=(Grant(role="machine_client" if is_machine else role),),
        scopes=SCOPES if is_machine else frozenset(),
    )
