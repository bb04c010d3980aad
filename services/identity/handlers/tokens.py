"""Giving a machine an access token: who asks, from where, for which service and how much of what it may."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.identity import metrics
from services.identity.domain.clients import (
    Client,
    Credential,
    choose_scopes,
    find_secret,
    is_client_id,
    is_within,
)
from services.identity.domain.oauth import (
    AUDIENCES,
    GRANT_TYPE,
    AssertionProof,
    SecretProof,
    TokenRefused,
    TokenRequest,
)
from services.identity.domain.token_keys import TOKEN_LIFE
from services.identity.handlers.token_keys import KeyChoice
from services.identity.signing.access_tokens import issue_token
from services.identity.signing.assertions import LEEWAY, BadAssertion, check_assertion, name_client
from services.identity.storage import clients
from shared import limits
from shared.audit.chain import Decision, Line, record
from shared.database import Connection, Pool, transaction
from shared.networks import network_of
from shared.reach import SYSTEM

NETWORK_REQUESTS_PER_MINUTE: Final = 600
REMOVED_AT_ONCE: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRules:
    """`audiences` are the names by which an assertion may call us: the issuer and the token endpoint."""

    audiences: Collection[str]
    requests_per_minute: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken:
    token: str
    scopes: tuple[str, ...]
    expires_in: int


def give_token(
    pool: Pool, keys: KeyChoice, request: TokenRequest, rules: TokenRules, *, address: str, now: datetime
) -> IssuedToken:
    """Raises TokenRefused, TooMany, DatabaseAway."""
    client_id = _name_client(request.proof)
    if not is_client_id(client_id):
        raise _refused("invalid_client", "the client has not proved itself")
    _slow_down(pool, client_id, rules, address=address, now=now)
    client = _authenticate(pool, client_id, request.proof, rules, now=now)
    if not is_within(address, client.allowed_networks):
        raise _refused("unauthorized_client", "this client may not ask from where it asks")
    scopes = _check_wish(client, request)
    key = keys.choose(now)
    record(pool, _line(client, "allowed", audience=request.audience, scopes=" ".join(scopes)))
    token = issue_token(key, client_id=client.client_id, audience=request.audience, scopes=scopes, now=now)
    metrics.tokens_asked_total.labels("given").inc()
    return IssuedToken(token=token, scopes=scopes, expires_in=int(TOKEN_LIFE.total_seconds()))


def forget_used_assertions(pool: Pool, *, now: datetime) -> int:
    """A repeat finds nothing more: what is forgotten would be refused for its age."""
    removed = 0
    while True:
        with transaction(pool, reach=SYSTEM) as connection:
            count = clients.forget_assertions(connection, before=now - 2 * LEEWAY, limit=REMOVED_AT_ONCE)
        removed += count
        if count < REMOVED_AT_ONCE:
            metrics.kept_total.labels("assertion").inc(removed)
            return removed


def _slow_down(pool: Pool, client_id: str, rules: TokenRules, *, address: str, now: datetime) -> None:
    """Raises TooMany. The network has its own bucket, so that nobody can try many names from one place."""
    network = network_of(address)
    limits.take(pool, f"token|{network}", limit=NETWORK_REQUESTS_PER_MINUTE, per_seconds=60, now=now)
    limits.take(pool, f"token|{client_id}|{network}", limit=rules.requests_per_minute, per_seconds=60, now=now)


def _authenticate(
    pool: Pool, client_id: str, proof: SecretProof | AssertionProof, rules: TokenRules, *, now: datetime
) -> Client:
    """Raises TokenRefused, with the same words for no such client, a disabled one and a wrong proof."""
    with transaction(pool, reach=SYSTEM) as connection:
        client = clients.find_client(connection, client_id)
        usable = client if client is not None and client.is_usable(now) else None
        credentials = clients.list_credentials(connection, usable.id, now=now) if usable is not None else []
        credential = _check_proof(connection, client_id, proof, credentials, rules, now=now)
        if credential is not None:
            clients.note_use(connection, credential.id, on=now.date())
    if client is not None and credential is None:
        record(pool, _line(client, "denied", status=client.status, proof=type(proof).__name__))
    if usable is None or credential is None:
        raise _refused("invalid_client", "the client has not proved itself")
    return usable


def _check_proof(
    connection: Connection,
    client_id: str,
    proof: SecretProof | AssertionProof,
    credentials: Collection[Credential],
    rules: TokenRules,
    *,
    now: datetime,
) -> Credential | None:
    if isinstance(proof, SecretProof):
        return find_secret([one for one in credentials if one.kind == "secret"], proof.secret)
    try:
        checked = check_assertion(
            proof.assertion, client_id=client_id, credentials=credentials, audiences=rules.audiences, now=now
        )
    except BadAssertion:
        return None
    digest = hashlib.sha256(checked.assertion_id.encode("utf-8", "surrogatepass")).digest()
    is_first = clients.use_assertion(
        connection, checked.credential.machine_client_id, digest, expires_at=checked.expires_at
    )
    return checked.credential if is_first else None


def _check_wish(client: Client, request: TokenRequest) -> tuple[str, ...]:
    """Raises TokenRefused."""
    if request.grant_type != GRANT_TYPE:
        raise _refused("unsupported_grant_type", "only client_credentials is given here")
    if request.audience not in AUDIENCES:
        raise _refused("invalid_target", "resource must name the one service that the token is for")
    scopes = choose_scopes(request.scope, client.scopes)
    if not scopes:
        raise _refused("invalid_scope", "the client may not have every scope that it asks for")
    return scopes


def _name_client(proof: SecretProof | AssertionProof) -> str:
    """Raises TokenRefused."""
    if isinstance(proof, SecretProof):
        return proof.client_id
    try:
        named = name_client(proof.assertion)
    except BadAssertion:
        raise _refused("invalid_client", "the client has not proved itself") from None
    if proof.client_id not in {None, named}:
        raise _refused("invalid_client", "the client has not proved itself")
    return named


def _line(client: Client, decision: Decision, **details: str) -> Line:
    """Of a machine that exists. Names that nobody has are counted, and written nowhere: they may be anything."""
    return Line(
        action="token.request",
        object_type="machine_client",
        object_id=client.client_id,
        decision=decision,
        details=details,
        actor=client.client_id,
        account_id=client.id,
        role="machine_client",
    )


def _refused(code: str, detail: str) -> TokenRefused:
    metrics.tokens_asked_total.labels(code).inc()
    return TokenRefused(code, detail)  # type: ignore[arg-type] # one of the literals at each call
