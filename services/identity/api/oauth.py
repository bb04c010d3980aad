"""The token endpoint for machine clients, and what describes it: metadata of RFC 8414 and the key set."""

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from typing_extensions import override

from services.identity.api.doors import AppSettings
from services.identity.domain.oauth import GRANT_TYPE, TokenRefused, read_form, read_request
from services.identity.handlers.token_keys import KeyChoice, list_public_keys
from services.identity.handlers.tokens import TokenRules, give_token
from services.identity.settings import IdentitySettings
from services.identity.signing.access_tokens import show_key
from services.identity.signing.assertions import ALGORITHMS
from shared.answers import Problem, Shown, shows
from shared.crypto import CryptoProvider
from shared.database import Pool
from shared.http import AppPool, json_response, leave_open
from shared.networks import forwarded_for, sender_of
from shared.openapi import PROBLEM, REFERENCE
from shared.policy import POLICY

TOKEN_PATH = "/v1/oauth2/token"  # noqa: S105 - a path
KEYS_PATH = "/v1/oauth2/jwks"
METADATA_PATH = "/.well-known/oauth-authorization-server"
FORM = "application/x-www-form-urlencoded"
KEY_BELIEVED = timedelta(seconds=5)
CHALLENGE = 'Basic realm="lianxin", charset="UTF-8"'
Answer = Callable[[Request], Coroutine[Any, Any, Response]]


class PublicKey(Shown):
    """An Ed25519 key, as RFC 8037 writes it."""

    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    kid: str
    use: Literal["sig"]
    alg: Literal["EdDSA"]
    x: str


class KeySet(Shown):
    """The keys that tokens are verified by, as a JWK set of RFC 7517."""

    keys: list[PublicKey]


class ServerMetadata(Shown):
    """What RFC 8414 has a program know beforehand."""

    issuer: str
    token_endpoint: str
    jwks_uri: str
    grant_types_supported: list[str]
    response_types_supported: list[str]
    scopes_supported: list[str]
    token_endpoint_auth_methods_supported: list[str]
    token_endpoint_auth_signing_alg_values_supported: list[str]


class TokenRoute(APIRoute):
    """Refusals as RFC 6749 writes them. All other failures are problem documents, as everywhere."""

    @override
    def get_route_handler(self) -> Answer:
        answer = super().get_route_handler()

        async def answer_refusals(request: Request) -> Response:
            try:
                return await answer(request)
            except TokenRefused as refusal:
                return show_refusal(refusal)

        return answer_refusals


def show_refusal(refusal: TokenRefused) -> Response:
    unproven = refusal.code == "invalid_client"
    return json_response(
        {"error": refusal.code, "error_description": refusal.detail},
        status=401 if unproven else 400,
        headers={"Pragma": "no-cache", **({"WWW-Authenticate": CHALLENGE} if unproven else {})},
    )


_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": {"type": "string"}, "error_description": {"type": "string"}},
}
_TOKEN_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A token for one service",
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["access_token", "token_type", "expires_in", "scope"],
                    "properties": {
                        "access_token": {"type": "string"},
                        "token_type": {"type": "string", "enum": ["Bearer"]},
                        "expires_in": {"type": "integer"},
                        "scope": {"type": "string"},
                    },
                }
            }
        },
    },
    400: {
        "description": "Refused, as RFC 6749 says why; what is no request at all is refused as everywhere",
        "content": {
            "application/json": {"schema": _ERROR},
            PROBLEM: {"schema": {"$ref": REFERENCE + Problem.__name__}},
        },
    },
    401: {"description": "The client has not proved itself", "content": {"application/json": {"schema": _ERROR}}},
    413: {"description": "The body is too large"},
    429: {"description": "Too many requests; Retry-After says when again"},
    503: {"description": "The database is away"},
}
_FORM_SHAPE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            FORM: {
                "schema": {
                    "type": "object",
                    "required": ["grant_type", "resource"],
                    "properties": {
                        "grant_type": {"type": "string", "enum": [GRANT_TYPE]},
                        "resource": {"type": "string", "description": "The service that the token is for"},
                        "scope": {"type": "string", "description": "Words with spaces between them; all without it"},
                        "client_id": {"type": "string"},
                        "client_secret": {"type": "string", "description": "Only where the installation allows it"},
                        "client_assertion_type": {"type": "string"},
                        "client_assertion": {"type": "string"},
                    },
                }
            }
        },
    }
}

router = APIRouter(route_class=TokenRoute)


def choose_keys(settings: IdentitySettings, pool: Pool, crypto: CryptoProvider) -> KeyChoice:
    return KeyChoice(pool, crypto, issuer=settings.issuer, believed=KEY_BELIEVED)


async def keys_of(request: Request) -> KeyChoice:
    keys: KeyChoice = request.app.state.token_keys
    return keys


@router.post(TOKEN_PATH, openapi_extra=_FORM_SHAPE, responses=_TOKEN_ANSWERS)
async def give_access_token(
    request: Request,
    _: Annotated[None, Depends(leave_open("token.request", any_query=True))],
    pool: AppPool,
    settings: AppSettings,
    keys: Annotated[KeyChoice, Depends(keys_of)],
) -> Response:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise TokenRefused("invalid_request", f"the body must be {FORM}")
    asked = read_request(
        read_form(await request.body()),
        request.headers.get("authorization"),
        secret_in_body=settings.client_secret_in_body,
    )
    peer = request.client.host if request.client is not None else None
    address = sender_of(peer, forwarded_for(request.headers), settings.trusted_proxies)
    rules = TokenRules(
        audiences=(settings.issuer, settings.issuer + TOKEN_PATH),
        requests_per_minute=settings.token_requests_per_minute,
    )
    issued = await run_in_threadpool(give_token, pool, keys, asked, rules, address=address, now=datetime.now(UTC))
    document = {
        "access_token": issued.token,
        "token_type": "Bearer",
        "expires_in": issued.expires_in,
        "scope": " ".join(issued.scopes),
    }
    return json_response(document, headers={"Pragma": "no-cache"})


@router.get(KEYS_PATH, responses=shows(KeySet))
def list_keys(_: Annotated[None, Depends(leave_open("token_key.read", any_query=True))], pool: AppPool) -> Response:
    public = list_public_keys(pool, now=datetime.now(UTC))
    return json_response({"keys": [show_key(kid, key) for kid, key in public]})


@router.get(METADATA_PATH, responses=shows(ServerMetadata))
def describe(
    _: Annotated[None, Depends(leave_open("token_key.read", any_query=True))], settings: AppSettings
) -> Response:
    return json_response(describe_server(settings))


def describe_server(settings: IdentitySettings) -> dict[str, object]:
    methods = ["client_secret_basic", "private_key_jwt"]
    return {
        "issuer": settings.issuer,
        "token_endpoint": settings.issuer + TOKEN_PATH,
        "jwks_uri": settings.issuer + KEYS_PATH,
        "grant_types_supported": [GRANT_TYPE],
        "response_types_supported": [],
        "scopes_supported": sorted({rule.scope for rule in POLICY.values() if rule.scope}),
        "token_endpoint_auth_methods_supported": [
            *methods,
            *(["client_secret_post"] if settings.client_secret_in_body else []),
        ],
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
    }
