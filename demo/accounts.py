"""Accounts and machine clients of an installation, made through identity's own doors by those who may.

The first administrator makes the accounts, and each chooses a password. An officer proposes the machine clients, an
approver agrees, and the officer gets their secrets.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from demo.credentials import NotLetIn, Person

PAGE = 200
SECRET_DAYS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An account with one role: in an organisation and below it, or everywhere."""

    name: str
    display_name: str
    role: str
    organisation_code: str | None = None
    staff_number: str | None = None
    purpose: str = ""  # what is told of it to whoever tries the demo


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedClient:
    """A machine client that may act everywhere."""

    client_id: str
    scopes: tuple[str, ...]
    purpose: str
    requests_per_minute: int = 6_000


class Accounts:
    """Whatever was done already is found again: it can be repeated, also after an interruption."""

    def __init__(self, identity: httpx.Client, *, administrator: str, passwords: Mapping[str, str]) -> None:
        self._identity = identity
        self._passwords = passwords
        self._administrator = self.person(administrator)

    def person(self, name: str) -> Person:
        return Person(self._identity, name=name, password=self._passwords[name])

    def begin(self, one_time_password: str) -> None:
        """Sign the first administrator in: for the first time, or with the password chosen then."""
        try:
            self._administrator.begin(one_time_password)
        except NotLetIn:
            self._administrator.sign_in()

    def open(self, wanted: Iterable[Wanted]) -> None:
        self._administrator.step_up()
        known = self._list()
        for one in wanted:
            account = known.get(one.name)
            account_id = self._make(one) if account is None else self._make_sure(one, str(account["id"]))
            grant = {"role": one.role, "organisation_code": one.organisation_code}
            self._administrator.ask("POST", f"/v1/accounts/{account_id}/roles", grant)

    def open_clients(
        self, wanted: Iterable[WantedClient], *, proposer: str, approver: str, secrets: Mapping[str, str]
    ) -> dict[str, str]:
        """Return the secret of each; one that is known already is kept."""
        proposing, approving = self.person(proposer), self.person(approver)
        for person in (proposing, approving):
            person.step_up()
        known = {client["client_id"] for client in proposing.ask("GET", f"/v1/clients?limit={PAGE}")["items"]}
        opened = {}
        for one in wanted:
            if one.client_id not in known:
                proposal = proposing.ask("POST", "/v1/client-proposals", _registration(one))
                approving.ask("POST", f"/v1/client-proposals/{proposal['id']}/approve")
            if one.client_id not in secrets:
                made = proposing.ask("POST", f"/v1/clients/{one.client_id}/secrets", {"valid_days": SECRET_DAYS})
                opened[one.client_id] = made["secret"]
            else:
                opened[one.client_id] = secrets[one.client_id]
        return opened

    def _make(self, one: Wanted) -> str:
        document = {"name": one.name, "display_name": one.display_name, "staff_number": one.staff_number}
        account = self._administrator.ask("POST", "/v1/accounts", document)
        self.person(one.name).begin(account["one_time_password"])
        return str(account["id"])

    def _make_sure(self, one: Wanted, account_id: str) -> str:
        """An account that was made but whose password was not chosen yet gets another first one."""
        try:
            self.person(one.name).sign_in()
        except NotLetIn:
            reset = self._administrator.ask("POST", f"/v1/accounts/{account_id}/password")
            self.person(one.name).begin(reset["one_time_password"])
        return account_id

    def _list(self) -> dict[str, Mapping[str, Any]]:
        page = self._administrator.ask("GET", f"/v1/accounts?limit={PAGE}")
        return {account["name"]: account for account in page["items"]}


def _registration(one: WantedClient) -> dict[str, object]:
    return {
        "client_id": one.client_id,
        "name": one.client_id,
        "purpose": one.purpose,
        "scopes": list(one.scopes),
        "requests_per_minute": one.requests_per_minute,
        "valid_days": SECRET_DAYS,
    }
