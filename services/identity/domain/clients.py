"""Machine clients: what may be registered, what proves that one is asking, and what it may be given."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final, Literal
from uuid import UUID

from shared.errors import Conflict, NotFound, Rejected

CredentialKind = Literal["secret", "key"]
KeyAlgorithm = Literal["ES256", "PS256", "EdDSA"]
ClientStatus = Literal["active", "disabled"]
Network = IPv4Network | IPv6Network

LIVE_CREDENTIALS: Final = 2  # of each kind: the old one works until the new one is in place everywhere
LONGEST_LIFE: Final = timedelta(days=3 * 366)
LONGEST_CREDENTIAL_LIFE: Final = timedelta(days=400)
SECRET_PREFIX: Final = "lxs_"  # noqa: S105 - what a scanner for leaked secrets looks for
_CLIENT_ID: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,62}[a-z0-9])", re.ASCII)
_KID: Final = re.compile(r"[A-Za-z0-9._~-]{1,64}", re.ASCII)


class UnknownClient(NotFound):
    code = "unknown-client"


class UnknownCredential(NotFound):
    code = "unknown-credential"


class UnsafeRegistration(Rejected):
    """What a machine client asks for cannot be given to anybody."""

    code = "unsafe-registration"


class UnusableKey(Rejected):
    code = "unusable-key"


class TooManyCredentials(Conflict):
    code = "too-many-credentials"


class KeyIdTaken(Conflict):
    code = "key-id-taken"


class ClientDisabled(Conflict):
    code = "client-disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What a machine client may do. Without organisations it may do it everywhere."""

    client_id: str
    name: str
    purpose: str
    scopes: tuple[str, ...]
    organisation_codes: tuple[str, ...]
    allowed_networks: tuple[str, ...]
    requests_per_minute: int
    expires_at: datetime

    def check(self, *, known_scopes: Collection[str], now: datetime) -> None:
        """Raises UnsafeRegistration."""
        if not is_client_id(self.client_id):
            raise UnsafeRegistration("a client id has 3 to 64 small letters, digits and hyphens")
        if not self.scopes or set(self.scopes) - set(known_scopes):
            raise UnsafeRegistration("every scope must be one that an action of the policy asks for")
        for items in (self.scopes, self.organisation_codes, self.allowed_networks):
            if len(set(items)) != len(items):
                raise UnsafeRegistration("a scope, an organisation or a network is named twice")
        for network in self.allowed_networks:
            read_network(network)
        if not now < self.expires_at <= now + LONGEST_LIFE:
            raise UnsafeRegistration("a machine client ends within three years")


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    id: UUID
    client_id: str
    name: str
    purpose: str
    scopes: list[str]
    organisation_codes: list[str]
    allowed_networks: list[str]
    requests_per_minute: int
    status: ClientStatus
    created_at: datetime
    expires_at: datetime

    def is_usable(self, now: datetime) -> bool:
        return self.status == "active" and now < self.expires_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A live secret, as its digest, or a live public key."""

    id: UUID
    machine_client_id: UUID
    kind: CredentialKind
    slot: int
    secret_digest: bytes | None
    kid: str | None
    algorithm: KeyAlgorithm | None
    public_key: bytes | None
    created_at: datetime
    created_by: str
    expires_at: datetime
    last_used_on: datetime | None


def read_network(text: str) -> Network:
    """Raises UnsafeRegistration."""
    try:
        network = ip_network(text)
    except ValueError:
        raise UnsafeRegistration("a network is written like 10.1.0.0/16 or 2001:db8::/32") from None
    if network.prefixlen == 0:
        raise UnsafeRegistration("the whole internet is no network: leave networks out instead")
    return network


def is_within(address: str, networks: Collection[str]) -> bool:
    """Whether the address lies in one of the networks; no networks, no limit. What is no address lies nowhere."""
    if not networks:
        return True
    try:
        asked = ip_address(address)
    except ValueError:
        return False
    asked = getattr(asked, "ipv4_mapped", None) or asked
    return any(asked in ip_network(network) for network in networks)


def make_secret() -> str:
    return SECRET_PREFIX + secrets.token_urlsafe(32)


def digest_secret(secret: str) -> bytes:
    """A plain SHA-256 is right here: 256 random bits cannot be guessed, however fast the guessing goes.

    A slow hash defends passwords that people choose. Here it would only let strangers spend our processors.
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def find_secret(credentials: Collection[Credential], secret: str) -> Credential | None:
    """The credential of this secret. Every one is compared, and in constant time."""
    digest = digest_secret(secret)
    found = None
    for credential in credentials:
        if hmac.compare_digest(credential.secret_digest or b"\0" * 32, digest):
            found = credential
    return found


def is_client_id(text: str) -> bool:
    return _CLIENT_ID.fullmatch(text) is not None


def check_kid(kid: str) -> None:
    """Raises UnusableKey."""
    if not _KID.fullmatch(kid):
        raise UnusableKey("a key id has 1 to 64 letters, digits, dots, hyphens, underscores and tildes")


def free_slot(taken: Collection[int]) -> int:
    """Raises TooManyCredentials."""
    for slot in range(1, LIVE_CREDENTIALS + 1):
        if slot not in taken:
            return slot
    raise TooManyCredentials(f"{LIVE_CREDENTIALS} are live already: revoke the one that nobody uses any more")


def choose_scopes(asked: str | None, permitted: Collection[str]) -> tuple[str, ...] | None:
    """The scopes of a token in the order of the alphabet, or None where some may not be given."""
    if asked is None:
        return tuple(sorted(permitted))
    wanted = set(asked.split(" "))
    if "" in wanted or wanted - set(permitted):
        return None
    return tuple(sorted(wanted))
