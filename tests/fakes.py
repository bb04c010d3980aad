"""Stand-ins that keep the promises of what they stand for."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from shared.access.principal import Asked, Grant, Principal, Role
from shared.broker.publisher import OutgoingMessage
from shared.broker.seals import Seals
from shared.crypto import KeyRing
from shared.errors import Unauthenticated
from shared.policy import POLICY

EVERY_SCOPE = frozenset(rule.scope for rule in POLICY.values() if rule.scope)


class KnownPrincipals:
    """An authenticator whose bearer tokens are the names of the principals. No production code has such a door."""

    def __init__(self, principals: Mapping[str, Principal]) -> None:
        self.principals = dict(principals)

    async def authenticate(self, asked: Asked) -> Principal:
        scheme, _, name = asked.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or name not in self.principals:
            raise Unauthenticated("nobody of this name is known")
        return self.principals[name]

    async def authenticate_client(self, client_id: str, _: str | None) -> Principal:
        known = next((one for one in self.principals.values() if one.name == client_id), None)
        if known is None:
            raise Unauthenticated("no client of this name is known")
        return known


def person(
    role: Role,
    organisation_code: str | None = None,
    *,
    name: str = "",
    staff_number: str | None = None,
    stepped_up_at: datetime | None = None,
) -> Principal:
    """One who has one role, in one organisation or everywhere."""
    name = name or f"the-{role}"
    return Principal(
        account_id=uuid5(NAMESPACE_URL, name),
        name=name,
        person_id=name,
        grants=(Grant(role=role, organisation_code=organisation_code),),
        staff_number=staff_number,
        session_id=uuid5(NAMESPACE_URL, f"session of {name}"),
        stepped_up_at=stepped_up_at,
    )


def machine(*scopes: str, organisation_code: str | None = None, name: str = "the-machine_client") -> Principal:
    """One with these scopes, or with every scope there is."""
    return Principal(
        account_id=uuid5(NAMESPACE_URL, name),
        name=name,
        person_id="client:" + re.sub("[^a-z0-9]+", "-", name.lower()).strip("-"),  # as identity has it
        kind="machine",
        grants=(Grant(role="machine_client", organisation_code=organisation_code),),
        scopes=frozenset(scopes) or EVERY_SCOPE,
    )


def one_of_each_role() -> KnownPrincipals:
    """Everybody everywhere, each under the name of the role; the cadre is S1."""
    roles: tuple[Role, ...] = (
        "approver",
        "auditor",
        "clerk",
        "department_officer",
        "operations",
        "security_administrator",
        "unit_head",
    )
    known = {str(role): person(role) for role in roles}
    return KnownPrincipals({**known, "cadre": person("cadre", staff_number="S1"), "machine_client": machine()})


def sealed(message: OutgoingMessage, keys_folder: Path, *, service: str) -> OutgoingMessage:
    """The message with the seal that the service's relay would have given it."""
    seal = Seals(KeyRing(keys_folder / service), service=service).seal(
        message_id=message.message_id,
        message_type=message.message_type,
        content_type=message.content_type,
        body=message.body,
    )
    return replace(message, seal=seal)
