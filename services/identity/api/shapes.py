"""What the routes of accounts, clients and sessions answer with, as the OpenAPI document tells it."""

from datetime import date, datetime
from typing import Any, Final, Literal
from uuid import UUID

from services.identity.domain.accounts import AccountStatus
from services.identity.domain.clients import ClientStatus, CredentialKind, KeyAlgorithm
from services.identity.domain.sessions import SessionMethod
from shared.access.principal import Role
from shared.answers import Answers, Shown, refuses, shows
from shared.proposals import ProposalStatus


class ShownGrant(Shown):
    id: UUID
    role: Role
    organisation_code: str | None
    granted_at: datetime
    granted_by: str


class GrantedRole(Shown):
    id: UUID
    role: Role
    organisation_code: str | None


class ShownAccount(Shown):
    """`version` may be sent back in If-Match when the account is changed. Roles move no version."""

    id: UUID
    name: str
    display_name: str
    person_id: str
    staff_number: str | None
    status: AccountStatus
    created_at: datetime
    version: int
    roles: list[ShownGrant]


class NewAccountShown(ShownAccount):
    """The password is shown this once; an account whose owner a provider signs in has none."""

    one_time_password: str | None


class AccountState(Shown):
    id: UUID
    status: AccountStatus


class AccountPassword(Shown):
    id: UUID
    one_time_password: str


class RemovedProof(Shown):
    id: UUID
    removed: bool | int


class LinkedIdentity(Shown):
    id: UUID
    issuer: str
    subject: str


class AccountProposal(Shown):
    """What waits for another person, or was decided. `done_at`: when whoever asked has done it."""

    id: UUID
    kind: str
    account_id: str
    asked_for: dict[str, str | None]
    state: ProposalStatus
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    reason: str | None
    done_at: datetime | None


class ClientProposal(Shown):
    id: UUID
    state: ProposalStatus
    registration: dict[str, Any]
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    reason: str | None


class ShownClient(Shown):
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


class ShownCredential(Shown):
    id: UUID
    kind: CredentialKind
    kid: str | None
    algorithm: KeyAlgorithm | None
    created_at: datetime
    created_by: str
    expires_at: datetime
    last_used_on: date | None


class NewSecret(ShownCredential):
    """The secret is shown this once."""

    secret: str


class ClientWithCredentials(ShownClient):
    credentials: list[ShownCredential]


class ClientState(Shown):
    client_id: str
    status: ClientStatus


class OwnRole(Shown):
    role: Role
    organisation_code: str | None


class OwnSession(Shown):
    id: UUID
    is_this_one: bool
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    method: SessionMethod


class OwnAccount(Shown):
    id: UUID
    name: str
    display_name: str
    staff_number: str | None
    roles: list[OwnRole]
    stepped_up_at: datetime | None
    has_password: bool
    has_second_factor: bool
    sessions: list[OwnSession]


class SignedOut(Shown):
    status: Literal["signed-out"]


class SignedOutEverywhere(SignedOut):
    sessions_ended: int


class SteppedUp(Shown):
    status: Literal["stepped-up"]
    stepped_up_at: datetime


class PasswordChanged(Shown):
    status: Literal["password-changed"]


class FactorProposal(Shown):
    """A second factor that counts once a code of it was given."""

    secret: str
    address: str


class RecoveryCodes(Shown):
    recovery_codes: list[str]


class RemovedFactor(Shown):
    removed: bool


class SignedInAccount(Shown):
    id: UUID
    name: str


class SignInProgress(Shown):
    """Signed in, with the account; or the step that is still needed. Recovery codes are shown this once."""

    status: str
    account: SignedInAccount | None = None
    recovery_codes: list[str] | None = None


# What contradicts what stands: one's own account, the last who could agree, a name that is taken.
CONTRADICTS: Final[Answers] = refuses(409)
# Nobody does it alone to an account by which somebody decides.
WAITS: Final[Answers] = (
    shows(AccountProposal, status=202, description="It waits for another person.", headers=("Location",)) | CONTRADICTS
)
PROVING: Final[Answers] = refuses(401, 403, 409)
