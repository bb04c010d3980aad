"""Identity's world: one account beside those who ask; and a probe for each route."""

from uuid import uuid4

from fastapi import FastAPI
from httpx2 import Client

from tests.matrix.expectations import Place
from tests.matrix.probes import Probe, Shot, everywhere
from tests.matrix.retention import RETENTION
from tests.matrix.run import Route

# What these answer depends on the session, which nobody here really has, and on what was given: here it counts that
# nobody is told that the role may not.
HEARD = frozenset({200, 204, 400, 404, 409, 422})
PASSWORD = {"password": "tangerine-window-42", "new_password": "another-window-42"}


class IdentityWorld:
    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self._account_id = ""
        self._made = 0

    def fill(self, client: Client, *, administrator: str) -> None:
        answer = client.post(
            "/v1/accounts",
            json={"name": "wang.fang", "display_name": "王芳"},
            headers={"Authorization": f"Bearer {administrator}"},
        )
        self._account_id = answer.json()["id"]

    def probes(self) -> dict[Route, Probe]:
        return {
            ("GET", "/v1/openapi.json"): Probe(action="describe the interface", aim=everywhere(Shot())),
            **RETENTION,
            ("GET", "/v1/audit-records"): Probe(action="read the audit", aim=everywhere(Shot())),
            **self._of_accounts(),
            **_of_clients(),
            **_roster(),
            **_own(),
            **_open(),
        }

    def _of_accounts(self) -> dict[Route, Probe]:
        keep, account = "keep accounts", "/v1/accounts/{account_id}"
        person = {"display_name": "王芳", "person_id": "wang"}
        return {
            ("GET", "/v1/accounts"): Probe(action="read accounts", aim=everywhere(Shot())),
            ("GET", account): Probe(action="read accounts", aim=self._account),
            ("POST", "/v1/accounts"): Probe(action=keep, aim=self._new_account),
            ("PUT", account): Probe(action=keep, aim=lambda place: self._account(place, person)),
            ("POST", f"{account}/disable"): Probe(action=keep, aim=self._account),
            ("POST", f"{account}/enable"): Probe(action=keep, aim=self._account),
            ("POST", f"{account}/roles"): Probe(action=keep, aim=lambda place: self._account(place, {"role": "clerk"})),
            ("DELETE", f"{account}/roles/{{grant_id}}"): Probe(action=keep, aim=self._no_grant, fine=frozenset({404})),
            ("POST", f"{account}/password"): Probe(action=keep, aim=self._account),
            ("DELETE", f"{account}/second-factor"): Probe(action=keep, aim=self._account),
            ("GET", "/v1/account-proposals"): Probe(action="read what is asked for", aim=everywhere(Shot())),
            **{
                ("POST", f"/v1/account-proposals/{{proposal_id}}/{verb}"): Probe(
                    action="agree to what is asked for",
                    aim=everywhere(Shot(path={"proposal_id": uuid4()}, body={"reason": "nein"})),
                    fine=frozenset({404}),
                )
                for verb in ("approve", "refuse")
            },
        }

    def _account(self, place: Place, body: object = None) -> Shot | None:
        if place not in {"own", "unknown"}:
            return None
        return Shot(path={"account_id": self._account_id if place == "own" else uuid4()}, body=body)

    def _no_grant(self, place: Place) -> Shot | None:
        return Shot(path={"account_id": self._account_id, "grant_id": uuid4()}) if place == "own" else None

    def _new_account(self, place: Place) -> Shot | None:
        if place != "own":
            return None
        self._made += 1
        return Shot(body={"name": f"new-{self._made}", "display_name": "新人"})


