"""Machine clients for the tests of identity: registered, equipped with secrets and keys, and asking for tokens."""

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from services.identity.domain.clients import Registration
from services.identity.handlers import clients
from services.identity.handlers.clients import Addition
from services.identity.signing.access_tokens import show_key
from services.identity.storage.clients import put_client
from shared.database import Pool, transaction
from shared.identifiers import new_id
from shared.reach import SYSTEM, acting

ISSUER = "http://127.0.0.1:8080"
TOKEN_URL = f"{ISSUER}/v1/oauth2/token"
INTAKE = "urn:lianxin:intake"
YEAR = timedelta(days=365)
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def register(pool: Pool, client_id: str = "hotline", **more: Any) -> None:
    """As two persons would, at a time of the real clock."""
    now = datetime.now(UTC)
    registration = Registration(
        client_id=client_id,
        name="12345 热线",
        purpose="Sends work orders",
        scopes=("intake.read", "intake.write"),
        organisation_codes=(),
        allowed_networks=(),
        requests_per_minute=600,
        expires_at=now + YEAR,
    )
    registration = replace(registration, **more)
    with transaction(pool, reach=SYSTEM) as connection:
        put_client(connection, registration, new_id=new_id(), proposed_by="officer", approved_by="approver", now=now)


def addition() -> Addition:
    return Addition(id=new_id(), by="officer", valid_for=timedelta(days=90), now=datetime.now(UTC))


def give_secret(pool: Pool, client_id: str = "hotline") -> str:
    with acting(SYSTEM):
        return clients.issue_secret(pool, client_id, addition())[1]


@dataclass(frozen=True, kw_only=True)
class OwnKey:
    """A machine's private key, registered as its public half."""

    kid: str = "key-1"
    algorithm: str = "EdDSA"
    private: PrivateKey = field(default_factory=ed25519.Ed25519PrivateKey.generate)

    def public_jwk(self) -> dict[str, Any]:
        if isinstance(self.private, ed25519.Ed25519PrivateKey):
            return show_key(self.kid, self.private.public_key().public_bytes_raw())
        kind: Any = jwt.algorithms.ECAlgorithm if self.algorithm == "ES256" else jwt.algorithms.RSAAlgorithm
        jwk = json.loads(kind.to_jwk(self.private.public_key()))
        return {**{name: jwk[name] for name in jwk if name != "key_ops"}, "kid": self.kid, "alg": self.algorithm}

    def assertion(
        self, claims: Mapping[str, Any] | None = None, header: Mapping[str, Any] | None = None, **without: bool
    ) -> str:
        now = int(datetime.now(UTC).timestamp())
        whole = {
            "iss": "hotline",
            "sub": "hotline",
            "aud": TOKEN_URL,
            "exp": now + 60,
            "iat": now,
            "jti": secrets.token_urlsafe(16),
        } | dict(claims or {})
        return jwt.encode(
            {name: value for name, value in whole.items() if not without.get(name)},
            self.private,
            self.algorithm,
            headers={"kid": self.kid, **(header or {})},
        )


def give_key(pool: Pool, key: OwnKey, client_id: str = "hotline") -> None:
    with acting(SYSTEM):
        clients.register_key(pool, client_id, key.public_jwk(), addition())


def basic(client_id: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


def wish(**more: str | None) -> dict[str, str]:
    whole = {"grant_type": "client_credentials", "resource": INTAKE} | more
    return {name: value for name, value in whole.items() if value is not None}


def by_assertion(assertion: str, **more: str | None) -> dict[str, str]:
    return wish(client_assertion_type=ASSERTION_TYPE, client_assertion=assertion, **more)
