"""A real server over loopback: judged by an independent OAuth client and by an independent SCIM tester."""

import time

import httpx
import httpx2
import jwt
import pytest
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import ECKey

from tests.integration.identity.machines import INTAKE, OwnKey, give_key, give_secret, register
from tests.integration.identity.running import running

pytestmark = pytest.mark.integration


@pytest.fixture
def server(database, reader_url, keys):
    with running(database, reader_url, keys.directory) as address:
        yield address


def test_an_independent_client_finds_the_server_and_gets_tokens_in_both_ways(server, pool):
    register(pool)
    secret = give_secret(pool)
    metadata = httpx.get(f"{server}/.well-known/oauth-authorization-server").json()
    endpoint = metadata["token_endpoint"]

    with OAuth2Client("hotline", secret, token_endpoint_auth_method="client_secret_basic") as client:
        token = client.fetch_token(endpoint, grant_type="client_credentials", resource=INTAKE)

    key = OwnKey(algorithm="ES256", private=ec.generate_private_key(ec.SECP256R1()))
    give_key(pool, key)
    own = ECKey.import_key(key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    claims = {"exp": int(time.time()) + 240}  # the library's own hour is more than any assertion needs
    with OAuth2Client("hotline", own, token_endpoint_auth_method="private_key_jwt") as client:
        client.register_client_auth_method(PrivateKeyJWT(endpoint, claims, {"kid": key.kid}, "ES256"))
        other = client.fetch_token(endpoint, grant_type="client_credentials", resource=INTAKE)

    keys = jwt.PyJWKClient(metadata["jwks_uri"])
    for one in (token, other):
        verified = jwt.decode(
            one["access_token"],
            keys.get_signing_key_from_jwt(one["access_token"]),
            algorithms=["EdDSA"],
            audience=INTAKE,
            issuer=metadata["issuer"],
        )
        assert verified["client_id"] == "hotline"


def test_the_scim_tester_finds_no_error(server, pool):
    # Here: they take two seconds to load, which every worker would spend on collecting this test.
    from scim2_client.engines.httpx2 import SyncSCIMClient
    from scim2_tester import Status, check_server

    register(pool, "roster", scopes=("scim",), requests_per_minute=100_000)
    secret = give_secret(pool, "roster")
    wish = {"grant_type": "client_credentials", "resource": "urn:lianxin:identity"}
    token = httpx.post(f"{server}/v1/oauth2/token", data=wish, auth=("roster", secret)).json()["access_token"]

    with httpx2.Client(
        base_url=f"{server}/scim/v2", headers={"Authorization": f"Bearer {token}"}, timeout=30
    ) as connection:
        results = check_server(SyncSCIMClient(connection))

    failed = [
        f"{one.status.name} {one.resource_type} {one.title}: {one.reason}"
        for one in results
        if one.status not in {Status.SUCCESS, Status.COMPLIANT, Status.ACCEPTABLE, Status.SKIPPED}
    ]
    assert not failed, "\n".join(failed)
    assert sum(one.status is Status.SUCCESS for one in results) > 60