def _of_clients() -> dict[Route, Probe]:
    def probe(action: str, body: object = None, **path: object) -> Probe:
        return Probe(action=action, aim=everywhere(Shot(path=path, body=body)), fine=frozenset({200, 404}))

    client, proposal = "/v1/clients/{client_id}", "/v1/client-proposals/{proposal_id}"
    return {
        ("POST", "/v1/client-proposals"): probe("propose a client", {}),
        ("GET", "/v1/client-proposals"): probe("read clients"),
        ("POST", f"{proposal}/approve"): probe("decide on a client", proposal_id=uuid4()),
        ("POST", f"{proposal}/refuse"): probe("decide on a client", {"reason": "unclear"}, proposal_id=uuid4()),
        ("GET", "/v1/clients"): probe("read clients"),
        ("GET", client): probe("read clients", client_id="nobody"),
        ("POST", f"{client}/secrets"): probe("equip a client", {}, client_id="nobody"),
        ("POST", f"{client}/keys"): probe("equip a client", {"jwk": {}}, client_id="nobody"),
        ("DELETE", f"{client}/credentials/{{credential_id}}"): probe(
            "equip a client", client_id="nobody", credential_id=uuid4()
        ),
        ("POST", f"{client}/disable"): probe("disable a client", client_id="nobody"),
    }


def _roster() -> dict[Route, Probe]:
    """One who keeps a roster keeps all of it: a machine for one organisation may do nothing here."""
    shot = Shot(path={"identifier": str(uuid4()), "path": "nothing"})
    probe = Probe(action="keep the roster", aim=everywhere(shot))
    described = (
        "ServiceProviderConfig",
        "ResourceTypes",
        "Schemas",
        "ResourceTypes/{identifier}",
        "Schemas/{identifier}",
    )
    changes = ("POST", "PUT", "PATCH", "DELETE")
    routes = {(method, f"/scim/v2/{path}") for path in described for method in ("GET", *changes)}
    for kind in ("Users", "Groups"):
        routes |= {("GET", f"/scim/v2/{kind}"), ("POST", f"/scim/v2/{kind}"), ("POST", f"/scim/v2/{kind}/.search")}
        routes |= {(method, f"/scim/v2/{kind}/{{identifier}}") for method in ("GET", "PUT", "PATCH", "DELETE")}
    routes |= {("POST", "/scim/v2/.search")}
    routes |= {(method, "/scim/v2/{path}") for method in ("GET", *changes)}
    return dict.fromkeys(routes, probe)


def _own() -> dict[Route, Probe]:
    def probe(body: object = None) -> Probe:
        return Probe(action="keep one's own account", aim=everywhere(Shot(body=body)), fine=HEARD | {401})

    return {
        ("GET", "/v1/me"): probe(),
        ("POST", "/v1/sign-out"): probe(),
        ("POST", "/v1/sign-out/everywhere"): probe(),
        ("POST", "/v1/step-up"): probe({"password": "tangerine-window-42"}),
        ("POST", "/v1/password"): probe(PASSWORD),
        ("POST", "/v1/second-factor"): probe(),
        ("POST", "/v1/second-factor/confirmation"): probe({"code": "123456"}),
        ("DELETE", "/v1/second-factor"): probe(),
    }


def _open() -> dict[Route, Probe]:
    def probe(body: object = None) -> Probe:
        return Probe(action="sign in", aim=everywhere(Shot(body=body)), fine=HEARD | {401, 429}, is_open=True)

    return {
        ("POST", "/v1/sign-in"): probe({"name": "li.na", "password": "tangerine-window-42"}),
        ("POST", "/v1/sign-in/code"): probe({"code": "123456"}),
        ("POST", "/v1/sign-in/new-password"): probe({"new_password": "tangerine-window-42"}),
        ("POST", "/v1/sign-in/second-factor"): probe(),
        ("POST", "/v1/sign-in/second-factor/confirmation"): probe({"code": "123456"}),
        ("POST", "/v1/oauth2/token"): probe(),
        ("GET", "/v1/oauth2/jwks"): probe(),
        ("GET", "/.well-known/oauth-authorization-server"): probe(),
    }
