"""The people of the demo county who may sign in, and the file that remembers with which words."""

import json
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from demo.accounts import Accounts, Wanted, WantedClient
from demo.credentials import identity_client
from demo.places import COUNTY_CODE

ADMINISTRATOR = "administrator"
TOWNSHIP = "990121101"
CADRE = "AL00169"
PEOPLE = (
    Wanted(
        name="clerk",
        display_name="柳河镇受理员",
        role="clerk",
        organisation_code=TOWNSHIP,
        purpose="records contacts and issues of one township",
    ),
    Wanted(
        name="county-clerk",
        display_name="县受理员",
        role="clerk",
        purpose="the same everywhere, and keeps the registers and imports files",
    ),
    Wanted(
        name="cadre",
        display_name="柳河镇镇长",
        role="cadre",
        organisation_code=TOWNSHIP,
        staff_number=CADRE,
        purpose=f"is {CADRE}: own contacts and issues, own published scores",
    ),
    Wanted(
        name="unit-head",
        display_name="柳河镇负责人",
        role="unit_head",
        organisation_code=TOWNSHIP,
        purpose="published figures of the township",
    ),
    Wanted(
        name="officer",
        display_name="县委组织部干部",
        role="department_officer",
        purpose="scores and everything behind them, under pseudonyms",
    ),
    Wanted(
        name="county-officer",
        display_name="安澜县组织部干部",
        role="department_officer",
        organisation_code=COUNTY_CODE,
        purpose="the same within the county",
    ),
    Wanted(name="auditor", display_name="审计管理员", role="auditor", purpose="reads the audit, changes nothing"),
    # The last one: with a second person there, nobody gives a role that decides alone.
    Wanted(name="approver", display_name="县委组织部审批人", role="approver", purpose="the second of two persons"),
)
CLIENTS = (
    WantedClient(
        client_id="importer",
        scopes=("imports.run", "intake.read", "intake.write", "registers.write"),
        purpose="another system: brings records and files to intake",
    ),
    WantedClient(client_id="kiosk", scopes=("ratings.submit",), purpose="takes the ratings of citizens to intake"),
    WantedClient(client_id="app", scopes=("open311.file",), purpose="another system: files requests over Open311"),
    WantedClient(client_id="reader", scopes=("scores.read",), purpose="reads published scores from assessment"),
)


@dataclass(slots=True, kw_only=True)
class SignIns:
    """What a file of its owner remembers: the administrator's first password, and what was chosen after it."""

    file: Path
    one_time_password: str
    passwords: dict[str, str] = field(default_factory=dict)
    clients: dict[str, str] = field(default_factory=dict)
    purposes: dict[str, str] = field(default_factory=dict)
    is_complete: bool = False

    @classmethod
    def read(cls, file: Path) -> "SignIns":
        return cls(file=file, **json.loads(file.read_text("utf-8")))

    def save(self) -> None:
        content = {
            "one_time_password": self.one_time_password,
            "passwords": self.passwords,
            "clients": self.clients,
            "purposes": self.purposes,
            "is_complete": self.is_complete,
        }
        beside = self.file.with_name(f".{self.file.name}.new")
        beside.unlink(missing_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(content, file, ensure_ascii=False, indent=2)
        beside.replace(self.file)


def make_sign_ins(identity_url: str, file: Path) -> SignIns:
    """Each password is written down before it is chosen, so that no account is locked by an interruption."""
    sign_ins = SignIns.read(file)
    people = {ADMINISTRATOR: "accounts and roles of others"} | {one.name: one.purpose for one in PEOPLE}
    sign_ins.purposes = people | {one.client_id: one.purpose for one in CLIENTS}
    for name in people:
        sign_ins.passwords.setdefault(name, secrets.token_urlsafe(18))
    sign_ins.save()
    with identity_client(identity_url) as identity:
        accounts = Accounts(identity, administrator=ADMINISTRATOR, passwords=sign_ins.passwords)
        accounts.begin(sign_ins.one_time_password)
        accounts.open(PEOPLE)
        sign_ins.clients = accounts.open_clients(
            CLIENTS, proposer="officer", approver="approver", secrets=sign_ins.clients
        )
    sign_ins.is_complete = True
    sign_ins.save()
    return sign_ins
