"""What a security administrator does with the accounts of others. Nobody touches an account of the person they are."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.identity import metrics
from services.identity.domain.accounts import (
    Account,
    AccountStatus,
    GrantableRole,
    HasAdministrator,
    OtherPerson,
    OwnAccount,
    RoleGrant,
    UnknownAccount,
    UnknownGrant,
    check_name,
    check_scope,
)
from services.identity.domain.passwords import ONE_TIME_VALID
from services.identity.domain.provider_visits import LinkedElsewhere
from services.identity.handlers.choosing import put_one_time_password
from services.identity.handlers.desk import Desk
from services.identity.storage import accounts, provider_visits, roster_users, second_factors, sessions, unfinished
from services.identity.storage.provider_visits import ProviderIdentity
from shared.access.principal import Principal
from shared.audit.chain import Line, note
from shared.database import Connection, joined, transaction
from shared.reach import SYSTEM, acting, current

# No 0, 1, l, o: it is read from a paper or over the telephone.
ONE_TIME_ALPHABET = "23456789abcdefghijkmnpqrstuvwxyz"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """person_id None: the person of that staff number, or one who has no other account here."""

    name: str
    display_name: str
    person_id: str | None = None
    staff_number: str | None = None
    with_password: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What is told of who owns an account."""

    display_name: str
    person_id: str
    staff_number: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    account: Account
    grants: tuple[RoleGrant, ...]


def new_one_time_password() -> str:
    """100 bits, in groups of five."""
    return "-".join("".join(secrets.choice(ONE_TIME_ALPHABET) for _ in range(5)) for _ in range(4))


def create_account(desk: Desk, wished: NewAccount, *, now: datetime) -> tuple[Account, str | None]:
    """Return the account and its one-time password, shown once. Raises NameTaken, UnsafeName, OtherPerson."""
    account_id = desk.new_id()
    account = Account(
        id=account_id,
        name=check_name(wished.name),
        display_name=wished.display_name,
        person_id=str(account_id),
        staff_number=wished.staff_number,
        status="active",
        created_at=now,
        changed_at=now,
    )
    one_time = new_one_time_password() if wished.with_password else None
    one_time_hash = desk.hashing.hash(one_time) if one_time else None
    with _with_proofs(desk) as connection:
        account = replace(account, person_id=_person_of(connection, account_id, wished.person_id, wished.staff_number))
        accounts.insert_account(connection, account)
        if one_time_hash is not None:
            put_one_time_password(connection, account.id, one_time_hash, valid_until=now + ONE_TIME_VALID, now=now)
        _note(connection, "account.created", account.id)
    return account, one_time


def make_first_administrator(desk: Desk, name: str, *, now: datetime) -> str:
    """Return the one-time password. Of two at once, one makes it. Raises HasAdministrator, NameTaken, UnsafeName."""
    installation = replace(SYSTEM, actor="installation", role="installation")
    with acting(installation), transaction(desk.pool) as connection:
        accounts.lock_administrators(connection)
        if accounts.has_active_holder(connection, "security_administrator"):
            raise HasAdministrator("there is a security administrator, who makes every further account")
        wished = NewAccount(name=name, display_name="Security administrator")
        account, one_time = create_account(replace(desk, pool=joined(connection)), wished, now=now)
        grant = RoleGrant(
            id=desk.new_id(),
            account_id=account.id,
            person_id=account.person_id,
            role="security_administrator",
            organisation_code=None,
            granted_at=now,
            granted_by="installation",
        )
        accounts.insert_grant(connection, grant)
        _note(connection, "grant.given", account.id, role=grant.role, organisation=None)
    return one_time or ""


def list_accounts(desk: Desk, *, after: str, limit: int) -> list[Listed]:
    with transaction(desk.pool) as connection:
        found = accounts.list_accounts(connection, after=after, limit=limit)
        grants = accounts.list_grants(connection, [account.id for account in found])
    return [Listed(account=one, grants=tuple(grant for grant in grants if grant.account_id == one.id)) for one in found]


def get_account(desk: Desk, account_id: UUID) -> Listed:
    """Raises UnknownAccount."""
    with transaction(desk.pool) as connection:
        account = accounts.find_account(connection, account_id)
        if account is None:
            raise UnknownAccount("there is no such account")
        return Listed(account=account, grants=tuple(accounts.list_grants(connection, [account_id])))


def set_status(desk: Desk, administrator: Principal, account_id: UUID, status: AccountStatus, *, now: datetime) -> bool:
    """Disabling ends every session at once. Return whether it changed. Raises UnknownAccount, OwnAccount."""
    with _with_proofs(desk) as connection:
        lock_other(connection, administrator, account_id)
        if status == "disabled":
            ended = sessions.end_sessions(connection, account_id, reason="disabled", at=now)
            unfinished.delete_unfinished_of(connection, account_id)
            sessions.delete_devices(connection, account_id=account_id)
            metrics.sessions_ended_total.labels("disabled").inc(ended)
        has_changed = accounts.set_status(connection, account_id, status, at=now)
        _note(connection, "account.status_set", account_id, status=status, has_changed=has_changed)
        return has_changed


def set_person(desk: Desk, administrator: Principal, account_id: UUID, person: Person, *, now: datetime) -> None:
    """Raises UnknownAccount, OwnAccount, IncompatibleRoles, OtherPerson. No account becomes one's own by it either."""
    with transaction(desk.pool) as connection:
        lock_other(connection, administrator, account_id)
        if person.person_id == administrator.person_id:
            raise OwnAccount("nobody makes an account their own")
        _person_of(connection, account_id, person.person_id, person.staff_number)
        accounts.set_person(
            connection,
            account_id,
            display_name=person.display_name,
            person_id=person.person_id,
            staff_number=person.staff_number,
            at=now,
        )
        _note(connection, "account.person_set", account_id, staff_number=person.staff_number)


