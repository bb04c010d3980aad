"""The token endpoint's language: what a request may say, and the errors of RFC 6749, 6750, 7523 and 8707."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import parse_qsl, unquote_plus

from shared.errors import LianxinError

GRANT_TYPE: Final = "client_credentials"
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
AUDIENCES: Final = tuple(f"urn:lianxin:{service}" for service in ("assessment", "identity", "intake", "notify"))
MOST_PARAMETERS: Final = 50
LONGEST_PARAMETER: Final = 10_000

ErrorCode = Literal[
    "invalid_request",
    "invalid_client",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
    "invalid_target",
]


class TokenRefused(LianxinError):
    """Its code is one of the standard's; its text holds no character that an error description may not have."""

    def __init__(self, code: ErrorCode, detail: str) -> None:
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretProof:
    client_id: str
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AssertionProof:
    """`client_id` is what the request says beside the assertion, if it says it."""

    client_id: str | None
    assertion: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest:
    proof: SecretProof | AssertionProof
    grant_type: str
    audience: str
    scope: str | None


def read_form(body: bytes) -> dict[str, str]:
    """Raises TokenRefused. A parameter without a value counts as left out; each is taken once, `resource` too."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=MOST_PARAMETERS,
        )
    except ValueError:
        raise TokenRefused("invalid_request", "the body is not a form in UTF-8") from None
    form = dict(pairs)
    if [name for name, _ in pairs].count("resource") > 1:
        raise TokenRefused("invalid_target", "a token is for one resource")
    if len(form) != len(pairs):
        raise TokenRefused("invalid_request", "a parameter is given twice")
    if any(len(value) > LONGEST_PARAMETER for value in form.values()):
        raise TokenRefused("invalid_request", "a parameter is too long")
    return {name: value for name, value in form.items() if value}


def read_request(form: Mapping[str, str], authorization: str | None, *, secret_in_body: bool) -> TokenRequest:
    """Raises TokenRefused. Who asks is settled first, so that a stranger learns nothing about the rest."""
    proof = _read_proof(form, authorization, secret_in_body=secret_in_body)
    if "grant_type" not in form:
        raise TokenRefused("invalid_request", "grant_type is missing")
    return TokenRequest(
        proof=proof, grant_type=form["grant_type"], audience=form.get("resource", ""), scope=form.get("scope")
    )


def _read_proof(
    form: Mapping[str, str], authorization: str | None, *, secret_in_body: bool
) -> SecretProof | AssertionProof:
    given = [authorization is not None, "client_secret" in form, "client_assertion" in form]
    if sum(given) > 1:
        raise TokenRefused("invalid_request", "a client proves itself in one way at a time")
    if authorization is not None:
        proof = read_basic(authorization)
        if form.get("client_id", proof.client_id) != proof.client_id:
            raise TokenRefused("invalid_request", "client_id contradicts the authorization header")
        return proof
    if "client_assertion" in form:
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            raise TokenRefused("invalid_request", "this client_assertion_type is not known here")
        return AssertionProof(client_id=form.get("client_id"), assertion=form["client_assertion"])
    if "client_secret" in form and not secret_in_body:
        raise TokenRefused("invalid_request", "send the secret in the authorization header, not in the body")
    if "client_secret" in form and "client_id" in form:
        return SecretProof(client_id=form["client_id"], secret=form["client_secret"])
    raise TokenRefused("invalid_client", "the client has not proved itself")


def read_basic(authorization: str) -> SecretProof:
    """Name and secret, each form-encoded before they were joined (RFC 6749, 2.3.1). Raises TokenRefused."""
    scheme, _, encoded = authorization.partition(" ")
    refused = TokenRefused("invalid_client", "the authorization header is not that of a client")
    if scheme.lower() != "basic" or len(encoded) > LONGEST_PARAMETER:
        raise refused
    try:
        name, colon, secret = base64.b64decode(encoded, validate=True).decode("ascii").partition(":")
        proof = SecretProof(client_id=unquote_plus(name, errors="strict"), secret=unquote_plus(secret, errors="strict"))
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise refused from None
    if not colon or not proof.client_id or not proof.secret:
        raise refused
    return proof
