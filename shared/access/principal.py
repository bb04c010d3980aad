"""Who is asking, with the roles that were granted, and what an authenticator reads of a request."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

Role = Literal[
    "approver",
    "auditor",
    "cadre",
    "clerk",
    "department_officer",
    "machine_client",
    "operations",
    "security_administrator",
    "unit_head",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A role in an organisation and all below it; without an organisation it holds everywhere."""

    role: Role
    organisation_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """`person_id` is the same for all accounts of one person. A machine has scopes and no session."""

    account_id: UUID
    name: str
    person_id: str
    kind: Literal["person", "machine"] = "person"
    grants: tuple[Grant, ...] = ()
    scopes: frozenset[str] = frozenset()
    staff_number: str | None = None
    session_id: UUID | None = None
    stepped_up_at: datetime | None = None
    requests_per_minute: int | None = None  # what a machine was allowed; None: no quota of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The parts of a request by which its sender is known. Header names are in small letters."""

    method: str
    headers: Mapping[str, str]
    address: str | None = None
    cookies: tuple[str, ...] = field(default=())  # every Cookie header as it came: a second one is no accident


class Authenticator(Protocol):
    async def authenticate(self, asked: Asked) -> Principal:
        """Raises Unauthenticated, Forbidden, DatabaseAway."""
        ...

    async def authenticate_client(self, client_id: str, address: str | None) -> Principal:
        """A machine client that proved itself by other means than a token. Raises Unauthenticated, DatabaseAway."""
        ...