def grant_role(
    desk: Desk,
    administrator: Principal,
    account_id: UUID,
    role: GrantableRole,
    organisation_code: str | None,
    *,
    now: datetime,
) -> tuple[RoleGrant, bool]:
    """Return the grant and whether it is new. Raises UnknownAccount, OwnAccount, UnscopedRole, IncompatibleRoles."""
    check_scope(role, organisation_code)
    with transaction(desk.pool) as connection:
        account = lock_other(connection, administrator, account_id)
        grant = RoleGrant(
            id=desk.new_id(),
            account_id=account.id,
            person_id=account.person_id,
            role=role,
            organisation_code=organisation_code,
            granted_at=now,
            granted_by=administrator.name,
        )
        if accounts.insert_grant(connection, grant):
            _note(connection, "grant.given", account_id, role=role, organisation=organisation_code)
            return grant, True
        held = accounts.list_grants(connection, [account.id])
        return next(one for one in held if (one.role, one.organisation_code) == (role, organisation_code)), False


def revoke_role(desk: Desk, administrator: Principal, account_id: UUID, grant_id: UUID) -> RoleGrant:
    """Raises UnknownAccount, UnknownGrant, OwnAccount."""
    with transaction(desk.pool) as connection:
        lock_other(connection, administrator, account_id)
        revoked = accounts.delete_grant(connection, account_id, grant_id)
        if revoked is None:
            raise UnknownGrant("this account holds no such grant")
        _note(connection, "grant.revoked", account_id, role=revoked.role, organisation=revoked.organisation_code)
        return revoked


def reset_password(desk: Desk, administrator: Principal, account_id: UUID, *, now: datetime) -> str:
    """Return a one-time password, which is shown once; whatever was open ends. Raises UnknownAccount, OwnAccount."""
    one_time = new_one_time_password()
    one_time_hash = desk.hashing.hash(one_time)
    with _with_proofs(desk) as connection:
        lock_other(connection, administrator, account_id)
        put_one_time_password(connection, account_id, one_time_hash, valid_until=now + ONE_TIME_VALID, now=now)
        _note(connection, "password.reset", account_id)
    return one_time


def remove_second_factor(desk: Desk, administrator: Principal, account_id: UUID, *, now: datetime) -> bool:
    """For a lost device. Return whether there was one; whatever was open ends. Raises UnknownAccount, OwnAccount."""
    with _with_proofs(desk) as connection:
        lock_other(connection, administrator, account_id)
        sessions.end_sessions(connection, account_id, reason="everywhere", at=now)
        unfinished.delete_unfinished_of(connection, account_id)
        was_there = second_factors.delete_second_factor(connection, account_id)
        _note(connection, "totp.removed", account_id, was_there=was_there)
        return was_there


@contextmanager
def _with_proofs(desk: Desk) -> Iterator[Connection]:
    """As whoever asks, and able to write what only the service itself sees."""
    asking = current() or SYSTEM
    with transaction(desk.pool, reach=replace(asking, kind="system")) as connection:
        yield connection


def link_identity(
    desk: Desk, administrator: Principal, account_id: UUID, *, issuer: str, subject: str, now: datetime
) -> None:
    """The account of this person of the provider from now on. Raises UnknownAccount, OwnAccount, LinkedElsewhere."""
    identity = ProviderIdentity(issuer=issuer, subject=subject, account_id=account_id, linked_at=now)
    with transaction(desk.pool) as connection:
        lock_other(connection, administrator, account_id)
        is_new = provider_visits.insert_identity(connection, identity)
        if not is_new and provider_visits.find_linked_account(connection, issuer, subject) != account_id:
            raise LinkedElsewhere("this person of the provider has another account here")
        _note(connection, "oidc.linked", account_id, is_new=is_new)


def unlink_identities(desk: Desk, administrator: Principal, account_id: UUID, *, issuer: str, now: datetime) -> int:
    """Return how many. What was open ends. Raises UnknownAccount, OwnAccount."""
    with _with_proofs(desk) as connection:
        lock_other(connection, administrator, account_id)
        sessions.end_sessions(connection, account_id, reason="everywhere", at=now)
        unfinished.delete_unfinished_of(connection, account_id)
        removed = provider_visits.delete_identities(connection, account_id, issuer)
        _note(connection, "oidc.unlinked", account_id)
        return removed


def _person_of(connection: Connection, account_id: UUID, stated: str | None, staff_number: str | None) -> str:
    """Accounts of one staff number belong to one person, who is not the second person to themselves.

    Raises OtherPerson.
    """
    other = roster_users.find_person(connection, staff_number, but=account_id) if staff_number else None
    if other is not None and stated not in {None, other}:
        raise OtherPerson("another account of this staff number belongs to another person")
    return other or stated or str(account_id)


def _note(connection: Connection, action: str, account_id: UUID, **details: str | bool | None) -> None:
    note(connection, Line(action=action, object_type="account", object_id=account_id, details=details))


def lock_other(connection: Connection, administrator: Principal, account_id: UUID) -> Account:
    """Raises UnknownAccount, OwnAccount."""
    account = accounts.lock_account(connection, account_id)
    if account.id == administrator.account_id or account.person_id == administrator.person_id:
        raise OwnAccount("nobody administers an account of their own")
    return account
