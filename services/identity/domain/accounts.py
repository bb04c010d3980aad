"""Accounts of people and the roles they hold; the database holds every rule of these a second time."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from shared.errors import Conflict, NotFound, Rejected

GrantableRole = Literal[
    "clerk",
    "cadre",
    "unit_head",
    "department_officer",
    "approver",
    "auditor",
    "security_administrator",
    "operations",
]
AccountStatus = Literal["active", "disabled"]
# No person holds two of these, and each of them acts everywhere or nowhere.
SEPARATED_ROLES: Final = frozenset({"auditor", "security_administrator", "operations"})
_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}", re.ASCII)


class UnknownAccount(NotFound):
    code = "unknown-account"


class UnknownGrant(NotFound):
    code = "unknown-grant"


class NameTaken(Conflict):
    code = "name-taken"


class OtherPerson(Conflict):
    """The staff number says who it is, and the account was to be somebody else's."""

    code = "other-person"


class OwnAccount(Conflict):
    """Nobody administers the account of the person they are, whichever account they act by."""

    code = "own-account"


class HasAdministrator(Conflict):
    code = "has-administrator"


class IncompatibleRoles(Conflict):
    code = "incompatible-roles"


class UnsafeName(Rejected):
    code = "unsafe-name"


class UnscopedRole(Rejected):
    code = "role-without-organisation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    id: UUID
    name: str
    display_name: str
    person_id: str
    staff_number: str | None
    status: AccountStatus
    created_at: datetime
    changed_at: datetime
    version: int = 1  # of all but the roles


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleGrant:
    """organisation_code None: everywhere."""

    id: UUID
    account_id: UUID
    person_id: str
    role: GrantableRole
    organisation_code: str | None
    granted_at: datetime
    granted_by: str


def normalise_name(name: str) -> str:
    """The name an account is found by: case does not matter, nor do spaces around it. Empty for what is no name."""
    normal = name.strip().lower()
    return normal if _NAME.fullmatch(normal) else ""


def check_name(name: str) -> str:
    """Return the normal form. Raises UnsafeName."""
    normal = normalise_name(name)
    if not normal:
        raise UnsafeName("a name has 2 to 64 small letters, digits, dots, hyphens, underscores and @")
    return normal


def check_scope(role: GrantableRole, organisation_code: str | None) -> None:
    """Raises UnscopedRole."""
    if role in SEPARATED_ROLES and organisation_code is not None:
        raise UnscopedRole("this role acts everywhere or nowhere; it is not granted for an organisation")
