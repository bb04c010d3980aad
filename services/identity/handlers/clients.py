"""Machine clients at work: read, given secrets and keys, disabled. How one comes to be is in `registrations`."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.identity.domain.clients import (
    Client,
    ClientDisabled,
    Credential,
    CredentialKind,
    KeyIdTaken,
    TooManyCredentials,
    UnknownClient,
    UnknownCredential,
    digest_secret,
    free_slot,
    make_secret,
)
from services.identity.signing.assertions import read_jwk
from services.identity.storage import clients
from shared.audit.chain import Line, note
from shared.database import Connection, Pool, transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """Whoever adds a credential, for how long it works, and the id that it gets."""

    id: UUID
    by: str
    valid_for: timedelta
    now: datetime


def list_clients(pool: Pool, *, after: str, limit: int) -> list[Client]:
    with transaction(pool) as connection:
        return clients.list_clients(connection, after=after, limit=limit)


def get_client(pool: Pool, client_id: str, *, now: datetime) -> tuple[Client, list[Credential]]:
    """The client with what works for it. Raises UnknownClient."""
    with transaction(pool) as connection:
        client = _get(connection, client_id)
        return client, clients.list_credentials(connection, client.id, now=now)


def issue_secret(pool: Pool, client_id: str, addition: Addition) -> tuple[Credential, str]:
    """The secret is in this answer and nowhere else. Raises UnknownClient, ClientDisabled, TooManyCredentials."""
    secret = make_secret()
    with transaction(pool) as connection:
        client, slot = _make_room(connection, client_id, "secret", addition)
        credential = _credential(client, "secret", slot, addition, secret_digest=digest_secret(secret))
        if not clients.insert_credential(connection, credential):
            raise TooManyCredentials("another secret was made at the same moment")
        note(connection, _line("client.add_secret", client_id, credential=str(credential.id)))
    return credential, secret


def register_key(pool: Pool, client_id: str, jwk: dict[str, Any], addition: Addition) -> Credential:
    """Raises UnknownClient, ClientDisabled, TooManyCredentials, UnusableKey, KeyIdTaken."""
    entry = read_jwk(jwk)
    with transaction(pool) as connection:
        client, slot = _make_room(connection, client_id, "key", addition)
        credential = _credential(
            client,
            "key",
            slot,
            addition,
            kid=entry.kid,
            algorithm=entry.algorithm,
            public_key=entry.public_key,
        )
        if not clients.insert_credential(connection, credential):
            raise KeyIdTaken("a live key of this client has that id, or was registered at the same moment")
        note(connection, _line("client.add_key", client_id, credential=str(credential.id), kid=entry.kid))
    return credential


def revoke_credential(pool: Pool, client_id: str, credential_id: UUID, *, now: datetime) -> None:
    """Acts at once on new tokens; those given before end within ten minutes. A repeat raises UnknownCredential."""
    with transaction(pool) as connection:
        client = _get(connection, client_id)
        if not clients.revoke_credential(connection, client.id, credential_id, now=now):
            raise UnknownCredential("this client has no such live secret or key")
        note(connection, _line("client.revoke_credential", client_id, credential=str(credential_id)))


def disable_client(pool: Pool, client_id: str, *, now: datetime) -> bool:
    """Whether it was active until now. Acts within two seconds, on tokens given before too. Raises UnknownClient."""
    with transaction(pool) as connection:
        was_active = clients.disable_client(connection, client_id, now=now)
        if not was_active:
            _get(connection, client_id)
        note(connection, _line("client.disable", client_id))
    return was_active


def _line(action: str, client_id: str, **details: str) -> Line:
    return Line(action=action, object_type="machine_client", object_id=client_id, decision="allowed", details=details)


def _get(connection: Connection, client_id: str) -> Client:
    client = clients.find_client(connection, client_id)
    if client is None:
        raise UnknownClient("there is no such machine client")
    return client


def _make_room(connection: Connection, client_id: str, kind: CredentialKind, addition: Addition) -> tuple[Client, int]:
    client = _get(connection, client_id)
    if not client.is_usable(addition.now):
        raise ClientDisabled("the client is disabled or over; two persons can register it anew")
    clients.revoke_expired(connection, client.id, now=addition.now)
    live = clients.list_credentials(connection, client.id, now=addition.now, kind=kind)
    return client, free_slot([credential.slot for credential in live])


def _credential(
    client: Client,
    kind: CredentialKind,
    slot: int,
    addition: Addition,
    **proof: Any,  # noqa: ANN401 - the fields of a secret or of a key
) -> Credential:
    nothing = {"secret_digest": None, "kid": None, "algorithm": None, "public_key": None}
    return Credential(
        id=addition.id,
        machine_client_id=client.id,
        kind=kind,
        slot=slot,
        created_at=addition.now,
        created_by=addition.by,
        expires_at=min(addition.now + addition.valid_for, client.expires_at),
        last_used_on=None,
        **(nothing | proof),
    )
